"""CSV and TSV, strictly: RFC 4180 quotes, one header, every row as wide as the header."""

from __future__ import annotations

import csv
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from shortlist.core.errors import InputError
from shortlist.store.limits import MAX_COLUMNS, MAX_LINE
from shortlist.store.loaded import Dialect, Source
from shortlist.store.rows import Rows, excerpt
from shortlist.store.stream import blocks

#: Rows turned into Arrow at a time.
_BATCH = 16_384
_OPENS = re.compile(rb'(?m)(?:^|\t)"')
_CONVERT = "convert the file: iconv -f LATIN1 -t UTF-8"
_FIELD_LIMIT = threading.Lock()


@dataclass(slots=True)
class _Lines:
    """Feeds the csv reader line by line and remembers where the lines it took began."""

    source: Source
    memory: int
    line: int = 0
    taken: int = 0
    broken: int = -1

    def __iter__(self) -> Iterator[str]:
        for block in blocks(self.source, self.memory):
            self.taken = block.start
            for i, raw in enumerate(_split(block.data)):
                self.line = block.line + i
                self.taken += len(raw)
                try:
                    yield raw.decode()
                except UnicodeDecodeError as e:
                    self.broken = e.start
                    yield raw.decode("utf-8", "backslashreplace")


def _split(data: bytes) -> list[bytes]:
    if data.count(b"\r") == data.count(b"\r\n"):  # splitlines would also cut at a lone carriage return
        return data.splitlines(keepends=True)
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module keeps its field limit in one global: raised while reading, then put back."""
    with _FIELD_LIMIT:
        before = csv.field_size_limit(MAX_LINE)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def read_delimited(source: Source, memory: int, *, drop_bad: bool) -> Rows:
    """Parse a delimited file with a header. Cells stay text; what they mean is decided by role.

    Blank lines are no rows; they are counted. Rows are numbered by the line they start on.

    Raises:
        InputError: file, line, column and fix of the first bad row, or a bad header.
        MemoryRefused: more text than `memory` bytes.
    """
    with _long_fields():
        return _read(source, memory, drop_bad)


def _read(source: Source, memory: int, drop_bad: bool) -> Rows:
    lines = _Lines(source, memory)
    feed = iter(lines)
    first = next(feed, None)
    if first is None:
        return Rows(source)
    delimiter = "\t" if source.format == "tsv" else _delimiter(first)
    quoted = source.format == "csv" or _has_quotes(source, memory)
    reader = _reader(chain([first], feed), delimiter, quoted)
    header = _header(source, reader, lines)
    rows = Rows(replace(source, dialect=Dialect(header, delimiter, quoted)))
    names = [name for name in header if name]
    for name in names:
        rows.column(name)
    batch = _Batch(rows, header)
    while True:
        start, line = lines.taken, lines.line + 1
        lines.broken = -1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as e:
            # The reader has lost its place inside this record; what follows is read as new records.
            batch.flush()
            rows.reject(line, *_quoting(str(e), lines.line), drop=drop_bad)
            rows.read += 1
            reader = _reader(feed, delimiter, quoted)
            continue
        if not cells:
            rows.blank += 1
            continue
        problem = _problem(cells, header, lines)
        if problem:
            batch.flush()
            rows.reject(line, problem[0], delimiter.join(cells), problem[1], drop=drop_bad)
            rows.read += 1
            continue
        batch.add(cells, line, start, lines.taken - start)
    batch.flush()
    return rows


def parse_record(text: str, dialect: Dialect) -> list[str]:
    """The cells of one record that was accepted before."""
    with _long_fields():
        return next(_reader(iter(text.splitlines(keepends=True)), dialect.delimiter, dialect.quoted))


def _reader(lines: Iterator[str], delimiter: str, quoted: bool) -> Any:
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    return csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)


def _has_quotes(source: Source, memory: int) -> bool:
    """Whether a TSV file uses quotes as CSV does. The registered format knows none, many writers do.

    Quotes are text if reading them as quotes breaks the table and every line alone has its full width.
    """
    if not any(_OPENS.search(block.data) for block in blocks(source, memory)):
        return True
    width = 0
    try:
        for cells in _reader(iter(_Lines(source, memory)), "\t", True):
            width = width or len(cells)
            if cells and len(cells) != width:
                break
        else:
            return True
    except csv.Error:
        pass
    lines = (raw.rstrip(b"\r\n") for block in blocks(source, memory) for raw in _split(block.data))
    return len({line.count(b"\t") for line in lines if line}) > 1


def _quoting(error: str, line: int) -> tuple[str, str, str]:
    """Reason, excerpt and fix for what the csv reader said."""
    if "unexpected end" in error or "field limit" in error:
        return f"a quote opened here is not closed by line {line}", "", 'write a quote in a cell as ""'
    if "new-line character" in error:
        return "a lone carriage return outside quotes", "", "end lines with LF or CR LF"
    return f"bad quoting ({error})", "", 'write a quote inside a quoted cell as ""'


def _delimiter(header: str) -> str:
    """A header with semicolons and no comma is the CSV of a locale with decimal commas."""
    return ";" if ";" in header and "," not in header else ","


def _problem(cells: list[str], header: tuple[str, ...], lines: _Lines) -> tuple[str, str] | None:
    if lines.broken >= 0:
        return "the row is not UTF-8", _CONVERT
    if len(cells) != len(header):
        return (
            f"{len(cells)} cells, the header has {len(header)}",
            "quote cells that hold the delimiter or a line break",
        )
    return None


def _header(source: Source, reader: Iterator[list[str]], lines: _Lines) -> tuple[str, ...]:
    try:
        names = next((row for row in reader if row), [])
    except csv.Error as e:
        raise InputError(f"the header has bad quoting ({e})", file=source.name, row=1) from None
    if lines.broken >= 0:
        raise InputError(
            "the header is not UTF-8",
            file=source.name,
            row=1,
            fix=_CONVERT,
        )
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{len(names):,} columns, the limit is {MAX_COLUMNS:,}", file=source.name, row=1)
    for i, name in enumerate(names):
        if name and name in names[:i]:
            raise InputError(
                f"two columns are named {excerpt(name)}",
                file=source.name,
                row=1,
                column=name,
                fix="rename one",
            )
    return tuple(names)


class _Batch:
    """Collects rows and hands them on as Arrow chunks."""

    def __init__(self, rows: Rows, header: tuple[str, ...]) -> None:
        self.rows, self.header = rows, header
        self.cells: list[list[str]] = []
        self.places: list[tuple[int, int, int]] = []

    def add(self, cells: list[str], line: int, start: int, size: int) -> None:
        """One good row."""
        self.cells.append(cells)
        self.places.append((line, start, size))
        if len(self.cells) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand on what was collected. Called before a bad row, so that ordinals stay in step."""
        n = len(self.cells)
        if not n:
            return
        for name, values in zip(self.header, zip(*self.cells, strict=True), strict=True):
            if name:
                self.rows.column(name).append("cell", pa.array(values, pa.large_string()))
        place = np.array(self.places, np.int64).reshape(n, 3)
        ordinal = self.rows.read + np.arange(n, dtype=np.int64)
        self.rows.place(place[:, 0], place[:, 1], place[:, 2], ordinal)
        self.rows.read += n
        self.cells, self.places = [], []
