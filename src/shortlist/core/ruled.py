"""Limits with rules beside the inequalities: rows that shut others out, and rules of order.

Inequalities go on being decided by `core.limits` with its reserve. A row that a rule shuts out is closed
there. Where a pick is too near to a row of the reserve, that row is replaced (`core.mend`); under rules of
order the reserve is a sequence that can be taken from here to the end, and is looked for again where a pick
breaks it. So whatever is allowed can be completed. What is turned away seldom could have been too: the search
is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shortlist.core.arrays import I32, I64, Bool
from shortlist.core.contracts import Rule
from shortlist.core.counts import CLOSED, HELD, OPEN, NoWitness, State, keeping
from shortlist.core.errors import ContractError
from shortlist.core.mend import Path, grown, sequence

if TYPE_CHECKING:
    from shortlist.core.limits import BoundLimits

#: Steps of the search for a sequence, at first and after a pick.
FIRST, LATER = 5_000, 40


@dataclass(frozen=True, slots=True, eq=False)
class RuledState:
    """What is chosen and kept aside. Never changed in place.

    counts: the inequalities' part; said: each rule's; shut i32[n]: 1 + the rule that closed a row, 0 if none;
    guard i32[n]: how many rows of the reserve are too near to each row; wait: the reserve in an order that
    can be taken, under rules of order; answers, waits, turn: what `allows` has worked out about this state.
    """

    counts: State
    said: tuple[Any, ...]
    shut: I32
    guard: I32
    wait: tuple[int, ...] = ()
    answers: dict[int, tuple[State, tuple[int, ...]] | None] = field(default_factory=dict)
    waits: dict[int, tuple[int, ...] | None] = field(default_factory=dict)
    turn: list[Turn] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """begun: what is taken; touched bool[n]: rows tied to one of the reserve; first i64[kinds]: of the others
    that may come now, the first of each kind, -1 if there is none; serves: for each of these the rows tied to
    the reserve found for it, None if it is one."""

    begun: Path
    touched: Bool
    first: I64
    serves: dict[int, Bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Ruled:
    """Rules bound beside `linear` limits. alike i64[n]: rows of one number >= 0 are one to all of them."""

    linear: BoundLimits
    rules: tuple[Rule, ...]
    alike: I64
    ordered: bool
    first: RuledState

    def allows(self, state: RuledState, at: I64) -> Bool:
        """bool[m]: whether each row may be taken next."""
        ok = self._now(state, at)
        if self.ordered and self.keeps:
            may = np.flatnonzero(ok)
            if len(may):
                ok[may] = self._can(state, at[may])
            return ok
        ok &= self.linear.allows(state.counts, at)
        if not len(state.guard):
            return ok
        unsure = np.flatnonzero(ok & (state.guard[at] > 0))
        ok[unsure] = [self._next(state, x) is not None for x in at[unsure].tolist()]
        return ok

    @property
    def keeps(self) -> bool:
        """Whether least counts need a reserve at all."""
        return bool((self.linear.patterns.low > 0).any())

    def add(self, state: RuledState, at: int) -> RuledState:
        """The state with this row taken.

        Raises:
            ContractError: `allows` says no.
        """
        after = self.after(state, at)
        if after is None:
            raise ContractError(f"position {at} may not be taken: ask `allows` first")
        return after

    def after(self, state: RuledState, at: int) -> RuledState | None:
        """The state with this row taken; None where `allows` says no, which this does not ask before."""
        if self.ordered and not self._now(state, np.array([at]))[0]:
            return None
        found = self._next(state, at)
        if found is None:
            return None
        counts, wait = found
        shut, status = state.shut, counts.status
        for i, rule in enumerate(self.rules):
            near = rule.shuts(at)
            near = near[status[near] == OPEN]
            if len(near):
                shut, status = shut.copy(), status.copy()
                shut[near], status[near] = i + 1, CLOSED
        if status is not counts.status:
            counts = replace(counts, status=status, answers=[])
        said = tuple(r.add(s, at) for r, s in zip(self.rules, state.said, strict=True))
        guard = state.guard
        if len(guard) and not self.ordered:
            guard = self._guarded(state, counts)
        return RuledState(counts, said, shut, guard, wait)

    def refuses(self, state: RuledState, at: int) -> int:
        """Index into the names of the constraint that turns this row away; -1 if none does."""
        if self.allows(state, np.array([at]))[0]:
            return -1
        many = len(self.linear.rows)
        if state.shut[at]:
            return many + int(state.shut[at]) - 1
        by = self.linear.refuses(state.counts, at)
        if by >= 0 or state.counts.status[at] == CLOSED:
            return by
        for i, (rule, said) in enumerate(zip(self.rules, state.said, strict=True)):
            if not rule.allows(said, np.array([at]))[0]:
                return many + i
        if not self.ordered:  # a row of the reserve is too near to it
            near = [set(r.shuts(at).tolist()) for r in self.rules]
            held = set(np.flatnonzero(state.counts.status == HELD).tolist())
            return many + next((i for i, rows in enumerate(near) if rows & held), 0)
        p = self.linear.patterns
        lack = np.where(p.low_by < 0, 0, p.low - state.counts.count)
        return int(p.low_by[np.argmax(lack)]) if lack.max() > 0 else many

    def reasons(self, state: RuledState, at: I64) -> I64:
        """i64[m]: `refuses` for many rows at once."""
        out = self.linear.reasons(state.counts, at)
        shut = state.shut[at]
        out[shut > 0] = len(self.linear.rows) + shut[shut > 0] - 1
        unsure = np.flatnonzero((shut == 0) & (out < 0) & (state.counts.status[at] != CLOSED))
        if self.ordered or len(state.guard):
            unsure = np.flatnonzero(shut == 0)
        out[unsure] = [self.refuses(state, x) for x in at[unsure].tolist()]
        return out

    def _now(self, state: RuledState, at: I64) -> Bool:
        """bool[m]: rows that are not closed and that no rule turns away now."""
        ok: Bool = state.counts.status[at] != CLOSED
        if self.ordered:
            for rule, said in zip(self.rules, state.said, strict=True):
                ok &= rule.allows(said, at)
        return ok

    def _next(self, state: RuledState, at: int) -> tuple[State, tuple[int, ...]] | None:
        """The inequalities' state with this row taken beside a reserve; None if none is found."""
        if not self.ordered:
            return self._mended(state, at)
        if not self.keeps:
            may = self.linear.may(state.counts, at)
            return (self.linear.add(state.counts, at), ()) if may else None
        wait = self._reserve(state, at) if self._can(state, np.array([at]))[0] else None
        return None if wait is None else self._kept(state, at, wait)

    def _reserve(self, state: RuledState, at: int) -> tuple[int, ...] | None:
        """What is kept in reserve beside this row."""
        return self._known(state, int(self._leads(self._turn(state), np.array([at]))[0]))

    def _leads(self, turn: Turn, at: I64) -> I64:
        """i64[m]: the row that is asked about in the place of each: the first of its kind, or itself."""
        first = turn.first[self.alike[at]]
        return np.where(turn.touched[at] | (first < 0), at, first)

    def _can(self, state: RuledState, at: I64) -> Bool:
        """bool[m]: whether there is a reserve beside each row: rows that are alike have one answer."""
        turn = self._turn(state)
        leads = self._leads(turn, at)
        ok = np.zeros(len(at), bool)
        for lead in np.unique(leads).tolist():
            wait = self._known(state, lead)
            if wait is not None:
                led = np.flatnonzero(leads == lead)
                ok[led] = at[led] == lead
                if not ok[led].all():
                    ok[led] |= self._serves(turn, lead, at[led], wait)
        return ok

    def _serves(self, turn: Turn, first: int, at: I64, wait: tuple[int, ...]) -> Bool:
        """bool[m]: whether a reserve found for a row of their kind serves these: it is tied to none."""
        if first not in turn.serves:
            touched = self._tied(wait)
            turn.serves[first] = None if touched[first] else touched
        tied = turn.serves[first]
        return np.zeros(len(at), bool) if tied is None else ~tied[at]

    def _tied(self, rows: tuple[int, ...]) -> Bool:
        touched = np.zeros(len(self.alike), bool)
        for rule in self.rules:
            for x in rows:
                touched[rule.tied(x)] = True
        return touched

    def _turn(self, state: RuledState) -> Turn:
        """What of the pool is tied to the reserve, and the first row of each kind that is not."""
        if not state.turn:
            touched = self._tied(state.wait)
            free = self._now(state, np.arange(len(touched))) & ~touched
            at = np.flatnonzero(free)
            kinds, place = np.unique(self.alike[at], return_index=True)
            first = np.full(int(self.alike.max(initial=-1)) + 1, -1)
            first[kinds] = at[place]
            state.turn.append(Turn(self._path(state), touched, first))
        return state.turn[0]

    def _known(self, state: RuledState, at: int) -> tuple[int, ...] | None:
        if at not in state.waits:
            state.waits[at] = self._sequenced(state, at)
        return state.waits[at]

    def _mended(self, state: RuledState, at: int) -> tuple[State, tuple[int, ...]] | None:
        if at in state.answers:
            return state.answers[at]
        answer: tuple[State, tuple[int, ...]] | None = None
        if self.linear.may(state.counts, at):
            after = self.linear.add(state.counts, at)
            answer = (after, ())
            if len(state.guard) and state.guard[at]:
                answer = self._replaced(after, at)
        state.answers[at] = answer
        return answer

    def _replaced(self, after: State, at: int) -> tuple[State, tuple[int, ...]] | None:
        """The reserve without the rows too near to this one, and others in their stead."""
        near = np.unique(np.concatenate([r.shuts(at) for r in self.rules]))
        held = np.array(sorted(x for rows in after.held.values() for x in rows), np.int64)
        kept = np.setdiff1d(held, near)
        if len(kept) == len(held):
            return after, ()
        status = np.where(after.status == HELD, OPEN, after.status).astype(np.uint8)
        usable = status == OPEN
        usable[near] = False
        path = Path(self.linear.patterns, self.linear.costs, self.rules, after.count, after.spent)
        reserve = grown(path, usable, kept)
        if reserve is None:
            return None
        taken = (after.count, after.spent)
        return keeping(self.linear.patterns, self.linear.costs, status, reserve, taken=taken), ()

    def _guarded(self, before: RuledState, counts: State) -> I32:
        """How many rows of the reserve are too near to each row, from what it was before the pick."""
        if before.counts.held is counts.held:
            return before.guard
        was, now = ({x for rows in c.held.values() for x in rows} for c in (before.counts, counts))
        if was == now:
            return before.guard
        guard = before.guard.copy()
        for rule in self.rules:
            for rows, step in ((was - now, -1), (now - was, 1)):
                for x in rows:
                    guard[rule.shuts(x)] += step
        return guard

    # --- rules of order --------------------------------------------------------------------------------

    def _sequenced(self, state: RuledState, at: int) -> tuple[int, ...] | None:
        """The reserve beside this row: what is still needed of it in its order, or one found anew.

        The order that is there is gone through first: nearly always it serves, and it is far cheaper to try.
        """
        path, wait = self._turn(state).begun, state.wait
        if self._too_few(path, at):
            return None
        rest = tuple(x for x in wait if x != at)
        for only_needed in (True, False):
            found = path.replayed(at, rest, only_needed=only_needed)
            if found is not None:
                return found
        begun = path.take(at)
        if begun is None:
            return None
        steps = LATER + 2 * len(wait)
        found, _ = sequence(begun, self.alike, steps, first=wait, among=np.sort(np.array(wait, np.int64)))
        if found is None:
            found, _ = sequence(begun, self.alike, steps, first=wait)
        return found

    def _too_few(self, path: Path, at: int) -> bool:
        """Whether groups without a common row lack more rows beside this one than there is room for."""
        p = self.linear.patterns
        count = path.count.copy()
        count[p.groups[p.of[at]]] += 1
        lack = np.maximum(p.low - count, 0)
        most = max(int(lack[f.groups].sum()) for f in self.linear.families)
        return most > min(int(p.high[0]), self.linear.k) - int(count[0])

    def _path(self, state: RuledState) -> Path:
        c = state.counts
        closed = frozenset(np.flatnonzero(c.status == CLOSED).tolist())
        return Path(self.linear.patterns, self.linear.costs, self.rules, c.count, c.spent, state.said, closed)

    def _kept(
        self, state: RuledState, at: int, wait: tuple[int, ...]
    ) -> tuple[State, tuple[int, ...]] | None:
        c, p, costs = state.counts, self.linear.patterns, self.linear.costs
        status = np.where(c.status == HELD, OPEN, c.status).astype(np.uint8)
        status[at] = CLOSED
        count = c.count.copy()
        count[p.groups[p.of[at]]] += 1
        spent = c.spent + np.array([cost[at] for cost in costs.of], np.float64)
        reserve = np.array(wait, np.int64)
        after = keeping(p, costs, status, reserve, taken=(count, spent), pinned=True)
        return (after, wait) if (after.rest >= 0).all() and (after.total <= p.high).all() else None


def over(linear: BoundLimits, rules: tuple[Rule, ...], witness: I64 | None) -> Ruled:
    """Rules beside limits that keep no reserve yet.

    Raises:
        NoWitness: no rows were found that keep all of them; `proved` where there are none.
        ContractError: the witness breaks a bound.
    """
    p, costs, n = linear.patterns, linear.costs, len(linear.patterns.of)
    had = linear.shown
    said = tuple(r.start(had) for r in rules)
    ordered = any(r.ordered for r in rules)
    status = linear.first.status
    wait: tuple[int, ...] = ()
    counts, guard = linear.first, np.zeros(0, np.int32)
    alike = _alike(linear, rules) if ordered else np.empty(0, np.int64)
    if (p.low > 0).any():
        closed = frozenset(np.flatnonzero(status == CLOSED).tolist())
        begun = Path(p, costs, rules, counts.count, counts.spent, said, closed)
        if ordered:
            first = () if witness is None else tuple(witness.tolist())
            order, proved = sequence(begun, alike, FIRST, first=first)
            if order is None:
                raise NoWitness(_UNORDERED, proved=proved)
            wait = order
            counts = keeping(p, costs, status, np.array(wait, np.int64), pinned=True)
        else:
            if witness is None:
                witness = grown(begun, status == OPEN, np.empty(0, np.int64))
                if witness is None:
                    raise NoWitness("rows apart enough that meet every least count were not found")
            counts = keeping(p, costs, status, witness)
            guard = np.zeros(n, np.int32)
            for rule in rules:
                for x in witness.tolist():
                    guard[rule.shuts(x)] += 1
            if guard[witness].any():
                raise ContractError("the witness holds rows that may not stand together")
        if (counts.total < p.low).any() or (counts.total > p.high).any() or (counts.rest < 0).any():
            raise ContractError("the witness breaks a bound")
    state = RuledState(counts, said, np.zeros(n, np.int32), guard, wait)
    return Ruled(linear, rules, alike, ordered, state)


_UNORDERED = "no order of rows was found that keeps the rules of order and meets every least count"


def _alike(linear: BoundLimits, rules: tuple[Rule, ...]) -> I64:
    """i64[n]: equal where neither inequalities nor costs nor rules tell rows apart."""
    keys = [linear.patterns.of.astype(np.int64), *(r.alike for r in rules)]
    keys += [np.unique(c, return_inverse=True)[1] for c in linear.costs.of]
    _, number = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    out: I64 = number.reshape(-1).astype(np.int64)
    return out
