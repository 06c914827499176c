"""A lower bound on how far inputs can be moved before a classifier errs, on average over samples.

    sqrt(pi / 2) * mean of max(0, confidence of the right class - largest confidence of another)

Source: GREAT Score: Global Robustness Evaluation of Adversarial Perturbation using Generative Models 2023,
arXiv:2304.09875 (P233).
Deviates: samples and confidences are given; the paper draws them from a generative model. Its sample size is
for sub-Gaussian numbers; ours is Hoeffding's, for margins in [0, 1].
Guarantee: for confidences that are smoothed by standard normal noise on the input, the score is at most the
mean of the l2 distances to the border of the smoothed classifier; for others it is a number to rank by.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, erf, log, pi, sqrt

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.errors import ContractError, UsageError
from shortlist.measures.intervals import hoeffding

#: The smoothed classifier's confidence changes by at most 1 / SCALE a unit of l2 distance.
SCALE = sqrt(pi / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """score: a mean l2 distance, with an interval that holds whatever the margins are.

    right: share of the samples with a positive margin; samples: how many there were.
    """

    score: float
    low: float
    high: float
    right: float
    samples: int


def great_score(confidences: F64, labels: I64, *, level: float = 0.95) -> Robustness:
    """The score of confidences f64[n, c] in [0, 1] for the right classes i64[n] in [0, c), c >= 2.

    Raises:
        ContractError: a confidence outside [0, 1] or NaN, a class that is not there, no sample.

    >>> round(great_score(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0])).score, 4)
    0.5013
    """
    margin = margins(confidences, labels)
    half = SCALE * hoeffding(len(margin), level=level)
    score = SCALE * float(margin.mean())
    return Robustness(
        score=score,
        low=max(0.0, score - half),
        high=min(SCALE, score + half),
        right=float((margin > 0).mean()),
        samples=len(margin),
    )


def samples_needed(half: float, *, level: float = 0.95) -> int:
    """Samples after which the interval is no wider than `half` on either side.

    >>> samples_needed(0.1)
    290
    """
    if not half > 0:
        raise UsageError(f"half a width must be above 0, found {half}")
    return ceil(SCALE**2 * log(2 / (1 - level)) / (2 * half**2))


def margins(confidences: F64, labels: I64) -> F64:
    """f64[n]: confidence of the right class less the largest other one, 0 where it is not the largest."""
    x = np.asarray(confidences, np.float64)
    if x.ndim != 2 or x.shape[1] < 2 or len(x) == 0 or not ((x >= 0) & (x <= 1)).all():
        raise ContractError("confidences must be f64[n, c] in [0, 1], n >= 1 and c >= 2")
    y = np.asarray(labels)
    if y.shape != x.shape[:1] or y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= x.shape[1]:
        raise ContractError(f"labels must be {len(x)} integers in [0, {x.shape[1]})")
    right = x[np.arange(len(x)), y]
    others = x.copy()
    others[np.arange(len(x)), y] = -np.inf
    out: F64 = np.maximum(right - others.max(axis=1), 0.0)
    return out


def claim(rng: np.random.Generator, scale: int) -> F64:
    """By how much the score lies below the true mean margin of smoothed linear classifiers."""
    out = []
    for _ in range(20 * scale):
        w = rng.normal(size=int(rng.integers(2, 20)))
        x = rng.normal(size=(200, len(w))) * rng.uniform(0.05, 2)
        distance = x @ w / np.linalg.norm(w)
        # Noise moves the input over the border with the chance of a normal beyond the distance.
        sure = np.array([0.5 * (1 + erf(z / sqrt(2))) for z in distance])
        seen = great_score(np.stack([1 - sure, sure], axis=1), np.ones(200, np.int64))
        out.append(float(np.maximum(distance, 0).mean()) - seen.score)
    return np.array(out)


CLAIM = Claim(
    paper="GREAT Score: Global Robustness Evaluation of Adversarial Perturbation (P233)",
    says="the scaled mean confidence margin of a smoothed classifier bounds its l2 robustness from below",
    we_show="for smoothed linear classifiers the score never exceeds the true mean distance to the border",
    not_shown="classifiers that are not smoothed, where the score bounds nothing; generative sampling",
    measure=claim,
    margin=0.0,
)
