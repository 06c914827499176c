"""Optimizers that draw, stream or split: how much of exact greedy's gain over random each one reaches.

One facility location, the same similarities for all; a share of 1 is exact greedy, 0 is a random choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import submodlib

from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.sieve import Sieve
from shortlist.methods.solve.stochastic_greedy import StochasticGreedy
from shortlist.methods.solve.two_round import TwoRound
from tests.differences.by_apricot import apricot, fitted
from tests.differences.play import cosines, pool_of

Order = Callable[[int], list[int]]


def shares(seed: int, n: int = 240, k: int = 12) -> dict[str, float]:
    """Name -> share, on one pool of rows in clusters, none of them negative."""
    rng = np.random.default_rng(seed)
    x = np.abs(rng.normal(size=(30, 12)))[rng.integers(0, 30, n)] + np.abs(rng.normal(size=(n, 12))) * 0.4
    x = (x**3).astype(np.float32)
    similar = cosines(x)

    def worth(rows: list[int]) -> float:
        return float(similar[:, rows].max(axis=1).mean())

    exact = worth(by_ours(LazyGreedy(), x, k))
    random = float(np.mean([worth(rng.permutation(n)[:k].tolist()) for _ in range(50)]))
    found: dict[str, float] = {}
    for name, order in orders(x, similar, seed).items():
        rows = order(k)
        assert len(set(rows)) == len(rows) <= k, f"{name} took {rows}"
        found[name] = (worth(rows) - random) / (exact - random) if rows else float("nan")
    return found


def by_ours(solver: Any, x: np.ndarray, k: int) -> list[int]:
    pool = pool_of(x)
    rows: list[int] = solver(alone(FacilityLocation().build(pool)), bind(pool, (), k), pool).rows.tolist()
    return rows


def orders(x: np.ndarray, similar: np.ndarray, seed: int) -> dict[str, Order]:
    """What each library chooses, by the number of rows."""
    peer = submodlib.FacilityLocationFunction(len(x), mode="dense", sijs=similar, separate_rep=False)

    def theirs(optimizer: str) -> Order:
        return lambda k: [
            row for row, _ in peer.maximize(k, optimizer=optimizer, epsilon=0.1, show_progress=False)
        ]

    def fit(optimizer: str, **keywords: Any) -> Order:
        def order(k: int) -> list[int]:
            selector = apricot.FacilityLocationSelection(
                k, metric="precomputed", optimizer=optimizer, optimizer_kwds=keywords, random_state=seed
            )
            return fitted(selector, similar, seconds=60.0)[0]

        return order

    return {
        "ours, StochasticGreedy(0.1)": lambda k: by_ours(StochasticGreedy(0.1, seed=seed), x, k),
        "submodlib, StochasticGreedy, epsilon 0.1": theirs("StochasticGreedy"),
        "submodlib, LazierThanLazyGreedy, epsilon 0.1": theirs("LazierThanLazyGreedy"),
        "apricot, stochastic, epsilon 0.1": fit("stochastic", epsilon=0.1),
        "apricot, stochastic as it comes (0.9)": fit("stochastic"),
        "apricot, two-stage": fit("two-stage"),
        "apricot, approximate-lazy": fit("approximate-lazy"),
        "ours, Sieve()": lambda k: by_ours(Sieve(), x, k),
        "ours, Sieve(again=False)": lambda k: by_ours(Sieve(again=False), x, k),
        "apricot, sieve in fit": fit("sieve"),
        "ours, TwoRound(parts=8)": lambda k: by_ours(TwoRound(parts=8, seed=seed), x, k),
        "apricot, greedi, 8 parts": fit("greedi", m=8, l=12),
    }
