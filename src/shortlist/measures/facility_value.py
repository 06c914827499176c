"""What facility location counts: the sum over all rows of max(0, largest cosine to a chosen row).

Cornuejols, Fisher & Nemhauser 1977, doi:10.1287/mnsc.23.8.789. `Coverage` is its mean, a share of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures.nearest import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityValue:
    """`by` names Vectors."""

    by: str = field(default="vec", kw_only=False)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"facility value, {self.by}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, n] for the rows at positions i64[k]; 0 for none."""
        vectors = pool.signal(self.by, Vectors)
        if len(at) == 0 or len(vectors) == 0:
            return 0.0
        return float(np.maximum(nearest(vectors, at)[1], 0).sum(dtype=np.float64))
