"""ScoreFirst: the best scores in turn, each only if no row taken before is too much like it.

    take rows by score; pass over x where max over taken s of cos(x, s) >= threshold

Source: Liu et al. 2024, What makes good data for alignment (DEITA), arXiv:2312.15685, sec. 3 and algorithm 1.
Deviates: the score is one signal (theirs is complexity times quality). Where the rows that are new enough do
    not fill the choice, the others follow by score; theirs ends there. A row that limits turn away makes no
    other row too much alike. Rows shown before count as taken.
Cost: 2 d operations for each pair of a row looked at and one taken: n k d at most.
Memory: 4 k d bytes, blocks of 1,024 rows by k.
Guarantee: under a size alone the choice by the rule above, cosines rounded in float32; ties of score by
position.
Use it when: the score is trusted and near-copies are what spoils the best of it. Not when: rows must stand
    for the rest of the pool (FacilityLocation), or the score and the coverage are to be traded (Sum).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.cosine import Directions
from shortlist.core.errors import UsageError
from shortlist.core.fill import told
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Vectors
from shortlist.core.topped import topped

#: Rows looked at together.
BLOCK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFirst:
    """The best that differ; the objective, if there is one, only says what it gained.

    Args:
        of: a Scores signal.
        by: a Vectors signal; a zero row is like nothing.
        threshold: a cosine in (0, 1] from which rows are too much alike.
    """

    of: str = field(default="score", kw_only=False)
    by: str = "vec"
    threshold: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise UsageError(f"ScoreFirst: threshold must lie in (0, 1], found {self.threshold}")

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows."""
        score = pool.signal(self.of, Scores).utility()
        x = Directions.of(pool.signal(self.by, Vectors).values.view(np.ndarray))

        def draw(there: I64, left: I64, m: int) -> I64:
            order = left[np.argsort(-score[left], kind="stable")]
            fresh = differing(x, there, order, m, self.threshold - 1e-6)
            return fresh if len(fresh) else order[:m]

        return told(built, limits, pool, topped(limits, len(pool), draw))


def differing(x: Directions, there: I64, order: I64, m: int, threshold: float) -> I64:
    """i64[<= m]: of rows in this order those with no cosine >= threshold to one there or taken before."""
    taken = np.empty((len(there) + m, x.values.shape[1]), np.float32)
    taken[: len(there)] = x.unit(there)
    found: list[int] = []
    for a in range(0, len(order), BLOCK):
        rows = x.unit(order[a : a + BLOCK])
        old = len(there) + len(found)
        free = np.flatnonzero((rows @ taken[:old].T).max(axis=1, initial=-1.0) < threshold)
        alike = rows[free] @ rows[free].T >= threshold
        shut = np.zeros(len(free), bool)
        for i in range(len(free)):
            if not shut[i] and len(found) < m:
                taken[len(there) + len(found)] = rows[free[i]]
                found.append(int(order[a + free[i]]))
                shut |= alike[i]
        if len(found) == m:
            break
    return np.array(found, np.int64)


def exact(rows: F32, score: F64, k: int, threshold: float) -> list[int]:
    """At most k rows of f32[n, d] by the rule, in double precision."""
    unit = rows / np.maximum(np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True), 1e-300)
    taken: list[int] = []
    for i in np.argsort(-score, kind="stable").tolist():
        if len(taken) < k and all(unit[i] @ unit[j] < threshold - 1e-6 for j in taken):
            taken.append(i)
    return taken


EXAMPLES = (ScoreFirst(), ScoreFirst("quality", by="vec2", threshold=0.5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: different things among 20 of 200 rows, each there ten times at about one score, as a share of
    those among the top 20 by score, less 2."""
    margins = np.empty(20 * scale)
    for i in range(len(margins)):
        kind = np.repeat(np.arange(20), 10)
        rows = rng.normal(size=(20, 24))[kind] + rng.normal(size=(200, 24)) * 0.05
        score = rng.normal(size=20)[kind] + rng.normal(size=200) * 0.05
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "score": Scores(score)})
        ours = ScoreFirst()(None, bind(pool, (), 20), pool).rows
        margins[i] = len(set(kind[ours])) / len(set(kind[np.argsort(-score)[:20]])) - 2
    return margins


CLAIM = Claim(
    paper="Liu et al. 2024",
    says="taking by score and passing over near-copies gives diverse rows at a high score",
    we_show="of rows that are each there ten times it takes all where the top by score takes few",
    not_shown="instruction tuning on the rows",
    measure=claim,
    margin=0.0,
)
