"""Drops rows whose vector points almost the same way as that of a row that stays: every pair, screened.

Source: SemDeDup, Abbas et al. 2023, arXiv:2303.09540; screening: Cauchy-Schwarz on what the leading
principal axes leave over, <x, y> <= <Px, Py> + |x - Px| |y - Py|; cells: the hyperplane and the ball bound of
metric search, Uhlmann 1991, doi:10.1016/0020-0190(91)90074-R.
Deviates: cells are passed over only where a bound shows that they hold nothing, so no pair is missed; rows
are compared with those that stay, in order of preference.
Cost: n s / 2 screened pairs for s rows that stay where cells prune nothing (66 operations each), a twentieth
of that where vectors are in clusters, and 2 d for each pair that the screen lets through; with `to` up to
eleven times that.
Memory: 320 bytes a row, and 32 MiB a thread.
Guarantee: exact up to float32 rounding (2e-6 in the cosine); the same bytes for any threads; a dropped row
is a duplicate of its own `of`, so chains do not drop. Zero vectors are like nothing.
Use it when vectors mean something, up to some million rows; not when texts are verbatim copies (MinHash).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.drops import Drops, best_first, left, thin
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.dedup.cells import AXES, BLOCK, bytes_of, exact, leaders, sorted_rows, within_reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosine:
    """Rows whose cosine with a row that stays is at least `threshold` are dropped.

    keep: the score whose best copy stays ('': the first). to: stop at so many rows (or this share), the
    most similar dropped first; 0: no stop.
    """

    by: str = field(default="vec", kw_only=False)
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
        return Need(
            bytes=bytes_of(n, d),
            flops=float(n) ** 2 * axes * (11 if self.to else 1) + 2.0 * n * d * (BLOCK + axes),
        )

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Find the axes, turn every row, then go through blocks in order of preference."""
        values = pool.signal(self.by, Vectors).values
        stay = left(len(values), self.to)
        of, similarity = np.full(len(values), -1, np.int64), np.zeros(len(values))
        if len(values):
            cells = yield from sorted_rows(Directions.of(values), best_first(pool, self.keep), 0)
            of, similarity = yield from thin(partial(leaders, cells, within_reach), self.threshold, stay)
        return Drops.at(pool, of, similarity, f"cosine of {self.by!r}")


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
