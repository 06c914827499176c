"""Sparse rows: hashed term counts, and their product with a dense matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def count_terms(
    indptr: npt.NDArray[np.int64],
    tokens: npt.NDArray[np.uint64],
    shift: int,
    tally: npt.NDArray[np.int32],
    out: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int32],
) -> None:
    """How often each row's tokens fall into each of 2^(64 - shift) columns (the leading bits of a token).

    indptr i64[n+1], tokens u64[m]; tally i32[2^(64 - shift)] comes and leaves as zeros; out i64[n+1],
    columns i32[>= m] and counts i32[>= m] are filled as CSR, columns in order of first appearance.
    """
    z = 0
    out[0] = 0
    cut = np.uint64(shift)
    for i in range(len(indptr) - 1):
        start = z
        for t in range(indptr[i], indptr[i + 1]):
            c = np.int64(tokens[t] >> cut)
            if tally[c] == 0:
                columns[z] = c
                z += 1
            tally[c] += 1
        for e in range(start, z):
            counts[e] = tally[columns[e]]
            tally[columns[e]] = 0
        out[i + 1] = z


@kernel
def sparse_product(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    dense: npt.NDArray[np.float32],
    unit: bool,
    total: npt.NDArray[np.float64],
    out: npt.NDArray[np.float32],
) -> None:
    """out[i] = sum_e data[e] * dense[indices[e]] over the entries e of row i; divided by its norm if `unit`.

    CSR indptr i64[n+1], indices i32[z] in [0, w), data f32[z]; dense f32[w, d]; total f64[d] is scratch;
    out f32[n, d]. A zero row stays zero.
    """
    d = dense.shape[1]
    for i in range(len(indptr) - 1):
        total[:] = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            w, c = np.float64(data[e]), indices[e]
            for j in range(d):
                total[j] += w * dense[c, j]
        scale = 1.0
        if unit:
            square = 0.0
            for j in range(d):
                square += total[j] * total[j]
            if square > 0.0:
                scale = 1.0 / np.sqrt(square)
        for j in range(d):
            out[i, j] = total[j] * scale


def term_counts(
    indptr: npt.NDArray[np.int64], tokens: npt.NDArray[np.uint64], bits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """`count_terms` of token rows indptr i64[n+1], tokens u64[m] into 2^bits columns: CSR with counts."""
    out = np.zeros(len(indptr), np.int64)
    columns, counts = np.empty(len(tokens), np.int32), np.empty(len(tokens), np.int32)
    count_terms(indptr, tokens, 64 - bits, np.zeros(1 << bits, np.int32), out, columns, counts)
    return out, columns[: out[-1]].copy(), counts[: out[-1]].copy()


def times(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    data: npt.NDArray[np.float32],
    dense: npt.NDArray[np.float32],
    *,
    unit: bool = False,
) -> npt.NDArray[np.float32]:
    """`sparse_product` of a CSR matrix with dense f32[w, d]: f32[n, d], rows of length 1 if `unit`."""
    out = np.empty((len(indptr) - 1, dense.shape[1]), np.float32)
    sparse_product(indptr, indices, data, dense, unit, np.empty(dense.shape[1]), out)
    return out
