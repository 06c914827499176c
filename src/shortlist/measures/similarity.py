"""Any similarity as a matrix that can be multiplied: tiles of a function, or the entries of a graph.

Of a function only tiles on and above the diagonal are asked for; as many as fit into a stated memory are kept
for the next product, the others are asked for again. There is no n x n beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.errors import ContractError
from shortlist.core.signals import Neighbors
from shortlist.kernels.graph_product import graph_product
from shortlist.kernels.jit import have_numba

#: Similarities of rows [a, b) to rows [c, d), given as two slices: numbers [b - a, d - c]; symmetric, and 1
#: of a row with itself.
Similarity: TypeAlias = Callable[[slice, slice], npt.NDArray[Any]]

#: Rows and columns of a tile.
TILE = 1024
#: A row must be as similar to itself as 1, but for so much.
SELF = 1e-4


class Tiles:
    """sqrt(p) K sqrt(p) of a function; see `lanczos.Symmetric`. p f64[n] sums to 1."""

    def __init__(self, of: Similarity, p: F64, memory: int) -> None:
        self.n, self._of, self._root, self._room = len(p), of, np.sqrt(p), memory
        self._kept: dict[tuple[int, int], F32] = {}
        self.trace, self.square = 1.0, 0.0
        if self.n:
            self._mirror()
        for a, b, tile in self._tiles(look=True):
            q = p[slice(a, a + TILE)] @ np.square(tile, dtype=np.float64) @ p[slice(b, b + TILE)]
            self.square += float(q) * (1 if a == b else 2)

    def product(self, x: F64) -> F64:
        """sqrt(p) K sqrt(p) x for f64[n, c]: tiles in float32, summed in float64 in a fixed order."""
        y = np.zeros(x.shape)
        scaled = (self._root[:, None] * x).astype(np.float32)
        for a, b, tile in self._tiles():
            y[a : a + TILE] += tile @ scaled[b : b + TILE]
            if a != b:
                y[b : b + TILE] += tile.T @ scaled[a : a + TILE]
        return y * self._root[:, None]

    def dense(self) -> F64:
        """The whole matrix f64[n, n]: for few rows."""
        k = np.zeros((self.n, self.n))
        for a, b, tile in self._tiles():
            k[a : a + TILE, b : b + TILE] = tile
            k[b : b + TILE, a : a + TILE] = tile.T
        return k * self._root * self._root[:, None]

    def _tiles(self, *, look: bool = False) -> Iterator[tuple[int, int, F32]]:
        for a in range(0, self.n, TILE):
            for b in range(a, self.n, TILE):
                tile = self._kept.get((a, b))
                if tile is None:
                    tile = self._tile(slice(a, min(a + TILE, self.n)), slice(b, min(b + TILE, self.n)))
                    if tile.nbytes <= self._room:
                        self._kept[a, b] = tile
                        self._room -= tile.nbytes
                if look:
                    _check(tile, a, b)
                yield a, b, tile

    def _tile(self, rows: slice, columns: slice) -> F32:
        found = np.asarray(self._of(rows, columns))
        want = (rows.stop - rows.start, columns.stop - columns.start)
        if found.shape != want:
            raise ContractError(f"the similarity gave {found.shape} where {want} was asked for")
        return np.ascontiguousarray(found, np.float32)

    def _mirror(self) -> None:
        """One corner of the matrix against its mirror image."""
        head, tail = slice(0, min(64, self.n)), slice(max(0, self.n - 64), self.n)
        a, b = self._tile(head, tail), self._tile(tail, head).T
        if not np.allclose(a, b, rtol=0, atol=SELF, equal_nan=True):
            raise ContractError("the similarity is not symmetric; give one where s(a, b) = s(b, a)")


class Graph:
    """sqrt(p) K sqrt(p) of a graph: absent pairs are 0, a row with itself 1, of two directions the larger."""

    def __init__(self, of: Neighbors, p: F64) -> None:
        self.n, self._root, self.trace = len(of), np.sqrt(p), 1.0
        row = np.repeat(np.arange(self.n), np.diff(of.indptr))
        off = row != of.indices
        i = np.concatenate([row[off], of.indices[off].astype(np.int64)])
        j = np.concatenate([of.indices[off].astype(np.int64), row[off]])
        v = np.concatenate([of.data[off]] * 2)
        order = np.lexsort((-v, j, i))
        i, j, v = i[order], j[order], v[order]
        first = np.ones(len(i), bool)
        first[1:] = (i[1:] != i[:-1]) | (j[1:] != j[:-1])
        i, self._indices, self._data = i[first], j[first].astype(np.int32), v[first]
        self._indptr = np.zeros(self.n + 1, np.int64)
        np.cumsum(np.bincount(i, minlength=self.n), out=self._indptr[1:])
        self.square = float(
            np.sum(p**2) + np.sum(p[i] * p[self._indices] * np.square(self._data, dtype=float))
        )

    def product(self, x: F64) -> F64:
        """sqrt(p) K sqrt(p) x for f64[n, c]."""
        scaled = np.ascontiguousarray(self._root[:, None] * x)
        y = scaled + multiplied(self._indptr, self._indices, self._data, scaled)
        return y * self._root[:, None]

    def dense(self) -> F64:
        """The whole matrix f64[n, n]: for few rows."""
        return self.product(np.eye(self.n))


def multiplied(indptr: I64, indices: I32, data: F32, x: F64) -> F64:
    """f64[n, c]: a sparse matrix, CSR i64[n+1], i32[z], f32[z], times x f64[n, c]."""
    if not have_numba():
        return multiplied_plain(indptr, indices, data, x)
    out = np.zeros((len(indptr) - 1, x.shape[1]))
    graph_product(indptr, indices, data, x, out)
    return out


def multiplied_plain(indptr: I64, indices: I32, data: F32, x: F64) -> F64:
    """Equivalent to `multiplied`, in NumPy alone."""
    owner = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    out = np.zeros((len(indptr) - 1, x.shape[1]))
    np.add.at(out, owner, data[:, None].astype(np.float64) * x[indices])
    return out


def _check(tile: F32, a: int, b: int) -> None:
    if not np.isfinite(tile).all():
        i, j = (int(z[0]) for z in np.nonzero(~np.isfinite(tile)))
        raise ContractError(f"similarities must be finite; rows {a + i} and {b + j} have {tile[i, j]}")
    if a == b:
        bad = np.flatnonzero(np.abs(np.diagonal(tile) - 1) > SELF)
        if len(bad):
            i = int(bad[0])
            raise ContractError(f"a row must be as similar to itself as 1; row {a + i} has {tile[i, i]:g}")
