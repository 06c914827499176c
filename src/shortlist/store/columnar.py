"""Parquet and Arrow IPC files, decoded in a process of their own, and frames that are in memory already."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from shortlist.core.arrays import I64
from shortlist.core.errors import InputError, MemoryRefused
from shortlist.store.column import append_arrow
from shortlist.store.limits import MAX_COLUMNS, MAX_ROWS_PER_BYTE, MIB, need
from shortlist.store.loaded import Source
from shortlist.store.rows import Rows

_DECODER = Path(__file__).with_name("decoder.py")
_REPAIR = "the file is damaged or cut short; write it again"


class Decoder:
    """A child process that decodes files one after another; started for the first, again after a crash."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self._child: Any = None
        self._said: Any = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout, self._said):
                with contextlib.suppress(OSError):
                    pipe.close()

    @contextlib.contextmanager
    def open(self, source: Source) -> Iterator[tuple[Any, Callable[[dict[str, Any]], Iterator[Any]]]]:
        """The schema of a file or frame, and a function from one order (see `decoder`) to record batches.

        Raises:
            InputError: the file is damaged, or crashes its decoder.
            MemoryRefused: it would take more memory than allowed.
        """
        if source.format == "frame":
            table = source.handle
            yield table.schema, lambda order: _cut(table.select(order["columns"]))
            return
        request = {
            "path": str(source.path),
            "format": source.format,
            "seconds": 60 + source.stamp[0] // MIB,
            "most_rows": max(1_000_000, MAX_ROWS_PER_BYTE * source.stamp[0]),
        }
        done = False
        try:
            self._send(request)
            # read_all takes the end mark as well, behind which the rows will come.
            schema = pa.ipc.open_stream(self._child.stdout).read_all().schema
            yield schema, self._batches
            if self._child.stdout.read(1) != b".":
                raise EOFError
            done = True
        except (EOFError, OSError, pa.ArrowException):
            self._child.stdin.close()
            if self._child.wait() == 0:
                raise
            self._tell(source)
        finally:
            if not done:
                self.close()

    def _send(self, line: dict[str, Any]) -> None:
        if self._child is None:
            # The parent's own path, so that the child finds the same pyarrow; Arrow's allocators that
            # reserve address space in advance would run into the limit.
            env = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                "ARROW_DEFAULT_MEMORY_POOL": "system",
            }
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-S", str(_DECODER), str(self.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=env,
            )
        self._child.stdin.write(json.dumps(line).encode() + b"\n")
        self._child.stdin.flush()

    def _batches(self, order: dict[str, Any]) -> Iterator[Any]:
        self._send(order)
        yield from pa.ipc.open_stream(self._child.stdout)

    def _tell(self, source: Source) -> NoReturn:
        code = self._child.returncode
        self._said.seek(0)
        try:
            what = json.loads(self._said.read(4096))
        except ValueError:
            what = {}
        if "memory" in what or code == -signal.SIGKILL:
            why = what.get("memory", "the system ended it")
            raise MemoryRefused(
                f"{source.name}: decoding it takes more memory than allowed ({why})"
            ) from None
        if code == -signal.SIGXCPU:
            raise InputError("decoding it takes too long", file=source.name, fix=_REPAIR) from None
        damage = what.get("damage") or f"the decoder crashed: {_signal(code)}"
        raise InputError(
            f"cannot be decoded as {source.format} ({damage})", file=source.name, fix=_REPAIR
        ) from None


def read_columnar(source: Source, decoder: Decoder, wanted: Callable[[Any], Collection[str]]) -> Rows:
    """Parse a table file or frame. `wanted(schema)` names the columns to load.

    Raises:
        InputError: damaged, or it declares more rows than its bytes can hold.
        MemoryRefused: the columns would take more memory than the decoder may.
    """
    with decoder.open(source) as (schema, batches):
        names = _distinct(source, schema, wanted)
        rows = Rows(source if source.format == "frame" else replace(source, handle=schema))
        for name in names:
            rows.column(name)
        total = 0
        for batch in batches({"columns": names}):
            total += batch.nbytes
            need(source.name, total, decoder.memory)
            for name, data in zip(names, batch.columns, strict=True):
                append_arrow(rows.columns[name], data)
            n = batch.num_rows
            at = rows.read + np.arange(n, dtype=np.int64)
            rows.place(at + 1, at, np.zeros(n, np.int64), at)
            rows.read += n
        return rows


def schema_of(source: Source) -> Any:
    """The Arrow schema of a table that was read, None for text."""
    if source.format == "frame":
        return source.handle.schema
    return source.handle if source.format in ("parquet", "arrow") else None


def take_rows(source: Source, decoder: Decoder, at: I64) -> Any:
    """A pyarrow Table of all columns at 0-based rows i64[b], in that order."""
    if source.format == "frame":
        return source.handle.take(at)
    order = np.argsort(at, kind="stable")
    back = np.empty(len(at), np.int64)
    back[order] = np.arange(len(at))
    with decoder.open(source) as (schema, batches):
        found = pa.Table.from_batches(list(batches({"rows": at[order].tolist()})), schema)
    if len(found) != len(at):
        raise InputError("was changed after it was read", file=source.name, fix="run again")
    return found.take(back)


def _cut(table: Any) -> Iterator[Any]:
    yield from table.to_batches(max_chunksize=1 << 20)


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _distinct(source: Source, schema: Any, wanted: Callable[[Any], Collection[str]]) -> list[str]:
    names = list(schema.names)
    twice = [n for n in names if names.count(n) > 1] if len(set(names)) < len(names) else []
    if twice:
        raise InputError("two columns have this name", file=source.name, column=twice[0], fix="rename one")
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{len(names):,} columns, the limit is {MAX_COLUMNS:,}", file=source.name)
    keep = set(wanted(schema))
    return [n for n in names if n in keep]
