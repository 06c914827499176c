"""How near the nearest chosen row is: mean of max(0, largest cosine) over the rows to be covered.

The value of facility location (Cornuejols, Fisher & Nemhauser 1977, doi:10.1287/mnsc.23.8.789) on rows that
may be others than those it was optimised for. Products are blocked; no n x n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, I64
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures.nearest import BLOCK, nearest, unit

#: Candidates of one product in `reach`.
TILE = 512


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Coverage:
    """`by` names Vectors; `of` are the rows to be covered (held-out ones, say), None: all of the pool."""

    by: str = field(default="vec", kw_only=False)
    of: Vectors | None = None

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"coverage, {self.by}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, 1] for the rows at positions i64[k]; 0 for none."""
        chosen = pool.signal(self.by, Vectors)
        cover = chosen if self.of is None else self.of
        if len(at) == 0 or len(cover) == 0:
            return 0.0
        if self.of is None:
            return float(np.maximum(nearest(chosen, at)[1], 0).mean(dtype=np.float64))
        to, total = unit(chosen.values[np.sort(at)]).T, 0.0
        for a in range(0, len(cover), BLOCK):
            best = (unit(cover.values[a : a + BLOCK]) @ to).max(axis=1)
            total += float(np.maximum(best, 0).sum(dtype=np.float64))
        return total / len(cover)


def reach(
    rows: F32,
    candidates: Vectors,
    sets: Sequence[I64],
    cuts: Sequence[I64],
    *,
    fold: np.ufunc = np.maximum,
) -> list[F32]:
    """For each set, f32[len(cuts[i]), m]: the positive cosines of every row to the first cuts[i][g] members.

    They are folded by `fold`: the largest, or with np.add all together; 0 where there are none. Many sets
    share candidates, so each candidate is multiplied once and handed to the sets that hold it: 2 m d flops
    for each of the united candidates, m for each member of each set.

    Args:
        rows: f32[m, d] of unit length (or 0).
        candidates: f32[n, d], any length.
        sets: i64[k] positions of candidates each, in order.
        cuts: i64[g] each, increasing, the last being the size of the set.
        fold: np.maximum or np.add.
    """
    out = [np.zeros((len(c), len(rows)), np.float32) for c in cuts]
    if not sets:
        return out
    flat = np.concatenate(sets)
    owner = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    part = [np.searchsorted(c, np.arange(len(s)), side="right") for s, c in zip(sets, cuts, strict=True)]
    order = np.argsort(flat, kind="stable")
    union, first = np.unique(flat[order], return_index=True)
    ends = np.append(first, len(flat)).tolist()
    where = zip(owner[order].tolist(), np.concatenate(part)[order].tolist(), strict=True)
    targets = [out[s][g] for s, g in where]
    by_row = np.ascontiguousarray(rows.T)
    for a in range(0, len(union), TILE):
        tile = unit(candidates.values[union[a : a + TILE]]) @ by_row
        np.maximum(tile, 0, out=tile)
        for i, cosines in enumerate(tile, start=a):
            for target in targets[ends[i] : ends[i + 1]]:
                fold(target, cosines, out=target)
    for best in out:
        fold.accumulate(best, axis=0, out=best)
    return out
