"""Which of some sets a set contains most of: overlap of n-grams, counted through an index of the few."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def index_sets(
    indptr: npt.NDArray[np.int64],
    values: npt.NDArray[np.uint64],
    head: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int64],
) -> None:
    """Chain the values u64[m] of sets i64[s+1] by cell: head i64[power of two] comes as -1, the rest is
    filled: after i64[m] (the next in the cell) and owner i64[m] (whose it is)."""
    mask = np.uint64(len(head) - 1)
    for j in range(len(indptr) - 1):
        for e in range(indptr[j], indptr[j + 1]):
            cell = values[e] & mask
            owner[e], after[e] = j, head[cell]
            head[cell] = e


@kernel
def most_contained(
    indptr: npt.NDArray[np.int64],
    values: npt.NDArray[np.uint64],
    few: npt.NDArray[np.int64],
    theirs: npt.NDArray[np.uint64],
    head: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int64],
    count: npt.NDArray[np.int64],
    touched: npt.NDArray[np.int64],
    of: npt.NDArray[np.int64],
    share: npt.NDArray[np.float64],
) -> None:
    """For each set the indexed one of which it holds most: of i64[n] (-1: of none), share f64[n] of it.

    indptr i64[n+1] into values u64, distinct in a set; few i64[s+1] into theirs u64, the indexed sets; count
    i64[s] comes as 0 and is left so; touched i64[s] is scratch. Ties go to the earlier.
    """
    mask = np.uint64(len(head) - 1)
    for i in range(len(indptr) - 1):
        z = 0
        for t in range(indptr[i], indptr[i + 1]):
            e = head[values[t] & mask]
            while e >= 0:
                if theirs[e] == values[t]:
                    j = owner[e]
                    if count[j] == 0:
                        touched[z] = j
                        z += 1
                    count[j] += 1
                e = after[e]
        of[i], share[i] = -1, 0.0
        for t in range(z):
            j = touched[t]
            s = count[j] / (few[j + 1] - few[j])
            if s > share[i] or (s == share[i] and j < of[i]):
                of[i], share[i] = j, s
            count[j] = 0
