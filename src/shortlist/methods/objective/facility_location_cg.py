"""Coverage of what is not covered yet (FLCG): the pool, beyond what a private or seen set stands for already.

    f(S) = mean over represented rows u of max(0, max over s in S of c(u, s) - nu max over p in P of c(u, p)),
    c the cosine, 0 where negative, P the rows of the group `away`

Source: Iyer, Khargoankar, Bilmes & Asanani 2021, "Submodular combinatorial information measures with
applications in machine learning", ALT, arXiv:2006.15412 (conditional gain of facility location); with nu:
PRISM 2022, arXiv:2103.00128 (FLCG).
Deviates: a mean instead of a sum; `represent=m` puts a seeded sample of m rows in the place of all rows. A
    group without rows leaves plain facility location. Private rows are candidates: keep them out of the
    choice with `Quota('split', at_most={'seen': 0})`.
Cost: 2 n (|P| + m) d flops to build for m represented rows (half of it when all are), then O(entries a row).
Memory: 14 bytes for each cosine that lies above its row's floor, nu max c(u, p): few where P stands for much
    of the pool, up to half of n m where it stands for nothing. `need` counts them on a sample of the rows.
Guarantee: exact, monotone, submodular: greedy reaches 1 - 1/e of the optimum under a size limit.
Use it when: there is a set already (an earlier batch, a public set, a test set to stay clear of) and the next
    choice should bring what that one lacks.
Not when: P is empty or tiny and the pool large (FacilityLocation, with neighbors), or P is what is wanted.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.members import members, named
from shortlist.core.near import TILE, Near, gains_above, near, only
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Labels, Vectors
from shortlist.core.tabled import nearest, nearest_bytes
from shortlist.methods.objective.facility_location import FacilityLocation

#: Rows and candidates on which `need` counts the cosines that will be kept.
PROBE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityLocationCG:
    """Coverage beyond a private set.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        away: the private set: 'split:seen' is the rows in group seen of the Labels or Tags signal split.
        nu: >= 0; above 1 the neighbourhood of the private set is shut wider, 0 ignores the set.
        represent: 0 covers all rows; m > 0 covers m of them, drawn with `seed`. Every row stays a candidate.
        seed: of that draw.
    """

    by: str = field(default="vec", kw_only=False)
    away: str
    nu: float = 1.0
    represent: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        named(self.away, "FacilityLocationCG: away")
        if not 0 <= self.nu < np.inf:
            raise UsageError(f"FacilityLocationCG: nu must be finite and >= 0, found {self.nu!r}")
        if self.represent < 0:
            raise UsageError(f"FacilityLocationCG: represent must be 0 or more, found {self.represent}")

    @property
    def terms(self) -> tuple[str, ...]:
        """One term."""
        return ("new_coverage",)

    def need(self, pool: Pool, k: int) -> Need:
        """What is kept, by the share found on a sample, and half as much again; the products to find it."""
        values, private = pool.signal(self.by, Vectors).values, members(pool, self.away)
        (n, d), p = values.shape, len(private)
        m = min(self.represent, n) or n
        entries = min(1.0, 1.5 * self._share(values, private) + 1 / PROBE) * n * m
        tiles = 10.0 * min(n, TILE) * min(m, TILE) + 2600.0 * (n // TILE + 1) * (m // TILE + 1)
        floors = nearest_bytes(m, p, d)
        flops = (
            2.0 * d * m * p
            + (2.0 * d * (1.0 if m < n else 0.5) + 60.0) * n * m
            + 10.0 * k * entries / max(n, 1)
        )
        copied = 4.0 * m * d if m < n else 0.0
        return Need(bytes=14.0 * entries + tiles + floors + copied + 60.0 * n, flops=flops)

    def build(self, pool: Pool) -> Plan[BuiltCG]:
        """Every cosine above what the private set has already."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        rows = self.represented(len(x))
        u = x if rows is None else only(x, rows)
        floor = yield from self._floor(u, only(x, members(pool, self.away)))
        sparse = yield from near(x, u, floor, same=rows is None)
        return BuiltCG(sparse, floor, self.terms)

    def represented(self, n: int) -> I64 | None:
        """Sorted positions of the represented rows; None: all."""
        if not 0 < self.represent < n:
            return None
        draw = generator(self.seed, "facility_location_cg", "represent")
        return np.sort(draw.choice(n, self.represent, replace=False))

    def _floor(self, u: Directions, private: Directions) -> Generator[Any, Any, F32]:
        most = yield from nearest(u, private)
        return (self.nu * most.astype(np.float64)).astype(np.float32)

    def _share(self, values: F32, private: I64) -> float:
        """The share of cosines above their floor, among some rows at equal steps."""
        some = np.unique(np.linspace(0, max(len(values) - 1, 0), min(PROBE, len(values))).astype(np.int64))
        x = Directions.of(values[some])
        floor = alone(self._floor(x, Directions.of(values[private])))
        return float((x.unit(slice(None)) @ x.unit(slice(None)).T > floor).mean()) if len(some) else 0.0

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision."""
        values = pool.signal(self.by, Vectors).values
        rows = self.represented(len(values))
        u = values if rows is None else values[rows]
        return exact(u, values[at], values[members(pool, self.away)], self.nu)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltCG:
    """Cosines above the floors f32[m], by candidate. State: f32[m], covered, from the floors up."""

    near: Near
    floor: F32
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.near.indptr) - 1

    def start(self) -> F32:
        """What the private set covers."""
        return self.floor

    def gains(self, state: F32, at: I64) -> F64:
        """f64[b, 1]: what each row has above the cover."""
        return (gains_above(self.near, state, at) / max(len(self.floor), 1))[:, None]

    def add(self, state: F32, at: int) -> F32:
        """The cover with one more row."""
        entries = slice(*self.near.indptr[at : at + 2])
        covered, rows = state.copy(), self.near.indices[entries]
        covered[rows] = np.maximum(covered[rows], self.near.data[entries])
        return covered


def exact(represented: F32, chosen: F32, private: F32, nu: float) -> F64:
    """f64[1]: mean over rows f32[m, d] of what f32[k, d] cover above nu times what f32[p, d] cover."""
    units = []
    for v in (represented, chosen, private):
        x = v.astype(np.float64)
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        units.append(x / np.where(norm > 0, norm, 1.0))
    u, s, p = units
    if not len(u):
        return np.zeros(1)
    covered, floor = ((u @ y.T).max(axis=1, initial=0.0) for y in (s, p))
    return np.array([np.maximum(covered - nu * floor, 0.0).mean()])


EXAMPLES = (
    FacilityLocationCG(away="label:a"),
    FacilityLocationCG("vec2", away="tags:b", nu=0.5, represent=3, seed=1),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of 6 of 300 rows in the 5 of 10 clusters of the private set: plain coverage less ours."""
    margins = np.empty(10 * scale)
    for i in range(len(margins)):
        cluster = rng.integers(0, 10, 300)
        rows = rng.normal(size=(10, 16))[cluster] + rng.normal(size=(300, 16)) * 0.3
        split = np.where((cluster < 5) & (rng.random(300) < 0.3), 1, 0).astype(np.int32)
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "seen"))})
        forms = (FacilityLocation(), FacilityLocationCG(away="split:seen"))
        plain, ours = (cluster[climb(alone(f.build(pool), pool), 6)] for f in forms)
        margins[i] = (plain < 5).mean() - (ours < 5).mean()
    return margins


CLAIM = Claim(
    paper="Iyer et al. 2021",
    says="conditional gain turns a choice away from what the private set has",
    we_show="six rows of ten clusters keep clear of the private set's five, where plain coverage does not",
    not_shown="that nothing about the private set can be told from the choice",
    measure=claim,
    margin=0.3,
)
