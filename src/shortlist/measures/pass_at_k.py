"""pass@k: how likely one of k samples of a task passes, from n samples of which c did. Unbiased.

    1 - C(n - c, k) / C(n, k), and its mean over tasks

Source: Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv:2107.03374; Brown et al.
2024, "Large Language Monkeys", arXiv:2407.21787 (P225, as coverage).
Deviates: min(c, k) factors are summed as logarithms, so that n = 10^6 neither overflows nor loses
small values.
Cost: at most sqrt(750 n) factors a task: a product that must be below the smallest float is 0 at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, expm1

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.errors import ContractError, UsageError
from shortlist.measures.intervals import of_mean

#: exp of less than this is no float.
NOTHING = -750.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAt:
    """pass@k over `tasks` tasks, with the interval of what other tasks of the same kind would show."""

    k: int
    value: float
    low: float
    high: float
    tasks: int


def pass_at(samples: I64, passed: I64, k: int, *, level: float = 0.95) -> PassAt:
    """pass@k of tasks with i64[t] samples, of which i64[t] passed.

    Raises:
        ContractError: counts are no counts.
        UsageError: a task has fewer than k samples.

    >>> pass_at(np.array([4, 4]), np.array([1, 0]), 2).value
    0.25
    """
    each = pass_by_task(samples, passed, k)
    low, high = of_mean(each, level=level)
    return PassAt(k=k, value=float(each.mean()), low=low, high=high, tasks=len(each))


def pass_by_task(samples: I64, passed: I64, k: int) -> F64:
    """f64[t]: the unbiased estimate of each task. See `pass_at`."""
    n, c = np.asarray(samples), np.asarray(passed)
    if n.ndim != 1 or n.shape != c.shape or len(n) == 0 or not {n.dtype.kind, c.dtype.kind} <= {"i", "u"}:
        raise ContractError("samples and passed must be i64[t] each, one task or more")
    if (c < 0).any() or (c > n).any():
        bad = int(np.flatnonzero((c < 0) | (c > n))[0])
        raise ContractError(f"task {bad}: {int(c[bad])} of {int(n[bad])} samples cannot have passed")
    if k < 1 or (n < k).any():
        short = int(n.min())
        raise UsageError(f"pass@{k} needs 1 <= k <= samples; the task with the fewest has {short}")
    # Equal tasks are one computation.
    pairs, which = np.unique(np.stack([n, c]), axis=1, return_inverse=True)
    each = np.array([_one(int(a), int(b), k) for a, b in pairs.T])
    return each[which.ravel()]


def exact(n: int, c: int, k: int) -> float:
    """The definition in whole numbers."""
    return 1 - comb(n - c, k) / comb(n, k)


def _one(n: int, c: int, k: int) -> float:
    if n - c < k:
        return 1.0
    if k * c / n > -NOTHING:
        return 1.0
    few, many = min(c, k), max(c, k)
    factors = np.log1p(-many / np.arange(n, n - few, -1, dtype=np.float64))
    return -expm1(float(factors.sum()))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """How much of 1e-12 is left of the error against whole numbers, and of 0.01 in the mean of many draws."""
    left = []
    for _ in range(30 * scale):
        n = int(rng.integers(1, 400))
        c, k = int(rng.integers(0, n + 1)), int(rng.integers(1, n + 1))
        left.append(1 - abs(_one(n, c, k) - exact(n, c, k)) / 1e-12)
    for p in (0.02, 0.3):
        drawn = rng.binomial(40, p, 20_000)
        mean = pass_by_task(np.full(20_000, 40), drawn, 10).mean()
        left.append(1 - abs(mean - (1 - (1 - p) ** 10)) / 0.01)
    return np.array(left)


CLAIM = Claim(
    paper="Large Language Monkeys: Scaling Inference Compute with Repeated Sampling (P225)",
    says="coverage is estimated without bias by 1 - C(n - c, k) / C(n, k)",
    we_show="the sum of logarithms equals whole-number arithmetic to 1e-12, and its mean over draws the true "
    "pass@k",
    not_shown="that answers drawn by a model are independent",
    measure=claim,
    margin=0.5,
)
