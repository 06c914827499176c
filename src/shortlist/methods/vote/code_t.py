"""CodeT: the solutions that agree with each other and with most tests.

Solutions that pass exactly the same tests are a group;  score = tests passed * sqrt(size of the group).
Source: Chen, Zhang, Nguyen, Zan, Lin, Lou, Chen 2022, arXiv:2207.10397.
Deviates: none; the square root is that of the authors' code.
Cost: one sort of the rows of the pass matrix.
Memory: nine eighths of a byte for every solution and test.
Guarantee: the largest score; ties go to the group that appears first.
Use it when solutions and tests are both doubtful and nothing is known of how; not when it is (B4).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, Bool
from shortlist.core.claim import Claim
from shortlist.core.errors import UsageError
from shortlist.core.judgments import Pick, Verdicts
from shortlist.core.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeT:
    """One solution a group, best group first.

    Args:
        by: the Tags of tests that each solution passes.
        power: of the size of the group; 1 is the product in the paper's text.
    """

    by: str = field(default="tags", kw_only=False)
    power: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.power < np.inf:
            raise UsageError(f"power must be 0 or more, found {self.power}")

    def __call__(self, pool: Pool) -> Pick:
        """The first solution of each group."""
        verdicts = Verdicts.tagged(pool, self.by)
        group = verdicts.agreeing()
        first = np.unique(group, return_index=True)[1]
        score = verdicts.passed[first].sum(axis=1) * np.bincount(group) ** self.power
        return Pick.ranked(verdicts.rows[first], score.astype(np.float64))


def exact(passed: Bool) -> F64:
    """f64[n]: the score of each solution's group."""
    rows = [row.tobytes() for row in passed]
    return np.array([row.sum() * rows.count(row.tobytes()) ** 0.5 for row in passed], np.float64)


EXAMPLES = (CodeT(), CodeT(power=1.0))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: right picks minus those of passing most tests; most tests are wrong, 0.3 of solutions right."""
    margin = np.empty(500 * scale)
    for t in range(len(margin)):
        x, y = rng.random(10) < 0.3, rng.random(30) < 0.3
        chance = np.where(x[:, None], y * 1.0, np.where(y, 0.4, 0.1))
        passed = rng.random((10, 30)) < chance
        margin[t] = float(x[np.argmax(exact(passed))]) - float(x[np.argmax(passed.sum(axis=1))])
    return margin


CLAIM = Claim(
    paper="Chen et al. 2022 (CodeT)",
    says="agreement of solutions tells more than tests passed alone",
    we_show="no fewer right picks than passing most tests in the simulator of P408",
    not_shown="language models and their tests",
    measure=claim,
    margin=0.0,
)
