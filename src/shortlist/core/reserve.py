"""The reserve: rows kept aside so that least counts can still be met, and what a pick sets free of it.

A reserve W of a partial choice S makes S with W break no bound. Every row of W is needed: without it some
least count would be missed. So W only shrinks while rows are taken, and S ends where nothing is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shortlist.core.account import ROUNDING
from shortlist.core.arrays import F64, I32, I64, Bool
from shortlist.core.patterns import Patterns

Held = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """Budgets over rows: each i64-aligned f64[n] in `of` sums to at most its entry of most f64[J].

    price f64[n]: the row's share of all budgets together, by which rows are called cheap.
    """

    of: tuple[F64, ...]
    most: F64
    price: F64

    @classmethod
    def over(cls, of: tuple[F64, ...], most: F64, n: int) -> Costs:
        """Prices from costs; a budget of nothing makes every cost under it the dearest."""
        price = np.zeros(n)
        for cost, limit in zip(of, most.tolist(), strict=True):
            price += cost / limit if limit > 0 else (cost > 0) * 1e9
        return cls(of, most * (1 + ROUNDING), price)

    def sums(self, at: I64) -> F64:
        """f64[J]: what these rows cost."""
        return np.array([cost[at].sum() for cost in self.of], np.float64)


def dearest_first(costs: Costs, at: I64) -> I64:
    """Rows by falling price, then falling position: the order in which a reserve gives them up."""
    return at[np.lexsort((-at, -costs.price[at]))]


def by_pattern(p: Patterns, costs: Costs, at: I64) -> dict[int, tuple[int, ...]]:
    """A reserve's rows a pattern, dearest first."""
    rows = dearest_first(costs, at)
    of = p.of[rows]
    return {int(q): tuple(rows[of == q].tolist()) for q in np.unique(of)}


def easy_witness(p: Patterns, costs: Costs, free: Bool) -> I64 | None:
    """Rows that meet every least count and break no bound, found by a greedy pass; None if it fails.

    Scarce groups come first; among a group's patterns the one that meets most open counts, then the
    cheapest. Failing proves nothing except over groups that do not overlap under at most one budget.
    """
    if not (p.low > 0).any():
        return np.empty(0, np.int64)
    rows, cuts = _cheapest(p, costs, free)
    need, room = p.low.copy(), p.high.copy()
    supply = np.diff(cuts)
    taken = np.zeros(len(supply), np.int64)
    usable = supply > 0
    meets = np.zeros(len(supply), np.int64)  # open least counts that a row of the pattern meets
    for g in np.flatnonzero(need > 0):
        meets[p.holders[g]] += 1
    scarce = np.argsort(
        [supply[h].sum() - low for h, low in zip(p.holders[1:], need[1:], strict=True)], kind="stable"
    )
    for g in (
        *(scarce + 1).tolist(),
        0,
    ):  # the whole pool is in every pattern: its own least count comes last
        while need[g] > 0:
            q = _best(p.holders[g][usable[p.holders[g]]], meets, costs.price, rows, cuts[:-1] + taken)
            if q is None:
                return None
            groups = p.groups[q]
            wanted = need[groups]
            t = min(int(supply[q] - taken[q]), int(room[groups].min()), int(wanted[wanted > 0].min()))
            taken[q] += t
            usable[q] = taken[q] < supply[q]
            need[groups] -= t
            room[groups] -= t
            for met in groups[(need[groups] <= 0) & (wanted > 0)]:
                meets[p.holders[met]] -= 1
            for full in groups[room[groups] <= 0]:
                usable[p.holders[full]] = False
    witness = np.concatenate([rows[a : a + t] for a, t in zip(cuts[:-1], taken, strict=True)])
    witness = shed(p, costs, witness)
    return witness if (costs.sums(witness) <= costs.most).all() else None


def _best(of: I64, meets: I64, price: F64, rows: I64, head: I64) -> int | None:
    """Of these patterns the one whose rows meet most open counts, then whose next row is the cheapest."""
    if not len(of):
        return None
    most = of[meets[of] == meets[of].max()]
    return int(most[np.argmin(price[rows[head[most]]])])


def _cheapest(p: Patterns, costs: Costs, free: Bool) -> tuple[I64, I64]:
    """Free rows of patterns in a group with a least count, by pattern then price; i64[P+1] cuts."""
    useful = np.zeros(len(p.groups), bool)
    for g in np.flatnonzero(p.low > 0):
        useful[p.holders[g]] = True
    at = np.flatnonzero(useful[p.of] & free)
    rows = at[np.lexsort((costs.price[at], p.of[at]))]
    cuts = np.zeros(len(p.groups) + 1, np.int64)
    np.cumsum(np.bincount(p.of[rows], minlength=len(p.groups)), out=cuts[1:])
    return rows, cuts


def shed(p: Patterns, costs: Costs, witness: I64) -> I64:
    """The witness without rows that no least count needs, the dearest dropped first; positions increasing."""
    held = by_pattern(p, costs, witness)
    total = np.zeros(len(p.low), np.int64)
    for q, rows in held.items():
        total[p.groups[q]] += len(rows)
    left, _ = spared(p, costs, held, total)
    return np.sort(np.array([r for rows in left.values() for r in rows], np.int64))


def spared(p: Patterns, costs: Costs, held: Held, total: I64) -> tuple[Held, I64]:
    """The reserve without rows that no least count needs when S and W count `total`, and those rows.

    Patterns give up rows in the order of their dearest.
    """
    total = total.copy()
    left: dict[int, tuple[int, ...]] = dict(held)
    out: list[int] = []
    for q in sorted(held, key=lambda q: (-costs.price[held[q][0]], q)):
        groups = p.groups[q]
        drop = min(len(held[q]), int((total[groups] - p.low[groups]).min()))
        if drop > 0:
            total[groups] -= drop
            out.extend(held[q][:drop])
            left[q] = held[q][drop:]
            if not left[q]:
                del left[q]
    return left, np.array(out, np.int64)


def without(held: Held, of: I32, at: I64) -> Held:
    """The reserve without those of the rows at these positions that it holds."""
    left = dict(held)
    for q in np.unique(of[at]).tolist():
        if q in left:
            gone = set(at[of[at] == q].tolist())
            left[q] = tuple(r for r in left[q] if r not in gone)
            if not left[q]:
                del left[q]
    return left


def cheaper(p: Patterns, costs: Costs, free: Bool, witness: I64) -> I64:
    """A shed witness, each row swapped for the cheapest free ones of its pattern, if budgets still hold."""
    rows, cuts = _cheapest(p, costs, free)
    count = np.bincount(p.of[witness], minlength=len(p.groups))
    swapped = np.concatenate(
        [rows[a : min(a + t, b)] for a, b, t in zip(cuts[:-1], cuts[1:], count, strict=True)]
    )
    fine = len(swapped) == len(witness) and (costs.sums(swapped) <= costs.most).all()
    return np.sort(swapped) if fine else witness


@dataclass(frozen=True, slots=True, eq=False)
class Swap:
    """What taking a row of some pattern does to the reserve: counts i64[G] after it, rows given up."""

    total: I64
    dropped: tuple[tuple[int, int], ...]
    freed: F64


def swap(p: Patterns, costs: Costs, held: Held, total: I64, q: int) -> Swap | None:
    """Take a row of pattern q beside S and W, and give up every reserve row that is no longer needed.

    None if some most count is passed all the same. Only patterns that share a group with q which is just
    met can have become needless, since each row of W was needed before.
    """
    groups = p.groups[q]
    after = total.copy()
    after[groups] += 1
    dropped = []
    if held:
        met = groups[total[groups] == p.low[groups]]
        near = {c for g in met.tolist() for c in _held_in(p, held, g)}
        over = set(groups[after[groups] > p.high[groups]].tolist())
        # first those that make room where room is missing, then the dearest
        for c in sorted(near, key=lambda c: (-_shared(p, c, over), -costs.price[held[c][0]], c)):
            mine = p.groups[c]
            t = min(len(held[c]), int((after[mine] - p.low[mine]).min()))
            if t > 0:
                after[mine] -= t
                dropped.append((c, t))
    if (after[groups] > p.high[groups]).any():
        return None
    freed = np.zeros(len(costs.of))
    for c, t in dropped:
        freed += costs.sums(np.array(held[c][:t], np.int64))
    return Swap(after, tuple(dropped), freed)


def _held_in(p: Patterns, held: Held, g: int) -> list[int]:
    holders = p.holders[g]
    if len(holders) > len(held):
        return [c for c in held if g in p.groups[c]]
    return [c for c in holders.tolist() if c in held]


def _shared(p: Patterns, c: int, over: set[int]) -> int:
    return len(over.intersection(p.groups[c].tolist())) if over else 0


def released(
    held: Held, dropped: tuple[tuple[int, int], ...]
) -> tuple[dict[int, tuple[int, ...]], list[int]]:
    """The reserve without the dropped rows, and those rows."""
    left = dict(held)
    out: list[int] = []
    for c, t in dropped:
        out.extend(left[c][:t])
        if t == len(left[c]):
            del left[c]
        else:
            left[c] = left[c][t:]
    return left, out
