"""Counts and products of sparse rows against dictionaries and dense arrays."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.kernels.sparse import count_terms, sparse_product, term_counts, times

ROWS = st.lists(st.lists(st.sampled_from([0, 1, 1 << 60, 1 << 63, (1 << 64) - 1]), max_size=8), max_size=5)
VALUES = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 1 + 2**-23])


def ragged(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return indptr, np.array([x for r in rows for x in r], np.uint64)


@given(ROWS, st.sampled_from([1, 4, 18]))
@settings(deadline=None)
def test_counts_are_those_of_a_counter(rows: list[list[int]], bits: int) -> None:
    indptr, tokens = ragged(rows)
    expected = [list(Counter(x >> (64 - bits) for x in r).items()) for r in rows]
    for f in (count_terms, count_terms.py_func):
        tally, out = np.zeros(1 << bits, np.int32), np.zeros(len(indptr), np.int64)
        columns, counts = np.zeros(len(tokens), np.int32), np.zeros(len(tokens), np.int32)
        f(indptr, tokens, 64 - bits, tally, out, columns, counts)
        found = list(zip(columns.tolist(), counts.tolist(), strict=True))
        assert [found[a:b] for a, b in itertools.pairwise(out)] == expected
        assert not tally.any()
    out, columns, counts = term_counts(indptr, tokens, bits)
    assert out[-1] == len(columns) == len(counts) == sum(map(len, expected))


@given(st.data(), st.booleans())
@settings(deadline=None)
def test_products_are_those_of_dense_arrays(data: st.DataObject, unit: bool) -> None:
    n, w, d = (data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4)), data.draw(st.integers(1, 5)))
    rows = [data.draw(st.lists(st.tuples(st.integers(0, w - 1), VALUES), max_size=4)) for _ in range(n)]
    flat = data.draw(st.lists(VALUES, min_size=w * d, max_size=w * d))
    dense = np.array(flat, np.float32).reshape(w, d)
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    indices = np.array([c for r in rows for c, _ in r], np.int32)
    weight = np.array([v for r in rows for _, v in r], np.float32)
    expected = np.zeros((n, d))
    for i, row in enumerate(rows):
        for c, v in row:
            expected[i] += np.float64(np.float32(v)) * dense[c].astype(np.float64)
    if unit:
        norm = np.linalg.norm(expected, axis=1, keepdims=True)
        expected = np.divide(expected, norm, out=expected, where=norm > 0)
    answers = [times(indptr, indices, weight, dense, unit=unit)]
    for f in (sparse_product, sparse_product.py_func):
        out = np.full((n, d), np.nan, np.float32)
        f(indptr, indices, weight, dense, unit, np.empty(d), out)
        answers.append(out)
    for answer in answers:
        np.testing.assert_allclose(answer, expected, rtol=2e-7, atol=1e-12)
    assert answers[1].tobytes() == answers[2].tobytes() == answers[0].tobytes()
