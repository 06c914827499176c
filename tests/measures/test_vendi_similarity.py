"""The Vendi score of any similarity against all eigenvalues, and Lanczos against the matrix."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import ContractError, UsageError
from shortlist.core.signals import Neighbors
from shortlist.measures import similarity
from shortlist.measures import vendi_similarity as module
from shortlist.measures.lanczos import lanczos
from shortlist.measures.similarity import Graph, Tiles, multiplied, multiplied_plain
from shortlist.measures.vendi import effective, vendi
from shortlist.measures.vendi_similarity import exact, vendi_similarity

ORDERS = (0.5, 1.0, 1.5, 2.0, 3.0, float("inf"))


def rbf(n: int, width: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(12, 5))[rng.integers(0, 12, n)] * 2 + rng.normal(size=(n, 5)) * 0.4
    return np.exp(-((x[:, None] - x) ** 2).sum(-1) / width)


def of(k: np.ndarray):
    return lambda a, b: k[a, b]


@pytest.mark.parametrize("width", [0.3, 3.0])
def test_sampled_orders_lie_within_one_percent(width: float) -> None:
    k = rbf(700, width)
    for seen in vendi_similarity(of(k), 700, ORDERS):
        true = exact(k, seen.order)
        if seen.order >= 1:  # below, a slowly falling spectrum needs more steps; the error says so
            assert seen.value == pytest.approx(true, rel=0.01)
        assert abs(seen.value - true) <= 1.5 * seen.error + 1e-6 * true
        assert seen.negative == 0
    assert vendi_similarity(of(k), 700, (2,))[0].error == 0


@pytest.mark.parametrize("n", [80, 600])
def test_vectors_and_their_similarities_agree_for_every_order(n: int) -> None:
    x = np.random.default_rng(5).normal(size=(n, 6))
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    for seen in vendi_similarity(of(u @ u.T), n, ORDERS):
        assert seen.value == pytest.approx(vendi(x, seen.order), rel=1e-3)


def test_work_grows_until_the_error_is_small_enough() -> None:
    k, seen, asked = rbf(900, 3.0), [], []

    def tile(a: slice, b: slice) -> np.ndarray:
        asked.append(a)
        return k[a, b]

    for within in (1.0, 0.01, 1e-9):
        asked.clear()
        found = vendi_similarity(tile, 900, within=within, memory=0)[0]
        seen.append((len(asked), found.error / found.value))
    assert seen[0][0] < seen[1][0] < seen[2][0]
    assert seen[0][1] > 0.01 >= seen[1][1] > seen[2][1]
    assert abs(found.value - exact(k, 1)) <= 1.5 * found.error


def test_order_2_alone_keeps_nothing() -> None:
    k, asked = rbf(700, 1.0), []

    def tile(a: slice, b: slice) -> np.ndarray:
        asked.append((a, b))
        return k[a, b]

    assert vendi_similarity(tile, 700, (2.0,))[0].value == pytest.approx(exact(k, 2), rel=1e-6)
    assert len(asked) == 3  # one tile, and the corner twice


def test_the_stated_error_holds_on_nearly_all_seeds(monkeypatch) -> None:
    monkeypatch.setattr(module, "EXACT", 0)
    k = rbf(120, 1.0)
    held = 0
    for seed in range(60):
        seen = vendi_similarity(of(k), 120, seed=seed, probes=8)[0]
        held += abs(seen.value - exact(k, 1)) <= seen.error
    assert held >= 52


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_few_rows_are_exact_and_copies_and_strangers_are_what_they_are(n: int) -> None:
    for order in (0.0, *ORDERS):
        assert vendi_similarity(of(np.eye(n)), n, (order,))[0].value == pytest.approx(n)
        assert vendi_similarity(of(np.ones((n, n))), n, (order,))[0].value == pytest.approx(1, abs=1e-5)
    assert vendi_similarity(of(np.eye(1)), 0)[0].value == 0


def test_sampling_copies_and_strangers(monkeypatch) -> None:
    monkeypatch.setattr(module, "EXACT", 0)
    for k, want in (
        (np.eye(90), 90.0),
        (np.ones((90, 90)), 1.0),
        (np.kron(np.eye(9), np.ones((10, 10))), 9.0),
    ):
        for seen in vendi_similarity(of(k), 90, ORDERS):
            assert seen.value == pytest.approx(want, rel=1e-3)


def test_weights_as_copies() -> None:
    k = rbf(30, 2.0)
    count = np.random.default_rng(1).integers(0, 4, 30)
    many = np.repeat(np.arange(30), count)
    for order in (0.5, 1, 2, 3):
        once = vendi_similarity(of(k), 30, (order,), weights=count.astype(float))[0].value
        assert once == pytest.approx(exact(k[np.ix_(many, many)], order), rel=1e-5)


def test_memory_changes_no_bit_and_bounds_what_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(similarity, "TILE", 64)
    monkeypatch.setattr(module, "EXACT", 0)
    k, asked = rbf(300, 1.0), []

    def tile(a: slice, b: slice) -> np.ndarray:
        asked.append((a.start, b.start))
        return k[a, b]

    all_kept = vendi_similarity(tile, 300, ORDERS)
    once = len(asked)
    none_kept = vendi_similarity(tile, 300, ORDERS, memory=0)
    assert all_kept == none_kept
    assert once == 15 + 2  # five by five tiles on and above the diagonal, and the mirror's corner
    assert len(asked) > 10 * once
    p = np.full(300, 1 / 300)
    x = np.random.default_rng(0).normal(size=(300, 3))
    assert Tiles(tile, p, 0).product(x) == pytest.approx(k @ x / 300, rel=1e-5, abs=1e-6)


def graph() -> tuple[Neighbors, np.ndarray]:
    rng = np.random.default_rng(6)
    n = 60
    k = np.where(rng.random((n, n)) < 0.1, rng.random((n, n)), 0).astype(np.float32)
    np.fill_diagonal(k, np.where(np.arange(n) % 2, 1, 0))  # stored for some rows, and not the same as absent
    rows, columns = np.nonzero(k)
    indptr = np.r_[0, np.cumsum(np.bincount(rows, minlength=n))].astype(np.int64)
    full = np.maximum(k, k.T)
    np.fill_diagonal(full, 1)
    return Neighbors(indptr, columns.astype(np.int32), k[rows, columns]), full


def test_a_graph_is_its_matrix(monkeypatch) -> None:
    g, full = graph()
    p = np.random.default_rng(7).dirichlet(np.ones(60))
    a = Graph(g, p)
    want = full * np.sqrt(np.outer(p, p))
    assert a.dense() == pytest.approx(want)
    assert a.square == pytest.approx((want**2).sum())
    exactly = vendi_similarity(g, 60, (1.0, 2.0), weights=p)
    values = np.linalg.eigvalsh(want.astype(float))
    assert exactly[0].value == pytest.approx(effective(values[values > 1e-6 * values.max()], 1.0))
    assert exactly[0].negative == pytest.approx(-values[values < 0].sum() / np.abs(values).sum())
    assert exactly[1].value == pytest.approx(1 / (values**2).sum())
    monkeypatch.setattr(module, "EXACT", 0)
    sampled = vendi_similarity(g, 60, (1.0,), weights=p, probes=200, steps=20, within=1)[0]
    assert sampled.value == pytest.approx(exactly[0].value, rel=0.05)
    assert sampled.negative == pytest.approx(exactly[0].negative, rel=0.2)


def test_graph_product_and_its_twin() -> None:
    g, _ = graph()
    x = np.random.default_rng(8).normal(size=(60, 4))
    assert multiplied(g.indptr, g.indices, g.data, x) == pytest.approx(
        multiplied_plain(g.indptr, g.indices, g.data, x)
    )


def test_lanczos_gives_moments() -> None:
    k = rbf(50, 1.0) / 50
    a = Tiles(of(k * 50), np.full(50, 1 / 50), 0)
    x = np.linalg.qr(np.random.default_rng(9).normal(size=(50, 3)))[0]
    diagonal, beside = lanczos(a, x, 6)
    assert diagonal[:, 0] == pytest.approx(np.einsum("ij,ij->j", x, k @ x), rel=1e-5)
    assert diagonal[:, 0] ** 2 + beside[:, 0] ** 2 == pytest.approx(((k @ x) ** 2).sum(0), rel=1e-5)


def test_bad_similarities_are_refused() -> None:
    k = rbf(20, 1.0)
    bad = k.copy()
    bad[3, 4] = bad[4, 3] = np.nan
    with pytest.raises(ContractError, match="finite"):
        vendi_similarity(of(bad), 20)
    with pytest.raises(ContractError, match="itself"):
        vendi_similarity(of(2 * k), 20)
    bad = k.copy()
    bad[3, 4] = 0.9
    with pytest.raises(ContractError, match="symmetric"):
        vendi_similarity(of(bad), 20)
    with pytest.raises(ContractError, match="asked for"):
        vendi_similarity(lambda a, b: np.ones(3), 20)
    with pytest.raises(ContractError, match="rows were named"):
        vendi_similarity(of(k), 20, weights=np.ones(3))
    with pytest.raises(ContractError, match="rows were named"):
        vendi_similarity(graph()[0], 20)
    with pytest.raises(UsageError, match="sampled"):
        vendi_similarity(of(np.eye(600)), 600, (0.1,))
    with pytest.raises(UsageError, match="0 or more"):
        vendi_similarity(of(k), 20, (-1.0,))
    with pytest.raises(UsageError, match="within"):
        vendi_similarity(of(k), 20, within=0)
    with pytest.raises(UsageError, match="5 steps"):
        vendi_similarity(of(k), 20, steps=2)
