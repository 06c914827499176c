"""Laws of votes: a row of the pool, whatever the order of rows, and the same each time."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shortlist.core.pool import Pool
from tests.laws.pick import told
from tests.strategies import arrays


def a_vote_picks_of_the_pool(voter, pool: Pool, rng: Generator) -> None:
    before = arrays(pool)
    pick = voter(pool)
    assert np.isin(pick.rows, pool.rows).all()
    assert (len(pick) == 0) == (len(pool) == 0)
    assert (pick.calls, pick.failure) == (0, 1.0)
    assert arrays(pool) == before


def the_same_rows_give_the_same_pick(voter, pool: Pool, rng: Generator) -> None:
    cut = Pool(pool.rows, pool.columns, 1)
    assert told(voter(pool)) == told(voter(pool)) == told(voter(cut))


def the_order_of_rows_decides_ties_only(voter, pool: Pool, rng: Generator) -> None:
    order = rng.permutation(len(pool))
    moved = Pool.of({name: s.take(order) for name, s in pool.columns.items()})
    np.testing.assert_allclose(voter(pool).scores, voter(moved).scores, atol=1e-9)


def ties_go_to_the_first_row(voter, pool: Pool, rng: Generator) -> None:
    if len(pool):
        alike = Pool(pool.rows, {n: s.take(np.zeros(len(pool), np.int64)) for n, s in pool.columns.items()})
        assert voter(alike).rows[0] == pool.rows[0]


LAWS = (
    a_vote_picks_of_the_pool,
    the_same_rows_give_the_same_pick,
    the_order_of_rows_decides_ties_only,
    ties_go_to_the_first_row,
)
