"""Rows gathered into cells by direction, so that near pairs are looked for in near cells alone.

Pivots come from a few rounds of k-means on a seeded sample (an inverted file: Jegou, Douze and Schmid 2011,
doi:10.1109/TPAMI.2010.57). Every product is of rows cut at the same places whoever computes it, so threads
give the same bytes.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from math import sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from shortlist.core.arrays import F32, I32, I64
from shortlist.core.cosine import Directions
from shortlist.core.effects import scan
from shortlist.core.near import TILE, Near, joined, passing
from shortlist.core.seeds import generator
from shortlist.kernels.cover import place
from shortlist.kernels.jit import have_numba

U16: TypeAlias = npt.NDArray[np.uint16]

#: Sampled rows for each pivot, and rounds of k-means on them.
EACH, ROUNDS = 32, 3
#: What looking into cells should keep, of how far near candidates lie above the others (at 0.85 at least 98%
#: of the gain over random stayed on all real pools tried), and the fewest cells that are worth it.
KEPT, FEWEST = 0.85, 8
#: Most represented rows that one product takes: a tile of them stays within 32 MiB.
WIDE = 1 << 13


class Cells(NamedTuple):
    """Candidates by cell, and who looks there.

    of i32[n]: the cell of each row; order i64[n], cuts i64[c+1]: rows by cell, increasing in each; looking
    i32[z], ends i64[c+1]: the represented rows that look for candidates in each cell, increasing.
    """

    of: I32
    order: I64
    cuts: I64
    looking: I32
    ends: I64


def about(n: int) -> int:
    """How many cells suit n rows: about 2.3 square roots of n, the least work in all."""
    return max(1, min(n, round(2.3 * sqrt(n))))


def cells(x: Directions, u: Directions, count: int, probes: int, seed: int) -> Generator[Any, Any, Cells]:
    """`count` pivots: a row of x is in the cell of its nearest; one of u looks into its `probes` nearest."""
    pivots = trained(x, count, seed)
    probes = min(probes, len(pivots))
    blocks = range(0, max(len(x), 1), TILE)
    if u is x:
        parts = yield from scan(partial(_met, x, pivots, probes), joined, blocks, "cells")
        near = np.concatenate([look for _, look in parts])
    else:
        parts = yield from scan(partial(_met, x, pivots, 0), joined, blocks, "cells")
        blocks = range(0, max(len(u), 1), TILE)
        looks = yield from scan(partial(_met, u, pivots, probes), joined, blocks, "cells to look in")
        near = np.concatenate([look for _, look in looks])
    of = np.concatenate([own for own, _ in parts])
    order, cuts = _by_cell(of, len(pivots))
    looking, ends = _by_cell(near.ravel(), len(pivots))
    return Cells(of, order, cuts, (looking // probes).astype(np.int32), ends)


def enough(x: Directions, count: int, share: float, seed: int) -> int:
    """Into how many of `count` cells rows should look to find most of their nearest `share` of candidates:
    KEPT of what these lie above the others, measured on samples. 0 where no few cells hold that.

    Rows that are all zero (vectors still to be made) tell nothing: an eighth of the cells, enough for texts.
    """
    draw = generator(seed, "cells", "enough")
    n = len(x)
    if count < FEWEST or n < FEWEST:
        return 0
    u = x.unit(np.sort(draw.choice(n, min(n, 256), replace=False)))
    some = x.unit(np.sort(draw.choice(n, min(n, 8192), replace=False)))
    if not u.any():
        return count // 8
    pivots = trained(x, count, seed, each=8)
    cosine = u @ some.T
    best = max(2, round(share * len(some)))
    near = np.argpartition(cosine, -best, axis=1)[:, -best:]
    worth = np.take_along_axis(cosine, near, axis=1)
    worth = np.maximum(worth - worth.min(axis=1, keepdims=True), 0)
    # the rank of each near candidate's cell among the cells as the row sees them
    like = u @ pivots.T
    place = np.argsort(np.argsort(-like, axis=1, kind="stable"), axis=1, kind="stable")
    rank = np.take_along_axis(place, nearest(some, pivots)[near], axis=1)
    for part in (64, 32, 16, 8, 4):
        probes = max(FEWEST, count // part)
        if float(worth[rank < probes].sum()) >= KEPT * float(worth.sum()):
            return probes
    return 0


def trained(x: Directions, count: int, seed: int, each: int = EACH) -> F32:
    """f32[c, d]: pivots of unit length from a seeded sample of the rows; one at least, no more than rows."""
    draw, n = generator(seed, "cells"), len(x)
    if not n:
        return np.zeros((1, x.values.shape[1]), np.float32)
    count = max(1, min(count, n))
    some = x.unit(np.sort(draw.choice(n, min(n, each * count), replace=False)))
    pivots = some[np.sort(draw.choice(len(some), count, replace=False))]
    for _ in range(ROUNDS):
        pivots = _moved(some, pivots)
    return pivots


def _by_cell(of: I32, count: int) -> tuple[I64, I64]:
    """Places by cell, increasing in each, and where each cell begins."""
    small = of.astype(np.int16) if count < 1 << 15 else of  # int16 is sorted by radix
    cuts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(of, minlength=count), out=cuts[1:])
    return np.argsort(small, kind="stable"), cuts


def _moved(some: F32, pivots: F32) -> F32:
    """Each pivot at the mean direction of the sampled rows nearest to it; a pivot without rows stays."""
    of = np.concatenate([nearest(some[a : a + TILE], pivots) for a in range(0, len(some), TILE)])
    order, cuts = _by_cell(of, len(pivots))
    held = np.flatnonzero(np.diff(cuts))
    moved = pivots.copy()
    moved[held] = np.add.reduceat(some[order], cuts[held], axis=0)
    length = np.linalg.norm(moved[held], axis=1, keepdims=True)
    moved[held] /= np.where(length > 0, length, 1)
    return moved


def nearest(rows: F32, pivots: F32) -> I32:
    """i32[b]: the pivot of the largest product with each row, the first of equals."""
    at: I32 = (rows @ pivots.T).argmax(axis=1).astype(np.int32)
    return at


def _met(x: Directions, pivots: F32, probes: int, a: int) -> list[tuple[I32, I32]]:
    """Of some rows the nearest pivot i32[b], and the nearest `probes` i32[b, probes] in any order."""
    like = x.unit(slice(a, a + TILE)) @ pivots.T
    own = like.argmax(axis=1).astype(np.int32)
    if probes in (0, like.shape[1]):
        return [(own, np.tile(np.arange(probes, dtype=np.int32), (len(like), 1)))]
    like[np.arange(len(like)), own] = np.inf  # its own, where several are as near
    near = np.argpartition(like, -probes, axis=1)[:, -probes:]
    return [(own, near.astype(np.int32))]


def near_in_cells(x: Directions, u: Directions, floor: F32, found: Cells) -> Generator[Any, Any, Near]:
    """`core.near.near` among near cells: for each row of x the rows of u that look into its cell, where the
    cosine is above their floor f32[m]."""
    part = partial(_cell, x, u, floor, found)
    tiles = yield from scan(part, joined, range(len(found.ends) - 1), "neighbours")
    return _placed(tiles, len(x))


class _Tile(NamedTuple):
    """Entries of the rows i64[r], by row: size u16[r], column u16[z] into `wide` i32[w], value f32[z]."""

    rows: I64
    wide: I32
    size: U16
    column: U16
    value: F32


def _cell(x: Directions, u: Directions, floor: F32, found: Cells, c: int) -> list[_Tile]:
    """What the candidates of cell c are near to."""
    mine = found.order[found.cuts[c] : found.cuts[c + 1]]
    looking = found.looking[found.ends[c] : found.ends[c + 1]]
    tiles = []
    for b in range(0, len(looking) if len(mine) else 0, WIDE):
        wide = looking[b : b + WIDE]
        other = u.unit(wide.astype(np.int64)).T
        for a in range(0, len(mine), TILE):
            tile = x.unit(mine[a : a + TILE]) @ other
            tiles.append(_Tile(mine[a : a + TILE], wide, *passing(tile, floor[wide], False)))
    return tiles


def _placed(tiles: list[_Tile], n: int) -> Near:
    """All entries by row; columns increase within it. Empties `tiles`."""
    indptr = np.zeros(n + 1, np.int64)
    for t in tiles:
        indptr[t.rows + 1] += t.size
    np.cumsum(indptr, out=indptr)
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    free = indptr[:-1].copy()
    tiles.reverse()
    while tiles:
        t = tiles.pop()
        put = place if have_numba() else placed_plain
        put(t.rows, t.size, t.wide, t.column, t.value, free, indices, data)
    return Near(indptr, indices, data)


def placed_plain(
    rows: I64, size: U16, wide: I32, column: U16, value: F32, free: I64, indices: I32, data: F32
) -> None:
    """Equivalent to `kernels.cover.place`, in NumPy alone."""
    many = size.astype(np.int64)
    to = np.repeat(free[rows] - (np.cumsum(many) - many), many)
    to += np.arange(len(to))
    indices[to], data[to] = wide[column], value
    free[rows] += many
