"""Lazy greedy: Greedy's choice from a fraction of its gains.

Source: Minoux 1978, Accelerated greedy algorithms for maximizing submodular set functions,
doi:10.1007/BFb0006528. A gain computed earlier bounds today's from above; only rows whose bound could still
come first or second are computed again.
Deviates: bounds are settled in growing batches instead of one by one from a heap, down to the second place
    (the trace names the runner-up exactly); limits and ties as in Greedy. Where only a size limits the
    choice an objective may take these steps in a compiled loop of its own (`core.steps.Ahead`).
Cost: n gains, then a few to some hundred a step, on top of O(n) array work where the front runs dry.
Memory: 8 n (T + 3) bytes for T terms.
Guarantee: Greedy's choice and trace, so 1 - 1/e under a size and 1/(p + 1) under p matroids (see Greedy);
    its bound but for rows that nobody had to ask again. Rounding is allowed for: bounds within 1e-9 of the
    largest first gain are settled too.
Use it when: the objective is submodular. Not when: it is not (it refuses).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Built, Limits
from shortlist.core.covers import RandomCover
from shortlist.core.errors import ContractError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.steps import Ahead, Step, Steps, sizes_only
from shortlist.methods.solve.greedy import climb_among

#: Candidates held at the front, and settled in the first batch of a step.
FRONT, BATCH = 1024, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyGreedy:
    """Greedy by bounds on gains."""

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to.

        Raises:
            ContractError: the objective is not submodular, so that old gains bound nothing.
        """
        if not built.submodular:
            raise ContractError(
                f"LazyGreedy needs a submodular objective; {'+'.join(built.terms)} is not: use Greedy()"
            )
        steps = Steps.begin(built, limits)
        if isinstance(built, Ahead) and sizes_only(limits):
            for ahead in built.ahead(steps.state, steps.candidates(), steps.size - len(steps.taken)):
                steps.take(ahead)
            if not steps.open:
                return steps.choice(pool)
        climb_lazily(steps, steps.candidates(), limits.k)
        return steps.choice(pool)


def climb_lazily(steps: Steps, left: I64, until: int) -> I64:
    """Equivalent to `greedy.climb_among` for a submodular objective, by bounds on gains."""
    front = _Front.over(steps, left)
    while len(steps.taken) < min(until, steps.size):
        step, refused = front.settle(steps)
        steps.refuse(refused)
        if step is None or steps.enough(float(step.parts.sum())):
            break
        steps.take(step)
        front.bound[step.at] = -np.inf
    return np.flatnonzero(front.bound > -np.inf)


def climb_suited(steps: Steps, left: I64, until: int) -> I64:
    """`climb_lazily` where the objective lets it, else `greedy.climb_among`."""
    return (climb_lazily if steps.built.submodular else climb_among)(steps, left, until)


@dataclass(slots=True, eq=False)
class _Front:
    """Bounds on the gains of all candidates, and the few that may come first.

    bound f64[n]: no gain is larger, -inf is out. parts f64[n, T] and fit bool[n] hold where asked i64[n] is
    the number of rows taken so far. at: increasing positions of the largest bounds; `rest` bounds the others.
    """

    bound: F64
    parts: F64
    fit: Bool
    asked: I64
    margin: float
    at: I64
    rest: float = np.inf

    @classmethod
    def over(cls, steps: Steps, at: I64) -> _Front:
        """These positions, bounded by their gains now."""
        n = len(steps.built)
        parts = np.zeros((n, len(steps.built.terms)))
        parts[at] = steps.built.gains(steps.state, at)
        bound = np.full(n, -np.inf)
        bound[at] = parts[at].sum(axis=1)
        margin = 1e-9 * float(np.abs(bound[at]).max(initial=0.0))
        if len(at) == len(steps.candidates()):
            steps.most = np.maximum(bound, 0.0)
        return cls(bound, parts, np.zeros(n, bool), np.full(n, -1), margin, at[:0])

    def settle(self, steps: Steps) -> tuple[Step | None, I64]:
        """The pick with its runner-up (None: nobody is left), and who stood before it and is refused."""
        now, batch, size = len(steps.taken), BATCH, FRONT
        self.at = self.at[self.bound[self.at] > -np.inf]
        if steps.ordered:  # others may come now than at the last step
            self.at, self.rest = self.at[:0], np.inf
        while True:
            bound, known = self.bound[self.at], self.asked[self.at] == now
            second = _second(bound[known & self.fit[self.at]])
            stale = np.flatnonzero(~known & (bound >= max(second, self.rest) - self.margin))
            if len(stale):
                if len(stale) > batch:
                    stale = stale[np.argpartition(-bound[stale], batch)[:batch]]
                self._ask(steps, self.at[stale])
                batch *= 2
            elif self.rest >= second - self.margin and self.rest > -np.inf:
                self._fill(size)
                size *= 2
            else:
                return self._read(now, waits=steps.ordered)

    def _ask(self, steps: Steps, at: I64) -> None:
        # A gain of zero can only stay zero where none are negative.
        live = at[self.bound[at] > 0] if steps.built.monotone else at
        self.parts[live] = steps.built.gains(steps.state, live)
        self.bound[live] = self.parts[live].sum(axis=1)
        if steps.most is not None:
            steps.most[live] = np.maximum(self.bound[live], 0.0)
        self.fit[at] = steps.limits.allows(steps.held, at)
        self.asked[at] = len(steps.taken)

    def _fill(self, size: int) -> None:
        """Bring the `size` largest bounds to the front."""
        self.at, self.rest = np.flatnonzero(self.bound > -np.inf), -np.inf
        if len(self.at) > size:
            order = np.argpartition(-self.bound[self.at], size)
            self.rest = float(self.bound[self.at[order[size]]])
            self.at = np.sort(self.at[order[:size]])

    def _read(self, now: int, *, waits: bool) -> tuple[Step | None, I64]:
        """First and second of the settled front, in house order; the refused before them are out, or wait."""
        known = self.at[self.asked[self.at] == now]
        known = known[np.argsort(-self.bound[known], kind="stable")]
        fit = np.flatnonzero(self.fit[known])
        first = int(fit[0]) if len(fit) else len(known)
        refused = known[: 0 if waits else first]
        step = None
        if len(fit):
            pick = int(known[first])
            step = Step(pick, self.parts[pick].copy())
            if len(fit) > 1:
                rival = int(known[fit[1]])
                step = step._replace(runner_up=rival, runner_up_gain=float(self.bound[rival]))
        self.bound[refused] = -np.inf
        return step, refused


def _second(values: F64) -> float:
    """The second largest, -inf where there is none."""
    return float(np.partition(values, -2)[-2]) if len(values) > 1 else -np.inf


EXAMPLES = (LazyGreedy(),)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of steps at which the pick is plain greedy's, for m random set covers full of ties."""
    same = np.empty(20 * scale)
    for i in range(len(same)):
        built, pool = RandomCover.drawn(rng, 200, 40), Pool(np.arange(200), {})
        same[i] = np.mean(LazyGreedy()(built, bind(pool, (), 30), pool).rows == climb(built, 30))
    return same


CLAIM = Claim(
    paper="Minoux 1978",
    says="accelerated greedy makes the choice of greedy",
    we_show="it does at every step of random set covers, ties included",
    not_shown="how many gains are saved, which depends on the function",
    measure=claim,
    margin=1.0,
)
