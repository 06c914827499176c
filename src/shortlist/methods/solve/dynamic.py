"""Dynamic: a choice that is kept right while rows come and go, for a few gains a change.

    for t = (1 + eps)^i: rows in a seeded random order, each taken if it gains t at least and there is room

What is kept is the same whatever the history: it depends on the rows that are there, the seed and nothing
else, and little of it changes when little of the pool does. `start`, `insert`, `delete` and `choice` keep it.
On a pool that stands still it is a solver like any other: on a pool that is read again, some rows fewer and
some more, a call chooses mostly the rows it chose before, if rows keep their numbers. To hold on to all that
are left whatever they are worth now, name them by Include.

Source: Banihashem, Biabani, Goudarzi, Hajiaghayi, Jabbarzade and Monemizadeh 2023, Dynamic constrained
    submodular optimization with polylogarithmic update time,
    https://proceedings.mlr.press/v202/banihashem23a.html, who show gaps in Lattanzi et al. 2020,
    arXiv:2006.04704; levels of one random row each as in their Dynamic algorithms for matroid submodular
    maximization, arXiv:2306.00959; first Monemizadeh 2020, Dynamic submodular maximization (NeurIPS).
Deviates: the random row of every level is the first by one hash of global rows, where theirs is drawn anew,
    so that no history shows. A level that lost its row is filled again at once. The rows left to a level are
    asked all together rather than by binary search.
Cost: an insert asks 2 + log2(k) gains a threshold; where the row enters level i, or the row of level i goes,
    the levels from i on are asked again. Against changes that do not look at the seed that is expected k^2
    gains a threshold at most, however large the pool; a delete of a row that is not chosen asks none.
Memory: k states and 4 n bytes for each of about log(2 k) / eps thresholds, more where single gains differ by
    orders of magnitude; numbers of n rows are copied a change.
Guarantee: 1/2 - eps of the best choice of k of the rows that are there, after every change, for monotone
    submodular objectives. On a pool that stands still, under other limits than size, none in advance:
    `Choice.bound` says what holds for the run.
Use it when: the choice is wanted after every change, and choosing anew takes too long. Not when: a choice is
    wanted now and then (LazyGreedy is worth more), or states are large (FacilityLocation without
    `represent`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I32, I64, U64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Built, Limits
from shortlist.core.covers import RandomCover
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.within import SomeBuilt, mixed, retold
from shortlist.methods.solve.sieve import begun, exponents, sifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """Threshold greedy in a random order, kept up to date.

    Args:
        eps: in (0, 1): distance between thresholds, and what the guarantee gives away.
        seed: of the order of rows.
    """

    eps: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.eps < 1:
            raise UsageError(f"Dynamic: eps must lie in (0, 1), found {self.eps!r}")

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to.

        Raises:
            ContractError: the objective is not submodular, so that a gain once too small may grow.
        """
        best = start = begun(built, limits, limits.k, "Dynamic")
        free = np.setdiff1d(np.arange(len(built)), np.concatenate([limits.must, limits.shown]))
        order = free[np.argsort(mixed(pool.rows[free], self.seed), kind="stable")]
        single = built.gains(start.state, order).sum(axis=1)
        for i in exponents(float(single.max(initial=0.0)), start.room, self.eps):
            t = (1 + self.eps) ** i
            sieve = sifted(start, built, limits, t, order[single >= t])
            best = sieve if sieve.value > best.value else best
        return retold(built, limits, pool, np.array(best.taken, np.int64))

    def start(self, built: Built, k: int, pool: Pool) -> Kept:
        """No row is there yet; `built` and `pool` know all that may come.

        Raises:
            ContractError: the objective is not submodular and monotone.
        """
        if not (built.submodular and built.monotone):
            raise ContractError(
                f"Dynamic keeps monotone submodular objectives; {'+'.join(built.terms)} is not one: "
                "choose anew after a change, by Greedy()"
            )
        single = np.full(len(built), np.nan)
        return Kept(built, pool, k, self.eps, mixed(pool.rows, self.seed), single, built.start(), {})

    def insert(self, kept: Kept, at: int) -> Kept:
        """The row at this position of the pool is there.

        Raises:
            UsageError: it was there before.
        """
        if not np.isnan(kept.single[at]):
            raise UsageError(f"row {kept.pool.rows[at]} is there already")
        gain = float(kept.built.gains(kept.first, np.array([at])).sum())
        single, towers = kept.single.copy(), dict(kept.towers)
        single[at] = gain
        for i in kept.suits(gain):
            tower = towers.get(i) or Tower.empty(kept.first, (1 + self.eps) ** i, len(single))
            towers[i] = tower.with_row(kept, at)
        return replace(kept, single=single, towers=towers)

    def delete(self, kept: Kept, at: int) -> Kept:
        """The row at this position of the pool is gone.

        Raises:
            UsageError: it was not there.
        """
        if np.isnan(kept.single[at]):
            raise UsageError(f"row {kept.pool.rows[at]} is not there, so it cannot go")
        towers, single = dict(kept.towers), kept.single.copy()
        for i in kept.suits(float(single[at])):
            towers[i] = towers[i].without_row(kept, at)
            if not towers[i].taken:
                del towers[i]
        single[at] = np.nan
        return replace(kept, single=single, towers=towers)

    def choice(self, kept: Kept) -> Choice:
        """The choice among the rows that are there, filled up to k by gain, as a call on them makes it.

        Its bound and its last rows take looks at every row; `Kept.taken` takes none.
        """
        there = np.flatnonzero(~np.isnan(kept.single))
        pool = Pool(kept.pool.rows[there], {})
        order = np.searchsorted(there, kept.taken)
        return retold(SomeBuilt(kept.built, there), bind(pool, (), kept.k), pool, order)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What is kept between changes.

    rank u64[n]: the random order; single f64[n]: what each row gains alone, NaN where it is not there;
    first: the state of no rows; towers: by exponent i of their threshold (1 + eps)^i.
    """

    built: Built
    pool: Pool
    k: int
    eps: float
    rank: U64
    single: F64
    first: Any
    towers: dict[int, Tower]

    @property
    def best(self) -> Tower | None:
        """The tower that is worth most among those that the largest gain allows; the lowest of equals."""
        top = float(np.nanmax(self.single)) if self.towers else 0.0
        near = [self.towers[i] for i in exponents(top, self.k, self.eps) if i in self.towers]
        return max(near, key=_worth, default=None)

    @property
    def taken(self) -> I64:
        """Positions of the rows taken, in order; asks for no gain."""
        return np.array(self.best.taken if self.best else (), np.int64)

    @property
    def value(self) -> float:
        """What the rows taken are worth."""
        return self.best.worth[-1] if self.best else 0.0

    def suits(self, gain: float) -> list[int]:
        """Exponents of the towers that a row of this gain belongs to: where it is neither too small to be
        taken, nor so large alone that the threshold must be a higher one."""
        most = 2 * self.k * (1 + self.eps)
        near = exponents(gain, self.k, self.eps)
        return [
            i
            for i in range(near.start - 2, near.stop + 1)
            if near and (1 + self.eps) ** i <= gain <= most * (1 + self.eps) ** i
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """The rows taken at one threshold, a level each, with the states and values after them.

    leave i32[n]: how many levels a row may stand for, that is the first whose rows it gains too little with;
    a level's own row leaves there. -1: the row does not belong here. Levels end at k.
    """

    t: float
    taken: tuple[int, ...]
    states: tuple[Any, ...]
    worth: tuple[float, ...]
    leave: I32

    @classmethod
    def empty(cls, first: Any, t: float, n: int) -> Tower:
        """No level."""
        return cls(t, (), (first,), (0.0,), np.full(n, -1, np.int32))

    def with_row(self, kept: Kept, at: int) -> Tower:
        """The tower with one row more to take from."""
        # the rows of levels below have smaller ranks; theirs grow with the level
        below = int(np.searchsorted(kept.rank[list(self.taken)], kept.rank[at]))
        leave = self.leave.copy()
        low, high = 1, below  # it passes the first level's gain; find the last level it passes
        if below and self._passes(kept, below, at):
            low = below + 1
        else:
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if self._passes(kept, middle, at) else (low, middle)
        leave[at] = min(low, kept.k)
        tower = replace(self, leave=leave)
        return tower._raised(kept, low) if low == below + 1 <= kept.k else tower

    def without_row(self, kept: Kept, at: int) -> Tower:
        """The tower with one row less."""
        leave = self.leave.copy()
        leave[at] = -1
        tower = replace(self, leave=leave)
        return tower._raised(kept, self.taken.index(at) + 1) if at in self.taken else tower

    def _passes(self, kept: Kept, level: int, at: int) -> bool:
        """Whether the row gains enough beside the rows of this many levels."""
        return bool(kept.built.gains(self.states[level], np.array([at])).sum() >= self.t)

    def _raised(self, kept: Kept, level: int) -> Tower:
        """The levels from this one (1 is the lowest) on, again. `leave` is changed in place."""
        taken, states, worth = (
            list(self.taken[: level - 1]),
            list(self.states[:level]),
            list(self.worth[:level]),
        )
        left = np.flatnonzero(self.leave >= level)
        gains = kept.built.gains(states[-1], left).sum(axis=1)
        while len(left):
            self.leave[left] = level
            first = int(np.argmin(kept.rank[left]))
            at = int(left[first])
            taken.append(at)
            states.append(kept.built.add(states[-1], at))
            worth.append(worth[-1] + float(gains[first]))
            if level == kept.k:
                break
            left = np.delete(left, first)
            gains = kept.built.gains(states[-1], left).sum(axis=1)
            left, gains, level = left[gains >= self.t], gains[gains >= self.t], level + 1
        return Tower(self.t, tuple(taken), tuple(states), tuple(worth), self.leave)


def _worth(tower: Tower) -> float:
    return tower.worth[-1]


def exact(built: Built, k: int, t: float, order: I64) -> list[int]:
    """One tower by its definition: rows in their random order, each taken if it gains t."""
    state, taken = built.start(), list[int]()
    for at in order.tolist():
        if len(taken) < k and built.gains(state, np.array([at])).sum() >= t:
            state = built.add(state, at)
            taken.append(at)
    return taken


EXAMPLES = (Dynamic(), Dynamic(eps=0.5, seed=3))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: after each of m changes of a random set cover, half of them deletes, many of chosen rows: the
    share of greedy's value that is kept; and the least of them."""
    solver, n, k = Dynamic(eps=0.1, seed=int(rng.integers(1 << 30))), 60, 5
    built, pool = RandomCover.drawn(rng, n, 80), Pool(np.arange(n), {})
    kept, shares = solver.start(built, k, pool), np.ones(150 * scale)
    there = np.zeros(n, bool)
    for i in range(len(shares)):
        gone, here = np.flatnonzero(~there), np.flatnonzero(there)
        if len(here) and (not len(gone) or rng.random() < 0.5):
            at = int(rng.choice(kept.taken if len(kept.taken) and rng.random() < 0.5 else here))
            kept = solver.delete(kept, at)
        else:
            at = int(rng.choice(gone))
            kept = solver.insert(kept, at)
        there[at] = ~there[at]
        some = SomeBuilt(built, np.flatnonzero(there))
        greedy = int(built.covers[some.at[climb(some, k)]].any(axis=0).sum())
        shares[i] = kept.value / greedy if greedy else 1.0
    return np.array([shares.min(), *shares])


CLAIM = Claim(
    paper="Banihashem et al. 2023; Monemizadeh 2020",
    says="1/2 - eps of the best choice is kept under inserts and deletes, for polylogarithmically many gains",
    we_show="after every change, many of them deletes of chosen rows, it holds against greedy",
    not_shown="the number of gains (see the tests), and changes that look at the seed",
    measure=claim,
    margin=0.5 - 0.1,
)
