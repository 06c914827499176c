"""Shingles, sorted sets, Jaccard and the greedy join against Python sets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.kernels.minhash import band_keys, jaccard, join_sets, shingle, sort_rows

ROWS = st.lists(st.lists(st.sampled_from([0, 1, 2, 1 << 63, (1 << 64) - 1]), max_size=9), max_size=6)
SETS = st.lists(st.sets(st.integers(0, 6)), min_size=1, max_size=8)
MASK = (1 << 64) - 1


def ragged(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return indptr, np.array([x for r in rows for x in r], np.uint64)


@given(ROWS, st.integers(1, 4))
@settings(deadline=None)
def test_shingles_are_equal_where_their_tokens_are(rows: list[list[int]], size: int) -> None:
    indptr, tokens = ragged(rows)
    windows = [[tuple(r[i : i + size]) for i in range(max(len(r) - size, 0) + 1)] if r else [] for r in rows]
    answers = []
    for f in (shingle, shingle.py_func):
        out, found = np.zeros(len(indptr), np.int64), np.zeros(len(tokens), np.uint64)
        with np.errstate(over="ignore"):
            f(indptr, tokens, size, out, found)
        answers.append(found[: out[-1]].tolist())
        assert np.diff(out).tolist() == [len(w) for w in windows]
    assert answers[0] == answers[1]
    flat = [w for ws in windows for w in ws]
    assert len(set(zip(flat, answers[0], strict=True))) == len(set(flat)) == len(set(answers[0]))


@given(ROWS)
@settings(deadline=None)
def test_rows_become_increasing_sets(rows: list[list[int]]) -> None:
    indptr, values = ragged(rows)
    for f in (sort_rows, sort_rows.py_func):
        out, moved = np.zeros(len(indptr), np.int64), values.copy()
        f(indptr, moved, out)
        assert [moved[a:b].tolist() for a, b in pairwise(out)] == [sorted(set(r)) for r in rows]


@pytest.mark.parametrize("n", [2, 13, 14, 500])
def test_long_rows_are_sorted(n: int) -> None:
    values = np.random.default_rng(n).integers(0, n, n).astype(np.uint64)
    out, moved = np.zeros(2, np.int64), values.copy()
    sort_rows(np.array([0, n]), moved, out)
    assert moved[: out[1]].tolist() == sorted(set(values.tolist()))


@given(ROWS)
@settings(deadline=None)
def test_band_keys_hash_the_minima(rows: list[list[int]]) -> None:
    indptr, values = ragged(rows)
    factors = np.array([1, 3, 0x9E3779B97F4A7C15, (1 << 64) - 1], np.uint64)
    answers = []
    for f in (band_keys, band_keys.py_func):
        keys = np.zeros((len(rows), 2), np.uint64)
        with np.errstate(over="ignore"):
            f(indptr, values, factors, np.zeros(4, np.uint64), keys)
        answers.append(keys.tolist())
    assert answers[0] == answers[1]
    minima = [[min((x * int(f) & MASK for x in r), default=MASK) for f in factors] for r in rows]
    halves = [(b, tuple(m[2 * b : 2 * b + 2])) for m in minima for b in range(2)]
    flat = [(b, k) for row in answers[0] for b, k in enumerate(row)]
    assert len(set(zip(halves, flat, strict=True))) == len(set(halves)) == len(set(flat))


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.sampled_from([0.0, 0.25, 0.5, 0.8, 1.0]))
@settings(deadline=None, max_examples=200)
def test_jaccard_is_exact_or_zero_below(a: set[int], b: set[int], least: float) -> None:
    sets = np.array(sorted(a) + sorted(b), np.uint64)
    truth = len(a & b) / max(len(a | b), 1)
    for f in (jaccard, jaccard.py_func):
        found = f(sets, 0, len(a), len(a), len(a) + len(b), least)
        assert found == truth or (found == 0.0 and truth < least)


@given(SETS, st.sampled_from([0.25, 0.5, 0.75, 1.0]), st.data())
@settings(deadline=None, max_examples=100)
def test_the_join_is_the_greedy_rule_within_buckets(
    rows: list[set[int]], least: float, data: st.DataObject
) -> None:
    bands = data.draw(st.integers(1, 3))
    cells = st.lists(st.integers(-1, 2), min_size=bands, max_size=bands)
    drawn = {frozenset(r): data.draw(cells) for r in rows}  # equal sets have equal minima
    buckets = np.array([drawn[frozenset(r)] for r in rows], np.int32)
    buckets[buckets >= 0] += 3 * np.nonzero(buckets >= 0)[1].astype(np.int32)
    indptr, sets = ragged([sorted(r) for r in rows])
    of, similarity = [-1] * len(rows), [0.0] * len(rows)
    for i, mine in enumerate(rows):
        for j in (j for j in range(i) if of[j] < 0):
            met = ((buckets[i] == buckets[j]) & (buckets[i] >= 0)).any()
            index = len(mine & rows[j]) / max(len(mine | rows[j]), 1)
            if met and index >= least and index > similarity[i]:
                of[i], similarity[i] = j, index
    for f in (join_sets, join_sets.py_func):
        n = len(rows)
        found, alike = np.zeros(n, np.int64), np.zeros(n)
        empty = np.full(9, -1, np.int32), np.full((n, bands), -1, np.int32), np.full(n, -1, np.int32)
        f(indptr, sets, buckets, least, *empty, found, alike)
        assert found.tolist() == of
        assert alike.tolist() == similarity
