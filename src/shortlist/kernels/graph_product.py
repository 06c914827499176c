"""A sparse matrix times a few dense columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def graph_product(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    x: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over the entries e of row i of data[e] * x[indices[e]], in entry order.

    CSR indptr i64[n+1], indices i32[z] in [0, m), data f32[z]; x f64[m, c]; out f64[n, c] comes as zeros.
    """
    for i in range(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            v = np.float64(data[e])
            for j in range(x.shape[1]):
                out[i, j] += v * x[indices[e], j]
