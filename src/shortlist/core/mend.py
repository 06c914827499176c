"""Looking for a reserve under rules: rows that may stand together, and sequences that keep rules of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.contracts import Rule
from shortlist.core.counts import fitting
from shortlist.core.patterns import Patterns
from shortlist.core.reserve import Costs, shed

#: Rows tried at a step of the search; rows that are looked up one by one.
WIDE, FEW = 24, 64


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A choice in the making under inequalities and rules.

    count i64[G], spent f64[J]: of what is taken; said: the rules' states; closed: rows that may not come.
    """

    patterns: Patterns
    costs: Costs
    rules: tuple[Rule, ...]
    count: I64
    spent: F64
    said: tuple[Any, ...] = ()
    closed: frozenset[int] = frozenset()

    def take(self, at: int) -> Path | None:
        """With this row taken next; None where that may not be."""
        groups = self.patterns.groups[self.patterns.of[at]]
        if at in self.closed or (self.count[groups] >= self.patterns.high[groups]).any():
            return None
        spent = self.spent + np.array([cost[at] for cost in self.costs.of], np.float64)
        one = np.array([at])
        if (spent > self.costs.most).any() or not all(
            r.allows(s, one)[0] for r, s in zip(self.rules, self.said, strict=True)
        ):
            return None
        count = self.count.copy()
        count[groups] += 1
        said = tuple(r.add(s, at) for r, s in zip(self.rules, self.said, strict=True))
        closed = self.closed.union([at], *(r.shuts(at).tolist() for r in self.rules))
        return replace(self, count=count, spent=spent, said=said, closed=closed)

    def candidates(self, among: I64) -> I64:
        """Those of these positions that may be taken next."""
        p = self.patterns
        ok = fitting(p, self.count)[p.of[among]]
        if len(among) > FEW:
            ok &= ~np.isin(among, np.fromiter(self.closed, np.int64, len(self.closed)))
        else:
            ok &= np.array([x not in self.closed for x in among.tolist()], bool)
        for cost, spent, most in zip(self.costs.of, self.spent, self.costs.most, strict=True):
            ok &= spent + cost[among] <= most
        at = among[ok]
        for rule, said in zip(self.rules, self.said, strict=True):
            at = at[rule.allows(said, at)]
        return at

    def replayed(self, at: int, rest: Sequence[int], *, only_needed: bool) -> tuple[int, ...] | None:
        """What of these rows is taken after row `at`, if every least count is met then: each time the first
        that may come, so that one that has to wait is put off.

        only_needed: rows that meet no open count are left out; else all have to be taken.
        """
        p, low, high = self.patterns, self.patterns.low.tolist(), self.patterns.high.tolist()
        count, spent, said, shut = self.count.tolist(), self.spent, self.said, set[int]()
        taken, left, now = list[int](), list(rest), at
        while True:
            groups = p.groups[p.of[now]].tolist()
            if now in self.closed or now in shut or any(count[g] >= high[g] for g in groups):
                return None
            if self.costs.of:
                spent = spent + np.array([cost[now] for cost in self.costs.of], np.float64)
                if (spent > self.costs.most).any():
                    return None
            for g in groups:
                count[g] += 1
            if now == at and not all(
                r.allows(s, np.array([at]))[0] for r, s in zip(self.rules, said, strict=True)
            ):
                return None
            said = tuple(r.add(s, now) for r, s in zip(self.rules, said, strict=True))
            for rule in self.rules:
                if not rule.ordered:
                    shut.update(rule.shuts(now).tolist())
            taken.append(now)
            if only_needed:
                open_ = {g for g, (c, b) in enumerate(zip(count, low, strict=True)) if c < b}
                left = [x for x in left if not open_.isdisjoint(p.groups[p.of[x]].tolist())]
            if not left:
                met = all(c >= b for c, b in zip(count, low, strict=True))
                return tuple(taken[1:]) if met else None
            ahead = np.array(left)
            fine = np.ones(len(ahead), bool)
            for rule, state in zip(self.rules, said, strict=True):
                fine &= rule.allows(state, ahead)
            if not fine.any():
                return None
            now = left.pop(int(np.argmax(fine)))


def sequence(
    begun: Path, alike: I64, steps: int, first: Sequence[int] = (), among: I64 | None = None
) -> tuple[tuple[int, ...] | None, bool]:
    """Rows that can be taken in this order and meet every least count, and whether the answer is proved.

    A search in depth; sets of rows seen before are not tried twice, since what may follow a set does not
    depend on its order. Among many rows that could come next only a few are tried: those that meet most open
    counts, of the kinds that were taken least.

    Args:
        begun: what is taken. alike: i64[n], kinds of rows.
        steps: of the search, at most. first: rows tried before others of their kind. among: the rows tried,
            increasing; None: all that are not closed now.
    """
    p, whole = begun.patterns, True
    if among is None:
        among = np.setdiff1d(np.arange(len(alike)), np.fromiter(begun.closed, np.int64, len(begun.closed)))
    kinds = int(alike.max(initial=0)) + 1
    liked = np.full(len(alike), len(first))
    liked[list(first)] = np.arange(len(first))
    seen: set[frozenset[int]] = set()
    path: Path | None = begun
    order: tuple[int, ...] = ()
    stack: list[tuple[Path, tuple[int, ...]]] = []  # what is taken, and with it the row to take next
    for _ in range(steps):
        while path is None or frozenset(order) in seen:
            if not stack:
                return None, whole
            before, order = stack.pop()
            path = None if frozenset(order) in seen else before.take(order[-1])
        seen.add(frozenset(order))
        lack = path.count < p.low
        if not lack.any():
            return order, True
        at = path.candidates(among)
        meets = np.array([lack[g].sum() for g in p.groups], np.int64)[p.of[at]]
        used = np.bincount(alike[list(order)], minlength=kinds)[alike[at]]
        at = at[np.lexsort((at, liked[at], used, -meets))]
        if len(at) > WIDE:
            whole = False
            # a kind's first rows before its second ones
            kind = alike[at]
            by = np.argsort(kind, kind="stable")
            new = np.flatnonzero(np.diff(kind[by], prepend=-1))
            rank = np.empty(len(at), np.int64)
            rank[by] = np.arange(len(at)) - np.repeat(new, np.diff(new, append=len(at)))
            at = at[np.argsort(rank, kind="stable")[:WIDE]]
            at = at[np.argsort([-int(lack[p.groups[p.of[x]]].sum()) for x in at], kind="stable")]
        stack += [(path, (*order, x)) for x in at[::-1].tolist()]  # the best is looked at first
        path = None
    return None, False


def grown(path: Path, usable: Bool, kept: I64) -> I64 | None:
    """Rows that meet every least count beside what is taken and may stand together; None if not found.

    Greedy: the scarcest group first; of its rows one that meets most open counts, then one that shuts fewest
    of the others out where that is known, then the cheapest.

    Args:
        path: what is taken. usable: bool[n], rows that may still be taken. kept: i64[m], rows to keep, which
            may stand together and beside what is taken.
    """
    p, costs = path.patterns, path.costs
    usable, count = usable.copy(), path.count.copy()
    rest = costs.most - path.spent - costs.sums(kept)
    for x in kept.tolist():
        count[p.groups[p.of[x]]] += 1
        usable[x] = False
        for rule in path.rules:
            usable[rule.shuts(x)] = False
    rows = kept.tolist()
    crowd = _crowd(path.rules, len(usable))
    while (count < p.low).any():
        x = _wanted(path, usable, count, rest, crowd)
        if x is None:
            return None
        rows.append(x)
        count[p.groups[p.of[x]]] += 1
        rest = rest - np.array([cost[x] for cost in costs.of], np.float64)
        usable[x] = False
        for rule in path.rules:
            usable[rule.shuts(x)] = False
    if (count > p.high).any() or (rest < 0).any():
        return None
    needed = replace(p, low=np.maximum(p.low - path.count, 0))
    return shed(needed, costs, np.array(rows, np.int64))


def _wanted(path: Path, usable: Bool, count: I64, rest: F64, crowd: I64) -> int | None:
    p, costs = path.patterns, path.costs
    may = usable & fitting(p, count)[p.of]
    for cost, most in zip(costs.of, rest, strict=True):
        may &= cost <= most
    supply = np.bincount(p.of[may], minlength=len(p.groups))
    meets = np.zeros(len(p.groups), np.int64)
    spare: dict[int, int] = {}
    for g in np.flatnonzero(count < p.low).tolist():
        meets[p.holders[g]] += 1
        spare[g] = int(supply[p.holders[g]].sum() - (p.low[g] - count[g]))
    scarce = min(spare, key=lambda g: (spare[g], g == 0, g))
    if spare[scarce] < 0:
        return None
    held = p.holders[scarce][supply[p.holders[scarce]] > 0]
    best = np.zeros(len(p.groups), bool)
    best[held[meets[held] == meets[held].max()]] = True
    at = np.flatnonzero(may & best[p.of])
    return int(at[np.lexsort((at, costs.price[at], crowd[at]))[0]])


def _crowd(rules: tuple[Rule, ...], n: int) -> I64:
    """i64[n]: how many rows each shuts out, where that is known; 0 else."""
    total = np.zeros(n, np.int64)
    for rule in rules:
        pairs = getattr(rule, "pairs", None)
        if pairs is not None:
            total += np.diff(pairs[0])
    return total
