"""Cosines whose bits do not depend on the company: one row asked alone or among a million gives the same.

Matrix products do not have this property: BLAS sums in an order that depends on the shape of the block and on
the place of a row in it, and a lazy solver that re-asks one row would then break ties differently from a
plain one. `einsum('ij,j->i')` sums every row by the same inner loop, at the speed of memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64

_ROWS = 1024  # rows gathered at once: stays in cache
_FEW = 64  # rows that are taken together though they have not seen as much
_BLOCK = 64  # directions to an array of `Met`
_TINY, _HUGE = 1e-24, 1e30  # squared lengths that float32 sums well
#: What each way of folding leaves as it was; sums are no such way: NumPy adds them in pairs.
_NEUTRAL: dict[np.ufunc, float] = {np.maximum: -np.inf, np.subtract: 0.0, np.multiply: 1.0}
_SAFE = 1e15  # norms from 1 / _SAFE to _SAFE: products of two rows stay within float32


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """values f32[n, d] as given, inverse f32[n]: 1 / norm, 0 for a zero row (its cosine with all is 0)."""

    values: F32
    inverse: F32

    @classmethod
    def of(cls, values: F32) -> Directions:
        """Norms of rows f32[n, d]. Values are copied only where norms are too far from 1 for float32."""
        norm = np.empty(len(values))
        for a in range(0, len(values), _ROWS):
            block = values[a : a + _ROWS]
            square = np.einsum("ij,ij->i", block, block).astype(np.float64)
            wild = np.flatnonzero(~((square > _TINY) & (square < _HUGE)))
            if len(wild):  # out of the range of float32, or zero
                exact = block[wild].astype(np.float64)
                square[wild] = np.einsum("ij,ij->i", exact, exact)
            norm[a : a + _ROWS] = np.sqrt(square)
        some = norm > 0
        if some.any() and (norm.max() > _SAFE or norm[some].min() < 1 / _SAFE):
            scaled = (values / np.where(some, norm, 1.0)[:, None]).astype(np.float32)
            return cls(scaled, some.astype(np.float32))
        return cls(values, np.divide(1.0, norm, out=np.zeros_like(norm), where=some).astype(np.float32))

    def __len__(self) -> int:
        return len(self.values)

    def unit(self, at: I64 | slice) -> F32:
        """f32[b, d]: the rows at i64[b], or of a slice, brought to length 1 (or 0)."""
        rows: F32 = self.values[at] * self.inverse[at, None]
        return rows

    def along(self, direction: F32) -> F32:
        """f32[n]: all unit rows times direction f32[d]."""
        every: F32 = np.einsum("ij,j->i", self.values, direction) * self.inverse
        return every


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """What each row has met along a growing list of directions; each row catches up when it is asked for.

    sums f64[n]: folded over the first seen i32[n] of `count` directions; blocks: the directions, f32[<=64, d]
    each. Asking writes what it learns back into `sums` and `seen`: answers never change by it, but two
    threads must not ask one state for the same rows at once.
    """

    sums: F64
    seen: I32
    blocks: tuple[F32, ...] = ()
    count: int = 0

    @classmethod
    def nothing(cls, start: F64) -> Met:
        """No directions yet, every row at its start f64[n]."""
        return cls(start, np.zeros(len(start), np.int32))

    def and_then(self, direction: F32) -> Met:
        """The same with direction f32[d] at the end."""
        if self.count % _BLOCK:
            blocks = (*self.blocks[:-1], np.concatenate([self.blocks[-1], direction[None]]))
        else:
            blocks = (*self.blocks, direction[None].copy())
        return Met(self.sums.copy(), self.seen.copy(), blocks, self.count + 1)

    def fold(self, rows: Directions, at: I64, by: np.ufunc, term: Callable[[F32], F64]) -> F64:
        """f64[b]: `by`(... `by`(start, term(x_0)) ..., term(x_last)), x_s the row along direction s."""
        stale = at[self.seen[at] < self.count]
        if len(stale) and 2 * len(stale) >= len(rows) and (self.seen[stale] == self.seen[stale[0]]).all():
            self._all_catch_up(rows, stale, by, term)  # reading on is faster than gathering
        elif len(stale):
            stale = stale[np.argsort(self.seen[stale], kind="stable")]
            seen = self.seen[stale]
            a = 0
            while a < len(stale):
                alike = int(np.searchsorted(seen, seen[a], side="right"))
                # few that saw as much are taken with those that saw more: a product costs less than a call
                b = min(alike, a + _ROWS) if alike - a >= _FEW else min(a + _FEW, len(stale))
                few = stale[a:b]
                self.sums[few] = self._folded(
                    rows.values[few], rows.inverse[few], self.sums[few], seen[a:b], by, term
                )
                a = b
        self.seen[stale] = self.count
        return self.sums[at]

    def _all_catch_up(self, rows: Directions, at: I64, by: np.ufunc, term: Callable[[F32], F64]) -> None:
        """Most rows, all of which have seen as many directions."""
        due = np.zeros(len(rows), bool)
        due[at] = True
        for a in range(0, len(rows), _ROWS):
            some = slice(a, a + _ROWS)
            here = a + np.flatnonzero(due[some])
            if len(here):
                seen = np.full(min(_ROWS, len(rows) - a), self.seen[at[0]])
                told = self._folded(rows.values[some], rows.inverse[some], self.sums[some], seen, by, term)
                self.sums[here] = told[here - a]

    def _folded(
        self, values: F32, scale: F32, sums: F64, seen: I32, by: np.ufunc, term: Callable[[F32], F64]
    ) -> F64:
        """`sums` with the directions that each row has not seen, seen i32[b] increasing. Those it has seen
        count once more as what changes nothing."""
        first, last = int(seen[0]), int(seen[-1])
        for b in range(first // _BLOCK, len(self.blocks)):
            start = max(first - b * _BLOCK, 0)
            block = self.blocks[b][start:]
            # einsum sums each pair by the same inner loop whatever stands beside it
            x = term(np.einsum("ij,kj->ik", values, block) * scale[:, None])
            if last > b * _BLOCK + start:
                x[np.arange(b * _BLOCK + start, b * _BLOCK + start + len(block)) < seen[:, None]] = _NEUTRAL[
                    by
                ]
            sums = by.reduce(np.concatenate([sums[:, None], x], axis=1), axis=1)
        return sums
