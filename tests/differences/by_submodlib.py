"""Ours and submodlib-py: the same functions over the same similarities, and greedy choices from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, log1p
from typing import Any

import numpy as np
import submodlib
from submodlib_cpp import FeatureBased as Concavity

from shortlist.core.signals import Tags
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.facility_location_cg import FacilityLocationCG
from shortlist.methods.objective.facility_location_mi import FacilityLocationMI
from shortlist.methods.objective.facility_location_query_mi import FacilityLocationQueryMI
from shortlist.methods.objective.feature_based import FeatureBased, Log, Sqrt
from shortlist.methods.objective.graph_cut import GraphCut
from shortlist.methods.objective.graph_cut_cg import GraphCutCG
from shortlist.methods.objective.graph_cut_mi import GraphCutMI
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.log_det_cg import LogDetCG
from shortlist.methods.objective.log_det_mi import LogDetMI
from shortlist.methods.objective.max_min_dispersion import MaxMinDispersion
from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
from shortlist.methods.objective.probabilistic_set_cover import ProbabilisticSetCover
from shortlist.methods.objective.set_cover import SetCover
from tests.differences.play import Case, Match, chosen, cosines, drawn, near, pool_of, valued

#: Causes, told on the page.
RESCALED = "FeatureBased rescales features"
OWN = "DisparitySum counts a zero row's distance to itself"
CAPPED = "DisparityMin cuts distances at 1"
LAZY_RISING = "LazyGreedy on gains that rise"
Rng = np.random.Generator


def ordered(peer: Any, k: int, solver: str) -> Callable[[], list[int]]:
    return lambda: [row for row, _ in peer.maximize(k, optimizer=solver, show_progress=False)]


def matched(
    peer: Any, n: int, k: int, ours: tuple[Any, Any], scale: float, solver: str, **more: Any
) -> Match:
    """The objective and pool of ours, whose value is `scale` times smaller."""
    apiece = more.pop("apiece", 0.0)
    return Match(
        n=n,
        ours=chosen(*ours, k),
        worth=more.pop("worth", valued(*ours, scale, apiece)),
        value=lambda rows: float(peer.evaluate(set(rows))),
        order=ordered(peer, k, solver) if solver else None,
        **more,
    )


def sizes(rng: Rng, x: np.ndarray) -> tuple[int, int]:
    return len(x), int(rng.integers(1, len(x)))  # submodlib refuses k = n


def facility_location(rng: Rng, solver: str) -> Match:
    x = drawn(rng)
    n, k = sizes(rng, x)
    peer = submodlib.FacilityLocationFunction(n, mode="dense", sijs=cosines(x), separate_rep=False)
    return matched(peer, n, k, (FacilityLocation(), pool_of(x)), n, solver)


def graph_cut(rng: Rng, solver: str) -> Match:
    x, r = drawn(rng), float(rng.choice([0.2, 0.5, 1.5]))
    n, k = sizes(rng, x)
    peer = submodlib.GraphCutFunction(n, mode="dense", lambdaVal=r, ggsijs=(1 + cosines(x)) / 2)
    return matched(peer, n, k, (GraphCut(redundancy=r), pool_of(x)), n, solver)


def set_cover(rng: Rng, solver: str) -> Match:
    x = rng.random((int(rng.integers(3, 10)), 6)) < rng.choice([0.2, 0.5])
    n, k = sizes(rng, x)
    pool = pool_of(x.astype(np.float32), tags=Tags.of([[f"t{c}" for c in np.flatnonzero(r)] for r in x]))
    peer = submodlib.SetCoverFunction(n, [set(np.flatnonzero(r).tolist()) for r in x], 6)
    return matched(peer, n, k, (SetCover(), pool), int(x.any(axis=0).sum()), solver)


def probabilistic(rng: Rng, solver: str) -> Match:
    x = np.clip(drawn(rng, positive=True) * rng.choice([0.5, 1.0]), 0, 1).astype(np.float32)
    n, k = sizes(rng, x)
    peer = submodlib.ProbabilisticSetCoverFunction(n, x.tolist(), x.shape[1])
    scale = int(x.any(axis=0).sum())
    return matched(peer, n, k, (ProbabilisticSetCover("vec"), pool_of(x)), scale, solver)


def features(rng: Rng, solver: str) -> Match:
    """Where every column has a 0 and a 1 as its ends nothing is rescaled; else that must explain it all."""
    x = drawn(rng, positive=True)
    if rng.random() < 0.5:
        x = np.vstack([np.clip(x, 0, 1), np.zeros((1, x.shape[1])), np.ones((1, x.shape[1]))])
        x = x.astype(np.float32)
    n, k = sizes(rng, x)
    shape, curve, mode = (
        (Sqrt(), np.sqrt, Concavity.squareRoot),
        (Log(), np.log1p, Concavity.logarithmic),
    )[rng.integers(2)]
    peer = submodlib.FeatureBasedFunction(n, x.tolist(), x.shape[1], False, mode=mode)
    span = np.where(np.ptp(x, axis=0) > 0, np.ptp(x, axis=0), 1)
    scaled = (x - x.min(axis=0)) / span

    def why(rows: list[int], pick: int | None) -> str:
        def f(at: list[int]) -> float:
            return float(curve(scaled[at].sum(axis=0)).sum())

        if pick is None:
            return RESCALED if near(f(rows), peer.evaluate(set(rows))) else "?"
        best = max(f([*rows, j]) for j in range(n) if j not in rows)
        return RESCALED if near(f([*rows, pick]), best) else "?"

    whole = float(curve(x.astype(np.float64).sum(axis=0)).sum())
    ours = (FeatureBased("vec", concave=shape), pool_of(x))
    return matched(peer, n, k, ours, whole, solver, why=why)


def log_det(rng: Rng, solver: str) -> Match:
    x, ridge = drawn(rng), float(rng.choice([0.1, 1.0]))
    n, k = sizes(rng, x)
    peer = submodlib.LogDeterminantFunction(n, mode="dense", lambdaVal=ridge, sijs=cosines(x))
    ours = (LogDet(ridge=ridge), pool_of(x))
    return matched(peer, n, k, ours, log1p(1 / ridge), solver, apiece=log(ridge))


def halved(rng: Rng) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
    """Rows, their cosines, which are of the query, n and k. Rows of the query are in the pool for both."""
    x = drawn(rng)
    group = rng.random(len(x)) < 0.4
    group[int(rng.integers(len(x)))] = True
    return x, cosines(x), group, *sizes(rng, x)


def coverage_mi(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    eta = float(rng.choice([0.5, 1.0, 2.0]))
    peer = submodlib.FacilityLocationMutualInformationFunction(
        n, int(q.sum()), data_sijs=c, query_sijs=c[:, q], magnificationEta=eta
    )
    return matched(peer, n, k, (FacilityLocationMI(toward="split:q", eta=eta), pool_of(x, q)), n, solver)


def query_mi(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    eta, m = float(rng.choice([0.0, 0.5, 1.0, 2.0])), int(q.sum())
    peer = submodlib.FacilityLocationVariantMutualInformationFunction(
        n, m, query_sijs=c[:, q], queryDiversityEta=eta
    )
    return matched(peer, n, k, (FacilityLocationQueryMI(toward="split:q", eta=eta), pool_of(x, q)), m, solver)


def coverage_cg(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    nu = float(rng.choice([0.5, 1.0, 2.0]))
    peer = submodlib.FacilityLocationConditionalGainFunction(
        n, int(q.sum()), data_sijs=c, private_sijs=c[:, q], privacyHardness=nu
    )
    return matched(peer, n, k, (FacilityLocationCG(away="split:q", nu=nu), pool_of(x, q)), n, solver)


def cut_mi(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    m = int(q.sum())
    peer = submodlib.GraphCutMutualInformationFunction(n, m, query_sijs=(1 + c[:, q]) / 2)
    return matched(peer, n, k, (GraphCutMI(toward="split:q"), pool_of(x, q)), m, solver)


def cut_cg(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    nu, r, m = float(rng.choice([0.1, 0.5])), float(rng.choice([0.2, 0.5, 1.5])), int(q.sum())
    s = (1 + c) / 2
    peer = submodlib.GraphCutConditionalGainFunction(
        n, m, r, data_sijs=s, private_sijs=s[:, q], privacyHardness=nu * n / (r * m)
    )
    ours = (GraphCutCG(away="split:q", nu=nu, redundancy=r), pool_of(x, q))
    return matched(peer, n, k, ours, n, solver)


def log_det_mi(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    eta, ridge = float(rng.choice([0.5, 1.0])), float(rng.choice([0.1, 1.0]))
    peer = submodlib.LogDeterminantMutualInformationFunction(
        n, int(q.sum()), ridge, data_sijs=c, query_sijs=c[:, q], query_query_sijs=c[q][:, q],
        magnificationEta=eta,
    )  # fmt: skip
    ours = (LogDetMI(toward="split:q", eta=eta, ridge=ridge), pool_of(x, q))
    worth = valued(*ours, log1p(1 / ridge))

    def why(rows: list[int], pick: int | None) -> str:
        """The row that should have come was worth less before, so that its old gain was no bound."""
        if pick is None or solver != "LazyGreedy":
            return "?"
        best = max((j for j in range(n) if j not in rows), key=lambda j: worth([*rows, j]))
        gain = [worth([*rows[:t], best]) - worth(rows[:t]) for t in range(len(rows) + 1)]
        return LAZY_RISING if max(np.diff(gain)) > 1e-9 else "?"

    return matched(peer, n, k, ours, log1p(1 / ridge), solver, worth=worth, why=why)


def log_det_cg(rng: Rng, solver: str) -> Match:
    x, c, q, n, k = halved(rng)
    nu, ridge = float(rng.choice([0.5, 1.0])), float(rng.choice([0.1, 1.0]))
    peer = submodlib.LogDeterminantConditionalGainFunction(
        n, int(q.sum()), ridge, data_sijs=c, private_sijs=c[:, q], private_private_sijs=c[q][:, q],
        privacyHardness=nu,
    )  # fmt: skip
    ours = (LogDetCG(away="split:q", nu=nu, ridge=ridge), pool_of(x, q))
    return matched(peer, n, k, ours, log1p(1 / ridge), solver, apiece=log(ridge))


def disparity_sum(rng: Rng, solver: str) -> Match:
    x = drawn(rng)
    c, (n, k) = cosines(x), sizes(rng, x)
    peer = submodlib.DisparitySumFunction(n, mode="dense", sijs=c)
    own = (1 - np.diag(c)) / 2
    worth = valued(MaxSumDispersion(), pool_of(x), 1.0)

    def why(rows: list[int], pick: int | None) -> str:
        if pick is None:
            return OWN if near(worth(rows) + own[rows].sum(), peer.evaluate(set(rows))) else "?"
        gain = {j: (1 - c[j, rows]).sum() + own[j] for j in range(n) if j not in rows}
        return OWN if near(gain[pick], max(gain.values())) and own.any() else "?"

    return matched(peer, n, k, (MaxSumDispersion(), pool_of(x)), 1.0, solver, worth=worth, why=why)


def disparity_min(rng: Rng, solver: str) -> Match:
    """Ours gains along the order; the least of them, but the first, is the least distance."""
    x = drawn(rng)
    (n, k), c = sizes(rng, x), cosines(x)
    f, pool = MaxMinDispersion(), pool_of(x)
    peer = submodlib.DisparityMinFunction(n, mode="dense", sijs=c)

    def gain(rows: Sequence[int], pick: int) -> float:
        before, after = (f.value(pool, np.array(r, np.int64)).sum() for r in (rows, [*rows, pick]))
        return float(after - before)

    def least(rows: list[int]) -> float:
        return min((gain(rows[:t], rows[t]) for t in range(1, len(rows))), default=0.0)

    def worth(rows: Sequence[int]) -> float:
        return float(f.value(pool, np.array(rows, np.int64)).sum())

    def why(rows: list[int], pick: int | None) -> str:
        if pick is None:
            return "?"
        best = max(gain(rows, j) for j in range(n) if j not in rows)
        return CAPPED if min(gain(rows, pick), best) >= 1 - 1e-6 else "?"

    match = matched(peer, n, k, (f, pool), 1.0, solver, worth=worth, why=why)
    capped = [min(1.0, least(r)) if len(r) > 1 else 0.0 for r in ([0], [1, 0], [2, 1, 0], list(range(n)))]
    for rows, value in zip(([0], [1, 0], [2, 1, 0], list(range(n))), capped, strict=True):
        assert near(value, peer.evaluate(set(rows))), f"the least distance within {rows}"
    return Match(n=n, ours=match.ours, worth=worth, value=None, order=match.order, why=why)


BOTH = ("NaiveGreedy", "LazyGreedy")
FUNCTIONS: dict[str, tuple[Callable[[Rng, str], Match], tuple[str, ...]]] = {
    "facility location": (facility_location, BOTH),
    "graph cut": (graph_cut, BOTH),
    "set cover": (set_cover, BOTH),
    "probabilistic set cover": (probabilistic, BOTH),
    "feature-based": (features, BOTH),
    "log-det": (log_det, BOTH),
    "FLVMI": (coverage_mi, BOTH),
    "FLQMI": (query_mi, BOTH),
    "FLCG": (coverage_cg, BOTH),
    "GCMI": (cut_mi, BOTH),
    "GCCG": (cut_cg, BOTH),
    "LogDetMI": (log_det_mi, BOTH),
    "LogDetCG": (log_det_cg, BOTH),
    "disparity sum": (disparity_sum, ("NaiveGreedy",)),
    "disparity min": (disparity_min, ("NaiveGreedy",)),
}
CASES = tuple(
    Case(f"submodlib {solver}, {name}", lambda rng, f=f, s=solver: f(rng, s))
    for name, (f, solvers) in FUNCTIONS.items()
    for solver in solvers
)
