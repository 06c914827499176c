"""The map of vectors: the same each time, anything goes in, and neighbours stay neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.core.errors import ContractError
from shortlist.report.layout import MOST, neighbors, principal, project

FEW = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 3e38])


@given(st.integers(0, 24), st.integers(0, 4), st.data())
def test_any_vectors_get_places(n: int, d: int, data: st.DataObject) -> None:
    x = np.array(data.draw(st.lists(FEW, min_size=n * d, max_size=n * d)), np.float32).reshape(n, d)
    places, how = project(x)
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert (places >= -1e-9).all()
    assert (places <= 1 + 1e-9).all()
    assert how


@pytest.mark.parametrize("value", [0.0, 1.0, 3e38])
def test_equal_rows_and_zero_rows(value: float) -> None:
    places, _ = project(np.full((40, 5), value, np.float32))
    assert np.isfinite(places).all()


def test_same_seed_same_bytes() -> None:
    x = np.random.default_rng(0).normal(size=(200, 12)).astype(np.float32)
    a, b = project(x, seed=3), project(x.copy(), seed=3)
    assert a[0].tobytes() == b[0].tobytes()
    assert a[1] == b[1]
    assert a[0].tobytes() != project(x, seed=4)[0].tobytes()


def test_clusters_show_better_than_on_two_axes() -> None:
    rng = np.random.default_rng(1)
    kind = rng.integers(12, size=900)
    x = (rng.normal(size=(12, 64))[kind] + 0.9 * rng.normal(size=(900, 64))).astype(np.float32)
    flat, share = principal(x)
    drawn, how = project(x)
    assert 0 < share < 0.5
    assert "neighbour embedding" in how
    assert kept(drawn, kind) > 0.97
    assert kept(drawn, kind) > kept(flat, kind) + 0.2


def kept(places: np.ndarray, kind: np.ndarray) -> float:
    """Share of the ten nearest points that are of the same kind."""
    gap = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    np.fill_diagonal(gap, np.inf)
    near = np.argsort(gap, axis=1)[:, :10]
    return float((kind[near] == kind[:, None]).mean())


@pytest.mark.parametrize(("n", "d"), [(30, 4), (4, 30), (20, 20)])
def test_two_axes_are_those_of_the_definition(n: int, d: int) -> None:
    x = np.random.default_rng(2).normal(size=(n, d)).astype(np.float32)
    y, share = principal(x)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0, dtype=np.float64), full_matrices=False)
    assert np.allclose(np.abs(y), np.abs(u[:, :2] * s[:2]), atol=1e-6)
    assert np.isclose(share, (s[:2] ** 2).sum() / (s**2).sum())


def test_neighbours_are_the_nearest_across_tiles() -> None:
    x = np.random.default_rng(3).normal(size=(1100, 6)).astype(np.float32)
    near = neighbors(x, 7)
    product = x @ x.T
    np.fill_diagonal(product, -np.inf)
    want = np.sort(np.argsort(-product, axis=1)[:, :7], axis=1)
    assert (np.sort(near, axis=1) == want).mean() > 0.999


def test_one_far_point_does_not_squeeze_the_rest() -> None:
    x = np.random.default_rng(4).normal(size=(12, 2)).astype(np.float32)
    places, how = project(x)
    assert "principal axes" in how
    assert places.std() > 0.1


def test_too_many_points_are_refused() -> None:
    with pytest.raises(ContractError, match="n <= 3000"):
        project(np.zeros((MOST + 1, 2), np.float32))
    with pytest.raises(ContractError):
        project(np.zeros(3, np.float32))
