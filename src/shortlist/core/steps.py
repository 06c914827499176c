"""A choice in the making: what every step-by-step solver keeps, so that their traces mean the same.

Bound. For a monotone submodular f and any state S on the way, every feasible choice O has
f(O) <= f(S) + sum of gains(o | S) over o in O (Nemhauser, Wolsey and Fisher 1978), and
`Limits.upper` bounds that sum over all feasible O. The least over several S is kept, and `core.dual`
lowers it where the objective has prices. Without monotonicity only the empty S will do; without
submodularity none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.choice import Choice, Trace
from shortlist.core.contracts import Built, Limits, Waiting
from shortlist.core.dual import has_prices, priced
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool

#: After which shares of k the bound is taken again, where no part of the objective has prices (`core.dual`).
CHECKS = (0.125, 0.25, 0.5, 0.75)
#: How often the largest k of the bounds on gains are brought up to date for it, until they are the largest.
ROUNDS = 4


class Step(NamedTuple):
    """One pick: its position, parts f64[T] of its gain, and who would have come instead (-1: nobody)."""

    at: int
    parts: F64
    runner_up: int = -1
    runner_up_gain: float = 0.0


@runtime_checkable
class Ahead(Protocol):
    """A built objective that can go ahead greedily by itself, in one compiled loop."""

    def ahead(self, state: Any, free: I64, room: int) -> list[Step]:
        """The next min(room, len(free)) picks of greedy among the rows free i64[b], increasing, from a state.

        They are those of the gains, runners-up and ties too. [] says that it cannot (no compiler).
        """
        ...


def sizes_only(limits: Limits) -> bool:
    """Whether nothing but sizes limits a choice: then no row is ever refused before it is full."""
    counted = len(limits.names) == len(limits.rows)  # no rules beside the inequalities
    return counted and all(r.kind == "size" and r.low <= 0 for r in limits.rows)


def now_open(limits: Limits, held: Any, free: Bool) -> Bool:
    """Of the rows free bool[n] those worth asking for: all; under rules of order those that may come now."""
    if not getattr(limits, "ordered", False):
        return free
    at, now = np.flatnonzero(free), np.zeros(len(free), bool)
    now[at[limits.allows(held, at)]] = True
    return now


@dataclass(slots=True, eq=False)
class Steps:
    """Begin with `begin`; then `take` and `refuse` until `open` is False; `choice` ends it.

    most f64[n]: no row gains more than this now. A lazy solver keeps it up to date with what it asks, so that
    the bound need not ask every row again; None: nobody does.
    """

    built: Built
    limits: Limits
    state: Any
    held: Any
    taken: list[Step] = field(default_factory=list)
    refused: list[tuple[I64, int, I64]] = field(default_factory=list)
    high: float = np.inf
    checks: frozenset[int] = frozenset()
    most: F64 | None = None

    @classmethod
    def begin(cls, built: Built, limits: Limits) -> Steps:
        """Shown rows enter the objective's state, then what must be taken is taken.

        Raises:
            ContractError: the limits refuse one of their own `must` rows.
        """
        steps = cls._fresh(built, limits)
        for at in limits.must.tolist():
            by = limits.refuses(steps.held, at)
            if by >= 0:
                raise ContractError(f"row {at} must be taken but {limits.names[by]} refuses it")
            steps.take(Step(at, built.gains(steps.state, np.array([at]))[0]))
        return steps

    @property
    def size(self) -> int:
        """Rows there may be."""
        return self.limits.k

    @property
    def open(self) -> bool:
        """Whether there is room for more."""
        return len(self.taken) < self.size

    @property
    def total(self) -> float:
        """What the rows taken so far gain together."""
        return float(np.sum([s.parts for s in self.taken], dtype=np.float64))

    def candidates(self) -> I64:
        """i64: increasing positions that are neither taken nor shown."""
        free = np.ones(len(self.built), bool)
        free[self.limits.shown] = False
        free[[s.at for s in self.taken]] = False
        return np.flatnonzero(free)

    def enough(self, gain: float) -> bool:
        """Whether to stop rather than take a row of this gain: it would do harm, and no minimum needs it."""
        if gain >= 0 or self.built.monotone:
            return False
        return not self.limits.check(np.array([s.at for s in self.taken], np.int64))

    def take(self, step: Step) -> None:
        """Add a row."""
        self._note(step)
        self.held = self.limits.add(self.held, step.at)

    def refuse(self, at: I64) -> None:
        """Record rows, in the order in which they came to the front, that the limits turn away for good."""
        if len(at):
            if isinstance(self.limits, Waiting):
                by = self.limits.reasons(self.held, at)
            else:
                by = np.array([self.limits.refuses(self.held, p) for p in at.tolist()], np.int64)
            self.refused.append((at, len(self.taken), by))

    @property
    def turned_away(self) -> I64:
        """Positions refused so far, in order."""
        return np.concatenate([np.zeros(0, np.int64), *(at for at, _, _ in self.refused)])

    @property
    def ordered(self) -> bool:
        """Whether limits may let a row in later that they turn away now."""
        return isinstance(self.limits, Waiting) and self.limits.ordered

    def now(self, at: I64) -> I64:
        """Those of these candidates that may come at this step: all, unless limits are `ordered`. Rows that
        only wait are no refusals: offer all candidates again at the next step."""
        return at[self.limits.allows(self.held, at)] if self.ordered else at

    def choice(self, pool: Pool) -> Choice:
        """The finished choice with its trace and bound."""
        built, k = self.built, len(self.taken)
        if self.built.monotone:
            self._bound()
        at = np.array([s.at for s in self.taken], np.int64)
        if self.ordered and (broken := self.limits.check(at)):
            raise ContractError(f"{broken[0]}: this solver does not ask again for rows that only wait")
        parts = np.array([s.parts for s in self.taken], np.float64).reshape(k, len(built.terms))
        gains = parts.sum(axis=1)
        rival = np.array([s.runner_up for s in self.taken], np.int64)
        none = np.zeros(0, np.int64)
        row = np.concatenate([none, *(rows for rows, _, _ in self.refused)])
        step = np.concatenate([none, *(np.full(len(rows), step) for rows, step, _ in self.refused)])
        by = np.concatenate([none, *(by for _, _, by in self.refused)])
        trace = Trace(
            runner_up=np.where(rival >= 0, pool.rows[rival] if k else rival, -1),
            runner_up_gain=np.array([s.runner_up_gain for s in self.taken], np.float64),
            refused=pool.rows[row],
            refused_step=step,
            refused_by=by,
        )
        if built.submodular:
            start = _shown(built, self.limits)
            self.high = min(self.high, priced(built, self.limits, start, self.state, at, parts))
        total = float(gains.sum())
        bound = (total, max(total, self.high)) if np.isfinite(self.high) else None
        return Choice(pool.rows[at], gains, built.terms, parts, bound, trace)

    def _note(self, step: Step) -> None:
        # a row of the gains of all candidates would keep them all in memory: n x k in the end
        self.taken.append(step._replace(parts=step.parts.copy()))
        self.state = self.built.add(self.state, step.at)
        if len(self.taken) in self.checks:
            self._bound()

    @classmethod
    def told(cls, built: Built, limits: Limits, at: I64) -> Steps:
        """A finished choice by its order, gone through once more; the limits are taken at its word."""
        steps = cls._fresh(built, limits)
        for x in at.tolist():
            steps._note(Step(x, built.gains(steps.state, np.array([x]))[0]))
        return steps

    @classmethod
    def _fresh(cls, built: Built, limits: Limits) -> Steps:
        steps = cls(built, limits, _shown(built, limits), limits.start())
        if built.monotone and built.submodular and not has_prices(built):
            steps.checks = frozenset(int(np.ceil(c * limits.k)) for c in CHECKS)
        steps._bound()
        return steps

    def _bound(self) -> None:
        """Lower `high` if this state says so."""
        if not self.built.submodular:
            return
        gains = self._gains_at_most()
        gains[self.limits.shown] = 0.0
        gains[[s.at for s in self.taken]] = 0.0
        above = self.limits.upper(np.maximum(gains, 0.0), self.limits.start())
        self.high = min(self.high, sum(float(s.parts.sum()) for s in self.taken) + above)

    def _gains_at_most(self) -> F64:
        """f64[n], a bound of each gain now: all gains, or `most` with the largest brought up to date."""
        if self.most is None:
            every: F64 = self.built.gains(self.state, np.arange(len(self.built))).sum(axis=1)
            return every
        self.most[[s.at for s in self.taken]] = 0.0
        first, fresh = min(self.size, len(self.most)), np.zeros(len(self.most), bool)
        for _ in range(ROUNDS if first else 0):
            largest = np.argpartition(-self.most, first - 1)[:first]
            stale = np.sort(largest[~fresh[largest] & (self.most[largest] > 0)])
            if not len(stale):
                break
            self.most[stale] = self.built.gains(self.state, stale).sum(axis=1)
            fresh[stale] = True
        return self.most.copy()


def _shown(built: Built, limits: Limits) -> Any:
    """The state before anything is chosen: what was shown counts."""
    state = built.start()
    for at in limits.shown.tolist():
        state = built.add(state, at)
    return state
