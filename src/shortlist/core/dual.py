"""A bound by prices: what is to be covered is paid for once, and rows compete for what that leaves.

For f(S) = sum over t of weight[t] max(0, max over s in S of a[s, t] - base[t]) and any prices p >= base

    f(O) <= sum over t of weight[t] (p[t] - base[t]) + sum over o in O of gains(o | p),

where gains(o | p) = sum over t of weight[t] max(0, a[o, t] - p[t]) are the gains in a state that covers p.
What a state on the way covers is one such p, and gives the bound of Nemhauser, Wolsey and Fisher 1978. The
least over all p is the Lagrangian dual of plant location (Cornuejols, Fisher and Nemhauser 1977,
doi:10.1287/mnsc.23.8.789). It is looked for by averaged subgradients (Barahona and Anbil 2000,
doi:10.1007/s101070050002); every p gives a bound, so the search may stop after a few rounds.

Start: each chosen row gives up what it alone covers until it keeps what the last pick gained. In an optimum
of the dual all chosen rows are worth the same to whoever owns their places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.contracts import Built, Limits, Priced, Row, Summed
from shortlist.core.fill import filling

#: Prices tried, each of which takes a gain of every row; steps of the search for what a row gives up.
ROUNDS, HALVINGS = 16, 24
#: A step aims at this part of the gap; at LESS of it after BAD rounds that were no better; and the weight of
#: the newest round in the averaged slope.
AIM, LESS, BAD, NEWEST = 0.5, 0.66, 4, 0.3
#: A gap of this share of the bound is small enough.
ENOUGH = 0.01
#: A cost below this counts as this.
TINY = 1e-12


def priced(built: Built, limits: Limits, before: Any, after: Any, at: I64, parts: F64) -> float:
    """An upper bound of what any feasible choice gains; infinite where no part of the objective has prices.

    Args:
        built, limits: of the run; the objective is submodular.
        before, after: its states with what was shown, and with the choice besides.
        at: i64[k], the choice. parts: f64[k, T], what each row of it added.
    """
    leaves = list(_leaves(built, 1.0, before, after, 0))
    gains = parts.sum(axis=1)
    if not has_prices(built) or not (gains > 0).any():
        return np.inf
    market = _Market.over(leaves, limits, len(built))
    total = float(gains.sum())
    high, prices, counts = min(
        (market.ask(market.opening(at, level)) for level in market.levels(at, gains)),
        key=lambda found: found[0],
    )
    for leaf in leaves:
        if leaf.part.monotone and not isinstance(leaf.part, Priced):
            high = market.swapped(leaf, at, parts, prices, high)
    slopes, aim, bad = [1.0 - c for c in counts], AIM, 0
    for _ in range(ROUNDS - 1):
        if high - total <= ENOUGH * high:
            break
        prices = market.stepped(prices, slopes, aim * (high - total))
        value, prices, counts = market.ask(prices)
        bad = 0 if value < high else bad + 1
        high = min(high, value)
        if bad == BAD:
            aim, bad = aim * LESS, 0
        for slope, count in zip(slopes, counts, strict=True):
            slope += NEWEST * (1.0 - count - slope)
    return high


def has_prices(built: Built) -> bool:
    """Whether `priced` can say anything."""
    if isinstance(built, Summed):
        return any(has_prices(part) for _, part in built.summands())
    return isinstance(built, Priced)


@dataclass(frozen=True, slots=True, eq=False)
class _Leaf:
    """A part of the objective that is no sum: its share, its states, its first term among all."""

    part: Built
    share: float
    before: Any
    after: Any
    term: int


def _leaves(built: Built, share: float, before: Any, after: Any, term: int) -> Iterator[_Leaf]:
    if not isinstance(built, Summed):
        yield _Leaf(built, share, before, after, term)
        return
    for (weight, part), b, a in zip(built.summands(), before, after, strict=True):
        yield from _leaves(part, share * weight, b, a, term)
        term += len(part.terms)


@dataclass(frozen=True, slots=True, eq=False)
class _Goods:
    """What a part covers: weight f64[m] as it counts in the whole, low f32[m] is covered from the start."""

    part: Priced
    share: float
    weight: F64
    low: F32


@dataclass(slots=True, eq=False)
class _Market:
    """All goods, and what the other parts add: `sure` in any case, rest f64[n] a row.

    cost f64[n]: each row's shares of the budgets, summed (None: no budget); fill: an order as allowed.
    """

    limits: Limits
    goods: list[_Goods]
    rest: F64
    cost: F64 | None
    fill: Callable[[I64], I64]
    sure: float = 0.0

    @classmethod
    def over(cls, leaves: list[_Leaf], limits: Limits, n: int) -> _Market:
        """The parts without prices as they stand before anything is chosen."""
        goods, rest = [], np.zeros(n)
        for x in leaves:
            if isinstance(x.part, Priced):
                goods.append(
                    _Goods(x.part, x.share, x.share * x.part.weight, x.part.covered(limits.shown)[0])
                )
            else:
                rest += x.share * x.part.gains(x.before, np.arange(n)).sum(axis=1)
        return cls(limits, goods, rest, shares(limits.rows, n), filling(limits))

    def levels(self, at: I64, gains: F64) -> list[F64]:
        """f64[k] each: what chosen rows may be worth to who owns their places: alike, by cost, half each."""
        level = np.full(len(at), gains[gains > 0].min())
        if self.cost is None or not (self.cost[at] > 0).any():
            return [level]
        cost = self.cost[at]
        sold = (cost > 0) & (gains > 0)
        by_cost = cost * float((gains[sold] / cost[sold]).min(initial=np.inf)) if sold.any() else level
        return [level, by_cost, (level + by_cost) / 2]

    def opening(self, at: I64, level: F64) -> list[F32]:
        """Prices under which each chosen row keeps its level f64[k], as far as it alone covers so much."""
        keeps = np.maximum(level - self.rest[at], 0.0) / len(self.goods)
        return [_given_up(g, np.concatenate([self.limits.shown, at]), len(at), keeps) for g in self.goods]

    def ask(self, prices: list[F32]) -> tuple[float, list[F32], list[F64]]:
        """The bound, the prices as the parts hold them, and how often the best rows pass each price."""
        worth, gains, every, held = self.sure, self.rest.copy(), np.arange(len(self.rest)), []
        for g, price in zip(self.goods, prices, strict=True):
            state, price = g.part.at_prices(price)
            gains += g.share * g.part.gains(state, every).sum(axis=1)
            worth += float(((price.astype(np.float64) - g.low) * g.weight).sum())
            held.append(price)
        gains[self.limits.shown] = 0.0
        np.maximum(gains, 0.0, out=gains)
        best = self.best(gains)
        counts = [g.part.passing(p, best).astype(np.float64) for g, p in zip(self.goods, held, strict=True)]
        return worth + self.limits.upper(gains, self.limits.start()), held, counts

    def best(self, gains: F64) -> I64:
        """Rows of a large sum of gains; within budgets those worth more than their cost at a common price."""
        left = gains
        if self.cost is not None:
            low, high = 0.0, float((gains / np.maximum(self.cost, TINY)).max(initial=0.0))
            for _ in range(HALVINGS):
                rate = (low + high) / 2
                left = gains - rate * self.cost
                taken = np.flatnonzero(left > 0)
                if len(taken) > self.limits.k:
                    taken = taken[np.argpartition(-left[taken], self.limits.k)[: self.limits.k]]
                low, high = (rate, high) if self.cost[taken].sum() > 1.0 else (low, rate)
        worth = np.flatnonzero(left > 0)
        return self.fill(worth[np.argsort(-left[worth], kind="stable")])

    def swapped(self, leaf: _Leaf, at: I64, parts: F64, prices: list[F32], high: float) -> float:
        """The bound, with a part without prices as it stands after the choice if that lowers it."""
        sure, rest = self.sure, self.rest
        every = np.arange(len(rest))
        after = leaf.share * leaf.part.gains(leaf.after, every).sum(axis=1)
        after[at] = 0.0
        self.sure = sure + float(parts[:, leaf.term : leaf.term + len(leaf.part.terms)].sum())
        self.rest = rest - leaf.share * leaf.part.gains(leaf.before, every).sum(axis=1) + after
        value = self.ask(prices)[0]
        if value < high:
            return value
        self.sure, self.rest = sure, rest
        return high

    def stepped(self, prices: list[F32], slopes: list[F64], gap: float) -> list[F32]:
        """Prices one step down the slopes, so long that the bound would fall by `gap` if they went on."""
        down = [
            np.where((p <= g.low) & (s > 0), 0.0, s)
            for g, p, s in zip(self.goods, prices, slopes, strict=True)
        ]
        steep = sum(float((g.weight * d * d).sum()) for g, d in zip(self.goods, down, strict=True))
        step = gap / steep if steep > 0 else 0.0
        return [
            np.maximum(p - step * d, g.low).astype(np.float32)
            for g, p, d in zip(self.goods, prices, down, strict=True)
        ]


def shares(rows: Sequence[Row], n: int) -> F64 | None:
    """f64[n]: each row's shares of the budgets, summed; None without a budget."""
    budgets = [r for r in rows if r.kind == "knapsack" and 0 < r.high < np.inf]
    total = np.zeros(n)
    for row in budgets:
        total[slice(None) if row.at is None else row.at] += (
            1.0 if row.weight is None else row.weight
        ) / row.high
    return total if budgets else None


def _given_up(g: _Goods, at: I64, k: int, keeps: F64) -> F32:
    """f32[m]: what `at` covers, less what each of the last k rows gives up of what it alone covers."""
    best, second, whose = g.part.covered(at)
    whose = whose - (len(at) - k)
    own = np.flatnonzero((whose >= 0) & (best > second))
    whose, gap, weight = whose[own], (best[own] - second[own]).astype(np.float64), g.weight[own]
    low, high = np.zeros(k), np.full(k, gap.max(initial=0.0))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        kept = np.bincount(whose, weight * np.minimum(gap, middle[whose]), minlength=k)
        low, high = np.where(kept < keeps, middle, low), np.where(kept < keeps, high, middle)
    price = best.copy()
    price[own] = np.maximum(best[own] - np.minimum(gap, high[whose]), g.low[own])
    return price
