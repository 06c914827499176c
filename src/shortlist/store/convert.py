"""From columns to the arrays of signals, with every value that cannot be one named by its position.

Each function returns its arrays and a list of bad (position, reason); the arrays hold anything there.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.core.arrays import F32, F64, I32, I64, Bool
from shortlist.core.signals import Labels, Tags, Text
from shortlist.store.arrays import bad_vectors
from shortlist.store.column import Column, bad_positions
from shortlist.store.rows import excerpt

Bad = list[tuple[int, str]]

#: What a cell of a delimited file may say for "no value"; the empty cell always does.
NOTHING = ("", "NA", "N/A", "na", "n/a", "null", "NULL", "None")
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
#: The group of rows without one.
MISSING = "(missing)"
_STRING = pa.large_string()
_KIND_SAYS = {"text": "a string", "floats": "a list", "texts": "a list", "other": "neither number nor text"}


def numbers(column: Column) -> tuple[F64, Bool, Bad]:
    """f64[n], bool[n] missing, bad. true is 1, false is 0; NaN and infinity are bad, null is missing."""
    values, missing = np.zeros(column.length), np.zeros(column.length, np.bool_)
    bad: Bad = []
    for a, kind, data in column.placed():
        b = a + len(data)
        missing[a:b] = _null(data)
        if kind in ("bool", "int", "float"):
            part = data.cast(pa.int8() if kind == "bool" else data.type).cast(pa.float64(), safe=False)
            values[a:b] = part.fill_null(0.0).to_numpy(zero_copy_only=False)
            for i in np.flatnonzero(~np.isfinite(values[a:b])).tolist():
                bad.append((a + i, _not_finite(values[a + i])))
        elif kind == "cell":
            values[a:b], missing[a:b], more = _cell_numbers(data, a)
            bad += more
        elif kind == "json":
            for i, value in _parsed(data):
                number = _number(value)
                if isinstance(number, str):
                    bad.append((a + i, number))
                else:
                    values[a + i] = number
        elif kind != "null":
            bad += [(a + i, f"{_KIND_SAYS[kind]}{_show(data, i)}, not a number") for i in _present(data)]
    return values, missing, bad


def strings(column: Column) -> tuple[list[Any], Bad]:
    """large_string arrays (null = missing) that together are the column, and bad."""
    out: list[Any] = []
    bad: Bad = []
    for a, kind, data in column.placed():
        if kind == "cell":
            out.append(pc.if_else(pc.equal(data, ""), None, data))
        elif kind == "json":
            part, more = _json_strings(data, a)
            out.append(part)
            bad += more
        elif kind in ("floats", "texts"):
            bad += [(a + i, "a list, not text") for i in _present(data)]
            out.append(pa.nulls(len(data), _STRING))
        else:
            try:
                out.append(data.cast(_STRING))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                bad += [(a + i, "neither text nor number") for i in _present(data)]
                out.append(pa.nulls(len(data), _STRING))
    return out, bad


def labels(column: Column) -> tuple[Labels, Bool, Bad]:
    """Groups coded by first appearance, bool[n] missing (in the group `(missing)`), bad."""
    parts, bad = strings(column)
    whole = pa.chunked_array(parts, _STRING).combine_chunks()
    missing = _null(whole)
    coded = pc.dictionary_encode(whole.fill_null(MISSING))
    codes: I32 = coded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return Labels(codes, tuple(coded.dictionary.to_pylist())), missing, bad


def text(column: Column) -> tuple[Text, Bool, Bad]:
    """Text (missing = empty), bool[n] missing, bad. Surrogates are kept."""
    parts, bad = _exact_strings(column)
    whole = pa.chunked_array(parts, pa.large_binary()).combine_chunks()
    return as_text(whole), _null(whole), bad


def ids(column: Column) -> tuple[Any, Bad]:
    """large_binary[n]: ids as exact strings, and bad (missing, empty, or no id at all).

    A whole number is its digits. In a column that holds numbers and strings, a string that reads as a
    number keeps its JSON quotes, so that 1 and "1" stay two ids.
    """
    parts, bad = _exact_strings(column)
    whole = pa.chunked_array(parts, pa.large_binary()).combine_chunks()
    empty = pc.fill_null(pc.equal(pc.binary_length(whole), 0), True)
    known = {i for i, _ in bad}
    bad += [(i, "no id") for i in bad_positions(empty, 0) if i not in known]
    if {"int", "float", "json"} & column.kinds() and {"text", "json"} & column.kinds():
        whole = _quoted(column, whole)
    return whole, bad


def tags(column: Column) -> tuple[Tags, Bool, Bad]:
    """Any number of groups a row, bool[n] missing (no tags), bad.

    Lists of strings; in cells of delimited files names parted by `;`, or a JSON list.
    """
    offsets = np.zeros(column.length + 1, np.int64)
    flat: list[Any] = []
    missing = np.zeros(column.length, np.bool_)
    bad: Bad = []
    for a, kind, data in column.placed():
        missing[a : a + len(data)] = _null(data)
        lists, more = _tag_lists(kind, data, a)
        bad += more
        offsets[a + 1 : a + 1 + len(data)] = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(
            zero_copy_only=False
        )
        flat.append(pc.list_flatten(lists).cast(_STRING).fill_null(MISSING))
    np.cumsum(offsets, out=offsets)
    coded = pc.dictionary_encode(pa.chunked_array(flat, _STRING).combine_chunks())
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    indptr, codes = _unique_in_rows(offsets, codes)
    return Tags(indptr, codes, tuple(coded.dictionary.to_pylist())), missing, bad


def vectors(column: Column) -> tuple[F32, Bool, Bad]:
    """f32[n, d], bool[n] missing, bad: of an uncommon length, null inside, not finite, all zero."""
    parts = [(a, *_list_parts(kind, data)) for a, kind, data in column.placed()]
    lengths = np.concatenate([p[1] for p in parts]) if parts else np.zeros(0, np.int64)
    missing = lengths < 0
    usual = np.bincount(lengths[lengths > 0]).argmax() if (lengths > 0).any() else 0
    d = int(usual)
    whole = [flat for _, size, flat, _ in parts if flat is not None and (size == d).all()]
    if d and len(whole) == len(parts) == 1:
        values: F32 = whole[0].reshape(-1, d)
    else:
        values = np.zeros((column.length, d), np.float32)
        for a, size, flat, _ in parts:
            if flat is None:
                continue
            fits = size == d
            spread = np.repeat(fits, np.maximum(size, 0))
            values[a + np.flatnonzero(fits)] = flat[spread].reshape(int(fits.sum()), d)
    reasons = {a + i: reason for a, _, _, found in parts for i, reason in found}
    for i in np.flatnonzero((lengths != d) & (lengths >= 0)).tolist():
        reasons.setdefault(i, f"a vector of {lengths[i]} numbers, the others have {d}")
    for i, reason in bad_vectors(values):
        if not missing[i]:
            reasons.setdefault(i, reason)
    return values, missing, sorted(reasons.items())


def as_text(whole: Any) -> Text:
    """Text over the buffers of a large_binary array; null is empty."""
    n = len(whole)
    if n == 0:
        return Text(np.zeros(1, np.int64), np.zeros(0, np.uint8))
    if whole.null_count:
        whole = whole.fill_null(b"")
    _, offsets_buffer, data = whole.buffers()
    offsets: I64 = np.frombuffer(offsets_buffer, np.int64, n + 1, whole.offset * 8)
    first, last = int(offsets[0]), int(offsets[-1])
    utf8 = np.frombuffer(data, np.uint8, last - first, first) if last > first else np.zeros(0, np.uint8)
    return Text(offsets - first if first else offsets, utf8)


def _null(data: Any) -> Bool:
    if not data.null_count:
        return np.zeros(len(data), np.bool_)
    found: Bool = np.asarray(data.is_null())
    return found


def _present(data: Any) -> list[int]:
    found: list[int] = np.flatnonzero(~_null(data)).tolist()
    return found


def _parsed(data: Any) -> list[tuple[int, Any]]:
    return [(i, json.loads(cell)) for i, cell in enumerate(data.to_pylist()) if cell is not None]


def _show(data: Any, i: int) -> str:
    value = data[i].as_py() if pa.types.is_large_string(data.type) else None
    return f" {excerpt(value)}" if value is not None else ""


def _not_finite(value: float) -> str:
    return "NaN" if np.isnan(value) else "infinity" if value > 0 else "-infinity"


def _number(value: Any) -> float | str:
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return "a number past 1.8e308"
    if isinstance(value, str):
        return f"a string {excerpt(value)}, not a number"
    return f"{'a list' if isinstance(value, list) else 'an object'}, not a number"


def _cell_numbers(data: Any, a: int) -> tuple[F64, Bool, Bad]:
    trimmed = pc.utf8_trim_whitespace(data)
    nothing = pc.is_in(trimmed, value_set=pa.array(NOTHING, _STRING))
    is_number = pc.match_substring_regex(trimmed, NUMBER)
    values = pc.if_else(is_number, trimmed, None)
    values = pc.utf8_ltrim(values, "+").cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
    neither = bad_positions(pc.invert(pc.or_(nothing, is_number)), 0)
    bad: Bad = [(a + i, f"{excerpt(data[i].as_py())} is not a number") for i in neither]
    bad += [
        (a + i, f"{data[i].as_py()[:40]} is too large") for i in np.flatnonzero(~np.isfinite(values)).tolist()
    ]
    return values, np.asarray(nothing), sorted(bad)


def _json_strings(data: Any, a: int) -> tuple[Any, Bad]:
    out: list[str | None] = [None] * len(data)
    bad: Bad = []
    for i, value in _parsed(data):
        if isinstance(value, str):
            out[i] = value.encode("utf-8", "backslashreplace").decode()
        elif isinstance(value, (list, dict)):
            bad.append((a + i, f"{'a list' if isinstance(value, list) else 'an object'}, not text"))
        else:
            out[i] = json.dumps(value)
    return pa.array(out, _STRING), bad


def _exact_strings(column: Column) -> tuple[list[Any], Bad]:
    """large_binary arrays of the exact bytes; lone surrogates as UTF-8 would write them."""
    if "json" not in column.kinds():
        parts, bad = strings(column)
        return [p.cast(pa.large_binary()) for p in parts], bad
    out, bad = [], []
    for a, kind, data in column.placed():
        if kind == "json":
            _, more = _json_strings(data, a)
            cells: list[bytes | None] = [None] * len(data)
            for i, value in _parsed(data):
                if not isinstance(value, (list, dict)):
                    shown = value if isinstance(value, str) else json.dumps(value)
                    cells[i] = shown.encode("utf-8", "surrogatepass")
            out.append(pa.array(cells, pa.large_binary()))
            bad += more
        else:
            parts, more = strings(Column(column.name, [(kind, data)], len(data)))
            out += [p.cast(pa.large_binary()) for p in parts]
            bad += [(a + i, reason) for i, reason in more]
    return out, bad


def _quoted(column: Column, whole: Any) -> Any:
    """ids of a mixed column: strings that read as numbers in JSON quotes."""
    was_text = np.zeros(column.length, np.bool_)
    for a, kind, data in column.placed():
        if kind == "text":
            was_text[a : a + len(data)] = True
        elif kind == "json":
            for i, value in _parsed(data):
                was_text[a + i] = isinstance(value, str)
    cells = whole.to_pylist()
    pattern = _JSON_NUMBER.encode()
    reads = np.asarray(pc.fill_null(pc.match_substring_regex(whole, pattern), False))
    if was_text.all():
        return whole
    for i in np.flatnonzero(reads & was_text).tolist():
        cells[i] = b'"' + cells[i] + b'"'
    return pa.array(cells, pa.large_binary())


def _tag_lists(kind: str, data: Any, a: int) -> tuple[Any, Bad]:
    if kind in ("texts", "floats"):
        return data, []
    rows: list[list[str] | None] = [None] * len(data)
    bad: Bad = []
    if kind in ("text", "cell"):
        for i, cell in enumerate(data.to_pylist()):
            if cell:
                found = _split_tags(cell) if kind == "cell" else [cell]
                rows[i] = found
                if found is None:
                    bad.append((a + i, f"{excerpt(cell)} is no list of names"))
    elif kind == "json":
        for i, value in _parsed(data):
            several = value if isinstance(value, list) else [value]
            if all(isinstance(t, (str, int)) for t in several):
                rows[i] = [_name(t) for t in several]
            else:
                bad.append((a + i, "no list of names"))
    else:
        bad += [(a + i, "no list of names") for i in _present(data)]
    return pa.array(rows, pa.large_list(_STRING)), bad


def _name(value: str | int) -> str:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else json.dumps(value)


def _split_tags(cell: str) -> list[str] | None:
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            return None
        return [_name(t) for t in found] if all(isinstance(t, (str, int)) for t in found) else None
    return [t for t in (t.strip() for t in cell.split(";")) if t]


def _unique_in_rows(indptr: I64, codes: I32) -> tuple[I64, I32]:
    """Each tag once a row, in code order."""
    n = len(indptr) - 1
    row = np.repeat(np.arange(n), np.diff(indptr))
    order = np.lexsort((codes, row))
    row, codes = row[order], codes[order]
    first = np.ones(len(codes), np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (codes[1:] != codes[:-1])
    out = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(row[first], minlength=n), out=out[1:])
    return out, codes[first]


def _list_parts(kind: str, data: Any) -> tuple[I64, F32 | None, Bad]:
    """lengths i64[n] (-1: missing), the values end to end, bad (positions from 0 of the chunk)."""
    n = len(data)
    lengths = np.full(n, -1, np.int64)
    if kind == "null":
        return lengths, None, []
    if kind == "json":
        return _parsed_lists(data)
    if kind == "floats":
        flat = pc.list_flatten(data)
        lengths = pc.fill_null(pc.list_value_length(data), -1).to_numpy(zero_copy_only=False).astype(np.int64)
        bad: Bad = []
        if flat.null_count:
            owner = np.repeat(np.arange(n), np.maximum(lengths, 0))
            bad = [(int(i), "null inside a vector") for i in np.unique(owner[_null(flat)])]
            flat = flat.fill_null(0)
        with np.errstate(over="ignore", invalid="ignore"):
            return lengths, flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False), bad
    lengths[_present(data)] = 0
    return lengths, None, [(i, "no vector (a list of numbers is needed)") for i in _present(data)]


def _parsed_lists(data: Any) -> tuple[I64, F32 | None, Bad]:
    """The same for a chunk that holds more than lists of numbers."""
    lengths = np.full(len(data), -1, np.int64)
    flat: list[float] = []
    bad: Bad = []
    for i, value in _parsed(data):
        numbers = [_number(v) for v in value] if isinstance(value, list) else ["a list of numbers is needed"]
        wrong = next((v for v in numbers if isinstance(v, str)), None)
        lengths[i] = 0 if wrong else len(numbers)
        if wrong:
            bad.append((i, f"no vector ({wrong})"))
        else:
            flat += [v for v in numbers if isinstance(v, float)]
    with np.errstate(over="ignore"):
        return lengths, np.array(flat, np.float32), bad
