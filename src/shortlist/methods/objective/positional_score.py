"""Positional scores: points for the place in each ranking: plurality, k-approval, any falling list.

    f(S) = sum over s in S of sum_v w_v points[place_v(s)] / (points[0] sum_v w_v),  place 0 the best

Source: Young 1975, "Social Choice Scoring Functions", doi:10.1137/0128067; as committee rules (SNTV, Bloc):
Faliszewski, Skowron, Slinko & Talmon 2017, "Multiwinner Voting: A New Challenge for Social Choice Theory".
Deviates: divided to lie in [0, 1] a row; tied rows share the mean of the points of their places; places
    beyond the list get 0.
Cost: one sort a voter to build, O(1) a gain.
Memory: 8 n bytes; 48 n while it is built.
Guarantee: exact, modular: greedy is optimal under a size limit and most counts of groups that do not overlap.
Use it when: only the heads of rankings mean something: (1,) counts first places, (1,) * 10 the best ten each,
    (1, 1/2, 1/3, ...) discounts. Not when: all places do (Borda), or rows should not all please the same
    voters (ProportionalApproval).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from operator import iadd

import numpy as np

from shortlist.core import ballots
from shortlist.core.arrays import F64, I64
from shortlist.core.ballots import Judges
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.objective.modular import BuiltModular


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionalScore:
    """Points for places.

    Args:
        of: Scores signals, one ranking a voter.
        by: a Vectors signal, each column a ranking.
        points: for the first place, the second, ...; falling, the first above 0.
        weights: one a voter, () is 1 each.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    points: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ballots.check("PositionalScore", self.of, self.by, self.weights)
        fine = bool(self.points) and all(np.isfinite(self.points)) and self.points[0] > 0 <= self.points[-1]
        if not fine or any(b > a for a, b in pairwise(self.points)):
            raise UsageError(f"PositionalScore: points must fall from above 0 to 0 or more: {self.points}")

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("positional_score",)

    def need(self, pool: Pool, k: int) -> Need:
        """One sort a voter, one number a row."""
        n = len(pool)
        m = pool.signal(self.by, Vectors).values.shape[1] if self.by else len(self.of)
        return Need(bytes=72.0 * n, flops=m * n * (12.0 + 2.0 * np.log2(n + 1)) + k)

    def build(self, pool: Pool) -> Plan[BuiltModular]:
        """Sort every ranking and add up."""
        voters = ballots.judges(pool, self.of, self.by, self.weights)
        steps = range(0, len(voters), ballots.STEP)
        sums = yield from scan(partial(_points, voters, self.points), iadd, steps, "rankings")
        most = voters.total * self.points[0]
        grid = ballots.grid(most)
        worth = np.zeros(len(pool)) if sums is None else np.rint(sums * grid) / (grid * most)
        return BuiltModular(worth, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, voter by voter."""
        return exact(ballots.judges(pool, self.of, self.by, self.weights), at, self.points)


def _points(voters: Judges, points: tuple[float, ...], a: int) -> F64:
    """f64[n]: what rows get from STEP voters from a on."""
    n = voters.rows
    total, upto = np.zeros(n), np.zeros(n + 1)
    given = np.array(points[:n], np.float64)
    np.cumsum(given, out=upto[1 : len(given) + 1])
    upto[len(given) + 1 :] = upto[len(given)]
    for j in range(a, min(a + ballots.STEP, len(voters))):
        order, first, end = ballots.tied(voters.utility(j))
        total[order] += voters.weight[j] * ((upto[end] - upto[first]) / (end - first))
    return total


def exact(voters: Judges, at: I64, points: tuple[float, ...]) -> F64:
    """f64[1]: sum over voters and rows of the mean of the points that a row and its ties share."""
    total = 0.0
    for j in range(len(voters)):
        u = voters.utility(j)
        for x in u[at]:
            first, size = int((u > x).sum()), int((u == x).sum())
            shared = sum(points[p] for p in range(first, first + size) if p < len(points)) / size
            total += float(voters.weight[j]) * shared
    return np.array([total / (points[0] * voters.total)])


EXAMPLES = (
    PositionalScore(("score", "quality")),
    PositionalScore(by="vec", points=(1.0, 0.5, 0.5)),
    PositionalScore(("score", "quality"), points=(3.0, 2.0, 2.0, 0.0), weights=(1.0, 2.5)),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of the rows that win in two electorates apart which also win in both together."""
    kept = np.empty(40 * scale)
    rule = PositionalScore(by="votes", points=(4.0, 3.0, 1.0))
    for i in range(len(kept)):
        votes = rng.integers(0, 6, (8, 24)).astype(np.float32)  # full of ties
        halves = [votes[:, :12], votes[:, 12:], votes]
        pools = [Pool.of({"votes": Vectors(np.ascontiguousarray(h))}) for h in halves]
        one, two, both = (alone(rule.build(pool)).worth for pool in pools)
        common = np.flatnonzero((one == one.max()) & (two == two.max()))
        kept[i] = np.mean(both[common] == both.max()) if len(common) else 1.0
    return kept


CLAIM = Claim(
    paper="Young 1975",
    says="scoring is consistent: who wins in two electorates apart wins when they vote together",
    we_show="it is so in pairs of electorates of 12 voters with ties",
    not_shown="the converse, that only scoring rules are",
    measure=claim,
    margin=1.0,
)
