"""Size: at most k rows are chosen, and at least so many where that is asked.

Source: the uniform matroid; Nemhauser, Wolsey and Fisher 1978, Math. Programming 14, 265-294,
doi:10.1007/BF01588971, sec. 4.
Deviates: none. A choice reaches k whenever rows remain that may be taken; `at_least` makes a smaller one
an error instead.
Cost: O(1) a question.  Memory: none beyond the pool.
Guarantee: no choice is larger than k; with `at_least`, none is smaller, or the run is refused as infeasible.
Use it when the number of rows is what is paid for. Not when their cost differs much: use Knapsack.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from operator import index

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.errors import UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool


@dataclass(frozen=True, slots=True)
class Cardinality:
    """At most `k` rows, at least `at_least`.

    >>> Cardinality(500)
    Cardinality(k=500, at_least=0)
    """

    k: int
    _: KW_ONLY
    at_least: int = 0

    def __post_init__(self) -> None:
        for name in ("k", "at_least"):
            given = getattr(self, name)
            try:
                if isinstance(given, bool):
                    raise TypeError
                value = index(given)
            except TypeError:
                raise UsageError(f"Cardinality: {name} must be a whole number, found {given!r}") from None
            if value < 0:
                raise UsageError(f"Cardinality: {name} must be at least 0, found {value}")
            object.__setattr__(self, name, value)
        if self.at_least > self.k:
            raise UsageError(f"Cardinality: at_least={self.at_least} is more than k={self.k}")

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (a size is no share of another)
        """One inequality, and a second where a least size is asked."""
        out = [Row(f"size={self.k}", "size", None, None, -math.inf, self.k)]
        if self.at_least:
            out.append(Row(f"size>={self.at_least}", "size", None, None, self.at_least, math.inf))
        return out


EXAMPLES = (Cardinality(1), Cardinality(3), Cardinality(5, at_least=2))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: rows reached, as a share of the size, from random starts."""
    pool = Pool(np.arange(20), {})
    sizes = rng.integers(1, 20, 40 * scale).tolist()
    return np.array([len(fill(bind(pool, [Cardinality(k)]), rng.permutation(20))) / k for k in sizes])


CLAIM = Claim(
    paper="Nemhauser, Wolsey and Fisher 1978",
    says="a size is a matroid: whatever is taken first, k rows are reached",
    we_show="they are, from random starts over 20 rows",
    not_shown="the value reached, which is the solvers' claim",
    measure=claim,
    margin=1.0,
)
