"""The bias simulator: do least counts of a slighted group help under a rule, by how many judges?

After Boehmer, Celis, Huang, Mehrotra & Vishnoi 2023, arXiv:2306.09835 (of which the abstract and introduction
were read): rows have a latent utility, judges rank them with noise and think less of one group than it is
worth, a rule makes a committee of the rankings with and without a least count of that group, and what counts
is the utility that nobody saw. The premise is that the groups differ in nothing but the bias; where they do
differ the counts cost quality, and the simulation cannot tell.

It runs rules under constraints, which neither methods nor measures may do, so it is a door.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.contracts import Built, Objective, Solver
from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.expression import expression
from shortlist.core.limits import BoundLimits, bind
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Labels, Vectors
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.solve.lazy_greedy import LazyGreedy

#: Resamples of an interval, and random committees of a run that stand for nought.
RESAMPLES, RANDOM = 2_000, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """Who is judged, and how badly.

    Latent utilities are normal with variance 1 in both groups. A judge sees utility + noise * normal, less
    `strength` for the slighted: as if exp(utility) were multiplied by exp(-strength).

    Args:
        rows: candidates.
        k: seats.
        share: of the rows, how many are slighted.
        strength: of the bias, in standard deviations of the utility.
        noise: of each judge, likewise.
        at_least: seats for the slighted; None: their share of k, rounded down.
    """

    rows: int = 100
    k: int = 20
    share: float = 0.5
    strength: float = 1.0
    noise: float = 1.0
    at_least: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.k < self.rows:
            raise UsageError(f"Bias: k must lie between 0 and the {self.rows} rows, found {self.k}")
        if not 0 < self.share < 1 or not 0 < self.slighted < self.rows:
            raise UsageError(f"Bias: share must leave rows in both groups, found {self.share}")
        if not all(0 <= x < math.inf for x in (self.strength, self.noise)):
            raise UsageError("Bias: strength and noise must be finite and at least 0")
        if not 0 <= self.least <= min(self.k, self.slighted):
            raise UsageError(
                f"Bias: at_least must be at most {min(self.k, self.slighted)}, found {self.least}"
            )

    @property
    def slighted(self) -> int:
        """Rows that are slighted."""
        return round(self.share * self.rows)

    @property
    def least(self) -> int:
        """Seats kept for them."""
        return math.floor(self.k * self.slighted / self.rows) if self.at_least is None else self.at_least


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over runs and its 95% interval (bootstrap)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Quality by number of judges: without and with the least count, and how much the count adds.

    1 is the best that can be had, 0 a random committee.
    """

    plain: tuple[Estimate, ...]
    bounded: tuple[Estimate, ...]
    change: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasStudy:
    """What `bias` found.

    utility: of the latent utility of the committee. score: of the rule's own score under the same judges
    without their bias, against what greedy reaches there; None where the rule has no score.
    """

    rule: str
    model: Bias
    judges: tuple[int, ...]
    runs: int
    utility: Effect
    score: Effect | None

    @property
    def helps(self) -> tuple[bool, ...]:
        """By number of judges: whether the least count surely raises utility."""
        return tuple(e.low > 0 for e in self.utility.change)

    def enough(self, target: float = 0.9) -> int | None:
        """The fewest of the judges tried from which on utility with the count surely reaches `target`."""
        found = None
        for judges, quality in reversed(list(zip(self.judges, self.utility.bounded, strict=True))):
            if quality.low < target:
                break
            found = judges
        return found


def bias(
    rule: Objective | Solver,
    model: Bias = Bias(),
    *,
    judges: Sequence[int] = (1, 2, 5, 10, 20, 50, 100),
    runs: int = 40,
    seed: int = 0,
) -> BiasStudy:
    """Simulate biased judges, with and without a least count of the slighted group.

    Args:
        rule: an objective, maximised greedily, or a committee solver, over the Vectors signal 'votes'
            (a column a judge): `Borda(by='votes')`, `Phragmen(by='votes', top=0.2)`.
        model: the rows, the seats, the bias.
        judges: numbers of judges to try, each a part of the next.
        runs: simulated pools.
        seed: of the draws.

    Raises:
        UsageError: no judges or fewer than 2 runs.
        ContractError: the rule reads another signal, or its gains may grow.

    >>> from shortlist.methods.objective.borda import Borda
    >>> from shortlist.methods.objective.chamberlin_courant import ChamberlinCourant
    >>> for rule in (Borda(by="votes"), ChamberlinCourant(by="votes")):
    ...     study = bias(rule, judges=(20,), runs=12)
    ...     print(study.helps, study.enough(0.9), round(study.utility.bounded[0].mean, 2))
    (True,) 20 0.96
    (False,) None 0.5
    """
    tried = tuple(sorted(set(judges)))
    if not tried or tried[0] < 1 or runs < 2:
        raise UsageError("bias: at least one number of judges above 0 and 2 runs are needed")
    scores = isinstance(rule, Objective)
    told = np.array([_run(rule, model, tried, generator(seed, "bias", i)) for i in range(runs)])
    effects = [
        _effect(told[:, :, i], generator(seed, "bias", "bootstrap")) for i in range(2 if scores else 1)
    ]
    return BiasStudy(
        rule=expression(rule),
        model=model,
        judges=tried,
        runs=runs,
        utility=effects[0],
        score=effects[1] if scores else None,
    )


def _run(rule: Objective | Solver, model: Bias, judges: tuple[int, ...], rng: np.random.Generator) -> F64:
    """f64[J, 2, 2]: by number of judges, quality by utility and by score, without and with the count."""
    latent = rng.normal(size=model.rows)
    slighted = np.zeros(model.rows, np.int32)
    slighted[rng.permutation(model.rows)[: model.slighted]] = 1
    fair = latent[:, None] + model.noise * rng.normal(size=(model.rows, judges[-1]))
    seen = fair - model.strength * slighted[:, None]
    drawn = [rng.permutation(model.rows)[: model.k] for _ in range(RANDOM)]
    group = Labels(slighted, ("others", "slighted"))
    best = np.sort(latent)[-model.k :].mean()
    out = np.zeros((len(judges), 2, 2))
    for i, count in enumerate(judges):
        pool, honest = (
            Pool.of({"votes": Vectors(x[:, :count].astype(np.float32)), "group": group}) for x in (seen, fair)
        )
        free = bind(pool, (), model.k)
        kept = bind(pool, (Quota("group", at_least={"slighted": model.least}),), model.k)
        built = alone(rule.build(pool), pool) if isinstance(rule, Objective) else None
        taken = [_take(rule, built, limits, pool) for limits in (free, kept)]
        out[i, 0] = [(latent[at].mean() - latent.mean()) / (best - latent.mean()) for at in taken]
        if isinstance(rule, Objective):
            true = alone(rule.build(honest), honest)
            nought = np.mean([_worth(true, at) for at in drawn])
            most = _worth(true, _take(rule, true, free, honest)) - nought
            out[i, 1] = [(_worth(true, at) - nought) / most if most > 0 else 1.0 for at in taken]
    return out


def _take(rule: Objective | Solver, built: Built | None, limits: BoundLimits, pool: Pool) -> I64:
    """Positions that the rule chooses."""
    solver = LazyGreedy() if isinstance(rule, Objective) else rule
    return solver(built, limits, pool).rows  # type: ignore[arg-type]  # committee solvers need no objective


def _worth(built: Built, at: I64) -> float:
    """What these rows gain in this order."""
    state, total = built.start(), 0.0
    for i, row in enumerate(at.tolist()):
        total += float(built.gains(state, at[i : i + 1]).sum())
        state = built.add(state, row)
    return total


def _effect(quality: F64, rng: np.random.Generator) -> Effect:
    """Estimates from f64[runs, J, 2]."""
    again = rng.integers(0, len(quality), (RESAMPLES, len(quality)))

    def estimates(x: F64) -> tuple[Estimate, ...]:
        low, high = np.quantile(x[again].mean(axis=1), (0.025, 0.975), axis=0)
        pairs = zip(x.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True)
        return tuple(Estimate(*e) for e in pairs)

    plain, bounded = quality[:, :, 0], quality[:, :, 1]
    return Effect(plain=estimates(plain), bounded=estimates(bounded), change=estimates(bounded - plain))
