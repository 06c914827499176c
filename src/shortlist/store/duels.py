"""Duels from files or frames: two columns of items, a winner, perhaps a weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.errors import InputError
from shortlist.core.judgments import Duels
from shortlist.store import convert
from shortlist.store.column import Column
from shortlist.store.columnar import Decoder, read_columnar
from shortlist.store.delimited import read_delimited
from shortlist.store.files import expand, locate
from shortlist.store.frames import frame_source, is_frame
from shortlist.store.jsonl import read_jsonl
from shortlist.store.limits import default_memory
from shortlist.store.loaded import Source
from shortlist.store.rows import Rows, excerpt
from shortlist.store.table import Table, joined

#: Names that columns go by, in order of preference.
CONVENTIONS: Mapping[str, tuple[str, ...]] = {
    "x": ("item_x", "left", "model_a", "model_x", "player_a", "x", "a"),
    "y": ("item_y", "right", "model_b", "model_y", "player_b", "y", "b"),
    "winner": ("winner", "outcome", "preference", "result"),
    "weight": ("weight", "count"),
}
#: What a winner may be called, in lower case, beside the names of the two items.
WINNERS: Mapping[str, float] = {
    **dict.fromkeys(("x", "left", "a", "model_a", "item_x", "first", "1-0"), 1.0),
    **dict.fromkeys(("y", "right", "b", "model_b", "item_y", "second", "0-1"), 0.0),
    **dict.fromkeys(("tie", "draw", "tied", "equal", "tie (bothbad)", "both", "1/2-1/2"), 0.5),
}
_FIX = "write x, y or tie (left, right), the winner's name, or the probability in [0, 1] that x wins"


def read(data: Any, given: Mapping[str, str], format: str = "", memory: int | None = None) -> Duels:
    """Equivalent to `read_duels` of the rank door, which documents it; given: role -> column, '' to look.

    Raises:
        InputError: the input is bad: file, row, column, what was found, what to do.
        MemoryRefused: it would not fit.
    """
    limit = memory or default_memory()
    sources = [frame_source(data)] if is_frame(data) else [locate(n, format, None)[0] for n in expand(data)]
    with Decoder(limit) as decoder:
        table = joined([_parsed(s, given, decoder) for s in sources])
    columns = {role: _named(role, name, table) for role, name in given.items()}
    left, right, names = _items(table, columns)
    wins = _wins(table, columns, left, right, names)
    weights = _weights(table, columns["weight"])
    same = left == right
    if same.any():
        at = int(np.argmax(same))
        raise _bad(table, at, columns["y"], f"{excerpt(names[left[at]])} meets itself", "take the row out")
    return Duels(np.stack([left, right], axis=1), wins, weights, names)


def _parsed(source: Source, given: Mapping[str, str], decoder: Decoder) -> Rows:
    if source.format == "jsonl":
        return read_jsonl(source, decoder.memory, drop_bad=False)
    if source.format in ("csv", "tsv"):
        return read_delimited(source, decoder.memory, drop_bad=False)
    known = {name for names in CONVENTIONS.values() for name in names} | set(given.values())
    return read_columnar(source, decoder, lambda schema: [n for n in schema.names if n in known])


def _named(role: str, told: str, table: Table) -> str:
    """The column of a role; '' for a weight that is not there."""
    there = list(table.columns)
    if told:
        if told not in there:
            raise InputError(
                f"no such column (told as {role}); there are {', '.join(there[:20])}", column=told
            )
        return told
    # `x` and `a` are sides of one convention: both come from the same pair of names.
    for i, name in enumerate(CONVENTIONS[role]):
        partner = CONVENTIONS["y" if role == "x" else "x"][i] if role in "xy" else name
        if name in there and partner in there:
            return name
    if role == "weight":
        return ""
    raise InputError(
        f"no column for {role}; there are {', '.join(there[:20]) or 'none'}",
        file=table.files[0].name,
        fix=f"name it with --{role}, or {CONVENTIONS[role][0]}",
    )


def _bad(table: Table, at: int, column: str, found: str, fix: str) -> InputError:
    file = table.files[int(table.file[at])].name
    return InputError(found, file=file, row=int(table.line[at]), column=column, fix=fix)


def _strings(table: Table, name: str) -> Any:
    """large_string[m], null where there is nothing.

    Raises:
        InputError: a value is neither text nor number.
    """
    parts, bad = convert.strings(table.columns[name])
    if bad:
        raise _bad(table, bad[0][0], name, bad[0][1], "write a name")
    return pa.chunked_array(parts, pa.large_string()).combine_chunks()


def _items(table: Table, columns: Mapping[str, str]) -> tuple[I64, I64, tuple[str, ...]]:
    """Codes of both sides, i64[m], and names, left ones first, by first appearance."""
    both = []
    for role in ("x", "y"):
        side = _strings(table, columns[role])
        if side.null_count:
            at = int(np.argmax(np.asarray(side.is_null())))
            raise _bad(table, at, columns[role], "no item", "every duel needs both items")
        both.append(side)
    coded = pa.concat_arrays(both).dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    m = len(table)
    return codes[:m], codes[m:], tuple(coded.dictionary.to_pylist())


def _wins(table: Table, columns: Mapping[str, str], left: I64, right: I64, names: tuple[str, ...]) -> F64:
    name = columns["winner"]
    column = table.columns[name]
    if column.kinds() <= {"int", "float", "bool"}:
        wins, missing, bad = convert.numbers(column)
        found = list(bad)
    else:
        wins, missing, found = _said(column, table, name, left, right, names)
    outside = np.flatnonzero(~missing & ~((wins >= 0) & (wins <= 1)))
    reasons = {int(at): f"{wins[at]:g} is no probability" for at in outside} | dict(found)
    reasons |= {int(at): "no winner" for at in np.flatnonzero(missing)}
    if reasons:
        at = min(reasons)
        raise _bad(table, at, name, reasons[at], _FIX)
    return wins


def _said(
    column: Column, table: Table, name: str, left: I64, right: I64, names: tuple[str, ...]
) -> tuple[F64, Bool, list[tuple[int, str]]]:
    """Results written as words, names or numbers: f64[m], bool[m] missing, bad (position, reason).

    Names win over words: an item may be called 'a' or 'left'.
    """
    coded = _strings(table, name).dictionary_encode()
    missing = np.asarray(coded.indices.is_null())
    codes = coded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    values: list[str] = coded.dictionary.to_pylist()
    if not values:
        return np.zeros(column.length), missing, []
    code = {item: i for i, item in enumerate(names)}
    as_item = np.array([code.get(v, -1) for v in values], np.int64)[codes]
    as_word = np.array([_word(v) for v in values], np.float64)[codes]
    wins = np.where((as_item >= 0) & (as_item == left), 1.0, as_word)
    wins = np.where((as_item >= 0) & (as_item == right), 0.0, wins)
    unknown = np.flatnonzero(np.isnan(wins) & ~missing)
    bad = []
    for at in unknown[:1].tolist():
        value = values[codes[at]]
        met = f"{excerpt(names[left[at]])} nor {excerpt(names[right[at]])}"
        bad.append((at, f"the winner {excerpt(value)} is neither {met}"))
    return np.where(np.isnan(wins), 0.0, wins), missing, bad


def _word(value: str) -> float:
    """What a word or number says, nan if nothing."""
    word = value.strip().lower()
    if word in WINNERS:
        return WINNERS[word]
    try:
        number = float(word)
    except ValueError:
        return float("nan")
    return number if np.isfinite(number) else float("nan")


def _weights(table: Table, name: str) -> F64:
    if not name:
        return np.ones(len(table))
    values, missing, bad = convert.numbers(table.columns[name])
    reasons = {int(at): f"{values[at]:g} is no weight" for at in np.flatnonzero(~(values >= 0))} | dict(bad)
    reasons |= {int(at): "no weight" for at in np.flatnonzero(missing)}
    if reasons:
        at = min(reasons)
        raise _bad(table, at, name, reasons[at], "a weight is a number of 0 or more")
    return values
