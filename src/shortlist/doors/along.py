"""The objective along the order of many choices at once: ours, the draws', the top-k's.

Evidence needs the value of some 200 choices at some 12 sizes. Coverage is measured on a seeded sample of the
rows, each candidate multiplied once for all choices that hold it; everything else from its definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log1p
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.contracts import Built, Objective, Summed
from shortlist.core.effects import Plan, alone
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Vectors
from shortlist.measures.coverage import reach
from shortlist.measures.nearest import unit
from shortlist.methods.objective.borda import Borda
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.feature_based import FeatureBased
from shortlist.methods.objective.graph_cut import GraphCut
from shortlist.methods.objective.graph_cut_cg import GraphCutCG
from shortlist.methods.objective.graph_cut_mi import GraphCutMI
from shortlist.methods.objective.group_coverage import GroupCoverage
from shortlist.methods.objective.label_graph_gain import LabelGraphGain
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.log_det_cg import LogDetCG
from shortlist.methods.objective.max_min_dispersion import MaxMinDispersion
from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.positional_score import PositionalScore
from shortlist.methods.objective.probabilistic_set_cover import ProbabilisticSetCover
from shortlist.methods.objective.saturated_coverage import SaturatedCoverage
from shortlist.methods.objective.set_cover import SetCover
from shortlist.methods.objective.soft_suppression import SoftSuppression
from shortlist.methods.objective.sum_coverage import SumCoverage
from shortlist.methods.objective.sum_redundancy import SumRedundancy
from shortlist.methods.objective.weighted_sum import Sum

#: Pools up to this size are measured on all rows, larger ones on a seeded sample of SAMPLE rows.
WHOLE, SAMPLE = 4096, 2048
#: Rows over which the totals of saturated coverage are summed.
TOTALS = 50_000
#: Flops spent on terms that are worked out choice by choice, and the fewest choices they are spent on.
BUDGET, FEWEST = 4e11, 39


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """An objective followed over a pool.

    on i64[m], increasing: the rows its coverage is measured on; built: the objective over this pool, if it
    is there: what is exact is then followed gain by gain, not worked out anew for every size.
    """

    objective: Objective
    pool: Pool
    on: I64
    built: Built | None = None

    @classmethod
    def of(cls, objective: Objective, pool: Pool, seed: int, built: Built | None = None) -> Course:
        """Measured on all rows of a small pool, on a seeded sample of a large one."""
        n = len(pool)
        if n <= WHOLE:
            return cls(objective, pool, np.arange(n, dtype=np.int64), built)
        some = np.sort(generator(seed, "evidence", "rows").choice(n, SAMPLE, replace=False))
        return cls(objective, pool, some, built)

    @property
    def sampled(self) -> bool:
        """Whether any term is measured on a sample rather than in full."""
        covers = any(isinstance(f, FacilityLocation | SaturatedCoverage) for f in parts(self.objective))
        return covers and len(self.on) < len(self.pool)

    def along(self, sets: Sequence[I64], cuts: Sequence[I64]) -> list[F64]:
        """For each set of positions in order: f64[len(cuts[i]), T], its value by term at those sizes."""
        return _along(self.objective, self, self.built, sets, cuts)


def parts(objective: Objective) -> tuple[Objective, ...]:
    """The objectives of a sum, of sums within it too; otherwise the objective alone."""
    if isinstance(objective, Sum):
        return tuple(p for f in objective.of for p in parts(f))
    return (objective,)


def weights(objective: Objective) -> tuple[float, ...]:
    """The weight of each term within the whole, in the order of `terms`."""
    if isinstance(objective, Sum):
        return tuple(w * v for f, w in zip(objective.of, objective.weights, strict=True) for v in weights(f))
    return (1.0,) * len(objective.terms)


def followed(objective: Objective, pool: Pool, k: int) -> int:
    """How many choices of k rows can be followed in a few seconds; 200 or more for all but few objectives."""
    flops = 0.0
    for f in parts(objective):
        match f:
            case GraphCut() | SumRedundancy():
                vectors = pool.columns.get(f.by)
                d = vectors.values.shape[1] if isinstance(vectors, Vectors) else 1
                flops += k * (4.0 * d + (0 if d > 1 else len(pool)))
            case LogDet() | MMR():
                flops += k * k * (2.0 * pool.signal(f.by, Vectors).values.shape[1] + 2.0 * k)
            case FeatureBased() | SetCover() | ProbabilisticSetCover() | LabelGraphGain():
                flops += 1e5 * k  # built once for all; a step copies a state
            case FacilityLocation() | SaturatedCoverage() | Modular() | SumCoverage() | GroupCoverage():
                pass  # shared over all choices, or next to nothing
            case _:
                flops += f.need(pool, k).flops
    return int(np.clip(BUDGET / max(flops, 1.0), FEWEST, 10_000))


def in_proportion(objective: Objective, share: float) -> Objective:
    """The objective for a choice of `share` times as many rows, its parts pulling as they do at full size.

    A coverage is a mean over the pool, the same at any size; sums over the chosen rows shrink with their
    number, so their weights grow. Without this a rerun on few rows would ask for coverage alone.
    """
    if not isinstance(objective, Sum):
        return objective
    scaled = zip(objective.of, objective.weights, strict=True)
    return replace(
        objective,
        of=tuple(in_proportion(f, share) for f in objective.of),
        weights=tuple(w / _growth(f, share) for f, w in scaled),
    )


def _growth(f: Objective, share: float) -> float:
    """How the value of an objective changes with the number of rows chosen."""
    match f:
        case GroupCoverage():
            return float(share**f.power)
        case LabelGraphGain():
            return float(share**f.power)
        case Modular() | LogDet() | MMR() | SumCoverage() | GraphCut():
            return share
        case Borda() | PositionalScore() | SoftSuppression() | MaxMinDispersion() | LogDetCG():
            return share
        case GraphCutMI() | GraphCutCG():
            return share
        case SumRedundancy() | MaxSumDispersion():
            return share * share
    return 1.0


def _along(
    f: Objective, course: Course, built: Built | None, sets: Sequence[I64], cuts: Sequence[I64]
) -> list[F64]:
    match f:
        case Sum():
            inner = [b for _, b in built.summands()] if isinstance(built, Summed) else [None] * len(f.of)
            each = [_along(g, course, b, sets, cuts) for g, b in zip(f.of, inner, strict=True)]
            return [
                np.concatenate([w * v[i] for v, w in zip(each, f.weights, strict=True)], axis=1)
                for i in range(len(sets))
            ]
        case FacilityLocation():
            vectors = course.pool.signal(f.by, Vectors)
            rows = unit(vectors.values[course.on])
            near = reach(rows, vectors, sets, cuts)
            return [r.sum(axis=1, dtype=np.float64)[:, None] / max(len(rows), 1) for r in near]
        case SaturatedCoverage():
            return _saturated(f, course, sets, cuts)
        case Modular() | SumCoverage():
            worth = alone(f.build(course.pool)).worth
            return [_at(np.cumsum(worth[s]), c) for s, c in zip(sets, cuts, strict=True)]
        case LogDet():
            x = course.pool.signal(f.by, Vectors).values
            return [_at(_log_det(unit(x[s]), f.ridge), c) for s, c in zip(sets, cuts, strict=True)]
        case MMR():
            x = course.pool.signal(f.by, Vectors).values
            return [_at(_redundancy(unit(x[s])), c) for s, c in zip(sets, cuts, strict=True)]
        case LabelGraphGain():
            graph = alone(f.build(course.pool))
            return [np.array([graph.worth_of(s[:c]) for c in cut]) for s, cut in zip(sets, cuts, strict=True)]
        case GraphCut() | SumRedundancy() | FeatureBased() | SetCover() | ProbabilisticSetCover():
            plan: Plan[Any] = f.build(course.pool)
            # Once for all choices; `value` starts anew for each.
            whole = alone(plan) if built is None else built
            return [_at(_walked(whole, s), c) for s, c in zip(sets, cuts, strict=True)]
    if built is not None and built.exact:
        return [_at(_walked(built, s), c) for s, c in zip(sets, cuts, strict=True)]
    return [
        np.array([f.value(course.pool, s[:c]) for c in cut]).reshape(len(cut), len(f.terms))
        for s, cut in zip(sets, cuts, strict=True)
    ]


def _walked(built: Built, order: I64) -> F64:
    """f64[k, T]: the value of an exact objective as these rows are added one by one."""
    gains, state = np.zeros((len(order), len(built.terms))), built.start()
    for i, row in enumerate(order.tolist()):
        gains[i] = built.gains(state, np.array([row]))[0]
        state = built.add(state, row)
    return np.cumsum(gains, axis=0)


def _saturated(f: SaturatedCoverage, course: Course, sets: Sequence[I64], cuts: Sequence[I64]) -> list[F64]:
    """Its definition on the rows `on`; their totals over the pool, of a large one over every so many rows."""
    vectors, n = course.pool.signal(f.by, Vectors), len(course.pool)
    rows = unit(vectors.values[course.on])
    every = np.arange(0, n, -(-n // TOTALS), dtype=np.int64)
    total = reach(rows, vectors, [every], [np.array([len(every)])], fold=np.add)[0][0].astype(np.float64)
    cap = f.share(n) * total * (n / max(len(every), 1))
    whole = max(float(cap.sum()), np.finfo(np.float64).tiny)
    return [
        (np.minimum(r, cap).sum(axis=1) / whole)[:, None]
        for r in reach(rows, vectors, sets, cuts, fold=np.add)
    ]


def _at(prefix: F64, cuts: I64) -> F64:
    """f64[g, T]: the values f64[k] or f64[k, T] of prefixes 1.. at these sizes; 0 for size 0."""
    table = prefix[:, None] if prefix.ndim == 1 else prefix
    return np.concatenate([np.zeros((1, table.shape[1])), table])[cuts]


def _log_det(x: F32, ridge: float) -> F64:
    """f64[k]: log det of every leading block of I + K / ridge, from one Cholesky factor."""
    gram = (x @ x.T).astype(np.float64)
    factor = np.linalg.cholesky(np.eye(len(x)) + gram / ridge)
    return np.cumsum(2 * np.log(np.diagonal(factor))) / log1p(1 / ridge)


def _redundancy(x: F32) -> F64:
    """f64[k]: minus the sum so far of each row's largest positive cosine with a row before it."""
    earlier = np.tril(x @ x.T, -1)
    return -np.cumsum(np.maximum(earlier, 0).max(axis=1, initial=0.0), dtype=np.float64)
