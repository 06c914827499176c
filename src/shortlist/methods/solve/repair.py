"""A choice made before, kept right: its rows stay, gaps are filled, and what pays enough is swapped.

    S = rows of `of` that are there and that limits let in, in their order; the rest by `solver`, on top of S;
    then one row out and another in while f rises by more than `least` f(S)

Source: Nemhauser, Wolsey and Fisher 1978, An analysis of approximations for maximizing submodular set
functions I, doi:10.1007/BF01588971: a greedy step from any set makes up 1/k of what it lacks, and their
interchanges.
Deviates: it begins with a choice made before, of a pool that has changed since; a swap has to pay for the
    change it makes, by a share of the value that you state. Where what stays cannot be completed within the
    limits, `solver` chooses anew.
Cost: k adds, the solver for the rows that lack, and passes of `Swap`; little where little has changed.
Memory: that of the solver, then log2 k states and 8 n (T + 4) bytes for T terms.
Guarantee: none in advance; `Choice.bound` holds for the run. It is never worse than what stays, filled up,
    and where nothing changed it is the same choice unless a swap pays.
Use it when: a choice is in use, rows come and go, and each change of it has a price (`shortlist update`
    writes it). Not when: changes are free (choose anew), or come by the thousand (Dynamic).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.begun import Begun
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits, Solver
from shortlist.core.covers import RandomCover
from shortlist.core.errors import UsageError
from shortlist.core.exchange import without_each
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.steps import Step, Steps
from shortlist.methods.solve.suited_greedy import SuitedGreedy
from shortlist.methods.solve.swap import settled

#: Passes of swaps, at most.
PASSES = 4


@dataclass(frozen=True, slots=True)
class Repair:
    """Hold on to the rows `of` (global numbers, in order); those that are not there are left out.

    Args:
        solver: fills what lacks.
        least: in [0, 1]: a swap has to raise the objective by this share of its value; 1: no swaps.

    >>> Repair((4, 17), least=0.01)
    Repair(of=(4, 17), solver=SuitedGreedy(seed=0), least=0.01)
    """

    of: tuple[int, ...]
    _: KW_ONLY
    solver: Solver = field(default_factory=SuitedGreedy)
    least: float = 0.001

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", tuple(int(x) for x in self.of))
        if len(set(self.of)) != len(self.of):
            raise UsageError("Repair: a row of `of` is named twice")
        if not 0 <= self.least <= 1:
            raise UsageError(f"Repair: least must lie in [0, 1], found {self.least!r}")

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to."""
        return self.repaired(built, limits, pool).choice

    def repaired(self, built: Built, limits: Limits, pool: Pool) -> Repaired:
        """The choice, and what became of each row to get there."""
        there = _there(pool, self.of)
        steps = Steps.begin(built, limits)
        refused = _held_on(steps, there)
        stay = np.array([s.at for s in steps.taken], np.int64)
        if not len(stay):
            return Repaired.told(self.solver(built, limits, pool), refused)
        order = stay
        if steps.open:
            rest = self.solver(built, Begun(limits, steps.held, stay, len(built)), pool)
            order = np.concatenate([stay, np.searchsorted(pool.rows, rest.rows)])
        if limits.check(order):  # no way on from what stays
            return Repaired.told(self.solver(built, limits, pool), refused)
        before = order
        if self.least < 1:
            # `settled` takes its threshold as a share of one row of k
            order = settled(built, limits, order, max(self.least, 1e-12) * max(len(order), 1), PASSES)
        swaps = _swaps(built, limits, before, order)
        return Repaired(Steps.told(built, limits, order).choice(pool), refused, swaps)


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """refused: positions that limits did not let in again, and the constraint (index into their names) that
    turned each away, -1 if it is the size; swaps: positions (out, in), and what the one gains on top of all
    others beyond what the other would."""

    choice: Choice
    refused: dict[int, int]
    swaps: tuple[tuple[int, int, float], ...] = ()

    @classmethod
    def told(cls, choice: Choice, refused: dict[int, int]) -> Repaired:
        """A choice made anew."""
        return cls(choice, refused)


def _there(pool: Pool, of: tuple[int, ...]) -> I64:
    """Positions of those rows that the pool holds, in the order given."""
    rows = np.array(of, np.int64)
    at = np.searchsorted(pool.rows, rows)
    there = at < len(pool)
    there[there] = pool.rows[at[there]] == rows[there]
    return at[there].astype(np.int64)


def _held_on(steps: Steps, there: I64) -> dict[int, int]:
    """Take these again in their order, as limits allow; the others, each with what refused it.

    Under rules of order a row may have to wait for a later one: they are gone through until none comes in.
    """
    left = [x for x in there.tolist() if x not in {s.at for s in steps.taken}]
    came = True
    while came and left and steps.open:
        came, waits = False, []
        for x in left:
            one = np.array([x])
            if not steps.open or not steps.limits.allows(steps.held, one)[0]:
                waits.append(x)
                continue
            parts = steps.built.gains(steps.state, one)[0]
            if steps.enough(float(parts.sum())):
                waits.append(x)
                continue
            steps.take(Step(x, parts))
            came = True
        came, left = came and steps.ordered, waits
    shown = set(steps.limits.shown.tolist())
    return {x: -1 if x in shown else steps.limits.refuses(steps.held, x) for x in left}


def _swaps(built: Built, limits: Limits, before: I64, after: I64) -> tuple[tuple[int, int, float], ...]:
    """What left and what came in its place."""
    if before.tolist() == after.tolist():
        return ()
    out, came = np.setdiff1d(before, after), np.setdiff1d(after, before)
    if len(before) != len(after):  # rows were let go: places have moved
        pairs = dict(zip(came.tolist(), out.tolist(), strict=False))
    else:
        pairs = {b: a for a, b in zip(before.tolist(), after.tolist(), strict=True) if a != b}
    state, rows = built.start(), after.tolist()
    for at in limits.shown.tolist():
        state = built.add(state, at)
    found = []
    for i, others in without_each(built, state, rows, [True] * len(rows)):
        if rows[i] in pairs:
            both = built.gains(others, np.array([pairs[rows[i]], rows[i]])).sum(axis=1)
            found.append((pairs[rows[i]], rows[i], float(both[1] - both[0])))
    return tuple(found)


EXAMPLES = (Repair((0, 2, 5)), Repair((3, 1), least=0.2))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: for m random set covers of which a fifth of the rows goes: the share of greedy's value anew
    that the repaired choice has, less 1 where it dropped a row that stayed without a swap that paid."""
    shares = np.empty(40 * scale)
    for i in range(len(shares)):
        covers = rng.random((100, 300)) < 0.06
        before = SuitedGreedy()(RandomCover(covers), bind(Pool(np.arange(100), {}), (), 12), _all(100))
        there = np.flatnonzero(rng.random(100) < 0.8)
        pool, built = Pool(there, {}), RandomCover(covers[there])
        limits = bind(pool, (), 12)
        solver = Repair(tuple(before.rows.tolist()), least=0.01)
        found = solver.repaired(built, limits, pool)
        swapped = {int(there[out]) for out, _, _ in found.swaps}
        lost = set(before.rows.tolist()) & set(there.tolist()) - set(found.choice.rows.tolist()) - swapped
        shares[i] = found.choice.total / SuitedGreedy()(built, limits, pool).total - bool(lost)
    return shares


def _all(n: int) -> Pool:
    return Pool(np.arange(n), {})


CLAIM = Claim(
    paper="Nemhauser, Wolsey and Fisher 1978",
    says="from any set a greedy step makes up 1/k of what it lacks",
    we_show="after a fifth of the rows has gone, what stays, filled up, is worth greedy's choice made anew",
    not_shown="a guarantee after many changes, each of which may lose a little",
    measure=claim,
    margin=0.97,
)
