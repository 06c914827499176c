"""Sum of all distances within the choice: far apart on the whole.

    f(S) = sum over pairs {s, t} of S of (1 - cos(s, t))

Source: Borodin, Lee & Ye 2012, "Max-Sum Diversification, Monotone Submodular Functions and Dynamic Updates",
PODS, arXiv:1203.6397; relaxed triangle inequality: Abbasi Zadeh & Ghadiri 2015, arXiv:1511.02402.
Deviates: distance is 1 - cosine, as in the rest of the house: half the squared chord between unit vectors,
    whose triangle inequality holds up to a factor of 2 (theirs are metrics). A zero vector is at 1 from
    everything.
Cost: O(d) a row and chosen row: O(n k d) under plain greedy.
Memory: 16 n bytes a state and 4 k d for the chosen vectors; never n x n, never n x k.
Guarantee: exact and monotone; supermodular: gains grow, so lazy solvers refuse it. Under a size limit greedy
    reaches 1/2 of the best for a metric, 1/4 for this distance. With a monotone submodular part beside it the
    same holds where that part is given half its weight:
    `Sum((FacilityLocation(), MaxSumDispersion()), weights=(w / 2, v))` for w and v.
Use it when: the spread of the whole matters and a few near pairs do no harm.
Not when: no two rows may be alike (MaxMinDispersion): the best sum is often two far camps of copies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import Plan, alone
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.objective.max_min_dispersion import distances


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxSumDispersion:
    """`by` names a Vectors signal; gain = sum of the distances to all chosen rows."""

    by: str = field(default="vec", kw_only=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("distances",)

    def need(self, pool: Pool, k: int) -> Need:
        """Two states, the chosen vectors, and each row against each chosen row."""
        n, d = pool.signal(self.by, Vectors).values.shape
        return Need(bytes=60.0 * n + 4.0 * k * d, flops=2.0 * n * k * d)

    def build(self, pool: Pool) -> Plan[BuiltMaxSum]:
        """Norms of the vectors of this pool."""
        yield from ()
        return BuiltMaxSum(Directions.of(pool.signal(self.by, Vectors).values), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition."""
        return exact(pool.signal(self.by, Vectors).values[at])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltMaxSum:
    """Bound to n rows. State: minus each row's distances to the chosen rows, brought up to date when
    asked."""

    rows: Directions
    terms: tuple[str, ...]
    submodular: bool = False
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def start(self) -> Met:
        """Nobody is chosen."""
        return Met.nothing(np.zeros(len(self.rows)))

    def gains(self, state: Met, at: I64) -> F64:
        """f64[b, 1] >= 0: the sums."""
        # subtract: unlike a sum, NumPy takes it one by one whether it is asked for few rows or for many
        return 0.0 - state.fold(self.rows, at, np.subtract, distance)[:, None]

    def add(self, state: Met, at: int) -> Met:
        """One more row to be far from."""
        return state.and_then(self.rows.unit(np.array([at]))[0])


def distance(x: F32) -> F64:
    """1 - x of cosines, 0 at least."""
    return np.maximum(1.0 - x.astype(np.float64), 0.0)


def exact(chosen: F32) -> F64:
    """f64[1]: the definition for rows f32[k, d]."""
    return np.array([np.triu(distances(chosen), 1).sum()])


EXAMPLES = (MaxSumDispersion(), MaxSumDispersion("vec2"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: greedy's sum of distances for 4 rows of 14 over the best."""
    shares = np.empty(20 * scale)
    sets = np.array(list(combinations(range(14), 4)))
    for i in range(len(shares)):
        rows = (rng.normal(size=(14, 4)) + rng.normal(size=4)).astype(np.float32)
        pool, far = Pool.of({"vec": Vectors(rows)}), distances(rows)
        best = sum(far[sets[:, a], sets[:, b]] for a, b in combinations(range(4), 2)).max()
        built = alone(MaxSumDispersion().build(pool))
        shares[i] = exact(rows[climb(built, 4)])[0] / best
    return shares


CLAIM = Claim(
    paper="Borodin, Lee & Ye 2012",
    says="greedy reaches at least half of the largest sum of distances",
    we_show="four rows of fourteen, against all fours",
    not_shown="the bound beside a submodular part; how tight it is",
    measure=claim,
    margin=0.5,
)
