"""The most similar rows of every row by cosine, exactly: products are a sieve, what is kept is measured.

Each product of two tiles serves both ways, so n^2 d operations find all neighbours. Rows go in waves: what a
wave has found raises the floor that later products must pass, so lists stay short whatever the order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from shortlist.core.arrays import F32, I32, I64
from shortlist.core.cosine import Directions
from shortlist.core.effects import scan
from shortlist.core.near import SLAB, TILE, U16, Near
from shortlist.core.signals import Neighbors
from shortlist.kernels.clusters import HALF_STEP
from shortlist.kernels.graph import best_of_rows, beyond, hold, join_rows, shorten_all, turn
from shortlist.kernels.jit import have_numba

#: Similarities below this count as 0 (or below what rounding hides, in many dimensions).
LEAST = 1e-4
#: Strips of rows in the last and longest waves; rows finished at once.
WAVE, ROWS = 16, 4096


class _Offer(NamedTuple):
    """What one tile offers rows `row`, `row + 1`, ...: size u16 each; columns u16 count from `first`."""

    row: int
    first: int
    size: U16
    column: U16
    value: F32


def slack(d: int) -> float:
    """Twice the most by which a float32 product of two rows of length 1 may be off."""
    return 2.2 * (d + 4) * HALF_STEP


def least(d: int) -> float:
    """What a similarity must reach to be kept."""
    return max(LEAST, 2 * slack(d))


def nearest_neighbors(x: Directions, keep: int) -> Generator[Any, Any, Neighbors]:
    """Of every row the `keep` others of largest cosine, the first of equals first; none below `least`."""
    x = Directions(x.values.view(np.ndarray), x.inverse)
    lists = (yield from _waves(x, keep)) if have_numba() else None
    part = partial(_finished, x, keep, lists)
    parts = yield from scan(part, list.__add__, range(0, max(len(x), 1), ROWS), "nearest rows")
    indptr = np.zeros(len(x) + 1, np.int64)
    np.cumsum(np.concatenate([p[0] for p in parts]), out=indptr[1:])
    return Neighbors(indptr, np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts]))


def room(keep: int) -> int:
    """Entries that the list of a row has room for."""
    return max(4 * keep, 64)


def _waves(x: Directions, keep: int) -> Generator[Any, Any, tuple[I32, I64]]:
    """held i32[n, c], count i64[n]: of every row all that may be among its nearest."""
    n, d = x.values.shape
    held, rough = np.empty((n, room(keep)), np.int32), np.empty((n, room(keep)), np.float32)
    count, floor = np.zeros(n, np.int64), np.full(n, least(d) - slack(d), np.float32)
    for wave in waves(-(-n // TILE)):
        part = partial(_strip, x, floor.copy(), keep)
        offers = yield from scan(part, list.__add__, [TILE * s for s in wave], "neighbours")
        for o in offers:
            size = o.size.astype(np.int64)
            lists = (x.values, x.inverse, held, rough, count, floor)
            hold(o.row, o.first, size, o.column, o.value, keep, slack(d), *lists)
        del offers
        shorten_all(keep, slack(d), x.values, x.inverse, held, rough, count, floor)
    return held, count


def waves(strips: int) -> Iterator[range]:
    """0 .. strips - 1 cut into waves of 2, 2, 4, 8, 16, 16, ...

    >>> [len(w) for w in waves(21)]
    [2, 2, 4, 8, 5]
    """
    at, size = 0, 2
    while at < strips:
        yield range(at, min(at + size, strips))
        at += size
        size = min(max(2, at), WAVE)


def _strip(x: Directions, floor: F32, keep: int, a: int) -> list[_Offer]:
    """What the products of rows from a on with themselves and all later rows offer, both ways."""
    rows, offers, below = x.unit(slice(a, a + TILE)), [], slack(x.values.shape[1])
    own = floor[a : a + TILE].copy()
    for b in range(a, len(x), TILE):
        tile = rows @ x.unit(slice(b, b + TILE)).T
        if b == a:
            # A row itself is in this tile, and so is the lowest floor that these columns allow.
            own = np.maximum(own, _rank(tile, keep + 1) - np.float32(below))
        offers.append(_Offer(a, b, *_beyond(tile, own, False)))
        if b > a:
            other = floor[b : b + TILE]
            if a < 2 * TILE:  # the first to say anything of these rows
                other = np.maximum(other, _rank(np.ascontiguousarray(tile.T), keep) - np.float32(below))
            offers.append(_Offer(b, a, *_beyond(tile, other, True)))
    return offers


def _rank(tile: F32, rank: int) -> F32:
    """f32[n]: the entry of this rank, from 1 and from the largest, of each row; -inf of shorter rows."""
    m = tile.shape[1]
    if rank > m:
        return np.full(len(tile), -np.inf, np.float32)
    entry: F32 = np.partition(tile, m - rank, axis=1)[:, m - rank]
    return entry


def _beyond(tile: F32, floor: F32, mirror: bool) -> tuple[U16, U16, F32]:
    size = np.empty(tile.shape[1 if mirror else 0], np.int64)
    column, value = np.empty(tile.size, np.uint16), np.empty(tile.size, np.float32)
    z = beyond(tile, floor, mirror, size, column, value)
    return size.astype(np.uint16), column[:z].copy(), value[:z].copy()


def _finished(x: Directions, keep: int, lists: tuple[I32, I64] | None, a: int) -> list[tuple[I64, I32, F32]]:
    """Sizes, neighbours in order of position and similarities of rows from a on."""
    stop = min(a + ROWS, len(x))
    if lists is None:
        return [among(x, x, keep, np.arange(a, stop), same=True)]
    held, count = lists
    return [best_listed(x, keep, a, held[a:stop], count[a:stop])]


def best_listed(x: Directions, keep: int, a: int, listed: I32, count: I64) -> tuple[I64, I32, F32]:
    """As `among`, of rows a, a + 1, ..., but out of the first count i64[b] of listed i32[b, c]."""
    listed, lowest = listed.copy(), np.float32(least(x.values.shape[1]))
    size, width = np.zeros(len(count), np.int64), min(keep, listed.shape[1])
    exact = np.empty(listed.shape, np.float32)
    if have_numba():
        best_of_rows(a, keep, lowest, x.values, x.inverse, count, listed, exact, size)
    else:
        for r, c in enumerate(count.tolist()):
            found = similarities(x.unit(listed[r, :c].astype(np.int64)), x.unit(np.array([a + r]))[0])
            order = np.lexsort((listed[r, :c], -found))[:keep]
            order = order[found[order] >= lowest]
            size[r] = len(order)
            listed[r, : len(order)], exact[r, : len(order)] = listed[r, order], found[order]
    some = np.arange(width) < size[:, None]
    columns = np.where(some, listed[:, :width], np.iinfo(np.int32).max)
    order = np.argsort(columns, axis=1, kind="stable")
    columns = np.take_along_axis(columns, order, axis=1)
    values = np.take_along_axis(exact[:, :width], order, axis=1)
    return size, columns[some], values[some]


def recall(x: Directions, keep: int, graph: Neighbors, at: I64) -> float:
    """The share of the true neighbours of the rows at i64[b] that the graph names; 1 if they have none."""
    size, columns, _ = among(x, x, keep, at, same=True)
    owner = np.repeat(at, size)
    rows = np.repeat(np.arange(len(graph)), np.diff(graph.indptr))
    named = np.isin(owner * len(graph) + columns, rows * len(graph) + graph.indices)
    return float(named.mean()) if len(named) else 1.0


def nearest_to(u: Directions, x: Directions, keep: int) -> Generator[Any, Any, tuple[I64, I32, F32]]:
    """Of every row of u the `keep` rows of x of largest cosine, as CSR: see `among`."""
    step = max(1, min(ROWS, SLAB // max(len(x), 1)))
    part = partial(_among, u, x, keep, step)
    parts = yield from scan(part, list.__add__, range(0, max(len(u), 1), step), "nearest rows")
    indptr = np.zeros(len(u) + 1, np.int64)
    np.cumsum(np.concatenate([p[0] for p in parts]), out=indptr[1:])
    return indptr, np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])


def _among(u: Directions, x: Directions, keep: int, step: int, a: int) -> list[tuple[I64, I32, F32]]:
    return [among(u, x, keep, np.arange(a, min(a + step, len(u))), same=False)]


def among(u: Directions, x: Directions, keep: int, at: I64, *, same: bool) -> tuple[I64, I32, F32]:
    """Rows of u at i64[b] against all of x, by `keep` as `nearest_neighbors`, in NumPy alone.

    same: u is x, and no row is its own neighbour. Sizes i64[b], neighbours i32[z] in order of position,
    similarities f32[z]; to the bit what the waves find.
    """
    n, d = x.values.shape
    size = np.zeros(len(at), np.int64)
    columns, values = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    step = max(1, SLAB // max(n, 1))
    for first in range(0, len(at), step):
        some = u.unit(at[first : first + step])
        rough = np.empty((len(some), n), np.float32)
        for b in range(0, n, TILE):
            rough[:, b : b + TILE] = some @ x.unit(slice(b, b + TILE)).T
        if same:
            rough[np.arange(len(some)), at[first : first + step]] = -np.inf
        bar = np.maximum(_rank(rough, keep), least(d)) - slack(d)
        for r, row in enumerate(rough):
            maybe = np.flatnonzero(row >= bar[r])
            found = similarities(x.unit(maybe), some[r])
            order = np.lexsort((maybe, -found))[:keep]
            order = np.sort(order[found[order] >= np.float32(least(d))])
            size[first + r] = len(order)
            columns.append(maybe[order].astype(np.int32))
            values.append(found[order])
    return size, np.concatenate(columns), np.concatenate(values)


def similarities(rows: F32, row: F32) -> F32:
    """f32[b]: inner products of rows f32[b, d] with a row f32[d] as `kernels.graph.similarity` has them."""
    d = rows.shape[1]
    product = np.zeros((len(rows), -(-max(d, 1) // 8) * 8))
    product[:, :d] = rows.astype(np.float64) * row.astype(np.float64)
    lanes = np.zeros((len(rows), 8))
    for t in range(0, product.shape[1], 8):
        lanes += product[:, t : t + 8]
    pairs = lanes[:, 0::2] + lanes[:, 1::2]
    fours = pairs[:, 0::2] + pairs[:, 1::2]
    return np.minimum(fours[:, 0] + fours[:, 1], 1.0).astype(np.float32)


def turned(indptr: I64, indices: I32, data: F32, width: int) -> tuple[I64, I32, F32]:
    """The transpose of a CSR matrix of so many columns."""
    start = np.zeros(width + 1, np.int64)
    np.cumsum(np.bincount(indices, minlength=width), out=start[1:])
    if have_numba():
        rows, values = np.empty_like(indices), np.empty_like(data)
        turn(indptr, indices, data, start[:-1].copy(), rows, values)
        return start, rows, values
    order = np.argsort(indices, kind="stable")
    row = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    return start, row[order], data[order]


def joined_with(graph: Neighbors, both: bool) -> Near:
    """Of every row those that name it and, if `both`, those it names; the larger of two similarities where
    there are two, and 1 with itself."""
    n = len(graph)
    start, rows, values = turned(graph.indptr, graph.indices, graph.data, n)
    if not both:
        graph = Neighbors(np.zeros(n + 1, np.int64), graph.indices[:0], graph.data[:0])
    if have_numba():
        most = len(graph.indices) + len(rows) + n
        indptr, indices, data = (
            np.empty(n + 1, np.int64),
            np.empty(most, np.int32),
            np.empty(most, np.float32),
        )
        z = join_rows(graph.indptr, graph.indices, graph.data, start, rows, values, indptr, indices, data)
        return Near(indptr, indices[:z].copy(), data[:z].copy())
    each = np.arange(n)
    row = np.concatenate([np.repeat(each, np.diff(graph.indptr)), np.repeat(each, np.diff(start)), each])
    key = row * max(n, 1) + np.concatenate([graph.indices, rows, each])
    weight = np.concatenate([graph.data, values, np.ones(n, np.float32)])
    weight[key == row * max(n, 1) + row] = 1
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    pair = key[order][first]
    indptr = np.searchsorted(pair, np.arange(n + 1) * max(n, 1)).astype(np.int64)
    best = np.maximum.reduceat(weight[order], first) if n else weight
    return Near(indptr, (pair % max(n, 1)).astype(np.int32), best)
