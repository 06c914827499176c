"""Ours and apricot-select: the same similarities, handed over ready made, and what its optimizers choose.

apricot has no `evaluate`: its functions are compared by the gains it reports along its own choice. It
compiles its loops anew at each fit, for seconds; here they run as the Python they are written in.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np

from shortlist.core.signals import Tags
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.feature_based import FeatureBased, Log, Sqrt
from shortlist.methods.objective.graph_cut import GraphCut
from shortlist.methods.objective.saturated_coverage import SaturatedCoverage
from shortlist.methods.objective.set_cover import SetCover
from shortlist.methods.objective.sum_redundancy import SumRedundancy
from tests.differences.play import NEAR, Case, Match, chosen, cosines, drawn, pool_of, valued

#: Causes, told on the page.
ZERO = "lazy: two gains that fell to 0 end the search"
SQUARED = "metric='cosine' is the square of the cosine"
TWICE = "lazy: a row is taken twice"
ENDLESS = "approximate-lazy never ends where gains are negative"
ROUGH = "approximate-lazy takes what is near enough"
Rng = np.random.Generator


@contextmanager
def plain() -> Iterator[None]:
    """numba off: apricot decorates at each fit, so it runs as Python; what is compiled already stays so."""
    before, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
    try:
        yield
    finally:
        numba.config.DISABLE_JIT = before


with plain():
    import apricot


class Endless(Exception):
    """It did not come back."""


def fitted(selector: Any, x: np.ndarray, seconds: float = 0.3) -> tuple[list[int], list[float]]:
    """Its ranking and gains; Endless after `seconds` (a fit of ten rows takes one thousandth)."""

    def late(*_: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with plain():
            selector.fit(x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return [int(i) for i in selector.ranking], [float(g) for g in selector.gains]


def matched(rng: Rng, make: Callable[..., Any], x: np.ndarray, ours: tuple[Any, Any], scale: float) -> Match:
    """x: what it is fitted on; ours: an objective and a pool, whose value is `scale` times smaller."""
    n, optimizer = len(x), make.keywords["optimizer"]  # type: ignore[attr-defined]
    k = int(rng.integers(1, n + 1))
    worth = valued(*ours, scale)
    found: list[tuple[list[int], list[float]]] = []
    ended = True
    try:
        found.append(fitted(make(k), x))
    except Endless:
        ended = False

    def why(rows: list[int], pick: int | None) -> str:
        if pick is None:
            return "?"
        gain = {j: worth([*rows, j]) - worth(rows) for j in range(n) if j not in rows}
        if optimizer in ("lazy", "two-stage") and pick in rows:
            return TWICE
        if optimizer in ("lazy", "two-stage") and abs(gain[pick]) <= 1e-6:  # cosines are float32
            return ZERO
        if optimizer == "approximate-lazy" and gain.get(pick, 0.0) >= 0.9 * max(gain.values()) - 1e-9:
            return ROUGH
        return "?"

    def order() -> list[int]:
        return found[0][0]

    mine = chosen(*ours, k)  # shorter than k where only negative gains are left
    lost = ENDLESS if len(mine) < k and optimizer == "approximate-lazy" else "?"
    return Match(
        n=n, ours=mine, worth=worth, value=None, order=order if ended else lost,
        told=until_twice(*found[0]) if ended else None, why=why,
    )  # fmt: skip


def until_twice(order: list[int], gains: list[float]) -> tuple[list[int], list[float]]:
    """Both, up to the first row that is met again."""
    t = next((t for t, row in enumerate(order) if row in order[:t]), len(order))
    return order[:t], gains[:t]


class Maker:
    """A selector but for its number of rows. Two-stage is lazy from the second row on, not the eleventh."""

    def __init__(self, kind: Any, **keywords: Any) -> None:
        first = {"optimizer_kwds": {"n_first_selections": 1}} if keywords["optimizer"] == "two-stage" else {}
        self.kind, self.keywords = kind, keywords | first

    def __call__(self, k: int) -> Any:
        return self.kind(k, random_state=0, **self.keywords)


def coverage(rng: Rng, optimizer: str) -> Match:
    x = drawn(rng)
    make = Maker(apricot.FacilityLocationSelection, metric="precomputed", optimizer=optimizer)
    return matched(rng, make, np.maximum(cosines(x), 0), (FacilityLocation(), pool_of(x)), len(x))


def cosine_metric(rng: Rng, optimizer: str) -> Match:
    """Its own cosine kernel, against ours."""
    x = drawn(rng, positive=True)
    x[~x.any(axis=1)] = 1  # its distance of a zero row to itself is 0
    make = Maker(apricot.FacilityLocationSelection, metric="cosine", optimizer=optimizer)
    n, k = len(x), int(rng.integers(1, len(x) + 1))
    ours = (FacilityLocation(), pool_of(x))
    order, gains = fitted(make(k), x)
    square = cosines(x) ** 2

    def why(rows: list[int], pick: int | None) -> str:
        if pick is not None:
            reached = square[rows].max(axis=0, initial=0.0)
            gain = {j: np.maximum(square[j] - reached, 0).sum() for j in range(n) if j not in rows}
            return SQUARED if gain[pick] >= max(gain.values()) - NEAR else "?"
        return SQUARED if abs(square[order].max(axis=0).sum() - sum(gains)) < 1e-6 * n else "?"

    return Match(
        n=n, ours=chosen(*ours, k), worth=valued(*ours, n),
        value=None, order=lambda: order, told=(order, gains), why=why,
    )  # fmt: skip


def cut(rng: Rng, optimizer: str) -> Match:
    x, alpha = drawn(rng), float(rng.choice([0.7, 1.0, 3.0]))
    make = Maker(apricot.GraphCutSelection, metric="precomputed", alpha=alpha, optimizer=optimizer)
    ours = (GraphCut(redundancy=1 / alpha), pool_of(x))
    return matched(rng, make, (1 + cosines(x)) / 2, ours, len(x) * alpha)


def redundancy(rng: Rng, optimizer: str) -> Match:
    x = drawn(rng)
    make = Maker(apricot.SumRedundancySelection, metric="precomputed", optimizer=optimizer)
    return matched(rng, make, (1 + cosines(x)) / 2, (SumRedundancy(), pool_of(x)), len(x))


def saturated(rng: Rng, optimizer: str) -> Match:
    x, alpha = drawn(rng), float(rng.choice([0.1, 0.4, 1.0]))
    make = Maker(apricot.SaturatedCoverageSelection, metric="precomputed", alpha=alpha, optimizer=optimizer)
    c = np.maximum(cosines(x), 0)
    return matched(rng, make, c, (SaturatedCoverage(saturation=alpha), pool_of(x)), alpha * float(c.sum()))


def max_coverage(rng: Rng, optimizer: str) -> Match:
    x = rng.random((int(rng.integers(3, 10)), 6)) < rng.choice([0.2, 0.5])
    tags = Tags.of([[f"t{c}" for c in np.flatnonzero(row)] for row in x])
    make = Maker(apricot.MaxCoverageSelection, optimizer=optimizer)
    pool = pool_of(x.astype(np.float32), tags=tags)
    return matched(rng, make, x.astype(float), (SetCover(), pool), int(x.any(axis=0).sum()))


def features(rng: Rng, optimizer: str) -> Match:
    x = drawn(rng, positive=True)
    name, shape, curve = (("sqrt", Sqrt(), np.sqrt), ("log", Log(), np.log1p))[rng.integers(2)]
    make = Maker(apricot.FeatureBasedSelection, concave_func=name, optimizer=optimizer)
    whole = float(curve(x.astype(np.float64).sum(axis=0)).sum())
    ours = (FeatureBased("vec", concave=shape), pool_of(x))
    return matched(rng, make, x.astype(np.float64), ours, whole)


OPTIMIZERS = ("naive", "lazy", "two-stage", "approximate-lazy")
FUNCTIONS = {
    "facility location": coverage,
    "graph cut": cut,
    "sum redundancy": redundancy,
    "saturated coverage": saturated,
    "max coverage": max_coverage,
    "feature-based": features,
}
CASES = tuple(
    Case(f"apricot {o}, {name}", lambda rng, f=f, o=o: f(rng, o))
    for name, f in FUNCTIONS.items()
    for o in OPTIMIZERS
)
CASES += (Case("apricot naive, facility location by its cosine", lambda rng: cosine_metric(rng, "naive")),)
