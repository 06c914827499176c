"""What reading gives: the pool, what was set aside, and an account of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shortlist.core.arrays import I32, I64
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Signal, Text
from shortlist.store.roles import SignalInfo


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that did not get in. row: 1-based line or row; raw: at most 200 characters of it."""

    file: str
    row: int
    column: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited file is written. quoted: cells may stand in quotes; else quotes are text (some TSV)."""

    header: tuple[str, ...]
    delimiter: str
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """One input. name: as the user gave it; path: where its bytes are (a spool for stdin), None for a frame.

    format: 'jsonl', 'csv', 'tsv', 'parquet', 'arrow' or 'frame'; compression: '', 'gz' or 'zst'; stamp:
    (size, mtime in ns) when it was read; dialect: of delimited text; handle: the frame, the Arrow schema
    of a table file, or what keeps a spool file alive.
    """

    name: str
    path: Path | None
    format: str
    compression: str = ""
    stamp: tuple[int, int] = (0, 0)
    dialect: Dialect | None = None
    handle: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """Where every row of the pool stands, so that it can be written back unchanged.

    file i32[n]: index into files; line i64[n]: 1-based line (text) or row (tables); start i64[n] and size
    i64[n]: byte range in the uncompressed text (for tables start is the 0-based row, size 0); kinds: every
    column of every file, in order, with what it holds; digest: sha256 over all input bytes, in hex.
    """

    files: tuple[Source, ...]
    file: I32
    line: I64
    start: I64
    size: I64
    kinds: Mapping[str, str]
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """The answer of `read`. Always `read == len(pool) + len(rejected) + filtered`.

    set_aside: the `holdout` columns as signals, aligned with the pool and not in it; signals: how each
    signal came to be; ignored: column -> why it is no signal; notes: what else the user should know;
    request: what was asked, JSON-able, to read the same again.
    """

    pool: Pool
    ids: Text
    set_aside: Mapping[str, Signal]
    signals: tuple[SignalInfo, ...]
    ignored: Mapping[str, str]
    rejected: tuple[Rejected, ...]
    filtered: int
    read: int
    sources: Sources
    notes: tuple[str, ...] = ()
    request: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.pool)
        if self.read != n + len(self.rejected) + self.filtered:
            raise ContractError(
                f"{self.read} rows read, but {n} accepted + {len(self.rejected)} rejected + "
                f"{self.filtered} filtered"
            )
        if not n == len(self.ids) == len(self.sources.file):
            raise ContractError("ids and sources must have one entry a row of the pool")

    @property
    def digest(self) -> str:
        """sha256 over the input bytes in order, vector files included, in hex."""
        return self.sources.digest

    @property
    def bytes(self) -> int:
        """Bytes of all inputs as they lie on disk."""
        return self.sources.bytes

    def named(self, role: str) -> tuple[str, ...]:
        """Names of the signals with this role, in order: `named('vector')`; () if there are none."""
        return tuple(s.name for s in self.signals if s.role == role)

    def row_place(self, i: int) -> str:
        """`'pool.jsonl, row 17'`: where position i of the pool was read."""
        s = self.sources
        return f"{s.files[int(s.file[i])].name}, row {int(s.line[i])}"

    def find(self, id: str) -> int | None:
        """The position of this id, None if there is none. Exact, byte by byte."""
        return self.ids.find(id)
