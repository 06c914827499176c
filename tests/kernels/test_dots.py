"""Products with one direction three ways: compiled, plain Python, NumPy; and each row by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.kernels import dots as module
from shortlist.kernels.dots import dots, dots_plain, row_dots


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 35))
@settings(deadline=None, max_examples=60)
def test_three_ways_to_the_bit(seed, n, d):
    rng = np.random.default_rng(seed)
    values, direction = rng.normal(size=(n, d)).astype(np.float32), rng.normal(size=d) * 1e6
    at = rng.integers(0, n, 9) if n else np.zeros(0, np.int64)
    answers = [dots(values, direction, at), dots_plain(values, direction, at)]
    for f in (row_dots, row_dots.py_func):
        out = np.full(len(at), np.nan)
        f(values, direction, at, out)
        answers.append(out)
    assert len({a.tobytes() for a in answers}) == 1
    np.testing.assert_allclose(answers[0], values[at].astype(np.float64) @ direction, rtol=1e-9, atol=1e-6)


def test_many_rows_without_numba(monkeypatch):
    rng = np.random.default_rng(0)
    values, direction, at = (
        rng.normal(size=(2500, 9)).astype(np.float32),
        rng.normal(size=9),
        rng.permutation(2500),
    )
    compiled = dots(values, direction, at)
    monkeypatch.setattr(module, "have_numba", lambda: False)
    assert dots(values, direction, at).tobytes() == compiled.tobytes()
