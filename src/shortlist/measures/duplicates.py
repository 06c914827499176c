"""The share of rows that are near-copies of an earlier row.

A row counts where its cosine to any row before it reaches the threshold: what dropping all but the first of
each would at least remove where likeness carries over. Up to EXACT rows all pairs are looked at; of more, a
seeded sample of rows, each against all rows before it, with Wilson's interval. Zero rows are
copies of nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, I64
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Vectors
from shortlist.measures.intervals import wilson
from shortlist.measures.nearest import BLOCK, unit

#: Up to so many rows all pairs are looked at; of more, so many rows are sampled.
EXACT, SAMPLE = 1 << 14, 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """share of the rows, an interval of it, and on how many rows it was measured; low = high if on all."""

    share: float
    low: float
    high: float
    measured: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """`by` names Vectors; `threshold`: a cosine in (0, 1]; `seed`: of the sample of a large set."""

    by: str = field(default="vec", kw_only=False)
    threshold: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self.threshold)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"share of near-copies, {self.by} (lower is better)"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, 1] for the rows at positions i64[k]; 0 for none."""
        chosen = pool.signal(self.by, Vectors).values[np.sort(at)]
        return copies(chosen, self.threshold, seed=self.seed).share


def copies(x: F32, threshold: float = 0.95, *, seed: int = 0) -> Copies:
    """Near-copies among rows f32[k, d].

    >>> copies(np.float32([[1, 0], [0, 1], [2, 0], [0, 0], [0, 0]])).share
    0.2
    """
    _check(threshold)
    k = len(x)
    sampled = k > EXACT
    rows = (
        np.sort(generator(seed, "duplicates").choice(k, min(SAMPLE, k), replace=False))
        if sampled
        else np.arange(k)
    )
    found = np.zeros(len(rows), bool)
    edge = np.float32(threshold - 2e-6)  # a copy of a row has cosine 1 but for rounding
    for a in range(0, len(rows), BLOCK):
        some = rows[a : a + BLOCK]
        mine = unit(x[some])
        for b in range(0, int(some[-1]), BLOCK):
            near = mine @ unit(x[b : b + BLOCK]).T >= edge
            near &= np.arange(b, b + near.shape[1]) < some[:, None]
            found[a : a + BLOCK] |= near.any(axis=1)
    share = float(found.mean()) if k else 0.0
    low, high = wilson(share, len(rows)) if sampled else (share, share)
    return Copies(share=share, low=low, high=high, measured=len(rows))


def _check(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold must be a cosine above 0 and at most 1, found {threshold}")
