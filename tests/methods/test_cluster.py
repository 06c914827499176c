"""What the laws cannot say of clusterers: their papers' loops, inertia, seeds, blocks."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import shortlist.core.clusters as core
import shortlist.core.spread as spread
from shortlist.core.clusters import Clusters, gathered, lloyd, points
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Vectors
from shortlist.methods.cluster import farthest_first, k_means, mini_batch
from shortlist.methods.cluster.farthest_first import FarthestFirst
from shortlist.methods.cluster.k_means import KMeans
from shortlist.methods.cluster.mini_batch import MiniBatchKMeans
from shortlist.methods.graph.knn import KNN

ALL = (
    KMeans(m=9, sample=3),
    KMeans(m=9, sample=0, rounds=3, spherical=False),
    MiniBatchKMeans(m=9, batch=50, batches=9),
    FarthestFirst(m=30, spherical=False),
)


def blobs(n=400, d=70, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(12, d))[rng.integers(0, 12, n)] * 2 + rng.normal(size=(n, d))
    return rows.astype(np.float32)


def pool_of(rows):
    return Pool.of({"vec": Vectors(np.ascontiguousarray(rows, np.float32))})


def told(found):
    return [x.tobytes() for x in (found.centres, found.codes, found.rows)]


@pytest.mark.parametrize("method", ALL, ids=repr)
def test_neither_tiles_nor_blocks_show(method, monkeypatch):
    pool = pool_of(blobs())
    want = told(alone(method.steps(pool)))
    monkeypatch.setattr(core, "TILE", 7)
    monkeypatch.setattr(spread, "BLOCK", 13)
    assert told(alone(method.steps(pool))) == want


@pytest.mark.parametrize("method", ALL, ids=repr)
def test_another_seed_is_another_answer(method):
    pool, other = pool_of(blobs()), type(method)(m=method.m, spherical=method.spherical, seed=5)
    assert told(alone(other.steps(pool))) != told(alone(method.steps(pool)))


@pytest.mark.parametrize("spherical", [False, True])
def test_inertia_does_not_rise_from_pass_to_pass(spherical):
    pool = pool_of(blobs())
    x, rng = points(pool, "vec", spherical), np.random.default_rng(1)
    start = x.unit(rng.choice(400, 15, replace=False))
    inertia = [
        alone(gathered(pool, x, alone(lloyd(x, start, passes, spherical)), spherical)).inertia
        for passes in range(8)
    ]
    assert all(b <= a * (1 + 1e-9) for a, b in pairwise(inertia))
    assert inertia[-1] < inertia[0]


def test_passes_are_those_of_lloyd():
    rows = blobs()
    x = points(pool_of(rows), "vec", False)
    start = rows[:6].copy()
    np.testing.assert_allclose(
        alone(lloyd(x, start, 4, False)), k_means.exact(rows, start, 4), rtol=1e-5, atol=1e-6
    )


def test_a_centre_without_rows_is_moved_to_the_farthest_row():
    rows = np.array([[0, 0], [0, 1], [9, 0], [9, 1], [5, 40]], np.float32)
    x = points(pool_of(rows), "vec", False)
    start = np.array([[0, 0], [9, 0], [-99, -99]], np.float32)
    centres = alone(lloyd(x, start, 9, False))
    assert sorted(centres.tolist()) == [[0, 0.5], [5, 40], [9, 0.5]]


def test_batches_are_the_published_loop():
    rows = blobs(300, 6)
    method = MiniBatchKMeans(m=5, batch=40, batches=9, spherical=False, seed=3)
    x, start = points(pool_of(rows), "vec", False), rows[:5].copy()
    ours = alone(method._moved(x, start))
    batches = list(mini_batch.drawn(300, 40, 9, 3))
    assert len(np.unique(np.concatenate(batches[:7]))) == 280  # no row twice before all had a turn
    np.testing.assert_allclose(ours, mini_batch.exact(rows, start, batches), rtol=1e-4, atol=1e-4)


def test_a_running_mean_without_rows_is_moved():
    rows, method = blobs(300, 6), MiniBatchKMeans(m=2, batch=40, batches=15, spherical=False)
    start = np.array([rows[0], np.full(6, 99)], np.float32)
    left = alone(
        MiniBatchKMeans(m=2, batch=40, batches=9, spherical=False)._moved(
            points(pool_of(rows), "vec", False), start
        )
    )
    moved = alone(method._moved(points(pool_of(rows), "vec", False), start))
    assert (left[1] == 99).all()
    assert (np.abs(moved[1]) < 20).all()


@pytest.mark.parametrize("spherical", [False, True])
def test_farthest_first_is_the_traversal(spherical):
    pool = pool_of(blobs(500))
    x = points(pool, "vec", spherical)
    found = alone(FarthestFirst(m=40, spherical=spherical, seed=2).steps(pool))
    first = int(generator(2, "farthest_first").integers(500))
    at = farthest_first.exact(x.unit(slice(None)), 40, first)
    assert found.centres.tobytes() == x.unit(at).tobytes()
    taken = alone(spread.traversed(x, 40, first))
    assert taken.measured < 0.8 * 40 * 500  # sleep and screen are of use


def test_huge_and_tiny_numbers_are_measured_all_the_same():
    rows = np.array([[3e38, 0], [3e38, 1e30], [-3e38, 0], [1e-40, 0], [0, 0]], np.float32)
    found = alone(FarthestFirst(m=5, spherical=False).steps(pool_of(rows)))
    assert len(found) == 5
    assert found.radius == 0
    for spherical in (False, True):
        few = alone(KMeans(m=2, spherical=spherical, sample=0).steps(pool_of(rows)))
        assert np.isfinite(few.centres).all()


def test_a_start_by_rounds_is_about_as_good():
    pool = pool_of(blobs(1500, 8))
    by_one, by_rounds = (
        np.mean(
            [
                alone(KMeans(m=20, rounds=r, sample=0, spherical=False, seed=s).steps(pool)).inertia
                for s in range(4)
            ]
        )
        for r in (0, 4)
    )
    assert by_rounds < 1.05 * by_one


def test_too_few_rounds_are_topped_up():
    found = alone(KMeans(m=60, rounds=1, sample=0, spherical=False).steps(pool_of(blobs(70))))
    assert len(found) == 60


def test_options_are_checked():
    for wrong in (
        lambda: KMeans(m=0),
        lambda: KMeans(passes=-1),
        lambda: MiniBatchKMeans(batch=0),
        lambda: FarthestFirst(m=0),
    ):
        with pytest.raises(UsageError):
            wrong()


def test_clusters_that_cannot_be_are_refused():
    codes, rows = np.zeros(2, np.int32), np.zeros(1, np.int64)
    centres = np.zeros((1, 2), np.float32)
    Clusters(centres, codes, rows, 0.0, 0.0, True)
    for bad in (
        (centres.astype(np.float64), codes, rows, 0.0, 0.0),
        (centres, codes.astype(np.int64), rows, 0.0, 0.0),
        (centres, codes + 1, rows, 0.0, 0.0),
        (np.zeros((2, 2), np.float32), np.array([0, 1], np.int32), np.zeros(2, np.int64), 0.0, 0.0),
        (centres, codes, rows, np.inf, 0.0),
        (centres, codes, rows, 0.0, float("nan")),
    ):
        with pytest.raises(ContractError):
            Clusters(*bad, True)


@pytest.mark.parametrize(
    "method",
    [KMeans(m=50), MiniBatchKMeans(m=50, batches=4), FarthestFirst(m=50), KNN(neighbors=20)],
    ids=repr,
)
def test_memory_stays_within_what_is_stated(method):
    small, pool = pool_of(blobs(1100, 96)), pool_of(blobs(6000, 96))
    alone(method.steps(small))  # compiles
    tracemalloc.start()
    alone(method.steps(pool))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < method.need(pool).bytes < 8 * peak + 2e7
