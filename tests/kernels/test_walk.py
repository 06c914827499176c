"""The walk three ways: row by row over limits, as plain Python, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core import fill as filling
from shortlist.core import reserve
from shortlist.core.fill import Filler, exact
from shortlist.core.limits import NoWitness, bind
from shortlist.kernels import walk as kernels
from tests.laws.small_limits import drawn

WITH = settings(max_examples=60, deadline=None, derandomize=True, database=None)
NAMES = ("spare", "walk", "allowance", "fronts", "undo", "leave")


@pytest.fixture(params=["compiled", "plain"])
def kernel(request: Any, monkeypatch: Any) -> Callable[..., int]:
    """`walk` with its parts, compiled or not."""
    if request.param == "plain":
        for name in NAMES:
            monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
        monkeypatch.setattr(filling, "walk", kernels.walk)
    found: Callable[..., int] = kernels.walk
    return found


def test_it_is_row_by_row(kernel: Callable[..., int]) -> None:
    seen = {"reserve": 0}

    @WITH
    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(15):
            case = drawn(rng, 9)
            try:
                limits = bind(case.pool, case.rules, case.k)
            except NoWitness:
                continue
            filler, order = Filler.over(limits), rng.permutation(len(case.pool))
            seen["reserve"] += len(filler.keepers) > 0
            assert filler.fill(order).tolist() == exact(limits, order).tolist()

    check()
    assert seen["reserve"] > 100


@WITH
@given(st.integers(0, 2**32 - 1))
def test_spare_is_swap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = drawn(rng, 9)
    try:
        filler = Filler.over(bind(case.pool, case.rules, case.k))
    except NoWitness:
        return
    p, state = filler.limits.patterns, filler.begun
    left = np.array([len(state.held[h]) for h in filler.keepers.tolist()], np.int64)
    head = np.array([filler.limits.costs.price[state.held[h][0]] for h in filler.keepers.tolist()])
    for q in range(len(p.groups)):
        total, drop = state.total.copy(), np.zeros(len(left), np.int64)
        fine = kernels.spare(
            q, filler.cuts, filler.groups, np.stack([p.low, p.high]), total, filler.keepers, left, head, drop
        )
        slow = reserve.swap(p, filler.limits.costs, state.held, state.total, q)
        assert fine == (slow is not None)
        if slow is not None:
            assert total.tolist() == slow.total.tolist()
            given_up = dict(zip(filler.keepers.tolist(), drop.tolist(), strict=True))
            assert {c: t for c, t in given_up.items() if t} == dict(slow.dropped)
        kernels.undo(q, filler.cuts, filler.groups, total, filler.keepers, drop)
        assert total.tolist() == state.total.tolist()


@pytest.mark.parametrize("x", [7, 3, 9])
def test_leave_closes_the_gap(x: int) -> None:
    for leave in (kernels.leave, kernels.leave.py_func):
        held = np.array([5, 7, 3, 9])
        leave(held, 1, x)
        assert held.tolist() == [5, x, *[r for r in (7, 3, 9) if r != x]]
