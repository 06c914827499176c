"""Approximate neighbours: laws of graphers that may miss some, the check of recall, and what is absent."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from shortlist.adapters.ann import ApproximateKNN
from shortlist.core.contracts import Approximate, Grapher
from shortlist.core.cosine import Directions
from shortlist.core.effects import alone
from shortlist.core.errors import CheckFailed, UsageError
from shortlist.core.neighbors import nearest_neighbors, recall
from shortlist.core.pool import Pool
from shortlist.core.signals import Neighbors, Vectors
from shortlist.run.driver import Local, run
from tests.laws import graph
from tests.laws.test_methods import on_pools

present = pytest.mark.skipif(importlib.util.find_spec("usearch") is None, reason="usearch is not installed")


def pool_of(n, d=32, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(30, d))[rng.integers(0, 30, n)] + 0.5 * rng.normal(size=(n, d))
    return Pool.of({"vec": Vectors(rows.astype(np.float32))})


def test_it_is_a_grapher_that_measures_itself():
    assert isinstance(ApproximateKNN(), Grapher)
    assert isinstance(ApproximateKNN(), Approximate)


@present
@pytest.mark.parametrize(
    "law",
    [graph.no_row_is_its_own_neighbour, graph.the_same_call_gives_the_same_bytes, graph.work_is_estimated],
    ids=lambda law: law.__name__,
)
def test_laws(law):
    on_pools(law, (ApproximateKNN(neighbors=3, least=0), ApproximateKNN("vec2", neighbors=9, least=0)), 15)


@present
def test_most_of_the_neighbours_are_found_with_exact_similarities():
    pool, method = pool_of(5000), ApproximateKNN(neighbors=10)
    found = alone(method.steps(pool), pool)
    true = alone(nearest_neighbors(Directions.of(pool.signal("vec", Vectors).values), 10))
    key = [np.repeat(np.arange(5000), np.diff(g.indptr)) * 5000 + g.indices for g in (found, true)]
    assert np.isin(key[1], key[0]).mean() > 0.95
    assert method.recall(pool, found) > 0.95
    both = np.intersect1d(*key)
    same = [g.data[np.searchsorted(k, both)] for g, k in zip((found, true), key, strict=True)]
    assert same[0].tobytes() == same[1].tobytes()
    for workers in (1, 3):
        again = run(method.steps(pool), pool, on=Local(workers)).result
        assert graph.told(again) == graph.told(found)


@present
def test_a_graph_that_misses_too_much_is_refused():
    with pytest.raises(CheckFailed, match="raise search"):
        alone(ApproximateKNN(neighbors=20, links=2, build=2, search=2, least=0.999).steps(pool_of(3000)))


def test_recall_is_the_share_of_true_neighbours():
    x = Directions.of(pool_of(300).signal("vec", Vectors).values)
    true, at = alone(nearest_neighbors(x, 6)), np.arange(300)
    assert recall(x, 6, true, at) == 1.0
    half = np.arange(len(true.indices)) % 2 == 0
    ends = np.zeros(301, np.int64)
    np.cumsum(np.bincount(np.repeat(at, np.diff(true.indptr))[half], minlength=300), out=ends[1:])
    assert recall(x, 6, Neighbors(ends, true.indices[half], true.data[half]), at) == pytest.approx(0.5)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(UsageError, match="shortlist\\[ann\\]"):
        alone(ApproximateKNN().steps(pool_of(10)))


def test_options_are_checked():
    for wrong in ({"neighbors": 0}, {"links": 1}, {"least": 1.5}):
        with pytest.raises(UsageError):
            ApproximateKNN(**wrong)
