"""`sl.read`: a pool from files or a frame, with the roles of its columns by keyword."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shortlist.doors.request import load
from shortlist.store.frames import is_frame
from shortlist.store.loaded import Loaded


def read(
    data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Any,
    *,
    id: str | None = None,
    text: str | None = None,
    vectors: str | None = None,
    scores: str | Iterable[str] | None = None,
    labels: str | Iterable[str] | None = None,
    tags: str | Iterable[str] | None = None,
    costs: str | Iterable[str] | None = None,
    holdout: str | Iterable[str] = (),
    where: str | None = None,
    missing: Mapping[str, str | float] | None = None,
    drop_bad: bool = False,
) -> Loaded:
    """Read a pool; what a column is for is told here or inferred, and `Loaded.signals` says which.

    Args:
        data: file names, globs or `-` (JSON lines, CSV, TSV, Parquet, Arrow IPC), or one frame with an
            Arrow interface (Polars, pandas, DuckDB, pyarrow).
        id, text: columns; None infers, '' is none.
        vectors: a list column, or a file beside the table: `emb.npy`, `emb.npz:key`.
        scores: columns, `ppl:lower` where lower is better.
        labels: columns with one group a row; tags: list columns with any number of groups a row.
        costs: columns, `price:usd` with a unit.
        holdout: columns set aside, to judge the choice by.
        where: an SQL condition; rows where it is not true are left out and counted.
        missing: column -> 'median', 'worst', 'drop' or a number, in place of the default rule.
        drop_bad: put bad rows into `rejected` instead of refusing the input at the first.

    Raises:
        InputError: the input is bad: file, row, column, what was found, what to do.
        UsageError: a role, rule or condition cannot be read.
    """
    request: dict[str, Any] = {"inputs": _inputs(data)}
    single = {"id": id, "text": text, "vector": vectors, "where": where}
    request |= {name: value for name, value in single.items() if value is not None}
    several = {"score": scores, "group": labels, "tags": tags, "cost": costs, "holdout": holdout or None}
    for name, value in several.items():
        if value is not None:
            request[name] = [value] if isinstance(value, str) else list(value) or [""]
    if missing:
        request["missing"] = [f"{column}={rule}" for column, rule in missing.items()]
    if drop_bad:
        request["on_bad"] = "drop"
    loaded = load(request)
    if is_frame(data):  # a frame cannot be named: `verify` has to be given its rows
        return replace(loaded, request={**request, "inputs": ["-"]})
    return loaded


def _inputs(data: Any) -> Any:
    if is_frame(data):
        return data
    names = [data] if isinstance(data, str | os.PathLike) else data
    return [os.fspath(name) for name in names]
