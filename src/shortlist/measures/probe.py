"""A cheap probe: how well a linear classifier, trained on some rows, names the groups of others.

Ridge regression on one-hot groups, one against the rest, in closed form (Hoerl & Kennard 1970,
doi:10.1080/00401706.1970.10488634). Groups weigh alike in training and in the score, so that the largest
one cannot win by itself. Deviates: the ridge is a share p / (p + k) of the mean variance (p features, k
rows), blended in rather than added: few rows are shrunk much, many little, and nothing is tuned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I32, I64
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.measures.nearest import BLOCK, unit


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Probe:
    """Trained on the chosen rows, scored on all others. `axes`: principal axes of `by` kept as features."""

    label: str = field(default="label", kw_only=False)
    by: str = "vec"
    axes: int = 64

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"balanced accuracy of a probe for {self.label}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, 1]; NaN where no row is left to score."""
        labels = pool.signal(self.label, Labels)
        rest = np.delete(np.arange(len(pool), dtype=np.int64), at)
        if len(rest) == 0:
            return float("nan")
        x = axes(pool.signal(self.by, Vectors), self.axes)
        kept = np.sort(at)
        guess = predict(x[kept], labels.codes[kept], x[rest], len(labels.names))
        weight = balance(labels.codes[rest], len(labels.names))
        return float(np.sum(weight * (guess == labels.codes[rest])))


def axes(vectors: Vectors, most: int) -> F64:
    """f64[n, p]: unit rows on their p = min(most, d) principal axes, largest variance first."""
    n, d = vectors.values.shape
    mean, second = np.zeros(d), np.zeros((d, d))
    for a in range(0, n, BLOCK):
        block = unit(vectors.values[a : a + BLOCK]).astype(np.float64)
        mean += block.sum(axis=0)
        second += block.T @ block
    mean /= max(n, 1)
    _, basis = np.linalg.eigh(second / max(n, 1) - np.outer(mean, mean))
    basis = basis[:, ::-1][:, :most]
    out = np.empty((n, basis.shape[1]))
    for a in range(0, n, BLOCK):
        out[a : a + BLOCK] = (unit(vectors.values[a : a + BLOCK]) - mean) @ basis
    return out


def predict(train: F64, codes: I32, test: F64, groups: int) -> I64:
    """i64[t]: group guessed for rows f64[t, p] by a probe trained on rows f64[k, p] of groups i32[k].

    Groups with no row in training are never guessed; with no row at all the guess is -1.
    """
    if len(codes) == 0:
        return np.full(len(test), -1)
    weight = balance(codes, groups)
    centre = weight @ train
    z = train - centre
    aim = np.zeros((len(codes), groups))
    aim[np.arange(len(codes)), codes] = 1.0
    share = weight @ aim
    p = z.shape[1]
    blend = p / (p + len(codes))
    weighed = (z * weight[:, None]).T
    spread = weighed @ z
    ridge = blend * np.trace(spread) / p
    scores = np.zeros((len(test), groups))
    if ridge > 0:
        slopes = np.linalg.solve((1 - blend) * spread + ridge * np.eye(p), weighed @ (aim - share))
        scores = test @ slopes
        scores += share - centre @ slopes
    else:
        scores += share
    scores[:, share == 0] = -np.inf
    guess: I64 = scores.argmax(axis=1)
    return guess


def balance(codes: I32, groups: int) -> F64:
    """f64[m] summing to 1: each group that is there weighs alike, its rows alike within it."""
    count = np.bincount(codes, minlength=groups)
    weight: F64 = 1.0 / (np.maximum(count, 1)[codes] * max(int((count > 0).sum()), 1))
    return weight
