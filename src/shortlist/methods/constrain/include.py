"""Include: rows that every choice must hold.

Source: contraction of a matroid; Schrijver 2003, Combinatorial Optimization, sec. 39.3.
Deviates: none.
Cost: O(1) a question.  Memory: the list.
Guarantee: every choice holds all of them, or the run is refused as infeasible and says why.
Use it when some rows are settled already and shall count in size, quotas and budget. Not for rows that
are already had: use Shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.errors import UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.methods.constrain.listed import positions, row_numbers, short


@dataclass(frozen=True, slots=True)
class Include:
    """These global rows are taken, and taken first.

    >>> Include((17, 4))
    Include(of=(4, 17))
    """

    of: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", row_numbers("Include", self.of))

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (a list is no share of k)
        """One inequality: all of them.

        Raises:
            UsageError: a row is not in this pool.
        """
        at, absent = positions(pool, self.of)
        if len(absent):
            raise UsageError(f"{short('include', absent)}: not in this pool of {len(pool)} rows")
        return [Row(short("include", self.of), "include", at, None, len(at), math.inf)] if len(at) else []


EXAMPLES = (Include((0,)), Include((1, 2)))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the share of included rows that random choices of 5 of 20 rows hold."""
    pool, held = Pool(np.arange(20), {}), np.empty(40 * scale)
    for i in range(len(held)):
        rows = rng.choice(20, 3, replace=False)
        taken = fill(bind(pool, [Include(tuple(rows.tolist()))], 5), rng.permutation(20))
        held[i] = np.isin(rows, taken).mean()
    return held


CLAIM = Claim(
    paper="Schrijver 2003, sec. 39.3",
    says="what is feasible beside the included rows is a matroid again, so that they never block the size",
    we_show="random choices of 5 of 20 rows hold all 3 included rows",
    not_shown="budgets, where included rows can leave room for nothing else",
    measure=claim,
    margin=1.0,
)
