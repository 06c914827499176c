"""Typicality: from every cluster its most typical row, then the next most typical, in turn.

    typicality(x) = 1 / mean distance to its nearest rows;  clusters in rounds, the largest first

Source: Hacohen, Dekel and Weinshall 2022, Active learning on a budget (TypiClust), arXiv:2202.02794, sec. 3;
in a common harness: Zhang et al. 2024, LabelBench, arXiv:2306.09910.
Deviates: vectors are the user's, at length 1; the means come from a seeded sample. Neighbours are those of
    the same cluster (as in the authors' code), `neighbors` of them or all there are. There are as many
    clusters as rows to choose, at most `m`; clusters of fewer than 5 rows come after all others. Rows shown
    before count for their clusters: a cluster with fewer of them comes first.
Cost: 2 n m d operations, 2 n s d for clusters of s rows.  Memory: 64 n bytes, one cluster's rows and 128 MiB.
Guarantee: in each round every cluster that has rows left gives one; from the seed alone, ties by position.
Use it when: few rows are labelled first (a cold start). Not when: many labels are there already and the
    margin of a model says more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.clusters import points
from shortlist.core.contracts import Built, Limits
from shortlist.core.cosine import Directions
from shortlist.core.errors import UsageError
from shortlist.core.fill import fill, told
from shortlist.core.limits import bind
from shortlist.core.means import clustered
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors

#: Clusters of fewer rows come last.
SMALL = 5
#: Entries of one product of rows with their whole cluster.
ENTRIES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Typicality:
    """Typical rows of all clusters; the objective, if there is one, only says what it gained.

    Args:
        by: a Vectors signal.
        m: how many clusters at most.
        neighbors: how many nearest rows a density is taken over.
        seed: of the clusters.
    """

    by: str = field(default="vec", kw_only=False)
    m: int = 500
    neighbors: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.m < 1 or self.neighbors < 1:
            raise UsageError(
                f"Typicality: m and neighbors must be 1 or more, found {self.m} and {self.neighbors}"
            )

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows."""
        had = limits.shown
        codes, _ = clustered(pool, self.by, max(min(self.m, limits.k + len(had)), 1), self.seed)
        x, apart = points(pool, self.by, True), np.zeros(len(pool))
        by, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
        for at in np.split(by, np.cumsum(sizes)[:-1]):
            apart[at] = mean_distance(Directions(x.values[at], x.inverse[at]), self.neighbors)
        return told(built, limits, pool, fill(limits, in_turn(codes, apart, had)))


def mean_distance(x: Directions, neighbors: int) -> F64:
    """f64[s]: mean distance of each row to its `neighbors` nearest others, 0 where there is no other."""
    s, b = len(x), min(neighbors, len(x) - 1)
    out = np.zeros(s)
    if b < 1:
        return out
    unit = x.unit(slice(None))
    square = np.einsum("ij,ij->i", unit, unit, dtype=np.float64)
    step = max(1, ENTRIES // s)
    for a in range(0, s, step):
        near = square[a : a + step, None] + square - 2.0 * (unit[a : a + step] @ unit.T)
        near[np.arange(len(near)), np.arange(a, a + len(near))] = np.inf
        least = np.partition(near, b - 1, axis=1)[:, :b]
        out[a : a + step] = np.sqrt(np.maximum(least, 0.0)).mean(axis=1)
    return out


def in_turn(codes: I32, apart: F64, had: I64) -> I64:
    """i64: rows but those of `had`, by how many of their cluster come before them; clusters by size."""
    free = np.ones(len(codes), bool)
    free[had] = False
    sizes = np.bincount(codes)
    rank = np.zeros(len(codes), np.int64)
    by = np.lexsort((np.arange(len(codes)), apart, codes))
    by = by[free[by]]
    left = np.bincount(codes[by], minlength=len(sizes))
    rank[by] = np.arange(len(by)) - np.repeat(np.cumsum(left) - left, left)
    rank += np.bincount(codes[had], minlength=len(sizes))[codes]
    order = np.lexsort((np.arange(len(codes)), apart, codes, -sizes[codes], rank, sizes[codes] < SMALL))
    return order[free[order]]


def exact(rows: F32, codes: I32, neighbors: int, k: int) -> list[int]:
    """k rows of f32[n, d] in clusters i32[n], one at a time: the cluster with fewest taken, the largest of
    these, its most typical row left."""
    apart = np.linalg.norm(rows[:, None].astype(np.float64) - rows[None], axis=2)
    sizes = np.bincount(codes)
    taken: list[int] = []
    while len(taken) < min(k, len(rows)):
        left = [i for i in range(len(rows)) if i not in taken]
        count = np.bincount(codes[taken], minlength=len(sizes))
        g = min({int(codes[i]) for i in left}, key=lambda g: (sizes[g] < SMALL, count[g], -sizes[g], g))
        own = np.flatnonzero(codes == g)
        near = {i: np.sort(apart[i, own[own != i]])[:neighbors].tolist() for i in own.tolist() if i in left}
        mean = {i: sum(d) / max(len(d), 1) for i, d in near.items()}
        taken.append(min(mean, key=lambda i: (mean[i], i)))
    return taken


EXAMPLES = (Typicality(), Typicality("vec2", m=2, neighbors=1, seed=5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of held-out rows the nearest of 10 labelled rows gets right, of 10 clusters of unequal
    sizes with outliers, less that by 10 random rows (mean of 5 draws)."""
    margins = np.empty(15 * scale)
    for i in range(len(margins)):
        y = rng.choice(10, 800, p=np.arange(1, 11) / 55)
        rows = rng.normal(size=(10, 16))[y] + rng.normal(size=(800, 16)) * 0.4
        rows[:40] = rng.normal(size=(40, 16)) * 2
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        pool = Pool.of({"vec": Vectors(rows[:400].astype(np.float32))})
        ours = Typicality(seed=i)(None, bind(pool, (), 10), pool).rows
        sets = [ours, *(rng.choice(400, 10, replace=False) for _ in range(5))]
        right = [float((y[at][(unit[400:] @ unit[at].T).argmax(axis=1)] == y[400:]).mean()) for at in sets]
        margins[i] = right[0] - np.mean(right[1:])
    return margins


CLAIM = Claim(
    paper="Hacohen, Dekel and Weinshall 2022",
    says="with few labels, typical rows of all clusters beat random rows",
    we_show="10 labels by typicality get more held-out rows right by nearest neighbour than 10 at random",
    not_shown="images, deep models and the later rounds of active learning",
    measure=claim,
    margin=0.1,
)
