"""Exhaustive search: the best feasible choice, by trying all of them.

Source: the definition. Equivalent to `max(all subsets of at most k rows, key=f)`; it is the public oracle of
the other solvers.
Deviates: none. Ties go to the choice of more rows, then to the one whose increasing positions come first.
Cost: up to 2^n choices; at most 2^20 are tried. Memory: O(n).
Guarantee: the optimum; `Choice.bound` is (value, value).
Use it when: about 20 rows or fewer, or to audit another solver on a small pool. Not when: more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits, Waiting
from shortlist.core.covers import RandomCover
from shortlist.core.errors import InfeasibleError, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool

#: Choices tried at most.
MOST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustive:
    """Every subset of at most k rows that breaks no limit; the choice lists its rows by position."""

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose the best of all subsets.

        Raises:
            UsageError: there are more than 2^20 subsets.
            InfeasibleError: none meets all limits.
        """
        free = np.setdiff1d(np.arange(len(built)), limits.shown)
        count = sum(comb(len(free), i) for i in range(limits.k + 1))
        if count > MOST:
            tried = f"{float(min(count, 10**300)):.3g} choices, at most {MOST:,} are tried"
            raise UsageError(f"Exhaustive: {tried}; use LazyGreedy()")
        best, top = None, -np.inf
        for at, value in subsets(built, limits, free):
            slack = 1e-12 * max(1.0, abs(value))
            longer = best is None or len(at) > len(best)
            # Checks cost more than values: only what would win is checked.
            if value > (top - slack if longer else top + slack):
                found = arranged(limits, at)
                if found is not None:
                    best, top = found, max(value, top)
        if best is None:
            raise InfeasibleError(limits.names, ("not looked for: every choice of these rows was tried",))
        return _as_choice(built, limits, pool, best)


def subsets(built: Built, limits: Limits, free: I64) -> Iterator[tuple[I64, float]]:
    """All subsets of the positions `free` of at most k rows, in dictionary order, with their values."""
    stack: list[tuple[tuple[int, ...], float, int, Any]] = [((), 0.0, 0, _start(built, limits))]
    while stack:
        chosen, value, after, state = stack.pop()
        yield np.array(chosen, np.int64), value
        if len(chosen) == limits.k:
            continue
        gains = built.gains(state, free[after:]).sum(axis=1)
        for i in range(len(free) - 1, after - 1, -1):
            last = len(chosen) + 1 == limits.k
            more = None if last else built.add(state, int(free[i]))
            stack.append(((*chosen, int(free[i])), value + float(gains[i - after]), i + 1, more))


def arranged(limits: Limits, at: I64) -> I64 | None:
    """These rows in an order that breaks no limit, the first in dictionary order; None if there is none."""
    if not isinstance(limits, Waiting) or not limits.ordered:
        return None if limits.check(at) else at
    waiting: Waiting = limits

    def early(order: tuple[int, ...]) -> bool:
        so_far = np.array(order, np.int64)
        return bool(limits.check(so_far) if len(order) == len(at) else waiting.disorder(so_far))

    seen: set[frozenset[int]] = set()
    stack: list[tuple[int, ...]] = [()]
    while stack:
        order = stack.pop()
        if len(order) == len(at):
            return np.array(order, np.int64)
        for x in at[::-1].tolist():
            more = (*order, x)
            # what breaks an order early is of order; least counts may still be met
            if x in order or frozenset(more) in seen or early(more):
                continue
            seen.add(frozenset(more))
            stack.append(more)
    return None


def _start(built: Built, limits: Limits) -> Any:
    state = built.start()
    for at in limits.shown.tolist():
        state = built.add(state, at)
    return state


def _as_choice(built: Built, limits: Limits, pool: Pool, at: I64) -> Choice:
    parts, state = np.zeros((len(at), len(built.terms))), _start(built, limits)
    for i, p in enumerate(at.tolist()):
        parts[i] = built.gains(state, at[i : i + 1])[0]
        state = built.add(state, p)
    gains = parts.sum(axis=1)
    total = float(gains.sum())
    return Choice(pool.rows[at], gains, built.terms, parts, (total, total))


EXAMPLES = (Exhaustive(),)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: how far the best of 200 random choices of 4 of 10 rows stays behind, m times."""
    ahead = np.empty(10 * scale)
    for i in range(len(ahead)):
        built, pool = RandomCover.drawn(rng, 10, 25), Pool(np.arange(10), {})
        drawn = (rng.choice(10, 4, replace=False) for _ in range(200))
        random = max(int(built.covers[at].any(axis=0).sum()) for at in drawn)
        ahead[i] = Exhaustive()(built, bind(pool, (), 4), pool).total - random
    return ahead


CLAIM = Claim(
    paper="the definition",
    says="no choice is better",
    we_show="none of 200 random choices is, on random set covers",
    not_shown="pools of more than about 20 rows",
    measure=claim,
    margin=0.0,
)
