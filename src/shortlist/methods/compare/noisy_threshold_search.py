"""Noisy threshold search: the first row, in order of a score, that a judge says yes to often enough.

Rows are in order of `by`; the chance of a yes never falls along it. Bayesian weights on where it crosses
tau: the row that splits them in half is asked about, weights are multiplied by tau +- eps. Then rows where
the weights are halved are certified, by fresh answers, to lie below tau + eps or above tau - eps, until a
row above follows on one below.
Source: Gretta, Price 2023, arXiv:2311.00840.
Deviates: certificates by Hoeffding's bound with a confidence that shrinks over rows and looks, in place of
the paper's list of candidates and constants; `batch` answers at a time about one row.
Cost: about 2 log2 n / C answers, C = eps^2 / (2 ln 2 tau (1 - tau)), and log(1/delta) / eps^2 to certify.
Memory: 24 bytes a row.
Guarantee: with probability 1 - delta the row before has a chance below tau + eps and the row itself one
above tau - eps, when answers are independent and chances never fall; whatever the weights say.
Use it when a quality threshold is looked for by paid, noisy answers; not when the order is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil, log, log2, sqrt

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.effects import Plan, ask
from shortlist.core.errors import BudgetExhausted, ContractError, UsageError
from shortlist.core.judgments import Pick
from shortlist.core.pool import Pool
from shortlist.core.sides import answered
from shortlist.core.signals import Scores

#: Weight of one place at which the search ends.
LIKELY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyThresholdSearch:
    """Find where the chance of a yes crosses tau, along increasing score `by`.

    Args:
        by: the score that orders the rows, worst first.
        tau: the chance looked for.
        eps: what is near enough.
        delta: accepted chance of a wrong answer.
        batch: answers about one row at a time.
        most: answers in all.
        judge: the role that is paid: rows i64[b] -> 1 for yes, 0 for no.
    """

    by: str = "score"
    tau: float = 0.5
    eps: float = 0.1
    delta: float = 0.05
    batch: int = 4
    most: int = 100_000
    judge: str = "judge"

    def __post_init__(self) -> None:
        if not (self.eps > 0 and self.eps < self.tau < 1 - self.eps):
            raise UsageError(f"eps < tau < 1 - eps is needed, found tau {self.tau} and eps {self.eps}")
        if not 0 < self.delta < 1:
            raise UsageError(f"delta must lie between 0 and 1, found {self.delta}")
        if self.batch < 1 or self.most < 1:
            raise UsageError("batch and most must be at least 1")

    def steps(self, pool: Pool) -> Plan[Pick]:
        """Search, then certify; at the end of the budget the likeliest place."""
        n = len(pool)
        rows = pool.rows[np.argsort(pool.signal(self.by, Scores).utility(), kind="stable")]
        state = _State(np.zeros(n + 1), -1, n)
        try:
            yield from self._search(rows, state)
            seen = 0
            while state.above > state.below + 1 and state.calls < self.most:
                seen += 1
                yield from self._certify(rows, state, self.delta / (seen * (seen + 1)))
        except BudgetExhausted:
            return self._pick(rows, state, done=False)
        return self._pick(rows, state, done=state.above <= state.below + 1)

    def _search(self, rows: I64, state: _State) -> Plan[None]:
        """Until one place has most of the weight, or as long as it should take twice over."""
        spread = self.tau * (1 - self.tau)
        limit = min(self.most, ceil(4 * log(2) * spread * log2(len(rows) + 1) / self.eps**2))
        while len(rows) and state.calls < limit and state.shares().max() < LIKELY:
            yield from self._learn(rows, state, state.half(), self.batch)

    def _certify(self, rows: I64, state: _State, delta: float) -> Plan[None]:
        """Ask about the row that halves the weights between what is certified, until it is so itself."""
        at, yes, count, look = state.half(), 0.0, 0, 0
        size = ceil(log(2 / delta) / (8 * self.eps**2))
        while state.calls < self.most:
            yes += yield from self._learn(rows, state, at, size)
            count, look = count + size, look + 1
            reach = sqrt(log(2 * look * (look + 1) / delta) / (2 * count))
            above, below = (
                yes / count - reach > self.tau - self.eps,
                yes / count + reach < self.tau + self.eps,
            )
            state.above = at if above else state.above
            state.below = at if below else state.below
            if above or below:
                return
            size = count // 2 + 1

    def _pick(self, rows: I64, state: _State, *, done: bool) -> Pick:
        place = state.above if done else int(np.argmax(state.weight))
        found = rows[place : place + 1]
        notes = () if len(found) else ("no row reaches the threshold",)
        failure = self.delta if done and state.calls else 1.0
        return Pick(found, np.ones(len(found)), failure, state.calls, done, notes)

    def _learn(self, rows: I64, state: _State, at: int, size: int) -> Plan[float]:
        """Pay for answers about one row and weigh the places by them; how many are yes."""
        said = yield from ask(self.judge, np.full(size, rows[at], np.int64))
        if not ((said >= 0) & (said <= 1)).all():
            raise ContractError(f"scorer {self.judge!r} must answer 0 or 1 about row {rows[at]}")
        yes = float(said.sum(dtype=np.float64))
        up, down = self.tau + self.eps, self.tau - self.eps
        state.weight[: at + 1] += yes * log(up) + (size - yes) * log(1 - up)
        state.weight[at + 1 :] += yes * log(down) + (size - yes) * log(1 - down)
        state.weight -= state.weight.max()
        state.calls += size
        return yes


@dataclass(slots=True, eq=False)
class _State:
    """weight f64[n+1]: log weights of the places; the last row certified below, the first certified above."""

    weight: F64
    below: int
    above: int
    calls: int = 0

    def shares(self) -> F64:
        """f64[n+1]: weights of the places that are left, adding up to 1."""
        share = np.exp(self.weight)
        share[: self.below + 1] = 0.0
        share[self.above + 1 :] = 0.0
        total = float(share.sum())
        return share / total if total > 0 else np.full(len(share), 1.0 / len(share))

    def half(self) -> int:
        """The row between those certified that splits the weights most evenly."""
        low, high = self.below + 1, self.above
        sums = np.cumsum(self.shares())[low:high]
        return low + int(np.argmin(np.abs(sums - 0.5)))


def exact(chances: F64, tau: float, eps: float) -> list[int]:
    """The places that are right: none at or past tau + eps before, none at or below tau - eps after."""
    n = len(chances)
    return [
        g
        for g in range(n + 1)
        if (g == 0 or chances[g - 1] < tau + eps) and (g == n or chances[g] > tau - eps)
    ]


EXAMPLES = (
    NoisyThresholdSearch(most=300),
    NoisyThresholdSearch(by="quality", tau=0.6, eps=0.2, batch=1, most=100),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: answers of repeated-majority binary search over those of the search; -1 where it was wrong."""
    ratio, n, eps, delta = np.empty(8 * scale), 1000, 0.1, 0.05
    majority = ceil(log2(n)) * ceil(log(2 * ceil(log2(n)) / delta) / (2 * eps**2))
    for t in range(len(ratio)):
        chance = np.clip(0.5 + (np.arange(n) - rng.integers(100, 900)) / 300, 0.02, 0.98)
        pool = Pool(np.arange(n), {"score": Scores(np.arange(n, dtype=np.float64))})
        pick = answered(NoisyThresholdSearch().steps(pool), partial(_said, rng, chance))
        right = pick.done and pick.rows[0] in exact(chance, 0.5, eps)
        ratio[t] = majority / pick.calls if right else -1.0
    return ratio


def _said(rng: np.random.Generator, chance: F64, items: I64) -> F64:
    return (rng.random(len(items)) < chance[items]).astype(np.float64)


CLAIM = Claim(
    paper="P491, Sharp Noisy Binary Search with Monotonic Probabilities",
    says="noisy binary search by weights comes near to the least number of answers that can do",
    we_show="among 1,000 rows of slowly rising chances a right place, where binary search by repeated "
    "majorities of the same certainty needs at least 1.3 times the answers",
    not_shown="the paper's constants, and chances that fall somewhere",
    measure=claim,
    margin=1.3,
)
