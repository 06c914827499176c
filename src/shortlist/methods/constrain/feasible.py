"""Whether any choice keeps every bound; if none does, which bounds clash and the least change that would do.

Source: irreducible conflicts by divide and conquer: Junker 2004, AAAI, 167-172 (QuickXplain); least change:
elastic programming, Chinneck 2008, Feasibility and Infeasibility in Optimization, ch. 6,
doi:10.1007/978-0-387-74932-7.
Deviates: none.
Cost: one integer program, c log(R / c) more to name c clashing bounds of R.
Memory: a few thousand variables.
Guarantee: exact: a witness keeps every bound; without one, the conflict named cannot hold and every smaller
part of it can; the relaxation makes all bounds hold, at the least sum of relative changes.
Use it when least counts meet budgets or overlapping groups. Not in a loop: `core.limits` answers row by row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shortlist.core.account import highest, values
from shortlist.core.arrays import I64
from shortlist.core.contracts import Constraint, Cut, Row, Rule
from shortlist.core.counts import NoWitness
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, InfeasibleError
from shortlist.core.limits import BoundLimits, Run, all_rows, all_rules, bind_rows
from shortlist.core.pool import Pool
from shortlist.methods.constrain.exact import ROUNDS, Program, program
from shortlist.methods.constrain.listed import short

#: Longer lists of rows are named as one in a conflict.
NAMED = 1000


def settle(
    pool: Pool,
    constraints: Sequence[Constraint],
    k: int | None = None,
    *,
    call: Callable[[int], str] = str,
    run: Run = alone,
) -> BoundLimits:
    """The limits of these constraints, sure to end in a choice that keeps them all.

    Args:
        pool: the candidates.
        constraints: rules.
        k: most rows to choose; None: as the constraints say.
        call: how a global row is called in messages (its id).
        run: carries out the plans of rules.

    Raises:
        InfeasibleError: no choice keeps them all; names the conflict and the smallest relaxation.
        UsageError, ContractError: a constraint does not suit the pool, or it could not be decided.
    """

    def named(i: int) -> str:
        return call(int(pool.rows[i]))

    n = len(pool)
    rows = [called(r, named) for r in all_rows(pool, constraints, k)]
    rules = all_rules(pool, constraints, rows, run)
    try:
        return bind_rows(rows, n, rules=rules)
    except NoWitness as e:
        failed = e

    def shares(size: int) -> list[tuple[float, float]]:
        return [(r.low, r.high) for c in constraints for r in c.rows(pool, size) if r.kind == "quota"]

    sizes = [i for i, r in enumerate(rows) if r.kind == "size" and r.high < math.inf]
    asked = int(min((rows[i].high for i in sizes), default=n))
    # a larger size moves the shares with it: it is offered only where no bound is a share
    fixed = sizes if shares(asked) != shares(2 * n + 1) else ()
    witness = feasible(rows, n, rules=rules, fixed=fixed, call=named)
    try:
        return bind_rows(rows, n, witness=witness, rules=rules)
    except NoWitness:
        if not failed.proved:
            raise
    raise InfeasibleError(
        tuple(_disordered(rows, rules, n)), ("rules of order are not relaxed: leave one of these out",)
    )


def called(row: Row, call: Callable[[int], str]) -> Row:
    """A list of rows with its text in the user's words."""
    if row.kind not in _LISTS or row.at is None:
        return row
    return replace(row, text=short(row.kind, (call(i) for i in row.at.tolist())))


def feasible(
    rows: Sequence[Row],
    n: int,
    *,
    rules: Sequence[Rule] = (),
    fixed: Collection[int] = (),
    call: Callable[[int], str] = str,
) -> I64:
    """Positions, increasing, of rows that keep every inequality; not the only ones, and few.

    Args:
        rows: inequalities over n rows.
        n: rows of the pool.
        rules: those that can be read as rules about sets.
        fixed: inequalities, by index, that a relaxation may not touch. Rows of kind 'shown' never are.
        call: how the row at a position is called in messages.

    Raises:
        InfeasibleError: there are none.
    """
    clash = Clash.over(rows, n, rules)
    at = clash.kept(clash.units)
    if at is not None:
        return at
    notes: list[str] = []
    nearly = relaxed(rows, n, fixed, rules, notes)
    change = changes(rows, n, nearly, call, rules) + notes + clash.notes
    raise InfeasibleError(tuple(_named(clash, call)), tuple(change))


def conflict(
    rows: Sequence[Row], n: int, call: Callable[[int], str] = str, rules: Sequence[Rule] = ()
) -> list[str]:
    """Texts of rules that cannot hold together, though any of them left out would let the others hold.

    Lists of rows named by hand are split, so that the row at fault is named. [] if all can hold.
    """
    clash = Clash.over(rows, n, rules)
    return [] if clash.kept(clash.units) is not None else _named(clash, call)


def _named(clash: Clash, call: Callable[[int], str]) -> list[str]:
    found, rules = clash.irreducible()
    lists = [r for r in found if r.kind in _LISTS and r.at is not None and len(r.at) > 1]
    if lists and sum(len(r.at) for r in lists if r.at is not None) <= NAMED:
        apart = Clash.over([one for r in found for one in _apart(r, call)], clash.n, rules, clash.had)
        found, rules = apart.irreducible()
    return list(dict.fromkeys([r.rule or r.text for r in found] + [r.text for r in rules]))


def together(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of inequalities that the user wrote as one rule, in the order of their first."""
    found: dict[str, list[int]] = {}
    for i, r in enumerate(rows):
        found.setdefault(r.rule or f"{i}", []).append(i)
    return list(found.values())


_LISTS = ("include", "exclude", "shown")


def _apart(row: Row, call: Callable[[int], str]) -> list[Row]:
    if row.kind not in _LISTS or row.at is None:
        return [row]
    low, high = (1.0, math.inf) if row.low > 0 else (-math.inf, 0.0)
    return [
        Row(short(row.kind, [call(i)]), row.kind, np.array([i]), None, low, high) for i in row.at.tolist()
    ]


@dataclass(slots=True, eq=False)
class Clash:
    """Which of some rules clash. Sets of rows that keep some of them are kept: they answer most questions.

    units: the inequalities of each rule as the user wrote it, then the rules beside them, as -1 - index.
    cuts: those found so far, a list a rule; known: what was found to keep which units.
    """

    whole: Program
    n: int
    groups: list[list[int]]
    rules: Sequence[Rule]
    had: I64
    cuts: list[list[Cut]]
    known: list[frozenset[int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def over(cls, rows: Sequence[Row], n: int, rules: Sequence[Rule] = (), had: I64 | None = None) -> Clash:
        """All rules of some inequalities over n rows, and the rules beside them."""
        whole = program(rows, n, apart=bool(rules), every=any(r.ordered for r in rules))
        had = _shown(rows) if had is None else had
        return cls(whole, n, together(rows), rules, had, [[] for _ in rules])

    @property
    def units(self) -> list[int]:
        """All of them."""
        return [*range(len(self.groups)), *(-1 - i for i in range(len(self.rules)))]

    def kept(self, units: Sequence[int]) -> I64 | None:
        """Positions that keep these units; None if there are none.

        Raises:
            ContractError: undecided after very long work.
        """
        using = [i for u in units if u >= 0 for i in self.groups[u]]
        beside = [-1 - u for u in units if u < 0]
        for _ in range(ROUNDS):
            at = self.whole.solve(using, cuts=[c for r in beside for c in self.cuts[r]])
            if at is None:
                return None
            broken = {r: cuts for r in beside if (cuts := self.rules[r].cuts(at, self.had))}
            if not broken:
                self.known.append(self._keeps(at))
                return at
            for r, cuts in broken.items():
                self.cuts[r] += cuts
        raise ContractError(f"could not be decided in {ROUNDS} rounds of the exact search")

    def _keeps(self, at: I64) -> frozenset[int]:
        bad = {
            i
            for i, (r, v) in enumerate(zip(self.whole.rows, values(self.whole.rows, at, self.n), strict=True))
            if not r.low <= v <= highest(r)
        }
        fine = [u for u, group in enumerate(self.groups) if not bad.intersection(group)]
        return frozenset(fine + [-1 - i for i, r in enumerate(self.rules) if not r.cuts(at, self.had)])

    def clashes(self, units: Sequence[int]) -> bool:
        """Whether nothing keeps these units. Where that is not decided the answer is no, and is noted."""
        if any(known.issuperset(units) for known in self.known):
            return False
        try:
            return self.kept(units) is None
        except ContractError:
            self.notes[:] = ["(the search was ended: fewer constraints may clash)"]
            return False

    def irreducible(self) -> tuple[list[Row], list[Rule]]:
        """Units that clash, each of them needed for it (QuickXplain).

        What clashes even in parts of rows is found first, by programs without whole numbers, then thinned.
        """
        plain, warm = [u for u in self.units if u >= 0], self.whole.warm()

        def in_parts(units: list[int]) -> bool:
            if warm is None or any(known.issuperset(units) for known in self.known):
                return False
            return warm.clashes(i for u in units for i in self.groups[u])

        found = self.units
        if in_parts(plain):
            found = explained(in_parts, plain)
            for u in list(found):  # whole rows may clash with fewer
                if len(found) > 1 and self.clashes([v for v in found if v != u]):
                    found.remove(u)
        else:
            found = explained(self.clashes, found)
        rows = [self.whole.rows[i] for u in sorted(found) if u >= 0 for i in self.groups[u]]
        return rows, [self.rules[-1 - u] for u in sorted(found, reverse=True) if u < 0]


def explained(clash: Callable[[list[int]], bool], among: list[int]) -> list[int]:
    """An irreducible part of what clashes, by divide and conquer."""

    def explain(given: list[int], grown: bool, among: list[int]) -> list[int]:
        if grown and clash(given):
            return []
        if len(among) == 1:
            return among
        half = len(among) // 2
        second = explain(given + among[:half], True, among[half:])
        return explain(given + second, bool(second), among[:half]) + second

    return explain([], False, among)


def _disordered(rows: Sequence[Row], rules: Sequence[Rule], n: int) -> list[str]:
    """What clashes with rules of order, one rule left out after the other; each is needed for the clash."""
    groups = together(rows)
    left = [*range(len(groups)), *(-1 - i for i in range(len(rules)))]

    def clash(units: list[int]) -> bool:
        some = [rows[i] for u in units if u >= 0 for i in groups[u]]
        try:
            bind_rows(some, n, rules=[rules[-1 - u] for u in units if u < 0])
        except NoWitness as e:
            return e.proved
        return False

    for u in list(left):
        if clash([v for v in left if v != u]):
            left.remove(u)
    texts = [rows[groups[u][0]] for u in left if u >= 0]
    return [r.rule or r.text for r in texts] + [rules[-1 - u].text for u in left if u < 0]


def _shown(rows: Sequence[Row]) -> I64:
    found = [r.at for r in rows if r.kind == "shown" and r.at is not None]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def relaxed(
    rows: Sequence[Row],
    n: int,
    fixed: Collection[int] = (),
    rules: Sequence[Rule] = (),
    notes: list[str] | None = None,
) -> I64:
    """Positions that keep the rules as nearly as any can: least sum of relative breaches, within 1%."""
    hard = {*fixed, *(i for i, r in enumerate(rows) if r.kind == "shown")}
    soft = [rule for rule in together(rows) if not hard.intersection(rule)]
    whole, had = program(rows, n, apart=bool(rules), every=any(r.ordered for r in rules)), _shown(rows)
    loose: list[list[Cut]] = [[] for _ in rules]
    for _ in range(ROUNDS):
        at = whole.solve(range(len(rows)), soft, loose=loose, notes=notes)
        if at is None:
            raise ContractError("the bounds that may not be relaxed clash by themselves")
        # a breach that is paid for already asks for nothing more
        new = [
            [c for c in rule.cuts(at, had) if c.breach > 0 and not any(_same(c, d) for d in seen)]
            for rule, seen in zip(rules, loose, strict=True)
        ]
        if not any(new):
            return at
        for seen, more in zip(loose, new, strict=True):
            seen += more
    raise ContractError(f"no smallest change was found in {ROUNDS} rounds of the exact search")


def _same(a: Cut, b: Cut) -> bool:
    return len(a.at) == len(b.at) and bool((a.at == b.at).all() and (a.weight == b.weight).all())


def changes(
    rows: Sequence[Row],
    n: int,
    at: I64,
    call: Callable[[int], str] = str,
    rules: Sequence[Rule] = (),
) -> list[str]:
    """What must change for the choice at these positions to keep every rule, in the user's words."""
    chosen = np.zeros(n, bool)
    chosen[at] = True
    size = min([r.high for r in rows if r.kind == "size"], default=math.inf)
    found = values(rows, at, n)
    out = []
    for rule in together(rows):
        r = rows[rule[0]]
        value = (min if r.low > 0 else max)(found[i] for i in rule)
        if r.low <= value <= highest(r):
            continue
        if r.kind in _LISTS and r.at is not None:
            wrong = r.at[chosen[r.at] != (r.kind == "include")]
            verb = "leave out" if r.kind == "include" else "allow"
            out.append(f"{r.text} -> " + short(verb, [call(i) for i in wrong.tolist()]).replace("=", " ", 1))
        else:
            text = r.rule or r.text
            out.append(f"{text} -> {_rewritten(r, text, value, size)}")
    had = _shown(rows)
    return out + [f"{r.text} -> {how}" for r in rules if (how := r.relaxed(at, had))]


def _rewritten(row: Row, text: str, value: float, size: float) -> str:
    """The bound as it is written, with the number that would do."""
    written = re.fullmatch(r"(.*)(>=|<=|=)([^<>=]*)", text, re.DOTALL)
    head = written[1] + written[2] if written else f"{text}: "
    if row.weight is not None:
        return head + _rounded_up(value)
    count = f"{head}{value:.0f}"
    if text.endswith("%") and 0 < size < math.inf:
        round_ = math.floor if row.low > 0 else math.ceil  # the share must stand for this count again
        return f"{count} of {size:.0f} ({round_(value / size * 10_000) / 100:g}%)"
    return count


def _rounded_up(value: float) -> str:
    """A sum in at most 6 digits, never below it; whole numbers stay whole."""
    if value == int(value):
        return str(int(value))
    unit = 10.0 ** (math.floor(math.log10(value)) - 5)
    return f"{math.ceil(value / unit - 1e-9) * unit:.6g}"
