"""All constraints of a run, bound to a pool: what may still be taken, why not, and how tight it was.

Every rule is a set of inequalities over the choice (`contracts.Row`). Those that count rows are decided a
pattern at a time (`core.patterns`), sums of costs a row at a time, least counts through a reserve of rows
(`core.reserve`): a row is allowed if, with it taken, what is left of the reserve still meets them all. Over
groups that do not overlap this turns away nothing that could be completed. Elsewhere it seldom may, and a
later reserve might then let the row in after all: solvers take the first answer for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from shortlist.core import reserve
from shortlist.core.account import accounts, broken, rule_accounts, violations
from shortlist.core.arrays import F64, I32, I64, Bool
from shortlist.core.ceiling import Family, ceiling, families
from shortlist.core.contracts import Constraint, Row, Rule
from shortlist.core.contracts import Ruled as HasRules
from shortlist.core.counts import CLOSED, HELD, OPEN, Answers, State, fitting, keeping
from shortlist.core.counts import NoWitness as NoWitness
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.patterns import Patterns, patterns
from shortlist.core.pool import Pool
from shortlist.core.reserve import Costs, Swap
from shortlist.core.ruled import Ruled, over

#: Carries out the plan of a rule over a pool.
Run: TypeAlias = Callable[[Plan[Any], Pool], Any]


@dataclass(frozen=True, slots=True, eq=False)
class BoundLimits:
    """Limits over n rows, made by `bind`. See `contracts.Limits`.

    rows: every inequality; patterns, costs: the same by what they are about; budget_by: the inequality of
    each budget; families: groups that do not overlap; first: the empty choice; k: the most rows a choice can
    have, the size asked for or all that may be taken; ruled: rules beside the inequalities, None if none.
    """

    rows: tuple[Row, ...]
    patterns: Patterns
    costs: Costs
    budget_by: tuple[int, ...]
    families: tuple[Family, ...]
    first: State
    k: int
    ruled: Ruled | None = None

    def __len__(self) -> int:
        return len(self.patterns.of)

    @property
    def names(self) -> tuple[str, ...]:
        """Each inequality, then each rule, as the user would write it."""
        return tuple(r.text for r in self.rows) + tuple(r.text for r in self.rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What the inequalities do not say."""
        return self.ruled.rules if self.ruled else ()

    @property
    def ordered(self) -> bool:
        """Whether some refusals hold only for now."""
        return any(r.ordered for r in self.rules)

    @property
    def must(self) -> I64:
        """Positions to take first, increasing; none under rules of order, which may want others before."""
        return np.empty(0, np.int64) if self.ordered else _union(self.rows, "include")

    @property
    def shown(self) -> I64:
        """Positions the user has already, increasing."""
        return _union(self.rows, "shown")

    def start(self) -> Any:
        """The empty choice."""
        return self.ruled.first if self.ruled else self.first

    def allows(self, state: Any, at: I64) -> Bool:
        """bool[m]: whether each row at positions i64[m] may be taken next. Rows taken already may not."""
        if self.ruled:
            return self.ruled.allows(state, at)
        if len(at) == 1:
            return np.array([self.may(state, int(at[0]))])
        q, status = self.patterns.of[at], state.status[at]
        answers = self._answers(state)
        ok = self._lets(answers, q, at)
        if state.held:
            ok |= status == HELD
            unsure = np.flatnonzero(~ok & (status == OPEN) & ~answers.swapped[q])
            if len(unsure):
                for pattern in np.unique(q[unsure]).tolist():
                    self._swap(state, pattern)
                ok[unsure] = self._lets(answers, q[unsure], at[unsure])
        ok &= status != CLOSED
        return ok

    def add(self, state: Any, at: int) -> Any:
        """The state with this row taken.

        Raises:
            ContractError: `allows` says no.
        """
        if self.ruled:
            return self.ruled.add(state, at)
        groups = self.patterns.groups[self.patterns.of[at]]
        status, count = state.status.copy(), state.count.copy()
        status[at] = CLOSED
        count[groups] += 1
        cost = np.array([c[at] for c in self.costs.of], np.float64)
        if state.status[at] == HELD:
            held = reserve.without(state.held, self.patterns.of, np.array([at]))
            return State(status, count, state.total, state.spent + cost, state.rest, state.fits, held)
        change = self._swap(state, int(self.patterns.of[at])) if state.status[at] == OPEN else None
        if change is None or (cost > state.rest + change.freed).any():
            raise ContractError(f"position {at} may not be taken: ask `allows` first")
        held, back = reserve.released(state.held, change.dropped)
        status[back] = OPEN
        rest = state.rest + change.freed - cost
        fits = self._refit(state, change)
        return State(status, count, change.total, state.spent + cost, rest, fits, held)

    def refuses(self, state: Any, at: int) -> int:
        """Index into `names` of the constraint that turns this row away; -1 if none does (or it is taken)."""
        if self.ruled:
            return self.ruled.refuses(state, at)
        if self.may(state, at):
            return -1
        p = self.patterns
        groups = p.groups[p.of[at]]
        never = groups[p.high[groups] == 0]
        full = groups[state.count[groups] >= p.high[groups]]
        for g in (*never.tolist(), *full.tolist()):
            return int(p.high_by[g]) if state.status[at] != CLOSED or len(never) else -1
        if state.status[at] == CLOSED:
            return -1
        for j, cost in enumerate(self.costs.of):
            if cost[at] > self.costs.most[j] - state.spent[j]:
                return self.budget_by[j]
        # only the reserve is in the way: the least count that lacks most
        lack = p.low - state.count
        lack[p.low_by < 0] = 0
        return int(p.low_by[np.argmax(lack)])

    def reasons(self, state: Any, at: I64) -> I64:
        """i64[m]: `refuses` for many rows at once, a pattern at a time."""
        if self.ruled:
            return self.ruled.reasons(state, at)
        p, q = self.patterns, self.patterns.of[at]
        by, never = np.full(len(p.groups), -1), np.zeros(len(p.groups), bool)
        full = np.flatnonzero(state.count >= p.high)
        # the first group that never lets a row in, else the first that is full
        for g in sorted(full.tolist(), key=lambda g: (p.high[g] == 0, -g)):
            by[p.holders[g]], never[p.holders[g]] = p.high_by[g], p.high[g] == 0
        closed = state.status[at] == CLOSED
        out: I64 = np.where(~closed | never[q], by[q], -1)
        left = ~closed & (by[q] < 0)
        lack = np.where(p.low_by < 0, 0, p.low - state.count)
        out[left] = p.low_by[np.argmax(lack)]
        for j in reversed(range(len(self.costs.of))):
            out[left & (self.costs.of[j][at] > self.costs.most[j] - state.spent[j])] = self.budget_by[j]
        out[self.allows(state, at)] = -1
        return out

    def check(self, at: I64) -> list[str]:
        """Violations of a finished choice, from the definition; [] if none."""
        at = np.asarray(at, np.int64)
        return violations(self.rows, at, len(self)) + broken(self.rules, at, self.shown, len(self))

    def disorder(self, at: I64) -> list[str]:
        """What a beginning of a choice breaks of the rules of order; [] if nothing."""
        return broken([r for r in self.rules if r.ordered], at, self.shown, len(self))

    def upper(self, gains: F64, state: Any) -> float:
        """An upper bound of the sum of gains f64[n] over every set that may still be added to this state.

        Rows the solver was refused may count: the bound holds for every feasible set, not for this path.
        Rules only close rows here: without them a bound holds all the more.
        """
        state = state.counts if self.ruled else state
        p = self.patterns
        full = np.zeros(len(p.groups), bool)
        for g in np.flatnonzero(state.count >= p.high):
            full[p.holders[g]] = True
        left = self.costs.most - state.spent
        may = (state.status != CLOSED) & (gains > 0) & ~full[p.of]
        for cost, rest in zip(self.costs.of, left, strict=True):
            may &= cost <= rest
        at = np.flatnonzero(may)
        return ceiling(
            p,
            self.families,
            gains[at],
            p.of[at].astype(np.int64),
            state.count,
            tuple(c[at] for c in self.costs.of),
            left,
        )

    def may(self, state: Any, at: int) -> bool:
        """Whether the row at this position may be taken next: `allows` for one, several times as fast."""
        if self.ruled:
            return bool(self.ruled.allows(state, np.array([at]))[0])
        status = state.status[at]
        if status != OPEN:
            return bool(status == HELD)
        q, answers = int(self.patterns.of[at]), self._answers(state)
        if self._lets_one(answers, q, at):
            return True
        if not state.held or answers.swapped[q]:
            return False
        self._swap(state, q)
        return self._lets_one(answers, q, at)

    def _answers(self, state: State) -> Answers:
        if not state.answers:
            room = np.repeat(state.rest[:, None], len(state.fits), axis=1)
            state.answers.append(Answers(state.fits.copy(), room, {}, np.zeros(len(state.fits), bool)))
        return state.answers[0]

    def _lets(self, answers: Answers, q: I32, at: I64) -> Bool:
        ok: Bool = answers.lets[q]
        for cost, room in zip(self.costs.of, answers.room, strict=True):
            ok &= cost[at] <= room[q]
        return ok

    def _lets_one(self, answers: Answers, q: int, at: int) -> bool:
        fine = bool(answers.lets[q])
        for j, cost in enumerate(self.costs.of):
            fine = fine and bool(cost[at] <= answers.room[j, q])
        return fine

    def _swap(self, state: State, q: int) -> Swap | None:
        answers = self._answers(state)
        if q not in answers.swaps:
            change = reserve.swap(self.patterns, self.costs, state.held, state.total, q)
            answers.swaps[q], answers.swapped[q] = change, True
            answers.lets[q] = change is not None
            if change is not None:
                answers.room[:, q] = state.rest + change.freed
        return answers.swaps[q]

    def _refit(self, state: State, change: Swap) -> Bool:
        full = change.total >= self.patterns.high
        was = state.total >= self.patterns.high
        if (was & ~full).any():
            return fitting(self.patterns, change.total)
        new = np.flatnonzero(full & ~was)
        if not len(new):
            return state.fits
        fits = state.fits.copy()
        for g in new:
            fits[self.patterns.holders[g]] = False
        return fits


def bind(
    pool: Pool,
    constraints: Sequence[Constraint],
    k: int | None = None,
    *,
    witness: I64 | None = None,
    run: Run = alone,
) -> BoundLimits:
    """Limits of these constraints over this pool.

    Args:
        pool: the candidates.
        constraints: rules; their order is the order of `names`.
        k: most rows to choose; shares are of it. None: as the constraints say, else all that may be taken.
        witness: positions i64[m] of rows that break no bound, where least counts need one that the greedy
            pass here does not find (`methods.constrain.feasible.settle` finds it or says why there is none).
        run: carries out the plans of rules.

    Raises:
        UsageError, ContractError: a constraint does not suit the pool, or the witness breaks a bound.
        NoWitness: none was found; that proves nothing.
    """
    rows = all_rows(pool, constraints, k)
    return bind_rows(rows, len(pool), witness=witness, rules=all_rules(pool, constraints, rows, run))


def report(limits: BoundLimits, at: I64) -> list[dict[str, str | float | bool | None]]:
    """A JSON-ready line a constraint for the choice at positions i64[m]; see `account.accounts`."""
    at = np.asarray(at, np.int64)
    return accounts(limits.rows, at, len(limits)) + rule_accounts(limits.rules, at)


def bind_rows(
    rows: Sequence[Row], n: int, *, witness: I64 | None = None, rules: Sequence[Rule] = ()
) -> BoundLimits:
    """Limits of these inequalities and rules over n rows; see `bind`."""
    for r in rows:
        if r.weight is not None and r.low > 0:
            raise ContractError(f"{r.text}: a least sum of weights is not supported, only least counts")
        if r.low > r.high or r.high < 0:
            raise ContractError(f"{r.text}: no count lies between {r.low} and {r.high}")
    p = patterns(rows, n)
    weighed = [(i, r) for i, r in enumerate(rows) if r.weight is not None and r.high < np.inf]
    most = np.array([r.high for _, r in weighed], np.float64)
    costs = Costs.over(tuple(_dense(r, n) for _, r in weighed), most, n)
    closed = np.zeros(len(p.groups), bool)
    for g in np.flatnonzero(p.high == 0):
        closed[p.holders[g]] = True
    free = ~closed[p.of]
    k = min(int(p.high[0]), int(free.sum()))
    if rules:
        none = keeping(p, costs, np.where(free, OPEN, CLOSED).astype(np.uint8))
        linear = BoundLimits(tuple(rows), p, costs, tuple(i for i, _ in weighed), families(p), none, k)
        ruled = over(linear, tuple(rules), witness)
        return replace(linear, first=ruled.first.counts, ruled=ruled)
    if witness is None:
        witness = reserve.easy_witness(p, costs, free)
        if witness is None:
            raise NoWitness("least counts need a witness here: methods.constrain.feasible.settle finds one")
    else:
        witness = reserve.cheaper(p, costs, free, reserve.shed(p, costs, np.unique(witness)))
    first = keeping(p, costs, np.where(free, OPEN, CLOSED).astype(np.uint8), witness)
    if (first.total < p.low).any() or (first.total > p.high).any() or (first.rest < 0).any():
        raise ContractError("the witness breaks a bound")
    return BoundLimits(tuple(rows), p, costs, tuple(i for i, _ in weighed), families(p), first, k)


def _dense(row: Row, n: int) -> F64:
    assert row.weight is not None
    if row.at is None:
        return row.weight
    out = np.zeros(n)
    out[row.at] = row.weight
    return out


def _union(rows: Sequence[Row], kind: str) -> I64:
    found = [r.at for r in rows if r.kind == kind and r.at is not None]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def all_rows(pool: Pool, constraints: Sequence[Constraint], k: int | None = None) -> list[Row]:
    """Every inequality of these constraints, with the size asked for; shares are of the reachable size."""
    n = len(pool)
    if k is not None and k < 0:
        raise UsageError(f"k must be at least 0, found {k}")
    size = n if k is None else min(k, n)
    rows = [r for c in constraints for r in c.rows(pool, size)]
    asked = min([r.high for r in rows if r.kind == "size"], default=np.inf)
    closed = [r.at for r in rows if r.at is not None and r.high == 0 and r.kind in ("exclude", "shown")]
    takeable = n - (len(np.unique(np.concatenate(closed))) if closed else 0)
    final = int(min(size, asked, takeable))
    if final < size:
        # shares are of the size that can be reached at most
        rows = [r for c in constraints for r in c.rows(pool, final)]
    if k is not None and k < asked:
        rows.insert(0, Row(f"size={k}", "size", None, None, -np.inf, k))
    return rows


def all_rules(
    pool: Pool, constraints: Sequence[Constraint], rows: Sequence[Row], run: Run = alone
) -> tuple[Rule, ...]:
    """What these constraints ask beside their inequalities `rows`."""
    size = int(min([r.high for r in rows if r.kind == "size"] + [len(pool)]))
    return tuple(r for c in constraints if isinstance(c, HasRules) for r in run(c.rules(pool, size), pool))
