"""Farthest first: each row counts for its distance to the nearest row chosen before it.

    gain of x after S = min over s in S of (1 - cos(x, s)); 2, the largest distance there is, after nobody

Source: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance",
doi:10.1016/0304-3975(85)90224-5 (farthest-first traversal); as max-min dispersion: Ravi, Rosenkrantz & Tayi
    1994, doi:10.1287/opre.42.2.299.
Deviates: what they maximise, the least distance within the choice, is no sum of gains. `value` is the sum of
    the gains along the order of choice instead (`at` is read in that order), whose last term is that least
    distance when greedy chose. Distance is 1 - cosine: half the squared chord between unit vectors, so the
    order is that of the chord, a metric. A zero vector is at 1 from everything.
Cost: O(d) a row and chosen row, paid only for rows a solver asks for: O(n k d) under plain greedy.
Memory: 16 n bytes a state and 4 k d for the chosen vectors; never n x n, never n x k.
Guarantee: under a size limit, greedy's least chord is at least half of the best, its least 1 - cosine a
    quarter. Not a set function: gains depend on the order and only fall, so lazy solvers are right about it;
    `monotone` says no, because bounds that solvers take from it hold of set functions alone.
Use it when: no two chosen rows may be alike, corners and oddities wanted: a first labelled batch, a test
    suite.
Not when: outliers are noise (it takes them first), or the pool should be covered by weight
    (FacilityLocation).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxMinDispersion:
    """`by` names a Vectors signal; gain = distance to the nearest chosen row, in [0, 2]."""

    by: str = field(default="vec", kw_only=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("distance",)

    def need(self, pool: Pool, k: int) -> Need:
        """Two states, the chosen vectors, and each row against each chosen row at worst."""
        n, d = pool.signal(self.by, Vectors).values.shape
        return Need(bytes=52.0 * n + 4.0 * k * d, flops=2.0 * n * k * d)

    def build(self, pool: Pool) -> Plan[BuiltMaxMin]:
        """Norms of the vectors of this pool."""
        yield from ()
        return BuiltMaxMin(Directions.of(pool.signal(self.by, Vectors).values), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, for rows chosen in this order."""
        return exact(pool.signal(self.by, Vectors).values[at])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltMaxMin:
    """Bound to n rows. State: each row's largest cosine with a chosen row (-1 at first), caught up when
    asked."""

    rows: Directions
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def start(self) -> Met:
        """Nobody is chosen: as far as can be."""
        return Met.nothing(np.full(len(self.rows), -1.0))

    def gains(self, state: Met, at: I64) -> F64:
        """f64[b, 1] >= 0: the distances."""
        return np.maximum(1.0 - state.fold(self.rows, at, np.maximum, as_float64), 0.0)[:, None]

    def add(self, state: Met, at: int) -> Met:
        """One more row to keep away from."""
        return state.and_then(self.rows.unit(np.array([at]))[0])


def as_float64(x: F32) -> F64:
    """The same numbers."""
    return x.astype(np.float64)


def distances(rows: F32) -> F64:
    """f64[k, k]: 1 - cosine between rows f32[k, d], 0 at least, in double precision."""
    x = rows.astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    x = x / np.where(norm > 0, norm, 1.0)
    return np.maximum(1.0 - x @ x.T, 0.0)


def exact(chosen: F32) -> F64:
    """f64[1]: 2 for the first of rows f32[k, d], then the least distance of each to one before it."""
    far = distances(chosen)
    return np.array([sum((float(far[i, :i].min(initial=2.0)) for i in range(len(far))), 0.0)])


EXAMPLES = (MaxMinDispersion(), MaxMinDispersion("vec2"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the least chord of 4 rows of 14, over that of the best 4 that hold the first row."""
    shares = np.empty(10 * scale)
    sets = np.array([(0, *rest) for rest in combinations(range(1, 14), 3)])
    for i in range(len(shares)):
        rows = (rng.normal(size=(14, 3)) + rng.normal(size=3)).astype(np.float32)
        chord = np.sqrt(2 * distances(rows))
        pairs = np.stack([chord[sets[:, a], sets[:, b]] for a, b in combinations(range(4), 2)])
        chosen = climb(alone(MaxMinDispersion().build(Pool.of({"vec": Vectors(rows)}))), 4)
        ours = min(float(chord[a, b]) for a, b in combinations(chosen, 2))
        shares[i] = ours / float(pairs.min(axis=0).max())
    return shares


CLAIM = Claim(
    paper="Ravi, Rosenkrantz & Tayi 1994",
    says="farthest first keeps the least distance at half of the best, or more",
    we_show="four rows of fourteen, against all fours with the same first row",
    not_shown="that no polynomial algorithm does better",
    measure=claim,
    margin=0.5,
)
