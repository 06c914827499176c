"""Facility location once its cosines are there: what is covered, what a row would add, and prices for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.near import Near, gains_above
from shortlist.kernels.cover import columns, rough_gains
from shortlist.kernels.jit import have_numba


class State(NamedTuple):
    """What is covered so far: f32[m] from the floors up; f32[a] below, of the a sampled rows that can still
    gain, with their cosines f32[n, a] and the most each can have f32[a]."""

    near: F32
    below: F32
    rough: F32
    most: F32


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Facility location bound to n rows.

    rough f32[n, r]: cosines to r rows, cut to [0, floor], and their largest f32[r]; near: those above the
    floors f32[m], by candidate. Without neighbors all is rough and m = 0.
    """

    rough: F32
    most: F32
    near: Near
    floor: F32

    @property
    def terms(self) -> tuple[str, ...]:
        """One term."""
        return ("coverage",)

    @property
    def submodular(self) -> bool:
        """Always: a sum of maxima."""
        return True

    @property
    def monotone(self) -> bool:
        """Always."""
        return True

    @property
    def exact(self) -> bool:
        """The gains add up to `FacilityLocation.value`, to float32 rounding of the cosines."""
        return True

    def __len__(self) -> int:
        return len(self.rough)

    def start(self) -> State:
        """Nothing covered."""
        return State(self.floor, np.zeros_like(self.most), self.rough, self.most)

    def gains(self, state: State, at: I64) -> F64:
        """f64[len(at), 1]."""
        out = np.zeros((len(at), 1))
        if len(self.floor):
            out[:, 0] = gains_above(self.near, state.near, at) / len(self.floor)
        if len(state.below):
            out[:, 0] += gains_below(state.rough, state.below, at) / self.rough.shape[1]
        return out

    def add(self, state: State, at: int) -> State:
        """The cover with one more row. Sampled rows at their most are let go when they are half of all."""
        covered, entries = state.near.copy(), slice(*self.near.indptr[at : at + 2])
        rows = self.near.indices[entries]
        covered[rows] = np.maximum(covered[rows], self.near.data[entries])
        below, rough, most = np.maximum(state.below, state.rough[at]), state.rough, state.most
        live = np.flatnonzero(below < most)
        if len(self.floor) and 2 * len(live) <= len(below):
            below, rough, most = below[live], chosen_columns(rough, live), most[live]
        return State(covered, below, rough, most)

    @property
    def weight(self) -> F64:
        """f64[m + r]: what one more of each cosine counts, above the floors and below."""
        m, r = len(self.floor), self.rough.shape[1]
        return np.concatenate([np.full(m, 1 / max(m, 1)), np.full(r, 1 / max(r, 1))])

    def covered(self, at: I64) -> tuple[F32, F32, I64]:
        """f32[m + r] twice and i64[m + r]: largest and second largest cosine to these rows, and whose."""
        best = np.concatenate([self.floor, np.zeros_like(self.most)])
        second, whose, m = best.copy(), np.full(len(best), -1, np.int64), len(self.floor)
        for i, row in enumerate(at.tolist()):
            entries = slice(*self.near.indptr[row : row + 2])
            for to, value in (
                (self.near.indices[entries], self.near.data[entries]),
                (np.flatnonzero(self.rough[row] > second[m:]) + m, None),
            ):
                new = self.rough[row][to - m] if value is None else value
                old = best[to]
                second[to] = np.maximum(second[to], np.minimum(old, new))
                whose[to[new > old]] = i
                best[to] = np.maximum(old, new)
        return best, second, whose

    def at_prices(self, prices: F32) -> tuple[State, F32]:
        """The state that covers prices f32[m + r]; no cosine below the floors passes the most there is."""
        m = len(self.floor)
        below = np.minimum(prices[m:], self.most)
        held = np.concatenate([prices[:m], below])
        live = np.flatnonzero(below < self.most)
        if 2 * len(live) > len(below):
            return State(held[:m], below, self.rough, self.most), held
        return State(held[:m], below[live], chosen_columns(self.rough, live), self.most[live]), held

    def passing(self, prices: F32, at: I64) -> I64:
        """i64[m + r]: how many of these rows pass each price."""
        m, near = len(self.floor), self.near
        count = np.zeros(len(prices), np.int64)
        for a in range(0, len(at), 256):
            rows = at[a : a + 256]
            entries = np.concatenate([np.arange(*near.indptr[row : row + 2]) for row in rows.tolist()])
            to = near.indices[entries]
            count[:m] += np.bincount(to[near.data[entries] > prices[to]], minlength=m)[:m]
            count[m:] += (self.rough[rows] > prices[m:]).sum(axis=0)
        return count


def gains_below(rough: F32, cover: F32, at: I64) -> F64:
    """f64[b]: sums of max(rough[at] - cover, 0); each row by itself, so none depends on its company."""
    if not have_numba():
        return gains_below_plain(rough, cover, at)
    out = np.empty(len(at))
    rough_gains(rough, cover, at, out)
    return out


def gains_below_plain(rough: F32, cover: F32, at: I64) -> F64:
    """Equivalent to `gains_below`, to the bit, in NumPy alone: cumulative sums add in order."""
    out = np.zeros(len(at))
    step = max(1, (1 << 16) // max(len(cover), 1))
    for a in range(0, len(at) if len(cover) else 0, step):
        # float64 from here: gains telescope exactly.
        more = np.subtract(rough[at[a : a + step]], cover, dtype=np.float64)
        out[a : a + step] = np.cumsum(np.maximum(more, 0, out=more), axis=1)[:, -1]
    return out


def chosen_columns(table: F32, live: I64) -> F32:
    """table[:, live], in rows."""
    if not have_numba():
        return np.take(table, live, axis=1)
    out = np.empty((len(table), len(live)), np.float32)
    columns(table, live, out)
    return out


def largest(rough: F32) -> F32:
    """f32[r]: the most each column has, 0 at least."""
    most: F32 = rough.max(axis=0, initial=0.0)
    return most
