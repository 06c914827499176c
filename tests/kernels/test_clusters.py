"""Nearest points and nearest rows: compiled, plain, and as they are defined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shortlist.core.neighbors as neighbors
import shortlist.kernels.clusters as clusters
from shortlist.core.clusters import exact_codes
from shortlist.core.cosine import Directions
from shortlist.core.effects import alone
from shortlist.core.signals import Neighbors
from shortlist.kernels.jit import have_numba

compiled = pytest.mark.skipif(not have_numba(), reason="no numba here")
FEW = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 1.0 + 2.0**-23, 1e-30, 3e19, -3e38])


def rows_of(data, n, d):
    return np.array(data.draw(st.lists(FEW, min_size=n * d, max_size=n * d)), np.float32).reshape(n, d)


def plainly(monkeypatch, work):
    """What `work` says where there is no numba."""
    with monkeypatch.context() as m:
        m.setattr(clusters, "have_numba", lambda: False)
        m.setattr(neighbors, "have_numba", lambda: False)
        return work()


@given(st.data(), st.integers(0, 6), st.integers(1, 5), st.sampled_from([1, 2, 7, 9]))
@settings(deadline=None, max_examples=120, derandomize=True)
def test_the_nearest_point_is_that_of_the_definition(data, n, m, d):
    values, points = rows_of(data, n, d), rows_of(data, m, d)
    want = exact_codes(values, points)
    ones = np.ones(n, np.float32)
    with pytest.MonkeyPatch.context() as patch:
        plain = plainly(patch, lambda: clusters.nearest(values, ones, points))
    for found in (clusters.nearest(values, ones, points), plain):
        assert found[0].tolist() == want[0].tolist()
        assert found[1].tobytes() == want[1].tobytes()


@compiled
@given(st.data(), st.integers(1, 8), st.sampled_from([1, 3, 8, 70, 130]))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_coming_closer_and_sums_agree_with_their_plain_forms(data, n, d):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    values = rng.choice(np.array([-1, 0, 0.5, 1], np.float32), (n, d))
    scale = rng.choice(np.array([0, 0.5, 1], np.float32), n)
    rows = values * scale[:, None]
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    before = rng.choice([0.0, 1.0, d / 2, np.inf], n)

    def work():
        codes, squares = np.zeros(n, np.int32), before.copy()
        count = clusters.closer(rows @ rows[0], length, values, scale, rows[0], 3, codes, squares)
        sums = clusters.summed(values, scale, codes, 4)
        return [count, codes.tobytes(), squares.tobytes(), sums[0].tobytes(), sums[1].tolist()]

    with pytest.MonkeyPatch.context() as patch:
        assert work() == plainly(patch, work)
    found = np.frombuffer(work()[2])
    assert (found == np.minimum(before, clusters.squares_plain(rows, rows[0]))).all()


@compiled
@pytest.mark.parametrize("keep", [1, 7, 20])
@pytest.mark.parametrize("kind", ["clusters", "copies", "one-hot"])
def test_neighbours_are_the_same_without_numba(kind, keep, monkeypatch):
    rng, n = np.random.default_rng(keep), 2300
    values = rng.normal(size=(n, 11)).astype(np.float32)
    if kind == "copies":  # more equal rows than any list has room for
        values = values[rng.integers(0, 6, n)]
    if kind == "one-hot":
        values = np.eye(40, dtype=np.float32)[rng.integers(0, 40, n)]
    x = Directions.of(values)

    def work():
        graph = alone(neighbors.nearest_neighbors(x, keep))
        turned = neighbors.turned(graph.indptr, graph.indices, graph.data, n)
        both = neighbors.joined_with(graph, True)
        return [a.tobytes() for g in ((graph.indptr, graph.indices, graph.data), turned, both) for a in g]

    assert work() == plainly(monkeypatch, work)


@given(st.integers(0, 9), st.integers(0, 2**16), st.booleans())
@settings(deadline=None, max_examples=80, derandomize=True)
def test_pairs_of_a_graph_are_joined_by_the_larger_similarity(n, seed, both):
    dense = np.random.default_rng(seed).choice([0, 0, 0.25, 0.5, 1.0], (n, n)).astype(np.float32)
    row, column = np.nonzero(dense)
    indptr = np.searchsorted(row, np.arange(n + 1)).astype(np.int64)
    graph = Neighbors(indptr, column.astype(np.int32), dense[row, column])
    want = np.maximum(dense, dense.T) if both else dense.T.copy()
    np.fill_diagonal(want, 1)
    with pytest.MonkeyPatch.context() as patch:
        plain = plainly(patch, lambda: neighbors.joined_with(graph, both))
    for found in (neighbors.joined_with(graph, both), plain):
        row, column = np.nonzero(want)
        assert found.indptr.tolist() == np.searchsorted(row, np.arange(n + 1)).tolist()
        assert found.indices.tolist() == column.tolist()
        assert found.data.tolist() == want[row, column].tolist()


@compiled
def test_the_best_of_a_list_are_the_same_without_numba(monkeypatch):
    rng = np.random.default_rng(3)
    x = Directions.of(rng.integers(-1, 2, (40, 9)).astype(np.float32))
    listed = np.array([rng.permutation(40)[:12] for _ in range(20)], np.int32)
    count = rng.integers(0, 13, 20)

    def work():
        return [part.tobytes() for part in neighbors.best_listed(x, 4, 5, listed, count)]

    assert work() == plainly(monkeypatch, work)
