"""Cells: every row in its nearest, who looks where, and near pairs among them as a double loop finds them."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core import cells as module
from shortlist.core.cells import about, cells, enough, near_in_cells, trained
from shortlist.core.cosine import Directions
from shortlist.core.effects import alone
from shortlist.core.near import near
from tests.strategies import crowd

ROWS = crowd(700).columns["vec"].values


def by_hand(x, u, floor, found, pivots):
    """(candidate, represented) pairs: in a cell that is looked into, and above the floor."""
    cosine = x.unit(slice(None)) @ u.unit(slice(None)).T
    of = (x.unit(slice(None)) @ pivots.T).argmax(axis=1)
    looks = np.zeros((len(u), len(pivots)), bool)
    for c in range(len(pivots)):
        looks[found.looking[found.ends[c] : found.ends[c + 1]], c] = True
    return {tuple(p) for p in np.argwhere(looks.T[of] & (cosine > floor)).tolist()}, looks


@pytest.mark.parametrize("represented", [None, np.arange(0, 700, 3)])
@pytest.mark.parametrize("wide", [1 << 13, 16])
def test_pairs_are_those_of_the_definition(represented, wide, monkeypatch):
    monkeypatch.setattr(module, "WIDE", wide)
    x = Directions.of(ROWS)
    u = x if represented is None else Directions.of(ROWS[represented])
    floor = np.full(len(u), 0.2, np.float32)
    found = alone(cells(x, u, 30, 5, seed=1))
    got = alone(near_in_cells(x, u, floor, found))
    pairs, looks = by_hand(x, u, floor, found, trained(x, 30, 1))
    row = np.repeat(np.arange(len(x)), np.diff(got.indptr))
    assert set(zip(row.tolist(), got.indices.tolist(), strict=True)) == pairs
    assert len(row) == len(pairs)
    assert (np.diff(got.indices)[np.diff(row) == 0] > 0).all()
    assert (looks.sum(axis=1) == 5).all()
    own = (u.unit(slice(None)) @ trained(x, 30, 1).T).argmax(axis=1)
    assert looks[np.arange(len(u)), own].all()


def test_looking_everywhere_finds_every_pair():
    x = Directions.of(ROWS)
    floor = np.full(len(x), 0.4, np.float32)
    got = alone(near_in_cells(x, x, floor, alone(cells(x, x, 9, 9, seed=0))))
    want = alone(near(x, x, floor, same=True))
    assert got.indptr.tolist() == want.indptr.tolist()
    assert got.indices.tolist() == want.indices.tolist()
    np.testing.assert_allclose(got.data, want.data, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows(n):
    x = Directions.of(ROWS[:n])
    found = alone(cells(x, x, 5, 3, seed=0))
    assert len(found.of) == n
    assert len(alone(near_in_cells(x, x, np.zeros(n, np.float32), found)).indptr) == n + 1


def test_rows_all_alike_and_zero_rows():
    for rows in (np.ones((50, 3), np.float32), np.zeros((50, 3), np.float32)):
        x = Directions.of(rows)
        found = alone(cells(x, x, 7, 2, seed=0))
        got = alone(near_in_cells(x, x, np.full(50, 0.5, np.float32), found))
        assert len(got.data) == (2500 if rows.any() else 0)


def test_a_pool_is_looked_at_before_cells_are_trusted():
    rng = np.random.default_rng(0)
    tight = rng.normal(size=(60, 40))[rng.integers(0, 60, 6000)] + 0.3 * rng.normal(size=(6000, 40))
    loose = rng.normal(size=(6000, 40))
    found = [enough(Directions.of(v.astype(np.float32)), about(6000), 0.01, 0) for v in (tight, loose)]
    assert 0 < found[0] <= about(6000) // 8
    assert found[1] == 0
    assert enough(Directions.of(np.zeros((6000, 4), np.float32)), 80, 0.01, 0) == 10
    assert enough(Directions.of(tight[:5].astype(np.float32)), 5, 0.01, 0) == 0
