"""Laws of rankings from duels: names and their order, sides and their order, decide nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import Generator

from shortlist.core.errors import InputError
from shortlist.core.judgments import Board, Duels
from shortlist.core.pool import Pool


def duels_of(pool: Pool, rng: Generator) -> Duels:
    """Duels among the rows of a pool and one more item that everyone meets: all is decided.

    Few distinct results; some duels weigh nothing; arrays cannot be written to.
    """
    n = len(pool)
    i = rng.integers(0, max(n, 1), 3 * n)
    j = rng.integers(0, max(n, 1), 3 * n)
    apart = i != j
    ring = np.stack([np.arange(n), np.full(n, n)], axis=1)
    pairs = np.concatenate([np.stack([i, j], axis=1)[apart], ring, ring[:, ::-1]]).astype(np.int64)
    wins = np.concatenate([rng.choice([0.0, 0.5, 1.0, 0.25], int(apart.sum())), np.ones(2 * n)])
    weights = np.concatenate([rng.choice([0.0, 1.0, 2.0], int(apart.sum())), np.ones(2 * n)])
    for x in (pairs, wins, weights):
        x.flags.writeable = False
    return Duels(pairs, wins, weights, tuple(f"item {k}" for k in range(n + 1)))


def told(board: Board) -> list[bytes]:
    """Its bytes."""
    fields = (board.scores, board.interval, board.ranks, board.first)
    return [x.tobytes() for x in fields]


def every_item_is_ranked(ranker, pool: Pool, rng: Generator) -> None:
    duels = duels_of(pool, rng)
    board = ranker(duels)
    assert board.names == duels.names
    assert sorted(board.order.tolist()) == list(range(len(duels.names)))
    assert board.tied[0] == board.names[board.order[0]]
    rank = np.empty(len(board), np.int64)
    rank[board.order] = np.arange(1, len(board) + 1)
    assert ((board.ranks[:, 0] <= rank) & (rank <= board.ranks[:, 1])).all()


def the_same_duels_give_the_same_bytes(ranker, pool: Pool, rng: Generator) -> None:
    duels = duels_of(pool, rng)
    assert told(ranker(duels)) == told(ranker(duels))


def sides_do_not_matter(ranker, pool: Pool, rng: Generator) -> None:
    duels = duels_of(pool, rng)
    swapped = Duels(duels.pairs[:, ::-1].copy(), 1.0 - duels.wins, duels.weights, duels.names)
    np.testing.assert_allclose(ranker(duels).scores, ranker(swapped).scores, atol=1e-6)


def numbers_of_items_do_not_matter(ranker, pool: Pool, rng: Generator) -> None:
    duels = duels_of(pool, rng)
    to = rng.permutation(len(duels.names))
    names = tuple(duels.names[i] for i in np.argsort(to))
    moved = Duels(to[duels.pairs], duels.wins, duels.weights, names)
    np.testing.assert_allclose(ranker(duels).scores, ranker(moved).scores[to], atol=1e-6)


def one_more_win_never_hurts(ranker, pool: Pool, rng: Generator) -> None:
    duels = duels_of(pool, rng)
    if len(duels.names) < 2:
        return
    won = np.concatenate([duels.pairs, [[0, len(duels.names) - 1]]])
    more = Duels(won, np.append(duels.wins, 1.0), np.append(duels.weights, 1.0), duels.names)
    assert ranker(more).scores[0] >= ranker(duels).scores[0] - 1e-9


def nothing_is_no_ranking_and_no_failure(ranker, pool: Pool, rng: Generator) -> None:
    none = Duels(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0), ())
    assert len(ranker(none)) == 0
    alone = Duels(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0), ("a",))
    assert ranker(alone).tied == ("a",)


LAWS = (
    every_item_is_ranked,
    the_same_duels_give_the_same_bytes,
    sides_do_not_matter,
    numbers_of_items_do_not_matter,
    one_more_win_never_hurts,
    nothing_is_no_ranking_and_no_failure,
)


def refuses(ranker, duels: Duels, *said: str) -> None:
    """It is refused in words that name these."""
    with pytest.raises(InputError) as refusal:
        ranker(duels)
    for word in said:
        assert word in str(refusal.value)
