"""Sum redundancy: what the chosen rows have in common, as a penalty.

    f(S) = -(sum over s, t in S of sim(s, t)) / n,  over ordered pairs, a row and itself included

Source: Lin & Bilmes 2011, "A Class of Submodular Functions for Document Summarization", ACL,
https://aclanthology.org/P11-1052, sec. 3 (the second sum of their graph cut; apricot's sum redundancy).
Deviates: apricot adds the constant sum over all pairs of the pool, so that values are positive; here nothing
    is worth 0, as everywhere in the house. Divided by n, so that
    Sum((SumCoverage(by), SumRedundancy(by)), weights=(1, r)) is GraphCut(by, redundancy=r). Similarities as
    in GraphCut: (1 + cosine) / 2 of vectors, the mean of both directions of a graph.
Cost: vectors: 2 n d flops to build, O(d) a gain however many rows are chosen. A graph: a sort of its entries
    to build, O(n) an added row, O(1) a gain.
Memory: vectors: 16 n bytes and 8 d a state; a graph: 96 bytes an entry to build, 8 n a state.
Guarantee: exact, submodular, falling: greedy takes the row least like the rows it has.
Use it when: a score or a coverage is there to pay for, and all pairs of the choice should count.
Not when: alone, without a least number of rows: every gain is negative and solvers stop at nothing. Nor where
    one near-copy matters more than many weak likenesses (MMR).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortlist.core.alike import Alike, alike, dense, need, summed
from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRedundancy:
    """`by` names a Vectors signal (need not be normalised) or a Neighbors graph."""

    by: str = field(default="vec", kw_only=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("sum_redundancy",)

    def need(self, pool: Pool, k: int) -> Need:
        """Each row against each chosen one at worst."""
        return need(pool, self.by, k, asked=True)

    def build(self, pool: Pool) -> Plan[BuiltRedundancy]:
        """Norms of the vectors, or the graph the same both ways."""
        yield from ()
        rows = alike(pool, self.by)
        return BuiltRedundancy(rows, rows.own, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision."""
        return np.array([0.0 - summed(pool, self.by, at, np.ones(len(pool)))[1] / max(len(pool), 1)])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltRedundancy:
    """own f64[n]: similarity of each row to itself. State: of `rows`."""

    rows: Alike
    own: F64
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.own)

    def start(self) -> Any:
        """Nothing chosen."""
        return self.rows.start()

    def gains(self, state: Any, at: I64) -> F64:
        """f64[b, 1] < 0: both ways to each chosen row, and itself."""
        return -(2.0 * self.rows.met(state, at) + self.own[at])[:, None] / len(self)

    def add(self, state: Any, at: int) -> Any:
        """One more row to be unlike."""
        return self.rows.add(state, at)


def exact(similarity: F64, at: I64) -> F64:
    """f64[1]: the definition over similarities f64[n, n]."""
    return np.array([0.0 - sum(similarity[s, t] for s in at for t in at) / max(len(similarity), 1)])


EXAMPLES = (SumRedundancy(), SumRedundancy("graph"), SumRedundancy("vec2"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: mean similarity within the least alike of 50 random tens, less that within greedy's ten."""
    margins = np.empty(10 * scale)
    for i in range(len(margins)):
        rows = rng.normal(size=(10, 16))[rng.integers(0, 10, 200)] + rng.normal(size=(200, 16)) * 0.3
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32))})
        like = dense(pool, "vec")
        ours = climb(alone(SumRedundancy().build(pool)), 10)
        draws = (rng.choice(200, 10, replace=False) for _ in range(50))
        margins[i] = min(like[np.ix_(at, at)].mean() for at in draws) - like[np.ix_(ours, ours)].mean()
    return margins


CLAIM = Claim(
    paper="Lin & Bilmes 2011",
    says="a negative sum of pairwise similarities keeps a choice from repeating itself",
    we_show="greedy's 10 of 200 rows are less alike than the best of 50 random choices",
    not_shown="their ROUGE gains on DUC summaries",
    measure=claim,
    margin=0.0,
)
