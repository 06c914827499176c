"""Elo: ratings moved a little by every duel, in the order in which the duels stand.

    r_i <- r_i + k w (y - 1 / (1 + 10^((r_j - r_i) / 400))),  r_j the other way; all start at 1000

Source: Elo 1978, The Rating of Chessplayers, sec. 1.5; https://en.wikipedia.org/wiki/Elo_rating_system
Deviates: intervals, which Elo has none of: the spread over `draws` bootstrap samples of the duels, each in
an order of its own, so that the chance of the order is in them.
Cost: one pass over the duels, and one for every draw.
Memory: 8 bytes a duel, `draws` ratings an item.
Guarantee: none about strengths; ratings add up to 1000 an item, and the last duels count most.
Use it when strengths drift and the order of duels is their time; not when it means nothing (BradleyTerry).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.errors import UsageError
from shortlist.core.judgments import Board, Duels
from shortlist.core.seeds import generator
from shortlist.core.standing import board
from shortlist.kernels import duels as kernels
from shortlist.kernels.jit import have_numba

START, SCALE = 1000.0, 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Elo:
    """Ratings in points.

    Args:
        k: points that one duel can move.
        draws: bootstrap samples behind the intervals, at least 2; 0 states none.
        level: of intervals and of the set tied with the first.
        seed: of the samples.
    """

    k: float = 4.0
    draws: int = 100
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.k < np.inf:
            raise UsageError(f"k must be above 0, found {self.k}")
        if self.draws < 0 or self.draws == 1:
            raise UsageError(f"draws must be 0 or at least 2, found {self.draws}")
        if not 0 < self.level < 1:
            raise UsageError(f"level must lie between 0 and 1, found {self.level}")

    def __call__(self, duels: Duels) -> Board:
        """The board of all items."""
        m, n = len(duels), len(duels.names)
        rating = rated(duels, np.arange(m), self.k)
        if self.draws == 0 or m == 0:
            return Board.bare(duels.names, rating, "Elo points")
        rng = generator(self.seed, "elo")
        drawn = np.empty((self.draws, n))
        for row in drawn:
            row[:] = rated(duels, rng.integers(0, m, m), self.k)
        drawn -= drawn.mean(axis=0)
        beside = drawn.T @ drawn[:, int(np.argmax(rating))] / (self.draws - 1)
        variance = (drawn**2).sum(axis=0) / (self.draws - 1)
        error = 1 / np.sqrt(2 * (self.draws - 1))
        return board(duels.names, rating, variance, beside, self.level, "Elo points", float(error))


def rated(duels: Duels, order: I64, k: float) -> F64:
    """Ratings f64[n] after the duels at positions i64[b], one after the other."""
    rating = np.full(len(duels.names), START)
    run = kernels.elo_run if have_numba() else kernels.elo_run.py_func
    run(duels.pairs, duels.wins, duels.weights, order, k, SCALE, rating)
    return rating


def exact(duels: Duels, k: float) -> F64:
    """f64[n]: the formula, duel by duel."""
    rating = [START] * len(duels.names)
    for (i, j), y, w in zip(duels.pairs.tolist(), duels.wins, duels.weights, strict=True):
        moved = k * w * (y - 1 / (1 + 10 ** ((rating[j] - rating[i]) / SCALE)))
        rating[i], rating[j] = rating[i] + moved, rating[j] - moved
    return np.array(rating)


EXAMPLES = (Elo(), Elo(k=32.0, draws=0))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: probability of the better of two by rating minus the truth, turned to an error and negated."""
    margin = np.empty(20 * scale)
    for t in range(len(margin)):
        points = rng.normal(size=12) * 150
        pairs = rng.integers(0, 12, (6000, 2))
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        truth = 1 / (1 + 10 ** ((points[pairs[:, 1]] - points[pairs[:, 0]]) / SCALE))
        wins = (rng.random(len(pairs)) < truth).astype(np.float64)
        rating = rated(
            Duels(pairs, wins, np.ones(len(pairs)), tuple("abcdefghijkl")), np.arange(len(pairs)), 8
        )
        said = 1 / (1 + 10 ** ((rating[pairs[:, 1]] - rating[pairs[:, 0]]) / SCALE))
        margin[t] = -np.mean(np.abs(said - truth))
    return margin


CLAIM = Claim(
    paper="Elo 1978",
    says="ratings foretell results by the logistic curve of their difference",
    we_show="after 6,000 duels of 12 items that follow the curve, foretold probabilities are within 0.06",
    not_shown="strengths that drift, where Elo is at home",
    measure=claim,
    margin=-0.06,
)
