"""Revenue of an assortment: what a customer is expected to pay who may take one of the chosen rows, or none.

    f(S) = max over X in S of sum over X of price w / (1 + sum over X of w), w = exp(utility)

Source: Talluri and van Ryzin 2004, Revenue management under a general discrete choice model of consumer
    behavior, doi:10.1287/mnsc.1030.0147 (the best X are the dearest rows of S); the multinomial logit model
    is McFadden 1974, Conditional logit analysis of qualitative choice behavior.
Deviates: what is offered of S is left to X, as in Udwani 2021, arXiv:2107.02743, so that f never falls: a
    cheap row that would draw customers from dear ones is chosen, but not offered.
Cost: O(k) a gain.
Memory: 16 n bytes, and 48 k a state.
Guarantee: monotone and subadditive, not submodular: a gain may grow as others are chosen. SubmodularOrder, by
    descending price, reaches 1/2 - eps of the best k rows.
Use it when: rows are offers that compete for one customer, with prices and known or fitted utilities.
    Not when: customers differ in kind (this is one logit, not a mixture), or take many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Scores

#: Utilities beyond this are refused: exp would leave nothing for others, or overflow.
LARGEST = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssortmentRevenue:
    """Expected revenue a customer under a multinomial logit.

    Args:
        price: a Costs signal, what a row earns when it is taken.
        utility: a Scores signal; taking nothing has utility 0.
    """

    price: str = field(default="price", kw_only=False)
    utility: str = "utility"

    @property
    def terms(self) -> tuple[str, ...]:
        """One term, in the unit of the price."""
        return ("revenue",)

    def need(self, pool: Pool, k: int) -> Need:
        """Two numbers a row; k prefixes a gain."""
        return Need(bytes=16.0 * len(pool) + 48.0 * k, flops=4.0 * len(pool) * k * k)

    def build(self, pool: Pool) -> Plan[Revenue]:
        """Prices and weights of this pool.

        Raises:
            ContractError: a utility is too large for its exponential.
        """
        yield from ()
        return Revenue(*self._signals(pool))

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, with the best X found among the dearest rows."""
        price, weight = self._signals(pool)
        by = np.argsort(-price[at], kind="stable")
        return np.array([max(revenue(price[at[by[:m]]], weight[at[by[:m]]]) for m in range(len(at) + 1))])

    def _signals(self, pool: Pool) -> tuple[F64, F64]:
        utility = pool.signal(self.utility, Scores).utility()
        if len(utility) and float(np.abs(utility).max()) > LARGEST:
            raise ContractError(
                f"AssortmentRevenue: utilities must lie in [-{LARGEST:g}, {LARGEST:g}], "
                f"found {utility[np.argmax(np.abs(utility))]:g} in {self.utility!r}; scale or centre them"
            )
        return pool.signal(self.price, Costs).values, np.exp(utility)


class State(NamedTuple):
    """The chosen rows, dearest first: price f64[m], weight f64[m]; sums f64[2, m+1] of price times weight and
    of weight over the first 0..m of them; best: the largest revenue of such a beginning."""

    price: F64
    weight: F64
    sums: F64
    best: float


@dataclass(frozen=True, slots=True, eq=False)
class Revenue:
    """Bound to n rows: price f64[n] >= 0, weight f64[n] > 0."""

    price: F64
    weight: F64
    terms: tuple[str, ...] = ("revenue",)
    submodular: bool = False
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.price)

    def start(self) -> State:
        """Nothing to offer."""
        return _state(np.zeros(0), np.zeros(0))

    def gains(self, state: State, at: I64) -> F64:
        """f64[b, 1]: each row beside the dearest 0..m of the chosen, the best of it, less what is reached."""
        out = np.empty((len(at), 1))
        for a in range(0, len(at), 1024):
            price, weight = self.price[at[a : a + 1024], None], self.weight[at[a : a + 1024], None]
            beside = (state.sums[0] + price * weight) / (1.0 + state.sums[1] + weight)
            out[a : a + 1024, 0] = np.maximum(beside.max(axis=1) - state.best, 0.0)
        return out

    def add(self, state: State, at: int) -> State:
        """One row more, in its place by price."""
        place = int(np.searchsorted(-state.price, -self.price[at], side="right"))
        return _state(
            np.insert(state.price, place, self.price[at]), np.insert(state.weight, place, self.weight[at])
        )


def _state(price: F64, weight: F64) -> State:
    sums = np.zeros((2, len(price) + 1))
    np.cumsum(price * weight, out=sums[0, 1:])
    np.cumsum(weight, out=sums[1, 1:])
    return State(price, weight, sums, float((sums[0] / (1.0 + sums[1])).max()))


def revenue(price: F64, weight: F64) -> float:
    """Expected revenue where all of these rows are offered."""
    return float((price * weight).sum() / (1.0 + weight.sum()))


def exact(price: F64, weight: F64) -> float:
    """f of rows with price f64[m] and weight f64[m], over all 2^m sets of them."""
    rows = range(len(price))
    every = (list(x) for m in range(len(price) + 1) for x in combinations(rows, m))
    return max(revenue(price[x], weight[x]) for x in every)


EXAMPLES = (AssortmentRevenue("cost", utility="score"), AssortmentRevenue("tokens", utility="quality"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the revenue of the best beginning by price, less that of the best of all sets of 8 rows."""
    less = np.empty(20 * scale)
    for i in range(len(less)):
        price, utility = rng.exponential(size=8), rng.normal(0, 2, 8)
        pool = Pool.of({"price": Costs(price), "utility": Scores(utility)})
        f = AssortmentRevenue("price", utility="utility")
        built = alone(f.build(pool))
        state = built.start()
        for at in rng.permutation(8).tolist():
            state = built.add(state, at)
        less[i] = state.best - exact(price, np.exp(utility)) + 1e-12
    return less


CLAIM = Claim(
    paper="Talluri and van Ryzin 2004",
    says="under a multinomial logit the best rows to offer are the dearest ones",
    we_show="no set of 8 random rows earns more than the best beginning by price",
    not_shown="that customers choose as a logit says",
    measure=claim,
    margin=0.0,
)
