"""The prefix join three ways: sets in Python, plain Python, compiled."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.kernels.minhash import sort_rows
from shortlist.kernels.prefix import count_hashes, join_prefixes, overlap, prefix_length, shared_keys

SETS = st.lists(st.sets(st.integers(0, 9), max_size=7), min_size=1, max_size=9)
LEAST = st.sampled_from([0.1, 0.3, 0.5, 2 / 3, 0.8, 1.0])


def ragged(sets: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    spread = 0x9E3779B97F4A7C15  # so that elements differ in high bits too
    rows = [sorted(x * spread % 2**64 for x in s) for s in sets]
    return np.cumsum([0, *map(len, rows)]).astype(np.int64), np.array([x for r in rows for x in r], np.uint64)


def joined(sets: list[set[int]], least: float, cells: int, plain: bool) -> tuple[list[int], list[float]]:
    count, key, sort, join = (
        f.py_func if plain else f for f in (count_hashes, shared_keys, sort_rows, join_prefixes)
    )
    indptr, values = ragged(sets)
    counts, n = np.zeros(cells, np.uint8), len(sets)
    count(values, counts)
    size, out, end = np.zeros(n, np.int32), np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    key(indptr, values, counts, size, out)
    sort(out, values, end)
    assert (out == end).all()
    head, seen = np.full(cells, -1, np.int32), np.full(n, -1, np.int32)
    room = [np.zeros(out[-1] + 1, t) for t in (np.int32, np.int32, np.int32)]
    of, similarity = np.zeros(n, np.int64), np.zeros(n)
    join(out, values, size, least, head, *room, seen, of, similarity)
    return of.tolist(), similarity.tolist()


def by_definition(sets: list[set[int]], least: float) -> tuple[list[int], list[float]]:
    of: list[int] = []
    similarity: list[float] = []
    for i, mine in enumerate(sets):
        likes = [
            (len(mine & sets[j]) / len(mine | sets[j]), -j) for j in range(i) if of[j] < 0 and mine | sets[j]
        ]
        best, place = max(likes, default=(0.0, 0))
        found = best >= least
        of.append(-place if found else -1)
        similarity.append(best if found else 0.0)
    return of, similarity


@given(SETS, LEAST, st.sampled_from([1, 4, 64]))
@settings(deadline=None, max_examples=200)
def test_the_join_is_its_definition(sets: list[set[int]], least: float, cells: int) -> None:
    want = by_definition(sets, least)
    assert joined(sets, least, cells, plain=False) == want
    assert joined(sets, least, cells, plain=True) == want


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.integers(0, 6))
@settings(deadline=None)
def test_overlap_is_exact_or_too_small(a: set[int], b: set[int], need: int) -> None:
    keys = np.array(sorted(a) + sorted(b), np.uint64)
    for f in (overlap, overlap.py_func):
        found = f(keys, 0, len(a), len(a), len(keys), float(need))
        assert found == len(a & b) if len(a & b) >= need else found in (-1, len(a & b))


def test_a_prefix_holds_what_two_alike_sets_share_first() -> None:
    for f in (prefix_length, prefix_length.py_func):
        assert [f(size, 0.8) for size in (0, 1, 4, 5, 10)] == [0, 1, 1, 2, 3]
        assert f(10, 1.0) == 1
        assert f(30, 0.1) == 28  # 0.1 * 30 is above 3 in floating point, and 3 common elements are enough


def test_counts_stop_at_their_ceiling() -> None:
    for f in (count_hashes, count_hashes.py_func):
        counts = np.zeros(2, np.uint8)
        f(np.repeat(np.array([4, 7], np.uint64), [300, 3]), counts)
        assert counts.tolist() == [255, 3]
