"""Containment in indexed sets three ways: Python sets, plain Python, compiled."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.kernels.contain import index_sets, most_contained

SETS = st.lists(st.sets(st.integers(0, 6)), max_size=5)


def ragged(sets: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    flat = [x for s in sets for x in sorted(s)]
    return np.cumsum([0, *map(len, sets)]).astype(np.int64), np.array(flat, np.uint64)


@given(SETS, SETS, st.sampled_from([1, 2, 16]))
@settings(deadline=None)
def test_the_most_contained_is_found(rows: list[set[int]], few: list[set[int]], cells: int) -> None:
    want = []
    for mine in rows:
        share = [(len(mine & theirs) / max(len(theirs), 1), -j) for j, theirs in enumerate(few)]
        best, place = max(share, default=(0.0, 1))
        want.append((-place if best > 0 else -1, best))
    for plain in (False, True):
        index, count = (f.py_func if plain else f for f in (index_sets, most_contained))
        ends, values = ragged(few)
        head = np.full(cells, -1, np.int64)
        after, owner = np.zeros((2, len(values)), np.int64)
        index(ends, values, head, after, owner)
        scratch, of, held = (
            np.zeros((2, len(few)), np.int64),
            np.zeros(len(rows), np.int64),
            np.zeros(len(rows)),
        )
        count(*ragged(rows), ends, values, head, after, owner, scratch[0], scratch[1], of, held)
        assert list(zip(of.tolist(), held.tolist(), strict=True)) == want
        assert not scratch[0].any()
