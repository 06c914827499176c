"""Shown: rows the user has already. They are not taken again, and the objective starts from them.

Source: Lin and Bilmes 2012, UAI, arXiv:1210.4871 (gains given what was shown before).
Deviates: none. Size, quotas and budgets count the new choice only.
Cost: O(1) a question; the objective takes them in once.  Memory: the list.
Guarantee: none of them is chosen; what they cover already earns nothing a second time.
Use it when a batch is added to an earlier one. Not for rows that must be in the answer: use Include.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.covers import RandomCover
from shortlist.core.fill import fill, told
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.methods.constrain.listed import positions, row_numbers, short


@dataclass(frozen=True, slots=True)
class Shown:
    """These global rows are had already; those that this pool does not have are passed over.

    >>> Shown([8, 2])
    Shown(of=(2, 8))
    """

    of: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", row_numbers("Shown", self.of))

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (a list is no share of k)
        """One inequality of kind 'shown': none of them is chosen."""
        at, _ = positions(pool, self.of)
        return [Row(short("shown", self.of), "shown", at, None, -math.inf, 0)] if len(at) else []


EXAMPLES = (Shown((0,)), Shown((1, 2)))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: points that neither the shown rows cover nor taking all others gained: 0."""
    pool, spare = Pool(np.arange(12), {}), np.empty(40 * scale)
    for i in range(len(spare)):
        built, rows = RandomCover.drawn(rng, 12, 30), rng.choice(12, 4, replace=False)
        limits = bind(pool, [Shown(tuple(rows.tolist()))], 8)
        choice = told(built, limits, pool, fill(limits, rng.permutation(12)))
        spare[i] = built.covers.any(axis=0).sum() - built.covers[rows].any(axis=0).sum() - choice.total
    return spare


CLAIM = Claim(
    paper="Lin and Bilmes 2012",
    says="given what was shown, only what is new counts",
    we_show="with all other rows taken the gains are exactly the points that the shown rows leave uncovered",
    not_shown="objectives other than covers",
    measure=claim,
    margin=0.0,
)
