"""A 2-d map of vectors for the eye: principal axes, then a neighbour embedding that pulls clusters apart.

Damrich, Boehm, Hamprecht and Kobak, "From t-SNE to UMAP with contrastive learning", 2023 (arXiv 2206.01816):
negative sampling with the Cauchy kernel, q = 1 / (1 + |a - b|^2), loss -log(q / (q + 1)) for neighbours and
-log(1 / (q + 1)) for random pairs.
Deviates: all points move at once, by a normalised and clipped step, so that the answer needs no compiled loop
and does not depend on an order of edges; the start is the principal axes, so far things stay roughly where
the data put them.
Cost: n^2 d for the neighbours and 200 n (15 + 8) for the moves; about a second at n = 3,000.
Memory: 4 n 500 bytes for a tile of products; never n^2.
"""

from __future__ import annotations

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.errors import ContractError
from shortlist.core.seeds import generator

#: More points than this neither fit the time of a report nor can be told apart on a screen.
MOST = 3000
NEIGHBORS = 15
AGAINST = 8
EPOCHS = 200
#: Weight of the random pairs. 5 draws clusters to points, 150 blurs them; measured by neighbours kept.
PUSH = 80.0
TILE = 500


def project(vectors: F32, *, seed: int = 0) -> tuple[F64, str]:
    """Places for vectors, deterministic in (vectors, seed).

    Args:
        vectors: f32[n, d], n <= 3,000; compared by direction (cosine), as the objectives compare them.
        seed: of the random pairs.

    Returns:
        f64[n, 2] in [0, 1] with the aspect ratio kept, and a sentence that says how they were found.

    Raises:
        ContractError: too many points, or not a matrix.

    Source: Damrich et al. 2023, sec. 3 (negative sampling).
    """
    if vectors.ndim != 2 or len(vectors) > MOST:
        raise ContractError(f"a map takes f32[n, d] with n <= {MOST}, found {vectors.shape}")
    x = _directions(vectors)
    y, share = principal(x)
    if len(x) <= NEIGHBORS or x.shape[1] <= 2:
        return _unit_square(y), f"two principal axes ({share:.0%} of the variance)"
    y = _embed(y, neighbors(x, NEIGHBORS), seed)
    return _unit_square(y), (
        f"neighbour embedding ({NEIGHBORS} nearest by cosine, started from two principal axes, seed {seed}); "
        "near points are alike, distances between far groups mean little"
    )


def principal(x: F32) -> tuple[F64, float]:
    """The two principal axes of f32[n, d]: coordinates f64[n, 2] and the share of variance they hold.

    Signs are fixed: the largest loading of an axis is positive.
    """
    n, d = x.shape
    if n == 0 or d == 0:
        return np.zeros((n, 2)), 0.0
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    scatter = centred.T @ centred if d <= n else centred @ centred.T
    values, axes = np.linalg.eigh(scatter)
    values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1][:, :2]
    y = centred @ axes if d <= n else axes * np.sqrt(values[:2])
    if y.shape[1] < 2:
        y = np.column_stack([y, np.zeros(n)])
    heavy = y[np.abs(y).argmax(axis=0), [0, 1]]
    total = float(values.sum())
    return y * np.where(heavy < 0, -1.0, 1.0), float(values[:2].sum()) / total if total > 0 else 0.0


def neighbors(x: F32, m: int) -> I64:
    """The m nearest others of each row by inner product: f32[n, d] -> i64[n, m], in no order. m < n."""
    n = len(x)
    out = np.empty((n, m), np.int64)
    for a in range(0, n, TILE):
        b = min(a + TILE, n)
        near = x[a:b] @ x.T
        near[np.arange(b - a), np.arange(a, b)] = -np.inf
        out[a:b] = np.argpartition(near, n - m, axis=1)[:, n - m :]
    return out


def _embed(start: F64, near: I64, seed: int) -> F64:
    n = len(start)
    rng = generator(seed, "report", "layout")
    spread = start.std(axis=0).max()
    y = start * (10.0 / spread) if spread > 0 else np.zeros_like(start)
    x = np.ascontiguousarray((y + rng.normal(0.0, 0.1, y.shape)).T)  # f64[2, n]; twins must be able to part
    # The step shrinks; attraction leads at first, which gathers clusters before they settle.
    for epoch in range(EPOCHS):
        t = epoch / EPOCHS
        move = _pull(x, near) * (3.0 if t < 0.25 else 1.0) + _push(x, rng.integers(n, size=(n, AGAINST)))
        length = np.sqrt(move[0] ** 2 + move[1] ** 2)
        x = x + move * (np.minimum(1.0, 4.0 / np.maximum(length, 1e-12)) * (1.0 - t))
    return x.T


def _pull(x: F64, near: I64) -> F64:
    """Descent direction of the neighbours' loss, log(2 + |a - b|^2), halved, for both ends. f64[2, n]."""
    n, m = near.shape
    gap = [c[near] - c[:, None] for c in x]
    weight = 1.0 / (2.0 + gap[0] ** 2 + gap[1] ** 2)
    ends = near.ravel()
    force = [g * weight for g in gap]
    out: F64 = np.stack([f.sum(axis=1) - np.bincount(ends, f.ravel(), n) for f in force]) / m
    return out


def _push(x: F64, other: I64) -> F64:
    """Descent direction of the random pairs' loss, log((2 + |a - b|^2) / (1 + |a - b|^2)), halved."""
    gap = [c[:, None] - c[other] for c in x]
    square = gap[0] ** 2 + gap[1] ** 2
    weight = 1.0 / ((1.0 + square) * (2.0 + square))
    out: F64 = PUSH * np.stack([(g * weight).mean(axis=1) for g in gap])
    return out


def _directions(vectors: F32) -> F32:
    """Rows at length 1; a zero row stays zero. Largest entry first scaled to 1: squares must not overflow."""
    x = vectors.astype(np.float64)
    x /= np.maximum(np.abs(x).max(axis=1, keepdims=True, initial=0.0), 1e-300)
    length = np.sqrt((x * x).sum(axis=1, keepdims=True))
    return (x / np.where(length > 0, length, 1.0)).astype(np.float32)


def _unit_square(y: F64) -> F64:
    """Into [0, 1] by one scale for both axes, centred. A few far points may not squeeze the rest: they are
    held at three times the range of the middle 98%."""
    if len(y) == 0:
        return y
    low, high = np.quantile(y, [0.01, 0.99], axis=0)
    reach = np.maximum(high - low, 1e-12)
    y = np.clip(y, low - reach, high + reach)
    low, high = y.min(axis=0), y.max(axis=0)
    side = float((high - low).max())
    if side <= 1e-9:
        return np.full_like(y, 0.5)
    out: F64 = (y - (low + high) / 2.0) / side + 0.5
    return out
