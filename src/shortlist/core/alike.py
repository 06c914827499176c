"""Similarities in [0, 1] of rows to rows, summed over the pool and over a choice, never as an n x n array.

Of vectors the similarity is (1 + cosine) / 2. It is linear in the unit vectors, so that a sum over the whole
pool takes one product with their sum; a cosine cut at 0 would take n x n products. Of a graph it is the mean
of what the two rows of a pair say of each other, 0 where neither says anything, and 1 for a row and itself.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import scan
from shortlist.core.pool import Pool
from shortlist.core.signals import Neighbors, Vectors

#: Rows of one step of a pass over the pool.
STEP = 1 << 13


@dataclass(frozen=True, slots=True, eq=False)
class AlikeVectors:
    """Similarity (1 + cosine) / 2; a zero vector has cosine 0 to everything, itself too."""

    rows: Directions

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def own(self) -> F64:
        """f64[n]: similarity of each row to itself."""
        return np.where(self.rows.inverse > 0, 1.0, 0.5)

    def pull(self, weight: F64) -> Generator[Any, Any, F64]:
        """f64[n]: sum over the pool of weight f64[n] times the similarity to each row."""
        starts = range(0, max(len(self), 1), STEP)
        total = yield from scan(partial(_weighed, self.rows, weight), np.add, starts, "adding vectors up")
        parts = yield from scan(partial(_along, self.rows, total), _joined, starts, "similarity to all")
        pulled: F64 = np.maximum(np.concatenate(parts) / 2 + weight.sum() / 2, 0.0)
        return pulled

    def start(self) -> Met:
        """Nothing chosen."""
        return Met.nothing(np.zeros(len(self)))

    def met(self, state: Met, at: I64) -> F64:
        """f64[b]: sum of the similarities to the chosen rows; each row catches up when it is asked."""
        # Subtracted, because numpy adds in pairs, in an order that depends on how many there are.
        return 0.0 - state.fold(self.rows, at, np.subtract, _half)

    def add(self, state: Met, at: int) -> Met:
        """One more row chosen."""
        return state.and_then(self.rows.unit(np.array([at]))[0])


@dataclass(frozen=True, slots=True, eq=False)
class AlikeGraph:
    """CSR without the diagonal, the same both ways: indptr i64[n+1], indices i32[z], data f64[z]."""

    indptr: I64
    indices: I32
    data: F64

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def own(self) -> F64:
        """f64[n]: ones."""
        return np.ones(len(self))

    def pull(self, weight: F64) -> Generator[Any, Any, F64]:
        """f64[n]: sum over the pool of weight f64[n] times the similarity to each row."""
        yield from ()
        row = np.repeat(np.arange(len(self)), np.diff(self.indptr))
        near = np.bincount(row, self.data * weight[self.indices], len(self))
        pulled: F64 = near + weight
        return pulled

    def start(self) -> F64:
        """Nothing chosen."""
        return np.zeros(len(self))

    def met(self, state: F64, at: I64) -> F64:
        """f64[b]: sum of the similarities to the chosen rows."""
        return state[at]

    def add(self, state: F64, at: int) -> F64:
        """One more row chosen."""
        after, e = state.copy(), slice(int(self.indptr[at]), int(self.indptr[at + 1]))
        after[self.indices[e]] += self.data[e]
        after[at] += 1.0
        return after


Alike: TypeAlias = AlikeVectors | AlikeGraph


def similar(pool: Pool, by: str) -> Vectors | Neighbors:
    """The signal that similarities are read from."""
    found = pool.columns.get(by)
    if isinstance(found, Neighbors):
        return found
    return pool.signal(by, Vectors)


def alike(pool: Pool, by: str) -> Alike:
    """Similarities by a Vectors signal or a Neighbors graph."""
    signal = similar(pool, by)
    if isinstance(signal, Vectors):
        return AlikeVectors(Directions.of(signal.values))
    n = len(signal)
    row = np.repeat(np.arange(n), np.diff(signal.indptr))
    other = signal.indices != row
    a, b, half = row[other], signal.indices[other].astype(np.int64), signal.data[other].astype(np.float64) / 2
    key, back = np.unique(np.append(a * n + b, b * n + a), return_inverse=True)
    data = np.bincount(back, np.append(half, half), len(key)).astype(np.float64, copy=False)
    first, second = np.divmod(key, max(n, 1))
    return AlikeGraph(np.searchsorted(first, np.arange(n + 1)), second.astype(np.int32), data)


def need(pool: Pool, by: str, k: int, asked: bool) -> Need:
    """What similarities take; `asked`: those to the chosen rows too, of each row at worst."""
    signal = similar(pool, by)
    if isinstance(signal, Vectors):
        n, d = signal.values.shape
        held = 28.0 * n + 24.0 * min(n, STEP) * d + (28.0 * n + 4.0 * k * d if asked else 0.0)
        return Need(held, 6.0 * n * d + (2.0 * n * k * d if asked else 0.0))
    n, z = len(signal), len(signal.indices)
    return Need(96.0 * z + 48.0 * n, 40.0 * z + (2.0 * n * k if asked else 0.0))


def dense(pool: Pool, by: str) -> F64:
    """f64[n, n]: all similarities from the definition, for slow twins."""
    signal = similar(pool, by)
    if isinstance(signal, Vectors):
        x = signal.values.astype(np.float64)
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        x = x / np.where(norm > 0, norm, 1.0)
        every: F64 = (1 + x @ x.T) / 2
        return every
    said = np.zeros((len(signal), len(signal)))
    said[np.repeat(np.arange(len(signal)), np.diff(signal.indptr)), signal.indices] = signal.data
    both = (said + said.T) / 2
    np.fill_diagonal(both, 1.0)
    return both


def _weighed(rows: Directions, weight: F64, a: int) -> F64:
    block = rows.unit(slice(a, a + STEP)).astype(np.float64)
    return weight[a : a + STEP] @ block


def _along(rows: Directions, total: F64, a: int) -> list[F64]:
    # Row by row, so that copies of a row get the same bits and stay tied.
    return [np.einsum("ij,j->i", rows.unit(slice(a, a + STEP)).astype(np.float64), total)]


def _joined(a: list[F64], b: list[F64]) -> list[F64]:
    return a + b


def _half(cosine: F32) -> F64:
    return np.maximum(0.5 + 0.5 * cosine.astype(np.float64), 0.0)
