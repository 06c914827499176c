"""Nearest neighbours by cosine from a navigable small world graph, with the recall measured: usearch.

Source: Malkov, Yashunin 2016, arXiv:1603.09320, as the package usearch (extra `ann`) has it.
Deviates: vectors are held as bfloat16 for the search; what it finds is measured and ordered as in KNN.
Cost: about 0.7 ms a row and core at 384 dimensions and 50 neighbours (measured on 50,000 rows, recall .99),
growing with the logarithm of the rows: KNN is the faster one up to some 100,000 rows.
Memory: 2 d + 4 links bytes a row, 16 a neighbour and row.
Guarantee: none but the check: if rows drawn with `seed` have less than the share `least` of their true
neighbours, it is refused. Similarities are exact (KNN). One thread builds the index, in order of rows, so
threads cannot show; other machines and versions of usearch may find others.
Use it when n x n products are too many; not when they are not (KNN).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, I32, I64
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import CheckFailed, UsageError
from shortlist.core.neighbors import best_listed, recall
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Neighbors, Vectors

#: Rows inserted or searched at once, rows whose true neighbours are found to check, of them at once.
ROWS, CHECKED, PIECE = 4096, 256, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproximateKNN:
    """Up to `neighbors` near rows of every row, most of them the nearest.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has no neighbour.
        neighbors: how many a row, at most.
        links: of a row in the index (M).
        build: candidates held while inserting (efConstruction).
        search: candidates held while searching (ef), at least `neighbors`.
        least: share of true neighbours below which the graph is refused, in [0, 1].
        seed: draws the rows that are checked.
    """

    by: str = field(default="vec", kw_only=False)
    neighbors: int = 50
    links: int = 16
    build: int = 128
    search: int = 100
    least: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.neighbors <= 1000:
            raise UsageError(f"ApproximateKNN: neighbors must lie in [1, 1000], found {self.neighbors}")
        if min(self.links, self.build, self.search) < 2 or not 0 <= self.least <= 1:
            raise UsageError("ApproximateKNN: links, build, search must be at least 2, least lie in [0, 1]")

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool, and operations as long as inserting and searching take."""
        n, d = pool.signal(self.by, Vectors).values.shape
        hops = np.log2(n + 2.0)
        flops = 8.0 * n * hops * d * (self.build + max(self.search, self.neighbors))
        held = (2.0 * d + 16.0 * self.links + 16.0 * self.neighbors + 64.0) * n
        return Need(held + 8.0 * ROWS * (d + 2 * self.neighbors), flops + 2.0 * CHECKED * n * d)

    def steps(self, pool: Pool) -> Plan[Neighbors]:
        """Build the index, search it for every row, check some.

        Raises:
            CheckFailed: too many true neighbours are missing.
        """
        x = Directions.of(pool.signal(self.by, Vectors).values.view(np.ndarray))
        (index,) = yield from scan(partial(_built, x, self), list.__add__, [0], "building the index")
        part = partial(_found, x, self, index, Lock())
        parts = yield from scan(part, list.__add__, range(0, max(len(x), 1), ROWS), "near rows")
        indptr = np.zeros(len(x) + 1, np.int64)
        np.cumsum(np.concatenate([p[0] for p in parts]), out=indptr[1:])
        graph = Neighbors(
            indptr, np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
        )
        share = yield from self._recall(x, graph)
        if share < self.least:
            raise CheckFailed(
                f"ApproximateKNN found {share:.1%} of the true neighbours of {min(len(x), CHECKED)} rows, "
                f"{self.least:.1%} are asked for: raise search (now {self.search}), or use KNN"
            )
        return graph

    def recall(self, pool: Pool, found: Neighbors) -> float:
        """The share of true neighbours of up to 256 rows, drawn with `seed`, that are in its graph."""
        return alone(self._recall(Directions.of(pool.signal(self.by, Vectors).values), found), pool)

    def _recall(self, x: Directions, graph: Neighbors) -> Generator[Any, Any, float]:
        draw = generator(self.seed, "approximate_knn", "check")
        at = np.sort(draw.choice(len(x), min(len(x), CHECKED), replace=False))
        over = [at[a : a + PIECE] for a in range(0, max(len(at), 1), PIECE)]
        shares = yield from scan(partial(_share, x, self.neighbors, graph), list.__add__, over, "checking")
        return float(np.average(shares, weights=[max(len(a), 1) for a in over]))


def _index(d: int, method: ApproximateKNN) -> Any:
    try:
        from usearch.index import Index
    except ImportError:
        raise UsageError("ApproximateKNN needs usearch: pip install 'shortlist[ann]'") from None
    search = max(method.search, method.neighbors + 1)
    return Index(
        ndim=d,
        metric="ip",
        dtype="bf16",
        connectivity=method.links,
        expansion_add=method.build,
        expansion_search=search,
    )


def _built(x: Directions, method: ApproximateKNN, _: int) -> list[Any]:
    index = _index(x.values.shape[1], method)
    for a in range(0, len(x), ROWS):
        rows = x.unit(slice(a, a + ROWS))
        index.add(np.arange(a, a + len(rows), dtype=np.uint64), rows, threads=1)
    return [index]


def _found(
    x: Directions, method: ApproximateKNN, index: Any, one: Lock, a: int
) -> list[tuple[I64, I32, F32]]:
    rows = x.unit(slice(a, a + ROWS))
    near = np.full((len(rows), min(method.neighbors + 1, max(len(x), 1))), -1, np.int64)
    if len(rows):
        with one:  # searches on one thread share their scratch
            found = index.search(rows, near.shape[1], threads=1)
        keys, counts = np.asarray(found.keys), np.asarray(getattr(found, "counts", near.shape[1]))
        keys = keys.reshape(len(rows), -1).astype(np.int64)
        there = np.arange(keys.shape[1]) < np.broadcast_to(counts, len(rows))[:, None]
        near[:, : keys.shape[1]] = np.where(there, keys, -1)
    near[near == np.arange(a, a + len(rows))[:, None]] = -1
    order = np.argsort(near < 0, axis=1, kind="stable")  # what is there comes first
    listed = np.take_along_axis(near, order, axis=1)
    count = (listed >= 0).sum(axis=1)
    return [best_listed(x, method.neighbors, a, np.maximum(listed, 0).astype(np.int32), count)]


def _share(x: Directions, keep: int, graph: Neighbors, at: I64) -> list[float]:
    return [recall(x, keep, graph, at)]
