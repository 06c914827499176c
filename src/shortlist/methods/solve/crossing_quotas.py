"""The best sum of scores under a size and most counts of two signals at once: exact, where greedy is not.

Each augmenting path takes one row more: in by a group of the first signal and one of the second, and out
again where a better row frees its place. Among all paths the one that gains most keeps the choice best for
its size.
Source: Edmonds 1979, Matroid intersection, doi:10.1016/S0167-5060(08)70817-3; paths by gain are the weighted
algorithm of Lawler 1975, Matroid intersection algorithms, doi:10.1007/BF01681329.
Deviates: this is the intersection of two partition matroids and no more: other matroids (laminar families,
    a third signal) are left to Swap, whose exchanges are of one row for one. It is not the local search of
    Lee, Sviridenko and Vondrak 2010, doi:10.1287/moor.1100.0463, whose exchanges of several rows reach
    1/(p + eps) under p matroids. Here the exchange graph shrinks to one node a group, the dearest free row
    between two groups being the arc. What must be taken comes first. Exact where `Choice.bound` is closed:
    the objective is modular (gains that do not change as all rows are added one by one, which is checked) and
    the best choice under size and both families of groups keeps all other limits as well. Else the answer
    is Swap's.
Cost: k paths of some passes over a x b pairs of groups, and n adds.  Memory: 8 a b + 24 n bytes.
Guarantee: 1 - 1/e of the best for monotone submodular objectives under a size alone, and greedy's 1 / (p +
    1) under p matroids, as Swap has them; the optimum for modular ones under a size and most counts of two
    signals.
Use it when: rows have a score each and quotas of two signals cross (language and source). Not when: quotas
    are of one signal (LazyGreedy is exact), or the objective is not modular (it is Swap then).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits, Row
from shortlist.core.covers import RandomCover
from shortlist.core.limits import bind_rows
from shortlist.core.pool import Pool
from shortlist.core.steps import Steps
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.swap import Swap

#: No cap: more than any count.
FREE = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingQuotas:
    """Exact for sums of scores under two families of most counts, else Swap with `eps` and `passes`."""

    eps: float = field(default=0.01, kw_only=False)
    passes: int = 8

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to."""
        begun = Steps.begin(built, limits)
        free = begun.candidates()
        free = free[limits.allows(begun.held, free)]
        gains = constant_gains(built, begun, free)
        if gains is not None:
            must = np.array([s.at for s in begun.taken], np.int64)
            picked = _dearest(gains, free, _families(limits, must, len(built)), limits.k - len(must))
            order = np.concatenate([must, picked])
            # Best under fewer limits: the best under all of them if it keeps them all.
            if not limits.check(order):
                choice = Steps.told(built, limits, order).choice(pool)
                return replace(choice, bound=(choice.total, choice.total))
        return Swap(self.eps, passes=self.passes)(built, limits, pool)


def constant_gains(built: Built, begun: Steps, free: I64) -> F64 | None:
    """f64[len(free)]: the gains of rows whose gains nothing changes; None if something does."""
    if not built.submodular:
        return None
    state = begun.state
    gains: F64 = built.gains(state, free).sum(axis=1)
    for i, at in enumerate(free.tolist()):
        # On top of all rows before it each gains what it gains alone: so it does on top of any.
        rest = slice(i, None if i == 1 else i + 1)
        if (built.gains(state, free[rest]).sum(axis=1) != gains[rest]).any():
            return None
        state = built.add(state, at)
    return gains


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """Groups without a common row: of i64[n], the group of each row (the last: none), and room i64[G + 1]."""

    of: I64
    room: I64


def _families(limits: Limits, must: I64, n: int) -> tuple[_Family, _Family]:
    """Most counts gathered into two families, first fit; what fits in neither is left to the check."""
    of = np.full((2, n), -1, np.int64)
    rooms: tuple[list[int], list[int]] = ([], [])
    for row in limits.rows:
        if row.kind != "quota" or row.weight is not None or row.high >= n or row.at is None:
            continue
        fit = next((f for f in (0, 1) if (of[f][row.at] < 0).all()), None)
        if fit is not None:
            of[fit][row.at] = len(rooms[fit])
            rooms[fit].append(max(int(row.high) - int(np.isin(must, row.at).sum()), 0))
    first, second = (
        _Family(np.where(o < 0, len(room), o), np.array([*room, FREE], np.int64))
        for o, room in zip(of, rooms, strict=True)
    )
    return first, second


def _dearest(gains: F64, free: I64, families: tuple[_Family, _Family], k: int) -> I64:
    """At most k of the positions `free`: the largest sum of gains f64[len(free)] both families allow."""
    a, b = families
    width = len(b.room)
    cell = a.of[free] * width + b.of[free]
    order = np.lexsort((free, -gains, cell))
    cuts = np.searchsorted(cell[order], np.arange(len(a.room) * width + 1))
    worth, used = gains[order], np.zeros(len(cuts) - 1, np.int64)
    left, right = a.room.copy(), b.room.copy()
    shape, slack = (len(a.room), width), 1e-12 * float(np.abs(gains).max(initial=0.0))
    # What one row more of a pair of groups adds, and what one less costs.
    more, less = np.full(len(used), -np.inf), np.full(len(used), -np.inf)
    some = cuts[1:] > cuts[:-1]
    more[some] = worth[cuts[:-1][some]]
    for _ in range(k):
        path = _path(more.reshape(shape), less.reshape(shape), left, right, slack)
        if path is None:
            break
        for i, j, step in path:
            c = i * width + j
            used[c] += step
            at = cuts[c] + used[c]
            more[c] = worth[at] if at < cuts[c + 1] else -np.inf
            less[c] = -worth[at - 1] if used[c] else -np.inf
        left[path[0][0]] -= 1
        right[path[-1][1]] -= 1
    taken = np.concatenate([order[s : s + u] for s, u in zip(cuts, used, strict=False)] or [order[:0]])
    rows: I64 = free[taken[np.lexsort((free[taken], -gains[taken]))]]
    return rows


def _path(more: F64, less: F64, left: I64, right: I64, slack: float) -> list[tuple[int, int, int]] | None:
    """The path that adds most, as (group, group, +1 or -1), from room to room; None if all do harm."""
    to_a = np.where(left > 0, 0.0, -np.inf)
    to_b = np.full(len(right), -np.inf)
    from_a, from_b = np.zeros(len(right), np.int64), np.full(len(left), -1, np.int64)
    for _ in range(len(left) + len(right)):
        reach = to_a[:, None] + more
        best, by = reach.max(axis=0), reach.argmax(axis=0)
        new = best > to_b + slack if np.isfinite(to_b).any() else best > to_b
        new |= np.isneginf(to_b) & (best > -np.inf)
        to_b[new], from_a[new] = best[new], by[new]
        back = to_b[None, :] + less
        best, by = back.max(axis=1), back.argmax(axis=1)
        better = (best > to_a + slack) | (np.isneginf(to_a) & (best > -np.inf))
        to_a[better], from_b[better] = best[better], by[better]
        if not better.any():
            break
    end = int(np.argmax(np.where(right > 0, to_b, -np.inf)))
    if right[end] <= 0 or to_b[end] < 0:
        return None
    path: list[tuple[int, int, int]] = []
    j = end
    while True:
        i = int(from_a[j])
        path.append((i, j, 1))
        j = int(from_b[i])
        if j < 0 or len(path) > 2 * (len(left) + len(right)):
            return path[::-1]
        path.append((i, j, -1))


EXAMPLES = (CrossingQuotas(0.05), CrossingQuotas(0.5, passes=1))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the share of the best sum under two crossing families of quotas that greedy lacks."""
    lacks, pool = np.empty(60 * scale), Pool(np.arange(60), {})
    for i in range(len(lacks)):
        score, one, two = rng.integers(1, 30, 60), rng.integers(0, 4, 60), rng.integers(0, 4, 60)
        # Rows that cover points of their own: a sum of scores.
        built = RandomCover(np.repeat(np.eye(60, dtype=bool), score, axis=1))
        most = [
            Row(f"{n}{g}", "quota", np.flatnonzero(of == g), None, 0.0, float(rng.integers(1, 4)))
            for n, of in (("one", one), ("two", two))
            for g in range(4)
        ]
        limits = bind_rows([Row("size", "size", None, None, 0.0, 60.0), *most], 60)
        best = CrossingQuotas()(built, limits, pool).total
        lacks[i] = 1 - LazyGreedy()(built, limits, pool).total / best
    return lacks


CLAIM = Claim(
    paper="Edmonds 1979",
    says="the best sum of weights over two matroids is found in polynomial time",
    we_show="under two crossing families of quotas greedy's sum is lower by half a percent in the mean",
    not_shown="matroids that are not quotas",
    measure=claim,
    margin=0.005,
)
