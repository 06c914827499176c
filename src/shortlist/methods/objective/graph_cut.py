"""Graph cut: rows that are like the pool and unlike each other.

    f(S) = (sum over u in V, s in S of sim(u, s)  -  redundancy * sum over s, t in S of sim(s, t)) / n

The second sum is over ordered pairs, a row and itself included: another row v adds
(sum_u sim(u, v) - redundancy * (2 * sum over s in S of sim(s, v) + sim(v, v))) / n.
Equivalent to Sum((SumCoverage(by), SumRedundancy(by)), weights=(1, redundancy)) in one term.

Source: Lin & Bilmes 2011, "A Class of Submodular Functions for Document Summarization", ACL,
https://aclanthology.org/P11-1052, sec. 3; Iyer, Khargonkar, Bilmes & Asnani 2021, "Submodular Combinatorial
Information Measures", arXiv:2006.15412 (their lambda is `redundancy`).
Deviates: divided by n. Similarity of vectors is (1 + cosine) / 2, in [0, 1]: sums over the pool then take one
    product with the sum of all vectors, and greedy at a given size orders rows as plain cosines do (the
    halves are the same for every row). Cosines cut at 0 would take n x n products. A graph whose pairs
    disagree counts their mean. No `represent`: a sample of the pool would save nothing.
Cost: vectors: 8 n d flops to build, O(d) a gain however many rows are chosen. A graph: a sort of its entries
    to build, O(n) an added row, O(1) a gain.
Memory: vectors: 24 n bytes and 8 d a state, beside one block of 8,192 rows; a graph: 96 bytes an entry to
    build, 8 n a state.
Guarantee: exact, submodular. Monotone for redundancy <= 0.5: greedy then reaches 1 - 1/e of the optimum under
    a size limit. Above, gains may be negative and solvers may stop early.
Use it when: rows should be typical of the pool and you want one number to trade that for variety, on pools
    where FacilityLocation is too much work.
Not when: k is far below n / redundancy: the first sum is over n rows, the second over k, so variety hardly
    counts and the centre of the pool is picked; raise `redundancy` towards n / k or use FacilityLocation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortlist.core.alike import Alike, alike, dense, need, summed
from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCut:
    """Similarity to the pool less similarity within.

    Args:
        by: a Vectors signal (need not be normalised) or a Neighbors graph.
        redundancy: >= 0, what similarity within the choice costs; at most 0.5 for a monotone function.
    """

    by: str = field(default="vec", kw_only=False)
    redundancy: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.redundancy) and self.redundancy >= 0):
            raise UsageError(f"GraphCut: redundancy must be finite and >= 0, found {self.redundancy!r}")

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("graph_cut",)

    def need(self, pool: Pool, k: int) -> Need:
        """Sums over the pool, and each row against each chosen one at worst."""
        return need(pool, self.by, k, asked=self.redundancy > 0)

    def build(self, pool: Pool) -> Plan[BuiltCut]:
        """Sum up every row's similarities to the pool."""
        rows = alike(pool, self.by)
        pulled = yield from rows.pull(np.ones(len(pool)))
        n = max(len(pool), 1)
        worth = (pulled - self.redundancy * rows.own) / n
        return BuiltCut(rows, worth, 2 * self.redundancy / n, self.terms, self.redundancy <= 0.5)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision."""
        whole, within = summed(pool, self.by, at, np.ones(len(pool)))
        return np.array([(whole - self.redundancy * within) / max(len(pool), 1)])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltCut:
    """worth f64[n]: a row's gain alone; price: of a unit of similarity to a chosen row. State: of `rows`."""

    rows: Alike
    worth: F64
    price: float
    terms: tuple[str, ...]
    monotone: bool
    submodular: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.worth)

    def start(self) -> Any:
        """Nothing chosen."""
        return self.rows.start()

    def gains(self, state: Any, at: I64) -> F64:
        """f64[b, 1]."""
        gains = self.worth[at]
        if self.price > 0:
            gains = gains - self.price * self.rows.met(state, at)
        return (np.maximum(gains, 0.0) if self.monotone else gains)[:, None]

    def add(self, state: Any, at: int) -> Any:
        """One more row to be unlike."""
        return self.rows.add(state, at) if self.price > 0 else state


def exact(similarity: F64, at: I64, redundancy: float) -> F64:
    """f64[1]: the definition over similarities f64[n, n]."""
    within = sum(similarity[s, t] for s in at for t in at)
    return np.array([(similarity[:, at].sum() - redundancy * within) / max(len(similarity), 1)])


EXAMPLES = (
    GraphCut(),
    GraphCut("graph"),
    GraphCut("vec2", redundancy=2.0),
    GraphCut("graph", redundancy=0.9),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: for m pools of unequal clusters, the lesser of: how much nearer to the pool 12 rows are than 12
    random ones (and 0.02), how much less alike among themselves than the 12 most typical."""
    margins = np.empty(10 * scale)
    for i in range(len(margins)):
        cluster = np.minimum(rng.geometric(0.3, 200) - 1, 7)
        rows = np.eye(8)[cluster] + rng.normal(size=(200, 8)) * 0.2
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32))})
        ours, typical = (
            climb(alone(GraphCut("vec", redundancy=r).build(pool)), 12) for r in (200 / 12 / 2, 0.0)
        )
        random = rng.choice(200, 12, replace=False)
        like = dense(pool, "vec")
        nearer = like[:, ours].mean() - like[:, random].mean()
        apart = like[np.ix_(typical, typical)].mean() - like[np.ix_(ours, ours)].mean()
        margins[i] = min(nearer + 0.02, apart)
    return margins


CLAIM = Claim(
    paper="Lin & Bilmes 2011",
    says="one function trades how well a summary stands for the whole against how much it repeats itself",
    we_show="at redundancy n / 2k, 12 of 200 rows are as near to the pool as random rows (to 0.02) and less "
    "alike among themselves than the 12 most typical rows",
    not_shown="their ROUGE gains on DUC summaries",
    measure=claim,
    margin=0.0,
)
