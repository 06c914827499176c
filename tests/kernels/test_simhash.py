"""SimHash codes and their join three ways: Python integers, plain Python, compiled."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.kernels.simhash import codes_of, differing, join_codes

WORD = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 2**63, 2**64 - 1]))


@given(st.lists(st.lists(WORD, max_size=5), max_size=4))
@settings(deadline=None)
def test_a_bit_is_the_vote_of_the_shingles(rows: list[list[int]]) -> None:
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    shingles = np.array([x for r in rows for x in r], np.uint64)
    want = [sum(1 << b for b in range(64) if 2 * sum(x >> b & 1 for x in r) > len(r)) for r in rows]
    for f in (codes_of, codes_of.py_func):
        codes = np.zeros(len(rows), np.uint64)
        f(indptr, shingles, np.zeros(64, np.int64), codes)
        assert codes.tolist() == want


@given(WORD, WORD)
@settings(deadline=None)
def test_differing_bits_are_counted(x: int, y: int) -> None:
    for f in (differing, differing.py_func):
        assert f(np.uint64(x), np.uint64(y)) == (x ^ y).bit_count()


@given(st.lists(st.sampled_from([0, 1, 3, 7, 2**63, 2**63 + 1]), min_size=1, max_size=9), st.integers(0, 3))
@settings(deadline=None)
def test_the_join_is_its_definition(codes: list[int], bits: int) -> None:
    of: list[int] = []
    apart: list[int] = []
    for i, x in enumerate(codes):
        near = min((((x ^ codes[j]).bit_count(), j) for j in range(i) if of[j] < 0), default=(bits + 1, -1))
        of.append(near[1] if near[0] <= bits else -1)
        apart.append(min(near[0], bits + 1))
    for f in (join_codes, join_codes.py_func):
        found = np.zeros((2, len(codes)), np.int64)
        head, after = np.full(1, -1, np.int32), np.full((len(codes), 1), -1, np.int32)
        buckets = np.zeros((len(codes), 1), np.int32)
        f(np.array(codes, np.uint64), buckets, bits, head, after, *found)
        assert found.tolist() == [of, apart]
