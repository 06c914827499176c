"""The door of the store: from files or frames to a pool, with an account of every row."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shortlist.store.loaded import Loaded
from shortlist.store.roles import MissingRules, Roles


def read(
    data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Any,
    roles: Roles | None = None,
    *,
    where: str | None = None,
    drop_bad: bool = False,
    missing: MissingRules | None = None,
    format: str = "",
    work: Path | None = None,
    memory: int | None = None,
) -> Loaded:
    """Read a pool.

    Args:
        data: file names, globs or `-` (JSON lines, CSV, TSV, each also .gz or .zst; Parquet, Arrow IPC),
            or one frame with an Arrow interface (Polars, pandas, DuckDB, pyarrow).
        roles: what the columns are for; what is not told is inferred, and `Loaded.signals` says so.
        where: an SQL condition over the columns; rows where it is not true are counted in `filtered`.
        drop_bad: put bad rows into `rejected` instead of refusing the input at the first.
        missing: column -> 'median', 'worst', 'drop' or a number, in place of the default rule.
        format: 'jsonl', 'csv', 'tsv', 'parquet' or 'arrow' where name and content do not tell.
        work: folder for the copy of standard input; the system's place for such files if None.
        memory: most bytes to hold; three quarters of the machine's if None.

    Raises:
        InputError: the input is bad: file, row, column, what was found, what to do.
        UsageError: a role, rule or condition cannot be read.
        MemoryRefused: it would not fit.
        StorageError: standard input could not be kept.
    """
    from shortlist.store.load import load  # pyarrow is imported when something is read, not before

    return load(data, roles or Roles(), where, drop_bad, dict(missing or {}), format, work, memory)
