"""Which chosen row stands nearest to every row: cosine, by blocks, never n x n."""

from __future__ import annotations

import numpy as np

from shortlist.core.arrays import F32, I64
from shortlist.core.signals import Vectors

#: Rows of one product; fixed, so that the answer never depends on memory or threads.
BLOCK = 4096


def nearest(vectors: Vectors, at: I64) -> tuple[I64, F32]:
    """For each row, the position within `at` of the chosen row of largest cosine, and that cosine.

    Equivalent to `cos = unit @ unit[at].T; cos.argmax(1), cos.max(1)`.

    Args:
        vectors: f32[n, d]; zero vectors have cosine 0 to all.
        at: i64[k], k >= 1.

    Returns:
        i64[n] in [0, k), first of equals; f32[n].
    """
    n = len(vectors)
    which, cosine = np.empty(n, np.int64), np.empty(n, np.float32)
    to = np.ascontiguousarray(unit(vectors.values[at]).T)
    for a in range(0, n, BLOCK):
        tile = unit(vectors.values[a : a + BLOCK]) @ to
        best = tile.argmax(axis=1)
        which[a : a + BLOCK] = best
        cosine[a : a + BLOCK] = tile[np.arange(len(best)), best]
    return which, cosine


def unit(block: F32) -> F32:
    """Rows of f32[b, d] at length 1; zero rows stay zero."""
    norm = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
    scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0).astype(np.float32)
    rows: F32 = np.multiply(block, scale[:, None], dtype=np.float32)
    return rows
