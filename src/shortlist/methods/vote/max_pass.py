"""Max pass: the solution that passes most tests.

Source: the definition; baseline of Chen et al. 2024, arXiv:2409.08692.
Deviates: none.
Cost: one pass over the pass matrix.
Memory: a byte for every solution and test.
Guarantee: the largest number of tests passed; ties go to the first.
Use it when tests are right; not when some are wrong and agree with wrong solutions (B4).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, Bool
from shortlist.core.claim import Claim
from shortlist.core.judgments import Pick, Verdicts
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPass:
    """All solutions by tests passed.

    Args:
        by: the Tags of tests that each solution passes.
        ties: a score that decides among solutions that pass as many; '' takes the first.
    """

    by: str = field(default="tags", kw_only=False)
    ties: str = ""

    def __call__(self, pool: Pool) -> Pick:
        """Most tests passed first."""
        count = exact(Verdicts.tagged(pool, self.by).passed)
        second = pool.signal(self.ties, Scores).utility() if self.ties else np.zeros(len(pool))
        order = np.lexsort((-second, -count))
        return Pick(pool.rows[order], count[order])


def exact(passed: Bool) -> F64:
    """f64[n]: how many tests each solution passes."""
    count: F64 = passed.sum(axis=1).astype(np.float64)
    return count


EXAMPLES = (MaxPass(), MaxPass(ties="score"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: whether the pick is right minus the share of right ones, when all tests are right."""
    margin = np.empty(300 * scale)
    for t in range(len(margin)):
        right = rng.random(10) < 0.3
        passed = right[:, None] | (rng.random((10, 8)) < 0.4)
        margin[t] = float(right[np.argmax(exact(passed))]) - right.mean()
    return margin


CLAIM = Claim(
    paper="P408, B4: Towards Optimal Assessment of Plausible Code Solutions with Plausible Tests",
    says="passing most tests is a sound choice where tests are right",
    we_show="at least 0.5 more often right than a solution drawn at random",
    not_shown="tests that are wrong: see B4",
    measure=claim,
    margin=0.5,
)
