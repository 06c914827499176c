"""Swap: greedy's choice, then one row out and another in while that gains enough.

Source: Nemhauser, Wolsey and Fisher 1978, An analysis of approximations for maximizing submodular set
functions I, doi:10.1007/BF01588971, the interchange heuristic.
Deviates: any limits: the new row stands where the old one stood, and the choice has to check; of the rows
    that would gain enough the 16 best are asked. A pass goes through the places once and swaps at once; the
    search is settled where a pass finds nothing, and stops after `passes`. A swap has to gain more than eps
    / k of the value. What must be taken stays. Within a budget it starts from CostBenefit. A pass that does
    not pay as a whole (where the value depends on the order, as for MMR) is taken back.
Cost: a pass takes k log2 k adds twice (halves: the state without each row), and gains of the rows outside
    that could still pay: for a monotone objective those that would gain more than eps / k of the value on
    top of the choice, fewer and fewer as the halves fill. Memory: log2 k states, 8 n (T + 4) bytes for T
    terms.
Guarantee: 1 - 1/e of the best for monotone submodular objectives under a size alone, as its start has it;
    never worse than its start. Settled, with no place whose 16 best were all refused, also 1 / (2 + eps) of
    the best under one matroid. `Choice.bound` holds for the run.
Use it when: the choice is worth two to five times greedy's seconds: on real text it closed a third to a half
    of the gap that the bound leaves.
Not when: k is large and `Choice.bound` says that little is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.covers import RandomCover
from shortlist.core.errors import UsageError
from shortlist.core.exchange import without_each
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.steps import Steps
from shortlist.methods.solve.cost_benefit import CostBenefit
from shortlist.methods.solve.greedy import Greedy

#: How many rows are asked of the limits for a place.
TRIES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Greedy and swaps; `eps` > 0 scales what a swap has to gain, `passes` ends the search."""

    eps: float = field(default=0.01, kw_only=False)
    passes: int = 8

    def __post_init__(self) -> None:
        if not self.eps > 0 or self.passes < 0:
            raise UsageError("Swap: eps must be above 0 and passes at least 0")

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to."""
        start = (CostBenefit() if built.submodular else Greedy())(built, limits, pool)
        order = np.searchsorted(pool.rows, start.rows)
        better = settled(built, limits, order, self.eps, self.passes)
        if better.tolist() == order.tolist():
            return start
        return under(Steps.told(built, limits, better).choice(pool), start)


def under(choice: Choice, other: Choice) -> Choice:
    """The choice with the lower of both bounds: what none can pass does not depend on which was made."""
    if choice.bound is None or other.bound is None:
        return choice
    high = max(choice.total, min(choice.bound[1], other.bound[1]))
    return replace(choice, bound=(choice.bound[0], high))


def settled(
    built: Built, limits: Limits, order: I64, eps: float, passes: int, *, free: I64 | None = None
) -> I64:
    """The choice i64[k], in order, after swaps with rows of `free` (None: all), deletions where they gain."""
    total, outside = worth(built, limits, order), np.arange(len(built)) if free is None else free
    for _ in range(passes):
        sweep = _Sweep.over(built, limits, order, outside, eps * abs(total) / max(len(order), 1))
        after = sweep.run()
        value = worth(built, limits, after) if sweep.moves else total
        if not value > total:
            break
        order, total = after, value
    return order


def worth(built: Built, limits: Limits, order: I64) -> float:
    """What rows gain in this order."""
    state, total = built.start(), 0.0
    for at in limits.shown.tolist():
        state = built.add(state, at)
    for i, at in enumerate(order.tolist()):
        total += float(built.gains(state, order[i : i + 1]).sum())
        state = built.add(state, at)
    return total


@dataclass(slots=True, eq=False)
class _Sweep:
    """One pass. rows: the choice as it stands, -1 where one was let go; loss f64[k]: what each place gained
    on top of all others when the pass began (inf: it must stay); least: what a move has to gain.
    """

    built: Built
    limits: Limits
    rows: list[int]
    start: Any
    loss: F64
    outside: I64
    least: float
    moves: int = 0

    @classmethod
    def over(cls, built: Built, limits: Limits, order: I64, outside: I64, least: float) -> _Sweep:
        """The losses of all places, and the rows outside that may pay."""
        start, rows, fixed = built.start(), order.tolist(), set(limits.must.tolist())
        for at in limits.shown.tolist():
            start = built.add(start, at)
        outside = np.setdiff1d(outside, [*rows, *limits.shown.tolist()])
        if built.monotone and built.submodular and len(outside):
            # f(S - a + b) - f(S) <= f(S + b) - f(S): whoever gains no more on top of all pays nowhere.
            full = start
            for at in rows:
                full = built.add(full, at)
            outside = outside[built.gains(full, outside).sum(axis=1) > least]
        loss = np.full(len(rows), np.inf)
        if len(outside) or not built.monotone:
            for i, state in without_each(built, start, rows, [True] * len(rows)):
                if rows[i] not in fixed:
                    loss[i] = float(built.gains(state, order[i : i + 1]).sum())
        return cls(built, limits, rows, start, loss, outside, least)

    def run(self) -> I64:
        """The choice after the pass."""
        if self.rows:
            self._halve(self.start, 0, len(self.rows), self.outside)
        return np.array([at for at in self.rows if at >= 0], np.int64)

    def _halve(self, state: Any, low: int, high: int, outside: I64) -> None:
        """Places low to high - 1; `state` holds all others, and gains on top of it bound those later."""
        loss = float(self.loss[low:high].min())
        if high - low == 1:
            if loss < np.inf:
                self._place(state, low, outside)
            return
        if self.built.submodular and len(outside):
            gains = self.built.gains(state, outside).sum(axis=1)
            outside = outside[gains > loss + self.least]
        if not len(outside) and not loss < -self.least:
            return
        middle = (low + high) // 2
        for there, here in (((middle, high), (low, middle)), ((low, middle), (middle, high))):
            fuller = state
            for j in range(*there):
                if self.rows[j] >= 0:
                    fuller = self.built.add(fuller, self.rows[j])
            self._halve(fuller, *here, outside)

    def _place(self, state: Any, i: int, outside: I64) -> None:
        """Let the row go, or swap it for the best that may take its place."""
        now = float(self.built.gains(state, np.array(self.rows[i : i + 1])).sum())
        outside = np.setdiff1d(outside, self.rows)
        more = self.built.gains(state, outside).sum(axis=1) - now
        order = np.argsort(-more, kind="stable")[:TRIES]
        tries = [(float(more[j]), int(outside[j])) for j in order]
        if not self.built.monotone:
            tries = sorted([*tries, (-now, -1)], key=lambda t: -t[0])
        for gain, at in tries:
            if gain <= self.least:
                return
            changed = [*self.rows[:i], at, *self.rows[i + 1 :]]
            if not self.limits.check(np.array([x for x in changed if x >= 0], np.int64)):
                self.rows[i] = at
                self.moves += 1
                return


EXAMPLES = (Swap(0.05), Swap(0.5, passes=1))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: points covered more than by greedy, for m random set covers."""
    more, pool = np.empty(20 * scale), Pool(np.arange(120), {})
    for i in range(len(more)):
        built, limits = RandomCover(rng.random((120, 300)) < 0.06), bind(pool, (), 12)
        more[i] = Swap()(built, limits, pool).total - CostBenefit()(built, limits, pool).total
    return more


CLAIM = Claim(
    paper="Nemhauser, Wolsey and Fisher 1978",
    says="a choice that no swap improves reaches at least 1/2 of the best",
    we_show="from greedy's choice swaps cover more points, on random set covers",
    not_shown="the factor, which is a worst case: greedy's own is better",
    measure=claim,
    margin=0.3,
)
