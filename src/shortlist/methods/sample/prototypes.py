"""Prototypes: rows nearest to their cluster's centre (easy) or farthest from it (hard).

    rank rows by the distance to the nearest of m means of the vectors; keep the least or the largest

Source: Sorscher et al. 2022, Beyond neural scaling laws: beating power law scaling via data pruning,
arXiv:2206.14486, sec. 5 (self-supervised prototypes).
Deviates: vectors are the user's, compared by cosine; the means come from a seeded sample of 32 rows a
    cluster. `balance` b in [0, 1] first gives every cluster the share b of what an even split of the choice
    would be, the rest goes by distance alone (theirs: 0.5 of the class sizes, appendix; 0 here by default).
Cost: 2 n m d operations.  Memory: 64 n bytes, 128 m d for the sample.
Guarantee: the order by distance, from the seed alone; ties by position.
Use it when: there are many rows and all but few are kept, hard ones first; or few, easy ones first. Not when:
    rows have wrong labels or are broken, which are far from every centre and come first among the hard.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I32, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.errors import UsageError
from shortlist.core.fill import fill, told
from shortlist.core.limits import bind
from shortlist.core.means import clustered
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Prototypes:
    """Rows by distance to their centre; the objective, if there is one, only says what it gained.

    Args:
        by: a Vectors signal.
        m: how many clusters.
        hard: the farthest first, else the nearest.
        balance: in [0, 1]: what part of an even split every cluster is given first.
        seed: of the clusters.
    """

    by: str = field(default="vec", kw_only=False)
    m: int = 100
    hard: bool = True
    balance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.m < 1 or not 0 <= self.balance <= 1:
            raise UsageError(
                f"Prototypes: m must be 1 or more and balance in [0, 1], found {self.m} and {self.balance}"
            )

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows."""
        codes, square = clustered(pool, self.by, self.m, self.seed)
        order = ranked(codes, -square if self.hard else square, self.balance, limits.k)
        return told(built, limits, pool, fill(limits, order))


def ranked(codes: I32, key: F64, balance: float, k: int) -> I64:
    """i64[n]: by key; the first floor(balance k / clusters) of each cluster come before all others."""
    order = np.lexsort((np.arange(len(key)), key))
    if not len(key) or not balance:
        return order
    sizes = np.bincount(codes)
    by = order[np.argsort(codes[order], kind="stable")]
    rank = np.empty(len(key), np.int64)
    rank[by] = np.arange(len(by)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    late = rank >= int(balance * k / (sizes > 0).sum())
    return order[np.argsort(late[order], kind="stable")]


def exact(rows: F64, centres: F64, hard: bool) -> I64:
    """The order of rows f64[n, d] of length 1 by the distance to the nearest of centres f64[m, d]."""
    near = np.array([min(float(((x - c) ** 2).sum()) for c in centres) for x in rows])
    return np.argsort(-near if hard else near, kind="stable")


EXAMPLES = (Prototypes(m=3), Prototypes("vec2", m=2, hard=False, balance=0.5, seed=5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of typical rows among 60 easy of 600, less that among 60 hard, typical: drawn with a
    small spread about 8 centres, which half of the rows are."""
    margins = np.empty(10 * scale)
    for i in range(len(margins)):
        typical = rng.random(600) < 0.5
        rows = rng.normal(size=(8, 16))[rng.integers(0, 8, 600)]
        rows = rows + rng.normal(size=(600, 16)) * np.where(typical, 0.2, 1.0)[:, None]
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32))})
        easy, hard = (
            typical[Prototypes(m=8, hard=h, seed=i)(None, bind(pool, (), 60), pool).rows].mean()
            for h in (False, True)
        )
        margins[i] = easy - hard
    return margins


CLAIM = Claim(
    paper="Sorscher et al. 2022",
    says="distance to the nearest of some prototypes tells easy rows from hard ones without labels",
    we_show="easy rows are those drawn with a small spread, hard ones those with a large",
    not_shown="that training on the hard ones bends scaling laws",
    measure=claim,
    margin=0.7,
)
