"""Squared distances of rows to points, in float64 and in one order: who is nearest, who came nearer.

A row is values[i] * scale[i], rounded to float32. Its squared distance to c is summed in eight lanes, lane
j % 8, which are then added in pairs: the same bits whatever the company, compiled or not.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import have_numba, kernel

F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I32: TypeAlias = npt.NDArray[np.int32]
I64: TypeAlias = npt.NDArray[np.int64]

#: Half the distance from 1 to the next float32; what products lose where they are too small for float32.
HALF_STEP, TINY = 2.0**-24, 1e-37


@kernel
def square(values: F32, scale: F32, i: int, points: F32, j: int, most: float, ahead: int) -> float:
    """|values[i] * scale[i] - points[j]|^2 of values f32[n, d], points f32[m, d]; infinite if not below most.

    Sums of squares never fall, so it may stop as soon as they reach `most`. Row `ahead`, the next to be asked
    for, is touched on the way: rows that lie far apart would otherwise be waited for one by one.
    """
    d = values.shape[1]
    s = scale[i]
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    touched = np.float32(0.0)
    whole = d - d % 8
    for t in range(0, whole, 8):
        if t % 16 == 0:
            touched = max(touched, values[ahead, t])
            if t % 64 == 0 and ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7)) >= most:
                return np.inf
        x0 = np.float64(np.float32(values[i, t] * s)) - np.float64(points[j, t])
        x1 = np.float64(np.float32(values[i, t + 1] * s)) - np.float64(points[j, t + 1])
        x2 = np.float64(np.float32(values[i, t + 2] * s)) - np.float64(points[j, t + 2])
        x3 = np.float64(np.float32(values[i, t + 3] * s)) - np.float64(points[j, t + 3])
        x4 = np.float64(np.float32(values[i, t + 4] * s)) - np.float64(points[j, t + 4])
        x5 = np.float64(np.float32(values[i, t + 5] * s)) - np.float64(points[j, t + 5])
        x6 = np.float64(np.float32(values[i, t + 6] * s)) - np.float64(points[j, t + 6])
        x7 = np.float64(np.float32(values[i, t + 7] * s)) - np.float64(points[j, t + 7])
        a0 += x0 * x0
        a1 += x1 * x1
        a2 += x2 * x2
        a3 += x3 * x3
        a4 += x4 * x4
        a5 += x5 * x5
        a6 += x6 * x6
        a7 += x7 * x7
    for t in range(whole, d):
        x0 = np.float64(np.float32(values[i, t] * s)) - np.float64(points[j, t])
        lane = t - whole
        if lane == 0:
            a0 += x0 * x0
        elif lane == 1:
            a1 += x0 * x0
        elif lane == 2:
            a2 += x0 * x0
        elif lane == 3:
            a3 += x0 * x0
        elif lane == 4:
            a4 += x0 * x0
        elif lane == 5:
            a5 += x0 * x0
        else:
            a6 += x0 * x0
    total = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))
    return total if total < most and touched >= 0.0 else np.inf


@kernel
def settle_nearest(
    dots: F32, half: F32, slack: F32, values: F32, scale: F32, points: F32, codes: I32, squares: F64
) -> None:
    """codes[i]: the point nearest to row i, the lowest of equally near ones; squares[i]: how near.

    dots f32[b, m]: rough inner products, half f32[m]: |point|^2 / 2; half - dots is at most slack f32[b] / 2
    away from the truth. Every point that may be the nearest for all we know is measured with `square`.
    """
    b, m = dots.shape
    for i in range(b):
        best = second = np.float32(np.inf)
        at = -1
        for j in range(m):
            v = half[j] - dots[i, j]
            if v < best:
                second = best
                best = v
                at = j
            elif v < second:
                second = v
        if m > 1 and not (second - best > slack[i]):
            at, least = -1, np.inf
            for j in range(m):
                if not (half[j] - dots[i, j] > best + slack[i]):
                    s = square(values, scale, i, points, j, least, i)
                    if s < least:
                        at, least = j, s
            squares[i] = least
        else:
            at = max(at, 0)
            squares[i] = square(values, scale, i, points, at, np.inf, i)
        codes[i] = at


@kernel
def come_closer(
    dots: F32,
    length: F64,
    values: F32,
    scale: F32,
    points: F32,
    long: float,
    code: int,
    codes: I32,
    squares: F64,
    maybe: I64,
) -> int:
    """Rows nearer to points[0] than squares f64[b] says get this distance and codes[i] = code.

    dots f32[b]: no inner product with the point is larger, up to 1e-5 of length f64[b] times `long`, the
    lengths of row and point: rows that cannot have come nearer are not measured. Returns how many were.
    maybe i64[b] is scratch.
    """
    z = 0
    for i in range(len(codes)):
        both = length[i] * long
        rough = length[i] * length[i] + long * long - 2.0 * np.float64(dots[i]) - 2e-5 * both - 1e-37
        if not (rough >= squares[i]):
            maybe[z] = i
            z += 1
    for q in range(z):
        i = maybe[q]
        s = square(values, scale, i, points, 0, squares[i], maybe[min(q + 1, z - 1)])
        if s < squares[i]:
            squares[i] = s
            codes[i] = code
    return z


@kernel
def sum_rows(values: F32, scale: F32, codes: I32, sums: F64, count: I64) -> None:
    """Add row i to sums[codes[i]] f64[m, d] and 1 to count[codes[i]], in order of rows."""
    for i in range(len(codes)):
        c, s = codes[i], scale[i]
        count[c] += 1
        for t in range(values.shape[1]):
            sums[c, t] += np.float32(values[i, t] * s)


def squares_plain(rows: F32, point: F32) -> F64:
    """f64[b]: `square` of rows f32[b, d] and a point f32[d], in NumPy alone."""
    d = rows.shape[1]
    apart = np.zeros((len(rows), -(-max(d, 1) // 8) * 8))
    apart[:, :d] = rows.astype(np.float64) - point.astype(np.float64)
    apart *= apart
    lanes = np.zeros((len(rows), 8))
    for t in range(0, apart.shape[1], 8):
        lanes += apart[:, t : t + 8]
    pairs = lanes[:, 0::2] + lanes[:, 1::2]
    fours = pairs[:, 0::2] + pairs[:, 1::2]
    total: F64 = fours[:, 0] + fours[:, 1]
    return total


def nearest(values: F32, scale: F32, points: F32) -> tuple[I32, F64]:
    """codes i32[b] and squares f64[b]: the nearest of points f32[m, d], the lowest of equals; m >= 1.

    Products are only a sieve: the answer is that of `square`, to the bit, whatever BLAS does.
    """
    codes, squares = np.empty(len(values), np.int32), np.empty(len(values))
    with np.errstate(all="ignore"):  # what overflows is measured
        rows = values * scale[:, None]
        dots = np.matmul(rows, points.T, dtype=np.float32)
        norms = np.einsum("ij,ij->i", points, points, dtype=np.float64)
        half, longest = (norms / 2).astype(np.float32), np.sqrt(norms.max())
        # no shorter than it is: a float32 sum is off by less, and loses no more where squares vanish
        length = 1.001 * np.sqrt(np.einsum("ij,ij->i", rows, rows).astype(np.float64)) + 1e-17
        loss = (values.shape[1] + 4) * length * longest + 4 * longest**2
        slack: F32 = (2 * HALF_STEP * loss + TINY).astype(np.float32)
        if have_numba():
            settle_nearest(dots, half, slack, values, scale, points, codes, squares)
            return codes, squares
        rough = half - dots
        maybe = ~(rough > (rough.min(axis=1) + slack)[:, None])
    squares[:] = np.inf
    for j in range(len(points)):
        at = np.flatnonzero(maybe[:, j])
        if len(at):
            s = squares_plain(rows[at], points[j])
            nearer = s < squares[at]
            codes[at[nearer]], squares[at[nearer]] = j, s[nearer]
    return codes, squares


def closer(
    dots: F32, length: F64, values: F32, scale: F32, point: F32, code: int, codes: I32, squares: F64
) -> int:
    """See `come_closer`; changes codes and squares."""
    wide = point.astype(np.float64)
    long = float(np.sqrt(wide @ wide))
    if have_numba():
        maybe = np.empty(len(codes), np.int64)
        return come_closer(dots, length, values, scale, point[None], long, code, codes, squares, maybe)
    rough = length * length + long * long - 2.0 * dots.astype(np.float64) - 2e-5 * (length * long) - 1e-37
    at = np.flatnonzero(~(rough >= squares))
    s = squares_plain(values[at] * scale[at, None], point)
    nearer = s < squares[at]
    codes[at[nearer]], squares[at[nearer]] = code, s[nearer]
    return len(at)


def summed(values: F32, scale: F32, codes: I32, m: int) -> tuple[F64, I64]:
    """sums f64[m, d] and counts i64[m] of rows by code i32[b]; see `sum_rows`."""
    sums, count = np.zeros((m, values.shape[1])), np.zeros(m, np.int64)
    if have_numba():
        sum_rows(values, scale, codes, sums, count)
        return sums, count
    for t in range(values.shape[1]):  # bincount adds in order
        sums[:, t] = np.bincount(codes, values[:, t] * scale, minlength=m)
    return sums, np.bincount(codes, minlength=m)
