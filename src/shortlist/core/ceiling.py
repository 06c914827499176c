"""An upper bound of the best sum of gains under limits: the tightest of a few relaxations.

For one family of groups that do not overlap, most and least counts and the size are kept together (a
laminar family: the best set is read off sorted gains); for one budget beside it, its cost is priced into the
gains by the multiplier that makes the bound least (Fisher 1981, Management Science 27(1), 1-18,
doi:10.1287/mnsc.27.1.1). Any multiplier >= 0 gives a valid bound, so the search may stop early.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.patterns import FREE, Patterns

#: Families looked at; further ones would be valid too, but cost a pass each.
FAMILIES = 4
#: Steps of the search for a multiplier.
STEPS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """groups i64[F] without a common row; of i64[P]: the place in them of each pattern (F: in none)."""

    groups: I64
    of: I64


def families(p: Patterns) -> tuple[Family, ...]:
    """Bounded groups gathered into families, first fit; the first is empty and stands for size alone."""
    found: list[list[int]] = [[]]
    used = [np.full(len(p.groups), -1, np.int64)]
    for g in range(1, len(p.low)):
        if p.high[g] == 0 or (p.high[g] >= FREE and p.low[g] == 0):
            continue
        fit = next((f for f in range(1, len(found)) if (used[f][p.holders[g]] < 0).all()), len(found))
        if fit > FAMILIES:
            continue
        if fit == len(found):
            found.append([])
            used.append(np.full(len(p.groups), -1, np.int64))
        used[fit][p.holders[g]] = len(found[fit])
        found[fit].append(g)
    return tuple(
        Family(np.array(groups, np.int64), np.where(of < 0, len(groups), of))
        for groups, of in zip(found, used, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One family over the rows at hand, sorted by place: rows of place f lie in cuts[f]:cuts[f + 1]."""

    order: I64
    cuts: I64
    cap: I64
    need: I64
    room: int

    def best(self, gains: F64) -> I64:
        """The rows of the largest sum of gains > 0 within the family's counts and the size."""
        forced, free = [], []
        for f, (a, b) in enumerate(zip(self.cuts[:-1], self.cuts[1:], strict=True)):
            rows = self.order[a:b]
            cap, need = (int(self.cap[f]), int(self.need[f])) if f < len(self.cap) else (self.room, 0)
            rows = largest(gains, rows, min(cap, self.room))
            if need:
                top = largest(gains, rows, need)
                forced.append(top)
                rows = np.setdiff1d(rows, top, assume_unique=True)
            free.append(rows)
        spare = max(0, self.room - int(self.need.sum()))
        chosen = [*forced, largest(gains, np.concatenate(free), spare)]
        rows = np.concatenate(chosen)
        return rows[gains[rows] > 0]


def largest(gains: F64, rows: I64, m: int) -> I64:
    """The m of these rows with the largest gains, in any order."""
    if m >= len(rows):
        return rows
    if m <= 0:
        return rows[:0]
    return rows[np.argpartition(gains[rows], len(rows) - m)[len(rows) - m :]]


def ceiling(
    p: Patterns,
    parts: tuple[Family, ...],
    gains: F64,
    of: I64,
    count: I64,
    costs: tuple[F64, ...],
    rest: F64,
) -> float:
    """An upper bound of the sum of gains over rows that may be added.

    Args:
        p: patterns. parts: `families(p)`.
        gains: f64[m] of the rows at hand; of: i64[m], their patterns.
        count: i64[G], chosen so far. costs: J times f64[m]; rest: f64[J], what is left to spend.
    """
    room = int(p.high[0] - count[0])
    if room <= 0 or not len(gains):
        return 0.0
    best, part = np.inf, None
    for family in parts:
        candidate = _part(p, family, of, count, room)
        value = float(gains[candidate.best(gains)].sum())
        if value < best:
            best, part = value, candidate
    assert part is not None
    return min([best, *(_priced(part, gains, cost, float(r)) for cost, r in zip(costs, rest, strict=True))])


def _part(p: Patterns, family: Family, of: I64, count: I64, room: int) -> _Part:
    place = family.of[of]
    groups = family.groups
    order = np.argsort(place, kind="stable")
    cuts = np.searchsorted(place[order], np.arange(len(groups) + 2))
    cap = np.maximum(p.high[groups] - count[groups], 0)
    need = np.maximum(p.low[groups] - count[groups], 0)
    return _Part(order, cuts, cap, need, room)


def _priced(part: _Part, gains: F64, cost: F64, rest: float) -> float:
    """The least over multipliers of: price of the budget left + best sum of gains less the price of costs."""
    paid = cost > 0
    if not paid.any():
        return np.inf
    low, high = 0.0, float((gains[paid] / cost[paid]).max())
    best = np.inf
    price = high / 2
    for _ in range(STEPS):
        reduced = gains - price * cost
        rows = part.best(reduced)
        best = min(best, price * rest + float(reduced[rows].sum()))
        # the slope of the bound in the price: what is left minus what the best set would spend
        if cost[rows].sum() > rest:
            low = price
        else:
            high = price
        price = (low + high) / 2
    return best
