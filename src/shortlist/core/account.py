"""A finished choice against its inequalities, from the definition: what holds, and how tightly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from shortlist.core.arrays import I64, Bool
from shortlist.core.contracts import Constraint, Row, Rule
from shortlist.core.pool import Pool

#: A sum of costs may pass its limit by rounding: this share of the limit.
ROUNDING = 1e-9


def values(rows: Iterable[Row], at: I64, n: int) -> list[float]:
    """What each inequality sums to over the rows at positions i64[m]."""
    chosen = np.zeros(n, bool)
    chosen[at] = True
    return [_value(r, chosen, at) for r in rows]


def violations(rows: Sequence[Row], at: I64, n: int) -> list[str]:
    """Each inequality that the choice breaks, with what was found; also positions outside 0..n-1 or twice."""
    outside = at[(at < 0) | (at >= n)]
    if len(outside):
        return [f"position {int(outside[0])} is not among {n} rows"]
    out = [] if len(np.unique(at)) == len(at) else ["a row was chosen twice"]
    for r, value in zip(rows, values(rows, at, n), strict=True):
        if value < r.low:
            out.append(f"{r.text}: {value:g} found, at least {r.low:g} needed")
        if value > highest(r):
            out.append(f"{r.text}: {value:g} found, at most {r.high:g} allowed")
    return out


def broken(rules: Sequence[Rule], at: I64, had: I64, n: int) -> list[str]:
    """What a finished choice, in its order, breaks of rules that no inequality says; [] if nothing."""
    if len(np.unique(at)) < len(at) or ((at < 0) | (at >= n)).any():
        return []  # told by `violations`
    return [f"{r.text}: {what}" for r in rules if (what := r.breaks(at, had))]


def rule_accounts(rules: Sequence[Rule], at: I64) -> list[dict[str, str | float | bool | None]]:
    """Lines as in `accounts` for rules that no inequality says."""
    out: list[dict[str, str | float | bool | None]] = []
    for r in rules:
        value, low, high, tight = r.account(at)
        slack = min(value - low, high - value)
        out.append(
            {"text": r.text, "kind": r.kind, "value": _plain(value), "low": _plain(low), "high": _plain(high)}
            | {"slack": _plain(slack), "tight": tight}
        )
    return out


def highest(row: Row) -> float:
    """The upper bound with the rounding that a sum of costs is granted."""
    return row.high if row.weight is None else row.high * (1 + ROUNDING)


def accounts(rows: Sequence[Row], at: I64, n: int) -> list[dict[str, str | float | bool | None]]:
    """A JSON-ready line an inequality: text, kind, value, low, high, slack and whether it was tight.

    slack is the distance to the nearer bound. A count is tight at slack 0; a budget where nothing that is
    left would fit any more. Rounding never shows: a slack below 0 by rounding is 0.
    """
    chosen = np.zeros(n, bool)
    chosen[at] = True
    out: list[dict[str, str | float | bool | None]] = []
    for r in rows:
        value = _value(r, chosen, at)
        slack = min(value - r.low, r.high - value)
        slack = max(slack, 0.0) if value <= highest(r) and value >= r.low else slack
        out.append(
            {
                "text": r.text,
                "kind": r.kind,
                "value": _plain(value),
                "low": _plain(r.low),
                "high": _plain(r.high),
                "slack": _plain(slack),
                "tight": slack <= 0 if r.weight is None else bool(_least_left(r, chosen) > slack),
            }
        )
    return out


def broken_shares(pool: Pool, constraints: Sequence[Constraint], at: I64) -> list[str]:
    """Violations if shares are read of the size the choice has, not of the size asked for; [] if none.

    A choice that a budget ended early may hold 40% of the size asked for and more of its own.
    """
    rows = [r for c in constraints for r in c.rows(pool, len(at)) if r.kind == "quota"]
    return violations(rows, at, len(pool))


def _value(row: Row, chosen: Bool, at: I64) -> float:
    if row.at is None:
        return float(len(at) if row.weight is None else row.weight[at].sum())
    here = chosen[row.at]
    return float(here.sum() if row.weight is None else row.weight[here].sum())


def _least_left(row: Row, chosen: Bool) -> float:
    """The smallest cost among rows not chosen."""
    assert row.weight is not None
    left = row.weight[~(chosen if row.at is None else chosen[row.at])]
    return float(left.min(initial=np.inf))


def _plain(value: float) -> float | int | None:
    if not np.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)
