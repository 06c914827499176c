"""Which rows stay when near-equal directions are dropped: rows sorted into cells, so that few pairs are met.

A row x is turned to z = (Px, |x - Px|), P the leading principal axes; by Cauchy-Schwarz <x, y> <= <z_x, z_y>.
Cells are of the nearest centre in z. A cell can hold nothing within `reach` of z where its centre is farther
than its radius and `reach`, or where it lies wholly beyond the hyperplane between two centres by `reach`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64, Bool
from shortlist.core.cosine import Directions
from shortlist.core.drops import Found
from shortlist.core.effects import Plan, scan
from shortlist.core.near import stacked

#: Rows of a block, rows met at once, rows that are compared one and all before cells are asked, and how many
#: of those at a time.
BLOCK, TILE, BATCH, STEP = 1 << 10, 1 << 9, 1 << 13, 1 << 8
#: Axes of the screen, rows they are found on, rows to a cell, rows a centre is the mean of, and how often.
AXES, SAMPLE, CELL, CROWD, ROUNDS = 64, 1 << 12, 512, 16, 3
#: float32 rounding of a cosine, of the screen, of distances, and the share of pairs above which a tile is
#: done in full.
ROUNDING, SLACK, LOOSE, MANY = 2e-6, 1e-4, 3e-3, 1 / 32

#: Rows of a batch, the place each is most similar to, and how similar: i64[h], i64[h], f32[h].
Hits: TypeAlias = tuple[I64, I64, F32]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows in order of preference, turned: order i64[n], screen f32[n, axes + 1]; cells: centres
    f32[m, axes + 1], their distances gap f32[m, m], radius f32[m], home i32[n] (the cell of each place)."""

    rows: Directions
    order: I64
    screen: F32
    centres: F32
    gap: F32
    radius: F32
    home: I32


#: Which cells each turned row has to meet: (cells, z f32[b, axes + 1], threshold) -> bool[b, m].
Meets: TypeAlias = Callable[[Cells, F32, float], Bool]


def bytes_of(n: int, d: int, cells: int = 0) -> float:
    """Peak bytes of `sorted_rows` and `leaders` for one thread."""
    axes, m = min(AXES, d) + 1, cells or max(n // CELL, 1)
    batch = min(BATCH, n)
    tiles = (2.0 * batch + 14.0 * BLOCK) * min(m, n) + 13.0 * TILE * 4 * CELL
    return 4.0 * n * axes + 60.0 * n + 4.0 * m * (m + axes) + tiles + 8.0 * d * (BLOCK + d)


def sorted_rows(rows: Directions, order: I64, cells: int) -> Plan[Cells]:
    """Find the axes, turn every row, find centres and the cell of every row. cells: how many, 0: n / CELL."""
    axes = _axes(rows)
    over = [order[a : a + BLOCK] for a in range(0, len(order), BLOCK)]
    parts = yield from scan(partial(_turned, rows, axes), operator.add, over, "turning vectors")
    screen = stacked(parts, len(order), axes.shape[1] + 1)
    m = min(cells or len(order) // CELL, len(order)) if len(order) > BATCH else 1
    centres = _centres(screen, max(m, 1))
    spans = range(0, len(order), BLOCK)
    homes = yield from scan(partial(_homes, screen, centres), operator.add, spans, "sorting vectors")
    home = np.concatenate([h for h, _ in homes])
    radius = np.zeros(len(centres), np.float32)
    np.maximum.at(radius, home, np.concatenate([r for _, r in homes]))
    gap = np.sqrt(_squared(centres, centres))
    return Cells(rows, order, screen, centres, gap, radius, home)


def leaders(cells: Cells, meets: Meets, threshold: float) -> Plan[Found]:
    """The rule, batch after batch: against the rows that stay so far, in the cells to meet; then within."""
    n, m = len(cells.order), len(cells.centres)
    of, similarity = np.full(n, -1, np.int64), np.zeros(n)
    stay: list[I64] = [np.empty(0, np.int64)] * m
    for a in range(0, n, BATCH):
        batch = np.arange(a, min(a + BATCH, n))
        near, most = np.full(len(batch), -1, np.int64), np.full(len(batch), -np.inf, np.float32)
        if a:
            over = [batch[b : b + BLOCK] for b in range(0, len(batch), BLOCK)]
            ask = partial(_asked, cells, meets, threshold)
            to_meet = np.concatenate((yield from scan(ask, operator.add, over, "comparing vectors")))
            compare = partial(_in_cell, cells, threshold - ROUNDING, batch, to_meet, stay)
            some = [c for c in range(m) if len(stay[c])]
            hits = yield from scan(compare, operator.add, some, "comparing vectors")
            near, most = _best(hits, near, most)
        near, most = yield from _among(cells, threshold - ROUNDING, batch, near, most)
        gone = near >= 0
        of[cells.order[batch[gone]]] = cells.order[near[gone]]
        similarity[cells.order[batch[gone]]] = np.minimum(most[gone], 1)
        new = batch[~gone]
        new = new[np.argsort(cells.home[new], kind="stable")]
        cuts = np.searchsorted(cells.home[new], np.arange(m + 1))
        stay = [np.concatenate([stay[c], new[cuts[c] : cuts[c + 1]]]) for c in range(m)]
    return of, similarity


def hits_of(cells: Cells, least: float, few: I64, block: I64) -> list[Hits]:
    """The places of the block that have one of `few` at least `least` near, and the nearest of those."""
    hits = []
    for t in range(0, len(few), BLOCK):
        tile = few[t : t + BLOCK]
        which, near, found = _nearest(cells, least, block, tile, cells.screen[tile])
        hits.append((which, near, found))
    near, most = _best(hits, np.full(len(block), -1, np.int64), np.full(len(block), -np.inf, np.float32))
    some = np.flatnonzero(near >= 0)
    return [(block[some], near[some], most[some])]


def within_reach(cells: Cells, z: F32, threshold: float) -> Bool:
    """bool[b, m]: the cells that may hold a row at least `threshold` near; no other can."""
    reach = np.sqrt(2 * (1 - threshold + ROUNDING + SLACK)) + LOOSE
    squared = _squared(z, cells.centres)
    mine = squared.argmin(axis=1)
    near: Bool = np.sqrt(squared) <= cells.radius + reach
    beyond = squared - squared[np.arange(len(z)), mine][:, None]
    near &= beyond <= 2 * reach * cells.gap[mine] + 2e-5
    return near


def nearest_cells(probes: int, cells: Cells, z: F32, _threshold: float) -> Bool:
    """bool[b, m]: the `probes` cells with the nearest centres."""
    squared = _squared(z, cells.centres)
    near = np.zeros(squared.shape, bool)
    if probes >= squared.shape[1]:
        return ~near
    np.put_along_axis(near, np.argpartition(squared, probes, axis=1)[:, :probes], True, axis=1)
    return near


def _axes(rows: Directions) -> F32:
    """f32[d, min(d, AXES)]: the leading principal axes (about the origin) of rows spread over the pool."""
    some = np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(np.int64)
    total = np.zeros((rows.values.shape[1],) * 2)
    for a in range(0, len(some), BLOCK):
        unit = rows.unit(some[a : a + BLOCK]).astype(np.float64)
        total += unit.T @ unit
    return np.linalg.eigh(total)[1][:, ::-1][:, :AXES].astype(np.float32)


def _turned(rows: Directions, axes: F32, at: I64) -> list[F32]:
    """[f32[b, axes + 1]]: coordinates along the axes, and the length of what they leave over."""
    unit = rows.unit(at)
    out = np.empty((len(at), axes.shape[1] + 1), np.float32)
    out[:, :-1] = unit @ axes
    over = np.einsum("ij,ij->i", unit, unit) - np.einsum("ij,ij->i", out[:, :-1], out[:, :-1])
    out[:, -1] = np.sqrt(np.maximum(over, 0))
    return [out]


def _centres(screen: F32, m: int) -> F32:
    """f32[m, a]: rows spread over the pool, moved to the means of the rows next to them a few times."""
    some = screen[np.linspace(0, len(screen) - 1, min(CROWD * m, len(screen))).astype(np.int64)]
    centres = some[np.linspace(0, len(some) - 1, m).astype(np.int64)]
    for _ in range(ROUNDS if m > 1 else 0):
        home = np.concatenate([_homes(some, centres, a)[0][0] for a in range(0, len(some), BLOCK)])
        by = np.argsort(home, kind="stable")
        filled, first = np.unique(home[by], return_index=True)
        total = np.add.reduceat(some[by].astype(np.float64), first, axis=0)
        centres = centres.copy()
        centres[filled] = total / np.diff([*first, len(by)])[:, None]
    return centres


def _squared(x: F32, centres: F32) -> F32:
    """f32[b, m]: squared distances."""
    out: F32 = x @ centres.T
    out *= -2
    out += np.einsum("ij,ij->i", x, x)[:, None]
    out += np.einsum("ij,ij->i", centres, centres)
    return np.maximum(out, 0, out=out)


def _homes(screen: F32, centres: F32, a: int) -> list[tuple[I32, F32]]:
    """[(i32[b], f32[b])]: the nearest centre of each place from a on, and how far it is."""
    squared = _squared(screen[a : a + BLOCK], centres)
    home = squared.argmin(axis=1)
    return [(home.astype(np.int32), np.sqrt(squared[np.arange(len(home)), home]))]


def _asked(cells: Cells, meets: Meets, threshold: float, block: I64) -> list[Bool]:
    return [meets(cells, cells.screen[block], threshold)]


def _in_cell(cells: Cells, least: float, batch: I64, to_meet: Bool, stay: list[I64], c: int) -> list[Hits]:
    """What rows of the batch are near to in one cell: one hit a row and tile."""
    mine = np.flatnonzero(to_meet[:, c])
    theirs = stay[c]
    hits = []
    for t in range(0, len(theirs), BATCH):
        tile = theirs[t : t + BATCH]
        turned = cells.screen[tile]
        for b in range(0, len(mine), TILE):
            some = mine[b : b + TILE]
            which, near, found = _nearest(cells, least, batch[some], tile, turned)
            if len(which):
                hits.append((some[which], near, found))
    return hits


def _nearest(cells: Cells, least: float, block: I64, tile: I64, turned: F32) -> Hits:
    """Which of the block have one of the tile at least `least` near; the nearest, of equals the first."""
    passed = cells.screen[block] @ turned.T >= least - SLACK
    through = np.flatnonzero(passed)
    if not len(through):
        return through, through, np.empty(0, np.float32)
    mine, other = np.divmod(through, len(tile))
    if len(mine) > MANY * passed.size:
        cosine = cells.rows.unit(cells.order[block]) @ cells.rows.unit(cells.order[tile]).T
        other = cosine.argmax(axis=1)
        mine = np.arange(len(block))
        found = cosine[mine, other]
    else:
        found = _pairs(cells.rows, cells.order[block[mine]], cells.order[tile[other]])
    enough = found >= least
    mine, other, found = mine[enough], other[enough], found[enough]
    last = _most_similar(mine, other, found)
    return mine[last], tile[other[last]], found[last]


def _most_similar(mine: I64, other: I64, found: F32) -> I64:
    """Which hits are their row's most similar, of equals the first other: one a row, rows increasing."""
    by = np.lexsort((-other, found, mine))
    final = np.ones(len(by), bool)
    final[:-1] = np.diff(mine[by]) > 0
    return by[final]


def _pairs(rows: Directions, a: I64, b: I64) -> F32:
    """f32[m]: cosines of rows a i64[m] and b i64[m]."""
    out = np.empty(len(a), np.float32)
    for s in range(0, len(a), BLOCK):
        at = slice(s, s + BLOCK)
        np.einsum("ij,ij->i", rows.unit(a[at]), rows.unit(b[at]), out=out[at])
    return out


def _best(hits: list[Hits] | None, near: I64, most: F32) -> tuple[I64, F32]:
    """The most similar of all hits of each row, of equals the first in order."""
    if not hits:
        return near, most
    mine, place, found = (np.concatenate(piece) for piece in zip(*hits, strict=True))
    last = _most_similar(mine, place, found)
    near, most = near.copy(), most.copy()
    better = found[last] > most[mine[last]]
    last = last[better]
    near[mine[last]], most[mine[last]] = place[last], found[last]
    return near, most


def _among(cells: Cells, least: float, batch: I64, near: I64, most: F32) -> Plan[tuple[I64, F32]]:
    """The rule within a batch, given what each row is near to before it: every pair is met."""
    near, most, start = near.copy(), most.copy(), int(batch[0])
    stays = batch[:0]
    for a in range(0, len(batch), STEP):
        at = slice(a, a + STEP)
        block = batch[at]
        if len(stays):
            compare = partial(_block, cells, least, block, stays)
            over = range(0, len(stays), BLOCK)
            hits = yield from scan(compare, operator.add, over, "comparing vectors")
            near[at], most[at] = _best(hits, near[at], most[at])
        near[at], most[at] = _within(cells, start + a, least, near[at], most[at])
        stays = np.concatenate([stays, block[near[at] < 0]])
    return near, most


def _block(cells: Cells, least: float, block: I64, stays: I64, b: int) -> list[Hits]:
    tile = stays[b : b + BLOCK]
    return [_nearest(cells, least, block, tile, cells.screen[tile])]


def _within(cells: Cells, start: int, least: float, near: I64, most: F32) -> tuple[I64, F32]:
    """The rule within a block of places start, start + 1, ..., given what each is near to before it."""
    block = slice(start, start + len(near))
    turned, order = cells.screen[block], cells.order[block]
    cosine = turned @ turned.T
    i, j = np.divmod(np.flatnonzero(np.tril(cosine >= least - SLACK, -1)), len(near))
    if len(i) > MANY * cosine.size:
        unit = cells.rows.unit(order)
        cosine = unit @ unit.T
    else:
        cosine[i, j] = _pairs(cells.rows, order[i], order[j])
    enough = cosine[i, j] >= least
    i, j = i[enough], j[enough]
    near, most = near.copy(), most.copy()
    stays = near < 0
    cuts = np.searchsorted(i, np.arange(len(near) + 1))
    for r in np.flatnonzero(np.diff(cuts)):
        some = j[cuts[r] : cuts[r + 1]]
        some = some[stays[some]]
        if len(some):
            best = some[cosine[r, some].argmax()]
            stays[r] = False
            if cosine[r, best] > most[r]:
                near[r], most[r] = start + best, cosine[r, best]
    return near, most


def exact(values: F32, threshold: float) -> Found:
    """The rule read off its definition in float64, rows in order of preference."""
    norm = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    unit: F64 = values / np.where(norm > 0, norm, 1)
    of, similarity = np.full(len(values), -1, np.int64), np.zeros(len(values))
    for i in range(len(values)):
        stays = np.flatnonzero(of[:i] < 0)
        cosine = unit[stays] @ unit[i]
        if len(stays) and cosine.max() >= threshold - ROUNDING:
            of[i], similarity[i] = stays[cosine.argmax()], min(cosine.max(), 1.0)
    return of, similarity
