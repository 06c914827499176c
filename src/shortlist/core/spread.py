"""Points taken one by one far from those taken before: the farthest, or drawn by squared distance.

After each point only rows that may have come nearer are measured. With P the leading principal axes,
<x, c> <= <Px, Pc> + |x - Px| |c - Pc| (Cauchy-Schwarz), so one product of 64 columns tells which
rows cannot have; what is kept of the others is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.clusters import assigned
from shortlist.core.cosine import Directions
from shortlist.core.effects import scan
from shortlist.core.near import only
from shortlist.kernels.clusters import closer

#: Leading axes (with the rest 64 columns: others are slow), rows they are found on, rows of a block.
AXES, SAMPLE, BLOCK = 63, 1 << 12, 1 << 16
#: Rows at less than this share of the largest squared distance sleep.
SHARE = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """Rows in a few coordinates f32[n, a + 1], the last being the length of what the axes leave over.

    length f64[n]: of the rows themselves. Coordinates lie column after column: products are faster so.
    """

    coordinates: F32
    length: F64


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Positions i64[m] in order; for each row the nearest of them (the first of equals), i32[n], and its
    squared distance f64[n]; how many distances were measured."""

    at: I64
    codes: I32
    squares: F64
    measured: int


def screened(x: Directions, axes: F64) -> Generator[Any, Any, Screen]:
    """Coordinates of every row along the axes f64[d, a]."""
    part = partial(_turned, x, axes)
    parts = yield from scan(part, list.__add__, range(0, max(len(x), 1), 1024), "turning vectors")
    coordinates = np.empty((len(x), axes.shape[1] + 1), np.float32, order="F")
    np.concatenate([c for c, _ in parts], out=coordinates)
    return Screen(coordinates, np.concatenate([n for _, n in parts]))


def spread(
    x: Directions, m: int, first: int, following: Callable[[F64], int], note: str
) -> Generator[Any, Any, Taken]:
    """Take row `first`, then whatever `following(squares)` says, up to m rows; it ends at squares of 0."""
    screen = yield from screened(x, _axes(x))
    taken = [first]
    codes, squares, measured = np.zeros(len(x), np.int32), np.full(len(x), np.inf), 0
    over = range(0, len(x), BLOCK)
    while True:
        part = partial(_closer, x, screen, taken[-1], len(taken) - 1, codes, squares)
        parts = yield from scan(part, list.__add__, over, note)
        codes, squares = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        measured += sum(p[2] for p in parts)
        if len(taken) == m or not squares.max() > 0:
            return Taken(np.array(taken, np.int64), codes, squares, measured)
        taken.append(following(squares))


def traversed(x: Directions, m: int, first: int) -> Generator[Any, Any, Taken]:
    """Take row `first`, then always the row farthest from all taken, the first of equals, up to m rows.

    Distances only fall, so a row nearer than the farthest by some way cannot be next: it sleeps until the
    farthest has come down to it, and then meets all points it missed in one product.
    """
    axes, taken, measured = _axes(x), [first], 0
    codes, squares = yield from assigned(x, x.unit(np.array(taken)))
    while len(taken) < m and squares.max() > 0:
        seen, bar = len(taken), SHARE * squares.max()
        awake = np.flatnonzero(squares >= bar)
        if 2 * len(awake) > len(x):
            awake = np.arange(len(x))
        mine = x if len(awake) == len(x) else only(x, awake)
        screen = yield from screened(mine, axes)
        near, none = squares[awake], np.zeros(len(awake), np.int32)
        while len(taken) < m and near.max() >= bar:
            at = int(near.argmax())
            taken.append(int(awake[at]))
            part = partial(_closer, mine, screen, at, 0, none, near)
            parts = yield from scan(part, list.__add__, range(0, len(mine), BLOCK), "farthest row")
            near = np.concatenate([p[1] for p in parts])
            measured += sum(p[2] for p in parts)
        other, apart = yield from assigned(x, x.unit(np.array(taken[seen:])))
        codes = np.where(apart < squares, other + np.int32(seen), codes)
        squares = np.minimum(apart, squares)
    return Taken(np.array(taken, np.int64), codes, squares, measured)


def by_square(draw: np.random.Generator, weight: F64 | None, squares: F64) -> int:
    """A row drawn with probability in proportion to (its weight and) its squared distance."""
    mass = squares if weight is None else squares * weight
    ends = np.cumsum(mass)
    at = int(np.searchsorted(ends, draw.random() * ends[-1], side="right"))
    return at if at < len(ends) else int(np.flatnonzero(mass)[-1])


def need(n: int, d: int) -> float:
    """Bytes that `spread` takes over n rows of d floats."""
    return (4.0 * (min(AXES, d) + 1) + 40.0) * n + 16.0 * d * (d + 1024)


def _axes(x: Directions) -> F64:
    """f64[d, min(d, AXES)]: the leading principal axes, about the origin, of up to SAMPLE rows."""
    some = np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(np.int64)
    total = np.zeros((x.values.shape[1],) * 2)
    for a in range(0, len(some), 1024):
        unit = x.unit(some[a : a + 1024]).astype(np.float64)
        total += unit.T @ unit
    return np.linalg.eigh(total)[1][:, ::-1][:, :AXES]


def _turned(x: Directions, axes: F64, a: int) -> list[tuple[F32, F64]]:
    unit = x.unit(slice(a, a + 1024)).astype(np.float64)
    along = unit @ axes
    square = np.einsum("ij,ij->i", unit, unit)
    over = np.sqrt(np.maximum(square - np.einsum("ij,ij->i", along, along), 0))
    with np.errstate(over="ignore"):  # rows too long for float32 are measured
        return [(np.column_stack([along, over]).astype(np.float32), np.sqrt(square))]


def _closer(
    x: Directions, screen: Screen, at: int, code: int, codes: I32, squares: F64, a: int
) -> list[tuple[I32, F64, int]]:
    """The block from a on after the row at `at` was taken as number `code`."""
    block = slice(a, a + BLOCK)
    mine, near = codes[block].copy(), squares[block].copy()
    with np.errstate(all="ignore"):
        dots = screen.coordinates[block] @ screen.coordinates[at]
    point = x.unit(np.array([at]))[0]
    count = closer(dots, screen.length[block], x.values[block], x.inverse[block], point, code, mine, near)
    return [(mine, near, count)]
