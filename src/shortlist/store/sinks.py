"""One writer for each output format."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, TypeAlias

import numpy as np
import pyarrow as pa

from shortlist.core.arrays import I64
from shortlist.core.errors import UsageError
from shortlist.store.columnar import schema_of
from shortlist.store.fetch import Batch, Number, batches, cells, records
from shortlist.store.files import named_format
from shortlist.store.loaded import Loaded

Values: TypeAlias = Mapping[str, Sequence[Any]]
Sink: TypeAlias = Callable[[Loaded, I64, Values], None]

_RUNS = re.compile("^[=+\\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ARROW = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.large_string(),
    "floats": pa.large_list(pa.float64()),
    "texts": pa.large_list(pa.large_string()),
}


@contextlib.contextmanager
def open_sink(path: str, format: str) -> Iterator[Sink]:
    """A function that writes rows to the path; the file is closed, compressed and all, at the end.

    Raises:
        UsageError: no known format.
    """
    told, compression = named_format(path)
    actual = format or told or ("jsonl" if path == "-" else "")
    if actual not in ("jsonl", "csv", "tsv", "parquet", "arrow"):
        raise UsageError(
            f"{path}: end the name in .jsonl, .csv, .tsv, .parquet or .arrow, or tell the format"
        )
    if compression and actual in ("parquet", "arrow"):
        raise UsageError(f"{path}: {actual} has compression of its own; leave .{compression} away")
    with contextlib.ExitStack() as stack:
        if path == "-":
            raw: Any = sys.stdout.buffer
            stack.callback(raw.flush)
        else:
            raw = stack.enter_context(open(path, "wb"))
        if compression == "gz":
            raw = stack.enter_context(gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0))
        elif compression == "zst":
            raw = stack.enter_context(pa.CompressedOutputStream(pa.PythonFile(raw, mode="w"), "zstd"))
        if actual == "jsonl":
            yield lambda loaded, at, values: _jsonl(raw, loaded, at, values)
        elif actual in ("csv", "tsv"):
            yield lambda loaded, at, values: _delimited(raw, actual, loaded, at, values)
        else:
            yield lambda loaded, at, values: _columnar(raw, actual, loaded, at, values)


def inert(cell: str) -> str:
    """The cell, with a single quote in front if a spreadsheet would take it for a formula."""
    return "'" + cell if _RUNS.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _jsonl(f: IO[bytes], loaded: Loaded, at: I64, values: Values) -> None:
    columns = {name: _plain(v) for name, v in values.items()}
    files = loaded.sources.files
    for batch in batches(loaded, at):
        rows: list[dict[str, Any]] | None = None
        lines = []
        for i, raw in enumerate(batch.raw):
            more = {name: v[batch.first + i] for name, v in columns.items()}
            if raw is not None and files[int(batch.file[i])].format == "jsonl":
                lines.append(_spliced(raw, more))
            else:
                rows = records(loaded, batch) if rows is None else rows
                lines.append(_encoded({**rows[i], **more}))
        f.write(b"\n".join(lines) + b"\n" if lines else b"")


def _spliced(raw: bytes, more: Mapping[str, Any]) -> bytes:
    """The object's own bytes with keys added before its last brace."""
    line = raw.strip(b" \t\r\n")
    if not more:
        return line
    body = line[:-1].rstrip()
    return body + (b"" if body == b"{" else b", ") + _encoded(more)[1:]


def _encoded(row: Mapping[str, Any]) -> bytes:
    parts = (f"{json.dumps(name)}: {_json(value)}" for name, value in row.items())
    text = "{" + ", ".join(parts) + "}"
    return text.encode("utf-8")


def _json(value: Any) -> str:
    if type(value) is Number:
        return str(value)
    if type(value) is float and not np.isfinite(value):
        return "null"
    text = json.dumps(value, ensure_ascii=False, default=_other, allow_nan=True)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, default=_other)
    return text


def _other(value: Any) -> Any:
    """What JSON has no type for: bytes in base64, dates and decimals as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _plain(values: Sequence[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _delimited(f: IO[bytes], format: str, loaded: Loaded, at: I64, values: Values) -> None:
    columns = {name: _plain(v) for name, v in values.items()}
    files = loaded.sources.files
    dialects = {s.dialect.header if s.dialect else None for s in files}
    same = dialects.pop() if len(dialects) == 1 else None
    names = same or tuple(loaded.sources.kinds)
    delimiter = "\t" if format == "tsv" else ","
    f.write(_line([inert(name) for name in (*names, *columns)], delimiter))
    for batch in batches(loaded, at):
        rows = None if same else records(loaded, batch)
        lines = []
        for i, raw in enumerate(batch.raw):
            if rows is None and raw is not None:
                own = [inert(c) for c in cells(files[int(batch.file[i])], raw)]
            else:
                own = [_cell(rows[i].get(name)) for name in names] if rows else []
            lines.append(_line(own + [_cell(v[batch.first + i]) for v in columns.values()], delimiter))
        f.write(b"".join(lines))


def _line(row: Sequence[str], delimiter: str) -> bytes:
    """RFC 4180, with LF. The csv module leaves a lone carriage return unquoted, which breaks the row."""
    special = ('"', "\r", "\n", delimiter)
    out = ['"' + c.replace('"', '""') + '"' if any(s in c for s in special) else c for c in row]
    return ((delimiter.join(out) or '""') + "\n").encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    if value is None or (type(value) is float and not np.isfinite(value)):
        return ""
    if isinstance(value, str):
        return str(value) if type(value) is Number else inert(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else inert(_json(value))


def _columnar(f: IO[bytes], format: str, loaded: Loaded, at: I64, values: Values) -> None:
    more = {name: pa.array(_plain(v)) for name, v in values.items()}
    base = _common_schema(loaded)
    schema = base if base is not None else _schema_of_kinds(loaded)
    for name, column in more.items():
        schema = schema.append(pa.field(name, column.type))
    with _table_writer(f, format, schema) as writer:
        for batch in batches(loaded, at):
            table = _own_columns(loaded, batch, base)
            for name, column in more.items():
                table = table.append_column(name, column.slice(batch.first, len(batch)))
            writer.write_table(table.cast(schema))


def _table_writer(f: IO[bytes], format: str, schema: Any) -> Any:
    if format == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(f, schema, compression="zstd")
    return pa.ipc.new_file(f, schema)


def _common_schema(loaded: Loaded) -> Any:
    """The schema that all inputs share, None if they do not or are text."""
    schemas = [schema_of(s) for s in loaded.sources.files]
    if any(s is None or not s.equals(schemas[0]) for s in schemas):
        return None
    return schemas[0]


def _schema_of_kinds(loaded: Loaded) -> Any:
    return pa.schema([(n, _ARROW.get(k, pa.large_string())) for n, k in loaded.sources.kinds.items()])


def _own_columns(loaded: Loaded, batch: Batch, base: Any) -> Any:
    if base is not None:
        whole = pa.concat_tables([table for table, _ in batch.tables])
        back = np.empty(len(batch), np.int64)
        back[np.concatenate([places for _, places in batch.tables])] = np.arange(len(batch))
        return whole.take(back)
    rows = records(loaded, batch)
    columns = []
    for name, kind in loaded.sources.kinds.items():
        cells_ = [_typed(row.get(name), kind) for row in rows]
        columns.append(pa.array(cells_, _ARROW.get(kind, pa.large_string())))
    return pa.table(columns, names=list(loaded.sources.kinds))


def _typed(value: Any, kind: str) -> Any:
    """A value as the column's type wants it; columns without one type hold JSON text."""
    if value is None:
        return None
    if type(value) is Number:
        return int(value) if kind == "int" else float(value)
    if kind == "float":
        return float(value)
    return value if kind in _ARROW else _json(value)
