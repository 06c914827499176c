"""What the selection benchmark compares: pools, limits, and engines that choose k rows from vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def clusters(n: int, d: int = 384, seed: int = 20260, out: np.ndarray | None = None) -> np.ndarray:
    """f32[n, d] unit vectors: 200 clusters of Zipf sizes in 48 decaying directions, noise, a common mean."""
    rng = np.random.default_rng(seed)
    size = 1 / np.arange(1, 201)
    basis = rng.standard_normal((48, d)) * (0.95 ** np.arange(48))[:, None]
    centre = rng.standard_normal((200, 48)) @ basis
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    mean = rng.standard_normal(d)
    mean /= np.linalg.norm(mean)
    out = np.empty((n, d), np.float32) if out is None else out
    for a in range(0, n, 20_000):
        m = min(20_000, n - a)
        within = rng.standard_normal((m, 48)) @ basis
        within /= np.linalg.norm(within, axis=1, keepdims=True)
        x = centre[rng.choice(200, m, p=size / size.sum())] + 0.45 * within + 0.35 * mean
        x += rng.standard_normal((m, d)) * (0.45 / np.sqrt(d))
        out[a : a + m] = x / np.linalg.norm(x, axis=1, keepdims=True)
    return out


def limits_50k(n: int, k: int) -> dict[str, Any]:
    """Two quotas and a knapsack, all of which bind: rare 'de' at 15%, 'en' at 60%, 95% of the mean cost."""
    rng = np.random.default_rng(5)
    costs = rng.lognormal(5, 0.6, n)
    return {
        "groups": np.array(["en", "de", "fr"])[rng.choice(3, n, p=[0.85, 0.05, 0.1])],
        "at_least": {"de": 0.15},
        "at_most": {"en": 0.6},
        "costs": costs,
        "budget": float(0.95 * k * costs.mean()),
    }


def coverage(x: np.ndarray, rows: np.ndarray) -> float:
    """Mean over all rows of max(0, largest cosine to a chosen row)."""
    chosen, total = np.ascontiguousarray(x[rows]), 0.0
    for a in range(0, len(x), 4096):
        total += float(np.maximum((x[a : a + 4096] @ chosen.T).max(axis=1), 0).sum(dtype=np.float64))
    return total / len(x)


def ours(x: np.ndarray, k: int, **limits: Any) -> Any:
    from shortlist.doors.select import select

    return select(x, k=k, **limits).rows


def pairs(x: np.ndarray, k: int) -> Any:
    """Ours without cells: every pair is looked at."""
    from shortlist.core.effects import alone
    from shortlist.core.limits import bind
    from shortlist.core.pool import Pool
    from shortlist.core.signals import Vectors
    from shortlist.methods.objective.facility_location import FacilityLocation
    from shortlist.methods.solve.lazy_greedy import LazyGreedy

    pool = Pool.of({"vec": Vectors(x)})
    f = FacilityLocation("vec", neighbors=5 * len(x) // k)
    return LazyGreedy()(alone(f.build(pool)), bind(pool, (), k), pool).rows


def twice(x: np.ndarray, k: int) -> Any:
    """Ours at 1M with twice the represented rows: what sampling them costs."""
    from shortlist.core.effects import alone
    from shortlist.core.limits import bind
    from shortlist.core.pool import Pool
    from shortlist.core.signals import Vectors
    from shortlist.methods.objective.facility_location import FacilityLocation
    from shortlist.methods.solve.lazy_greedy import LazyGreedy

    pool = Pool.of({"vec": Vectors(x)})
    f = FacilityLocation("vec", neighbors=3 * len(x) // k, represent=min(len(x), 80 * k))
    return LazyGreedy()(alone(f.build(pool)), bind(pool, (), k), pool).rows


def relu_kernel(x: np.ndarray) -> np.ndarray:
    kernel = x @ x.T
    return np.maximum(kernel, 0, out=kernel)


def apricot(x: np.ndarray, k: int) -> Any:
    from apricot import FacilityLocationSelection

    model = FacilityLocationSelection(k, metric="precomputed", optimizer="lazy", verbose=False)
    return model.fit(relu_kernel(x)).ranking


def apricot_squared(x: np.ndarray, k: int) -> Any:
    """Its own cosine metric, which is the squared cosine: another objective, faster to make."""
    from apricot import FacilityLocationSelection

    model = FacilityLocationSelection(k, metric="cosine", optimizer="lazy", verbose=False)
    return model.fit(x).ranking


def submodlib(x: np.ndarray, k: int) -> Any:
    from submodlib import FacilityLocationFunction

    f = FacilityLocationFunction(
        n=len(x), mode="dense", separate_rep=False, sijs=relu_kernel(x), pybind_mode="array32"
    )
    picks = f.maximize(budget=k, optimizer="LazyGreedy", stopIfZeroGain=False, stopIfNegativeGain=False)
    return np.array([i for i, _ in picks])


def exact(x: np.ndarray, k: int, **limits: Any) -> Any:
    """Exact greedy under the same limits; cosines are made again whenever a gain is asked for."""
    import dataclasses

    from shortlist.core.pool import Pool
    from shortlist.core.signals import Costs, Labels
    from shortlist.methods.constrain.cardinality import Cardinality
    from shortlist.methods.constrain.feasible import settle
    from shortlist.methods.constrain.knapsack import Knapsack
    from shortlist.methods.constrain.quota import Quota
    from shortlist.methods.solve.lazy_greedy import LazyGreedy

    @dataclasses.dataclass
    class Again:
        terms: tuple[str, ...] = ("coverage",)
        submodular: bool = True
        monotone: bool = False  # bounds along the way would each take a full pass
        exact: bool = True

        def __len__(self) -> int:
            return len(x)

        def start(self) -> np.ndarray:
            return np.zeros(len(x), np.float32)

        def gains(self, state: np.ndarray, at: np.ndarray) -> np.ndarray:
            out = np.zeros(len(at))
            for b in range(0, len(at), 1024):
                asked = x[at[b : b + 1024]]
                for a in range(0, len(x), 4096):
                    more = asked @ x[a : a + 4096].T
                    more -= state[a : a + 4096]
                    out[b : b + 1024] += np.maximum(more, 0, out=more).sum(axis=1, dtype=np.float64)
            return out[:, None] / len(x)

        def add(self, state: np.ndarray, at: int) -> np.ndarray:
            return np.maximum(state, x @ x[at])

    columns: dict[str, Any] = {}
    within: list[Any] = [Cardinality(k)]
    if limits:
        columns = {"groups": Labels.of(limits["groups"].tolist()), "costs": Costs(limits["costs"])}
        within.append(Quota("groups", at_least=limits["at_least"], at_most=limits["at_most"]))
        within.append(Knapsack("costs", at_most=limits["budget"]))
    pool = Pool(np.arange(len(x)), columns)
    return LazyGreedy()(Again(), settle(pool, within, k), pool).rows


ENGINES: dict[str, Callable[..., Any]] = {
    "ours": ours,
    "twice": twice,
    "pairs": pairs,
    "apricot": apricot,
    "apricot_squared": apricot_squared,
    "submodlib": submodlib,
    "exact": exact,
}
