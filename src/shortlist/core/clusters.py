"""Clusters of a pool, and the steps every centre-based method is made of: nearest centre, means, reseating.

Which centre is nearest is settled in float64 (kernels/clusters.py), so no product's last bit and no number
of threads can show in a cluster.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.cosine import Directions
from shortlist.core.effects import scan
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.kernels.clusters import nearest, squares_plain, summed

#: Rows of one product, and the most entries of it (64 MiB).
TILE, ENTRIES = 1024, 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """n rows in m clusters, none of them empty.

    centres f32[m, d]; codes i32[n]: the nearest centre of each row, the lowest of equally near ones; rows
    i64[m]: of each cluster the row (its global number) nearest to the centre; inertia: sum over all rows of
    the squared distance to their centre; radius: the largest of these distances. Where `spherical`, rows
    are taken at length 1 (zero rows stay zero), and so are centres that are means.
    """

    centres: F32
    codes: I32
    rows: I64
    inertia: float
    radius: float
    spherical: bool

    def __post_init__(self) -> None:
        m = len(self.centres)
        if self.centres.dtype != np.float32 or self.centres.ndim != 2:
            raise ContractError("centres must be f32[m, d]")
        if self.codes.dtype != np.int32 or self.codes.ndim != 1 or self.rows.dtype != np.int64:
            raise ContractError("codes must be i32[n] and rows i64[m]")
        if len(self.rows) != m or len(np.unique(self.rows)) != m:
            raise ContractError(f"{m} centres need {m} rows, no two the same")
        if not np.array_equal(np.unique(self.codes), np.arange(m)):
            raise ContractError(f"codes must name each of {m} centres and nothing else")
        if not (0 <= self.inertia < np.inf and 0 <= self.radius < np.inf):
            raise ContractError("inertia and radius must be finite and at least 0")

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def sizes(self) -> I64:
        """i64[m]: rows of each cluster."""
        return np.bincount(self.codes, minlength=len(self.centres)).astype(np.int64)


def points(pool: Pool, by: str, spherical: bool) -> Directions:
    """The rows of a vector signal, at length 1 if `spherical`, else as they are."""
    values = pool.signal(by, Vectors).values.view(np.ndarray)
    return Directions.of(values) if spherical else Directions(values, np.ones(len(values), np.float32))


def assigned(x: Directions, centres: F32) -> Generator[Any, Any, tuple[I32, F64]]:
    """codes i32[n], squares f64[n]: the nearest of centres f32[m, d], m >= 1, and its squared distance."""
    step = max(1, min(TILE, ENTRIES // len(centres)))
    part = partial(_nearest, x, centres, step)
    parts = yield from scan(part, list.__add__, range(0, max(len(x), 1), step), "nearest centres")
    return np.concatenate([c for c, _ in parts]), np.concatenate([s for _, s in parts])


def _nearest(x: Directions, centres: F32, step: int, a: int) -> list[tuple[I32, F64]]:
    return [nearest(x.values[a : a + step], x.inverse[a : a + step], centres)]


def means(x: Directions, codes: I32, m: int, spherical: bool) -> tuple[F32, I64]:
    """f32[m, d]: the mean of each cluster's rows (its direction if spherical; 0 of none); i64[m]: sizes."""
    sums, count = summed(x.values, x.inverse, codes, m)
    return centred(sums, count, spherical), count


def centred(sums: F64, count: I64, spherical: bool) -> F32:
    """f32[m, d]: sums f64[m, d] over count i64[m], brought to length 1 if spherical; zero stays zero."""
    scale = np.sqrt(np.einsum("ij,ij->i", sums, sums)) if spherical else count.astype(np.float64)
    # Opposite rows cancel to rounding noise: that is no direction.
    scale[scale <= 1e-12 * count] = 0.0 if spherical else 1.0
    out: F32 = np.divide(sums, scale[:, None], out=np.zeros_like(sums), where=scale[:, None] > 0).astype(
        np.float32
    )
    return out


def lloyd(x: Directions, centres: F32, passes: int, spherical: bool) -> Generator[Any, Any, F32]:
    """At most so many rounds of: each row to its nearest centre, each centre to the mean of its rows.

    A centre without rows goes to the row farthest from its own centre, the first of equally far ones.
    Stops as soon as no row changes hands.
    """
    last = None
    for _ in range(passes):
        codes, squares = yield from assigned(x, centres)
        if last is not None and np.array_equal(codes, last):
            break
        last = codes
        size = np.bincount(codes, minlength=len(centres))
        empty = np.flatnonzero(size == 0)
        if len(empty):
            far = np.lexsort((np.arange(len(squares)), -squares))[: len(empty)]
            far = far[(squares[far] > 0) & (size[codes[far]] > 1)]
            codes[far] = empty[: len(far)]  # and out of the mean of where it was
        centres, count = means(x, codes, len(centres), spherical)
        centres = centres[count > 0]
    return centres


def gathered(pool: Pool, x: Directions, centres: F32, spherical: bool) -> Generator[Any, Any, Clusters]:
    """The clusters of these centres; a centre that no row is nearest to is left out."""
    codes, squares = yield from assigned(x, centres)
    used = np.flatnonzero(np.bincount(codes, minlength=len(centres)))
    codes = np.searchsorted(used, codes).astype(np.int32)
    return finished(pool, centres[used], codes, squares, spherical)


def finished(pool: Pool, centres: F32, codes: I32, squares: F64, spherical: bool) -> Clusters:
    """Clusters whose rows have squared distances f64[n] to their centres."""
    order = np.lexsort((np.arange(len(codes)), squares, codes))
    first = np.searchsorted(codes[order], np.arange(len(centres)))
    radius = float(np.sqrt(squares.max(initial=0.0)))
    return Clusters(centres, codes, pool.rows[order[first]], float(squares.sum()), radius, spherical)


def nothing(d: int, spherical: bool) -> Clusters:
    """The clusters of no row."""
    none = np.zeros(0, np.int64)
    return Clusters(np.zeros((0, d), np.float32), none.astype(np.int32), none, 0.0, 0.0, spherical)


def exact_codes(values: F32, centres: F32) -> tuple[I32, F64]:
    """`assigned` as it is defined: every distance in float64, the first of the least. values f32[n, d]."""
    apart = np.stack([squares_plain(values, c) for c in centres], axis=1)
    codes = apart.argmin(axis=1)
    return codes.astype(np.int32), apart[np.arange(len(codes)), codes]
