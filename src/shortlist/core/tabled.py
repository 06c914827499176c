"""Dense tables of cosines: the nearest row of a query, and what a row has above what is covered already."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.cosine import Directions
from shortlist.core.effects import scan
from shortlist.core.near import SLAB, joined, slab_rows
from shortlist.kernels.jit import have_numba
from shortlist.kernels.tabled import over_rows

#: Entries of one step of `over_plain`: stays in cache.
_STEP = 1 << 16


def over(table: F32, cover: F32, at: I64) -> F64:
    """f64[b]: for each row at i64[b] of table f32[n, m] the sum of what it has above cover f32[m].

    Each row is summed by itself and in one order, so none depends on its company.
    """
    if not have_numba():
        return over_plain(table, cover, at)
    out = np.empty(len(at))
    over_rows(table, cover, at, out)
    return out


def over_plain(table: F32, cover: F32, at: I64) -> F64:
    """Equivalent to `over`, to the bit, in NumPy alone."""
    out, m = np.zeros(len(at)), len(cover)
    whole, step = m - m % 8, max(1, _STEP // max(m, 1))
    for a in range(0, len(at), step):
        # float64 from here: gains telescope exactly
        more = np.maximum(np.subtract(table[at[a : a + step]], cover, dtype=np.float64), 0.0)
        # adds the eights up one after the other: the axis of the sum is not the inner one
        s = more[:, :whole].reshape(len(more), whole // 8, 8).sum(axis=1).T
        total = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
        for j in range(whole, m):
            total = total + more[:, j]
        out[a : a + step] = total
    return out


def nearest(x: Directions, query: Directions) -> Generator[Any, Any, F32]:
    """f32[n]: the largest cosine of each row of x with a row of the query, 0 at least; in blocks."""
    step = slab_rows(query)
    part = partial(_nearest, x, query.unit(slice(None)), step)
    blocks = yield from scan(part, joined, range(0, max(len(x), 1), step), "query")
    return np.concatenate(blocks)


def _nearest(x: Directions, query: F32, step: int, a: int) -> list[F32]:
    block = x.unit(slice(a, a + step)) @ query.T
    return [block.max(axis=1, initial=0.0)]


def nearest_bytes(n: int, q: int, d: int) -> float:
    """What `nearest` takes: one block, its rows and the query at length 1."""
    return 4.0 * min(n * q, SLAB) + 4.0 * min(n * d, SLAB) + 4.0 * q * d + 8.0 * n


def table_bytes(n: int, m: int, d: int) -> float:
    """What it takes to make and use a table of n rows against m: blocks, one of which exists twice, the m
    rows at length 1, and a step of `over`."""
    block = min(n * max(m, d), SLAB)
    return 4.0 * n * m + 8.0 * block + 4.0 * m * d + 20.0 * max(_STEP, m)
