"""Clusters for methods that need some: k-means on a sample, then a pass over all, in the caller's thread."""

from __future__ import annotations

from functools import partial

import numpy as np

from shortlist.core.arrays import F64, I32
from shortlist.core.clusters import assigned, lloyd, points
from shortlist.core.cosine import Directions
from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.spread import by_square, spread

#: Rows a cluster that the start and the passes see, and how many passes.
SAMPLE, PASSES = 32, 8


def clustered(pool: Pool, by: str, m: int, seed: int) -> tuple[I32, F64]:
    """codes i32[n] and squared distances f64[n] to the nearest of at most m means of the rows at length 1.

    The start is drawn by squared distance (k-means++) on a seeded sample; see methods/cluster/k_means.py.
    """
    x, rng = points(pool, by, True), generator(seed, "clustered", m)
    if not len(x):
        return np.zeros(0, np.int32), np.zeros(0)
    at = np.sort(rng.choice(len(x), min(len(x), SAMPLE * m), replace=False))
    some = Directions(x.values[at], x.inverse[at])
    first = int(rng.integers(len(some)))
    start = alone(spread(some, m, first, partial(by_square, rng, None), "drawing centres"))
    centres = alone(lloyd(some, some.unit(start.at), PASSES, True))
    return alone(assigned(x, centres))
