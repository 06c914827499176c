"""Targeted choice (FLQMI): every query row wants a chosen row near, every chosen row is to be near the query.

    f(S) = 1/|Q| (sum over q in Q of max over s in S of c(q, s) + eta sum over s in S of max over q in Q of
    c(s, q)), c the cosine, 0 where negative, Q the rows of the group `toward`

Source: Kothawade, Kaushal, Ramakrishnan, Bilmes & Iyer 2022, "PRISM: A Rich Class of Parameterized Submodular
Information Measures for Guided Data Subset Selection", AAAI, arXiv:2103.00128 (FLQMI); the measures:
Iyer, Khargoankar, Bilmes & Asanani 2021, ALT, arXiv:2006.15412. submodlib calls it
FacilityLocationVariantMutualInformation.
Deviates: divided by |Q|, which changes no choice. Its two sums are two terms. A group without rows makes it
    zero. Rows of the query are candidates like any other, and the best there are: keep them out of the
    choice with `Quota('split', at_most={'dev': 0})`.
Cost: 2 n |Q| d flops to build, O(|Q|) a gain.
Memory: 4 n |Q| bytes, 64 MiB to build; never n x n.
Guarantee: exact, monotone, submodular: greedy reaches 1 - 1/e of the optimum under a size limit.
Use it when: some rows show what is wanted (a dev set, a failing slice) and all of them should be served.
Not when: the choice must also stand for the pool (add FacilityLocation with Sum), or one target is a vector
    and repeats do no harm (GraphCutMI).
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
from shortlist.core.signals import Labels, Vectors
from shortlist.core.tabled import over, table_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityLocationQueryMI:
    """Nearness of the query to the choice, and of the choice to the query.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        toward: the query: 'split:dev' is the rows in group dev of the Labels or Tags signal split.
        eta: >= 0, the weight of a row's own nearness; 0 counts only how well the query is covered.
    """

    by: str = field(default="vec", kw_only=False)
    toward: str
    eta: float = 1.0

    def __post_init__(self) -> None:
        named(self.toward, "FacilityLocationQueryMI: toward")
        if not 0 <= self.eta < np.inf:
            raise UsageError(f"FacilityLocationQueryMI: eta must be finite and >= 0, found {self.eta!r}")

    @property
    def terms(self) -> tuple[str, ...]:
        """The two sums."""
        return ("query_coverage", "query_relevance")

    def need(self, pool: Pool, k: int) -> Need:
        """All cosines with the query; about eight passes over them to choose, and a tenth of one a pick."""
        (n, d), q = pool.signal(self.by, Vectors).values.shape, len(members(pool, self.toward))
        passes = 200.0 * (8.0 + 0.1 * k)
        return Need(bytes=table_bytes(n, q, d) + 40.0 * n, flops=(2.0 * d + passes) * n * q)

    def build(self, pool: Pool) -> Plan[BuiltQueryMI]:
        """The cosines of every row with every row of the query."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        query = only(x, members(pool, self.toward))
        m = len(query)
        low, high = np.zeros(m, np.float32), np.full(m, np.inf, np.float32)
        table = yield from cosines(x, query, low, high)
        nearest = table.max(axis=1, initial=0.0).astype(np.float64)
        return BuiltQueryMI(table, nearest * (self.eta / max(m, 1)), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[2]: the definition in double precision."""
        values = pool.signal(self.by, Vectors).values
        return exact(values[at], values[members(pool, self.toward)], self.eta)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltQueryMI:
    """table f32[n, q] >= 0: cosines with the query; own f64[n]: the second term. State: f32[q], covered."""

    table: F32
    own: F64
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
        """f64[b, 2]: what each row has above the cover, and its own nearness."""
        return np.stack([over(self.table, state, at) / max(len(state), 1), self.own[at]], axis=1)

    def add(self, state: F32, at: int) -> F32:
        """The cover with one more row."""
        covered: F32 = np.maximum(state, self.table[at])
        return covered


def exact(chosen: F32, query: F32, eta: float) -> F64:
    """f64[2]: the two sums over rows f32[k, d] and f32[q, d], divided by q."""
    sides = [v.astype(np.float64) for v in (chosen, query)]
    norms = [np.linalg.norm(v, axis=1, keepdims=True) for v in sides]
    a, b = (v / np.where(norm > 0, norm, 1.0) for v, norm in zip(sides, norms, strict=True))
    c = np.maximum(a @ b.T, 0.0)
    both = np.array([c.max(axis=0, initial=0.0).sum(), eta * c.max(axis=1, initial=0.0).sum()])
    return both / max(len(b), 1)


EXAMPLES = (
    FacilityLocationQueryMI(toward="label:a"),
    FacilityLocationQueryMI("vec2", toward="tags:b", eta=0.5),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of 10 of 300 rows in the query's 2 of 10 clusters, 0 unless both are there, less 0.2."""
    margins = np.empty(10 * scale)
    for i in range(len(margins)):
        cluster = rng.integers(0, 10, 300)
        rows = rng.normal(size=(10, 16))[cluster] + rng.normal(size=(300, 16)) * 0.3
        wanted = np.flatnonzero(cluster < 2)[:6]
        split = np.zeros(300, np.int32)
        split[wanted] = 1
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "dev"))})
        chosen = cluster[climb(alone(FacilityLocationQueryMI(toward="split:dev").build(pool)), 10)]
        both = len(np.unique(cluster[wanted])) == len(np.unique(chosen[chosen < 2]))
        margins[i] = (chosen < 2).mean() * both - 0.2
    return margins


CLAIM = Claim(
    paper="Kothawade et al. 2022",
    says="FLQMI finds rows like the query, and covers the query",
    we_show="of rows in ten clusters nearly all chosen are of the query's two, and both are there",
    not_shown="the accuracy gains of training on the rows chosen",
    measure=claim,
    margin=0.7,
)
