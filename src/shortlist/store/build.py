"""From the columns of a table to signals: missing values filled by their stated rule, bad rows named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, Bool
from shortlist.core.errors import UsageError
from shortlist.core.signals import Costs, Scores, Signal, Vectors
from shortlist.store import convert
from shortlist.store.arrays import VectorFile, bad_vectors
from shortlist.store.column import Column
from shortlist.store.infer import MAX_GROUPS, direction_of, names_groups, unit_of
from shortlist.store.roles import DIRECTIONS, LABEL, MissingRules, SignalInfo, split_suffix

_WORDS = ("median", "worst", "drop")


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot stay: its position, column, reason and fix; asked: the user said to drop it."""

    at: int
    column: str
    reason: str
    fix: str
    asked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A signal, how it came to be, and the rows that cannot stay."""

    signal: Signal
    info: SignalInfo
    faults: list[Fault]


def make(role: str, told: str, column: Column, rules: MissingRules, inferred: bool) -> Made:
    """The signal of a column in a role. told: as the user wrote it, suffix included."""
    name, suffix = split_suffix(role, told) if role in ("score", "cost", "holdout") else (told, "")
    rule = rule_of(rules, name)
    origin = "inferred" if inferred else "told"
    if role == "holdout":
        made = _set_aside(name, suffix, column, rule)
    elif role == "score":
        made = _scores(name, suffix, column, rule, "worst")
    elif role == "cost":
        made = _costs(name, suffix, column, rule)
    else:
        made = _MAKERS[role](name, column, rule)
    return replace(made, info=replace(made.info, role=role, origin=origin))


def vectors_of_file(file: VectorFile, name: str, ordinal: Any, read: int) -> Made:
    """The vectors of a file beside the table; the map is passed on as it is when every row is kept."""
    whole = len(ordinal) == read
    faults = [
        Fault(at, name, reason, "repair it, or drop bad rows")
        for at, reason in bad_vectors(file.values, None if whole else ordinal)
    ]
    values = file.values if whole else np.ascontiguousarray(file.values[ordinal])
    info = _info(
        name, np.zeros(len(ordinal), np.bool_), "", f"{values.shape[1]} dimensions, from {file.path}"
    )
    return Made(Vectors(values), replace(info, role="vector", origin="told"), faults)


def rule_of(rules: MissingRules, name: str) -> str | float | None:
    """What the user wants in place of missing values of a column: a word, a number, or None.

    Raises:
        UsageError: neither a known word nor a number.
    """
    rule = rules.get(name)
    if rule is None or rule in _WORDS:
        return rule
    try:
        number = float(rule)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise UsageError(f"missing {name}={rule}: write median, worst, drop or a number")
    return number


def _scores(name: str, suffix: str, column: Column, rule: str | float | None, default: str) -> Made:
    values, missing, bad = convert.numbers(column)
    direction = suffix or direction_of(name) or "higher"
    faults = _faults(name, bad, "correct the value, or write null for missing")
    faults += _dropped(name, missing, rule)
    if missing.all() and len(missing) and rule != "drop" and not isinstance(rule, float):
        faults += [Fault(0, name, "no row has a value", "leave this score out")]
        rule = 0.0
    ok = ~missing
    ok[[at for at, _ in bad]] = False
    filled, fill = _filled(values, missing, ok, default if rule is None else rule, direction)
    # Bad rows leave before the signal is used; zero keeps the array finite until then.
    filled[[at for at, _ in bad]] = 0.0
    signal = Scores(filled, direction == "higher", "", missing if missing.any() else None, fill)
    return Made(signal, replace(_info(name, missing, fill, _span(values[ok])), direction=direction), faults)


def _filled(values: F64, missing: Bool, ok: Bool, rule: str | float, direction: str) -> tuple[F64, str]:
    """Values with the missing ones filled, and the sentence that says how."""
    if not missing.any() or rule == "drop" or not (ok.any() or isinstance(rule, float)):
        return values, ""
    if isinstance(rule, float):
        number, what = rule, "the number told"
    elif rule == "median":
        number, what = float(np.median(values[ok])), "the median"
    else:
        number = float(values[ok].min() if direction == "higher" else values[ok].max())
        what = f"the worst value seen ({'lowest' if direction == 'higher' else 'highest'})"
    return np.where(missing, number, values), f"missing is {what}, {number:g}"


def _costs(name: str, suffix: str, column: Column, rule: str | float | None) -> Made:
    values, missing, bad = convert.numbers(column)
    known = {at for at, _ in bad}
    bad += [(int(at), f"{values[at]:g} is below 0") for at in np.flatnonzero(values < 0) if at not in known]
    faults = _faults(name, bad, "a cost is a number from 0 up")
    if rule is None:
        fix = f"give its cost, or tell what missing means: --missing {name}=median|worst|drop|NUMBER"
        faults += [Fault(int(at), name, "no cost", fix) for at in np.flatnonzero(missing)]
    faults += _dropped(name, missing, rule)
    ok = ~missing
    ok[[at for at, _ in bad]] = False
    if isinstance(rule, float) and rule < 0:
        raise UsageError(f"missing {name}={rule:g}: a cost is a number from 0 up")
    filled, fill = _filled(values, missing, ok, "drop" if rule is None else rule, "lower")
    filled[[at for at, _ in bad]] = 0.0
    unit = suffix or unit_of(name)
    info = _info(name, missing, fill, f"{_span(values[ok])} {unit}")
    return Made(Costs(filled, unit), replace(info, direction="lower"), faults)


def _labels(name: str, column: Column, rule: str | float | None) -> Made:
    signal, missing, bad = convert.labels(column)
    faults = _faults(name, bad, "a group is a name") + _only_drop(name, missing, rule)
    fill = f"missing is a group of its own, {convert.MISSING}" if missing.any() else ""
    return Made(signal, _info(name, missing, fill, _names(signal.names)), faults)


def _tags(name: str, column: Column, rule: str | float | None) -> Made:
    signal, missing, bad = convert.tags(column)
    faults = _faults(name, bad, "tags are a list of names") + _only_drop(name, missing, rule)
    fill = "missing is no tag" if missing.any() else ""
    return Made(signal, _info(name, missing, fill, _names(signal.names)), faults)


def _text(name: str, column: Column, rule: str | float | None) -> Made:
    signal, missing, bad = convert.text(column)
    faults = _faults(name, bad, "text is a string") + _only_drop(name, missing, rule)
    fill = "missing is the empty text" if missing.any() else ""
    length = np.diff(signal.offsets)
    span = f"{length.min():,} to {length.max():,} bytes" if len(length) else ""
    return Made(signal, _info(name, missing, fill, span), faults)


def _vectors(name: str, column: Column, rule: str | float | None) -> Made:
    values, missing, bad = convert.vectors(column)
    faults = _faults(name, bad, "repair it, or drop bad rows")
    if rule is None:
        fix = f"give its vector, or leave such rows out: --missing {name}=drop"
        faults += [Fault(int(at), name, "no vector", fix) for at in np.flatnonzero(missing)]
    faults += _only_drop(name, missing, rule)
    signal = Vectors(np.ascontiguousarray(values))
    return Made(signal, _info(name, missing, "", f"{values.shape[1]} dimensions"), faults)


def _set_aside(name: str, suffix: str, column: Column, rule: str | float | None) -> Made:
    """A holdout column in the kind its values suggest: numbers, lists of names, or else groups.

    Numbers are groups where the user says so (`:label`), or where they are few and the name says so.
    """
    kinds = column.kinds()
    if kinds & {"texts"}:
        return _tags(name, column, rule)
    numeric = bool(kinds) and kinds <= {"int", "float"}
    if kinds == {"cell"}:
        numeric = not convert.numbers(column)[2]
    if numeric and suffix not in DIRECTIONS:
        values, missing, _ = convert.numbers(column)
        few = 2 < len(np.unique(values[~missing])) <= MAX_GROUPS
        numeric = suffix != LABEL and not (few and names_groups(name))
    return _scores(name, suffix, column, rule, "median") if numeric else _labels(name, column, rule)


def _faults(name: str, bad: convert.Bad, fix: str) -> list[Fault]:
    return [Fault(at, name, reason, fix) for at, reason in bad]


def _dropped(name: str, missing: Bool, rule: str | float | None) -> list[Fault]:
    if rule != "drop":
        return []
    return [Fault(int(at), name, "no value (told to drop)", "", True) for at in np.flatnonzero(missing)]


def _only_drop(name: str, missing: Bool, rule: str | float | None) -> list[Fault]:
    if rule not in (None, "drop"):
        raise UsageError(f"missing {name}={rule}: only drop has a meaning for this column")
    return _dropped(name, missing, rule)


def _info(name: str, missing: Bool, fill: str, span: str) -> SignalInfo:
    n, m = len(missing), int(missing.sum())
    return SignalInfo(
        name=name,
        role="",
        direction="",
        origin="",
        coverage=1.0 if n == 0 else (n - m) / n,
        missing=m,
        fill=fill,
        range=span,
    )


def _span(values: F64) -> str:
    if not len(values):
        return "no values"
    return f"{values.min():.6g} to {values.max():.6g}, median {np.median(values):.6g}"


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])[:120]
    return f"{len(names):,} names: {shown}{', ...' if len(names) > 5 else ''}"


_MAKERS: dict[str, Callable[[str, Column, str | float | None], Made]] = {
    "group": _labels,
    "tags": _tags,
    "text": _text,
    "vector": _vectors,
}
