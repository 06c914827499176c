"""Rows by an SQL condition, through DuckDB with the world shut out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.core.arrays import Bool
from shortlist.core.errors import UsageError
from shortlist.store.column import Column
from shortlist.store.table import Table, output_kind

_ROW = "__shortlist_row"


def matches(table: Table, where: str) -> Bool:
    """bool[n]: the rows where the condition is true; neither false nor unknown rows are kept.

    Files, the network, extensions and Python variables are out of reach of the condition.

    Raises:
        UsageError: not one SQL condition over these columns.
    """
    import duckdb

    con = duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "threads": "1",
        },
    )
    try:
        con.execute("SET lock_configuration = true")
        arrow = _arrow(table)
        relation = con.from_arrow(arrow).filter(duckdb.SQLExpression(where)).project(_ROW)
        found = relation.fetchnumpy()[_ROW]
    except (duckdb.Error, RuntimeError, ValueError) as e:
        text = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        raise UsageError(
            f"--where {where!r}: {text}; columns: {', '.join(list(table.columns)[:20])}"
        ) from None
    finally:
        con.close()
    keep = np.zeros(len(table), np.bool_)
    keep[np.asarray(found, np.int64)] = True
    return keep


def _arrow(table: Table) -> Any:
    columns = {name: _plain(column) for name, column in table.columns.items()}
    columns[_ROW] = pa.chunked_array([pa.array(np.arange(len(table)), pa.int64())])
    return pa.table(columns)


def _plain(column: Column) -> Any:
    """One Arrow column: typed where all rows agree, else text."""
    types = {data.type for kind, data in column.chunks if kind != "null"}
    kind = output_kind(column)
    target = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.large_string()}.get(
        kind
    )
    if target is None:
        target = types.pop() if len(types) == 1 else pa.large_string()
    chunks = []
    for k, data in column.chunks:
        if k == "cell":
            data = pc.if_else(pc.equal(data, ""), None, data)
        try:
            chunks.append(data.cast(target))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            chunks.append(pa.array([None if v is None else str(v) for v in data.to_pylist()], target))
    return pa.chunked_array(chunks, target)
