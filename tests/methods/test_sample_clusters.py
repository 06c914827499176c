"""Selectors over clusters against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import UsageError
from shortlist.core.limits import bind
from shortlist.core.means import clustered
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Vectors
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.sample import cluster_rounds, prototypes, typicality
from shortlist.methods.sample.cluster_rounds import ClusterRounds, quotas, weighed
from shortlist.methods.sample.prototypes import Prototypes, ranked
from shortlist.methods.sample.typicality import Typicality


def pool(n: int = 240, seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(8, 6))[rng.integers(0, 8, n)] + rng.normal(size=(n, 6)) * 0.2
    return Pool.of(
        {"vec": Vectors(rows.astype(np.float32)), "score": Scores(np.round(rng.normal(size=n), 1))}
    )


def unit(some: Pool) -> np.ndarray:
    values = some.columns["vec"].values.astype(np.float64)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_clusters_are_near_their_means() -> None:
    some = pool()
    codes, square = clustered(some, "vec", 8, 0)
    assert np.unique(codes).tolist() == list(range(8))
    assert square.mean() < 0.2 * ((unit(some) - unit(some).mean(axis=0)) ** 2).sum(axis=1).mean()
    again, _ = clustered(some, "vec", 8, 0)
    assert codes.tolist() == again.tolist()


def test_prototypes_are_by_distance() -> None:
    some = pool()
    _, square = clustered(some, "vec", 5, 3)
    for hard in (True, False):
        rows = Prototypes(m=5, hard=hard, seed=3)(None, bind(some, [], 240), some).rows
        assert (np.diff(square[rows]) <= 0).all() if hard else (np.diff(square[rows]) >= 0).all()
    rng = np.random.default_rng(0)
    x, c = rng.normal(size=(9, 3)), rng.normal(size=(2, 3))
    near = ((x[:, None] - c) ** 2).sum(axis=2)
    order = ranked(near.argmin(axis=1).astype(np.int32), -near.min(axis=1), 0.0, 4)
    assert order.tolist() == prototypes.exact(x, c, True).tolist()


def test_prototypes_in_balance_give_every_cluster_its_part() -> None:
    some = pool()
    codes, _ = clustered(some, "vec", 6, 0)
    rows = Prototypes(m=6, balance=1.0)(None, bind(some, [], 24), some).rows
    assert (np.bincount(codes[rows], minlength=6) >= np.minimum(4, np.bincount(codes))).all()


@pytest.mark.parametrize("k", [1, 6, 20, 60])
def test_typical_rows_come_in_turn(k: int) -> None:
    some = pool(60)
    solver = Typicality(m=7, neighbors=4, seed=2)
    codes, _ = clustered(some, "vec", min(7, k), 2)
    want = typicality.exact(unit(some).astype(np.float32), codes, 4, k)
    got = solver(None, bind(some, [], k), some).rows.tolist()
    assert got == want


def test_clusters_that_were_shown_wait() -> None:
    some = pool(120)
    codes, _ = clustered(some, "vec", 6, 0)
    sizes = np.bincount(codes)
    large = int(sizes.argmax())
    had = np.flatnonzero(codes == large)[:2]
    rows = Typicality(m=6)(None, bind(some, [Shown(had.tolist())], 4), some).rows
    assert large not in codes[rows]
    assert len(set(codes[rows].tolist())) == 4


def test_weights_of_a_round_are_those_of_the_paper() -> None:
    drawn = [[0.5, 0.7], [0.1], [0.9, 0.9, 0.3]]
    codes = np.repeat([0, 1, 2], [2, 1, 3]).astype(np.int32)
    got = weighed(np.array([0.2, 0.5, 0.3]), codes, np.concatenate(drawn))
    np.testing.assert_allclose(got, cluster_rounds.exact([0.2, 0.5, 0.3], drawn))
    assert weighed(np.array([0.5, 0.5]), codes[:3] * 0, np.zeros(3)).tolist() == [0.5, 0.5]


def test_quotas_add_up_and_fit() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        g = int(rng.integers(1, 6))
        sizes = rng.integers(0, 9, g)
        m = int(rng.integers(0, sizes.sum() + 1))
        weight = rng.choice([0.0, 0.1, 1.0, 7.0], g)
        got = quotas(sizes, weight, m)
        assert got.sum() == m
        assert ((got >= 0) & (got <= sizes)).all()
    assert quotas(np.array([100, 100]), np.array([3.0, 1.0]), 40).tolist() == [30, 10]


def test_rounds_draw_no_row_twice_and_look_at_their_own_scores_only() -> None:
    some = pool()
    limits = bind(some, [], 60)
    solver = ClusterRounds(m=8, rounds=3, seed=1)
    rows = solver(None, limits, some).rows
    assert len(set(rows.tolist())) == 60
    score = some.columns["score"].values.copy()
    unseen = np.setdiff1d(np.arange(240), [*rows[:40], score.argmin(), score.argmax()])
    score[unseen] = 0.0  # nobody saw them before the last round was drawn
    other = some.with_signal("score", Scores(score))
    assert solver(None, limits, other).rows.tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: Prototypes(m=0), "m must be 1"),
        (lambda: Prototypes(balance=2.0), "balance in"),
        (lambda: Typicality(neighbors=0), "neighbors must be 1"),
        (lambda: ClusterRounds(rounds=0), "rounds must be 1"),
    ],
)
def test_wrong_options_are_told(made: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        made()
