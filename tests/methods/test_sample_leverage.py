"""Leverage scores against the definition, what they bound, and the chances of the rows drawn by them."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.sample import shares, systematic
from shortlist.core.signals import Vectors
from shortlist.methods.sample.leverage import Leverage, distortion, exact, leverage, lewis, spiky


def test_scores_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(20_000, 6)) * np.geomspace(1, 100, 6)).astype(np.float32)
    tau, how = leverage(rows)
    np.testing.assert_allclose(tau, exact(rows), rtol=1e-9)
    assert tau.sum() == pytest.approx(6)
    assert how.startswith("Gram matrix and Cholesky")


def test_a_bad_condition_is_seen_and_answered_by_qr() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 6)).astype(np.float32)
    rows[:, 5] = rows[:, 0] + rows[:, 1] * 2.0**-20
    tau, how = leverage(rows)
    q = np.linalg.qr(rows.astype(np.float64))[0]
    np.testing.assert_allclose(tau, (q**2).sum(axis=1), rtol=1e-6)
    assert how.startswith("QR in blocks: rank 6 of 6")
    rows[:, 5] = rows[:, 0]
    tau, how = leverage(rows)
    assert tau.sum() == pytest.approx(5)
    assert "rank 5 of 6" in how
    assert leverage(rows[:0])[0].shape == (0,)
    assert leverage(np.zeros((4, 3), np.float32))[0].tolist() == [0.0] * 4


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 2.5, 3.0])
def test_scores_bound_sensitivities(p: float) -> None:
    rng = np.random.default_rng(1)
    rows = spiky(rng, 200, 4)
    x = np.concatenate([rng.normal(size=(4, 4000)), rows.T.astype(np.float64)], axis=1)
    power = np.abs(rows @ x) ** p
    sensitivity = (power / power.sum(axis=0)).max(axis=1)  # from below: the best of many directions
    tau, _ = leverage(rows)
    bound = tau ** (p / 2) if p <= 2 else lewis(rows, p, tau) * 4 ** (p / 2 - 1)
    assert (sensitivity <= bound * 1.01).all()
    if p > 2:  # a fixed point, that adds up to the rank
        w = lewis(rows, p, tau)
        again, _ = leverage(rows, w ** (0.5 - 1 / p))
        np.testing.assert_allclose(again, w, atol=5e-3 * w.max())
        assert w.sum() == pytest.approx(4, rel=0.01)


def test_uniform_rows_lose_what_leverage_keeps() -> None:
    rng = np.random.default_rng(2)
    rows = spiky(rng, 5000, 8)
    off = {"leverage": [], "uniform": []}
    for seed in range(5):
        got = Leverage(seed=seed).sample(Pool.of({"vec": Vectors(rows)}), 500)
        off["leverage"].append(distortion(rows, got.rows, got.weight, 2.0, np.eye(8)).max())
        at = rng.choice(5000, 500, replace=False)
        off["uniform"].append(distortion(rows, at, np.full(500, 10**0.5), 2.0, np.eye(8)).max())
    assert max(off["leverage"]) < 0.25
    assert np.median(off["uniform"]) > 0.4


@pytest.mark.parametrize("m", [0, 1, 3, 6, 8, 9])
def test_rows_are_drawn_at_their_chances(m: int) -> None:
    rng = np.random.default_rng(m)
    score = rng.random(9) ** 4
    score[:2] = 0.0
    p, seen = shares(score, m), np.zeros(9)
    assert p.sum() == pytest.approx(m)
    assert (p <= 1).all()
    free = (p < 1) & (score > 0)
    if m < 7 and free.any():
        np.testing.assert_allclose(p[free] / score[free], (p[free] / score[free])[0])
    for _ in range(3000):
        at = systematic(p, rng)
        assert len(at) == m == len(set(at.tolist()))
        seen[at] += 1
    assert np.abs(seen / 3000 - p).max() < 5 * 0.5 / np.sqrt(3000)


def test_norms_are_of_1_to_3() -> None:
    for p in (0.5, 3.5, float("nan")):
        with pytest.raises(UsageError, match="p must lie in"):
            Leverage(p=p)
