"""Products of some rows with one direction, each row by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import have_numba, kernel


@kernel
def row_dots(
    values: npt.NDArray[np.float32],
    direction: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = values[at[i]] . direction, summed in eight lanes by place, then the lanes, then what is left.

    values f32[n, d], direction f64[d], at i64[b], out f64[b]. Eight sums that do not wait for each other.
    """
    d = values.shape[1]
    whole = d - d % 8
    for i in range(len(at)):
        x = values[at[i]]
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
        for j in range(0, whole, 8):
            a0 += np.float64(x[j]) * direction[j]
            a1 += np.float64(x[j + 1]) * direction[j + 1]
            a2 += np.float64(x[j + 2]) * direction[j + 2]
            a3 += np.float64(x[j + 3]) * direction[j + 3]
            a4 += np.float64(x[j + 4]) * direction[j + 4]
            a5 += np.float64(x[j + 5]) * direction[j + 5]
            a6 += np.float64(x[j + 6]) * direction[j + 6]
            a7 += np.float64(x[j + 7]) * direction[j + 7]
        total = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))
        for j in range(whole, d):
            total += np.float64(x[j]) * direction[j]
        out[i] = total


def dots(
    values: npt.NDArray[np.float32], direction: npt.NDArray[np.float64], at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """f64[b]: rows at i64[b] of f32[n, d] times f64[d]; none depends on which rows are asked together."""
    if not have_numba():
        return dots_plain(values, direction, at)
    out = np.empty(len(at))
    row_dots(values, direction, at, out)
    return out


def dots_plain(
    values: npt.NDArray[np.float32], direction: npt.NDArray[np.float64], at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Equivalent to `dots`, to the bit, in NumPy alone."""
    out, d = np.empty(len(at)), values.shape[1]
    for a in range(0, len(at), 1024):
        x = values[at[a : a + 1024]].astype(np.float64) * direction
        lanes = np.zeros((len(x), 8))
        for j in range(0, d - d % 8, 8):
            lanes += x[:, j : j + 8]
        pairs = lanes[:, 0::2] + lanes[:, 1::2]
        total = (pairs[:, 0] + pairs[:, 1]) + (pairs[:, 2] + pairs[:, 3])
        for j in range(d - d % 8, d):
            total += x[:, j]
        out[a : a + 1024] = total
    return out
