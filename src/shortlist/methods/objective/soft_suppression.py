"""Soft-NMS: the best score first; the scores of rows like it are lowered, not struck out, again and again.

    gain of x after S = score(x) times the product over s in S of decay(max(0, cos(x, s))),
    decay(o) = 1 - o where o >= threshold, else 1 (linear); or exp(-o^2 / sigma) (Gaussian)

Source: Bodla, Singh, Chellappa & Davis 2017, "Soft-NMS -- Improving Object Detection With One Line of Code",
ICCV, arXiv:1704.04503, sec. 3 (their overlap is `o`, their N_t `threshold`).
Deviates: any rows with vectors instead of boxes, cosine instead of overlap. Scores are brought to [0, 1] as
    `Modular` does: by midranks, or by their range with `ranks=False`, which leaves scores from 0 to 1 as they
    are. Their output is all rows with their final scores: ours are the gains in order of choice.
Cost: O(d) a row and chosen row, paid only for rows a solver asks for: O(n k d) under plain greedy.
Memory: 24 n bytes and 4 k d for the chosen vectors; never n x n, never n x k.
Guarantee: none for the total. Not a set function: what a row counts for depends on those before it, so
    `value` reads `at` as the order of choice. Gains only fall, so lazy solvers are right about it; `monotone`
    says no, because bounds that solvers take from it hold of set functions alone.
Use it when: a score decides and near-copies of what was taken should step back in proportion.
Not when: scores are of no use (MaxMinDispersion), or copies must be gone for good (a Deduper).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Vectors
from shortlist.methods.objective.modular import by_range, midranks


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftSuppression:
    """Scores that step back before what is like a chosen row.

    Args:
        of: a Scores signal, whose direction is respected.
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        threshold: in [0, 1]; the linear decay leaves rows alone whose cosine is below it.
        sigma: None decays linearly; a number > 0 decays every row by exp(-cos^2 / sigma), whatever the
            threshold. Near 0 that is hard suppression of all that has a cosine above 0.
        ranks: True brings scores to [0, 1] by the share of rows beaten, False by the place in their range.
    """

    of: str = field(default="score", kw_only=False)
    by: str = "vec"
    threshold: float = 0.3
    sigma: float | None = None
    ranks: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise UsageError(f"SoftSuppression: threshold must be in [0, 1], found {self.threshold!r}")
        if self.sigma is not None and not 0 < self.sigma < np.inf:
            raise UsageError(f"SoftSuppression: sigma must be None or finite and > 0, found {self.sigma!r}")

    @property
    def terms(self) -> tuple[str, ...]:
        """The name of the score."""
        return (self.of,)

    def need(self, pool: Pool, k: int) -> Need:
        """The scores, two states, the chosen vectors, and each row against each chosen row at worst."""
        n, d = pool.signal(self.by, Vectors).values.shape
        return Need(bytes=84.0 * n + 4.0 * k * d, flops=2.0 * n * k * d)

    def build(self, pool: Pool) -> Plan[BuiltSoft]:
        """Norms of the vectors and scaled scores of this pool."""
        yield from ()
        score = self.scaled(pool)
        rows = Directions.of(pool.signal(self.by, Vectors).values)
        return BuiltSoft(rows, score, self.threshold, self.sigma, self.terms)

    def scaled(self, pool: Pool) -> F64:
        """f64[n]: the scores in [0, 1]."""
        utility = pool.signal(self.of, Scores).utility()
        return midranks(utility) if self.ranks else by_range(utility)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, for rows chosen in this order."""
        rows = pool.signal(self.by, Vectors).values[at]
        return exact(rows, self.scaled(pool)[at], self.threshold, self.sigma)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltSoft:
    """Bound to n rows with their scores f64[n]. State: the share of its score each row has left, caught up
    when asked."""

    rows: Directions
    score: F64
    threshold: float
    sigma: float | None
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def start(self) -> Met:
        """All of it."""
        return Met.nothing(np.ones(len(self.rows)))

    def gains(self, state: Met, at: I64) -> F64:
        """f64[b, 1] >= 0: the scores as they are now."""
        decay = partial(decayed, threshold=self.threshold, sigma=self.sigma)
        return (self.score[at] * state.fold(self.rows, at, np.multiply, decay))[:, None]

    def add(self, state: Met, at: int) -> Met:
        """One more row to step back from."""
        return state.and_then(self.rows.unit(np.array([at]))[0])


def decayed(x: F32 | F64, threshold: float, sigma: float | None) -> F64:
    """f64, in [0, 1]: what a cosine leaves of a score."""
    o = np.minimum(np.maximum(x, 0.0, dtype=np.float64), 1.0)
    if sigma is None:
        left: F64 = 1.0 - o
        left[o < threshold] = 1.0
        return left
    gaussian: F64 = np.exp(-o * o / sigma)
    return gaussian


def exact(chosen: F32, score: F64, threshold: float, sigma: float | None) -> F64:
    """f64[1]: for rows f32[k, d] in order, each score times the decays by all rows before it."""
    x = chosen.astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    x = x / np.where(norm > 0, norm, 1.0)
    # cosines as float32, which they are where they are compared with the threshold
    cosines = (x @ x.T).astype(np.float32)
    total = 0.0
    for i in range(len(x)):
        total += float(score[i] * np.prod(decayed(cosines[i, :i], threshold, sigma)))
    return np.array([total])


EXAMPLES = (
    SoftSuppression(),
    SoftSuppression("quality", by="vec2", sigma=0.5, ranks=False),
    SoftSuppression("score", by="vec2", threshold=0.95, ranks=False),
)


def hard(rows: F32, score: F64, threshold: float) -> I64:
    """i64[m]: what plain suppression keeps, best first: rows whose cosine with all kept before is below."""
    x = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    kept: list[int] = []
    for i in np.argsort(-score, kind="stable").tolist():
        if all(float(x[i] @ x[j]) < threshold for j in kept):
            kept.append(i)
    return np.array(kept, np.int64)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of 10 planted rows, in overlapping pairs, among the first 10; less that of hard NMS."""
    margins = np.empty(20 * scale)
    for i in range(len(margins)):
        subject = rng.normal(size=(5, 24)).repeat(2, axis=0)
        planted = subject / np.linalg.norm(subject, axis=1, keepdims=True) + rng.normal(size=(10, 24)) * 0.13
        noise = rng.normal(size=(60, 24))
        rows = np.concatenate([planted, noise]).astype(np.float32)
        score = np.concatenate([rng.uniform(0.8, 1.0, 10), rng.uniform(0.0, 0.15, 60)])
        score[[0, -1]] = 1.0, 0.0
        pool = Pool.of({"vec": Vectors(rows), "score": Scores(score)})
        soft = SoftSuppression(ranks=False, threshold=0.5, sigma=None)
        ours = climb(alone(soft.build(pool)), 10)
        margins[i] = (ours < 10).mean() - (hard(rows, score, 0.5)[:10] < 10).mean()
    return margins


CLAIM = Claim(
    paper="Bodla, Singh, Chellappa & Davis 2017",
    says="true rows that overlap are kept where hard suppression loses them",
    we_show="more of ten good rows in overlapping pairs are among the first ten than hard suppression has",
    not_shown="mean average precision of detectors on COCO and PASCAL VOC",
    measure=claim,
    margin=0.4,
)
