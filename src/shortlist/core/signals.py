"""Signals: named arrays aligned with the rows of a pool.

Every signal is finite and frozen, has a length, and `take`s positions. Missing values never reach a method:
the door fills them by a stated rule and keeps the mask in `missing`, so that reports can say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64, U8, Bool
from shortlist.core.errors import ContractError


class Signal(Protocol):
    """One array (or CSR bundle) with one entry a row."""

    def __len__(self) -> int: ...

    def take(self, at: I64) -> Signal:
        """The same signal at positions i64[b]."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise ContractError(what)


def _csr_take(indptr: I64, at: I64) -> tuple[I64, I64]:
    """New indptr and the entries to gather for rows `at` of a CSR matrix."""
    count = indptr[at + 1] - indptr[at]
    out = np.zeros(len(at) + 1, np.int64)
    np.cumsum(count, out=out[1:])
    entries = np.arange(out[-1]) - np.repeat(out[:-1] - indptr[at], count)
    return out, entries


def _check_indptr(indptr: I64, end: int) -> None:
    _need(
        indptr.dtype == np.int64
        and indptr.ndim == 1
        and len(indptr) > 0
        and indptr[0] == 0
        and indptr[-1] == end,
        f"offsets must be i64, start at 0 and end at {end}",
    )
    _need(bool((np.diff(indptr) >= 0).all()), "offsets must not decrease")


def _unique_within_rows(indptr: I64, codes: I32) -> bool:
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    same = row[1:] == row[:-1]
    if (codes[1:] > codes[:-1])[same].all():  # sorted, as `Tags.of` leaves them
        return True
    order = np.lexsort((codes, row))
    return not ((codes[order][1:] == codes[order][:-1]) & same).any()


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """values f64[n], finite; `missing` bool[n] marks rows whose value was filled by `fill` (a sentence)."""

    values: F64
    higher_is_better: bool = True
    unit: str = ""
    missing: Bool | None = None
    fill: str = ""

    def __post_init__(self) -> None:
        _need(self.values.dtype == np.float64 and self.values.ndim == 1, "scores must be f64[n]")
        bad = np.flatnonzero(~np.isfinite(self.values))
        if len(bad):
            raise ContractError(f"scores must be finite; entry {bad[0]} is {self.values[bad[0]]}")
        mask = self.missing
        _need(
            mask is None or (mask.dtype == bool and mask.shape == self.values.shape),
            "missing must be bool[n]",
        )

    def __len__(self) -> int:
        return len(self.values)

    def take(self, at: I64) -> Scores:
        """The same signal at positions i64[b]."""
        missing = None if self.missing is None else self.missing[at]
        return Scores(self.values[at], self.higher_is_better, self.unit, missing, self.fill)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes

    def utility(self) -> F64:
        """f64[n], larger is better: the values, negated where lower is better."""
        return self.values if self.higher_is_better else -self.values


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """values f32[n, d], C-order. May be memory-mapped: finiteness is checked by the reader, not here."""

    values: F32

    def __post_init__(self) -> None:
        _need(self.values.dtype == np.float32 and self.values.ndim == 2, "vectors must be f32[n, d]")
        _need(self.values.flags.c_contiguous, "vectors must be C-contiguous")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, at: I64) -> Vectors:
        """The same signal at positions i64[b]."""
        return Vectors(np.ascontiguousarray(self.values[at]))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Sparse non-negative weights, CSR: indptr i64[n+1], indices i32[nnz] in [0, width), data f32[nnz]."""

    indptr: I64
    indices: I32
    data: F32
    width: int

    def __post_init__(self) -> None:
        _check_indptr(self.indptr, len(self.indices))
        _need(len(self.data) == len(self.indices), "indices and data must be of one length")
        _need(self.indices.dtype == np.int32 and self.data.dtype == np.float32, "terms must be i32 and f32")
        if len(self.data):
            low, high = int(self.indices.min()), int(self.indices.max())
            _need(low >= 0 and high < self.width, f"term indices must lie in [0, {self.width})")
            _need(self.data.min() >= 0 and self.data.max() < np.inf, "weights must be finite and >= 0")

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, at: I64) -> Terms:
        """The same signal at positions i64[b]."""
        indptr, e = _csr_take(self.indptr, at)
        return Terms(indptr, self.indices[e], self.data[e], self.width)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.indptr.nbytes + self.indices.nbytes + self.data.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """Sparse similarities of rows to rows of the same pool, CSR.

    indptr i64[n+1]; indices i32[nnz], positions in [0, n), strictly increasing within a row; data f32[nnz] in
    [0, 1]. A pair that is absent has similarity 0; a row and itself 1, stored or not. Not every graph is
    symmetric: among its nearest a row may have one that does not have it.
    """

    indptr: I64
    indices: I32
    data: F32

    def __post_init__(self) -> None:
        _check_indptr(self.indptr, len(self.indices))
        _need(len(self.data) == len(self.indices), "indices and data must be of one length")
        _need(self.indices.dtype == np.int32 and self.data.dtype == np.float32, "a graph is of i32 and f32")
        if len(self.data):
            low, high = int(self.indices.min()), int(self.indices.max())
            _need(low >= 0 and high < len(self), f"neighbours must lie in [0, {len(self)})")
            _need(
                bool(self.data.min() >= 0 and self.data.max() <= 1 + 1e-6),
                "similarities must lie in [0, 1]",
            )
            fresh = np.zeros(len(self.indices), bool)
            fresh[self.indptr[:-1][np.diff(self.indptr) > 0]] = True
            _need(
                bool((np.diff(self.indices) > 0)[~fresh[1:]].all()),
                "neighbours must be strictly increasing within a row",
            )

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, at: I64) -> Neighbors:
        """The graph among positions i64[b] alone: other neighbours are left out, a row named twice is two."""
        indptr, e = _csr_take(self.indptr, at)
        order = np.argsort(at, kind="stable")
        low, high = (np.searchsorted(at[order], self.indices[e], side=s) for s in ("left", "right"))
        owner = np.repeat(np.repeat(np.arange(len(at)), np.diff(indptr)), high - low)
        ends = np.zeros(len(e) + 1, np.int64)
        np.cumsum(high - low, out=ends[1:])
        column = order[np.arange(ends[-1]) - np.repeat(ends[:-1] - low, high - low)]
        data = np.repeat(self.data[e], high - low)
        sort = np.lexsort((column, owner))
        ends = np.zeros(len(at) + 1, np.int64)
        np.cumsum(np.bincount(owner, minlength=len(at)), out=ends[1:])
        return Neighbors(ends, column[sort].astype(np.int32), data[sort])

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.indptr.nbytes + self.indices.nbytes + self.data.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """One group a row: codes i32[n] into names. A missing label is the group `(missing)`, like any other."""

    codes: I32
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        _need(self.codes.dtype == np.int32 and self.codes.ndim == 1, "label codes must be i32[n]")
        if len(self.codes):
            low, high = int(self.codes.min()), int(self.codes.max())
            _need(low >= 0 and high < len(self.names), f"label codes must lie in [0, {len(self.names)})")

    @classmethod
    def of(cls, values: Sequence[str]) -> Labels:
        """Code strings by first appearance."""
        seen: dict[str, int] = {}
        codes = np.fromiter((seen.setdefault(v, len(seen)) for v in values), np.int32, len(values))
        return cls(codes, tuple(seen))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, at: I64) -> Labels:
        """The same signal at positions i64[b]."""
        return Labels(self.codes[at], self.names)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.codes.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Tags:
    """Any number of groups a row, CSR: indptr i64[n+1], codes i32[nnz] into names, unique within a row."""

    indptr: I64
    codes: I32
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_indptr(self.indptr, len(self.codes))
        _need(self.codes.dtype == np.int32, "tag codes must be i32")
        if len(self.codes):
            low, high = int(self.codes.min()), int(self.codes.max())
            _need(low >= 0 and high < len(self.names), f"tag codes must lie in [0, {len(self.names)})")
            _need(_unique_within_rows(self.indptr, self.codes), "a row has the same tag twice")

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]]) -> Tags:
        """Code strings by first appearance; repeats within a row count once."""
        seen: dict[str, int] = {}
        indptr = np.zeros(len(rows) + 1, np.int64)
        codes: list[int] = []
        for i, row in enumerate(rows):
            codes.extend(sorted({seen.setdefault(t, len(seen)) for t in row}))
            indptr[i + 1] = len(codes)
        return cls(indptr, np.array(codes, np.int32), tuple(seen))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, at: I64) -> Tags:
        """The same signal at positions i64[b]."""
        indptr, e = _csr_take(self.indptr, at)
        return Tags(indptr, self.codes[e], self.names)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.indptr.nbytes + self.codes.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """values f64[n] >= 0 in `unit` (tokens, usd, seconds)."""

    values: F64
    unit: str = ""

    def __post_init__(self) -> None:
        _need(self.values.dtype == np.float64 and self.values.ndim == 1, "costs must be f64[n]")
        bad = np.flatnonzero(~(np.isfinite(self.values) & (self.values >= 0)))
        if len(bad):
            raise ContractError(f"costs must be finite and >= 0; entry {bad[0]} is {self.values[bad[0]]}")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, at: I64) -> Costs:
        """The same signal at positions i64[b]."""
        return Costs(self.values[at], self.unit)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """UTF-8 text: offsets i64[n+1] into utf8 u8[b] (Arrow's layout, without pyarrow)."""

    offsets: I64
    utf8: U8

    def __post_init__(self) -> None:
        _check_indptr(self.offsets, len(self.utf8))
        _need(self.utf8.dtype == np.uint8, "text must be UTF-8 in u8")

    @classmethod
    def of(cls, values: Sequence[str]) -> Text:
        """Encode Python strings; lone surrogates are kept (surrogatepass)."""
        parts = [v.encode("utf-8", "surrogatepass") for v in values]
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(p) for p in parts], out=offsets[1:])
        return cls(offsets, np.frombuffer(b"".join(parts), np.uint8))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> str:
        a, b = int(self.offsets[i]), int(self.offsets[i + 1])
        return self.utf8[a:b].tobytes().decode("utf-8", "surrogatepass")

    def find(self, value: str) -> int | None:
        """The first position of this text, byte by byte; None if it is not there."""
        want = np.frombuffer(value.encode("utf-8", "surrogatepass"), np.uint8)
        near = np.flatnonzero(np.diff(self.offsets) == len(want))
        for j, byte in enumerate(want):
            near = near[self.utf8[self.offsets[near] + j] == byte]
        return int(near[0]) if len(near) else None

    def take(self, at: I64) -> Text:
        """The same signal at positions i64[b]."""
        low, high = self.offsets[at], self.offsets[at + 1]
        offsets = np.zeros(len(at) + 1, np.int64)
        np.cumsum(high - low, out=offsets[1:])
        if len(at) and (np.diff(at) == 1).all():  # a run of rows shares the bytes
            return Text(offsets, self.utf8[low[0] : high[-1]])
        # An index a byte, as for other signals, would take many times the text.
        whole = self.utf8.data
        utf8 = b"".join([whole[a:b] for a, b in zip(low.tolist(), high.tolist(), strict=True)])
        return Text(offsets, np.frombuffer(utf8, np.uint8))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.offsets.nbytes + self.utf8.nbytes
