"""Chamberlin-Courant: every voter is represented by the chosen row that she ranks best.

    f(S) = sum_v w_v max over s in S of (n - 1 - place_v(s)) / (n - 1) / sum_v w_v,  place 0 the best

Source: Chamberlin & Courant 1983, "Representative Deliberations and Representative Decisions",
doi:10.2307/1957270 (Borda satisfaction); greedy: Lu & Boutilier 2011, IJCAI, "Budgeted Social Choice";
approval form: Lackner & Skowron 2023, doi:10.1007/978-3-031-09016-5, ch. 2.
Deviates: divided to lie in [0, 1]; tied rows share the mean of their places. With approvals (Tags, Labels, or
    `top`) a voter is satisfied by any row she approves.
Cost: one sort a voter to build, O(voters) a gain.
Memory: 4 bytes a row and voter (12 an approval); 4 bytes a voter and state.
Guarantee: exact, monotone, submodular: greedy reaches 1 - 1/e of the optimum under a size limit; exact
    solvers give the exact rule, which is NP-hard.
Use it when: each voter needs one row that speaks for her, as with k products for many tastes.
Not when: rankings are few and biased against a group: whether least counts repair that then takes many more
    rankings than under Borda (arXiv:2306.09835; `bias` simulates it), or voters want more than one row each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np

from shortlist.core import ballots
from shortlist.core.arrays import F64, I32, I64
from shortlist.core.ballots import Judges
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags, Vectors
from shortlist.core.steps import Step
from shortlist.kernels.ballots import rank_gains, rank_run
from shortlist.kernels.jit import have_numba
from shortlist.methods.objective import proportional_approval
from shortlist.methods.objective.proportional_approval import BuiltApproval, approval_need, falling, picks


@dataclass(frozen=True, slots=True, kw_only=True)
class ChamberlinCourant:
    """The best-ranked chosen row of each voter.

    Args:
        of: Scores signals, one ranking a voter.
        by: a Vectors signal, each column a ranking; or a Tags or Labels signal, each group a voter.
        top: 0 keeps rankings; else they become approvals, of a share of the rows below 1, of a number above.
        weights: one a voter, () is 1 each.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    top: float = 0.0
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ballots.check("ChamberlinCourant", self.of, self.by, self.weights, self.top or 1.0)
        if self.top:
            ballots.check("ChamberlinCourant", self.of, self.by, self.weights, self.top)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("chamberlin_courant",)

    def need(self, pool: Pool, k: int) -> Need:
        """A place for each row and voter; all gains once and some a step."""
        if self._approve(pool):
            return approval_need(pool, k, self.of, self.by, self.top)
        n = len(pool)
        m = pool.signal(self.by, Vectors).values.shape[1] if self.by else len(self.of)
        return Need(bytes=8.0 * n * m + 64.0 * n, flops=2.0 * n * m * (10.0 + np.log2(n + 1)) + 40.0 * m * k)

    def build(self, pool: Pool) -> Plan[BuiltApproval | BuiltRanks]:
        """Collect approvals, or sort every ranking."""
        if self._approve(pool):
            found = yield from ballots.approvals(pool, self.of, self.by, self.weights, self.top)
            return BuiltApproval.over(found, falling((1.0, 0.0), len(pool)), self.terms)
        voters, place = (
            ballots.judges(pool, self.of, self.by, self.weights),
            np.empty((len(pool), 0), np.int32),
        )
        steps = yield from scan(
            partial(_places, voters), _joined, range(0, len(voters), ballots.STEP), "rankings"
        )
        if steps:
            place = np.concatenate(steps, axis=1)
        grid = ballots.grid(2.0 * voters.total * max(len(pool) - 1, 1))
        per = 2.0 * grid * voters.total * max(len(pool) - 1, 1)
        return BuiltRanks(place, voters.weight, grid, per, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, voter by voter."""
        if self._approve(pool):
            found = ballots.approved(pool, self.of, self.by, self.weights, self.top)
            return proportional_approval.exact(found, falling((1.0, 0.0), len(pool)), at)
        return exact(ballots.judges(pool, self.of, self.by, self.weights), at)

    def _approve(self, pool: Pool) -> bool:
        return self.top > 0 or isinstance(pool.columns.get(self.by), Labels | Tags)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltRanks:
    """place i32[n, m]: twice the place of a row with a voter. A state is i32[m], twice her best so far."""

    place: I32
    weight: F64
    grid: float
    per: float
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.place)

    def start(self) -> I32:
        """The last place for everybody."""
        return np.full(len(self.weight), 2 * max(len(self.place) - 1, 0), np.int32)

    def gains(self, state: I32, at: I64) -> F64:
        """f64[b, 1]: places gained, voter after voter."""
        out = np.empty(len(at))
        gains = rank_gains if have_numba() else rank_gains_plain
        gains(self.place, self.weight, state, at, out)
        out *= self.grid
        np.rint(out, out=out)
        out /= self.per
        return out[:, None]

    def add(self, state: I32, at: int) -> I32:
        """The better of what each voter has and this row."""
        better: I32 = np.minimum(state, self.place[at])
        return better

    def ahead(self, state: I32, free: I64, room: int) -> list[Step]:
        """The next picks of greedy: the same as by gains, to the bit."""
        if not have_numba():
            return []
        bound, size = np.full(len(self), -np.inf), 2 * min(room, len(free))
        bound[free] = np.inf
        at, gain = np.empty(size, np.int64), np.empty(size)
        rank_run(self.place, self.weight, state.copy(), (self.grid, self.per), bound, at, gain)
        return picks(at, gain)


def rank_gains_plain(place: I32, weight: F64, best: I32, at: I64, out: F64) -> None:
    """`kernels.ballots.rank_gains` without Numba, to the bit."""
    out[:] = 0.0
    for v in range(len(best)):
        out += weight[v] * np.maximum(best[v] - place[at, v], 0)


def _places(voters: Judges, a: int) -> list[I32]:
    """Twice the places i32[n, <= STEP] with the voters from a on."""
    some = range(a, min(a + ballots.STEP, len(voters)))
    return [np.stack([ballots.places(voters.utility(j)) for j in some], axis=1)]


def _joined(a: list[I32], b: list[I32]) -> list[I32]:
    return a + b


def exact(voters: Judges, at: I64) -> F64:
    """f64[1]: mean over voters of the largest share of the others that a row of `at` beats, ties half."""
    total = 0.0
    for j in range(len(voters) if len(at) else 0):
        u = voters.utility(j)
        beaten = [((u < x).sum() + ((u == x).sum() - 1) / 2) / max(len(u) - 1, 1) for x in u[at]]
        total += float(voters.weight[j] * max(beaten))
    return np.array([total / voters.total])


EXAMPLES = (
    ChamberlinCourant(("score", "quality")),
    ChamberlinCourant(by="vec", weights=()),
    ChamberlinCourant(("score", "quality"), weights=(0.3, 1.0)),
    ChamberlinCourant(by="tags"),
    ChamberlinCourant(by="vec2", top=1),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: greedy's share of the best 3 of 12 rows, for m profiles of 9 random rankings."""
    shares = np.empty(15 * scale)
    for i in range(len(shares)):
        votes = Vectors(rng.random((12, 9)).astype(np.float32))
        built = alone(ChamberlinCourant(by="votes").build(Pool.of({"votes": votes})))
        assert isinstance(built, BuiltRanks)
        best = built.place[np.array(list(combinations(range(12), 3)))].min(axis=1).sum(axis=1).min()
        greedy = built.place[climb(built, 3)].min(axis=0).sum()
        shares[i] = (2 * 11 * 9 - greedy) / (2 * 11 * 9 - best)
    return shares


CLAIM = Claim(
    paper="Lu & Boutilier 2011",
    says="greedy Chamberlin-Courant reaches at least 1 - 1/e of the best committee",
    we_show="with 9 random rankings of 12 rows it reaches 95% of the best 3 on average",
    not_shown="the worst case, or that committees of this kind serve any end",
    measure=claim,
    margin=0.95,
)
