"""Borda: rows by the mean share of the other rows that the voters put below them.

    f(S) = sum over s in S of sum_v w_v (n - 1 - place_v(s)) / (n - 1) / sum_v w_v,  place 0 the best

Source: de Borda 1781, "Memoire sur les elections au scrutin"; as a committee rule: Faliszewski, Skowron,
Slinko & Talmon 2017, "Multiwinner Voting: A New Challenge for Social Choice Theory", sec. 2.2 (k-Borda);
under group bounds: Boehmer, Celis, Huang, Mehrotra & Vishnoi 2023, arXiv:2306.09835.
Deviates: divided to lie in [0, 1] a row; tied rows share the mean of their places.
Cost: one sort a voter to build, O(1) a gain.
Memory: 8 n bytes; 40 n while it is built.
Guarantee: exact, modular: greedy is optimal under a size limit and most counts of groups that do not overlap.
Use it when: several rankings of the same rows should count alike, whatever the scales of their scores. Few
    biased rankings suffice for least counts to repair the choice (the claim below; `bias` simulates it).
Not when: minorities among the voters should be heard too (ChamberlinCourant, ProportionalApproval).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from operator import iadd

import numpy as np

from shortlist.core import ballots
from shortlist.core.arrays import F64, I64
from shortlist.core.ballots import Judges
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need, Row
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.fill import fill
from shortlist.core.limits import bind_rows
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.objective.modular import BuiltModular


@dataclass(frozen=True, slots=True, kw_only=True)
class Borda:
    """k-Borda.

    Args:
        of: Scores signals, one ranking a voter.
        by: a Vectors signal, each column a ranking.
        weights: one a voter, () is 1 each.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ballots.check("Borda", self.of, self.by, self.weights)

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("borda",)

    def need(self, pool: Pool, k: int) -> Need:
        """One sort a voter, one number a row."""
        n = len(pool)
        m = pool.signal(self.by, Vectors).values.shape[1] if self.by else len(self.of)
        return Need(bytes=64.0 * n, flops=m * n * (10.0 + 2.0 * np.log2(n + 1)) + k)

    def build(self, pool: Pool) -> Plan[BuiltModular]:
        """Sort every ranking and add up."""
        voters = ballots.judges(pool, self.of, self.by, self.weights)
        steps = range(0, len(voters), ballots.STEP)
        behind = yield from scan(partial(_behind, voters), iadd, steps, "rankings")
        return BuiltModular(_worth(behind, len(pool), voters), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, voter by voter."""
        return exact(ballots.judges(pool, self.of, self.by, self.weights), at)


def _behind(voters: Judges, a: int) -> F64:
    """f64[n]: twice the places of rows with STEP voters from a on, weighted and added up."""
    total = np.zeros(voters.rows)
    for j in range(a, min(a + ballots.STEP, len(voters))):
        total += voters.weight[j] * ballots.places(voters.utility(j))
    return total


def _worth(behind: F64 | None, n: int, voters: Judges) -> F64:
    """f64[n]: in [0, 1], from twice the weighted places."""
    most = 2.0 * max(n - 1, 1) * voters.total
    if behind is None or n < 2:
        return np.zeros(n)
    grid = ballots.grid(most)
    worth: F64 = np.rint((most - behind) * grid) / (grid * most)
    return worth


def exact(voters: Judges, at: I64) -> F64:
    """f64[1]: sum over rows and voters of the share of the other rows that a row beats, ties half."""
    total = 0.0
    for j in range(len(voters)):
        u = voters.utility(j)
        beaten = [((u < x).sum() + ((u == x).sum() - 1) / 2) / max(len(u) - 1, 1) for x in u[at]]
        total += float(voters.weight[j] * sum(beaten))
    return np.array([total / voters.total])


EXAMPLES = (
    Borda(("score", "quality")),
    Borda(by="vec"),
    Borda(("score", "quality"), weights=(0.1, 2.0)),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: lost utility that a least count wins back, as a share, for m pools with 20 biased judges."""
    back = np.empty(20 * scale)
    half = Row("b>=10", "quota", np.arange(50, 100), None, 10, np.inf)
    size = Row("size=20", "size", None, None, -np.inf, 20)
    for i in range(len(back)):
        latent = rng.normal(size=100)
        seen = latent[:, None] + rng.normal(size=(100, 20))
        seen[50:] -= 1.0  # every judge thinks less of the second half
        pool = Pool.of({"votes": Vectors(seen.astype(np.float32))})
        order = np.argsort(-alone(Borda(by="votes").build(pool)).worth, kind="stable")
        plain, kept = (latent[fill(bind_rows(r, 100), order)].sum() for r in ([size], [size, half]))
        best = np.sort(latent)[-20:].sum()
        back[i] = (kept - plain) / (best - plain) if best > plain else 1.0
    return back


CLAIM = Claim(
    paper="Boehmer, Celis, Huang, Mehrotra & Vishnoi 2023, arXiv:2306.09835",
    says="least counts of a group that judges slight raise the latent quality of a Borda committee",
    we_show="20 of 100 rows, half of them slighted by 20 judges: half of what is lost is won back",
    not_shown="their real data; that groups differ in nothing but the bias, the premise of the counts",
    measure=claim,
    margin=0.5,
)
