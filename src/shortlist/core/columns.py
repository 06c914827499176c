"""Rows as sparse columns >= 0, whatever the signal: what objectives over features, words and groups read.

Columns in which no row has anything are left out, and so are entries of 0: every column that is there has
something, and a state takes 8 bytes a column that exists rather than one that might.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.effects import Plan, scan
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Neighbors, Signal, Tags, Terms, Text, Vectors
from shortlist.kernels.concave import level_sums
from shortlist.kernels.jit import Kernel, have_numba
from shortlist.kernels.sparse import term_counts
from shortlist.kernels.text import tokens_of

#: Words are hashed into at most 2^BITS columns; text is read in pieces of at most so many bytes, or one row.
BITS, PIECE = 22, 1 << 23
#: Rows gathered at once where there is no compiled kernel.
_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """CSR: indptr i64[n+1], indices i32[z] in [0, width) unique within a row, data f32[z] > 0."""

    indptr: I64
    indices: I32
    data: F32
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, at: int) -> tuple[I32, F64]:
        """Columns and entries of one row."""
        e = slice(int(self.indptr[at]), int(self.indptr[at + 1]))
        return self.indices[e], self.data[e].astype(np.float64)

    def reached(self, at: I64) -> I64:
        """Columns in which some of these rows have something, increasing."""
        return np.unique(self.indices[self._entries(at)[0]]).astype(np.int64)

    def totals(self, at: I64 | None = None) -> F64:
        """f64[width]: sums over all rows, or over those at i64[b]."""
        if at is None:
            every = np.bincount(self.indices, self.data, self.width)
            return every.astype(np.float64, copy=False)
        e, _ = self._entries(at)
        some = np.bincount(self.indices[e], self.data[e], self.width)
        return some.astype(np.float64, copy=False)

    def rows_with(self) -> F64:
        """f64[width]: how many rows have something in each column."""
        return np.bincount(self.indices, minlength=self.width).astype(np.float64)

    def dense(self, at: I64) -> F64:
        """f64[b, width]: these rows in full, for slow definitions."""
        out = np.zeros((len(at), self.width))
        e, owner = self._entries(at)
        out[owner, self.indices[e]] = self.data[e]
        return out

    def levels(self, level: F64, at: I64) -> F64:
        """f64[b]: for each row the sum of entry times level f64[width] of its column."""
        if not have_numba():
            return self.summed(at, lambda x, c: x * level[c])
        out = np.empty(len(at))
        level_sums(self.indptr, self.indices, self.data, level, at, out)
        return out

    def gains(
        self, compiled: Kernel[..., None], plain: Callable[..., F64], level: F64, scale: F64, at: I64
    ) -> F64:
        """f64[b]: sums over entries x of scale[c] * plain(x, level[c]), by the kernel that says the same."""
        if not have_numba():
            return self.summed(at, lambda x, c: scale[c] * plain(x, level[c]))
        out = np.empty(len(at))
        compiled(self.indptr, self.indices, self.data, level, scale, at, out)
        return out

    def summed(self, at: I64, term: Callable[[F64, I32], F64]) -> F64:
        """f64[b]: for each row at i64[b] the sum, in entry order, of term(entries, their columns)."""
        out = np.zeros(len(at))
        for a in range(0, len(at), _ROWS):
            e, owner = self._entries(at[a : a + _ROWS])
            more = term(self.data[e].astype(np.float64), self.indices[e])
            out[a : a + _ROWS] = np.bincount(owner, more, len(at[a : a + _ROWS]))
        return out

    def _entries(self, at: I64) -> tuple[I64, I64]:
        """Places of all entries of these rows, and which of the rows each belongs to."""
        size = self.indptr[at + 1] - self.indptr[at]
        owner = np.repeat(np.arange(len(at)), size)
        return np.arange(len(owner)) + np.repeat(self.indptr[at] - (np.cumsum(size) - size), size), owner


def columns(pool: Pool, by: str, kinds: tuple[type, ...]) -> Plan[Columns]:
    """The signal `by`, of one of `kinds`, as columns.

    Terms and Vectors as they are (negative entries are refused), Text as counts of its words, Labels and
    Tags as a column each with 1 where a row has it, Neighbors as similarities to rows, 1 to itself.
    """
    signal = of_kind(pool, by, kinds)
    match signal:
        case Text():
            bits = _bits(signal)
            parts = yield from scan(partial(_words, signal, bits), _joined, _pieces(signal), "counting words")
            if parts is None:
                return Columns(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 0)
            size, found, count = (np.concatenate([p[i] for p in parts]) for i in range(3))
            return _compact(_ends(size), found, count, 1 << bits)
        case Vectors(values=x):
            low = float(x.min(initial=0.0))
            if low < 0:
                raise ContractError(
                    f"{by!r} has an entry of {low:g}; features must be 0 or more: name text, tags, a group, "
                    "or vectors without negative entries"
                )
            row, column = np.nonzero(x)
            ends = _ends(np.bincount(row, minlength=len(x)))
            return _compact(ends, column.astype(np.int32), x[row, column], int(x.shape[1]))
        case Terms():
            return _compact(*_once(signal), signal.width)
        case Neighbors():
            return _compact(*_with_itself(signal), len(signal))
        case Labels():
            ones, codes = np.ones(len(signal), np.float32), signal.codes
            return _compact(np.arange(len(signal) + 1, dtype=np.int64), codes, ones, len(signal.names))
        case Tags():
            ones = np.ones(len(signal.codes), np.float32)
            return _compact(signal.indptr, signal.codes, ones, len(signal.names))
    raise ContractError(f"signal {by!r} is {type(signal).__name__}, which has no columns")


def of_kind(pool: Pool, by: str, kinds: tuple[type, ...]) -> Signal:
    """The signal of that name, if it is of one of these kinds."""
    found = pool.columns.get(by)
    if found is None:
        have = f"this pool has {sorted(pool.columns)}{pool.fitting(kinds)}"
        raise ContractError(f"no signal {by!r}; {have}")
    if not isinstance(found, kinds):
        wanted = " or ".join(k.__name__ for k in kinds)
        needed = f"{wanted} is needed{pool.fitting(kinds)}"
        raise ContractError(f"signal {by!r} is {type(found).__name__}, {needed}")
    return found


def need(pool: Pool, by: str, kinds: tuple[type, ...]) -> tuple[float, float, float]:
    """At most: bytes to make the columns at the peak, entries, columns."""
    match of_kind(pool, by, kinds):
        case Text(utf8=utf8) as signal:
            words, wide = len(utf8) / 2 + 1, 1 << _bits(signal)  # a letter and a space each, at worst
            return (
                32.0 * words + 8.0 * min(len(utf8), PIECE) + 12.0 * wide,
                words,
                min(words, wide),
            )
        case Vectors(values=x):
            return 24.0 * x.size + 8.0 * len(x), x.size, x.shape[1]
        case Terms(indices=indices, width=width):
            return 24.0 * len(indices) + 12.0 * width, len(indices), min(width, len(indices))
        case Neighbors(indices=indices) as graph:
            return 40.0 * (len(indices) + len(graph)), len(indices) + len(graph), len(graph)
        case Labels(codes=codes, names=names) | Tags(codes=codes, names=names):
            return 20.0 * len(codes) + 12.0 * len(names), len(codes), len(names)
    return 0.0, 0.0, 0.0


def _compact(indptr: I64, indices: I32, data: F32, width: int) -> Columns:
    """Without entries of 0 and without columns nobody has."""
    some = data > 0
    if not some.all():
        before = np.append(0, np.cumsum(some))
        indptr, indices, data = before[indptr], indices[some], data[some]
    there = np.zeros(width, bool)
    there[indices] = True
    if there.all():
        return Columns(indptr, indices, data, width)
    number = (np.cumsum(there) - 1).astype(np.int32)
    return Columns(indptr, number[indices], data, int(there.sum()))


def _once(terms: Terms) -> tuple[I64, I32, F32]:
    """Rows in which no column comes twice: such entries are added up."""
    n = len(terms)
    key = np.repeat(np.arange(n), np.diff(terms.indptr)) * np.int64(terms.width) + terms.indices
    if (np.diff(np.sort(key)) > 0).all():
        return terms.indptr, terms.indices, terms.data
    found, back = np.unique(key, return_inverse=True)
    data = np.bincount(back, terms.data, len(found)).astype(np.float32)
    row, column = np.divmod(found, terms.width)
    return _ends(np.bincount(row, minlength=n)), column.astype(np.int32), data


def _with_itself(graph: Neighbors) -> tuple[I64, I32, F32]:
    n = len(graph)
    row = np.repeat(np.arange(n), np.diff(graph.indptr))
    other = graph.indices != row
    row, column = np.append(row[other], np.arange(n)), np.append(graph.indices[other], np.arange(n))
    order = np.lexsort((column, row))
    data = np.append(np.minimum(graph.data[other], 1), np.ones(n)).astype(np.float32)
    return _ends(np.bincount(row, minlength=n)), column[order].astype(np.int32), data[order]


def _ends(size: I64) -> I64:
    ends = np.zeros(len(size) + 1, np.int64)
    np.cumsum(size, out=ends[1:])
    return ends


def _pieces(text: Text) -> list[tuple[int, int]]:
    """Ranges of rows that cover the text."""
    cuts = [0]
    while cuts[-1] < len(text):
        full = int(np.searchsorted(text.offsets, text.offsets[cuts[-1]] + PIECE, side="right")) - 1
        cuts.append(min(max(full, cuts[-1] + 1), len(text)))
    return list(pairwise(cuts))


def _bits(text: Text) -> int:
    """So many that words, each two bytes of the text or more, seldom meet in a column."""
    return min(BITS, max(4, (16 * len(text.utf8)).bit_length()))


def _words(text: Text, bits: int, span: tuple[int, int]) -> list[tuple[I64, I32, F32]]:
    offsets = text.offsets[span[0] : span[1] + 1]
    indptr, tokens = tokens_of(offsets - offsets[0], text.utf8[offsets[0] : offsets[-1]])
    ends, found, count = term_counts(indptr, tokens, bits)
    return [(np.diff(ends), found, count.astype(np.float32))]


def _joined(a: list[tuple[I64, I32, F32]], b: list[tuple[I64, I32, F32]]) -> list[tuple[I64, I32, F32]]:
    return a + b
