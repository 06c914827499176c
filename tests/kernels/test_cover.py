"""The cover kernel three ways: double loop, plain Python, compiled; and the NumPy form of the method."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.cells import placed_plain
from shortlist.core.covered import gains_below, gains_below_plain
from shortlist.core.near import Near, gains_above_plain, passing, passing_plain
from shortlist.kernels.cover import above, columns, cover_gains, place, rough_gains

VALUES = st.sampled_from([0.0, 0.25, 0.5, float(np.float32(1) - np.float32(2**-24)), 1.0])


@st.composite
def covers(draw):
    n, m = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    rows = [sorted(draw(st.sets(st.integers(0, m - 1)))) for _ in range(n)]
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    indices = np.array([i for row in rows for i in row], np.int32)
    data = np.array([draw(VALUES) for _ in indices], np.float32)
    cover = np.array([draw(VALUES) for _ in range(m)], np.float32)
    at = np.array(draw(st.lists(st.integers(0, n - 1), max_size=8)) if n else [], np.int64)
    return indptr, indices, data, cover, at


def oracle(indptr, indices, data, cover, at):
    out = []
    for i in at:
        pairs = zip(indices[indptr[i] : indptr[i + 1]], data[indptr[i] : indptr[i + 1]], strict=True)
        out.append(sum((max(float(v) - float(cover[u]), 0.0) for u, v in pairs), 0.0))
    return np.array(out)


@given(covers())
@settings(deadline=None, max_examples=60)
def test_three_ways_and_the_numpy_form(case):
    *_, at = case
    want = oracle(*case)
    for f in (cover_gains, cover_gains.py_func):
        out = np.full(len(at), np.nan)
        f(*case, out)
        np.testing.assert_array_equal(out, want)
    indptr, indices, data, cover, _ = case
    np.testing.assert_array_equal(gains_above_plain(Near(indptr, indices, data), cover, at), want)


@given(
    st.integers(0, 7).flatmap(
        lambda n: st.integers(0, 7).flatmap(
            lambda m: st.tuples(
                st.just(n),
                st.just(m),
                st.lists(VALUES, min_size=n * m, max_size=n * m),
                st.lists(VALUES, min_size=8, max_size=8),
            )
        )
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_entries_above_three_ways_and_the_numpy_form(case, mirror):
    n, m, values, floors = case
    tile = np.array(values, np.float32).reshape(n, m)
    floor = np.array(floors, np.float32)[: n if mirror else m]
    seen = tile.T if mirror else tile
    want = [
        (a, b, seen[a, b]) for a in range(len(seen)) for b in range(seen.shape[1]) if seen[a, b] > floor[b]
    ]
    for f in (above, above.py_func):
        size, column = np.full(len(seen), -1), np.zeros(n * m, np.uint16)
        value = np.zeros(n * m, np.float32)
        z = f(tile, floor, mirror, size, column, value)
        assert list(zip(np.repeat(np.arange(len(seen)), size), column[:z], value[:z], strict=True)) == want
    for f in (passing, passing_plain):
        size, column, value = f(tile, floor, mirror)
        assert list(zip(np.repeat(np.arange(len(seen)), size), column, value, strict=True)) == want


@given(st.integers(0, 2**32 - 1), st.integers(1, 2200))
@settings(deadline=None, max_examples=25)
def test_a_rough_gain_does_not_depend_on_its_company(seed, m):
    rng = np.random.default_rng(seed)
    rough, cover = rng.random((70, m), np.float32), rng.random(m, np.float32)
    at = rng.permutation(70)
    together = gains_below(rough, cover, at)
    alone = np.concatenate([gains_below(rough, cover, at[i : i + 1]) for i in range(70)])
    np.testing.assert_array_equal(together, alone)
    want = np.maximum(rough[at].astype(np.float64) - cover, 0).sum(axis=1)
    np.testing.assert_allclose(together, want, rtol=1e-6)
    np.testing.assert_array_equal(gains_below_plain(rough, cover, at), together)
    out = np.full(9, np.nan)
    rough_gains.py_func(rough, cover, at[:9], out)
    np.testing.assert_array_equal(out, together[:9])


@given(st.integers(0, 9), st.integers(1, 9), st.lists(st.integers(0, 8), max_size=9))
@settings(deadline=None, max_examples=40)
def test_columns_are_those_that_are_named(n, m, live):
    table = np.arange(n * m, dtype=np.float32).reshape(n, m)
    named = np.array([j for j in live if j < m], np.int64)
    for f in (columns, columns.py_func):
        out = np.full((n, len(named)), np.nan, np.float32)
        f(table, named, out)
        np.testing.assert_array_equal(out, table[:, named])


@given(st.lists(st.integers(0, 3), max_size=6), st.integers(0, 2**16))
@settings(deadline=None, max_examples=40)
def test_entries_go_to_their_rows(sizes, seed):
    rng = np.random.default_rng(seed)
    size = np.array(sizes, np.uint16)
    rows, z = rng.permutation(len(sizes)).astype(np.int64), int(size.sum())
    wide, column = np.arange(10, 15, dtype=np.int32), rng.integers(0, 5, z).astype(np.uint16)
    value = rng.random(z).astype(np.float32)
    indptr = np.zeros(len(sizes) + 1, np.int64)
    indptr[rows + 1] = size
    np.cumsum(indptr, out=indptr)
    want = None
    for f in (place, place.py_func, lambda *a: placed_plain(*a)):
        indices, data, free = np.full(z, -1, np.int32), np.zeros(z, np.float32), indptr[:-1].copy()
        f(rows, size, wide, column, value, free, indices, data)
        told = (indices.tolist(), data.tolist(), free.tolist())
        want = want or told
        assert told == want
        assert (free == indptr[1:]).all()
