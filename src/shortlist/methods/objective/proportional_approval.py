"""Proportional approval: each voter is worth less with every approved row that is already there.

    f(S) = sum_v w_v (p_1 + p_2 + ... + p_c(v)) / sum_v w_v,  c(v) = rows of S that v approves,  p_i = 1 / i

Source: Thiele 1895, "Om flerfoldsvalg"; Lackner & Skowron 2023, "Multi-Winner Voting with Approval
Preferences", doi:10.1007/978-3-031-09016-5, ch. 2 (PAV and the Thiele methods; LazyGreedy is their seq-PAV).
Deviates: divided by the weight of all voters. Any falling `points` in the place of 1 / i: (1,) is approval
    voting, (1, 0) the approval form of Chamberlin-Courant; the last one goes on for ever. Gains are rounded
    to 2^-34 of the weight of all voters, so that exact ties are ties.
Cost: the approvals of a row a gain; building sorts nothing for Tags, is O(n) a voter for rankings.
Memory: 12 bytes an approval, 8 n, 16 bytes a voter and state.
Guarantee: exact, monotone, submodular: greedy reaches 1 - 1/e of the optimum under a size limit. The exact
    rule (Exhaustive, or any exact solver) satisfies EJR; the greedy form may fail even JR.
Use it when: voters (judges, tags, users) approve rows and groups of voters should be heard by their weight.
Not when: that has to be proved for this very committee (EqualShares, then `ejr_plus`), or rankings say more
    than a cut at `top` does (ChamberlinCourant, Borda).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from shortlist.core import ballots
from shortlist.core.arrays import F64, I64
from shortlist.core.ballots import Approvals
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags, Vectors
from shortlist.core.steps import Step
from shortlist.kernels.ballots import approval_gains, approval_run
from shortlist.kernels.jit import have_numba


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalApproval:
    """PAV, and any Thiele method.

    Args:
        of: Scores signals, one ranking a voter; they need `top`.
        by: a Tags or Labels signal, each group a voter; or a Vectors signal, each column a ranking.
        top: what of a ranking is approved: a share of the rows below 1, else a number of rows; rows tied with
            the last are approved too.
        points: what the first, second, ... approved row is worth, falling; () is 1, 1/2, 1/3, ...
        weights: one a voter, () is 1 each.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    top: float = 0.0
    points: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ballots.check("ProportionalApproval", self.of, self.by, self.weights, self.top)
        if not all(np.isfinite(self.points)) or min(self.points, default=0) < 0:
            raise UsageError(f"ProportionalApproval: points must be finite and >= 0, found {self.points}")
        if any(b > a for a, b in pairwise(self.points)):
            raise UsageError(f"ProportionalApproval: points must not grow, found {self.points}")

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("proportional_approval",)

    def need(self, pool: Pool, k: int) -> Need:
        """The ballots, twice while they are turned; all gains once and some a step."""
        return approval_need(pool, k, self.of, self.by, self.top)

    def build(self, pool: Pool) -> Plan[BuiltApproval]:
        """Collect the ballots."""
        found = yield from ballots.approvals(pool, self.of, self.by, self.weights, self.top)
        return BuiltApproval.over(found, falling(self.points, len(pool)), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, voter by voter."""
        found = ballots.approved(pool, self.of, self.by, self.weights, self.top)
        return exact(found, falling(self.points, len(pool)), at)


class Heard(NamedTuple):
    """A state: has i64[m], chosen rows a voter approves; worth f64[m], what one more is to each."""

    has: I64
    worth: F64


@dataclass(frozen=True, slots=True, eq=False)
class BuiltApproval:
    """Ballots with step f64[n+1], what an approved row adds to a voter who has so many; grid as in `grid`."""

    ballots: Approvals
    step: F64
    grid: float
    per: float
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    @classmethod
    def over(cls, found: Approvals, step: F64, terms: tuple[str, ...]) -> BuiltApproval:
        """Ballots and steps, with the rounding that suits them."""
        grid = ballots.grid(found.total * (float(step[0]) or 1.0))
        return cls(found, step, grid, grid * found.total, terms)

    def __len__(self) -> int:
        return len(self.ballots)

    def start(self) -> Heard:
        """Nobody has a row."""
        weight = self.ballots.weight
        return Heard(np.zeros(len(weight), np.int64), weight * self.step[0])

    def gains(self, state: Heard, at: I64) -> F64:
        """f64[b, 1]: the worth of a row to its voters, added in their order."""
        out = np.empty(len(at))
        gains = approval_gains if have_numba() else approval_gains_plain
        gains(self.ballots.indptr, self.ballots.voters, state.worth, at, out)
        out *= self.grid
        np.rint(out, out=out)
        out /= self.per
        return out[:, None]

    def add(self, state: Heard, at: int) -> Heard:
        """One row more for each voter of `at`."""
        has, worth, voters = state.has.copy(), state.worth.copy(), self.ballots.at(at)
        more = has[voters] + 1
        has[voters] = more
        worth[voters] = self.ballots.weight[voters] * self.step[more]
        return Heard(has, worth)

    def ahead(self, state: Heard, free: I64, room: int) -> list[Step]:
        """The next picks of greedy: the same as by gains, to the bit."""
        if not have_numba():
            return []
        found, bound = self.ballots, np.full(len(self), -np.inf)
        bound[free] = np.inf
        size = 2 * min(room, len(free))
        at, gain = np.empty(size, np.int64), np.empty(size)
        approval_run(
            found.indptr,
            found.voters,
            found.weight,
            self.step,
            state.has.copy(),
            state.worth.copy(),
            (self.grid, self.per),
            bound,
            at,
            gain,
        )
        return picks(at, gain)


def picks(at: I64, gain: F64) -> list[Step]:
    """Steps of one term, from picks and runners-up in turn."""
    rival_gain = np.where(at >= 0, gain, 0.0)[1::2].tolist()
    rows = zip(at[::2].tolist(), gain[::2, None], at[1::2].tolist(), rival_gain, strict=True)
    return [Step(*row) for row in rows]


def approval_gains_plain(indptr: I64, voters: np.ndarray, worth: F64, at: I64, out: F64) -> None:
    """`kernels.ballots.approval_gains` without Numba, to the bit."""
    size = indptr[at + 1] - indptr[at]
    entry = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size - indptr[at], size)
    out[:] = np.bincount(np.repeat(np.arange(len(at)), size), worth[voters[entry]], len(at))


def falling(points: tuple[float, ...], n: int) -> F64:
    """f64[n + 1]: what the next approved row adds to a voter who has 0, 1, ..., n."""
    if not points:
        return 1.0 / np.arange(1, n + 2)
    given = np.array(points, np.float64)
    return given[np.minimum(np.arange(n + 1), len(given) - 1)]


def approval_need(pool: Pool, k: int, of: tuple[str, ...], by: str, top: float) -> Need:
    """What approval ballots take: 12 bytes an approval and a row, twice while they are turned."""
    n, found = len(pool), pool.columns.get(by)
    if isinstance(found, Labels | Tags):
        voters, size = len(found.names), float(len(found.codes))
    else:
        voters = pool.signal(by, Vectors).values.shape[1] if by else len(of)
        size = float(voters * (top * n + 1 if top < 1 else min(top, n)))
    return Need(bytes=48.0 * size + 32.0 * n + 64.0 * voters, flops=16.0 * voters * n + 4.0 * size * (k + 1))


def exact(found: Approvals, step: F64, at: I64) -> F64:
    """f64[1]: sum over voters of weight times the first c steps, c the rows of `at` they approve."""
    approves, total = found.dense(), 0.0
    for v, weight in enumerate(found.weight):
        total += float(weight) * sum(step[: int(approves[at, v].sum())].tolist())
    return np.array([total / found.total])


EXAMPLES = (
    ProportionalApproval(by="tags"),
    ProportionalApproval(("score", "quality"), top=0.3, weights=(2.0, 0.7)),
    ProportionalApproval(by="vec", top=2, points=(1.0, 0.4)),
    ProportionalApproval(by="label", points=(1.0,)),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: seats given as D'Hondt's method gives them, as a share, for m elections of 4 parties."""
    same = np.empty(20 * scale)
    for i in range(len(same)):
        votes = rng.integers(1, 60, 4)
        party = Labels(np.repeat(np.arange(4, dtype=np.int32), 12), tuple("abcd"))
        rule = ProportionalApproval(by="p", weights=tuple(votes.tolist()))
        seats = climb(alone(rule.build(Pool.of({"p": party}))), 12)
        quotients = votes[party.codes] / np.tile(np.arange(1, 13), 4)
        due = party.codes[np.argsort(-quotients, kind="stable")[:12]]
        same[i] = np.minimum(*(np.bincount(c, minlength=4) for c in (party.codes[seats], due))).sum() / 12
    return same


CLAIM = Claim(
    paper="Brill, Laslier & Skowron 2018, arXiv:1611.08691",
    says="where voters approve the rows of one party each, PAV gives seats as D'Hondt's method does",
    we_show="greedy PAV does, to the seat, in elections of 4 parties and 12 seats",
    not_shown="EJR, which the exact rule satisfies and the greedy one need not",
    measure=claim,
    margin=1.0,
)
