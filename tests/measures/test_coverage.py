"""Coverage of rows, one choice or many at once, against a double loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures import coverage
from shortlist.measures.coverage import Coverage, reach
from shortlist.measures.nearest import unit

FEW = np.array([[0, 0], [1, 0], [2, 0], [-1, 0], [0, 1], [1, 1], [1, 1 + 2**-20]], np.float32)


def slow(rows: np.ndarray, candidates: np.ndarray, at: np.ndarray) -> np.ndarray:
    best = np.zeros(len(rows))
    for i, u in enumerate(rows.astype(float)):
        for j in at:
            v = candidates[j].astype(float)
            lengths = np.linalg.norm(u) * np.linalg.norm(v)
            best[i] = max(best[i], u @ v / lengths if lengths > 0 else 0.0)
    return best


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, len(FEW) - 1), min_size=1, max_size=12),
    st.lists(st.lists(st.integers(0, len(FEW) - 1), max_size=6), max_size=5),
    st.sampled_from([1, 3, 512]),
)
def test_reach_is_the_double_loop(rows: list[int], members: list[list[int]], tile: int) -> None:
    before, coverage.TILE = coverage.TILE, tile
    try:
        sets = [np.array(m, np.int64) for m in members]
        cuts = [np.unique([0, len(s) // 2, len(s)]) for s in sets]
        found = reach(unit(FEW[rows]), Vectors(FEW), sets, cuts)
    finally:
        coverage.TILE = before
    assert len(found) == len(sets)
    for s, c, got in zip(sets, cuts, found, strict=True):
        for size, best in zip(c, got, strict=True):
            assert best == pytest.approx(slow(FEW[rows], FEW, s[:size]), abs=1e-6)


def test_coverage_of_the_pool_and_of_other_rows() -> None:
    x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    y = np.random.default_rng(1).normal(size=(25, 6)).astype(np.float32)
    pool, at = Pool.of({"vec": Vectors(x)}), np.array([7, 3, 30])
    assert Coverage("vec")(pool, at) == pytest.approx(slow(x, x, at).mean(), rel=1e-5)
    assert Coverage("vec", of=Vectors(y))(pool, at) == pytest.approx(slow(y, x, at).mean(), rel=1e-5)
    assert Coverage("vec", of=Vectors(y[:0]))(pool, at) == 0.0
    assert Coverage("vec")(pool, at[:0]) == 0.0
    assert Coverage("vec").name == "coverage, vec"
