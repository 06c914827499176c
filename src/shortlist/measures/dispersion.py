"""How far chosen rows stand from each other: the least and the mean cosine distance of two of them.

Ravi, Rosenkrantz & Tayi 1994, "Heuristic and Special Case Algorithms for Dispersion Problems",
doi:10.1287/opre.42.2.299. The mean comes from the sum of the unit rows, in O(k d); the least takes all pairs,
by blocks. A zero row has cosine 0 to all, hence distance 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, I64
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures.nearest import BLOCK, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """`by` names Vectors; `least`: the smallest distance of two rows, else the mean of all pairs."""

    by: str = field(default="vec", kw_only=False)
    least: bool = False

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"{'least' if self.least else 'mean'} distance, {self.by}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A cosine distance in [0, 2] for the rows at positions i64[k]; NaN for fewer than two."""
        chosen = pool.signal(self.by, Vectors).values[np.sort(at)]
        return least(chosen)[0] if self.least else mean(chosen)


def mean(x: F32) -> float:
    """Mean of 1 - cosine over the pairs of rows f32[k, d]; NaN for fewer than two."""
    k = len(x)
    if k < 2:
        return float("nan")
    total, own = np.zeros(x.shape[1]), 0.0
    for a in range(0, k, BLOCK):
        rows = unit(x[a : a + BLOCK]).astype(np.float64)
        total += rows.sum(axis=0)
        own += float((rows**2).sum())
    return 1.0 - (float(total @ total) - own) / (k * (k - 1))


def least(x: F32) -> tuple[float, int, int]:
    """The smallest 1 - cosine of two rows f32[k, d] and which two they are; (NaN, -1, -1) for fewer."""
    best, i, j = -np.inf, -1, -1
    for a in range(0, len(x), BLOCK):
        rows = unit(x[a : a + BLOCK])
        for b in range(a, len(x), BLOCK):
            tile = rows @ unit(x[b : b + BLOCK]).T
            if a == b:
                tile[np.tril_indices(len(tile))] = -np.inf
            at = int(tile.argmax())
            value = float(tile.flat[at])
            if value > best:
                best, (i, j) = value, (a + at // tile.shape[1], b + at % tile.shape[1])
    return (float(np.clip(1 - best, 0, 2)), i, j) if i >= 0 else (float("nan"), -1, -1)
