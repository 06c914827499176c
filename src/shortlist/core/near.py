"""Cosines between two sets of rows as plans over blocks: all of them, or only those above a floor.

No product depends on who computes it or in what order, so threads give the same bytes.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.cosine import Directions
from shortlist.core.effects import scan
from shortlist.kernels.cover import above, cover_gains
from shortlist.kernels.jit import have_numba

U16: TypeAlias = npt.NDArray[np.uint16]

#: Rows and columns of one product.
TILE = 1024
#: Entries of one dense block: 32 MiB, which the allocator gives back to the system when freed.
SLAB = 1 << 23


class Near(NamedTuple):
    """Sparse cosines, CSR: indptr i64[n+1], indices i32[z] increasing within a row, data f32[z]."""

    indptr: I64
    indices: I32
    data: F32


def only(x: Directions, at: I64) -> Directions:
    """The rows at i64[b] as directions of their own."""
    return Directions(x.values[at], x.inverse[at])


def cosines(x: Directions, u: Directions, low: F32, high: F32) -> Generator[Any, Any, F32]:
    """f32[n, m]: every row of x against every row of u, cut to [low, high] f32[m]."""
    step = slab_rows(u)
    part = partial(_block, x, u.unit(slice(None)), low, high, step)
    blocks = yield from scan(part, joined, range(0, max(len(x), 1), step), "cosines")
    return stacked(blocks, len(x), len(u))


def slab_rows(u: Directions) -> int:
    """How many rows against those of u are made at once: no block is larger than a slab."""
    return max(1, SLAB // max(len(u), int(u.values.shape[1]), 1))


def _block(x: Directions, u: F32, low: F32, high: F32, step: int, a: int) -> list[F32]:
    block = x.unit(slice(a, a + step)) @ u.T
    return [np.clip(block, low, high, out=block)]


def joined(a: list[Any], b: list[Any]) -> list[Any]:
    """Both lists."""
    return a + b


def stacked(blocks: list[F32], n: int, m: int) -> F32:
    """f32[n, m] of consecutive blocks of rows. Empties `blocks`: only one exists twice at a time."""
    out = np.empty((n, m), np.float32)
    at = n
    while blocks:
        block = blocks.pop()
        out[at - len(block) : at] = block
        at -= len(block)
    return out


def near(x: Directions, u: Directions, floor: F32, same: bool) -> Generator[Any, Any, Near]:
    """For each row of x the rows of u whose cosine is above their floor f32[m].

    same: u is x, so that each product serves both ways (half the work).
    """
    part = partial(_strip, x, u, floor, same)
    tiles = yield from scan(part, joined, range(0, max(len(x), 1), TILE), "neighbours")
    return _placed(tiles, len(x))


class _Tile(NamedTuple):
    """Entries of up to 1,024 rows from `row` on: size u16[rows]; column u16[z] counts from `first`."""

    row: int
    first: int
    size: U16
    column: U16
    value: F32


def _strip(x: Directions, u: Directions, floor: F32, same: bool, a: int) -> list[_Tile]:
    rows, tiles = x.unit(slice(a, a + TILE)), []
    for b in range(a if same else 0, len(u), TILE):
        tile = rows @ u.unit(slice(b, b + TILE)).T
        tiles.append(_Tile(a, b, *passing(tile, floor[b : b + TILE], False)))
        if same and b > a:
            tiles.append(_Tile(b, a, *passing(tile, floor[a : a + TILE], True)))
    return tiles


def passing(tile: F32, floor: F32, mirror: bool) -> tuple[U16, U16, F32]:
    """Sizes, columns and values of the entries above their floor; see `kernels.cover.above`."""
    if not have_numba():
        return passing_plain(tile, floor, mirror)
    size = np.empty(tile.shape[1 if mirror else 0], np.int64)
    column, value = np.empty(tile.size, np.uint16), np.empty(tile.size, np.float32)
    z = above(tile, floor, mirror, size, column, value)
    # Some ten thousand of these may be held at once: no wider than need be, and no larger.
    return size.astype(np.uint16), column[:z].copy(), value[:z].copy()


def passing_plain(tile: F32, floor: F32, mirror: bool) -> tuple[U16, U16, F32]:
    """Equivalent to `passing`, in NumPy alone."""
    tile = np.ascontiguousarray(tile.T) if mirror else tile
    row, column = np.nonzero(tile > floor)
    size = np.bincount(row, minlength=len(tile)).astype(np.uint16)
    return size, column.astype(np.uint16), tile[row, column]


def _placed(tiles: list[_Tile], n: int) -> Near:
    """All entries by row, in tile order: columns increase. Empties `tiles`."""
    indptr = np.zeros(n + 1, np.int64)
    for t in tiles:
        indptr[t.row + 1 : t.row + 1 + len(t.size)] += t.size
    np.cumsum(indptr, out=indptr)
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    free = indptr[:-1].copy()
    tiles.reverse()
    while tiles:
        t = tiles.pop()
        rows, size = slice(t.row, t.row + len(t.size)), t.size.astype(np.int64)
        to = np.repeat(free[rows] - (np.cumsum(size) - size), size)
        to += np.arange(len(to))
        indices[to] = t.column.astype(np.int32) + t.first
        data[to] = t.value
        free[rows] += size
    return Near(indptr, indices, data)


def gains_above(sparse: Near, cover: F32, at: I64) -> F64:
    """f64[b]: for each row at i64[b] the sum of what its entries have above cover f32[m]."""
    if not have_numba():
        return gains_above_plain(sparse, cover, at)
    out = np.empty(len(at))
    cover_gains(sparse.indptr, sparse.indices, sparse.data, cover, at, out)
    return out


def gains_above_plain(sparse: Near, cover: F32, at: I64) -> F64:
    """Equivalent to `gains_above`, to the bit, in NumPy alone: bincount adds in entry order."""
    out, (indptr, indices, data) = np.zeros(len(at)), sparse
    for a in range(0, len(at), TILE):
        piece = at[a : a + TILE]
        size = indptr[piece + 1] - indptr[piece]
        owner = np.repeat(np.arange(len(piece)), size)
        e = np.arange(len(owner)) + np.repeat(indptr[piece] - (np.cumsum(size) - size), size)
        more = np.maximum(np.subtract(data[e], cover[indices[e]], dtype=np.float64), 0)
        out[a : a + TILE] = np.bincount(owner, weights=more, minlength=len(piece))
    return out
