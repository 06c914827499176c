"""Which items hang together through pairs: union-find."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def unite(parent: npt.NDArray[np.int64], a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> None:
    """Join a[e] and b[e] for every pair: afterwards parent i64[n], which comes as 0..n-1, holds the smallest
    item of each item's component."""
    for e in range(len(a)):
        x, y = a[e], b[e]
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        while parent[y] != y:
            parent[y] = parent[parent[y]]
            y = parent[y]
        if x < y:
            parent[y] = x
        else:
            parent[x] = y
    for i in range(len(parent)):  # a parent is never larger than its child, so this one is done already
        parent[i] = parent[parent[i]]
