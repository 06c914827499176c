"""Sum coverage: how like the pool the chosen rows are, each row for itself.

    f(S) = sum over u in V of w_u * sum over s in S of sim(u, s)  /  sum over u in V of w_u

Source: Lin & Bilmes 2011, "A Class of Submodular Functions for Document Summarization", ACL,
https://aclanthology.org/P11-1052, sec. 4 (their coverage without saturation, alpha = 1, and the first sum of
their graph cut).
Deviates: divided by the sum of the weights, so that a row adds its mean similarity to the pool, in [0, 1];
    similarities as in GraphCut: (1 + cosine) / 2 of vectors, the mean of both directions of a graph. apricot
    has no function of this name: SumRedundancy is its sum of similarities within the choice.
Cost: vectors: 8 n d flops to build; a graph: a sort of its entries. O(1) a gain.
Memory: vectors: 24 n bytes beside one block of 8,192 rows; a graph: 96 bytes an entry to build.
Guarantee: exact, modular: greedy is optimal under a size limit.
Use it when: typical rows are wanted, beside something that keeps them apart (SumRedundancy, a quota, MMR).
Not when: alone. Nothing tells it that two chosen rows are the same; use FacilityLocation or GraphCut.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.alike import alike, dense, need, summed
from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Scores, Vectors
from shortlist.methods.objective.modular import BuiltModular


@dataclass(frozen=True, slots=True, kw_only=True)
class SumCoverage:
    """Mean similarity to the pool, summed over the chosen rows.

    Args:
        by: a Vectors signal (need not be normalised) or a Neighbors graph.
        weights: '' or a Scores or Costs signal >= 0: how much each row of the pool wants to be covered.
    """

    by: str = field(default="vec", kw_only=False)
    weights: str = ""

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("sum_coverage",)

    def need(self, pool: Pool, k: int) -> Need:
        """Sums over the pool."""
        return need(pool, self.by, k, asked=False)

    def build(self, pool: Pool) -> Plan[BuiltModular]:
        """Sum up every row's similarities to the pool."""
        weight = _weight(pool, self.weights)
        pulled = yield from alike(pool, self.by).pull(weight)
        return BuiltModular(pulled / (weight.sum() or 1.0), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision."""
        weight = _weight(pool, self.weights)
        return np.array([summed(pool, self.by, at, weight)[0] / (weight.sum() or 1.0)])


def _weight(pool: Pool, name: str) -> F64:
    """f64[n] in [0, 1], the largest 1: only ratios count, and sums of them stay finite."""
    if not name:
        return np.ones(len(pool))
    signal = pool.columns.get(name)
    if isinstance(signal, Costs):
        values = signal.values
    else:
        scores = pool.signal(name, Scores)
        values = scores.values
        if not scores.higher_is_better or values.min(initial=0.0) < 0:
            raise ContractError(
                f"SumCoverage: weights must be 0 or more and higher must mean more; {name!r} is not so"
            )
    return values / (values.max(initial=0.0) or 1.0)


def exact(similarity: F64, at: I64, weight: F64) -> F64:
    """f64[1]: the definition over similarities f64[n, n] and weights f64[n]."""
    total = sum(float(weight @ similarity[:, s]) for s in at)
    return np.array([total / (weight.sum() or 1.0)])


EXAMPLES = (SumCoverage(), SumCoverage("graph"), SumCoverage("vec2", weights="cost"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: for m pools of 60, value of greedy's 5 rows over the best of 2,000 random fives, less 1."""
    margins = np.empty(5 * scale)
    for i in range(len(margins)):
        rows = rng.normal(size=(6, 12))[rng.integers(0, 6, 60)] + rng.normal(size=(60, 12)) * 0.4
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32))})
        mean = dense(pool, "vec").mean(axis=0)
        ours = mean[climb(alone(SumCoverage().build(pool)), 5)].sum()
        margins[i] = ours / max(mean[rng.choice(60, 5, replace=False)].sum() for _ in range(2000)) - 1
    return margins


CLAIM = Claim(
    paper="Lin & Bilmes 2011",
    says="similarity to the whole is a modular function, which greedy maximises",
    we_show="greedy's rows are as near to the pool as the best of 2,000 random choices, or nearer",
    not_shown="that typical rows make a good summary: without a penalty they repeat each other",
    measure=claim,
    margin=0.0,
)
