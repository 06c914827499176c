"""Rows that leave a pool as duplicates, each with the row that stays in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.effects import Plan
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Drops:
    """What a deduper found.

    rows i64[d]: global rows dropped, strictly increasing; of i64[d]: the row each is a duplicate of, which
    is not dropped itself; similarity f64[d] of the two, finite, by the measure that `why` names.
    """

    rows: I64
    of: I64
    similarity: F64
    why: str

    def __post_init__(self) -> None:
        if not len(self.rows) == len(self.of) == len(self.similarity):
            raise ContractError("rows, of and similarity must be of one length")
        if (np.diff(self.rows) <= 0).any():
            raise ContractError("dropped rows must be strictly increasing")
        if np.isin(self.of, self.rows).any():
            raise ContractError("a row is dropped for one that is dropped itself")
        if not np.isfinite(self.similarity).all():
            raise ContractError("similarity must be finite")

    @classmethod
    def at(cls, pool: Pool, of: I64, similarity: F64, why: str) -> Drops:
        """From positions: of i64[n] is the position that stays in a row's place, -1 where the row stays."""
        gone = np.flatnonzero(of >= 0)
        return cls(pool.rows[gone], pool.rows[of[gone]], similarity[gone].astype(np.float64), why)

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, rows: I64) -> Drops:
        """The same, but these global rows stay."""
        drop = ~np.isin(self.rows, rows)
        return Drops(self.rows[drop], self.of[drop], self.similarity[drop], self.why)


def best_first(pool: Pool, keep: str) -> I64:
    """Positions i64[n] in the order in which copies are preferred: utility of `keep` down, then row up.

    An empty `keep` prefers the copy that comes first.
    """
    if not keep:
        return np.arange(len(pool), dtype=np.int64)
    return np.argsort(-pool.signal(keep, Scores).utility(), kind="stable")


def left(n: int, to: float) -> int:
    """Rows that must stay of n: `to` itself if it is a count, its share rounded up if below 1, 0 if it is 0.

    Raises:
        UsageError: `to` is negative, or neither a count nor a share.
    """
    if not (0 <= to <= 1 or (to > 1 and to % 1 == 0)):
        raise UsageError(f"to must be a count of rows or a share below 1, found {to}")
    return int(np.ceil(to * n)) if 0 < to < 1 else min(int(to), n)


#: Steps between the floor and 1 in which a deduper looks for the threshold that leaves enough rows.
LEVELS = 1 << 10

#: of i64[n] (position that stays in a row's place, -1: the row stays) and similarity f64[n].
Found: TypeAlias = tuple[I64, F64]


def thin(found: Callable[[float], Plan[Found]], floor: float, stay: int) -> Plan[Found]:
    """Drop the most similar rows first, until `stay` are left or none is at least `floor` similar.

    That is: the highest threshold (of LEVELS) at which at most `stay` rows are left, less the least similar
    drops (then the first) that it takes beyond. `found(threshold)` is a deduper's answer at a threshold.
    """
    best = yield from found(floor)
    low, high = 0, LEVELS  # enough go at `low`, if at any; too few at `high`
    if (best[0] < 0).sum() < stay:
        while high - low > 1:
            middle = (low + high) // 2
            tried = yield from found(floor + (1.0 - floor) * middle / LEVELS)
            if (tried[0] < 0).sum() <= stay:
                low, best = middle, tried
            else:
                high = middle
    return spared(*best, stay)


def placed(
    alike: Callable[[list[float]], Plan[list[Found]]], rows: I64, n: int, threshold: float
) -> Plan[Found]:
    """What was found among `rows` at a threshold, as positions of all n."""
    ((mate, likeness),) = yield from alike([threshold])
    of, similarity = np.full(n, -1, np.int64), np.zeros(n)
    of[rows] = np.where(mate >= 0, rows[mate], -1)
    similarity[rows] = likeness
    return of, similarity


def spared(of: I64, similarity: F64, stay: int) -> Found:
    """The same, but the least similar drops (then the first) stay, until `stay` rows do."""
    gone = np.flatnonzero(of >= 0)
    spare = stay - (len(of) - len(gone))
    if spare > 0:
        of = of.copy()
        of[gone[np.argsort(similarity[gone], kind="stable")[:spare]]] = -1
    return of, similarity
