"""Rows written back unchanged, with columns added, in the format of the file name."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from shortlist.core.arrays import I64
from shortlist.store.folder import storage_errors
from shortlist.store.loaded import Loaded


def write_rows(
    path: str | os.PathLike[str],
    loaded: Loaded,
    at: I64,
    added: Mapping[str, Sequence[Any]],
    *,
    format: str = "",
) -> tuple[str, ...]:
    """Write the rows at positions i64[m], in this order, with `added` columns (m values each) behind.

    JSON lines from JSON lines keep every byte of the object; the new keys are put before its last brace.
    Cells of CSV and TSV that a spreadsheet would run (`= + - @`, tab, return, NUL first, and no number)
    get a single quote in front. An added name that the rows have already becomes `shortlist_<name>`.

    Args:
        path: `.jsonl`, `.csv`, `.tsv` (also with `.gz` or `.zst`), `.parquet` or `.arrow`; `-` is standard
            output.
        format: the same words without the dot, where the name does not tell.

    Returns:
        The names that the added columns got.

    Raises:
        StorageError: the disk refused.
        UsageError: no known format.
        InputError: an input file was changed since it was read.
    """
    from shortlist.store.sinks import open_sink  # pyarrow is imported when something is written

    names = added_names(loaded.sources.kinds, added)
    values = dict(zip(names, added.values(), strict=True))
    with storage_errors(os.fspath(path)), open_sink(os.fspath(path), format) as sink:
        sink(loaded, at, values)
    return names


def write_rejected(path: str | os.PathLike[str], loaded: Loaded) -> None:
    """Write the rows that did not get in as JSON lines: file, row, column, reason, raw.

    Raises:
        StorageError: the disk refused.
    """
    with storage_errors(os.fspath(path)), open(Path(path), "w", encoding="ascii") as f:
        for r in loaded.rejected:
            row = {"file": r.file, "row": r.row, "column": r.column, "reason": r.reason, "raw": r.raw}
            f.write(json.dumps(row) + "\n")


def added_names(taken: Collection[str], names: Collection[str]) -> tuple[str, ...]:
    """The names under which columns can be added to rows that have the `taken` ones."""
    used, out = set(taken), []
    for name in names:
        free = name
        while free in used:
            free = f"shortlist_{free}"
        used.add(free)
        out.append(free)
    return tuple(out)


def natural_format(loaded: Loaded) -> str:
    """The ending that keeps rows as they came: `jsonl`, `csv`, `tsv`, `parquet`; `jsonl` for a mixture."""
    formats = {s.format for s in loaded.sources.files}
    one = formats.pop() if len(formats) == 1 else "jsonl"
    return {"arrow": "parquet", "frame": "parquet"}.get(one, one)
