"""The Vendi score against closed forms and the k x k definition."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures.vendi import Vendi, vendi

ORDERS = [0.5, 1.0, 2.0, float("inf")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n", [1, 2, 7])
def test_orthogonal_rows_count_each_and_copies_count_once(n: int, order: float) -> None:
    assert vendi(np.eye(n, 9, dtype=np.float32) * 3, order) == pytest.approx(n)
    assert vendi(np.tile(np.float32([[1, 2, -1]]), (n, 1)), order) == pytest.approx(1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (9, 9)])
def test_equals_the_spectrum_of_the_similarities(shape: tuple[int, int], order: float) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    p = np.linalg.eigvalsh((u @ u.T).astype(float) / len(u))
    p = p[p > 1e-7]
    if order == 1:
        expected = np.exp(-np.sum(p * np.log(p)))
    elif order == float("inf"):
        expected = 1 / p.max()
    else:
        expected = np.sum(p**order) ** (1 / (1 - order))
    assert vendi(x, order) == pytest.approx(expected, rel=1e-4)


def test_two_groups_of_unequal_size() -> None:
    # 3 copies of one direction, 1 of another: entropy of (3/4, 1/4).
    x = np.array([[1, 0]] * 3 + [[0, 1]], np.float32)
    assert vendi(x) == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))
    assert vendi(x, 2) == pytest.approx(1 / (0.75**2 + 0.25**2))


def test_zero_rows_and_no_rows() -> None:
    x = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
    assert vendi(x) == pytest.approx(2)
    assert vendi(x[:1]) == 0.0
    assert vendi(x[:0]) == 0.0


def test_a_measure_of_a_pool() -> None:
    pool = Pool.of({"vec": Vectors(np.eye(4, dtype=np.float32))})
    assert Vendi("vec")(pool, np.array([2, 0])) == pytest.approx(2)
    assert "order 2" in Vendi("vec", order=2).name
    with pytest.raises(UsageError, match="above 0"):
        Vendi("vec", order=0)
