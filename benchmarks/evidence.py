"""The evidence of a choice: seconds of `asked` (200 draws, curve) and of all of it, on one core, by size."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from shortlist.core.choice import Choice
from shortlist.core.effects import alone
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Vectors
from shortlist.doors.asked import asked
from shortlist.doors.evidence import evidence
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.random_draw import draws
from shortlist.methods.solve.top import Top

#: n, d, k, goal of `asked` in seconds.
SIZES = ((3_000, 384, 300, 1.0), (50_000, 384, 1_000, 4.0), (1_000_000, 256, 1_000, 15.0))


def figure(name: str, value: float, unit: str = "s", **more: Any) -> None:
    print(json.dumps({"figure": name, "value": round(float(value), 4), "unit": unit, **more}), flush=True)


def timed(work: Callable[[], Any], repeats: int = 3) -> float:
    """Median seconds."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def world(n: int, d: int) -> Pool:
    """200 clusters of Zipf sizes, a score, a source, token counts."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(200, d)).astype(np.float32)
    x = centres[np.minimum(rng.zipf(1.3, n) - 1, 199)]
    for a in range(0, n, 65536):
        x[a : a + 65536] += rng.normal(size=(len(x[a : a + 65536]), d)).astype(np.float32)
    return Pool.of(
        {
            "vec": Vectors(x),
            "quality": Scores(rng.normal(size=n)),
            "source": Labels(rng.integers(0, 5, n).astype(np.int32), tuple("abcde")),
            "tokens": Costs(rng.integers(5, 400, n).astype(float), "tokens"),
        }
    )


def main() -> None:
    for n, d, k, goal in SIZES:
        pool = world(n, d)
        rules = (Cardinality(k), Quota("source", at_least={"a": 0.3}), Knapsack("tokens", at_most=180 * k))
        limits = settle(pool, rules)
        objective = Sum((FacilityLocation("vec"), Modular("quality")), weights=(1.0, 0.1 / k))
        rows = Top(of="quality")(None, limits, pool).rows
        choice = Choice(rows, np.zeros(len(rows)), objective.terms, np.zeros((len(rows), 2)))
        size = f"{n:,} x {d}, k = {k:,}, quota and budget"
        start = time.perf_counter()
        drawn = draws(limits, 200, 0)
        figure(f"200 draws, {size}", time.perf_counter() - start)
        figure(
            f"asked, {size}",
            timed(lambda: asked(pool, choice, objective, limits, draws=drawn, tops={}, seed=0)),  # noqa: B023
            goal=goal,
        )
        rerun: list[float] = []

        def choose(part: Pool, inner: BoundLimits) -> np.ndarray:
            begun = time.perf_counter()
            chosen = LazyGreedy()(alone(objective.build(part)), inner, part).rows  # noqa: B023
            rerun.append(time.perf_counter() - begun)  # noqa: B023
            return np.searchsorted(part.rows, chosen)

        rng = np.random.default_rng(1)
        aside = {
            "noise": Scores(rng.normal(size=n)),
            "label": Labels(rng.integers(0, 8, n).astype(np.int32), tuple("abcdefgh")),
        }
        start = time.perf_counter()
        found = evidence(pool, choice, objective, limits, choose, set_aside=aside, seed=0)
        whole = time.perf_counter() - start
        figure(f"evidence, {size}", whole, reruns=round(sum(rerun), 3), verdict=found["verdict"]["evidence"])
    figure("peak memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "GiB")


if __name__ == "__main__":
    main()
