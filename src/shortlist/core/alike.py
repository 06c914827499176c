"""Similarities in [0, 1] of rows to rows, summed over the pool and over a choice, never as an n x n array.

Of vectors the similarity is (1 + cosine) / 2. It is linear in the unit vectors, so that a sum over the whole
pool takes one product with their sum; a cosine cut at 0 would take n x n products. Of a graph it is the mean
of what the two rows of a pair say of each other, 0 where neither says anything, and 1 for a row and itself.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.contracts import Need
from shortlist.core.effects import scan
from shortlist.core.pool import Pool
from shortlist.core.signals import Neighbors, Vectors
from shortlist.kernels.dots import dots

#: Rows of one step of a pass over the pool.
STEP = 1 << 13
#: Added to every cosine with a chosen row, lest rounding of a sum of thousands make an opposite's gain rise.
SLACK = 1e-9


class Chosen(NamedTuple):
    """How many vectors were chosen, and the sum f64[d] of them at length 1."""

    size: int
    total: F64


@dataclass(frozen=True, slots=True, eq=False)
class AlikeVectors:
    """Similarity (1 + cosine) / 2; a zero vector has cosine 0 to everything, itself too.

    values f32[n, d] as given, inverse f64[n]: 1 / norm, or 0. Sums are products with the sum of the chosen
    vectors, so that a row costs the same however many were chosen since it was last asked.
    """

    values: F32
    inverse: F64

    def __len__(self) -> int:
        return len(self.values)

    @property
    def own(self) -> F64:
        """f64[n]: similarity of each row to itself."""
        return np.where(self.inverse > 0, 1.0, 0.5)

    def pull(self, weight: F64) -> Generator[Any, Any, F64]:
        """f64[n]: sum over the pool of weight f64[n] times the similarity to each row."""
        starts = range(0, max(len(self), 1), STEP)
        total = yield from scan(partial(_weighed, self, weight), np.add, starts, "adding vectors up")
        parts = yield from scan(partial(_along, self, total), _joined, starts, "similarity to all")
        pulled: F64 = np.maximum(np.concatenate(parts) / 2 + weight.sum() / 2, 0.0)
        return pulled

    def start(self) -> Chosen:
        """Nothing chosen."""
        return Chosen(0, np.zeros(self.values.shape[1]))

    def met(self, state: Chosen, at: I64) -> F64:
        """f64[b]: sum of the similarities to the chosen rows."""
        cosines = dots(self.values, state.total, at) * self.inverse[at]
        met: F64 = np.maximum(state.size * (1 + SLACK) + cosines, 0.0) / 2
        return met

    def add(self, state: Chosen, at: int) -> Chosen:
        """One more row chosen."""
        return Chosen(state.size + 1, state.total + self.values[at].astype(np.float64) * self.inverse[at])


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
        return AlikeVectors(signal.values, _inverse(signal.values))
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
        return Need(
            72.0 * n + 20.0 * min(n, STEP) * d + 24.0 * d, 8.0 * n * d + (2.0 * n * k * d if asked else 0.0)
        )
    n, z = len(signal), len(signal.indices)
    return Need(96.0 * z + 48.0 * n, 40.0 * z + (2.0 * n * k if asked else 0.0))


def summed(pool: Pool, by: str, at: I64, weight: F64) -> tuple[float, float]:
    """Sums of similarities of the rows at i64[m] to the pool, weighed by f64[n], and among themselves: the
    definition in double precision, one pass over the signal."""
    signal = similar(pool, by)
    if isinstance(signal, Vectors):
        total = np.zeros(signal.values.shape[1])
        for a in range(0, len(signal), STEP):
            total += weight[a : a + STEP] @ _unit(signal.values[a : a + STEP])
        chosen = _unit(signal.values[at]).sum(axis=0)
        m = len(at)
        return float(m * weight.sum() + chosen @ total) / 2, float(m * m + chosen @ chosen) / 2
    row, one = np.repeat(np.arange(len(signal)), np.diff(signal.indptr)), np.zeros(len(signal), bool)
    one[at] = True
    data = np.where(row != signal.indices, signal.data, 0).astype(np.float64)
    here, there = one[row], one[signal.indices]
    told = (data[here] @ weight[signal.indices[here]] + data[there] @ weight[row[there]]) / 2
    return float(told + weight[at].sum()), float(data[here & there].sum() + len(at))


def _unit(values: F32) -> F64:
    x = values.astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norm > 0, norm, 1.0)


def dense(pool: Pool, by: str) -> F64:
    """f64[n, n]: all similarities from the definition, for slow twins on small pools."""
    signal = similar(pool, by)
    if isinstance(signal, Vectors):
        x = _unit(signal.values)
        every: F64 = (1 + x @ x.T) / 2
        return every
    said = np.zeros((len(signal), len(signal)))
    said[np.repeat(np.arange(len(signal)), np.diff(signal.indptr)), signal.indices] = signal.data
    both = (said + said.T) / 2
    np.fill_diagonal(both, 1.0)
    return both


def _inverse(values: F32) -> F64:
    norm = np.empty(len(values))
    for a in range(0, len(values), STEP):
        block = values[a : a + STEP].astype(np.float64)
        norm[a : a + STEP] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)


def _weighed(rows: AlikeVectors, weight: F64, a: int) -> F64:
    piece = slice(a, a + STEP)
    total: F64 = (weight[piece] * rows.inverse[piece]) @ rows.values[piece].astype(np.float64)
    return total


def _along(rows: AlikeVectors, total: F64, a: int) -> list[F64]:
    at = np.arange(a, min(a + STEP, len(rows)))
    return [dots(rows.values, total, at) * rows.inverse[at]]


def _joined(a: list[F64], b: list[F64]) -> list[F64]:
    return a + b
