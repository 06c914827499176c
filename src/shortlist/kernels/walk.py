"""Rows taken in a given order under least counts, most counts and budgets: `core.fill.exact`, compiled."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel

F64: TypeAlias = npt.NDArray[np.float64]
I64: TypeAlias = npt.NDArray[np.int64]


@kernel
def spare(
    q: int,
    cuts: I64,
    groups: I64,
    bounds: I64,
    total: I64,
    keepers: I64,
    left: I64,
    head: F64,
    drop: I64,
) -> bool:
    """A row of pattern q joins: which reserve rows it makes needless, as `core.reserve.swap` says.

    The groups of pattern p are groups[cuts[p]:cuts[p + 1]]; bounds i64[2, G]: least and most counts; total
    i64[G], of choice and reserve, is changed; keepers i64[H]: patterns with a reserve, increasing, of
    left i64[H] rows, the dearest of price head f64[H]; drop i64[H]: filled with how many are given up.
    False if a most count is passed all the same.
    """
    a, b = cuts[q], cuts[q + 1]
    for h in range(len(keepers)):
        # first how many groups giving up would make room in, below 0 what need not be looked at
        drop[h] = -1
        met, over = False, 0
        for i in range(cuts[keepers[h]], cuts[keepers[h] + 1]):
            for j in range(a, b):
                if groups[i] == groups[j]:
                    met = met or total[groups[i]] == bounds[0, groups[i]]
                    over += total[groups[i]] >= bounds[1, groups[i]]
        if met and left[h] > 0:
            drop[h] = over
    for j in range(a, b):
        total[groups[j]] += 1
    while True:
        best = -1
        for h in range(len(keepers)):
            if drop[h] >= 0 and (
                best < 0 or drop[h] > drop[best] or (drop[h] == drop[best] and head[h] > head[best])
            ):
                best = h
        if best < 0:
            break
        t = left[best]
        for i in range(cuts[keepers[best]], cuts[keepers[best] + 1]):
            t = min(t, total[groups[i]] - bounds[0, groups[i]])
        drop[best] = -1 - max(t, 0)
        for i in range(cuts[keepers[best]], cuts[keepers[best] + 1]):
            total[groups[i]] -= -1 - drop[best]
    fine = True
    for j in range(a, b):
        fine = fine and total[groups[j]] <= bounds[1, groups[j]]
    for h in range(len(keepers)):
        drop[h] = -1 - drop[h]
    return fine


@kernel
def walk(
    order: I64,
    of: npt.NDArray[np.int32],
    cuts: I64,
    groups: I64,
    bounds: I64,
    total: I64,
    costs: F64,
    rest: F64,
    status: npt.NDArray[np.uint8],
    keepers: I64,
    held: I64,
    ends: I64,
    price: F64,
    taken: I64,
) -> int:
    """Fill taken i64[room] with rows of `order` i64[m] as they are allowed; returns how many.

    of i32[n]: patterns; costs f64[n, J], rest f64[J]: budgets and what choice and reserve leave of them;
    status u8[n]: 0 closed, 1 open, 2 in the reserve; held: reserve rows of keeper h, dearest first, at
    held[ends[h]:ends[h + 1]]; price f64[n]; others as in `spare`. total, rest, status, held are changed.
    """
    m, first, drop = 0, ends[:-1].copy(), np.zeros(len(keepers), np.int64)
    left, head = drop.copy(), np.zeros(len(keepers))
    # per pattern, found when so many were taken: whether counts let a row in (last), what it may cost
    known, room = np.full(len(cuts) - 1, -1), np.zeros((len(cuts) - 1, len(rest) + 1))
    for x in order:
        if m == len(taken):
            break
        q = of[x]
        if status[x] == 1:
            if known[q] != m:
                known[q] = m
                fronts(first, ends, held, price, left, head)
                room[q, -1] = spare(q, cuts, groups, bounds, total, keepers, left, head, drop)
                undo(q, cuts, groups, total, keepers, drop)
                allowance(room[q], rest, costs, held, first, drop)
            fits = room[q, -1] > 0
            for j in range(len(rest)):
                fits = fits and costs[x, j] <= room[q, j]
            if not fits:
                continue
            spare(q, cuts, groups, bounds, total, keepers, left, head, drop)
            for j in range(len(rest)):
                rest[j] = room[q, j] - costs[x, j]
            for h in range(len(keepers)):
                for i in range(first[h], first[h] + drop[h]):
                    status[held[i]] = 1
                first[h] += drop[h]
        elif status[x] == 2:
            h = 0
            while keepers[h] != q:
                h += 1
            leave(held, first[h], x)
            first[h] += 1
        else:
            continue
        status[x], taken[m] = 0, x
        m += 1
    return m


@kernel
def fronts(first: I64, ends: I64, held: I64, price: F64, left: I64, head: F64) -> None:
    """left[h]: reserve rows held[first[h]:ends[h + 1]] of keeper h; head[h]: price of the first of them."""
    for h in range(len(first)):
        left[h] = ends[h + 1] - first[h]
        head[h] = price[held[first[h]]] if left[h] > 0 else 0.0


@kernel
def undo(q: int, cuts: I64, groups: I64, total: I64, keepers: I64, drop: I64) -> None:
    """Put total back to what it was before `spare`."""
    for i in range(cuts[q], cuts[q + 1]):
        total[groups[i]] -= 1
    for h in range(len(keepers)):
        for i in range(cuts[keepers[h]], cuts[keepers[h] + 1]):
            total[groups[i]] += drop[h]


@kernel
def allowance(room: F64, rest: F64, costs: F64, held: I64, first: I64, drop: I64) -> None:
    """room[j] = rest[j] + the costs under j of the first drop[h] reserve rows of each keeper h."""
    for j in range(len(rest)):
        room[j] = rest[j]
        for h in range(len(first)):
            for i in range(first[h], first[h] + drop[h]):
                room[j] += costs[held[i], j]


@kernel
def leave(held: I64, a: int, x: int) -> None:
    """Bring row x of held[a:] to the front; the rows before it move up by one."""
    i = a
    while held[i] != x:
        i += 1
    while i > a:
        held[i] = held[i - 1]
        i -= 1
    held[a] = x
