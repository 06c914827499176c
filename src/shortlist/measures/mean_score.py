"""Mean of a score over the chosen rows; rows whose score is missing are left out and counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanScore:
    """`of` names a Scores signal. The mean is in the score's own unit; its direction is not turned."""

    of: str = field(default="score", kw_only=False)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"mean {self.of}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """Mean over the rows at positions i64[k]; NaN where every one of them is missing, or none is."""
        return float(means(pool.signal(self.of, Scores), at, np.array([0, len(at)]))[0])


def means(scores: Scores, flat: I64, offsets: I64) -> F64:
    """f64[s]: mean of each of s sets of positions, set i being flat[offsets[i] : offsets[i + 1]]."""
    there = np.ones(len(flat)) if scores.missing is None else (~scores.missing[flat]).astype(np.float64)
    # Centred first: sums of large numbers with a small spread would lose the difference between sets.
    centre = float(np.mean(scores.values)) if len(scores) else 0.0
    total = _sums((scores.values[flat] - centre) * there, offsets)
    count = _sums(there, offsets)
    mean: F64 = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0) + centre
    return mean


def _sums(x: F64, offsets: I64) -> F64:
    out = np.zeros(len(offsets) - 1)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        out[filled] = np.add.reduceat(x, offsets[filled])
    return out
