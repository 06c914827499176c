"""Likeness to a query (GCMI): each chosen row counts for its mean similarity to the query, nothing else.

    f(S) = sum over s in S of mean over q in Q of (1 + cos(s, q)) / 2, Q the rows of the group `toward`

Source: Iyer, Khargoankar, Bilmes & Asanani 2021, "Submodular combinatorial information measures with
applications in machine learning", ALT, arXiv:2006.15412 (graph cut mutual information, 2 lambda times the
sum); PRISM 2022, arXiv:2103.00128 (GCMI).
Deviates: a mean over Q, without 2 lambda, which changes no choice. Similarity is (1 + cos) / 2, in [0, 1] as
    the paper asks, which makes the sum over Q one product with the sum of Q. A group without rows makes it
    zero. Rows of the query are candidates: keep them out with `Quota('split', at_most={'dev': 0})`.
Cost: O(n d) to build, O(1) a gain.
Memory: 8 n bytes.
Guarantee: exact, modular: greedy is optimal under a size limit.
Use it when: retrieval is wanted, the rows most like the query on the whole, as a term of a Sum.
Not when: repeats do harm, or the query has several subjects: the mean serves the middle of them and leaves
    the small ones out (FacilityLocationQueryMI).
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
from shortlist.core.likeness import likeness
from shortlist.core.members import members, named
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCutMI:
    """Mean similarity to the query.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        toward: the query: 'split:dev' is the rows in group dev of the Labels or Tags signal split.
    """

    by: str = field(default="vec", kw_only=False)
    toward: str

    def __post_init__(self) -> None:
        named(self.toward, "GraphCutMI: toward")

    @property
    def terms(self) -> tuple[str, ...]:
        """One term."""
        return ("query_likeness",)

    def need(self, pool: Pool, k: int) -> Need:
        """One number a row, the query at length 1, one product a row."""
        (n, d), q = pool.signal(self.by, Vectors).values.shape, len(members(pool, self.toward))
        return Need(bytes=40.0 * n + 12.0 * q * d, flops=2.0 * n * d + 2.0 * q * d + k)

    def build(self, pool: Pool) -> Plan[BuiltLikeness]:
        """The mean similarity of each row."""
        yield from ()
        x, query = Directions.of(pool.signal(self.by, Vectors).values), members(pool, self.toward)
        worth = likeness(x, query) if len(query) else np.zeros(len(x))
        return BuiltLikeness(worth, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision."""
        values = pool.signal(self.by, Vectors).values
        return exact(values[at], values[members(pool, self.toward)])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltLikeness:
    """worth f64[n], in [0, 1]. The state is empty: a gain never depends on what was chosen."""

    worth: F64
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.worth)

    def start(self) -> None:
        """Nothing to remember."""

    def gains(self, state: None, at: I64) -> F64:  # noqa: ARG002 (the contract's)
        """f64[b, 1]: the likeness of these rows."""
        return self.worth[at][:, None]

    def add(self, state: None, at: int) -> None:
        """Nothing changes."""


def exact(chosen: F32, query: F32) -> F64:
    """f64[1]: sum over rows f32[k, d] of the mean of (1 + cos) / 2 with rows f32[q, d]."""
    sides = [v.astype(np.float64) for v in (chosen, query)]
    norms = [np.linalg.norm(v, axis=1, keepdims=True) for v in sides]
    a, b = (v / np.where(norm > 0, norm, 1.0) for v, norm in zip(sides, norms, strict=True))
    return np.array([((1 + a @ b.T) / 2).mean(axis=1).sum() if len(b) else 0.0])


EXAMPLES = (GraphCutMI(toward="label:a"), GraphCutMI("vec2", toward="tags:b"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of 10 of 300 rows in the query's one of ten clusters, less the share of that cluster."""
    margins = np.empty(20 * scale)
    for i in range(len(margins)):
        cluster = rng.integers(0, 10, 300)
        rows = rng.normal(size=(10, 16))[cluster] + rng.normal(size=(300, 16)) * 0.3
        split = np.zeros(300, np.int32)
        split[np.flatnonzero(cluster == 0)[:3]] = 1
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "dev"))})
        chosen = cluster[climb(alone(GraphCutMI(toward="split:dev").build(pool)), 10)]
        margins[i] = (chosen == 0).mean() - (cluster == 0).mean()
    return margins


CLAIM = Claim(
    paper="Iyer et al. 2021",
    says="graph cut mutual information is pure relevance to the query",
    we_show="ten rows are nearly all of the query's cluster, one of ten",
    not_shown="that relevance alone makes a good training set",
    measure=claim,
    margin=0.7,
)
