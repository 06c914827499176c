"""Active ranking: order experts by few noisy scores on many tasks, sure to 1 - delta.

For each two experts one is at least as good on every task. Two are compared in epochs of twice the effort:
the mean difference over tasks drawn at random, and the one task that sequential halving finds to tell them
apart most, tried again on fresh scores; whichever is first away from 0 by Hoeffding's bound decides.
Binary insertion sorts by such comparisons; `best` looks for the best expert alone.
Source: Saad, Verzelen, Carpentier 2023, arXiv:2306.02628.
Deviates: two tests an epoch (dense and sparsest) where the paper runs a test for every power of two of
tasks; scores lie in [0, 1]. Comparisons that reach `most` are left open and said so.
Cost: n log2 n comparisons, each some 1 / gap^2 scores.
Memory: 32 bytes a score of the largest epoch.
Guarantee: if every comparison ended by itself, the order (or the best) is right with probability 1 - delta,
when scores are independent and one of each two experts is at least as good everywhere.
Use it when every score is paid and few tasks tell; not when experts are good at different things: among six
models of AlpacaEval, which swap places by task, it was right in 12 of 15 runs where as many uniform scores
were right in 15.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, log, log2, sqrt

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.effects import Plan, ask
from shortlist.core.errors import BudgetExhausted, ContractError, UsageError
from shortlist.core.judgments import Pick
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.sides import answered

#: Differences of the first epoch.
FIRST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRanking:
    """Order the rows of a pool by their scores on tasks 0..tasks-1.

    Args:
        tasks: how many there are.
        delta: accepted chance of a wrong answer.
        best: find the best row only.
        most: differences (two scores each) that one comparison may take.
        judge: the role that is paid: (row, task) i64[b, 2] -> score in [0, 1].
        seed: of the tasks drawn.
    """

    tasks: int
    delta: float = 0.05
    best: bool = False
    most: int = 100_000
    judge: str = "judge"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tasks < 1 or self.most < 1:
            raise UsageError("tasks and most must be at least 1")
        if not 0 < self.delta < 1:
            raise UsageError(f"delta must lie between 0 and 1, found {self.delta}")

    def steps(self, pool: Pool) -> Plan[Pick]:
        """Insert row after row; at the end of the budget the order so far, then the rows not looked at."""
        n, rng = len(pool), generator(self.seed, "active ranking")
        order: list[int] = []
        state = _State(rng)
        delta = self.delta / max(comparisons(n, self.best), 1)
        try:
            for i in range(n):
                low, high = 0, len(order)
                while low < high:
                    middle = 0 if self.best else (low + high) // 2
                    other = order[middle]
                    sign = yield from self._compare(pool.rows[i], pool.rows[other], delta, state)
                    low, high = (low, middle) if sign > 0 else (middle + 1, high)
                    if self.best:
                        low = high = 0 if sign > 0 else i
                order.insert(low, i)
        except BudgetExhausted:
            rest = [i for i in range(n) if i not in order]
            return self._pick(pool, order + rest, state, done=False)
        return self._pick(pool, order, state, done=not state.open)

    def _pick(self, pool: Pool, order: list[int], state: _State, *, done: bool) -> Pick:
        rows = pool.rows[np.array(order, np.int64)]
        notes = tuple(f"rows {a} and {b} could not be told apart" for a, b in state.open)
        failure = self.delta if done and len(order) > 1 else 0.0 if done and order else 1.0
        return Pick(rows, np.arange(len(rows), 0, -1.0), failure, state.calls, done, notes)

    def _compare(self, i: int, j: int, delta: float, state: _State) -> Plan[float]:
        """1 if row i is the better of two, -1 if j is."""
        total, count, epoch, spent = 0.0, 0, 0, 0
        while True:
            size, sure = FIRST << epoch, delta / (2 * (epoch + 1) * (epoch + 2))
            drawn = state.rng.integers(0, self.tasks, size)
            apart = yield from self._differences(i, j, drawn, state)
            total, count, spent = total + float(apart.sum()), count + size, spent + size
            if abs(total) / count > radius(count, sure):
                return float(np.sign(total))
            if self.tasks > 1:
                task, used = yield from self._telling(i, j, size, state)
                apart = yield from self._differences(i, j, np.full(size, task), state)
                spent += used + size
                if abs(float(apart.mean())) > radius(size, sure):
                    return float(np.sign(apart.mean()))
            epoch += 1
            if spent >= self.most:
                state.open.append((int(i), int(j)))
                return float(np.sign(total)) or -1.0

    def _telling(self, i: int, j: int, size: int, state: _State) -> Plan[tuple[int, int]]:
        """The task on which two rows differ most, by halving, and the differences it took."""
        left: I64 = state.rng.permutation(self.tasks)[:size]
        rounds, used = max(1, ceil(log2(len(left)))) if len(left) > 1 else 0, 0
        for _ in range(rounds):
            each = max(1, size // (len(left) * rounds))
            apart = yield from self._differences(i, j, np.repeat(left, each), state)
            used += len(apart)
            mean = np.abs(apart.reshape(len(left), each).mean(axis=1))
            left = left[np.argsort(-mean, kind="stable")[: (len(left) + 1) // 2]]
        return int(left[0]), used

    def _differences(self, i: int, j: int, tasks: I64, state: _State) -> Plan[F64]:
        """f64[b] in [-1, 1]: score of row i minus that of row j on each task."""
        rows = np.repeat(np.array([i, j], np.int64), len(tasks))
        items = np.stack([rows, np.tile(tasks, 2)], axis=1)
        said = (yield from ask(self.judge, items)).astype(np.float64)
        state.calls += len(items)
        outside = np.flatnonzero(~((said >= 0) & (said <= 1)))
        if len(outside):
            row, task = items[outside[0]].tolist()
            raise ContractError(
                f"scorer {self.judge!r} gave {said[outside[0]]:g} for row {row} on task {task}; "
                "scores must lie in [0, 1]"
            )
        difference: F64 = said[: len(tasks)] - said[len(tasks) :]
        return difference


@dataclass(slots=True, eq=False)
class _State:
    """What a run keeps: its random numbers, paid scores, comparisons left open."""

    rng: np.random.Generator
    calls: int = 0
    open: list[tuple[int, int]] = field(default_factory=list)


def comparisons(n: int, best: bool) -> int:
    """At most so many: n - 1 for the best, those of binary insertion for the order."""
    return max(n - 1, 0) if best else sum(ceil(log2(k + 1)) for k in range(1, n))


def radius(count: int, delta: float) -> float:
    """Hoeffding: a mean of `count` numbers in [-1, 1] is farther than this with probability <= delta."""
    return sqrt(2 * log(2 / delta) / count)


def exact(means: F64) -> I64:
    """Best first: the order of true mean scores f64[n, tasks]."""
    return np.argsort(-means.sum(axis=1), kind="stable")


EXAMPLES = (ActiveRanking(tasks=3, most=40), ActiveRanking(tasks=1, best=True, most=20, seed=1))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: log2 of scores that random tasks need over those of active ranking; -1 if it was wrong."""
    ratio = np.empty(4 * scale)
    for t in range(len(ratio)):
        means = np.full((3, 40), 0.1)
        means[:, rng.choice(40, 2, replace=False)] += np.array([[0.8], [0.4], [0.0]])
        pool = Pool(np.arange(3), {})
        active = _paid(ActiveRanking(tasks=40, seed=t), pool, means, rng)
        # One task that is drawn anew for every score is no sparser than it looks.
        uniform = _paid(ActiveRanking(tasks=1, seed=t), pool, means.mean(axis=1, keepdims=True), rng)
        right = active.rows.tolist() == [0, 1, 2]
        ratio[t] = np.log2(uniform.calls / active.calls) if right else -1.0
    return ratio


def _paid(method: ActiveRanking, pool: Pool, means: F64, rng: np.random.Generator) -> Pick:
    return answered(
        method.steps(pool), lambda items: rng.random(len(items)) < means[items[:, 0], items[:, 1]]
    )


CLAIM = Claim(
    paper="P382, Active Ranking of Experts Based on their Performances in Many Tasks",
    says="active scores find the right order with far fewer of them where few tasks tell experts apart",
    we_show="the right order of 3 experts who differ on 2 of 40 tasks with at most half the scores that "
    "random tasks need for the same certainty",
    not_shown="the paper's lower bounds; tasks on which experts swap places",
    measure=claim,
    margin=1.0,
)
