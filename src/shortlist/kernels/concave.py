"""Gains of sparse rows: what their entries add to columns that have some already, one row after the other.

Every sum runs in entry order, and each of its terms falls, to the bit, as its column fills (see the methods).
"""

from __future__ import annotations

from math import log1p, sqrt

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def level_sums(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    level: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over the entries e of row at[i] of data[e] * level[indices[e]].

    CSR indptr i64[n+1], indices i32[z] in [0, w), data f32[z]; level f64[w]; at i64[b]; out f64[b].
    """
    for i in range(len(at)):
        total = 0.0
        for e in range(indptr[at[i]], indptr[at[i] + 1]):
            total += np.float64(data[e]) * level[indices[e]]
        out[i] = total


@kernel
def root_gains(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    level: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over entries x of row at[i] of s * (sqrt(a + x) - sqrt(a)), s and a of its column.

    Written as x / (sqrt(a + x) + sqrt(a)), which neither cancels nor ever rises with a.
    Arrays as in `level_sums`, entries > 0; scale f64[w] >= 0, level f64[w] >= 0.
    """
    for i in range(len(at)):
        total = 0.0
        for e in range(indptr[at[i]], indptr[at[i] + 1]):
            x, a = np.float64(data[e]), level[indices[e]]
            total += scale[indices[e]] * (x / (sqrt(a + x) + sqrt(a)))
        out[i] = total


@kernel
def log_gains(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    level: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over entries x of row at[i], column c, of scale[c] * log(1 + x / level[c]).

    Arrays as in `root_gains`; level f64[w] >= 1.
    """
    for i in range(len(at)):
        total = 0.0
        for e in range(indptr[at[i]], indptr[at[i] + 1]):
            total += scale[indices[e]] * log1p(np.float64(data[e]) / level[indices[e]])
        out[i] = total


@kernel
def room_gains(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    level: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over entries x of row at[i], column c, of scale[c] * min(x, level[c]).

    Arrays as in `root_gains`; level f64[w] >= 0 is the room that is left.
    """
    for i in range(len(at)):
        total = 0.0
        for e in range(indptr[at[i]], indptr[at[i] + 1]):
            total += scale[indices[e]] * min(np.float64(data[e]), level[indices[e]])
        out[i] = total
