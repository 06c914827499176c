"""Ours and scikit-learn: k-means from the same start, and the nearest neighbours of every row."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans as Theirs
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from shortlist.core.clusters import exact_codes, lloyd, points
from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.cluster.k_means import KMeans
from shortlist.methods.graph.knn import KNN
from tests.differences.play import SAME, TIE, Seen, drawn

#: Causes, told on the page.
EMPTY = "a centre lost its rows"
TIED = "a row is as near to two centres"
LUCK = "starts drawn apart"
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Clustered:
    """A comparison that gives (what, verdict) pairs."""

    name: str
    draw: Callable[[Rng], Iterator[tuple[str, str]]]

    def seen(self, seed: int) -> Iterator[Seen]:
        """The verdicts of one pool."""
        for what, verdict in self.draw(np.random.default_rng(seed)):
            yield Seen(self.name, what, verdict)


def rows_of(rng: Rng) -> np.ndarray:
    """Few rows of few values, or a cloud of some hundred."""
    if rng.random() < 0.5:
        return drawn(rng, least=5)
    x = rng.normal(size=(8, 5))[rng.integers(0, 8, 200)] + rng.normal(size=(200, 5)) * 0.4
    return x.astype(np.float32)


def same_start(rng: Rng) -> Iterator[tuple[str, str]]:
    """Lloyd's passes from centres that are given: inertia after each of the first, and at the end."""
    x = rows_of(rng)
    m = int(rng.integers(1, min(len(x), 9)))
    start = x[rng.choice(len(x), m, replace=False)]
    pool = Pool.of({"vec": Vectors(x)})
    for passes in (1, 2, 50):
        centres = alone(lloyd(points(pool, "vec", False), start.copy(), passes, False), pool)
        ours = float(exact_codes(x, centres)[1].sum())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit = Theirs(m, init=start, n_init=1, max_iter=passes, tol=0, algorithm="lloyd").fit(x)
        theirs = float(exact_codes(x, fit.cluster_centers_.astype(np.float32))[1].sum())
        what = f"inertia after {passes}"
        close = abs(ours - theirs) <= 1e-4 * max(1.0, ours)
        yield what, SAME if close else reason(x, start, passes)


def reason(x: np.ndarray, start: np.ndarray, passes: int) -> str:
    """Lloyd's passes again, in the open: did a centre lose its rows, or a row have two nearest centres?"""
    centres = start.astype(np.float64)
    for _ in range(passes + 1):
        far = ((x[:, None].astype(np.float64) - centres) ** 2).sum(axis=2)
        codes = far.argmin(axis=1)
        if len(np.unique(codes)) < len(centres):
            return EMPTY
        order = np.sort(far, axis=1)
        if len(centres) > 1 and (order[:, 1] - order[:, 0]).min() < 1e-6:
            return TIED
        centres = np.array([x[codes == c].astype(np.float64).mean(axis=0) for c in range(len(centres))])
    return "?"


def own_start(rng: Rng) -> Iterator[tuple[str, str]]:
    """Each with its own start, five times: the medians."""
    x = rng.normal(size=(12, 6))[rng.integers(0, 12, 300)] + rng.normal(size=(300, 6)) * 0.5
    x, seeds = x.astype(np.float32), rng.integers(0, 1000, 5).tolist()
    pool = Pool.of({"vec": Vectors(x)})
    ours = [alone(KMeans(m=12, passes=50, spherical=False, seed=s).steps(pool), pool).inertia for s in seeds]
    theirs = [Theirs(12, n_init=1, max_iter=50, tol=0, random_state=s).fit(x).inertia_ for s in seeds]
    ratio = float(np.median(ours) / np.median(theirs))
    yield "median inertia of five", SAME if abs(ratio - 1) < 0.01 else LUCK if 0.7 < ratio < 1.4 else "?"


def neighbours(rng: Rng) -> Iterator[tuple[str, str]]:
    """Exact nearest rows by cosine: the similarities, whoever of equals is named."""
    x = rows_of(rng)
    x = x[np.linalg.norm(x, axis=1) > 0]
    b = int(rng.integers(1, 6))
    if len(x) <= b + 1:
        return
    pool = Pool.of({"vec": Vectors(x)})
    graph = alone(KNN(neighbors=b).steps(pool), pool)
    far, at = NearestNeighbors(n_neighbors=b, metric="cosine", algorithm="brute").fit(x).kneighbors()
    for i in range(len(x)):
        mine = slice(*graph.indptr[i : i + 2])
        theirs = np.sort(1 - far[i])[::-1]
        kept = theirs[theirs > 1e-6]  # a graph has no pair of cosine 0 or less
        ours = np.sort(graph.data[mine])[::-1]
        alike = len(kept) == len(ours) and np.allclose(kept, ours, atol=1e-5)
        named = set(graph.indices[mine].tolist()) == set(at[i][1 - far[i] > 1e-6].tolist())
        yield "neighbours", SAME if alike and named else TIE if alike else "?"


CASES = (
    Clustered("scikit-learn, k-means from one start", same_start),
    Clustered("scikit-learn, k-means++ of each", own_start),
    Clustered("scikit-learn, nearest neighbours", neighbours),
)
