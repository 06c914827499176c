"""Rank Centrality: strengths as the time a random walk spends on each item when it moves to winners.

    rate from i to j = share of the duels of i and j that j won;  pi Q = 0,  scores = log pi

Source: Negahban, Oh, Shah 2017, arXiv:1209.1688.
Deviates: the stationary distribution is solved for directly (Gauss-Seidel on the rates); the paper's walk
stays where it is with a probability that depends on the largest degree, which does not change the answer.
Cost: some tens of sweeps over the pairs that met.
Memory: 56 bytes a duel.
Guarantee: under Bradley-Terry and with ever more duels of every pair the scores are those strengths; what
is disconnected or undefeated is refused by name.
Use it when a second opinion is wanted that is no likelihood; not when intervals are (BradleyTerry).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.errors import InputError, UsageError
from shortlist.core.judgments import Board, Duels
from shortlist.core.record import Record, must_decide
from shortlist.kernels import duels as kernels
from shortlist.kernels.jit import have_numba

TOL, SWEEPS = 1e-12, 100_000
WAY_OUT = "leave them out, add duels, or use BradleyTerry(prior=0.1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCentrality:
    """Log stationary probabilities, mean 0; prior: wins added to both sides of every pair that met."""

    prior: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.prior < np.inf:
            raise UsageError(f"prior must be 0 or more, found {self.prior}")

    def __call__(self, duels: Duels) -> Board:
        """The board of all items; it states no intervals."""
        r = Record.of(duels)
        record = Record(r.indptr, r.other, r.won + self.prior, r.met + 2 * self.prior)
        must_decide(record, duels.names, WAY_OUT)
        if len(record) < 2:
            return Board.bare(duels.names, np.zeros(len(record)), "log share")
        to = record.won / record.met
        pi = np.full(len(record), 1.0 / len(record))
        run = kernels.balance_sweeps if have_numba() else kernels.balance_sweeps.py_func
        took = run(record.indptr, record.other, to, 1.0 - to, TOL, SWEEPS, pi)
        if took < 0:
            raise InputError(
                f"the walk did not settle in {SWEEPS:,} sweeps", fix="use BradleyTerry(prior=0.1)"
            )
        scores = np.log(pi)
        return Board.bare(duels.names, scores - scores.mean(), "log share")


def exact(duels: Duels) -> F64:
    """log pi f64[n], mean 0: the left null vector of the rates."""
    n = len(duels.names)
    won = np.zeros((n, n))
    np.add.at(won, tuple(duels.pairs.T), duels.weights * duels.wins)
    np.add.at(won, tuple(duels.pairs.T[::-1]), duels.weights * (1 - duels.wins))
    met = won + won.T
    rate = np.divide(won.T, met, out=np.zeros_like(met), where=met > 0)
    rate -= np.diag(rate.sum(axis=1))
    pi = np.abs(np.linalg.svd(rate.T)[2][-1])
    scores: F64 = np.log(pi) - np.log(pi).mean()
    return scores


EXAMPLES = (RankCentrality(), RankCentrality(prior=1.0))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: correlation of scores with true strengths minus that of shares of wins, sparse pairs."""
    margin = np.empty(15 * scale)
    for t in range(len(margin)):
        theta = rng.normal(size=40)
        # Items meet mostly their like, so that shares of wins mislead.
        rank = np.argsort(theta)
        i = rng.integers(0, 40, 6000)
        j = np.clip(i + rng.integers(-5, 6, 6000), 0, 39)
        i, j = rank[i[i != j]], rank[j[i != j]]
        wins = (rng.random(len(i)) < 1 / (1 + np.exp(theta[j] - theta[i]))).astype(np.float64)
        duels = Duels(np.stack([i, j], axis=1), wins, np.ones(len(i)), tuple(map(str, range(40))))
        scores = RankCentrality(prior=0.5)(duels).scores
        record = Record.of(duels)
        share = record.sums(record.won) / record.sums(record.met)
        margin[t] = np.corrcoef(scores, theta)[0, 1] - np.corrcoef(share, theta)[0, 1]
    return margin


CLAIM = Claim(
    paper="Negahban, Oh, Shah 2017",
    says="the walk finds Bradley-Terry strengths from few pairs; shares of wins do not",
    we_show="where items meet mostly their like, scores correlate with true strengths at least 0.03 better "
    "than shares of wins",
    not_shown="the rate of the error in the number of duels",
    measure=claim,
    margin=0.03,
)
