"""Redundancy penalty of maximal marginal relevance: each row pays for its nearest row chosen before it.

Source: Carbonell & Goldstein 1998, "The use of MMR, diversity-based reranking for reordering documents and
producing summaries", SIGIR, doi:10.1145/290941.291025, the second term of their criterion.
Deviates: relevance is not in here: `Sum(of=(Modular('score'), MMR('vec')), weights=(w, 1 - w))` is their MMR
    with their weight w. Cosines below 0 count as 0: an opposite is no less redundant than a stranger.
Cost: O(d) a row and chosen row, paid only for rows a solver asks for: O(n k d) under plain greedy.
Memory: 16 n bytes a state and 4 k d for the chosen vectors; never n x n, never n x k.
Guarantee: none for the total. Not a set function: what a choice pays depends on its order, so `value` reads
    `at` as the order of choice. Gains only fall as the choice grows, so lazy solvers are right about it.
Use it when: you want the classic trade of score against repetition, cheap and easy to explain.
Not when: the pool should be covered (use FacilityLocation), or a guarantee is wanted (use LogDet): a penalty
    for the nearest says nothing of regions nobody chose.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
class MMR:
    """`by` names a Vectors signal; gain = -max(0, largest cosine with a chosen row), 0 for the first row."""

    by: str = field(default="vec", kw_only=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("redundancy",)

    def need(self, pool: Pool, k: int) -> Need:
        """Two states, the chosen vectors, and each row against each chosen row at worst."""
        n, d = pool.signal(self.by, Vectors).values.shape
        return Need(bytes=44.0 * n + 4.0 * k * d, flops=2.0 * n * k * d)

    def build(self, pool: Pool) -> Plan[BuiltMMR]:
        """Norms of the vectors of this pool."""
        yield from ()
        return BuiltMMR(Directions.of(pool.signal(self.by, Vectors).values), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, for rows chosen in this order."""
        return exact(pool.signal(self.by, Vectors).values[at])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltMMR:
    """Bound to n rows. State: each row's largest cosine with a chosen row, brought up to date when asked."""

    rows: Directions
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def start(self) -> Met:
        """Nothing chosen, nothing redundant."""
        return Met.nothing(np.zeros(len(self.rows)))

    def gains(self, state: Met, at: I64) -> F64:
        """f64[b, 1] <= 0: the penalties."""
        return 0.0 - state.fold(self.rows, at, np.maximum, as_float64)[:, None]

    def add(self, state: Met, at: int) -> Met:
        """One more row to be near to."""
        return state.and_then(self.rows.unit(np.array([at]))[0])


def as_float64(x: F32) -> F64:
    """The same numbers."""
    return x.astype(np.float64)


def exact(chosen: F32) -> F64:
    """f64[1]: minus the sum, over rows f32[k, d] in order, of the largest positive cosine with one before."""
    x = chosen.astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    x = x / np.where(norm > 0, norm, 1.0)
    return np.array([0.0 - sum(max(0.0, (x[:j] @ x[j]).max()) for j in range(1, len(x)))])


EXAMPLES = (MMR(), MMR("vec2"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: mean nearest cosine within 10 random rows, less that within the 10 of MMR, for m pools."""
    margins = np.empty(20 * scale)
    for i in range(len(margins)):
        centres = rng.normal(size=(10, 16))
        rows = centres[rng.integers(0, 10, 200)] + rng.normal(size=(200, 16)) * 0.3
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32))})
        choices = (climb(alone(MMR().build(pool)), 10), rng.choice(200, 10, replace=False))
        ours, random = (float(MMR().value(pool, at)[0]) / 9 for at in choices)
        margins[i] = ours - random
    return margins


CLAIM = Claim(
    paper="Carbonell & Goldstein 1998",
    says="penalising the nearest row chosen before makes a choice less redundant",
    we_show="10 of 200 clustered rows: the mean cosine with the nearest earlier row is lower by 0.2 or more",
    not_shown="that readers prefer the summaries; their user study is small",
    measure=claim,
    margin=0.2,
)
