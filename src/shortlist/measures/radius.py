"""How far the row that is served worst lies from its nearest chosen row: the k-centre radius.

    max over rows of 1 - max(0, largest cosine to a chosen row)

Gonzalez 1985, "Clustering to minimize the maximum intercluster distance", doi:10.1016/0304-3975(85)90224-5.
Cosine distances, by blocks; a zero row has cosine 0 to all, hence distance 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures.nearest import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Radius:
    """`by` names Vectors."""

    by: str = field(default="vec", kw_only=False)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"k-centre radius, {self.by} (lower is better)"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A cosine distance in [0, 1] for the rows at positions i64[k]; 1 for none, 0 for an empty pool."""
        return radius(pool.signal(self.by, Vectors), at)[0]


def radius(vectors: Vectors, at: I64) -> tuple[float, int]:
    """The radius, and the position of the row that has it: the first of equals, -1 where there is none."""
    if len(vectors) == 0 or len(at) == 0:
        return float(len(vectors) > 0), -1
    cosine = nearest(vectors, at)[1]
    worst = int(cosine.argmin())
    return float(np.clip(1.0 - max(0.0, float(cosine[worst])), 0.0, 1.0)), worst
