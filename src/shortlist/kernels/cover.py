"""Sparse covers: which cosines of a tile pass a floor, and what more a candidate would give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def cover_gains(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    cover: npt.NDArray[np.float32],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over the entries e of row at[i] of max(data[e] - cover[indices[e]], 0), in entry order.

    CSR indptr i64[n+1], indices i32[z] in [0, m), data f32[z]; cover f32[m]; at i64[b]; out f64[b].
    """
    for i in range(len(at)):
        total = 0.0
        for e in range(indptr[at[i]], indptr[at[i] + 1]):
            total += max(np.float64(data[e]) - np.float64(cover[indices[e]]), 0.0)
        out[i] = total


@kernel
def rough_gains(
    rough: npt.NDArray[np.float32],
    cover: npt.NDArray[np.float32],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over j of max(rough[at[i], j] - cover[j], 0), in order; rough f32[n, r], cover f32[r]."""
    for i in range(len(at)):
        row, total = at[i], 0.0
        for j in range(len(cover)):
            total += max(np.float64(rough[row, j]) - np.float64(cover[j]), 0.0)
        out[i] = total


@kernel
def columns(
    table: npt.NDArray[np.float32], live: npt.NDArray[np.int64], out: npt.NDArray[np.float32]
) -> None:
    """out[i, j] = table[i, live[j]]: several times as fast as `np.take`, which moves single numbers."""
    for i in range(len(table)):
        for j in range(len(live)):
            out[i, j] = table[i, live[j]]


@kernel
def above(
    tile: npt.NDArray[np.float32],
    floor: npt.NDArray[np.float32],
    mirror: bool,
    size: npt.NDArray[np.int64],
    column: npt.NDArray[np.uint16],
    value: npt.NDArray[np.float32],
) -> int:
    """Entries tile[a, b] > floor[b] of tile f32[n, m], row by row; with `mirror` those of its transpose.

    floor f32[m]; size i64[n] becomes the entries of each row; column u16[z] and value f32[z] are filled from
    the left; n <= 65536, m <= 65536. With `mirror` floor is f32[n], size i64[m], column the row in the tile.
    Returns z; column and value must have room for n * m.
    """
    n, m = tile.shape
    z = 0
    size[:] = 0
    if not mirror:
        for a in range(n):
            before = z
            for b in range(m):
                if tile[a, b] > floor[b]:
                    column[z] = b
                    value[z] = tile[a, b]
                    z += 1
            size[a] = z - before
        return z
    for a in range(n):
        f = floor[a]
        for b in range(m):
            size[b] += tile[a, b] > f
    for b in range(m):
        z += size[b]
        size[b] = z - size[b]
    for a in range(n):
        f = floor[a]
        for b in range(m):
            if tile[a, b] > f:
                column[size[b]] = a
                value[size[b]] = tile[a, b]
                size[b] += 1
    for b in range(m - 1, 0, -1):
        size[b] -= size[b - 1]
    return z


@kernel
def place(
    rows: npt.NDArray[np.int64],
    size: npt.NDArray[np.uint16],
    wide: npt.NDArray[np.int32],
    column: npt.NDArray[np.uint16],
    value: npt.NDArray[np.float32],
    free: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
) -> None:
    """Entries of rows i64[r], size u16[r] each, go where free i64[n] says, which moves on.

    column u16[z] counts into wide i32[w]; value f32[z]; indices i32, data f32: the whole matrix.
    """
    e = 0
    for i in range(len(rows)):
        to = free[rows[i]]
        for _ in range(size[i]):
            indices[to] = wide[column[e]]
            data[to] = value[e]
            to += 1
            e += 1
        free[rows[i]] = to
