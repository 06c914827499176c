"""Herding and gradient matching against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.sample import gradient_matching, herding
from shortlist.methods.sample.gradient_matching import GradientMatching
from shortlist.methods.sample.herding import Herding


def pool(n: int = 70, d: int = 5, seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    return Pool.of({"vec": Vectors((rng.normal(size=(n, d)) + rng.normal(size=d)).astype(np.float32))})


def unit(some: Pool) -> np.ndarray:
    values = some.columns["vec"].values.astype(np.float64)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize("k", [1, 8, 70])
def test_herding_is_its_rule(k: int) -> None:
    some = pool()
    got = Herding()(None, bind(some, [], k), some).rows.tolist()
    assert got == herding.exact(unit(some), k)


def test_herding_by_distance_is_icarl() -> None:
    some = pool()
    rows = some.columns["vec"].values.astype(np.float64)
    taken: list[int] = []
    for t in range(10):
        w = (t + 1) * rows.mean(axis=0) - rows[taken].sum(axis=0)
        left = [i for i in range(70) if i not in taken]
        taken.append(min(left, key=lambda i: float(((w - rows[i]) ** 2).sum())))
    got = Herding(spherical=False)(None, bind(some, [], 10), some).rows.tolist()
    # the scale divided by is no power of two: only true near-ties could part them
    assert got == taken


def test_rows_shown_count_and_rows_left_out_do_not_come() -> None:
    some = pool()
    first = herding.exact(unit(some), 6)
    got = Herding()(None, bind(some, [Shown(first[:2])], 4), some).rows.tolist()
    assert got == first[2:]
    got = Herding()(None, bind(some, [Exclude(first[:2])], 4), some).rows.tolist()
    assert not set(got) & set(first[:2])
    rows = some.columns["vec"].values.astype(np.float64)
    ridge = 0.5 * (rows**2).sum(axis=1).mean()
    first = gradient_matching.exact(rows, 6, ridge)
    got = GradientMatching()(None, bind(some, [Shown(first[:2])], 4), some).rows.tolist()
    assert got == first[2:]


@pytest.mark.parametrize("ridge", [0.001, 0.5, 20.0])
@pytest.mark.parametrize("many", [0.0, 0.1, 1.0])
def test_pursuit_is_its_rule(ridge: float, many: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_matching, "MANY", many)
    some = pool(90, 7, 3)
    rows = some.columns["vec"].values.astype(np.float64)
    want = gradient_matching.exact(rows, 40, ridge * (rows**2).sum(axis=1).mean())
    solver = GradientMatching(ridge=ridge)
    got = solver(None, bind(some, [], 40), some).rows
    assert got.tolist() == want
    x, r = rows[got], ridge * (rows**2).sum(axis=1).mean()
    fit = np.linalg.solve(x @ x.T + r * np.eye(40), x @ rows.mean(axis=0)) * 90
    np.testing.assert_allclose(solver.weights(some, got), fit, rtol=1e-6)


def test_a_ridge_is_above_nought() -> None:
    for ridge in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="ridge must be above 0"):
            GradientMatching(ridge=ridge)
