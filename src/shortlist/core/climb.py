"""Greedy ascent with no constraints, as short as its definition: the yardstick of claims and laws."""

from __future__ import annotations

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.contracts import Built


def climb(built: Built, k: int) -> I64:
    """i64[min(k, n)]: positions in order of choice; each has the largest total gain, the lowest wins ties.

    Takes k rows even where gains are negative. For real work use a solver: this one asks for every gain.
    """
    state = built.start()
    left = np.arange(len(built), dtype=np.int64)
    chosen: list[int] = []
    for _ in range(min(k, len(built))):
        best = int(np.argmax(built.gains(state, left).sum(axis=1)))
        chosen.append(int(left[best]))
        state = built.add(state, chosen[-1])
        left = np.delete(left, best)
    return np.array(chosen, np.int64)
