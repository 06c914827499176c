"""Drops rows whose vector points almost the same way as that of a row that stays: every pair, screened.

Source: SemDeDup, Abbas et al. 2023, arXiv:2303.09540; screening: Cauchy-Schwarz on what the leading
principal axes leave over, <x, y> <= <Px, Py> + |x - Px| |y - Py|.
Deviates: no clusters, so no pair is missed; rows are compared with those that stay, in order of preference.
Cost: 66 n s operations for s rows that stay, and 2 d for each pair that the screen lets through; with `to`
up to eleven times that.
Memory: 260 bytes a row, and 64 MiB a thread.
Guarantee: exact up to float32 rounding (2e-6 in the cosine); the same bytes for any threads; a dropped row
is a duplicate of its own `of`, so chains do not drop. Zero vectors are like nothing.
Use it when vectors mean something, up to some 300,000 rows; not when texts are verbatim copies (MinHash).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import partial

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.drops import Drops, Found, best_first, left, thin
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors

#: Rows of a block, rows it is compared with at once, axes of the screen, rows they are found on.
BLOCK, TILE, AXES, SAMPLE = 1 << 10, 1 << 13, 64, 1 << 12
#: float32 rounding of a cosine, of the screen, and the share of pairs above which a tile is done in full.
ROUNDING, SLACK, MANY = 2e-6, 1e-4, 1 / 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosine:
    """Rows whose cosine with a row that stays is at least `threshold` are dropped.

    keep: the score whose best copy stays ('': the first). to: stop at so many rows (or this share), the
    most similar dropped first; 0: no stop.
    """

    by: str = "vec"
    threshold: float = 0.95
    keep: str = ""
    to: float = 0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise UsageError(f"threshold must lie in (0, 1], found {self.threshold}")
        left(0, self.to)

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool, for one thread, and operations if no row is dropped."""
        n, d = pool.signal(self.by, Vectors).values.shape
        axes = min(AXES, d) + 1
        flops = float(n) ** 2 * axes + 2.0 * n * d * (BLOCK + axes)
        return Need(
            bytes=4.0 * n * axes + 40.0 * n + 5.0 * BLOCK * TILE + 8.0 * d * (BLOCK + TILE + d),
            flops=flops * (11 if self.to else 1),
        )

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Find the axes, turn every row, then go through blocks in order of preference."""
        values = pool.signal(self.by, Vectors).values
        stay = left(len(values), self.to)
        of, similarity = np.full(len(values), -1, np.int64), np.zeros(len(values))
        if len(values):
            order = best_first(pool, self.keep)
            rows = Directions.of(values)
            axes = _axes(rows)
            over = [order[a : a + BLOCK] for a in range(0, len(order), BLOCK)]
            parts = yield from scan(partial(_turned, rows, axes), operator.add, over, "turning vectors")
            screen = np.concatenate(parts)
            del parts
            of, similarity = yield from thin(partial(_leaders, rows, order, screen), self.threshold, stay)
        return Drops.at(pool, of, similarity, f"cosine of {self.by!r}")


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


def _leaders(rows: Directions, order: I64, screen: F32, threshold: float) -> Plan[Found]:
    """The rule, block after block: first against the rows that stay so far, then within the block."""
    of, similarity = np.full(len(order), -1, np.int64), np.zeros(len(order))
    stays = np.empty(0, np.int64)  # places in the order
    for a in range(0, len(order), BLOCK):
        block = np.arange(a, min(a + BLOCK, len(order)))
        near, most = np.full(len(block), -1, np.int64), np.full(len(block), -np.inf, np.float32)
        if len(stays):
            compare = partial(_nearest, rows, order, screen, threshold - ROUNDING, block)
            over = [stays[b : b + TILE] for b in range(0, len(stays), TILE)]
            near, most = yield from scan(compare, _closer, over, "comparing vectors")
        near, most = _within(rows.unit(order[block]), a, threshold - ROUNDING, near, most)
        gone = near >= 0
        of[order[block[gone]]] = order[near[gone]]
        similarity[order[block[gone]]] = np.minimum(most[gone], 1)
        stays = np.concatenate([stays, block[~gone]])
    return of, similarity


def _nearest(
    rows: Directions, order: I64, screen: F32, least: float, block: I64, tile: I64
) -> tuple[I64, F32]:
    """For each place of the block the nearest of the tile that is at least `least` near, -1 if none is."""
    near, most = np.full(len(block), -1, np.int64), np.full(len(block), -np.inf, np.float32)
    through = np.flatnonzero(screen[block] @ screen[tile].T >= least - SLACK)
    mine, other = np.divmod(through, len(tile))
    if len(mine) > MANY * len(block) * len(tile):
        cosine = rows.unit(order[block]) @ rows.unit(order[tile]).T
        at = cosine.argmax(axis=1)
        mine, other, found = np.arange(len(block)), at, cosine[np.arange(len(block)), at]
    else:
        found = _pairs(rows, order[block[mine]], order[tile[other]])
    enough = found >= least
    mine, other, found = mine[enough], other[enough], found[enough]
    by = np.lexsort((-other, found, mine))  # the last of each row is its most similar, then the first
    near[mine[by]], most[mine[by]] = tile[other[by]], found[by]
    return near, most


def _pairs(rows: Directions, a: I64, b: I64) -> F32:
    """f32[m]: cosines of rows a i64[m] and b i64[m]."""
    out = np.empty(len(a), np.float32)
    for s in range(0, len(a), BLOCK):
        at = slice(s, s + BLOCK)
        np.einsum("ij,ij->i", rows.unit(a[at]), rows.unit(b[at]), out=out[at])
    return out


def _closer(a: tuple[I64, F32], b: tuple[I64, F32]) -> tuple[I64, F32]:
    """Of two answers for one block the nearer, row by row; of equals the first."""
    second = b[1] > a[1]
    return np.where(second, b[0], a[0]), np.where(second, b[1], a[1])


def _within(unit: F32, start: int, least: float, near: I64, most: F32) -> tuple[I64, F32]:
    """The rule within a block of places start, start + 1, ..., given what each is near to before it."""
    cosine = unit @ unit.T
    alike = np.tril(cosine >= least, -1)
    near, most = near.copy(), most.copy()
    stays = near < 0
    for i in np.flatnonzero(alike.any(axis=1)):
        some = np.flatnonzero(alike[i, :i] & stays[:i])
        if len(some):
            best = some[cosine[i, some].argmax()]
            stays[i] = False
            if cosine[i, best] > most[i]:
                near[i], most[i] = start + best, cosine[i, best]
    return near, most


def exact(values: F32, threshold: float) -> Found:
    """The rule read off its definition in float64, rows in order of preference."""
    norm = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    unit = values / np.where(norm > 0, norm, 1)
    of, similarity = np.full(len(values), -1, np.int64), np.zeros(len(values))
    for i in range(len(values)):
        stays = np.flatnonzero(of[:i] < 0)
        cosine = unit[stays] @ unit[i]
        if len(stays) and cosine.max() >= threshold - ROUNDING:
            of[i], similarity[i] = stays[cosine.argmax()], min(cosine.max(), 1.0)
    return of, similarity


EXAMPLES = (Cosine(), Cosine(threshold=0.8, keep="score"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of m pools of noisy copies whose drops are those of the definition."""
    right = np.empty(5 * scale)
    for i in range(len(right)):
        around = rng.normal(size=(60, 100)) * 0.9 ** np.arange(100)
        copies = around[rng.integers(0, 60, 400)] + rng.normal(size=(400, 100)) * 0.05
        pool = Pool.of({"vec": Vectors(copies.astype(np.float32))})
        found = alone(Cosine(threshold=0.9).steps(pool), pool)
        of = exact(pool.signal("vec", Vectors).values, 0.9)[0]
        same = np.array_equal(found.rows, np.flatnonzero(of >= 0))
        right[i] = same and np.array_equal(found.of, of[of >= 0])
    return right


CLAIM = Claim(
    paper="Abbas et al. 2023",
    says="rows nearly parallel to one that stays can be dropped with little loss",
    we_show="with the screen the rows dropped and the copies that stay are those of comparing every pair",
    not_shown="what a model trained on the rows that stay loses",
    measure=claim,
    margin=1.0,
)
