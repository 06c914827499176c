"""The candidates: signals that share one row axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import ContractError
from shortlist.core.signals import Signal

#: Rows per shard. A constant written into the manifest, so cuts never depend on storage or workers.
CHUNK = 1 << 16

S = TypeVar("S", bound=Signal)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """rows i64[n], global and strictly increasing; every signal has n entries; immutable."""

    rows: I64
    columns: Mapping[str, Signal]
    chunk: int = CHUNK

    def __post_init__(self) -> None:
        if self.rows.dtype != np.int64 or self.rows.ndim != 1 or (np.diff(self.rows, prepend=-1) <= 0).any():
            raise ContractError("rows must be i64[n], strictly increasing from 0 or more")
        if self.chunk < 1:
            raise ContractError(f"chunk must be at least 1, found {self.chunk}")
        for name, signal in self.columns.items():
            if len(signal) != len(self.rows):
                raise ContractError(
                    f"signal {name!r} has {len(signal)} entries, the pool has {len(self.rows)} rows"
                )
        object.__setattr__(self, "columns", dict(self.columns))  # not the caller's to change

    @classmethod
    def of(cls, columns: Mapping[str, Signal], *, chunk: int = CHUNK) -> Pool:
        """A pool of rows 0..n-1 over these signals."""
        sizes = {name: len(s) for name, s in columns.items()}
        if len(set(sizes.values())) > 1:
            raise ContractError(f"signals differ in length: {sizes}")
        return cls(np.arange(next(iter(sizes.values()), 0), dtype=np.int64), columns, chunk)

    def __len__(self) -> int:
        return len(self.rows)

    def signal(self, name: str, kind: type[S]) -> S:
        """The signal `name`, which must be of `kind`; the error names what this pool has."""
        try:
            found = self.columns[name]
        except KeyError:
            have = f"this pool has {sorted(self.columns)}{self.fitting(kind)}"
            raise ContractError(f"no signal {name!r}; {have}") from None
        if not isinstance(found, kind):
            needed = f"{kind.__name__} is needed{self.fitting(kind)}"
            raise ContractError(f"signal {name!r} is {type(found).__name__}, {needed}")
        return found

    def fitting(self, kinds: type | tuple[type, ...]) -> str:
        """Which signals could have been named instead, as the end of an error; '' if none."""
        could = [repr(name) for name, s in sorted(self.columns.items()) if isinstance(s, kinds)]
        return f"; name {' or '.join(could)}" if could else ""

    def with_signal(self, name: str, signal: Signal) -> Pool:
        """The same rows with one signal more (or replaced)."""
        return Pool(self.rows, {**self.columns, name: signal}, self.chunk)

    def take(self, at: I64) -> Pool:
        """The rows at increasing positions i64[b] as a pool of its own; global row numbers are kept."""
        return Pool(self.rows[at], {k: v.take(at) for k, v in self.columns.items()}, self.chunk)

    def gather(self, rows: I64) -> Pool:
        """The pool of these global rows i64[b], increasing."""
        at = np.searchsorted(self.rows, rows)
        if len(rows) and (at[-1] >= len(self) or (self.rows[at] != rows).any()):
            raise ContractError("gather: some rows are not in this pool")
        return self.take(at)

    def shards(self) -> Iterator[Pool]:
        """Consecutive pieces of `chunk` rows."""
        for a in range(0, len(self), self.chunk):
            yield self.take(np.arange(a, min(a + self.chunk, len(self)), dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """Bytes held by all signals."""
        return int(self.rows.nbytes) + sum(s.nbytes for s in self.columns.values())
