"""The rows of a pool as they were: read again from where they stand, in any order, a batch at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import InputError
from shortlist.store.columnar import Decoder, take_rows
from shortlist.store.delimited import parse_record
from shortlist.store.files import is_unchanged
from shortlist.store.jsonl import parse_line
from shortlist.store.limits import BLOCK, MIB, default_memory
from shortlist.store.loaded import Loaded, Source
from shortlist.store.stream import open_text

#: Most rows and bytes of text held at a time.
BATCH_ROWS = 1 << 17
BATCH_BYTES = 256 * MIB


class Number(str):
    """A number exactly as the file wrote it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows a..a+len of the request, all of them.

    raw: the bytes of a line or record for text sources, None for tables; tables: (Arrow table, places in
    the batch) for each table source; file: index of the source of each row.
    """

    first: int
    file: Any
    raw: list[bytes | None]
    tables: list[tuple[Any, I64]]

    def __len__(self) -> int:
        return len(self.raw)


def batches(loaded: Loaded, at: I64) -> Iterator[Batch]:
    """The rows at positions i64[m], in this order.

    Raises:
        InputError: a file was changed since it was read.
    """
    s = loaded.sources
    for source in s.files:
        if source.path is not None and not is_unchanged(source):
            raise InputError("was changed after it was read", file=source.name, fix="run again")
    size = np.cumsum(s.size[at])
    first = 0
    with Decoder(default_memory()) as decoder:
        while first < len(at):
            before = size[first - 1] if first else 0
            last = int(np.searchsorted(size, before + BATCH_BYTES, "right"))
            last = min(max(last, first + 1), first + BATCH_ROWS, len(at))
            yield _batch(loaded, decoder, at[first:last], first)
            first = last


def records(loaded: Loaded, batch: Batch) -> list[dict[str, Any]]:
    """The rows of a batch as dicts. Numbers in columns of delimited text that hold nothing else are
    `Number`, other cells are strings, empty cells of number columns are None."""
    s = loaded.sources
    out: list[dict[str, Any]] = [{} for _ in range(len(batch))]
    for table, places in batch.tables:
        for place, row in zip(places.tolist(), table.to_pylist(), strict=True):
            out[place] = row
    for i, raw in enumerate(batch.raw):
        if raw is None:
            continue
        source = s.files[int(batch.file[i])]
        if source.format == "jsonl":
            out[i] = parse_line(raw.decode().strip(" \t\r\n"))
            continue
        assert source.dialect is not None
        for name, cell in zip(source.dialect.header, cells(source, raw), strict=True):
            if name:
                out[i][name] = _typed(cell, s.kinds.get(name, "text"))
    return out


def cells(source: Source, raw: bytes) -> list[str]:
    """The cells of one record of delimited text."""
    assert source.dialect is not None
    try:
        return parse_record(raw.decode(), source.dialect)
    except (csv.Error, UnicodeDecodeError, StopIteration):
        raise InputError("was changed after it was read", file=source.name, fix="run again") from None


def _typed(cell: str, kind: str) -> Any:
    if kind not in ("int", "float"):
        return cell
    return Number(cell) if cell else None


def _batch(loaded: Loaded, decoder: Decoder, at: I64, first: int) -> Batch:
    s = loaded.sources
    file = s.file[at]
    raw: list[bytes | None] = [None] * len(at)
    tables = []
    for f in np.unique(file).tolist():
        places = np.flatnonzero(file == f)
        rows = at[places]
        source = s.files[f]
        if source.format in ("jsonl", "csv", "tsv"):
            order = np.argsort(s.start[rows], kind="stable")
            found = _slices(source, s.start[rows[order]], s.size[rows[order]])
            for place, text in zip(places[order].tolist(), found, strict=True):
                raw[place] = text
        else:
            tables.append((take_rows(source, decoder, s.start[rows]), places))
    return Batch(first, file, raw, tables)


def _slices(source: Source, start: I64, size: I64) -> Iterator[bytes]:
    """Byte ranges in increasing order of the uncompressed text."""
    with open_text(source) as f:
        at = 0
        for a, n in zip(start.tolist(), size.tolist(), strict=True):
            if source.compression:
                while at < a:
                    at += len(f.read(min(BLOCK, a - at)) or _short(source))
            else:
                f.seek(a)
            text = f.read(n)
            if len(text) != n:
                _short(source)
            at = a + n
            yield text


def _short(source: Source) -> bytes:
    raise InputError("is shorter than when it was read", file=source.name, fix="run again")
