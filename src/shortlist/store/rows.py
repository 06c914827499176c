"""What parsing one file gives: its columns, where its rows stand, and what it rejected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import InputError
from shortlist.store.column import Column
from shortlist.store.limits import EXCERPT, MAX_COLUMNS, MAX_REJECTED
from shortlist.store.loaded import Rejected, Source


@dataclass(slots=True, eq=False)
class Rows:
    """Grows while a file is parsed. The lists of arrays hold one piece a block.

    line: 1-based place of each good row; start, size: its bytes; ordinal: 0-based number among all rows
    of the file, good and bad; read: rows seen; blank: lines without content.
    """

    source: Source
    columns: dict[str, Column] = field(default_factory=dict)
    line: list[I64] = field(default_factory=list)
    start: list[I64] = field(default_factory=list)
    size: list[I64] = field(default_factory=list)
    ordinal: list[I64] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    read: int = 0
    good: int = 0
    blank: int = 0

    def reject(
        self, line: int, reason: str, raw: str, fix: str = "", *, column: str = "", drop: bool
    ) -> None:
        """Count a bad row, or refuse the file if bad rows are not to be dropped."""
        if not drop:
            raise InputError(reason, file=self.source.name, row=line, column=column, fix=fix)
        if len(self.rejected) >= MAX_REJECTED:
            raise InputError(
                f"more than {MAX_REJECTED:,} bad rows: this is no {self.source.format}",
                file=self.source.name,
                fix="check what the file holds",
            )
        self.rejected.append(Rejected(self.source.name, line, column, reason, raw[:EXCERPT]))

    def place(self, line: I64, start: I64, size: I64, ordinal: I64) -> None:
        """Add the places of a block's good rows."""
        self.line.append(line)
        self.start.append(start)
        self.size.append(size)
        self.ordinal.append(ordinal)
        self.good += len(line)

    def column(self, name: str) -> Column:
        """The column of this name, new and padded to the rows before if it was not seen yet.

        Raises:
            InputError: the file has too many columns to be a table.
        """
        found = self.columns.get(name)
        if found is None:
            if len(self.columns) >= MAX_COLUMNS:
                raise InputError(
                    f"more than {MAX_COLUMNS:,} columns",
                    file=self.source.name,
                    fix="keep values that vary under one key",
                )
            found = self.columns[name] = Column(name)
        return found

    def joined(self, pieces: list[I64]) -> I64:
        """One array of the pieces of a place."""
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)


def excerpt(value: Any) -> str:
    """A value as it may stand in a one-line message: escaped and short."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
