"""JSON lines, strictly: one object a line, no duplicate keys, no NaN or infinity, valid UTF-8."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any

import numpy as np

from shortlist.core.errors import InputError
from shortlist.store.column import chunk_of
from shortlist.store.limits import MAX_CELLS_PER_BYTE, MAX_FREE_CELLS
from shortlist.store.loaded import Source
from shortlist.store.rows import Rows, excerpt
from shortlist.store.stream import Block, blocks

_LARGE_EXPONENT = re.compile(rb"[eE]\+?0*[1-9][0-9]{2}")
_SPACE = " \t\r"
_ONE = "write one JSON object per line"


class _Blank(Exception):
    """A line without content is no row."""


class _Bad(ValueError):
    """Why a line is refused: reason, column, fix."""

    def __init__(self, reason: str, column: str = "", fix: str = "") -> None:
        super().__init__(reason)
        self.reason, self.column, self.fix = reason, column, fix


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [k for k, _ in pairs]
        twice = next(k for k in names if names.count(k) > 1)
        raise _Bad(f"the key {excerpt(twice)} occurs twice", twice, "keep one of them")
    return found


def _refuse_constant(word: str) -> Any:
    raise _Bad(f"{word} is not JSON", fix="write null where a number is missing")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _Bad(f"the number {text[:40]} is too large", fix="write a number below 1.8e308, or null")
    return value


# scan_once is what raw_decode calls: used directly, it saves a call a line.
_plain: Any = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
_careful: Any = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
)
_scan, _scan_finite = _plain.scan_once, _careful.scan_once


def read_jsonl(source: Source, memory: int, *, drop_bad: bool) -> Rows:
    """Parse a file of JSON lines. Blank lines are no rows; they are counted.

    Raises:
        InputError: file, line, column and fix of the first bad row (with drop_bad only for damage that
            is not one row's: compression, a line over the limit, too many columns).
        MemoryRefused: more text than `memory` bytes.
    """
    rows = Rows(source)
    for block in blocks(source, memory):
        _read_block(block, rows, drop_bad)
    for column in rows.columns.values():
        column.pad(rows.good)
    return rows


def parse_line(line: str) -> dict[str, Any]:
    """One line that was accepted before."""
    value, _ = _scan(line, 0)
    found: dict[str, Any] = value
    return found


def _read_block(block: Block, rows: Rows, drop_bad: bool) -> None:
    scan = _scan_finite if _may_overflow(block.data) else _scan
    lines = _lines(block.data)
    objects: list[dict[str, Any]] = []
    good: list[int] = []
    counts = np.ones(len(lines), np.int64)
    for i, line in enumerate(lines):
        try:
            row, end = scan(line, 0)
            if end != len(line) or type(row) is not dict:
                row = _second_look(line, scan)
        except Exception:  # decided again, slowly, with the reason in words
            try:
                row = _second_look(line, scan)
            except _Blank:
                counts[i] = 0
                continue
            except _Bad as bad:
                text = line if isinstance(line, str) else line.decode("utf-8", "backslashreplace")
                rows.reject(block.line + i, bad.reason, text, bad.fix, column=bad.column, drop=drop_bad)
                continue
        objects.append(row)
        good.append(i)
    edges = block.edges()
    at = np.array(good, np.int64)
    ordinal = rows.read + np.cumsum(counts) - 1
    _add_columns(objects, rows, block.start + len(block.data))
    rows.place(block.line + at, block.start + edges[at], edges[at + 1] - edges[at], ordinal[at])
    rows.read += int(counts.sum())
    rows.blank += len(lines) - int(counts.sum())


def _may_overflow(data: bytes) -> bool:
    """Whether any number could read as infinity: an exponent of three digits, or about 300 digits in a row.

    A run of 308 digits holds a multiple of 256 and 50 digits behind it. Most blocks have neither, and are
    spared a slower parser.
    """
    a = np.frombuffer(data, np.uint8)
    digit = a - np.uint8(48) < 10
    e = ((a[1:-1] | 32) == 101) & digit[:-2] & (digit[2:] | (a[2:] == 43))
    if any(_LARGE_EXPONENT.match(data, i + 1) for i in np.flatnonzero(e).tolist()):
        return True
    places = np.arange(0, len(a) - 50, 256)
    likely = np.logical_and.reduce([digit[places + i] for i in range(0, 51, 10)])
    return any(data[p : p + 51].isdigit() for p in places[likely].tolist())


def _lines(data: bytes) -> list[Any]:
    """Lines as str, those that are not UTF-8 as bytes."""
    try:
        lines: list[Any] = data.decode().split("\n")
    except UnicodeDecodeError:
        lines = []
        for raw in data.split(b"\n"):
            try:
                lines.append(raw.decode())
            except UnicodeDecodeError:
                lines.append(raw)
    if lines[-1] in ("", b""):
        lines.pop()
    return lines


def _second_look(line: str | bytes, scan: Any) -> dict[str, Any]:
    """A line with white space around the object is fine; anything else is refused with its reason."""
    if isinstance(line, bytes):
        raise _not_utf8(line)
    text = line.strip(_SPACE)
    if not text:
        raise _Blank
    try:
        value, end = scan(text, 0)
    except _Bad as bad:
        raise _named(text, bad) from None
    except RecursionError:
        raise _Bad("the value is nested too deep", fix="flatten it") from None
    except StopIteration as e:
        raise _Bad(f"no JSON value at character {e.value + 1}", fix=_ONE) from None
    except json.JSONDecodeError as e:
        raise _Bad(
            f"not JSON: {e.msg[:1].lower()}{e.msg[1:]} at character {e.pos + 1}", fix="repair the line"
        ) from None
    except ValueError as e:
        raise _Bad(f"not JSON we can hold: {str(e).split(';')[0]}", fix="write it as a string") from None
    if type(value) is not dict:
        what = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        raise _Bad(
            f"the line is {what.get(type(value), 'a number')}, not an object", fix='write {"text": ...}'
        )
    if end != len(text):
        at = len(text) - len(text[end:].lstrip()) + 1
        raise _Bad(f"more than one value on the line, from character {at}", fix=_ONE)
    found: dict[str, Any] = value
    return found


def _named(text: str, bad: _Bad) -> _Bad:
    """The same refusal with the top-level column it stands in, found by decoding leniently."""
    if bad.column:
        return bad
    marks: list[object] = []

    def mark(_: str) -> object:
        marks.append(object())
        return marks[-1]

    def overflow(digits: str) -> object:
        value = float(digits)
        return mark(digits) if value in (float("inf"), float("-inf")) else value

    decoder = json.JSONDecoder(parse_constant=mark, parse_float=overflow)
    try:
        value, _ = decoder.raw_decode(text)
        if isinstance(value, dict) and marks:
            name = next((name for name, cell in value.items() if _holds(cell, marks[0])), "")
            return _Bad(bad.reason, name, bad.fix)
    except (ValueError, RecursionError):
        pass  # the line has other faults as well: the first is reported without its column
    return bad


def _holds(value: Any, mark: object) -> bool:
    if isinstance(value, (dict, list)):
        return any(_holds(v, mark) for v in (value.values() if isinstance(value, dict) else value))
    return value is mark


def _not_utf8(line: bytes) -> _Bad:
    try:
        line.decode()
    except UnicodeDecodeError as e:
        at = e.start
    return _Bad(
        f"byte 0x{line[at]:02x} at place {at + 1} is not UTF-8",
        fix="convert the file: iconv -f LATIN1 -t UTF-8",
    )


def _check_density(objects: list[dict[str, Any]], rows: Rows, seen: int) -> None:
    names = len(set(rows.columns).union(*objects)) if objects else 0
    cells = names * (rows.good + len(objects))
    if cells > max(MAX_FREE_CELLS, MAX_CELLS_PER_BYTE * seen):
        raise InputError(
            f"{names:,} different keys, most of them absent from most rows",
            file=rows.source.name,
            fix="keep values that vary under one key",
        )


def _add_columns(objects: list[dict[str, Any]], rows: Rows, seen: int) -> None:
    before = rows.good
    _check_density(objects, rows, seen)
    for name in dict.fromkeys(chain.from_iterable(objects)):
        column = rows.column(name)
        column.pad(before)
        column.append(*chunk_of([row.get(name) for row in objects]))
