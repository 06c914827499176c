"""Volume shared with a query (LogDetMI): what knowing the choice would tell about the query, and back.

    f(S) = LogDet(S) - LogDet(S given Q)
         = (log det(I + K_S / ridge) - log det(I + (K_S - eta^2 K_SQ (ridge I + K_Q)^-1 K_QS) / ridge))
           / log(1 + 1 / ridge), K the cosines, Q the rows of the group `toward`

Source: Iyer, Khargoankar, Bilmes & Asanani 2021, "Submodular combinatorial information measures with
applications in machine learning", ALT, arXiv:2006.15412 (log det mutual information); with eta: PRISM 2022,
arXiv:2103.00128 (LogDetMI). Greedy: Chen, Zhang & Zhou 2018, arXiv:1709.05135.
Deviates: regularised and scaled as `LogDet`, which it is the mutual information of where eta = 1. eta lies in
    [0, 1]: above, the Schur complement need not be a kernel. The query is kept as at most d directions. A
    group without rows makes it zero. Rows of the query are candidates, and the best there are: keep them out
    with `Quota('split', at_most={'dev': 0})`.
Cost: O((n + |Q|) d^2 + d^3) to build, then 4 n d flops a chosen row: two residuals a row, brought up to date.
Memory: 32 n bytes a state, 8 k d for the directions, 24 d^2; never n x n.
Guarantee: exact and monotone (LogDet is submodular, so the query never adds to what a row is worth), but not
    submodular: a row may be worth more once another is chosen. Greedy has no guarantee, lazy solvers refuse
    it.
Use it when: the choice should span the directions of the query, and nothing else needs to be spanned.
Not when: a guarantee or speed is wanted (FacilityLocationQueryMI), or |Q| is far above d: every direction is
    then the query's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.members import members, named
from shortlist.core.pool import Pool
from shortlist.core.residual import Residual, held, residual_of
from shortlist.core.signals import Labels, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDetMI:
    """Volume shared with a query.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        toward: the query: 'split:dev' is the rows in group dev of the Labels or Tags signal split.
        eta: in [0, 1], how much of the query counts; 0 makes the function zero.
        ridge: > 0, how different two rows must be to count as two; the smaller, the finer.
    """

    by: str = field(default="vec", kw_only=False)
    toward: str
    eta: float = 1.0
    ridge: float = 0.1

    def __post_init__(self) -> None:
        named(self.toward, "LogDetMI: toward")
        if not 0 <= self.eta <= 1:
            raise UsageError(f"LogDetMI: eta must be in [0, 1], found {self.eta!r}")
        if not 1e-3 <= self.ridge <= 1e3:
            raise UsageError(f"LogDetMI: ridge must be in [0.001, 1000], found {self.ridge!r}")

    @property
    def terms(self) -> tuple[str, ...]:
        """What its parts are called."""
        return ("shared_log_det",)

    def need(self, pool: Pool, k: int) -> Need:
        """Two states of two residuals, their directions, and each row against each of them."""
        (n, d), q = pool.signal(self.by, Vectors).values.shape, len(members(pool, self.toward))
        return Need(
            bytes=100.0 * n + 8.0 * k * d + 40.0 * d * d + 24.0 * 1024 * d,
            flops=2.0 * d * d * (n + q + 12.0 * d) + 4.0 * n * k * d,
        )

    def build(self, pool: Pool) -> Plan[BuiltLogDetMI]:
        """What the query has of each row."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        plain = yield from residual_of(x, np.zeros(0, np.int64), 0.0, self.ridge)
        given = yield from residual_of(x, members(pool, self.toward), self.eta, self.ridge)
        return BuiltLogDetMI(plain, given, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, by ordinary determinants."""
        values = pool.signal(self.by, Vectors).values
        return exact(values[at], values[members(pool, self.toward)], self.eta, self.ridge)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltLogDetMI:
    """Bound to n rows. State: each row's residual without the query and with it."""

    plain: Residual
    given: Residual
    terms: tuple[str, ...]
    submodular: bool = False
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.plain.first)

    def start(self) -> tuple[Met, Met]:
        """Nothing chosen."""
        return self.plain.start(), self.given.start()

    def gains(self, state: tuple[Met, Met], at: I64) -> F64:
        """f64[b, 1]: how much more a row is worth without the query than with it; 0 at least."""
        ridge = self.plain.ridge
        without, beside = self.plain.left(state[0], at), self.given.left(state[1], at)
        # log((ridge + a) / (ridge + b)) by the difference, which is small where the query says nothing
        more = np.log1p(np.maximum(without - beside, 0.0) / (ridge + beside))
        return (more / math.log1p(1 / ridge))[:, None]

    def add(self, state: tuple[Met, Met], at: int) -> tuple[Met, Met]:
        """One direction is taken from both."""
        return self.plain.and_then(state[0], at), self.given.and_then(state[1], at)


def exact(chosen: F32, query: F32, eta: float, ridge: float) -> F64:
    """f64[1]: the definition for rows f32[k, d] and f32[q, d]."""
    s, q, one = held(chosen), held(query), np.eye(len(chosen))
    within = np.linalg.solve(ridge * np.eye(len(q)) + q @ q.T, q @ s.T)
    given = s @ s.T - eta**2 * (s @ q.T) @ within
    volumes = [np.linalg.slogdet(one + k / ridge)[1] for k in (s @ s.T, given)]
    return np.array([(volumes[0] - volumes[1]) / math.log1p(1 / ridge)])


EXAMPLES = (LogDetMI(toward="label:a"), LogDetMI("vec2", toward="tags:b", eta=0.5, ridge=1.0))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: of 6 rows of 200, the share in the 3 of 10 clusters the query has, less 0.3."""
    margins = np.empty(20 * scale)
    for i in range(len(margins)):
        cluster = rng.integers(0, 10, 200)
        rows = rng.normal(size=(10, 32))[cluster] + rng.normal(size=(200, 32)) * 0.3
        split = np.zeros(200, np.int32)
        split[np.flatnonzero(cluster < 3)[:6]] = 1
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "dev"))})
        chosen = cluster[climb(alone(LogDetMI(toward="split:dev").build(pool), pool), 6)]
        margins[i] = (chosen < 3).mean() - 0.3
    return margins


CLAIM = Claim(
    paper="Iyer et al. 2021",
    says="log det mutual information chooses what the query spans",
    we_show="six rows are nearly all of the query's three clusters of ten",
    not_shown="how it compares with other targeted functions on their data",
    measure=claim,
    margin=0.5,
)
