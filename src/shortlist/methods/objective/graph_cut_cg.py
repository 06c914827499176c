"""Graph cut beyond a private set (GCCG): rows like the pool, unlike each other, unlike the private set.

    f(S) = sum over s in S of (mean over u of sim(u, s) - 2 nu mean over p in P of sim(p, s))
           - lambda / n times the sum of sim(s, t) over all s, t in S,
    sim = (1 + cos) / 2, u over the pool of n rows, P the rows of the group `away`

Source: Iyer, Khargoankar, Bilmes & Asanani 2021, "Submodular combinatorial information measures with
applications in machine learning", ALT, arXiv:2006.15412 (conditional gain of graph cut); PRISM 2022,
arXiv:2103.00128 (GCCG).
Deviates: all is divided by n, which changes no choice. The private set counts by its mean, not its sum: the
    paper's lambda nu is nu n / |P| here, so that nu means the same for ten private rows as for ten thousand.
    Similarity is (1 + cos) / 2, in [0, 1] as the paper asks, which makes the sums over the pool and over P
    one product a row: nothing is n x n. A group without rows leaves plain graph cut. Private rows are
    candidates: keep them out of the choice with `Quota('split', at_most={'seen': 0})`.
Cost: O(n d) to build, O(d) a row and chosen row, paid only for rows a solver asks for.
Memory: 24 n bytes a state and 4 k d for the chosen vectors; never n x n, never n x k.
Guarantee: exact and submodular; monotone where no row is ever worth less than nothing, which is checked as it
    is built. Where it is not, solvers stop before a pick that does harm, and greedy has no guarantee.
Use it when: a cheap contrast is wanted: typical of the pool, but not of the set that is there already.
Not when: the pool has several subjects, all to be covered (FacilityLocationCG): the mean favours its middle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.likeness import halved, likeness
from shortlist.core.members import members, named
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCutCG:
    """Typical of the pool, not of the private set, little repeated.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        away: the private set: 'split:seen' is the rows in group seen of the Labels or Tags signal split.
        nu: >= 0, the weight of the private set. At 1/2 and above few rows may be worth anything.
        redundancy: >= 0, the paper's lambda: what likeness to a chosen row costs, over n.
    """

    by: str = field(default="vec", kw_only=False)
    away: str
    nu: float = 0.25
    redundancy: float = 0.5

    def __post_init__(self) -> None:
        named(self.away, "GraphCutCG: away")
        for name in ("nu", "redundancy"):
            if not 0 <= getattr(self, name) < np.inf:
                raise UsageError(f"GraphCutCG: {name} must be finite and >= 0, found {getattr(self, name)!r}")

    @property
    def terms(self) -> tuple[str, ...]:
        """One term."""
        return ("graph_cut",)

    def need(self, pool: Pool, k: int) -> Need:
        """Two states, the chosen vectors, and each row against each chosen row at worst."""
        n, d = pool.signal(self.by, Vectors).values.shape
        return Need(bytes=80.0 * n + 4.0 * k * d, flops=2.0 * n * d * (k + 2.0))

    def build(self, pool: Pool) -> Plan[BuiltGraphCut]:
        """What each row is worth alone, and the least it can be worth: after all others."""
        yield from ()
        x, private = Directions.of(pool.signal(self.by, Vectors).values), members(pool, self.away)
        n = max(len(x), 1)
        weight = self.redundancy / n
        mean = likeness(x)
        own = np.where(x.inverse > 0, 1.0, 0.5)
        first = mean - weight * own
        if len(private):
            first -= 2 * self.nu * likeness(x, private)
        least = first - 2 * weight * (n * mean - own)
        return BuiltGraphCut(x, first, 2 * weight, bool((least > 1e-6).all()), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition in double precision, n x |S| at once."""
        values, private = pool.signal(self.by, Vectors).values, members(pool, self.away)
        return exact(values, at, private, self.nu, self.redundancy)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltGraphCut:
    """worth f64[n]: gains of the first pick; likeness to a chosen row costs `weight`. State: minus the sums
    of likeness to the chosen rows, brought up to date when asked."""

    rows: Directions
    worth: F64
    weight: float
    monotone: bool
    terms: tuple[str, ...]
    submodular: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def start(self) -> Met:
        """Nothing chosen."""
        return Met.nothing(np.zeros(len(self.rows)))

    def gains(self, state: Met, at: I64) -> F64:
        """f64[b, 1]: the worth, less the price of likeness."""
        # subtract: unlike a sum, NumPy takes it one by one whether it is asked for few rows or for many
        return (self.worth[at] + self.weight * state.fold(self.rows, at, np.subtract, halved))[:, None]

    def add(self, state: Met, at: int) -> Met:
        """One more row to be like."""
        return state.and_then(self.rows.unit(np.array([at]))[0])


def exact(vectors: F32, at: I64, private: I64, nu: float, redundancy: float) -> F64:
    """f64[1]: the definition over rows f32[n, d], chosen i64[k] and private i64[p]."""
    x = vectors.astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    x = x / np.where(norm > 0, norm, 1.0)
    sim = (1 + x @ x[at].T) / 2
    if not len(at):
        return np.zeros(1)
    away = sim[private].mean(axis=0).sum() if len(private) else 0.0
    return np.array([sim.mean(axis=0).sum() - 2 * nu * away - redundancy / len(x) * sim[at].sum()])


EXAMPLES = (GraphCutCG(away="label:a"), GraphCutCG("vec2", away="tags:b", nu=0.1, redundancy=1.5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of 10 of 300 rows in the private 3 of 6 clusters: at nu = 0 less at nu = 1/4."""
    margins = np.empty(20 * scale)
    for i in range(len(margins)):
        cluster = rng.integers(0, 6, 300)
        rows = rng.normal(size=(6, 16))[cluster] + rng.normal(size=(300, 16)) * 0.5
        split = np.where((cluster < 3) & (rng.random(300) < 0.3), 1, 0).astype(np.int32)
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "seen"))})
        forms = (GraphCutCG(away="split:seen", nu=nu, redundancy=5.0) for nu in (0.0, 0.25))
        plain, ours = (cluster[climb(alone(f.build(pool)), 10)] for f in forms)
        margins[i] = (plain < 3).mean() - (ours < 3).mean()
    return margins


CLAIM = Claim(
    paper="Iyer et al. 2021",
    says="conditional gain turns a choice away from what the private set has",
    we_show="ten rows hold far fewer of the private set's three clusters of six than without it",
    not_shown="that nothing about the private set can be told from the choice",
    measure=claim,
    margin=0.3,
)
