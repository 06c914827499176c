"""Targeted coverage (FLVMI): the pool is to be covered, but each row only as far as the query has it.

    f(S) = mean over rows u of min(max over s in S of c(u, s), eta max over q in Q of c(u, q)),
    c the cosine, 0 where negative, Q the rows of the group `toward`

Source: Iyer, Khargoankar, Bilmes & Asanani 2021, "Submodular combinatorial information measures with
applications in machine learning", ALT, arXiv:2006.15412 (facility location mutual information); with eta:
PRISM 2022, arXiv:2103.00128 (FLVMI). submodlib calls it FacilityLocationMutualInformation.
Deviates: a mean instead of a sum. `represent=m` draws m rows u with chances that go with their cap, eta max
    c(u, q), from one random start at equal steps; each then counts the mean cap times the share of its own
    cap that is reached, so that f is estimated without bias. A group without rows makes it zero. Rows of
    the query are candidates: keep them out with `Quota('split', at_most={'dev': 0})`.
Cost: 2 n (|Q| + m) d flops to build for m represented rows, O(m) a gain.
Memory: 4 n m bytes, where m is at most the rows that have a cosine above 0 with the query; 64 MiB to build.
    Beyond some ten thousand rows give `represent`.
Guarantee: exact, monotone, submodular: greedy reaches 1 - 1/e of the optimum under a size limit.
Use it when: the part of the pool that is like the query should be covered evenly.
Not when: every row of the query must be served (FacilityLocationQueryMI): this one is soon saturated, and
    where all is covered as far as the query reaches, any row will do.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.members import members, named
from shortlist.core.near import cosines, only
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Labels, Vectors
from shortlist.core.tabled import nearest, nearest_bytes, over, table_bytes
from shortlist.methods.objective.facility_location import FacilityLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityLocationMI:
    """Coverage of the pool as far as the query covers it.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        toward: the query: 'split:dev' is the rows in group dev of the Labels or Tags signal split.
        eta: > 0; the larger, the less a row of the pool is cut down to its likeness to the query.
        represent: 0 covers all rows; m > 0 covers m of them, drawn with `seed`. Every row stays a candidate.
        seed: of that draw.
    """

    by: str = field(default="vec", kw_only=False)
    toward: str
    eta: float = 1.0
    represent: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        named(self.toward, "FacilityLocationMI: toward")
        if not 0 < self.eta < np.inf:
            raise UsageError(f"FacilityLocationMI: eta must be finite and > 0, found {self.eta!r}")
        if self.represent < 0:
            raise UsageError(f"FacilityLocationMI: represent must be 0 or more, found {self.represent}")

    @property
    def terms(self) -> tuple[str, ...]:
        """One term."""
        return ("targeted_coverage",)

    def need(self, pool: Pool, k: int) -> Need:
        """Cosines with the query, then those kept; about eight passes over them, and a tenth a pick."""
        (n, d), q = pool.signal(self.by, Vectors).values.shape, len(members(pool, self.toward))
        m = (self.represent or n) if q else 0
        passes = 200.0 * (8.0 + 0.1 * k)
        kept = table_bytes(n, m, d) + nearest_bytes(n, q, d)
        return Need(bytes=kept + 60.0 * n, flops=2.0 * d * n * q + (2.0 * d + passes) * n * m)

    def build(self, pool: Pool) -> Plan[BuiltMI]:
        """First the caps, then the cosines of every row with every represented one, cut to its cap."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        drawn = yield from self.represented(x, members(pool, self.toward))
        cap = drawn.cap.astype(np.float32)
        table = yield from cosines(x, only(x, drawn.at), np.zeros(len(cap), np.float32), cap)
        if drawn.alike:
            table /= cap
        return BuiltMI(table, drawn.weight, self.terms)

    def represented(self, x: Directions, query: I64) -> Generator[Any, Any, Represented]:
        """Which rows are covered, how far, and what each is worth."""
        caps = yield from nearest(x, only(x, query))
        cap, n = self.eta * caps.astype(np.float64), max(len(x), 1)
        some = np.flatnonzero(cap > 0)
        if not 0 < self.represent < len(some):
            return Represented(some, cap[some], 1 / n, False)
        start = generator(self.seed, "facility_location_mi", "represent").random()
        ends = np.cumsum(cap[some])
        steps = (start + np.arange(self.represent)) * (ends[-1] / self.represent)
        at = some[np.minimum(np.searchsorted(ends, steps, side="right"), len(some) - 1)]
        return Represented(at, cap[at], float(ends[-1]) / n / self.represent, True)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision, one represented row after the other."""
        values = pool.signal(self.by, Vectors).values
        drawn = alone(self.represented(Directions.of(values), members(pool, self.toward)))
        return exact(values[drawn.at], values[at], drawn.cap, drawn.weight, drawn.alike)


class Represented(NamedTuple):
    """Positions i64[m], caps f64[m], the weight of each, and whether they count by the share of their cap."""

    at: I64
    cap: F64
    weight: float
    alike: bool


@dataclass(frozen=True, slots=True, eq=False)
class BuiltMI:
    """table f32[n, m] >= 0: cosines with the represented rows, cut to their caps. State: f32[m], covered."""

    table: F32
    weight: float
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.table)

    def start(self) -> F32:
        """Nothing covered."""
        return np.zeros(self.table.shape[1], np.float32)

    def gains(self, state: F32, at: I64) -> F64:
        """f64[b, 1]: what each row has above the cover."""
        return (over(self.table, state, at) * self.weight)[:, None]

    def add(self, state: F32, at: int) -> F32:
        """The cover with one more row."""
        covered: F32 = np.maximum(state, self.table[at])
        return covered


def exact(represented: F32, chosen: F32, cap: F64, weight: float, alike: bool) -> F64:
    """f64[1]: sum over rows f32[m, d] of min(largest cosine with one of f32[k, d], cap), weighted."""
    sides = [v.astype(np.float64) for v in (represented, chosen)]
    norms = [np.linalg.norm(v, axis=1, keepdims=True) for v in sides]
    u, s = (v / np.where(norm > 0, norm, 1.0) for v, norm in zip(sides, norms, strict=True))
    total = 0.0
    for row, most in zip(u, cap, strict=True):
        reached = min(float((s @ row).max(initial=0.0)), float(most))
        total += reached / float(most) if alike else reached
    return np.array([total * weight])


EXAMPLES = (
    FacilityLocationMI(toward="label:a"),
    FacilityLocationMI("vec2", toward="tags:b", eta=0.5, represent=3, seed=1),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of 8 of 300 rows in the 3 of 10 clusters the query has, less that of plain coverage."""
    margins = np.empty(10 * scale)
    for i in range(len(margins)):
        cluster = rng.integers(0, 10, 300)
        rows = rng.normal(size=(10, 16))[cluster] + rng.normal(size=(300, 16)) * 0.3
        split = np.zeros(300, np.int32)
        split[np.flatnonzero(cluster < 3)[:9]] = 1
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "dev"))})
        forms = (FacilityLocationMI(toward="split:dev"), FacilityLocation())
        ours, plain = (cluster[climb(alone(f.build(pool), pool), 8)] for f in forms)
        margins[i] = (ours < 3).mean() - (plain < 3).mean()
    return margins


CLAIM = Claim(
    paper="Iyer et al. 2021",
    says="mutual information with a query turns coverage toward what is like the query",
    we_show="eight rows of ten clusters are of the query's three far more often than those of plain coverage",
    not_shown="how it compares with other targeted functions on their data",
    measure=claim,
    margin=0.2,
)
