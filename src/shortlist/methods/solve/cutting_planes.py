"""Cutting planes: the best choice by an integer program that learns the objective from where it has looked.

    max eta over whole x in the limits, eta <= f(S) + sum over i not in S of gain(i | S) x_i for every S

Source: Nemhauser and Wolsey 1981, Maximizing submodular set functions: formulations and analysis of
    algorithms, doi:10.1016/S0304-0208(08)73471-6; solved by HiGHS, Huangfu and Hall 2018,
    doi:10.1007/s12532-017-0130-5.
Deviates: planes are added where the program steps: first at the leading rows of its answers in parts of rows,
    then at whole answers, until none is worth more than its plane says. Of the limits their inequalities are
    in the program; what else `check` finds is cut off when it is met, a pair of rows at a time where two rows
    turn each other away. Objectives that are not monotone go to BranchAndBound, whose choice it is then.
Cost: a linear or integer program a plane, and one gain a row. A modular objective needs one.
Memory: 16 n bytes a plane, and what HiGHS holds.
Guarantee: the optimum, to 1e-6 of it, where fewer planes than `planes` and fewer nodes than `nodes` are
    needed; else the best found, never worse than LazyGreedy, with HiGHS's bound as `Choice.bound`.
Use it when: the objective is modular, under limits that greedy does not solve: one program, for many
    thousands of rows. Not when: rows cover each other: BranchAndBound was faster wherever both were timed,
    and here some 30 rows and 5 to choose took 10 s; or the pool is large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits, Row
from shortlist.core.covers import RandomCover
from shortlist.core.errors import ContractError, InfeasibleError, UsageError
from shortlist.core.limits import bind_rows
from shortlist.core.pool import Pool
from shortlist.core.within import unordered
from shortlist.methods.solve.branch_and_bound import BranchAndBound, certified, shown, told
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.lazy_greedy import LazyGreedy

#: The same choice by trying all of them.
exact = Exhaustive()
#: Values nearer than this share of the best count as equal; HiGHS leaves out coefficients of 1e-9.
CLOSE = 1e-6
#: Planes that one answer in parts of rows may add.
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CuttingPlanes:
    """The best choice by integer programs of more and more planes.

    Args:
        planes: at most so many.
        nodes: branch-and-bound nodes of HiGHS at most, over all its integer programs (one more each).
    """

    planes: int = 1000
    nodes: int = 100_000

    def __post_init__(self) -> None:
        if self.planes < 1 or self.nodes < 1:
            raise UsageError(f"CuttingPlanes: planes and nodes must be at least 1, found {self!r}")

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to.

        Raises:
            ContractError: the objective is not submodular, so that planes may cut off the best.
            InfeasibleError: no choice meets all limits, or none was found.
        """
        unordered(limits, "CuttingPlanes")
        if not built.submodular:
            raise ContractError(
                f"CuttingPlanes needs a submodular objective; {'+'.join(built.terms)} is not: "
                "use Exhaustive()"
            )
        if not built.monotone:
            return BranchAndBound(nodes=self.nodes)(built, limits, pool)
        search = _Search(built, limits, self.planes, self.nodes)
        if not len(search.free) or not limits.k:
            return LazyGreedy()(built, limits, pool)
        greedy = LazyGreedy()(built, limits, Pool(np.arange(len(built)), {}))
        search.propose(greedy.rows)
        if greedy.bound is not None:
            search.high = min(search.high, greedy.bound[1])
        search.relax()
        search.settle()
        if search.best is None:
            raise InfeasibleError(limits.names, ("not looked for: the planes ran out before a choice",))
        return certified(built, limits, pool, np.sort(search.best), search.high)


class _Search:
    """A program that grows, the best choice so far, and what none can pass.

    Columns are the rows that may be taken, `free` i64[m] by increasing position, then eta; all values are in
    units of the largest single gain.
    """

    def __init__(self, built: Built, limits: Limits, planes: int, nodes: int) -> None:
        self.built, self.limits, self.left, self.nodes = built, limits, planes, nodes
        self.free = np.setdiff1d(np.arange(len(built)), limits.shown)
        self.state = shown(built, limits)
        single = built.gains(self.state, self.free).sum(axis=1)
        self.unit = float(single.max(initial=0.0)) or 1.0
        self.program = Program(limits, self.free)
        self.known: set[bytes] = set()
        self.best: I64 | None = None
        self.value, self.high = -np.inf, float(single.sum())
        self.add(Plane(self.free[:0], 0.0, single))

    @property
    def settled(self) -> bool:
        """Whether there is a choice that none can pass by much."""
        return self.best is not None and self.high <= self.value + CLOSE * max(self.unit, abs(self.value))

    def propose(self, at: I64) -> bool:
        """A choice that may be the best, with its plane; False if it breaks a limit."""
        *_, plane = self.along(at)
        self.add(plane)
        if self.limits.check(at):
            return False
        if plane.value > self.value:
            self.best, self.value = at, plane.value
        return True

    def around(self, at: I64) -> None:
        """Planes of the first rows of a set, best first, and of all but one: they save many of the programs
        that would find them."""
        at = told(self.built, self.limits, at)[0]
        for i, plane in zip(range(len(at)), self.along(at), strict=False):
            self.add(plane)
            *_, without = self.along(np.delete(at, i))
            self.add(without)

    def along(self, order: I64) -> Iterator[Plane]:
        """The planes of the first 0, 1, .. of these rows."""
        state, value = self.state, 0.0
        for m in range(len(order) + 1):
            gains = self.built.gains(state, self.free).sum(axis=1)
            gains[np.isin(self.free, order[:m])] = 0.0
            yield Plane(order[:m], value, np.maximum(gains, 0.0))
            if m < len(order):
                value += float(gains[np.searchsorted(self.free, order[m])])
                state = self.built.add(state, int(order[m]))

    def add(self, plane: Plane) -> bool:
        """The plane joins the program, unless it is there or there are enough."""
        key = np.sort(plane.at).tobytes()
        if key in self.known or self.left <= 0:
            return False
        self.known.add(key)
        self.left -= 1
        self.program.plane(plane.gains / self.unit, plane.value / self.unit)
        return True

    def lower(self, bound: float) -> None:
        """No choice is worth more than this, in units, by HiGHS's word and rounding."""
        self.high = min(self.high, bound * self.unit + CLOSE * max(self.unit, abs(bound * self.unit)))

    def relax(self) -> None:
        """Planes at the first rows of answers in parts of rows, while they cut something off."""
        while self.left > 0 and not self.settled:
            answer = self.program.solve()
            if answer is None:
                return
            self.lower(answer.bound)
            order = np.argsort(-answer.x, kind="stable")
            order = self.free[order[answer.x[order] > CLOSE][: 2 * self.limits.k]]
            planes = list(self.along(order))
            says = np.array([(p.value + float(p.gains @ answer.x)) / self.unit for p in planes])
            worst = [i for i in np.argsort(says, kind="stable")[:AT_ONCE] if says[i] < answer.eta - CLOSE]
            added = [self.add(planes[i]) for i in worst]
            if not any(added):
                return

    def settle(self) -> None:
        """Whole answers, until none is left that could be worth more than the best."""
        while not self.settled:
            answer = self.program.solve(nodes=self.nodes)
            if answer is None:  # the program has cut off all choices but worse ones
                self.high = self.value if self.best is not None else self.high
                return
            self.lower(answer.bound)
            if not answer.found:
                return
            at = self.free[answer.x > 0.5]
            known = at.tobytes() in self.known
            kept = self.propose(at)
            self.nodes -= answer.nodes
            if self.left <= 0 or self.nodes <= 0 or (known and kept):
                return  # a known plane says what the set is worth, but for rounding
            self.around(at)
            if not kept:
                self.left -= 1
                self._cut_off(at)

    def _cut_off(self, at: I64) -> None:
        """This set may not come again: for two of its rows that turn each other away, or as it is."""
        pairs = [(a, b) for i, a in enumerate(at.tolist()) for b in at[i + 1 :].tolist() if self._apart(a, b)]
        for pair in pairs:
            self.program.at_most(np.searchsorted(self.free, np.array(pair)), 1)
        if not pairs:
            self.program.other_than(np.searchsorted(self.free, at))

    def _apart(self, a: int, b: int) -> bool:
        """Whether each of two rows is refused for good after the other, by more than a reserve."""
        return self._refused(a, b) and self._refused(b, a)

    def _refused(self, first: int, then: int) -> bool:
        limits, rows = self.limits, self.limits.rows
        if not limits.allows(limits.start(), np.array([first]))[0]:
            return False
        by = limits.refuses(limits.add(limits.start(), first), then)
        return by >= 0 and (by >= len(rows) or rows[by].low <= 0)


class Plane(NamedTuple):
    """eta <= value + gains x: what the rows `at` are worth, and what each other one f64[m] would add."""

    at: I64
    value: float
    gains: F64


class Answer(NamedTuple):
    """x f64[m], eta, and a bound of eta over all answers; found: x is one; nodes it took."""

    x: F64
    eta: float
    bound: float
    found: bool
    nodes: int


class Program:
    """The program as HiGHS holds it: columns are m rows and eta, which is to be largest."""

    def __init__(self, limits: Limits, free: I64) -> None:
        import highspy

        self.m = len(free)
        self.api: Any = highspy
        self.highs = self.api.Highs()
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 0),
            ("mip_feasibility_tolerance", 1e-9),
            ("primal_feasibility_tolerance", 1e-9),
            ("mip_rel_gap", CLOSE / 10),
            ("mip_abs_gap", CLOSE / 10),
        ):
            self.highs.setOptionValue(name, value)
        for at in free.tolist():
            self.highs.addVar(float(at in limits.must), 1.0)
            self.highs.changeColIntegrality(self.highs.getNumCol() - 1, highspy.HighsVarType.kInteger)
        self.highs.addVar(-highspy.kHighsInf, highspy.kHighsInf)
        self.highs.changeColCost(self.m, -1.0)
        self.at_most(np.arange(self.m), limits.k)
        for row in limits.rows:
            self._inequality(row, free)

    def plane(self, gains: F64, value: float) -> None:
        """eta <= value + gains x."""
        some = np.flatnonzero(gains > 0)
        self._row(-np.inf, value, np.append(some, self.m), np.append(-gains[some], 1.0))

    def at_most(self, columns: I64, most: float) -> None:
        """No more than so many of these rows."""
        self._row(-np.inf, most, columns, np.ones(len(columns)))

    def other_than(self, columns: I64) -> None:
        """Any set of rows but this one."""
        sign = np.full(self.m, -1.0)
        sign[columns] = 1.0
        self._row(-np.inf, len(columns) - 1.0, np.arange(self.m), sign)

    def _inequality(self, row: Row, free: I64) -> None:
        at = free if row.at is None else np.intersect1d(row.at, free)
        weight = np.ones(len(at))
        if row.weight is not None:
            weight = row.weight[at if row.at is None else np.searchsorted(row.at, at)]
        scale = row.high if 0 < row.high < np.inf and row.weight is not None else 1.0
        some = weight > 0
        self._row(row.low / scale, row.high / scale, np.searchsorted(free, at[some]), weight[some] / scale)

    def _row(self, low: float, high: float, columns: I64, weight: F64) -> None:
        self.highs.addRow(low, high, len(columns), columns.astype(np.int32), weight)

    def solve(self, *, nodes: int = 0) -> Answer | None:
        """The best answer of parts of rows, or of whole ones in so many nodes; None if there is none."""
        highs, status = self.highs, self.api.HighsModelStatus
        whole = nodes > 0
        highs.setOptionValue("solve_relaxation", not whole)
        highs.setOptionValue("mip_max_nodes", nodes)
        highs.run()
        if highs.getModelStatus() in (status.kInfeasible, status.kUnboundedOrInfeasible):
            return None
        info = highs.getInfo()
        found = info.primal_solution_status == self.api.SolutionStatus.kSolutionStatusFeasible
        x = np.array(highs.getSolution().col_value) if found else np.zeros(self.m + 1)
        bound = -info.mip_dual_bound if whole else -info.objective_function_value
        return Answer(
            x[:-1],
            float(x[-1]),
            float(bound) if found or whole else np.inf,
            found,
            max(1, info.mip_node_count),
        )


EXAMPLES = (CuttingPlanes(), CuttingPlanes(planes=300))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the planes' value less that of trying every choice of 4 of 12 rows, a quota among them, for m
    random set covers."""
    more = np.empty(5 * scale)
    pool = Pool(np.arange(12), {})
    size = Row("size=4", "size", None, None, 0, 4)
    quota = Row("a>=2", "quota", np.arange(4), None, 2, 3)
    for i in range(len(more)):
        built, limits = RandomCover.drawn(rng, 12, 40), bind_rows([size, quota], 12)
        ours, best = (solver(built, limits, pool) for solver in (CuttingPlanes(), exact))
        more[i] = ours.total - best.total
    return more


CLAIM = Claim(
    paper="Nemhauser and Wolsey 1981",
    says="a monotone submodular function is largest where an integer program over its planes is",
    we_show="on random set covers with a quota its choice is worth what the best of all choices is",
    not_shown="how many planes a pool takes: where gains fall steeply, far too many",
    measure=claim,
    margin=0.0,
)
