"""A choice against its pool, group by group: shares, selection rates, intervals, and what chance would do.

Representation: the share of a group among the chosen over its share of the pool. Selection rate: chosen rows
of a group over its rows. The p-value is exact: how often a random choice of as many rows would be so far from
the group's share (hypergeometric, both tails), adjusted for the number of groups by Holm. The gap between the
highest and the lowest selection rate has Newcombe's interval; their ratio is what the four-fifths rule of the
Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4 D) looks at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lgamma

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags
from shortlist.measures.intervals import of_difference, wilson
from shortlist.measures.significance import holm


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupShare:
    """One group: its rows in pool and choice, its share of each, the interval of the latter, and p.

    ratio: share of the choice over share of the pool, 1 is as in the pool.
    """

    name: str
    pool: int
    chosen: int
    share_of_pool: float
    share_of_choice: float
    low: float
    high: float
    p: float

    @property
    def ratio(self) -> float:
        """Above 1 where the choice has more of it than the pool."""
        return self.share_of_choice / self.share_of_pool

    @property
    def rate(self) -> float:
        """The share of its rows that was chosen."""
        return self.chosen / self.pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """groups, largest in the pool first; distance: half the sum of differences of the shares, in [0, 1].

    gap: highest less lowest selection rate, with its interval; impact: lowest over highest, 1 is parity.
    """

    groups: tuple[GroupShare, ...]
    distance: float
    gap: float
    gap_low: float
    gap_high: float
    impact: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Disparity:
    """`by` names Labels or Tags."""

    by: str = field(default="group", kw_only=False)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"gap of selection rates, {self.by} (lower is better)"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, 1] for the rows at positions i64[k]; 0 for fewer than two groups."""
        groups = pool.columns.get(self.by)
        if not isinstance(groups, Labels | Tags):
            raise ContractError(
                f"signal {self.by!r}: Labels or Tags are needed, found {type(groups).__name__}"
            )
        return audit(groups, at).gap


def audit(groups: Labels | Tags, at: I64, *, level: float = 0.95) -> Audit:
    """The choice at positions i64[k], each once, against the pool, for every group that the pool has.

    A row with several tags counts in each; shares are of rows, so they need not sum to 1.

    Raises:
        ContractError: a position is there twice, or not in the pool.
    """
    n, k = len(groups), len(at)
    if len(np.unique(at)) != k or (k and not (at.min() >= 0 and at.max() < n)):
        raise ContractError(f"positions must be different and lie in [0, {n})")
    have = np.bincount(groups.codes, minlength=len(groups.names))
    got = np.bincount(groups.take(at).codes, minlength=len(groups.names))
    there = np.flatnonzero(have)
    there = there[np.lexsort((there, -have[there]))]
    p = holm(np.array([chance(int(got[g]), int(have[g]), k, n) for g in there]))
    found = tuple(
        _group(groups.names[g], int(have[g]), int(got[g]), n, k, float(p[i]), level)
        for i, g in enumerate(there)
    )
    rates = sorted(found, key=lambda g: (g.rate, g.name))
    if not rates:
        return Audit(groups=(), distance=0.0, gap=0.0, gap_low=0.0, gap_high=0.0, impact=1.0)
    worst, best = rates[0], rates[-1]
    low, high = of_difference(best.rate, best.pool, worst.rate, worst.pool, level=level)
    return Audit(
        groups=found,
        distance=sum(abs(g.share_of_choice - g.share_of_pool) for g in found) / 2 if k else 0.0,
        gap=best.rate - worst.rate,
        gap_low=low,
        gap_high=high,
        impact=worst.rate / best.rate if best.rate > 0 else 1.0,
    )


def chance(got: int, have: int, k: int, n: int) -> float:
    """How often k rows of n at random hold a number of a group's `have` rows no likelier than `got`.

    >>> round(chance(4, 5, 5, 10), 4)
    0.2063
    """
    lowest, highest = max(0, have + k - n), min(have, k)
    x = np.arange(lowest, highest + 1, dtype=np.float64)
    log = _choose(have, x) + _choose(n - have, k - x)
    weight = np.exp(log - log.max())
    mine = weight[got - lowest]
    return float(min(1.0, weight[weight <= mine * (1 + 1e-9)].sum() / weight.sum()))


def _group(name: str, have: int, got: int, n: int, k: int, p: float, level: float) -> GroupShare:
    share = got / k if k else 0.0
    low, high = wilson(share, k, level=level)
    return GroupShare(
        name=name,
        pool=have,
        chosen=got,
        share_of_pool=have / n,
        share_of_choice=share,
        low=low,
        high=high,
        p=p,
    )


def _choose(n: int, k: F64) -> F64:
    """log of n over k, f64[m], but for a constant."""
    return -np.array([lgamma(a + 1) + lgamma(n - a + 1) for a in k.tolist()])
