"""Submodular order: one look at each row, in an order along which gains only fall.

    for t = (1 + eps)^i: along the order, take what gains t at least while there is room; the best S_t wins

An order is submodular if a row after all of A gains no more with A than with a part of A. Revenue of
assortments has one, descending price, and is not submodular in others.

Source: Udwani 2021, Submodular order functions and assortment optimization, arXiv:2107.02743,
    doi:10.1287/mnsc.2021.04108 (threshold augmentation, cardinality).
Deviates: thresholds start from the largest gain of a row alone, as in Sieve. Room that is left goes to other
    rows by their gain. Any limits, refused rows passed over. What must be taken is in every S_t from the
    start.
Cost: one gain a row and threshold, about log(2 k) / eps thresholds.
Memory: one state, 16 n bytes.
Guarantee: 1/2 - eps of the best choice of k rows, for monotone subadditive objectives whose order this is,
    under a size limit; for monotone submodular ones every order is. Under other limits none in advance. No
    bound is stated where the objective is not submodular. `violations` looks for what an order breaks.
Use it when: the objective is not submodular, but known to be along some signal (AssortmentRevenue by price).
    Not when: it is submodular: LazyGreedy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.covers import RandomCover
from shortlist.core.errors import UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Costs, Scores
from shortlist.core.within import retold, unordered
from shortlist.methods.solve.sieve import Sifted, joined, opened, thresholds

#: Rows asked at once while looking for the next that gains enough.
AHEAD = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmodularOrder:
    """Threshold passes along a signal.

    Args:
        of: a Scores or Costs signal; the largest comes first (of Scores the best), the lowest row on ties.
        eps: in (0, 1): distance between thresholds, and what the guarantee gives away.
    """

    of: str = field(default="price", kw_only=False)
    eps: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.eps < 1:
            raise UsageError(f"SubmodularOrder: eps must lie in (0, 1), found {self.eps!r}")

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to.

        Raises:
            ContractError: the pool has no such signal.
        """
        unordered(limits, "SubmodularOrder")
        start, order = opened(built, limits, limits.k), self.order(pool)
        order = order[~np.isin(order, np.concatenate([limits.must, limits.shown]))]
        single = built.gains(start.state, order).sum(axis=1)
        best = start
        for t in thresholds(float(single.max(initial=0.0)), start.room, self.eps):
            sieve = passed(start, built, limits, t, order)
            best = sieve if sieve.value > best.value else best
        return retold(built, limits, pool, np.array(best.taken, np.int64))

    def order(self, pool: Pool) -> I64:
        """Positions of all rows in the order in which they are looked at."""
        signal = pool.columns.get(self.of)
        if isinstance(signal, Costs):
            return np.argsort(-signal.values, kind="stable")
        return np.argsort(-pool.signal(self.of, Scores).utility(), kind="stable")


def passed(sieve: Sifted, built: Built, limits: Limits, t: float, order: I64) -> Sifted:
    """The sieve after each of the rows came by once: every gain is beside all that was taken before it."""
    while len(order) and sieve.room > 0:
        ahead = order[:AHEAD]
        gains = built.gains(sieve.state, ahead).sum(axis=1)
        good = np.flatnonzero((gains >= t) & limits.allows(sieve.held, ahead))
        if len(good):
            first = int(good[0])
            sieve = joined(sieve, built, limits, int(ahead[first]), float(gains[first]))
            order = order[first + 1 :]
        else:
            order = order[AHEAD:]
    return sieve


class Violation(NamedTuple):
    """What an order breaks: the row at position `at`, after all of these in the order, gains `more` beside
    the rows `all` than beside `some` of them."""

    at: int
    some: tuple[int, ...]
    all: tuple[int, ...]
    more: float


def violations(built: Built, order: I64, draws: int = 1000, seed: int = 0) -> list[Violation]:
    """What random sets of an order break of submodularity along it; [] is no proof that there is nothing."""
    found, rng = [], generator(seed, "submodular order")
    for _ in range(draws if len(order) > 1 else 0):
        last = int(rng.integers(1, len(order)))
        before = order[:last][rng.random(last) < rng.uniform()]
        some = before[rng.random(len(before)) < rng.uniform()]
        gains = []
        for rows in (some, before):
            state = built.start()
            for at in rows.tolist():
                state = built.add(state, at)
            gains.append(float(built.gains(state, order[last : last + 1]).sum()))
        if gains[1] > gains[0] + 1e-9 * max(1.0, abs(gains[0])):
            beside, fewer = tuple(before.tolist()), tuple(some.tolist())
            found.append(Violation(int(order[last]), fewer, beside, gains[1] - gains[0]))
    return found


def exact(built: Built, k: int, t: float, order: I64) -> list[int]:
    """One pass by its definition."""
    state, taken = built.start(), list[int]()
    for at in order.tolist():
        if len(taken) < k and built.gains(state, np.array([at])).sum() >= t:
            state = built.add(state, at)
            taken.append(at)
    return taken


EXAMPLES = (SubmodularOrder("cost"), SubmodularOrder("score", eps=0.5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the share of the best 3 of 12 rows, for m random set covers, the smallest rows first."""
    shares = np.empty(40 * scale)
    for i in range(len(shares)):
        built = RandomCover.drawn(rng, 12, 30)
        pool = Pool.of({"small": Scores(-built.covers.sum(axis=1, dtype=np.float64))})
        best = max(int(built.covers[list(at)].any(axis=0).sum()) for at in combinations(range(12), 3))
        shares[i] = SubmodularOrder("small")(built, bind(pool, (), 3), pool).total / best
    return shares


CLAIM = Claim(
    paper="Udwani 2021",
    says="threshold passes reach 1/2 - eps of the best k rows along any submodular order",
    we_show="they do on set covers, whose every order is one; on assortments by price see the tests",
    not_shown="budgets and matroids; choice models beyond the logit",
    measure=claim,
    margin=0.5 - 0.1,
)
