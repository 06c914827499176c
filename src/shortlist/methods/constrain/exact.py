"""The exact search for a set of rows that breaks no bound: a small integer program, solved by HiGHS.

Rows that no bound tells apart are one variable, and those of one pattern (`core.patterns`) add up to an
integer one. Of a pattern no more rows are ever needed than its largest least count, and the cheapest will
do, so a million rows become a few thousand variables; under at most one budget only the patterns need be
integers, because the cheapest rows fill a whole number of places with whole rows.
Source: Huangfu and Hall 2018, Math. Prog. Comp. 10, 119-142, doi:10.1007/s12532-017-0130-5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shortlist.core.account import violations
from shortlist.core.arrays import F64, I32, I64
from shortlist.core.contracts import Cut, Row
from shortlist.core.errors import ContractError
from shortlist.core.patterns import Patterns, patterns

#: Branch-and-bound nodes before the search gives up undecided; before the least change found so far is told.
NODES, RELAXED = 200_000, 2_000
#: Rows that are told apart in one program, and how often cuts are added to it.
WHOLE, ROUNDS = 20_000, 400
#: How far from the least sum of breaches a relaxation may be; proving the last part can take minutes.
GAP = 0.01
#: Columns kept beside those used by an answer in parts of rows, when whole rows are first tried.
NEAR = 500
#: Taken off every budget where the solver's own rounding broke one.
TIGHTER = 1e-7

_ENDED = f"(the search ended after {RELAXED:,} nodes: a smaller change may do)"

#: Columns of a line of the program and their coefficients.
Line = tuple[I32, F64]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Rows of a pool as C kinds in U patterns, under R inequalities.

    members, cuts: the positions of kind c are members[cuts[c]:cuts[c + 1]]; ends: the kinds of pattern u
    are ends[u]:ends[u + 1], cheapest first; lines: for each inequality the columns (kinds 0..C-1, then sums
    of patterns of many kinds) that add to it, with what one row of them adds in units of scale f64[R]; apart:
    each row is a kind.
    """

    rows: tuple[Row, ...]
    n: int
    members: I64
    cuts: I64
    ends: I64
    lines: tuple[Line, ...]
    scale: F64
    apart: bool = False

    def solve(
        self,
        using: Iterable[int],
        soft: Sequence[Sequence[int]] = (),
        cuts: Sequence[Cut] = (),
        loose: Sequence[Sequence[Cut]] = (),
        notes: list[str] | None = None,
    ) -> I64 | None:
        """Positions, increasing, that keep the inequalities `using` and all cuts; None if there are none.

        Each list in `soft` may be broken by one share of its bounds; the sum of these shares is least then
        (a row named by hand counts 1). So may each list of cuts in `loose`. The search for the least ends
        after so many nodes: `notes` is told.

        Raises:
            ContractError: undecided after very long work.
        """
        keep = [i for i in sorted(using) if _bounds(self.rows[i])]
        soft = [kept for together in soft if (kept := [i for i in together if _bounds(self.rows[i])])]
        relaxable = {i for together in soft for i in together}
        strict = [self.rows[i] for i in keep if i not in relaxable]
        if not keep or not len(self.members):
            return None if violations(strict, self.members[:0], self.n) else self.members[:0]

        def fine(at: I64) -> bool:
            chosen = np.zeros(self.n)
            chosen[at] = 1.0
            return not violations(strict, at, self.n) and all(
                float(c.weight @ chosen[c.at]) <= c.high + 1e-9 for c in cuts
            )

        lp, highspy = self._model(keep, soft, 0.0, cuts, loose)
        parts = _run(lp, highspy, whole=False)
        # parts of rows answer soon; where even they cannot, no rows can
        if parts is None:
            return None
        at = self._taken(parts.values)
        if not soft and fine(at):
            return at
        # then rows that the parts came near to, which mostly do as well; then all
        near = _run(_nearby(lp, parts), highspy, whole=True, nodes=RELAXED)
        if near is not None and (not soft or near.total <= parts.total * (1 + GAP) + 1e-9):
            at = self._taken(near.values)
            if fine(at):
                return at
        for tight in (0.0, TIGHTER):
            lp, highspy = self._model(keep, soft, tight, cuts, loose)
            short = bool(soft) and near is not None
            found = _run(lp, highspy, whole=True, nodes=RELAXED if short else NODES)
            if short and (found is None or (near is not None and near.total < found.total)):
                found = near
            if found is None:
                return None
            at = self._taken(found.values)
            if fine(at):
                if short and found.total > parts.total * (1 + GAP) + 1e-9 and not found.proved:
                    (notes if notes is not None else []).append(_ENDED)
                return at
        raise ContractError("the exact solver's answer breaks a bound by more than rounding")

    def warm(self) -> Warm | None:
        """One program in parts of rows for many questions; None where there is nothing to ask."""
        keep = [i for i, r in enumerate(self.rows) if _bounds(r)]
        if not keep or not len(self.members):
            return None
        lp, highspy = self._model(keep, (), 0.0)
        first = len(lp.row_lower_) - len(keep)
        low, high = np.array(lp.row_lower_)[first:], np.array(lp.row_upper_)[first:]
        lp.integrality_ = []
        return Warm(_solver(lp, highspy), highspy, {i: j for j, i in enumerate(keep)}, first, low, high)

    @property
    def _several(self) -> bool:
        return self.apart or sum(_bounds(r) and r.weight is not None for r in self.rows) > 1

    def _taken(self, found: F64) -> I64:
        """Positions of a solution, parts of rows rounded."""
        c = len(self.cuts) - 1
        if self._several:
            start, count = self.cuts[:-1], np.rint(found[:c]).astype(np.int64)
        else:  # the cheapest of each pattern
            start = self.cuts[self.ends[:-1]]
            count = np.rint(np.add.reduceat(found[:c], self.ends[:-1])).astype(np.int64)
        return np.sort(np.concatenate([self.members[a : a + m] for a, m in zip(start, count, strict=True)]))

    def _model(
        self,
        keep: list[int],
        soft: Sequence[Sequence[int]],
        tight: float,
        cuts: Sequence[Cut] = (),
        loose: Sequence[Sequence[Cut]] = (),
    ) -> tuple[Any, Any]:
        """The program as HiGHS takes it: columns are kinds, sums of patterns, then one a list in `soft` and
        one a list in `loose`."""
        import highspy

        c, many = len(self.cuts) - 1, np.flatnonzero(np.diff(self.ends) > 1)
        u = len(many)
        slack = {i: c + u + j for j, together in enumerate(soft) for i in together}
        # a pattern of many kinds has a column for their sum
        lines = [
            (np.append(np.arange(a, b), c + j).astype(np.int32), np.append(np.ones(b - a), -1.0))
            for j, (a, b) in enumerate(zip(self.ends[many], self.ends[many + 1], strict=True))
        ]
        lines += [self._relaxable(i, slack[i]) if i in slack else self.lines[i] for i in keep]
        less = np.array([1 - tight if self.rows[i].weight is not None else 1.0 for i in keep])
        low = np.array([self.rows[i].low for i in keep]) / self.scale[keep]
        high = np.array([self.rows[i].high for i in keep]) / self.scale[keep] * less
        by_hand = [self.rows[i].low if self.rows[i].kind == "include" else 1.0 for i, *_ in soft]
        shares = len(soft) + len(loose)
        more = [(self._cut(cut), cut.high) for cut in cuts]
        for j, several in enumerate(loose):
            z = np.int32(c + u + len(soft) + j)
            for cut in several:
                if cut.breach > 0:
                    columns, weight = self._cut(cut)
                    more.append(((np.append(columns, z), np.append(weight, -1 / cut.breach)), cut.high))
        lines += [line for line, _ in more]
        low = np.concatenate([low, np.full(len(more), -np.inf)])
        high = np.concatenate([high, [most for _, most in more]])
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = c + u + shares, len(lines)
        lp.col_cost_ = np.concatenate([np.zeros(c + u), by_hand, np.ones(len(loose))])
        lp.col_lower_ = np.zeros(c + u + shares)
        lp.col_upper_ = np.concatenate([np.diff(self.cuts), np.full(u + shares, np.inf)])
        lp.row_lower_, lp.row_upper_ = np.append(np.zeros(u), low), np.append(np.zeros(u), high)
        start = np.zeros(len(lines) + 1, np.int32)
        np.cumsum([len(columns) for columns, _ in lines], out=start[1:])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = start
        lp.a_matrix_.index_ = np.concatenate([columns for columns, _ in lines])
        lp.a_matrix_.value_ = np.concatenate([weight for _, weight in lines])
        integer, real = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
        summed = np.repeat(np.diff(self.ends) > 1, np.diff(self.ends)) & (not self._several)
        lp.integrality_ = [real if s else integer for s in summed] + [integer] * u + [real] * shares
        return lp, highspy

    def _cut(self, cut: Cut) -> Line:
        """The columns of a cut: each row is a kind here, and what is no column is never taken."""
        column = np.searchsorted(self.members, cut.at)
        here = column < len(self.members)
        here[here] = self.members[column[here]] == cut.at[here]
        return column[here].astype(np.int32), cut.weight[here]

    def _relaxable(self, i: int, slack: int) -> Line:
        """The inequality with a column that relaxes it by a share of its bound (by 1 where that is 0)."""
        (columns, weight), row = self.lines[i], self.rows[i]
        bound = row.low if row.low > 0 else -(row.high or self.scale[i])
        return np.append(columns, np.int32(slack)), np.append(weight, bound / self.scale[i])


def _bounds(row: Row) -> bool:
    return row.low > 0 or row.high < np.inf


def program(rows: Sequence[Row], n: int, *, apart: bool = False, every: bool = False) -> Program:
    """The integer program of these inequalities over n rows.

    Args:
        rows: inequalities. n: rows of the pool.
        apart: rows are told apart, as cuts need it. every: also those that no least count asks for.

    Raises:
        ContractError: more rows would have to be told apart than can be.
    """
    p = patterns(rows, n)
    weighed = [i for i, r in enumerate(rows) if _bounds(r) and r.weight is not None]
    costs = np.zeros((len(weighed), n))
    for j, i in enumerate(weighed):
        where = rows[i].at
        costs[j, slice(None) if where is None else where] = rows[i].weight
    members, cuts = _each(p, n, every) if apart else _kinds(p, costs)
    first = members[cuts[:-1]]
    if apart:  # no sums of patterns: every row is a column of its own
        return Program(tuple(rows), n, members, cuts, cuts, *_lines_apart(rows, members, n), apart=True)
    seen, ends = np.unique(p.of[first], return_index=True)
    place = np.full(len(p.groups), -1, np.int64)
    ends = np.append(ends, len(first))
    alone = np.diff(ends) == 1
    place[seen] = np.where(alone, ends[:-1], len(first) + np.cumsum(~alone) - 1)
    lines: list[Line] = []
    scale = np.ones(len(rows))
    for i, row in enumerate(rows):
        if i in weighed:
            cost = costs[weighed.index(i)]
            scale[i] = row.high if row.high > 0 else max(1.0, float(cost.max(initial=0.0)))
            columns = np.flatnonzero(cost[first] > 0)
            lines.append((columns.astype(np.int32), cost[first][columns] / scale[i]))
        else:
            held = place[p.holders[p.group_of[i]] if p.group_of[i] >= 0 else seen[:0]]
            columns = held[held >= 0]
            lines.append((columns.astype(np.int32), np.ones(len(columns))))
    return Program(tuple(rows), n, members, cuts, ends, tuple(lines), scale)


def _each(p: Patterns, n: int, every: bool) -> tuple[I64, I64]:
    """Positions that may be needed, increasing, each a kind."""
    most = np.array([int(p.low[g].max()) for g in p.groups], np.int64)
    shut = np.array([int(p.high[g].min()) for g in p.groups], np.int64) == 0
    at = np.flatnonzero((np.full(n, every) | (most[p.of] > 0)) & (~shut[p.of] | (most[p.of] > 0)))
    if len(at) > WHOLE:
        raise ContractError(
            f"no rows were found that keep every rule, and an exact search over {len(at):,} rows is too long "
            f"(at most {WHOLE:,}): loosen a least count or a distance, or give fewer rows"
        )
    return at, np.arange(len(at) + 1)


def _lines_apart(rows: Sequence[Row], members: I64, n: int) -> tuple[tuple[Line, ...], F64]:
    lines, scale = [], np.ones(len(rows))
    for i, row in enumerate(rows):
        weight = np.zeros(n)
        weight[slice(None) if row.at is None else row.at] = 1.0 if row.weight is None else row.weight
        if row.weight is not None and _bounds(row):
            scale[i] = row.high if row.high > 0 else max(1.0, float(weight.max(initial=0.0)))
        mine = weight[members]
        columns = np.flatnonzero(mine > 0)
        lines.append((columns.astype(np.int32), mine[columns] / scale[i]))
    return tuple(lines), scale


def _kinds(p: Patterns, costs: F64) -> tuple[I64, I64]:
    """Positions that may be needed, grouped by equal pattern and costs; cuts i64[C+1]."""
    most = np.array([int(p.low[g].max()) for g in p.groups], np.int64)
    useful = np.flatnonzero(most[p.of] > 0)
    order = useful[np.argsort(p.of[useful], kind="stable")]
    ends = np.searchsorted(p.of[order], np.arange(len(most) + 1))
    kept = [
        _cheap(order[a:b], costs[:, order[a:b]], int(m))
        for a, b, m in zip(ends[:-1], ends[1:], most, strict=True)
        if b > a
    ]
    at = np.concatenate([order[:0], *kept])
    at = at[np.lexsort((at, *costs[:, at], p.of[at]))]
    if not len(at):
        return at, np.zeros(1, np.int64)
    new = np.flatnonzero((np.diff(p.of[at]) != 0) | (np.diff(costs[:, at], axis=1) != 0).any(axis=0)) + 1
    return at, np.concatenate([[0], new, [len(at)]])


def _cheap(at: I64, costs: F64, m: int) -> I64:
    """These rows without such that cost at least as much, under every budget, as m others that stay.

    A row is compared with boxes around the m cheapest rows by each budget and by all of them together, one
    after the other, so that rows of equal cost cannot drop each other.
    """
    if len(costs) == 0:
        return at[:m]
    weights = np.eye(len(costs)) / np.maximum(costs.max(axis=1), 1e-300)
    ways = weights if len(costs) == 1 else np.vstack([weights, weights.sum(axis=0)])
    for way in ways:
        if len(at) <= m:
            break
        cheapest = np.lexsort((at, way @ costs))[:m]
        stays = (costs < costs[:, cheapest].max(axis=1)[:, None]).any(axis=0)
        stays[cheapest] = True
        at, costs = at[stays], costs[:, stays]
    return at


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    values: F64
    prices: F64
    total: float
    proved: bool


def _nearby(lp: Any, parts: _Answer) -> Any:
    """The program over the columns that are used by the answer in parts, or were nearest to it."""
    close = np.zeros(len(parts.values), bool)
    close[np.argsort(np.abs(parts.prices), kind="stable")[:NEAR]] = True
    close |= parts.values > 1e-9
    lp.col_upper_ = np.where(close, lp.col_upper_, 0.0)
    return lp


@dataclass(frozen=True, slots=True, eq=False)
class Warm:
    """Inequalities that are switched on and off between questions: each starts where the last one ended.

    line: the place of each inequality among those with bounds, from line `first` on; low, high f64[m].
    """

    solver: Any
    highspy: Any
    line: Mapping[int, int]
    first: int
    low: F64
    high: F64

    def clashes(self, using: Iterable[int]) -> bool:
        """Whether not even parts of rows keep these inequalities: sure where it says so."""
        on = np.zeros(len(self.low), bool)
        on[[self.line[i] for i in using if i in self.line]] = True
        at = np.arange(self.first, self.first + len(on), dtype=np.int32)
        low, high = np.where(on, self.low, -np.inf), np.where(on, self.high, np.inf)
        self.solver.changeRowsBounds(len(at), at, low, high)
        self.solver.run()
        kinds = self.highspy.HighsModelStatus
        return self.solver.getModelStatus() in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible)


def _solver(lp: Any, highspy: Any) -> Any:
    h = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("primal_feasibility_tolerance", 1e-9),
    ):
        h.setOptionValue(name, value)
    h.passModel(lp)
    return h


def _run(lp: Any, highspy: Any, *, whole: bool, nodes: int = NODES) -> _Answer | None:
    h = _solver(lp, highspy)
    h.setOptionValue("solve_relaxation", not whole)
    h.setOptionValue("mip_max_nodes", nodes)
    h.setOptionValue("mip_feasibility_tolerance", 1e-9)
    h.setOptionValue("mip_rel_gap", GAP)
    h.setOptionValue("mip_abs_gap", 1e-9)
    h.run()
    status = h.getModelStatus()
    # costs are not negative, so nothing is unbounded
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    info, solution = h.getInfo(), h.getSolution()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        if nodes < NODES:
            return None
        raise ContractError(f"the exact solver could not decide: {h.modelStatusToString(status)}")
    values = np.array(solution.col_value)
    prices = np.zeros(len(values)) if whole else np.array(solution.col_dual)
    proved = status == highspy.HighsModelStatus.kOptimal
    return _Answer(values, prices, float(info.objective_function_value), proved)
