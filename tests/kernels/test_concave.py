"""Gains of sparse rows three ways: double loop, plain Python, compiled; and the NumPy form of the columns."""

from __future__ import annotations

from math import log1p, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core import columns
from shortlist.core.columns import Columns
from shortlist.kernels.concave import level_sums, log_gains, room_gains, root_gains
from shortlist.methods.objective.feature_based import Log, Saturate, Sqrt

ENTRIES = st.sampled_from([2.0**-30, 0.25, 0.5, 1.0, 1 + 2.0**-23, 3.0])
LEVELS = st.sampled_from([0.0, 2.0**-40, 0.5, 1.0, 7.0])
TERMS = {
    root_gains: lambda x, a: x / (sqrt(a + x) + sqrt(a)),
    log_gains: lambda x, a: log1p(x / (1 + a)),
    room_gains: min,
}
CONCAVE = {root_gains: Sqrt(), log_gains: Log(), room_gains: Saturate()}


@st.composite
def cases(draw):
    n, w = draw(st.integers(0, 5)), draw(st.integers(1, 5))
    rows = [sorted(draw(st.sets(st.integers(0, w - 1)))) for _ in range(n)]
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    indices = np.array([i for row in rows for i in row], np.int32)
    data = np.array([draw(ENTRIES) for _ in indices], np.float32)
    level, scale = (np.array([draw(LEVELS) for _ in range(w)]) for _ in range(2))
    at = np.array(draw(st.lists(st.integers(0, n - 1), max_size=7)) if n else [], np.int64)
    return Columns(indptr, indices, data, w), level, scale, at


@given(cases(), st.sampled_from(sorted(TERMS, key=lambda k: k.__name__)))
@settings(deadline=None, max_examples=80)
def test_gains_three_ways_and_the_numpy_form(case, kernel):
    rows, level, scale, at = case
    want = [
        sum((scale[c] * TERMS[kernel](float(x), level[c]) for c, x in zip(*rows.row(i), strict=True)), 0.0)
        for i in at
    ]
    level = level + 1 if kernel is log_gains else level
    answers = []
    for f in (kernel, kernel.py_func):
        out = np.full(len(at), np.nan)
        f(rows.indptr, rows.indices, rows.data, level, scale, at, out)
        answers.append(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "have_numba", lambda: False)
        answers.append(CONCAVE[kernel].gains(rows, level, scale, at))
    for answer in answers:
        if kernel is log_gains:  # logarithms of libraries differ in the last bit
            np.testing.assert_allclose(answer, want, rtol=1e-14)
        else:
            np.testing.assert_array_equal(answer, want)


@given(cases())
@settings(deadline=None, max_examples=40)
def test_sums_of_levels_three_ways_and_the_numpy_form(case):
    rows, level, _, at = case
    want = [sum((float(x) * level[c] for c, x in zip(*rows.row(i), strict=True)), 0.0) for i in at]
    for f in (level_sums, level_sums.py_func):
        out = np.full(len(at), np.nan)
        f(rows.indptr, rows.indices, rows.data, level, at, out)
        np.testing.assert_array_equal(out, want)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "have_numba", lambda: False)
        np.testing.assert_array_equal(rows.levels(level, at), want)
    np.testing.assert_array_equal(rows.dense(at) @ level, rows.levels(level, at))
