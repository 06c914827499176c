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

import numpy as np

from shortlist.core.account import highest, values
from shortlist.core.arrays import I64
from shortlist.core.contracts import Constraint, Row
from shortlist.core.errors import ContractError, InfeasibleError
from shortlist.core.limits import BoundLimits, NoWitness, all_rows, bind_rows
from shortlist.core.pool import Pool
from shortlist.methods.constrain.exact import program
from shortlist.methods.constrain.listed import short

#: Longer lists of rows are named as one in a conflict.
NAMED = 1000


def settle(
    pool: Pool,
    constraints: Sequence[Constraint],
    k: int | None = None,
    *,
    call: Callable[[int], str] = str,
) -> BoundLimits:
    """The limits of these constraints, sure to end in a choice that keeps them all.

    Args:
        pool: the candidates.
        constraints: rules.
        k: most rows to choose; None: as the constraints say.
        call: how a global row is called in messages (its id).

    Raises:
        InfeasibleError: no choice keeps them all; names the conflict and the smallest relaxation.
        UsageError, ContractError: a constraint does not suit the pool.
    """
    rows = all_rows(pool, constraints, k)
    n = len(pool)
    try:
        return bind_rows(rows, n)
    except NoWitness:
        pass

    def named(i: int) -> str:
        return call(int(pool.rows[i]))

    def shares(size: int) -> list[tuple[float, float]]:
        return [(r.low, r.high) for c in constraints for r in c.rows(pool, size) if r.kind == "quota"]

    sizes = [i for i, r in enumerate(rows) if r.kind == "size" and r.high < math.inf]
    asked = int(min((rows[i].high for i in sizes), default=n))
    # a larger size moves the shares with it: it is offered only where no bound is a share
    fixed = sizes if shares(asked) != shares(2 * n + 1) else ()
    return bind_rows(rows, n, witness=feasible(rows, n, fixed=fixed, call=named))


def feasible(
    rows: Sequence[Row], n: int, *, fixed: Collection[int] = (), call: Callable[[int], str] = str
) -> I64:
    """Positions, increasing, of rows that keep every inequality; not the only ones, and few.

    Args:
        rows: inequalities over n rows.
        n: rows of the pool.
        fixed: inequalities, by index, that a relaxation may not touch. Rows of kind 'shown' never are.
        call: how the row at a position is called in messages.

    Raises:
        InfeasibleError: there are none.
    """
    at = program(rows, n).solve(range(len(rows)))
    if at is not None:
        return at
    raise InfeasibleError(
        tuple(_named(_conflict(rows, n), n, call)), tuple(changes(rows, n, relaxed(rows, n, fixed), call))
    )


def conflict(rows: Sequence[Row], n: int, call: Callable[[int], str] = str) -> list[str]:
    """Texts of rules that cannot hold together, though any of them left out would let the others hold.

    Lists of rows named by hand are split, so that the row at fault is named. [] if all can hold.
    """
    return [] if program(rows, n).solve(range(len(rows))) is not None else _named(_conflict(rows, n), n, call)


def _named(found: list[Row], n: int, call: Callable[[int], str]) -> list[str]:
    lists = [r for r in found if r.kind in _LISTS and r.at is not None and len(r.at) > 1]
    if lists and sum(len(r.at) for r in lists if r.at is not None) <= NAMED:
        found = _conflict([one for r in found for one in _apart(r, call)], n)
    return list(dict.fromkeys(r.rule or r.text for r in found))


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


def _conflict(rows: Sequence[Row], n: int) -> list[Row]:
    """The inequalities of an irreducible clash among rules that are known to clash (QuickXplain)."""
    whole, rules = program(rows, n), together(rows)

    def clash(using: list[int]) -> bool:
        return whole.solve(i for r in using for i in rules[r]) is None

    def explain(given: list[int], grown: bool, among: list[int]) -> list[int]:
        if grown and clash(given):
            return []
        if len(among) == 1:
            return among
        half = len(among) // 2
        second = explain(given + among[:half], True, among[half:])
        return explain(given + second, bool(second), among[:half]) + second

    return [rows[i] for r in sorted(explain([], False, list(range(len(rules))))) for i in rules[r]]


def relaxed(rows: Sequence[Row], n: int, fixed: Collection[int] = ()) -> I64:
    """Positions that keep the rules as nearly as any can: least sum of relative breaches, within 1%."""
    hard = {*fixed, *(i for i, r in enumerate(rows) if r.kind == "shown")}
    soft = [rule for rule in together(rows) if not hard.intersection(rule)]
    at = program(rows, n).solve(range(len(rows)), soft)
    if at is None:
        raise ContractError("the bounds that may not be relaxed clash by themselves")
    return at


def changes(rows: Sequence[Row], n: int, at: I64, call: Callable[[int], str] = str) -> list[str]:
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
    return out


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
