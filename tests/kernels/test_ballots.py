"""The ballot kernels three ways: the definition, plain Python, compiled; and the NumPy forms."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.ballots import Approvals
from shortlist.kernels.ballots import (
    approval_gains,
    equal_shares_next,
    equal_shares_price,
    phragmen_next,
    rank_gains,
)
from shortlist.methods.objective.chamberlin_courant import rank_gains_plain
from shortlist.methods.objective.proportional_approval import approval_gains_plain
from shortlist.methods.solve.phragmen import phragmen_next_plain

SEEDS = range(40)


def profile(rng: np.random.Generator) -> Approvals:
    n, m = int(rng.integers(0, 9)), int(rng.integers(0, 7))
    sets = [np.flatnonzero(rng.random(n) < 0.4) for _ in range(m)]
    return Approvals.of(sets, n, rng.choice([0.3, 1.0, 2.0], m).tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_gains_of_approvals(seed):
    rng = np.random.default_rng(seed)
    b = profile(rng)
    worth = rng.choice([0.0, 1 / 3, 0.1, 1.0], len(b.weight))
    at = rng.integers(0, max(len(b), 1), 5) if len(b) else np.zeros(0, np.int64)
    want = np.array([sum((float(worth[v]) for v in b.at(r)), 0.0) for r in at])
    for f in (approval_gains, approval_gains.py_func, approval_gains_plain):
        out = np.full(len(at), np.nan)
        f(b.indptr, b.voters, worth, at, out)
        assert out.tobytes() == want.tobytes()


@pytest.mark.parametrize("seed", SEEDS)
def test_gains_of_rankings(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 8)), int(rng.integers(0, 6))
    place, best = rng.integers(0, 2 * n, (n, m)).astype(np.int32), rng.integers(0, 2 * n, m).astype(np.int32)
    weight, at = rng.choice([0.3, 1.0], m), rng.integers(0, n, 6)
    want = np.array(
        [sum((weight[v] * max(int(best[v] - place[r, v]), 0) for v in range(m)), 0.0) for r in at]
    )
    for f in (rank_gains, rank_gains.py_func, rank_gains_plain):
        out = np.full(len(at), np.nan)
        f(place, weight, best, at, out)
        assert out.tobytes() == want.tobytes()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_next_seat_by_load(seed):
    rng = np.random.default_rng(seed)
    b = profile(rng)
    load = rng.choice([-0.5, 0.0, 0.1, 0.7], len(b.weight))
    free = rng.random(len(b)) < 0.8
    told = []
    for f in (phragmen_next, phragmen_next.py_func, phragmen_next_plain):
        share = np.full(len(b), np.nan)
        told.append((f(b.indptr, b.voters, b.weight, load, free, share, 1e-10), share.tobytes()))
    assert told[0] == told[1] == told[2]
    least = [
        (1 + (b.weight[who] * load[who]).sum()) / b.weight[who].sum() if len(who) else np.inf
        for who in map(b.at, range(len(b)))
    ]
    ranked = sorted((round(least[r], 9), r) for r in np.flatnonzero(free))
    assert told[0][0] == (ranked[0][1] if ranked else -1)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_next_seat_by_price(seed):
    rng = np.random.default_rng(seed)
    b = profile(rng)
    budget = b.weight * rng.choice([0.0, 0.2, 0.5, 1.1], len(b.weight))
    free, price = rng.random(len(b)) < 0.8, np.zeros(len(b))
    want = np.full(len(b), np.inf)
    for r in range(len(b)):
        who = b.at(r)
        paid = equal_shares_price(who, b.weight, budget, np.inf, 1e-10)
        if budget[who].sum() >= 1 - 1e-10:
            want[r] = paid
            assert np.isclose(np.minimum(budget[who], paid * b.weight[who]).sum(), 1)
        else:
            assert paid == np.inf
    first = equal_shares_next(b.indptr, b.voters, b.weight, budget, free, price, 1e-10)
    again = equal_shares_next.py_func(b.indptr, b.voters, b.weight, budget, free, np.zeros(len(b)), 1e-10)
    ranked = sorted((round(want[r], 9), r) for r in np.flatnonzero(free & np.isfinite(want)))
    assert first == again == (ranked[0][1] if ranked else -1)
    assert (price[free] <= want[free] * (1 + 1e-9)).all()  # bounds from below, or inf
