"""The probe against weighted ridge by its definition, and what it can and cannot learn."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.measures.probe import Probe, axes, balance, predict


def clusters(rng: np.random.Generator, n: int, groups: int, d: int = 12, noise: float = 0.3) -> tuple:
    centres = rng.normal(size=(groups, d))
    codes = rng.integers(0, groups, n).astype(np.int32)
    return (centres[codes] + noise * rng.normal(size=(n, d))).astype(np.float32), codes


def test_scores_minimise_the_penalised_weighted_squares() -> None:
    rng = np.random.default_rng(0)
    x, codes = clusters(rng, 60, 3, d=4, noise=2.0)
    x = x.astype(float)
    train, test = np.arange(30), np.arange(30, 60)
    w = balance(codes[train], 3)
    k, p = 30, 4
    blend = p / (p + k)
    mean = w @ x[train]
    ridge = blend / (1 - blend) * np.trace((x[train] - mean).T @ np.diag(w) @ (x[train] - mean)) / p
    scores = []
    for g in range(3):  # minimise sum w (y - a - z b)^2 + ridge |b|^2 by an ordinary least squares solver
        y = (codes[train] == g).astype(float)
        rows = np.vstack(
            [np.sqrt(w)[:, None] * np.c_[np.ones(k), x[train]], np.sqrt(ridge) * np.eye(p + 1)[1:]]
        )
        a = np.linalg.lstsq(rows, np.r_[np.sqrt(w) * y, np.zeros(p)], rcond=None)[0]
        scores.append(np.c_[np.ones(30), x[test]] @ a)
    assert predict(x[train], codes[train], x[test], 3).tolist() == np.argmax(scores, axis=0).tolist()


def test_learns_clusters_and_not_noise() -> None:
    rng = np.random.default_rng(1)
    x, codes = clusters(rng, 600, 4)
    pool = Pool.of({"vec": Vectors(x), "label": Labels(codes, tuple("abcd"))})
    at = np.arange(80)
    assert Probe("label")(pool, at) > 0.95
    shuffled = pool.with_signal("label", Labels(rng.permutation(codes), tuple("abcd")))
    assert Probe("label")(shuffled, at) == pytest.approx(0.25, abs=0.08)
    assert "label" in Probe("label").name


def test_a_group_that_was_not_kept_is_never_guessed_and_one_group_is_always() -> None:
    rng = np.random.default_rng(2)
    x, codes = clusters(rng, 90, 3)
    f = axes(Vectors(x), 64)
    train = np.flatnonzero(codes != 1)[:20]
    assert 1 not in predict(f[train], codes[train], f, 3)
    only = np.flatnonzero(codes == 2)[:5]
    assert set(predict(f[only], codes[only], f, 3)) == {2}
    assert set(predict(f[:0], codes[:0], f, 3)) == {-1}
    pool = Pool.of({"vec": Vectors(x[:3]), "label": Labels(codes[:3], ("a", "b", "c"))})
    assert np.isnan(Probe("label")(pool, np.arange(3)))


def test_identical_rows_do_not_break_it() -> None:
    f = axes(Vectors(np.ones((6, 3), np.float32)), 64)
    codes = np.array([0, 1, 0, 1, 0, 1], np.int32)
    assert predict(f[:3], codes[:3], f[3:], 2).tolist() == [0, 0, 0]


def test_axes_keep_distances_and_order_variance() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(50, 5)).astype(np.float32)
    f = axes(Vectors(x), 64)
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert np.linalg.norm(f[3] - f[9]) == pytest.approx(np.linalg.norm(u[3] - u[9]), rel=1e-5)
    assert (np.diff(f.var(axis=0)) <= 1e-9).all()
    assert axes(Vectors(x), 2).shape == (50, 2)


def test_groups_weigh_alike() -> None:
    w = balance(np.array([0, 0, 0, 2], np.int32), 3)
    assert w.tolist() == pytest.approx([1 / 6] * 3 + [1 / 2])
