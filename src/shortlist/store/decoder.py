"""A process of its own that decodes Parquet and Arrow IPC files, run as a script by `columnar`.

A damaged or hostile file can crash its decoder (Arrow's C++ calls abort and reads out of bounds on some) or
make it ask for any amount of memory. Here such a file takes only this process down, under limits of memory
and time, and the pool that is being built lives on. Only the standard library and pyarrow are imported.

argv[1] is the memory it may take, in bytes. It serves files one after another until standard input ends:
a line {"path", "format", "seconds", "most_rows"} comes in and an Arrow stream without rows goes out, the
schema; a line {"columns": [...]} or {"rows": [...]} (increasing) comes in and the rows go out as a second
stream, with a full stop behind it. At the first fault it ends, and says on standard error, as JSON, why.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

_BATCH = 1 << 16
#: Address space that the interpreter and the libraries take before any data.
_BASE = 2 << 30


def main() -> int:
    """Serve until the input ends (0) or a file is refused (1: the reason is on standard error)."""
    _limit(resource.RLIMIT_AS, int(sys.argv[1]) + _BASE)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        while line := sys.stdin.readline():
            request = json.loads(line)
            usage = resource.getrusage(resource.RUSAGE_SELF)
            _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + request["seconds"])
            _serve(request)
    except MemoryError:
        return _say(memory="it would take more memory than is allowed")
    except _Refused as e:
        return _say(**e.args[0])
    except Exception as e:  # whatever the decoder raises, it is about the file
        text = (str(e).strip().splitlines() or [""])[0][:200] or type(e).__name__
        if "malloc of size" in text or "realloc of size" in text:
            return _say(memory=text)
        return _say(damage="".join(c if c.isprintable() else "?" for c in text))
    return 0


class _Refused(Exception):
    """The file is refused for a reason of ours: {"damage": ...} or {"memory": ...}."""


def _serve(request: dict[str, Any]) -> None:
    out = sys.stdout.buffer
    if request["format"] == "parquet":
        import pyarrow.parquet as pq

        f: Any = pq.ParquetFile(request["path"], page_checksum_verification=True)
        _check_rows(f.metadata.num_rows, request)
        schema = _plain(f.schema_arrow)
    else:
        f = _open_ipc(request["path"])
        schema = _plain(f.schema)
    _check_names(schema)
    with pa.ipc.new_stream(out, schema):
        pass
    out.flush()
    order = json.loads(sys.stdin.readline())
    names = order.get("columns", schema.names)
    chosen = schema if names == schema.names else pa.schema([schema.field(n) for n in names])
    rows = order.get("rows")
    with pa.ipc.new_stream(out, chosen) as writer:
        pieces = _parquet(f, names, rows) if request["format"] == "parquet" else _ipc(f, names)
        first = 0
        for first, batch in pieces:
            batch.validate(full=True)
            batch = batch.cast(chosen)
            if rows is None:
                writer.write_batch(batch)
                continue
            mine = [r - first for r in _between(rows, first, first + batch.num_rows)]
            if mine:
                writer.write_batch(batch.take(pa.array(mine, pa.int64())))
    out.write(b".")
    out.flush()


def _check_names(fields: Any) -> None:
    """Raise here, not in the parent, where a name is not UTF-8."""
    for f in fields:
        if not isinstance(f.name, str):
            raise _Refused({"damage": "a column without a name"})
        if hasattr(f.type, "field"):
            _check_names([f.type.field(i) for i in range(f.type.num_fields)])


def _plain(schema: Any) -> Any:
    """Views of strings and bytes as plain ones: Arrow cannot take rows of views yet."""
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    for i, f in enumerate(schema):
        if f.type in plain:
            schema = schema.set(i, f.with_type(plain[f.type]))
    return schema


def _parquet(f: Any, names: list[str], rows: list[int] | None) -> Iterator[tuple[int, Any]]:
    """(number of its first row, batch); row groups without wanted rows are not read."""
    first = 0
    for g in range(f.metadata.num_row_groups):
        n = f.metadata.row_group(g).num_rows
        if rows is None or _between(rows, first, first + n):
            at = first
            for batch in f.iter_batches(_BATCH, row_groups=[g], columns=names, use_threads=False):
                yield at, batch.select(names)
                at += batch.num_rows
            if at != first + n:
                raise _Refused({"damage": f"row group {g + 1} declares {n:,} rows and has {at - first:,}"})
        first += n


def _ipc(f: Any, names: list[str]) -> Iterator[tuple[int, Any]]:
    first = 0
    for batch in _ipc_batches(f):
        batch.validate(full=True)  # before anything else touches it
        for a in range(0, batch.num_rows, _BATCH):
            yield first + a, batch.slice(a, _BATCH).select(names)
        first += batch.num_rows


def _ipc_batches(f: Any) -> Iterator[Any]:
    if isinstance(f, pa.RecordBatchFileReader):
        for i in range(f.num_record_batches):
            yield f.get_batch(i)
    else:
        yield from f


def _open_ipc(path: str) -> Any:
    f = pa.memory_map(path)
    start = f.read(6)
    f.seek(0)
    return pa.ipc.open_file(f) if start == b"ARROW1" else pa.ipc.open_stream(f)


def _between(rows: list[int], low: int, high: int) -> list[int]:
    from bisect import bisect_left

    return rows[bisect_left(rows, low) : bisect_left(rows, high)]


def _check_rows(rows: int, request: dict[str, Any]) -> None:
    if not 0 <= rows <= request["most_rows"]:
        raise _Refused({"damage": f"the footer declares {rows:,} rows, too many for the file's size"})


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, hard))


def _say(**what: str) -> int:
    sys.stderr.write(json.dumps(what))
    return 1


if __name__ == "__main__":
    sys.exit(main())
