"""A sample: rows with the chance that each had to be in it, and the weights that make sums over it honest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.errors import ContractError


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """rows i64[m] unique global rows; chance f64[m] in (0, 1]: of each to be in the sample; weight f64[m].

    With weights 1 / chance the weighted sum of anything over the sample is, on average over seeds, its sum
    over the pool (Horvitz and Thompson 1952); a sampler that weighs otherwise says so.
    """

    rows: I64
    chance: F64
    weight: F64

    def __post_init__(self) -> None:
        if self.rows.dtype != np.int64 or len(np.unique(self.rows)) != len(self.rows):
            raise ContractError("a sample's rows must be i64[m], no two the same")
        if self.chance.shape != self.rows.shape or self.weight.shape != self.rows.shape:
            raise ContractError("each row of a sample needs its chance and its weight")
        if not ((self.chance > 0) & (self.chance <= 1 + 1e-9)).all() or not np.isfinite(self.weight).all():
            raise ContractError("chances must lie in (0, 1] and weights be finite")

    def __len__(self) -> int:
        return len(self.rows)

    def total(self, values: F64) -> float:
        """The weighted sum of values f64[m] of these rows."""
        return float(self.weight @ values)
