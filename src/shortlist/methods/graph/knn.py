"""The nearest neighbours of every row by cosine, exactly: one graph for all objectives that ask for one.

    row u keeps the `neighbors` rows v != u of largest cos(u, v); equally similar ones by position

Source: the definition; the search is brute force (Johnson, Douze and Jegou 2017, arXiv:1702.08734, sec. 4
    does the same in tiles with k-selection), with each product of two tiles used both ways.
Deviates: cosines below 1e-4 count as 0 (2e-4 and more beyond some 700 dimensions), negative ones too.
Cost: n^2 d operations, and about as long as 60 more of them a pair for the selection.
Memory: 64 bytes a neighbour and row while searching, 8 at the end; 24 MiB a tile at work.
Guarantee: exact: membership, order and similarities (rounded to float32) are those of float64 inner products,
    so tiles, threads and BLAS cannot show. Not every graph is symmetric.
Use it when: an objective asks for a graph (GraphCoverage), up to some 100,000 rows. Not when: there are
    more (ApproximateKNN of the extra `ann`), or one objective alone needs cosines (FacilityLocation).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.neighbors import least, nearest_neighbors, room
from shortlist.core.pool import Pool
from shortlist.core.signals import Neighbors, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class KNN:
    """Up to `neighbors` nearest rows of every row.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has no neighbour.
        neighbors: how many a row, at most.
    """

    by: str = field(default="vec", kw_only=False)
    neighbors: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.neighbors <= 1000:
            raise UsageError(f"KNN: neighbors must lie in [1, 1000], found {self.neighbors}")

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool, for one thread, and operations."""
        n, d = pool.signal(self.by, Vectors).values.shape
        b = min(self.neighbors, n)
        # twice what the first two strips offer of rows in no order, and a tile with its copies
        strip = 24.0 * n * (b + 1) + 24.0 * min(n, 1024) ** 2 + 8.0 * 1024 * d
        # lists, what a wave offers them, the graph
        lists = (8.0 * room(b) + 6.0 * 4 * b + 8.0 * b) * n
        return Need(bytes=lists + strip + 24.0 * n, flops=(d + 60.0) * n * n)

    def steps(self, pool: Pool) -> Plan[Neighbors]:
        """Waves of strips, then the exact similarities of what is left."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        return (yield from nearest_neighbors(x, self.neighbors))


def exact(values: F32, neighbors: int) -> F64:
    """f64[n, n]: cosines of rows f32[n, d] to their nearest, 0 elsewhere, all of them sorted in float64."""
    norm = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    unit = values / np.where(norm > 0, norm, 1)
    cosine, out = unit @ unit.T, np.zeros((len(values), len(values)))
    np.fill_diagonal(cosine, -np.inf)
    for i, row in enumerate(cosine):
        best = np.argsort(-row, kind="stable")[:neighbors]
        best = best[row[best] >= least(values.shape[1])]
        out[i, best] = np.minimum(row[best], 1.0)
    return out


EXAMPLES = (KNN(neighbors=2), KNN("vec2", neighbors=20))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of rows of a pool of many tiles whose neighbours are those of a full sort."""
    share = np.empty(2 * scale)
    for i in range(len(share)):
        rows = rng.normal(size=(1500, 24)) + 2 * rng.normal(size=(20, 24))[np.arange(1500) * 20 // 1500]
        values = rows.astype(np.float32)
        graph = alone(KNN(neighbors=10).steps(Pool.of({"vec": Vectors(values)})))
        want = exact(values, 10) > 0
        found = np.zeros_like(want)
        found[np.repeat(np.arange(1500), np.diff(graph.indptr)), graph.indices] = True
        share[i] = (found == want).all(axis=1).mean()
    return share


CLAIM = Claim(
    paper="the definition",
    says="a row's neighbours are the rows of largest cosine",
    we_show="on sorted clusters over several tiles every row has the neighbours of a full float64 sort, but "
    "for ties within rounding: at least 99.9% of rows",
    not_shown="time: see the benchmarks",
    measure=claim,
    margin=0.999,
)
