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

#: Entries of one step of `over`: stays in cache.
_STEP = 1 << 16


def over(table: F32, cover: F32, at: I64) -> F64:
    """f64[b]: for each row at i64[b] of table f32[n, m] the sum of what it has above cover f32[m].

    Each row is summed by itself and in one order, so none depends on its company.
    """
    out = np.zeros(len(at))
    if not len(cover):
        return out
    step = max(1, _STEP // len(cover))
    for a in range(0, len(at), step):
        # float64 from here: gains telescope exactly, and a cast inside the sum would cut rows at buffer ends.
        more = np.subtract(table[at[a : a + step]], cover, dtype=np.float64)
        out[a : a + step] = np.maximum(more, 0, out=more).sum(axis=1)
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
