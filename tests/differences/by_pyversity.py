"""Ours and pyversity: relevance against repetition, by the scores it reports along its own choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log1p
from typing import Any

import numpy as np
from pyversity import Strategy, diversify

from shortlist.core.signals import Scores, Vectors
from shortlist.methods.objective.feature_based import FeatureBased
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from tests.differences.play import Case, Match, chosen, cosines, drawn, pool_of, valued

#: Causes, told on the page.
ZERO_ROW = "DPP takes a zero row for a direction of its own"
FLAT = "DPP: all directions are taken, and rounding decides"
RIDGE = "DPP: our ridge, where rows are nearly copies"
Rng = np.random.Generator
RELEVANCE = Modular("score", ranks=False)


def asked(rng: Rng) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Rows, scores, diversity and k: 0 and more than n too."""
    x = drawn(rng)
    scores = rng.integers(0, 4, len(x)) if rng.random() < 0.5 else rng.normal(size=len(x))
    diversity = float(rng.choice([0.0, 0.3, 0.5, 0.9, 1.0]))
    return x, scores.astype(np.float32), diversity, int(rng.integers(0, len(x) + 3))


def matched(
    strategy: Strategy, x: np.ndarray, scores: np.ndarray, diversity: float, k: int, ours: tuple[Any, Any]
) -> Match:
    """`ours` has the relevance less its lowest, (1 - diversity) times; the peer's scores are checked too."""
    found = diversify(x, scores, k, strategy=strategy, diversity=diversity)
    order = found.indices.tolist()
    apiece = (1 - diversity) * float(scores.min())
    worth = valued(*ours, 1.0, apiece)

    mine = chosen(*ours, k)
    told = (order, found.selection_scores.tolist()) if diversity else None  # at 0 it gives the bare scores
    return Match(n=len(x), ours=mine, worth=worth, value=None, order=lambda: order, told=told, apiece=apiece)


def pooled(x: np.ndarray, scores: np.ndarray, **more: Any) -> Any:
    return pool_of(x, score=Scores(scores.astype(np.float64)), **more)


def mmr(rng: Rng) -> Match:
    x, scores, diversity, k = asked(rng)
    f = Sum((RELEVANCE, MMR("vec")), weights=((1 - diversity) * float(np.ptp(scores)), diversity))
    return matched(Strategy.MMR, x, scores, diversity, k, (f, pooled(x, scores)))


def msd(rng: Rng) -> Match:
    x, scores, diversity, k = asked(rng)
    f = Sum((RELEVANCE, MaxSumDispersion()), weights=((1 - diversity) * float(np.ptp(scores)), diversity))
    return matched(Strategy.MSD, x, scores, diversity, k, (f, pooled(x, scores)))


def cover(rng: Rng) -> Match:
    """Roots of summed similarities: feature-based coverage where the features are similarities to rows."""
    x, scores, diversity, k = asked(rng)
    near = np.maximum(cosines(x), 0).astype(np.float32)
    whole = float(np.sqrt(near.astype(np.float64).sum(axis=0)).sum())
    weights = ((1 - diversity) * float(np.ptp(scores)), diversity * whole)
    f = Sum((RELEVANCE, FeatureBased("near")), weights=weights)
    return matched(Strategy.COVER, x, scores, diversity, k, (f, pooled(x, scores, near=Vectors(near))))


def dpp(rng: Rng) -> Match:
    """The determinant of q_i q_j cos(i, j), q = exp((1 - diversity) z), z the standardised scores."""
    x, scores, _, k = asked(rng)
    diversity = float(rng.choice([0.3, 0.5, 0.9, 1.0]))
    n, std = len(x), float(scores.std()) + float(np.finfo(np.float32).eps)
    z = (scores - scores.mean()) / std
    log_q, c = (1 - diversity) * z.astype(np.float64), cosines(x)
    volume = LogDet("vec", ridge=1e-3)
    weights = (2 * (1 - diversity) * float(np.ptp(scores)) / std, log1p(1 / volume.ridge))
    ours = (Sum((RELEVANCE, volume), weights=weights), pooled(x, scores))
    order = diversify(x, scores, k, strategy=Strategy.DPP, diversity=diversity).indices.tolist()
    real = c + np.diag(np.where(np.diag(c) > 0, 0.0, 1.0))  # a zero row as it takes it

    def residual(rows: Sequence[int], j: int, kernel: np.ndarray) -> float:
        """What of row j the rows do not span."""
        part = kernel[np.ix_(rows, rows)]
        return float(kernel[j, j] - kernel[j, rows] @ np.linalg.pinv(part, rcond=1e-6) @ kernel[rows, j])

    def why(rows: list[int], pick: int | None) -> str:
        if pick is None or pick in rows:
            return "?"
        left = [j for j in range(n) if j not in rows]
        spans = {j: residual(rows, j, real) for j in left}
        gain = {j: spans[j] * np.exp(2 * log_q[j]) for j in left}
        if max(gain.values()) < 1e-4 or (spans[pick] < 1e-4 and max(spans.values()) < 1e-4):
            return FLAT
        if gain[pick] < max(gain.values()) * (1 - 1e-3):
            return "?"
        return ZERO_ROW if c[pick, pick] == 0 or any(c[j, j] == 0 for j in rows) else RIDGE

    return Match(
        n=n, ours=chosen(*ours, k), worth=valued(*ours, 1.0), value=None, order=lambda: order, why=why
    )


FUNCTIONS: dict[str, Callable[[Rng], Match]] = {"MMR": mmr, "MSD": msd, "COVER": cover, "DPP": dpp}
CASES = tuple(Case(f"pyversity {name}", f) for name, f in FUNCTIONS.items())
