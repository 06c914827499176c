"""Take rows in a given order while limits allow: what random draws and top-k by a signal are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from shortlist.core.apart import Apart
from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.contracts import Built, Limits, Waiting
from shortlist.core.counts import CLOSED, State
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.ruled import Ruled
from shortlist.kernels.walk import walk

#: Rows asked about at once.
BLOCK = 1024


def fill(limits: Limits, order: I64) -> I64:
    """Positions taken, in order: first what must be, then the rows of `order` (each once) as allowed."""
    return filling(limits)(order)


def filling(limits: Limits) -> Callable[[I64], I64]:
    """`fill` under these limits, for many orders."""
    if not isinstance(limits, BoundLimits):
        return partial(exact, limits)
    if limits.ruled is None:
        return Filler.over(limits).fill
    if limits.ordered:
        return partial(exact, limits)
    return partial(_mending if limits.ruled.keeps else _beside, limits, limits.ruled)


def exact(limits: Limits, order: I64) -> I64:
    """`fill` by its definition, row by row; under rules of order each time the first row that may come."""
    if isinstance(limits, Waiting) and limits.ordered:
        return _first_allowed(limits, order)
    state = limits.start()
    taken: list[int] = []
    for x in (*limits.must.tolist(), *order.tolist()):
        if len(taken) < limits.k and limits.allows(state, np.array([x]))[0]:
            state = limits.add(state, x)
            taken.append(x)
    return np.array(taken, np.int64)


def _first_allowed(limits: Limits, order: I64) -> I64:
    state, left = limits.start(), order
    taken: list[int] = []
    while len(taken) < limits.k:
        a, step = 0, 1  # mostly one of the first may come
        while a < len(left):
            fit = np.flatnonzero(limits.allows(state, left[a : a + step]))
            if len(fit):
                break
            a, step = a + step, min(2 * step, BLOCK)
        else:
            break
        taken.append(int(left[a + fit[0]]))
        left = np.delete(left, a + fit[0])
        state = limits.add(state, taken[-1])
    return np.array(taken, np.int64)


def _beside(limits: BoundLimits, ruled: Ruled, order: I64) -> I64:
    """`exact` where nothing is kept in reserve: rows that one taken shuts out are marked, or it is seen from
    the few that are taken whether the next is too near to one of them."""
    p, costs = limits.patterns, limits.costs
    shut, room, rest = limits.first.status == CLOSED, p.high.copy(), costs.most.copy()
    near = [r for r in ruled.rules if not isinstance(r, Apart) or r.pairs is not None]
    far = [r for r in ruled.rules if isinstance(r, Apart) and r.pairs is None]
    taken = np.empty(limits.k, np.int64)
    m = 0
    for x in order.tolist():
        groups = p.groups[p.of[x]]
        if m == limits.k:
            break
        if shut[x] or (room[groups] <= 0).any() or any(r.meets(x, taken[:m]) for r in far):
            continue
        cost = np.array([c[x] for c in costs.of], np.float64)
        if (cost > rest).any():
            continue
        taken[m], shut[x] = x, True
        m += 1
        room[groups] -= 1
        rest -= cost
        for rule in near:
            shut[rule.shuts(x)] = True
    return taken[:m]


def _mending(limits: BoundLimits, ruled: Ruled, order: I64) -> I64:
    """`exact` where a reserve is kept beside rules that shut rows out: each row is asked about once."""
    state = ruled.first
    taken: list[int] = []
    for x in (*limits.must.tolist(), *order.tolist()):
        if len(taken) == limits.k:
            break
        if state.counts.status[x] != CLOSED and (after := ruled.after(state, x)) is not None:
            state = after
            taken.append(x)
    return np.array(taken, np.int64)


def told(built: Built | None, limits: Limits, pool: Pool, at: I64) -> Choice:
    """The choice of the rows at positions i64[m] in this order, with what each gained in its turn.

    Without an objective the gains are 0 and there are no terms.
    """
    if built is None:
        return Choice(pool.rows[at], np.zeros(len(at)), (), np.zeros((len(at), 0)))
    state, parts = built.start(), np.zeros((len(at), len(built.terms)))
    for x in limits.shown.tolist():
        state = built.add(state, x)
    for i, x in enumerate(at.tolist()):
        parts[i] = built.gains(state, at[i : i + 1])[0]
        state = built.add(state, x)
    return Choice(pool.rows[at], parts.sum(axis=1), built.terms, parts)


@dataclass(frozen=True, slots=True, eq=False)
class Filler:
    """Limits laid flat for many fills. Equivalent to `exact` for each.

    begun: what must be taken is taken; cuts i64[P+1], groups: the groups of each pattern; costs f64[n, J],
    of no rows where no reserve is left; keepers i64[H], held, ends i64[H+1]: that reserve.
    """

    limits: BoundLimits
    begun: State
    cuts: I64
    groups: I64
    costs: F64
    keepers: I64
    held: I64
    ends: I64

    @classmethod
    def over(cls, limits: BoundLimits) -> Filler:
        """Lay patterns, budgets and reserve flat."""
        p = limits.patterns
        begun = limits.start()
        for x in limits.must.tolist():
            begun = limits.add(begun, x)
        keepers = sorted(begun.held)
        # rows are looked up one by one, all their costs at once
        costs = np.empty((len(limits) if keepers else 0, len(limits.costs.of)))
        for j, cost in enumerate(limits.costs.of):
            costs[:, j] = cost[: len(costs)]
        return cls(
            limits,
            begun,
            _cuts([len(g) for g in p.groups]),
            np.concatenate(p.groups),
            costs,
            np.array(keepers, np.int64),
            np.array([r for q in keepers for r in begun.held[q]], np.int64),
            _cuts([len(begun.held[q]) for q in keepers]),
        )

    def fill(self, order: I64) -> I64:
        """Positions taken, in order; a row that may not be taken is passed over for good."""
        must = self.limits.must
        room = self.limits.k - len(must)
        rows = self._by_reserve(order, room) if len(self.keepers) else self._by_runs(order, room)
        return np.concatenate([must, rows])

    def _by_reserve(self, order: I64, room: int) -> I64:
        p, state = self.limits.patterns, self.begun
        taken = np.empty(room, np.int64)
        count = walk(
            order,
            p.of,
            self.cuts,
            self.groups,
            np.stack([p.low, p.high]),
            state.total.copy(),
            self.costs,
            state.rest.copy(),
            state.status.copy(),
            self.keepers,
            self.held.copy(),
            self.ends,
            self.limits.costs.price,
            taken,
        )
        return taken[:count]

    def _by_runs(self, order: I64, room: int) -> I64:
        """Without a reserve a run of rows that fit together is taken at once; then what cannot be is left."""
        p, costs = self.limits.patterns, self.limits.costs
        count, rest = self.begun.count.copy(), self.begun.rest.copy()
        left = order[self.begun.status[order] != CLOSED]
        taken = [left[:0]]
        while room and len(left):
            run = self._run(left[:room], count, rest)
            rows = left[:run]
            taken.append(rows)
            room -= run
            rest -= costs.sums(rows)
            count += np.bincount(self._groups(rows), minlength=len(count))
            left = left[run:]
            full = np.zeros(len(p.groups), bool)
            for g in np.flatnonzero(count >= p.high):
                full[p.holders[g]] = True
            fit = ~full[p.of[left]]
            for cost, most in zip(costs.of, rest, strict=True):
                fit &= cost[left] <= most
            left = left[fit]
        return np.concatenate(taken)

    def _run(self, rows: I64, count: I64, rest: F64) -> int:
        """How many of the first rows fit together."""
        run = len(rows)
        group = self._groups(rows)
        who = np.repeat(np.arange(len(rows)), np.diff(self.cuts)[self.limits.patterns.of[rows]])
        by = np.argsort(group, kind="stable")
        start = np.flatnonzero(np.diff(group[by], prepend=-1))
        rank = np.arange(len(by)) - np.repeat(start, np.diff(start, append=len(by)))
        over = who[by][rank >= (self.limits.patterns.high - count)[group[by]]]
        run = min(run, int(over.min(initial=run)))
        for cost, most in zip(self.limits.costs.of, rest, strict=True):
            over = np.flatnonzero(np.cumsum(cost[rows]) > most)
            run = min(run, int(over[0]) if len(over) else run)
        return run

    def _groups(self, rows: I64) -> I64:
        """The groups of these rows, one row after another."""
        of = self.limits.patterns.of[rows]
        many = self.cuts[of + 1] - self.cuts[of]
        entry = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        found: I64 = self.groups[np.repeat(self.cuts[of], many) + entry]
        return found


def _cuts(sizes: list[int]) -> I64:
    out = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=out[1:])
    return out
