"""Represented over centres keeps the laws of objectives; its points; GraphCoverage on a graph."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from shortlist.core.climb import climb
from shortlist.core.effects import alone
from shortlist.core.errors import ShortlistError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.methods.cluster.farthest_first import FarthestFirst
from shortlist.methods.cluster.k_means import KMeans
from shortlist.methods.graph.knn import KNN
from shortlist.methods.objective import facility_location
from shortlist.methods.objective.graph_coverage import GraphCoverage
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.represented import Represented
from tests.laws import objective
from tests.laws.test_methods import on_pools

CENTRED = (
    Represented(centres=KMeans(m=3, passes=1)),
    Represented("vec2", centres=FarthestFirst("vec2", m=9), neighbors=2),
)


def clustered(n=500, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(10, 12))[rng.integers(0, 10, n)] + 0.6 * rng.normal(size=(n, 12))
    return Pool.of({"vec": Vectors(rows.astype(np.float32))})


@pytest.mark.parametrize("law", objective.LAWS, ids=lambda law: law.__name__)
def test_centres_keep_the_laws(law):
    on_pools(law, CENTRED, 6)


def test_as_many_centres_as_rows_are_facility_location():
    pool = clustered(60)
    at, values = np.array([3, 17, 40]), pool.signal("vec", Vectors).values
    every = Represented(centres=FarthestFirst(m=60))
    assert every.value(pool, at)[0] == pytest.approx(facility_location.exact(values, at), abs=1e-6)


def test_centres_stand_for_the_pool():
    pool = clustered(2000)
    values = pool.signal("vec", Vectors).values
    ours = climb(alone(Represented(centres=KMeans(m=100)).build(pool)), 20)
    full = climb(alone(facility_location.FacilityLocation().build(pool)), 20)
    random = np.random.default_rng(0).choice(2000, 20, replace=False)
    best, found, luck = (facility_location.exact(values, at) for at in (full, ours, random))
    assert found - luck > 0.85 * (best - luck)


def test_only_the_named_rows_are_represented():
    values = np.eye(4, dtype=np.float32)
    label = Labels(np.array([0, 0, 1, 1], np.int32), ("train", "dev"))
    pool = Pool.of({"vec": Vectors(values), "split": label})
    f = Represented(toward="split:dev")
    assert [f.value(pool, np.array([i]))[0] for i in range(4)] == [0, 0, 0.5, 0.5]
    with pytest.raises(ShortlistError, match="dev"):
        Represented(toward="split:deb").value(pool, np.zeros(0, np.int64))


def test_one_kind_of_points_is_needed():
    for wrong in (
        Represented,
        lambda: Represented(centres=KMeans(), toward="a:b"),
        lambda: Represented(toward="a:b", neighbors=-1),
        lambda: Represented(centres=Modular("score")),
    ):
        with pytest.raises(UsageError):
            wrong()


def test_a_complete_graph_is_facility_location():
    pool = clustered(80)
    graph = alone(KNN(neighbors=79).steps(pool))
    pool, at = pool.with_signal("graph", graph), np.array([1, 44, 70])
    want = facility_location.exact(pool.signal("vec", Vectors).values, at)
    assert GraphCoverage().value(pool, at)[0] == pytest.approx(want, abs=1e-4)
    built = alone(GraphCoverage().build(pool))
    assert (
        climb(built, 9).tolist() == climb(alone(facility_location.FacilityLocation().build(pool)), 9).tolist()
    )


@pytest.mark.parametrize("neighbors", [0, 9])
def test_memory_stays_within_what_is_stated(neighbors):
    pool, f = clustered(6000), Represented(centres=KMeans(m=150), neighbors=neighbors)
    alone(f.build(clustered(600)))
    tracemalloc.start()
    alone(f.build(pool))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < f.need(pool, 10).bytes
