"""The Vendi score against closed forms and the k x k definition."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures import vendi as module
from shortlist.measures.vendi import Vendi, effective, spectrum, vendi

ORDERS = [0.0, 0.5, 1.0, 1.0 + 1e-9, 2.0, 7.3, float("inf")]


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
    if abs(order - 1) < 1e-6:
        expected = np.exp(-np.sum(p * np.log(p)))
    assert vendi(x, order) == pytest.approx(expected, rel=1e-4)
    assert vendi(x.astype(float), order) == pytest.approx(expected, rel=1e-4)


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
    x = np.random.default_rng(6).normal(size=(9000, 4)).astype(np.float32)
    at = np.random.default_rng(7).permutation(9000)[:8500]
    whole = vendi(np.ascontiguousarray(x[np.sort(at)]))
    assert Vendi("vec")(Pool.of({"vec": Vectors(x)}), at) == whole
    for order in (-1, float("nan")):
        with pytest.raises(UsageError, match="0 or more"):
            Vendi("vec", order=order)


def slow(x: np.ndarray, order: float, weights: np.ndarray) -> float:
    """All eigenvalues of sqrt(p) K sqrt(p)."""
    p = weights / weights.sum()
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(u @ u.T * np.sqrt(np.outer(p, p)))
    return effective(values[values > 1e-12], order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_weights_and_both_forms_are_the_definition(shape: tuple[int, int], order: float) -> None:
    rng = np.random.default_rng(2)
    x, weights = rng.normal(size=shape), rng.uniform(0, 3, shape[0])
    assert vendi(x, order, weights) == pytest.approx(slow(x, order, weights), rel=1e-8)
    whole = np.repeat(x, 3, axis=0)  # the set three times over is no more diverse
    assert vendi(whole, order) == pytest.approx(vendi(x, order), rel=1e-8)
    weights[1:3] = 0
    assert vendi(x, order, weights) == pytest.approx(
        vendi(np.delete(x, [1, 2], 0), order, np.delete(weights, [1, 2])), rel=1e-8
    )


def test_bits_do_not_depend_on_the_pieces_or_on_where_rows_lie(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 64)
    x = np.random.default_rng(3).normal(size=(500, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    whole = spectrum(x)
    for cuts in ([], [1, 2, 499], list(range(7, 500, 7)), [64, 128, 400]):
        seen = spectrum(iter(np.split(x, cuts)))
        assert seen.values.tobytes() == whole.values.tobytes()
        assert (seen.rows, seen.zeros) == (500, 0)
    assert spectrum(np.load(tmp_path / "x.npy", mmap_mode="r")).values.tobytes() == whole.values.tobytes()


def test_no_order_is_larger_than_a_smaller_one_and_no_length_matters() -> None:
    x = np.random.default_rng(4).normal(size=(300, 20)).astype(np.float32)
    seen = spectrum(x)
    scores = [seen.score(q) for q in (0, 0.2, 0.5, 0.95, 1, 1.05, 2, 9, 200, float("inf"))]
    assert (np.diff(scores) <= 1e-9).all()
    assert scores[0] == pytest.approx(20)
    scale = np.float32([1e-30, 1, 1e30, 3e-44])[np.arange(300) % 4][:, None]
    assert vendi(x[:, :4] * scale) == pytest.approx(vendi(x[:, :4]), abs=0.1)
    assert vendi(x * np.where(scale < 1e-40, 1, scale)) == pytest.approx(seen.score(), rel=1e-5)


def test_rounding_is_cut_and_said() -> None:
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(5, 60))[rng.integers(0, 5, 3000)]).astype(np.float32)
    seen = spectrum(x)
    assert seen.score(0) == pytest.approx(5)
    assert (seen.cut, len(seen.values)) == (55, 5)
    assert 0 < seen.error(1) < 1e-2 < seen.error(0.5) < seen.error(0) == pytest.approx(55)
    assert spectrum(np.eye(3)).error(0) == 0


def test_bad_rows_and_weights_are_refused() -> None:
    x = np.ones((5, 3), np.float32)
    for bad in (np.nan, np.inf, -np.inf):
        y = x.copy()
        y[3, 1] = bad
        with pytest.raises(ContractError, match="row 3"):
            vendi(y)
        with pytest.raises(ContractError, match="row 3"):
            spectrum(iter([y[:2], y[2:]]))
    for weights, words in (([1, 2], "weights"), ([1, -1, 1, 1, 1], ">= 0"), ([0] * 5, "all weights")):
        with pytest.raises(ContractError, match=words):
            vendi(x, 1, np.array(weights, float))
    with pytest.raises(ContractError, match="7 weights for 5"):
        vendi(x, 1, np.ones(7))
    with pytest.raises(ContractError, match="columns"):
        spectrum(iter([np.ones((4096, 3), np.float32), np.ones((4, 2), np.float32)]))
    with pytest.raises(ContractError, match="f32"):
        spectrum(np.ones((4, 2), np.int64))
    assert spectrum(iter([])).score() == 0.0
    assert vendi(x[:0], 0, np.zeros(0)) == 0.0
