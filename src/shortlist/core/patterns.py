"""Rows that every bound sees alike form one pattern: quotas are decided a pattern at a time, not a row.

A *group* is what one or more counting bounds are about (a label, a tag, the whole pool, a list of rows); a
*pattern* is the set of groups that a row is in. Groups of the same rows are one group with the tighter
bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import I32, I64
from shortlist.core.contracts import Row

#: No bound from above: more than any count, and sums of a few of it do not wrap.
FREE = 1 << 60


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """G groups (0 is the whole pool) and P patterns of n rows.

    of i32[n]: the pattern of each row; low, high i64[G]; low_by, high_by i64[G]: which `Row` sets that bound
    (-1: none); groups: the groups of each pattern, increasing; holders: the patterns of each group,
    increasing; group_of i64[R]: the group of each inequality, -1 for those with weights.
    """

    of: I32
    low: I64
    high: I64
    low_by: I64
    high_by: I64
    groups: tuple[I64, ...]
    holders: tuple[I64, ...]
    group_of: I64


def patterns(rows: Sequence[Row], n: int) -> Patterns:
    """Patterns of the counting bounds among `rows` (those without weights) over n rows of a pool.

    Splits patterns one group after another: O(sum of group sizes x log) in time, O(n) in memory.
    """
    counting = [(i, r) for i, r in enumerate(rows) if r.weight is None]
    members = [None if r.at is None or len(r.at) == n else r.at for _, r in counting]
    of = _split([at for at in members if at is not None], n)
    count = int(of.max(initial=0)) + 1
    # one row stands for each pattern; a group holds a pattern when it holds that row
    first = np.full(count, -1, np.int64)
    first[of[::-1]] = np.arange(n - 1, -1, -1)
    stands = np.zeros(n, bool)
    stands[first[first >= 0]] = True
    everything = np.arange(count)
    number: dict[bytes, int] = {everything.tobytes(): 0}
    holders: list[I64] = [everything]
    low, high, low_by, high_by = [0], [FREE], [-1], [-1]
    group_of = np.full(len(rows), -1, np.int64)
    for (i, row), at in zip(counting, members, strict=True):
        held = everything if at is None else np.sort(of[at[stands[at]]]).astype(np.int64)
        g = number.setdefault(held.tobytes(), len(holders))
        if g == len(holders):
            holders.append(held)
            for bounds, start in ((low, 0), (high, FREE), (low_by, -1), (high_by, -1)):
                bounds.append(start)
        group_of[i] = g
        least = math.ceil(row.low) if row.low > 0 else 0
        if least > low[g]:
            low[g], low_by[g] = least, i
        most = math.floor(row.high) if row.high < FREE else FREE
        if most < high[g]:
            high[g], high_by[g] = most, i
    return Patterns(
        of,
        np.array(low, np.int64),
        np.array(high, np.int64),
        np.array(low_by, np.int64),
        np.array(high_by, np.int64),
        _turned(holders, count),
        tuple(holders),
        group_of,
    )


def _split(members: list[I64], n: int) -> I32:
    """Number the patterns: each group parts every pattern that it holds only some rows of."""
    of = np.zeros(n, np.int32)
    size = [n]
    for at in members:
        old, inverse, count = np.unique(of[at], return_inverse=True, return_counts=True)
        new = old.copy()
        for j, (p, c) in enumerate(zip(old.tolist(), count.tolist(), strict=True)):
            if c < size[p]:
                size[p] -= c
                new[j] = len(size)
                size.append(c)
        of[at] = new[inverse]
    return of


def _turned(holders: list[I64], p: int) -> tuple[I64, ...]:
    """The groups of each pattern from the patterns of each group."""
    pattern = np.concatenate(holders)
    group = np.repeat(np.arange(len(holders)), [len(h) for h in holders])
    order = np.argsort(pattern, kind="stable")
    cuts = np.cumsum(np.bincount(pattern, minlength=p))[:-1]
    return tuple(np.split(group[order], cuts))
