"""Rows that share a key in some table: the only ones that a hashing deduper compares."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial

import numpy as np

from shortlist.core.arrays import I32, I64, U64
from shortlist.core.effects import Plan, scan


def meeting(order: I64, key: Callable[[int], U64], tables: int) -> Plan[tuple[I64, I32]]:
    """The rows i64[s] of the order that share a key with another in some table, and their buckets
    i32[s, tables] (-1 where a row is alone); tables share no bucket. key(table): u64[n], in order."""
    grouped = yield from scan(partial(_grouped, key), operator.add, range(tables), "grouping rows")
    meets = np.flatnonzero(np.any([g >= 0 for g in grouped], axis=0))
    start = np.cumsum([0, *(int(g.max(initial=-1)) + 1 for g in grouped)])
    buckets = np.empty((len(meets), tables), np.int32)
    for table, group in enumerate(grouped):
        buckets[:, table] = np.where(group[meets] >= 0, group[meets] + start[table], -1)
    return order[meets], buckets


def _grouped(key_of: Callable[[int], U64], table: int) -> list[I32]:
    """[i32[n]]: the number of each row's bucket in this table, -1 where it is alone."""
    key = key_of(table)
    order = np.argsort(key)  # equal keys in any order: only the buckets count
    first, last = np.ones((2, len(key)), bool)  # of its run of equal keys
    first[1:] = key[order[1:]] != key[order[:-1]]
    last[:-1] = first[1:]
    shared = ~(first & last)
    group = np.full(len(key), -1, np.int32)
    group[order[shared]] = (np.cumsum(first & shared) - 1)[shared]
    return [group]
