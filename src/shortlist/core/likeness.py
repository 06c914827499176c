"""Similarity (1 + cos) / 2, in [0, 1]: linear in the rows, so that sums over a set are one product."""

from __future__ import annotations

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.cosine import Directions

_ROWS = 1024  # rows brought to length 1 at once


def likeness(x: Directions, at: I64 | None = None) -> F64:
    """f64[n]: for each row its mean similarity with the rows at i64[m], m > 0 (None: with all rows)."""
    d, many = x.values.shape[1], len(x) if at is None else len(at)
    total = np.zeros(d)
    for a in range(0, many, _ROWS):
        rows = x.unit(slice(a, a + _ROWS) if at is None else at[a : a + _ROWS])
        total += rows.sum(axis=0, dtype=np.float64)
    mean = x.along((total / max(many, 1)).astype(np.float32))
    return np.clip((1.0 + mean.astype(np.float64)) / 2, 0.0, 1.0)


def halved(x: F32) -> F64:
    """(1 + x) / 2 of cosines, 0 at least."""
    return np.maximum((1.0 + x.astype(np.float64)) / 2, 0.0)
