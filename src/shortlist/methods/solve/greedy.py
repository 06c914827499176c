"""Greedy: take the row of the largest gain, again and again.

Source: Nemhauser, Wolsey and Fisher 1978, An analysis of approximations for maximizing submodular set
functions I, doi:10.1007/BF01588971.
Deviates: any limits, not only a size. What must be taken comes first, in order. The front candidate that
    the limits refuse is out for good and the next is tried. With an objective that is not monotone it stops
    before a pick that does harm once every minimum is met. Ties go to the lowest position.
Cost: n gains a step, k steps. Memory: 8 n (T + 4) bytes for T terms.
Guarantee: 1 - 1/e of the best for monotone submodular objectives under a size alone; 1/(p + 1) where the
    limits are p matroids (most counts of p signals whose groups do not overlap, a size besides: Fisher,
    Nemhauser and Wolsey 1978, part II); under other limits none in advance, `Choice.bound` says what holds
    for the run.
Use it when: the objective is not submodular, or as the reference. Not when: LazyGreedy will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.covers import RandomCover
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.steps import Step, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Greedy:
    """Every gain, every step."""

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to."""
        steps = Steps.begin(built, limits)
        climb_among(steps, steps.candidates(), limits.k)
        return steps.choice(pool)


def climb_among(steps: Steps, left: I64, until: int) -> I64:
    """Take the best of the positions `left`, again and again, until `until` rows are taken in all.

    Ends early where none of them fits or a pick would do harm that no minimum asks for. Returns those left.
    """
    while len(steps.taken) < min(until, steps.size) and len(left):
        now = steps.now(left)
        parts = steps.built.gains(steps.state, now)
        total = parts.sum(axis=1)
        before, pick, rival = front(steps.limits, steps.held, now, total)
        steps.refuse(now[before])
        if pick < 0:
            return left[:0]
        if steps.enough(float(total[pick])):
            break
        second = (int(now[rival]), float(total[rival])) if rival >= 0 else (-1, 0.0)
        steps.take(Step(int(now[pick]), parts[pick], *second))
        left = np.delete(left, np.searchsorted(left, now[[*before.tolist(), pick]]))
    return left


def front(limits: Limits, held: Any, left: I64, total: F64) -> tuple[I64, int, int]:
    """Places in `left`, in house order: who is refused before the first that fits; that one; the next that
    fits (-1: nobody). Two are looked for before all are sorted, which costs more than cheap gains do."""
    rest, top = total.copy(), []
    for _ in range(min(2, len(left))):
        at = int(np.argmax(rest))
        if not limits.allows(held, left[at : at + 1])[0]:
            break
        top.append(at)
        rest[at] = -np.inf
    if top and len(top) == min(2, len(left)):
        return np.zeros(0, np.int64), top[0], top[1] if len(top) > 1 else -1
    order = np.argsort(-total, kind="stable")
    fit = np.flatnonzero(limits.allows(held, left[order]))
    if not len(fit):
        return order, -1, -1
    return order[: fit[0]], int(order[fit[0]]), int(order[fit[1]]) if len(fit) > 1 else -1


EXAMPLES = (Greedy(),)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: greedy's share of the best 3 of 12 rows, for m random set covers."""
    shares = np.empty(40 * scale)
    pool = Pool(np.arange(12), {})
    for i in range(len(shares)):
        built = RandomCover.drawn(rng, 12, 30)
        best = max(int(built.covers[list(at)].any(axis=0).sum()) for at in combinations(range(12), 3))
        shares[i] = Greedy()(built, bind(pool, (), 3), pool).total / best
    return shares


CLAIM = Claim(
    paper="Nemhauser, Wolsey and Fisher 1978",
    says="greedy reaches at least 1 - 1/e of the best set of k for monotone submodular functions",
    we_show="on random set covers it does, against all choices of 3 of 12 rows",
    not_shown="that nothing polynomial does better (Nemhauser and Wolsey 1978, Best algorithms)",
    measure=claim,
    margin=1 - 1 / np.e,
)
