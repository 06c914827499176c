"""The record of every item: whom it met, what it got; and whether that decides a ranking at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I32, I64, Bool
from shortlist.core.errors import InputError
from shortlist.core.judgments import Duels
from shortlist.kernels import duels as kernels
from shortlist.kernels.jit import have_numba

#: Names that a refusal lists.
SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """CSR by item: indptr i64[n+1]; other i32[z]; won, met f64[z] > 0. A pair stands once in each row."""

    indptr: I64
    other: I32
    won: F64
    met: F64

    @classmethod
    def of(cls, duels: Duels) -> Record:
        """Duels of one pair added up; those that weigh nothing left out."""
        n, m = len(duels.names), len(duels)
        if not have_numba():
            return cls(*merged_plain(duels))
        ends, other = np.zeros(n + 2, np.int64), np.empty(2 * m, np.int32)
        won, met, out = np.empty(2 * m), np.empty(2 * m), np.empty(n + 1, np.int64)
        kernels.by_item(duels.pairs, duels.wins, duels.weights, ends, other, won, met)
        kernels.merge(ends, other, won, met, np.full(n, -1, np.int64), out)
        z = int(out[-1])
        return cls(out, other[:z], won[:z], met[:z])

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def item(self) -> I64:
        """i64[z]: the item whose entry it is."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def sums(self, entries: F64) -> F64:
        """f64[n]: entries f64[z] added up by item."""
        if not have_numba():
            return np.bincount(self.item, entries, minlength=len(self)).astype(np.float64)
        out = np.empty(len(self))
        kernels.row_sums(self.indptr, entries, out)
        return out


def merged_plain(duels: Duels) -> tuple[I64, I32, F64, F64]:
    """The record without a compiler: the same entries in the same order."""
    n, keep = len(duels.names), np.flatnonzero(duels.weights > 0)
    pairs, wins, weight = duels.pairs[keep], duels.wins[keep], duels.weights[keep]
    item, other = pairs.reshape(-1), pairs[:, ::-1].reshape(-1)
    met = np.repeat(weight, 2)
    won = np.stack([weight * wins, weight * (1.0 - wins)], axis=1).reshape(-1)
    _, first, group = np.unique(item * max(n, 1) + other, return_index=True, return_inverse=True)
    order = np.lexsort((first, item[first]))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    ends = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(item[first], minlength=n), out=ends[1:])
    at, z = place[group], len(order)
    return (
        ends,
        other[first][order].astype(np.int32),
        np.bincount(at, won, minlength=z).astype(np.float64),
        np.bincount(at, met, minlength=z).astype(np.float64),
    )


def reached(record: Record, weight: F64, start: int) -> Bool:
    """bool[n]: items that a path of entries of weight f64[z] > 0 leads to from `start`."""
    n = len(record)
    seen = np.zeros(n, bool)
    if have_numba():
        kernels.reach(record.indptr, record.other, weight, start, seen, np.empty(n, np.int64))
        return seen
    seen[start] = True
    item, open_ = record.item, weight > 0
    while True:
        new = record.other[open_ & seen[item]]
        if seen[new].all():
            return seen
        seen[new] = True


def must_decide(record: Record, names: Sequence[str], way_out: str) -> None:
    """Refuse duels that leave some strength infinite or free, by the names that do it.

    A finite answer needs that every item can be reached from every other by a chain of wins (Ford 1957);
    ties and probabilities count as wins of both.

    Raises:
        InputError: it is not so; `way_out` ends the sentence.
    """
    n = len(record)
    if n < 2:
        return
    below = reached(record, record.won, 0)
    above = reached(record, record.met - record.won, 0)
    if below.all() and above.all():
        return
    if not (reached(record, record.met, 0)).all():
        met = reached(record, record.met, 0)
        apart = met if 2 * met.sum() <= n else ~met
        raise InputError(f"{_listed(apart, names)} never met the other items", fix=way_out)
    if not below.all():  # nobody below 0 beats anyone outside: the outside never loses to them
        top = ~below
        if 2 * top.sum() <= n:
            raise InputError(f"{_listed(top, names)} never lost to the other items", fix=way_out)
        raise InputError(f"{_listed(below, names)} never won against the other items", fix=way_out)
    if 2 * above.sum() <= n:
        raise InputError(f"{_listed(above, names)} never lost to the other items", fix=way_out)
    raise InputError(f"{_listed(~above, names)} never won against the other items", fix=way_out)


def _listed(some: Bool, names: Sequence[str]) -> str:
    at = np.flatnonzero(some)
    shown = ", ".join(repr(names[i])[:60] for i in at[:SHOWN].tolist())
    return shown if len(at) <= SHOWN else f"{shown} and {len(at) - SHOWN:,} more"
