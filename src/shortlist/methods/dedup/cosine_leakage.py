"""Drops rows whose vector points almost the same way as one of a set-aside group.

A row x leaks if some row y of the group has <x, y> / |x||y| >= threshold.
Source: decontamination by embedding similarity, LMSYS (Yang et al. 2023, arXiv:2311.04850, sec. 4, its
first step); screening as in Cosine.
Deviates: no language model looks at the pairs found; the threshold decides.
Cost: 66 operations a row and row of the group, 2 d for each pair that the screen lets through.
Memory: 320 bytes a row, and 32 MiB a thread.
Guarantee: exact up to float32 rounding (2e-6 in the cosine); rows of the group never go, and each dropped row
names its nearest of the group; the same bytes for any threads. Zero vectors are like nothing.
Use it when test rows may have been paraphrased into the pool; not when passages of long texts are copied,
which move a vector little (Leakage).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions
from shortlist.core.drops import Drops
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.members import members, named
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.methods.dedup.cells import AXES, BLOCK, ROUNDING, bytes_of, hits_of, sorted_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class CosineLeakage:
    """Rows whose cosine with a row of the group `against` ('signal:group') is at least `threshold` go."""

    by: str = field(default="vec", kw_only=False)
    against: str = "split:test"
    threshold: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise UsageError(f"threshold must lie in (0, 1], found {self.threshold}")
        named(self.against, "against")

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool, for one thread, and operations."""
        n, d = pool.signal(self.by, Vectors).values.shape
        few, axes = len(members(pool, self.against)), min(AXES, d) + 1
        return Need(bytes=bytes_of(n, d, 1), flops=2.0 * n * axes * (few + d))

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Turn every row, then compare each with those of the group."""
        values, few = pool.signal(self.by, Vectors).values, members(pool, self.against)
        of, similarity = np.full(len(values), -1, np.int64), np.zeros(len(values))
        rest = np.setdiff1d(np.arange(len(values)), few)
        if len(few) and len(rest):
            cells = yield from sorted_rows(Directions.of(values), np.arange(len(values)), 1)
            over = [rest[a : a + BLOCK] for a in range(0, len(rest), BLOCK)]
            look = partial(hits_of, cells, self.threshold - ROUNDING, few)
            hits = yield from scan(look, operator.add, over, "comparing vectors")
            for which, near, found in hits:
                of[which], similarity[which] = near, np.minimum(found, 1)
        return Drops.at(pool, of, similarity, f"cosine of {self.by!r} with {self.against!r}")


def exact(values: np.ndarray, few: list[int], threshold: float) -> list[tuple[int, int]]:
    """The rule read off its definition in float64: (row, its nearest of the group) of each that leaks."""
    norm = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
    unit = values / np.where(norm > 0, norm, 1)
    cosine = unit @ unit[few].T if few else np.zeros((len(unit), 1))
    gone = (i for i in range(len(unit)) if few and i not in few and cosine[i].max() >= threshold - ROUNDING)
    return [(i, few[int(cosine[i].argmax())]) for i in gone]


EXAMPLES = (CosineLeakage(against="label:a"), CosineLeakage(against="tags:b", threshold=0.6))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of m pools with noisy copies of a group in which the drops are the definition's."""
    right = np.empty(6 * scale)
    for i in range(len(right)):
        values = rng.normal(size=(400, 90)) * 0.95 ** np.arange(90)
        few = np.sort(rng.choice(400, 40, replace=False))
        copies = np.setdiff1d(np.arange(400), few)[:100]
        values[copies] = (
            values[rng.choice(few, 100)] + rng.normal(size=(100, 90)) * rng.random((100, 1)) * 0.3
        )
        split = Labels.of(["test" if j in set(few.tolist()) else "train" for j in range(400)])
        pool = Pool.of({"vec": Vectors(values.astype(np.float32)), "split": split})
        found = alone(CosineLeakage().steps(pool), pool)
        truth = exact(pool.signal("vec", Vectors).values, few.tolist(), 0.9)
        right[i] = truth == list(zip(found.rows.tolist(), found.of.tolist(), strict=True))
    return right


CLAIM = Claim(
    paper="Yang et al. 2023",
    says="rephrased test samples lie near the originals in an embedding",
    we_show="just the rows near one of the group are dropped, each for its nearest, as by the definition",
    not_shown="whether a given encoder puts paraphrases near each other",
    measure=claim,
    margin=1.0,
)
