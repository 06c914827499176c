"""Exclude: rows that no choice may hold.

Source: deletion in a matroid; Schrijver 2003, Combinatorial Optimization, sec. 39.3.
Deviates: none. The rows stay in the pool: an objective goes on representing them.
Cost: O(1) a question.  Memory: the list.
Guarantee: none of them is ever chosen. Rows that this pool does not have are passed over in silence: they
cannot be chosen either.
Use it when rows may be looked at but not taken. Not for rows that should not count at all: filter them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.methods.constrain.listed import positions, row_numbers, short


@dataclass(frozen=True, slots=True)
class Exclude:
    """These global rows are never taken.

    >>> Exclude([3])
    Exclude(of=(3,))
    """

    of: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", row_numbers("Exclude", self.of))

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (a list is no share of k)
        """One inequality: none of them."""
        at, _ = positions(pool, self.of)
        return [Row(short("exclude", self.of), "exclude", at, None, -math.inf, 0)] if len(at) else []


EXAMPLES = (Exclude((0,)), Exclude((1, 2)))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the share of rows that are not excluded in random choices of 18 of 20 rows."""
    pool, kept = Pool(np.arange(20), {}), np.empty(40 * scale)
    for i in range(len(kept)):
        rows = rng.choice(20, 3, replace=False)
        taken = fill(bind(pool, [Exclude(tuple(rows.tolist()))], 18), rng.permutation(20))
        kept[i] = 1 - np.isin(taken, rows).mean()
    return kept


CLAIM = Claim(
    paper="Schrijver 2003, sec. 39.3",
    says="without the excluded rows the rest is a matroid again, of at most the rows that are left",
    we_show="random choices hold no excluded row, though fewer are left than asked for",
    not_shown="that an objective goes on representing them, which is its own law",
    measure=claim,
    margin=1.0,
)
