"""Effective number of distinct rows: the exponential of the entropy of the similarity spectrum.

Friedman & Dieng 2023, "The Vendi Score", arXiv:2210.02410; orders: Pasarkar & Dieng 2024, arXiv:2310.12952.

The similarity is the cosine, so the spectrum of the k x k similarities over k is that of a d x d covariance:
no k x k matrix where d is smaller. Zero rows resemble nothing, not even themselves: they are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures.nearest import unit

#: Rows of one product.
BLOCK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendi:
    """`by` names Vectors; `order` > 0: 1 is the entropy, smaller counts rare directions more, inf none."""

    by: str = field(default="vec", kw_only=False)
    order: float = 1.0

    def __post_init__(self) -> None:
        if not self.order > 0:
            raise UsageError(f"Vendi: order must be above 0, found {self.order}")

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"Vendi score, {self.by}" + ("" if self.order == 1 else f", order {self.order:g}")

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [1, k] for the rows at positions i64[k]; 0 for none."""
        return vendi(pool.signal(self.by, Vectors).values[np.sort(at)], self.order)


def vendi(x: F32, order: float = 1.0) -> float:
    """Score of f32[k, d].

    >>> round(vendi(np.eye(5, dtype=np.float32)), 6)
    5.0
    >>> round(vendi(np.ones((7, 3), np.float32)), 6)
    1.0
    """
    rows = unit(x)
    rows = rows[np.einsum("ij,ij->i", rows, rows) > 0.5]
    k, d = rows.shape
    if k == 0:
        return 0.0
    gram = np.zeros((min(k, d),) * 2)
    if d <= k:
        for a in range(0, k, BLOCK):
            gram += (rows[a : a + BLOCK].T @ rows[a : a + BLOCK]).astype(np.float64)
    else:
        gram += rows @ rows.T
    return effective(np.linalg.eigvalsh(gram), order)


def effective(weights: F64, order: float = 1.0) -> float:
    """Hill number of weights (those not above rounding count as 0): how many equal ones they are worth."""
    p = weights[weights > 1e-9 * weights.max()]
    p = p / p.sum()
    if order == 1:
        return float(np.exp(-np.sum(p * np.log(p))))
    if order == inf:
        return float(1 / p.max())
    return float(np.sum(p**order) ** (1 / (1 - order)))
