"""B4: the group of solutions that makes the whole pass matrix likeliest, solutions and tests both in doubt.

For the group x of solutions that pass exactly the tests y, with N solutions and M tests:

    log B(|y| + a, M - |y| + 1) + log B(|x| + a, N - |x| + 1)
        + log B(p1 + 1, c1 - p1 + 1) + log B(p0 + 1, c0 - p0 + b)

p1 of c1 are the passes of the other solutions on y, p0 of c0 those on the other tests.
Source: Chen, Liu, Tao, Hong, Lo, Xia, Sun 2024, arXiv:2409.08692.
Deviates: none.
Cost: one sort of the rows of the pass matrix, and one pass over it a group.
Memory: nine eighths of a byte for every solution and test.
Guarantee: the largest posterior among groups that agree exactly, under the paper's priors; ties go first.
Use it when tests are as doubtful as solutions; not when right solutions may differ on a right test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lgamma

import numpy as np

from shortlist.core.arrays import F64, Bool
from shortlist.core.claim import Claim
from shortlist.core.errors import UsageError
from shortlist.core.judgments import Pick, Verdicts
from shortlist.core.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class B4:
    """One solution a group, best group first.

    Args:
        by: the Tags of tests that each solution passes.
        alpha: a, how likely solutions and tests are to be right; at least 1.
        beta: b, how unlikely a wrong solution is to pass a wrong test; at least 1.
    """

    by: str = field(default="tags", kw_only=False)
    alpha: float = 10.0
    beta: float = 10.0

    def __post_init__(self) -> None:
        if not (1 <= self.alpha < np.inf and 1 <= self.beta < np.inf):
            raise UsageError(f"alpha and beta must be at least 1, found {self.alpha} and {self.beta}")

    def __call__(self, pool: Pool) -> Pick:
        """The first solution of each group, by log posterior up to a constant."""
        verdicts = Verdicts.tagged(pool, self.by)
        group = verdicts.agreeing()
        first = np.unique(group, return_index=True)[1]
        return Pick.ranked(verdicts.rows[first], scores(verdicts, self.alpha, self.beta))


def scores(verdicts: Verdicts, alpha: float, beta: float) -> F64:
    """f64[g]: of each group of agreeing solutions."""
    passed, group = verdicts.passed, verdicts.agreeing()
    n, m = passed.shape
    sizes = np.bincount(group)
    often = passed.sum(axis=0)  # solutions that pass each test
    out = np.empty(len(sizes))
    for g, at in enumerate(np.unique(group, return_index=True)[1].tolist()):
        y, size = passed[at], int(sizes[g])
        right = int(y.sum())
        p1, c1 = int(often[y].sum()) - size * right, (n - size) * right
        p0, c0 = int(often[~y].sum()), (n - size) * (m - right)
        out[g] = (
            _log_beta(right + alpha, m - right + 1)
            + _log_beta(size + alpha, n - size + 1)
            + _log_beta(p1 + 1, c1 - p1 + 1)
            + _log_beta(p0 + 1, c0 - p0 + beta)
        )
    return out


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def exact(passed: Bool, x: Bool, y: Bool, alpha: float, beta: float) -> float:
    """Log posterior, up to a constant, that exactly the solutions x and the tests y are right."""
    if not (passed[x][:, y].all() and not passed[x][:, ~y].any()):
        return -np.inf
    one, none = passed[~x][:, y], passed[~x][:, ~y]
    return (
        _log_beta(y.sum() + alpha, (~y).sum() + 1)
        + _log_beta(x.sum() + alpha, (~x).sum() + 1)
        + _log_beta(one.sum() + 1, (~one).sum() + 1)
        + _log_beta(none.sum() + 1, (~none).sum() + beta)
    )


EXAMPLES = (B4(), B4("tags", alpha=1000.0, beta=3.0))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: right picks minus the better of passing most tests and CodeT's score, over a grid of noise."""
    grid = [
        (tx, ty, t0, t1) for tx in (0.1, 0.3) for ty in (0.2, 0.5) for t0 in (0.1, 0.2) for t1 in (0.4, 0.6)
    ]
    margin = np.empty(800 * scale)
    for t in range(len(margin)):
        tx, ty, t0, t1 = grid[t % len(grid)]
        x, y = rng.random(10) < tx, rng.random(30) < ty
        passed = rng.random((10, 30)) < np.where(x[:, None], y * 1.0, np.where(y, t1, t0))
        verdicts = Verdicts.of(passed)
        group = verdicts.agreeing()
        first = np.unique(group, return_index=True)[1]
        agreed = passed[first].sum(axis=1) * np.sqrt(np.bincount(group))
        mine = x[first[np.argmax(scores(verdicts, 10.0, 10.0))]]
        others = (x[first[np.argmax(agreed)]], x[np.argmax(passed.sum(axis=1))])
        margin[t] = float(mine) - float(others[t // len(grid) % 2])
    return margin


CLAIM = Claim(
    paper="P408, B4: Towards Optimal Assessment of Plausible Code Solutions with Plausible Tests",
    says="the choice by posterior beats agreement and tests passed where solutions and tests are doubtful",
    we_show="more right picks than CodeT and MaxPass, taken in turn, over a grid of the paper's simulator",
    not_shown="language models; priors far from the truth",
    measure=claim,
    margin=0.0,
)
