"""Most similar rows: what a tile of products offers each row, the few that a row keeps, and sparse turning.

A similarity is the inner product of two float32 rows, summed in float64 in eight lanes (lane j % 8, added in
pairs), cut to at most 1 and rounded to float32: the same bits whatever the company, compiled or not.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel

F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I32: TypeAlias = npt.NDArray[np.int32]
I64: TypeAlias = npt.NDArray[np.int64]
U16: TypeAlias = npt.NDArray[np.uint16]


@kernel
def similarity(values: F32, scale: F32, i: int, j: int) -> np.float32:
    """Rows i and j of values f32[n, d] * scale f32[n]."""
    d = values.shape[1]
    s, r = scale[i], scale[j]
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    whole = d - d % 8
    for t in range(0, whole, 8):
        a0 += np.float64(values[i, t] * s) * np.float64(values[j, t] * r)
        a1 += np.float64(values[i, t + 1] * s) * np.float64(values[j, t + 1] * r)
        a2 += np.float64(values[i, t + 2] * s) * np.float64(values[j, t + 2] * r)
        a3 += np.float64(values[i, t + 3] * s) * np.float64(values[j, t + 3] * r)
        a4 += np.float64(values[i, t + 4] * s) * np.float64(values[j, t + 4] * r)
        a5 += np.float64(values[i, t + 5] * s) * np.float64(values[j, t + 5] * r)
        a6 += np.float64(values[i, t + 6] * s) * np.float64(values[j, t + 6] * r)
        a7 += np.float64(values[i, t + 7] * s) * np.float64(values[j, t + 7] * r)
    for t in range(whole, d):
        x = np.float64(values[i, t] * s) * np.float64(values[j, t] * r)
        lane = t - whole
        if lane == 0:
            a0 += x
        elif lane == 1:
            a1 += x
        elif lane == 2:
            a2 += x
        elif lane == 3:
            a3 += x
        elif lane == 4:
            a4 += x
        elif lane == 5:
            a5 += x
        else:
            a6 += x
    return np.float32(min(((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7)), 1.0))


@kernel
def beyond(tile: F32, floor: F32, mirror: bool, size: I64, column: U16, value: F32) -> int:
    """Entries tile[a, b] > floor[a] of tile f32[n, m], row by row; with `mirror` those of its transpose.

    size i64[n] becomes the entries of each row; column u16[z] and value f32[z] are filled from the left.
    With `mirror` floor is f32[m], size i64[m], column the row in the tile. Returns z <= n * m.
    """
    n, m = tile.shape
    z = 0
    size[:] = 0
    if not mirror:
        for a in range(n):
            before, f = z, floor[a]
            for b in range(m):
                if tile[a, b] > f:
                    column[z] = b
                    value[z] = tile[a, b]
                    z += 1
            size[a] = z - before
        return z
    for a in range(n):
        for b in range(m):
            size[b] += tile[a, b] > floor[b]
    for b in range(m):
        z += size[b]
        size[b] = z - size[b]
    for a in range(n):
        for b in range(m):
            if tile[a, b] > floor[b]:
                column[size[b]] = a
                value[size[b]] = tile[a, b]
                size[b] += 1
    for b in range(m - 1, 0, -1):
        size[b] -= size[b - 1]
    return z


@kernel
def hold(
    row: int,
    first: int,
    size: I64,
    column: U16,
    value: F32,
    keep: int,
    slack: float,
    values: F32,
    scale: F32,
    held: I32,
    rough: F32,
    count: I64,
    floor: F32,
) -> None:
    """Add what a tile offers to rows row, row + 1, ...: columns count from `first`, size i64[rows] each.

    held i32[n, c] and rough f32[n, c] list count i64[n] rows and products, right to slack / 2. A full list is
    cut to what may be among its `keep` best, and floor f32[n] rises to what a row must pass to be so.
    """
    e = 0
    for r in range(len(size)):
        i = row + r
        for _ in range(size[r]):
            j, v = first + column[e], value[e]
            e += 1
            if j != i and v > floor[i]:
                if count[i] == held.shape[1]:
                    shorten(i, keep, slack, values, scale, held, rough, count, floor)
                if v > floor[i]:
                    held[i, count[i]] = j
                    rough[i, count[i]] = v
                    count[i] += 1


@kernel
def shorten(
    i: int,
    keep: int,
    slack: float,
    values: F32,
    scale: F32,
    held: I32,
    rough: F32,
    count: I64,
    floor: F32,
) -> None:
    """Cut the list of row i; where that leaves it half full, as equal rows do, to the `keep` best exactly."""
    c = count[i]
    if c <= keep:
        return
    least = np.partition(rough[i, :c], c - keep)[c - keep] - np.float32(slack)
    floor[i] = max(floor[i], least)
    z = 0
    for e in range(c):
        if rough[i, e] >= least:
            held[i, z] = held[i, e]
            rough[i, z] = rough[i, e]
            z += 1
    count[i] = z
    if 2 * z > held.shape[1]:
        exact = np.empty(z, np.float32)
        best_of(i, keep, np.float32(-2.0), values, scale, held[i, :z], exact)
        # products of one pair differ by less than the slack, so the floor still holds
        for e in range(keep):
            rough[i, e] = exact[e]
        count[i] = keep


@kernel
def shorten_all(
    keep: int, slack: float, values: F32, scale: F32, held: I32, rough: F32, count: I64, floor: F32
) -> None:
    """`shorten` every row."""
    for i in range(len(count)):
        shorten(i, keep, slack, values, scale, held, rough, count, floor)


@kernel
def best_of_rows(
    first: int,
    keep: int,
    least: np.float32,
    values: F32,
    scale: F32,
    count: I64,
    listed: I32,
    exact: F32,
    size: I64,
) -> None:
    """`best_of` rows first, first + 1, ...: the first count i64[b] of listed i32[b, c]; size i64[b]."""
    for r in range(len(size)):
        c = count[r]
        size[r] = best_of(first + r, keep, least, values, scale, listed[r, :c], exact[r, :c])


@kernel
def best_of(i: int, keep: int, least: np.float32, values: F32, scale: F32, listed: I32, exact: F32) -> int:
    """Move the `keep` rows of listed i32[z] most similar to row i to the front, the first of equals first.

    exact f32[z] becomes their similarities; those below `least` do not count. Returns how many are left.
    """
    z = 0
    for e in range(len(listed)):
        if e + 1 < len(listed):
            ahead = np.float32(0.0)
            for t in range(0, values.shape[1], 16):  # touched while the one before is measured
                ahead = max(ahead, values[listed[e + 1], t])
            exact[e] = ahead
        j = listed[e]
        s = similarity(values, scale, i, j)
        if s < least:
            continue
        at = z
        if z == keep:
            if exact[z - 1] > s or (exact[z - 1] == s and listed[z - 1] < j):
                continue
            at = z - 1
        else:
            z += 1
        while at > 0 and (exact[at - 1] < s or (exact[at - 1] == s and listed[at - 1] > j)):
            exact[at] = exact[at - 1]
            listed[at] = listed[at - 1]
            at -= 1
        exact[at] = s
        listed[at] = j
    return z


@kernel
def turn(indptr: I64, indices: I32, data: F32, start: I64, out_indices: I32, out_data: F32) -> None:
    """The transpose of CSR indptr i64[n+1], indices i32[z] in [0, m), data f32[z].

    start i64[m]: where each of its rows begins, moved to where it ends; its columns increase.
    """
    for i in range(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            to = start[indices[e]]
            out_indices[to] = i
            out_data[to] = data[e]
            start[indices[e]] = to + 1


@kernel
def join_rows(
    indptr: I64,
    indices: I32,
    data: F32,
    other_indptr: I64,
    other_indices: I32,
    other_data: F32,
    out_indptr: I64,
    out_indices: I32,
    out_data: F32,
) -> int:
    """The larger entry of two square CSR matrices, and 1 between a row and itself; columns increase in each.

    The outputs have room for the entries of both and n more. Returns how many there are.
    """
    z = 0
    out_indptr[0] = 0
    for i in range(len(indptr) - 1):
        a, b, own = indptr[i], other_indptr[i], i
        while True:
            j = -1
            v = np.float32(0.0)
            if a < indptr[i + 1]:
                j = indices[a]
            if b < other_indptr[i + 1] and (j < 0 or other_indices[b] < j):
                j = other_indices[b]
            if own >= 0 and (j < 0 or own < j):
                j = own
            if j < 0:
                break
            if a < indptr[i + 1] and indices[a] == j:
                v = data[a]
                a += 1
            if b < other_indptr[i + 1] and other_indices[b] == j:
                v = max(v, other_data[b])
                b += 1
            if j == i:
                v = np.float32(1.0)
                own = -1
            out_indices[z] = j
            out_data[z] = v
            z += 1
        out_indptr[i + 1] = z
    return z
