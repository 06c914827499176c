"""Similarity vote: the answer most like all the others, where no two answers are the same.

    score_i = mean over j != i of cos(i, j)

Source: Li, Zhang, Yu, Fu, Ye 2024, arXiv:2402.05120.
Deviates: the cosine of vectors, or of counts of runs of 1 to 4 words, in place of sentence BLEU: it is
symmetric, and the sum over all others is one product with the sum of all.
Cost: linear in vectors or words; no pair is ever formed.
Memory: the runs of words of all answers, or one copy of the vectors.
Guarantee: the largest mean similarity up to rounding; ties go to the first.
Use it when answers are free text; not when they are short and can be equal (MajorityVote).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from shortlist.core.answers import normal
from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.judgments import Pick
from shortlist.core.pool import Pool
from shortlist.core.signals import Text, Vectors

#: Longest run of words.
RUN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityVote:
    """All rows by their mean similarity to the others; `by` names vectors or text."""

    by: str = field(default="vec", kw_only=False)

    def __call__(self, pool: Pool) -> Pick:
        """The most central answer first; one alone scores 0."""
        signal = pool.columns.get(self.by)
        n = len(pool)
        if isinstance(signal, Text):
            total = _words([signal[i] for i in range(n)])
        else:
            x = _unit(pool.signal(self.by, Vectors).values.astype(np.float64))
            total = (x * x.sum(axis=0)).sum(axis=1) - (x * x).sum(axis=1)
        # Equal answers must score alike to the last bit: sums differ by the order of rows.
        return Pick.ranked(pool.rows, np.round(total / max(n - 1, 1), 12) + 0.0)


def _unit(x: F64) -> F64:
    largest = np.abs(x).max(axis=1, initial=0.0, keepdims=True)
    x = np.divide(x, largest, out=np.zeros_like(x), where=largest > 0)
    size = np.sqrt((x * x).sum(axis=1, keepdims=True))
    unit: F64 = np.divide(x, size, out=np.zeros_like(x), where=size > 0)
    return unit


def _runs(answer: str) -> Counter[tuple[str, ...]]:
    words = normal(answer).split()
    return Counter(tuple(words[i : i + k]) for k in range(1, RUN + 1) for i in range(len(words) - k + 1))


def _words(answers: list[str]) -> F64:
    counts = [_runs(a) for a in answers]
    sizes = [sqrt(sum(c * c for c in of.values())) for of in counts]
    whole: dict[tuple[str, ...], float] = {}
    for of, size in zip(counts, sizes, strict=True):
        for run, c in of.items():
            whole[run] = whole.get(run, 0.0) + c / size
    each = [
        sum(c / size * whole[run] for run, c in of.items()) - 1.0 if of else 0.0
        for of, size in zip(counts, sizes, strict=True)
    ]
    return np.array(each, np.float64)


def exact(x: F64) -> F64:
    """f64[n]: the definition, pair by pair, for vectors f64[n, d]."""
    n = len(x)
    cosine = np.array(
        [[float(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b) or 1.0) for b in x] for a in x]
    ).reshape(n, n)
    mean: F64 = (cosine.sum(axis=1) - np.diagonal(cosine)) / max(n - 1, 1)
    return mean


EXAMPLES = (SimilarityVote(), SimilarityVote("text"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: whether the pick is a right answer minus the share of right ones (0.4; others scatter)."""
    margin = np.empty(60 * scale)
    for t in range(len(margin)):
        right = rng.random(15) < 0.4
        x = rng.normal(size=(15, 16)) + np.outer(right, rng.normal(size=16) * 1.5)
        pick = SimilarityVote()(Pool.of({"vec": Vectors(x.astype(np.float32))}))
        margin[t] = float(right[pick.rows[0]]) - right.mean()
    return margin


CLAIM = Claim(
    paper="P494, More Agents Is All You Need",
    says="of free answers the one most similar to the others is right more often than one drawn at random",
    we_show="at least 0.4 more often, where right answers are near each other and wrong ones scatter",
    not_shown="sentence BLEU, and language models",
    measure=claim,
    margin=0.4,
)
