"""Laws of solvers: every choice is allowed, explained and as good as its certificate says."""

from __future__ import annotations

import dataclasses
import math
import re
import sys

import numpy as np
from numpy.random import Generator

from shortlist.core.choice import Choice
from shortlist.core.climb import climb
from shortlist.core.contracts import Built, Limits, Solver
from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.methods.solve import greedy
from tests.strategies import Scene, arrays, subsets


def positions(pool: Pool, choice: Choice) -> np.ndarray:
    """i64[k]: where the chosen rows stand in the pool."""
    return np.searchsorted(pool.rows, choice.rows)


def worth(built: Built, limits: Limits, at: np.ndarray) -> np.ndarray:
    """f64[len(at), T]: gains of `at` in this order, on top of what was shown before."""
    state, parts = built.start(), np.zeros((len(at), len(built.terms)))
    for row in limits.shown:
        state = built.add(state, int(row))
    for i, row in enumerate(at):
        parts[i] = built.gains(state, np.array([row]))[0]
        state = built.add(state, int(row))
    return parts


def best(built: Built, limits: Limits, most: int) -> float:
    """The largest total over all sets of at most `most` rows that break no limit, rows in house order."""
    shown = set(limits.shown.tolist())
    feasible = (s for s in subsets(len(built), most) if not shown & set(s.tolist()) and not limits.check(s))
    return max((float(worth(built, limits, s).sum()) for s in feasible), default=-math.inf)


def the_choice_breaks_no_limit(solver: Solver, scene: Scene, rng: Generator) -> None:
    choice = solver(scene.built, scene.limits, scene.pool)
    at = positions(scene.pool, choice)
    assert (scene.pool.rows[at] == choice.rows).all()
    assert len(set(at.tolist())) == len(at) <= scene.limits.k
    assert scene.limits.check(at) == []
    assert not set(at) & set(scene.limits.shown)
    assert set(scene.limits.must) <= set(at)


def gains_are_those_of_the_objective(solver: Solver, scene: Scene, rng: Generator) -> None:
    choice = solver(scene.built, scene.limits, scene.pool)
    assert choice.terms == scene.built.terms
    replayed = worth(scene.built, scene.limits, positions(scene.pool, choice))
    np.testing.assert_allclose(choice.parts, replayed, rtol=1e-9, atol=1e-12)


def the_trace_fits_the_choice(solver: Solver, scene: Scene, rng: Generator) -> None:
    choice = solver(scene.built, scene.limits, scene.pool)
    trace, k = choice.trace, len(choice)
    if trace is None:
        return
    assert len(trace.runner_up) == len(trace.runner_up_gain) == k
    for i, row in enumerate(trace.runner_up):
        assert row == -1 or (row in scene.pool.rows and row not in choice.rows[: i + 1])
    assert len(trace.refused) == len(trace.refused_step) == len(trace.refused_by)
    assert not set(trace.refused) & set(choice.rows)
    assert len(set(trace.refused)) == len(trace.refused)
    assert all(0 <= s <= k for s in trace.refused_step)
    assert all(0 <= b < len(scene.limits.names) for b in trace.refused_by)


def the_same_call_gives_the_same_bytes(solver: Solver, scene: Scene, rng: Generator) -> None:
    before = arrays(scene.pool)
    one, two = (solver(scene.built, scene.limits, scene.pool) for _ in range(2))
    assert one.rows.tobytes() == two.rows.tobytes()
    assert one.parts.tobytes() == two.parts.tobytes()
    assert one.bound == two.bound
    assert arrays(scene.pool) == before


def nothing_is_chosen_of_nothing(solver: Solver, scene: Scene, rng: Generator) -> None:
    pool = scene.pool.take(np.zeros(0, np.int64))
    built = alone(scene.objective.build(pool), pool)
    for k in (0, 3):
        empty = solver(built, bind(pool, (), k), pool)
        assert len(empty) == 0
        assert empty.parts.shape == (0, len(built.terms))
    assert len(solver(scene.built, bind(scene.pool, (), 0), scene.pool)) == 0


def k_rows_come_back_where_only_size_limits(solver: Solver, scene: Scene, rng: Generator) -> None:
    n = len(scene.pool)
    for k in {1, n, n + 3}:
        choice = solver(scene.built, bind(scene.pool, (), k), scene.pool)
        assert len(choice) == min(k, n) if scene.built.monotone else len(choice) <= min(k, n)


def no_choice_passes_the_bound(solver: Solver, scene: Scene, rng: Generator) -> None:
    choice = solver(scene.built, scene.limits, scene.pool)
    if choice.bound is None:
        return
    low, high = choice.bound
    assert math.isclose(low, choice.total, rel_tol=1e-6, abs_tol=1e-9)
    assert high >= best(scene.built, scene.limits, scene.limits.k) - 1e-6


def promises_hold_under_a_size_limit(solver: Solver, scene: Scene, rng: Generator) -> None:
    """What the module says under "Guarantee" for monotone submodular objectives, against enumeration."""
    promised, said = guarantee(solver), promise(solver)
    k = len(scene.pool) if "without limits" in said else int(rng.integers(0, len(scene.pool) + 1))
    limits = bind(scene.pool, (), k)
    if not promised or not (scene.built.monotone and scene.built.submodular):
        return
    optimum = best(scene.built, limits, k)
    if "in expectation" in said:
        made = [dataclasses.replace(solver, seed=s)(scene.built, limits, scene.pool) for s in range(SEEDS)]
        totals = np.array([c.total for c in made])
        assert totals.mean() + 4 * totals.std() / math.sqrt(SEEDS) >= promised * optimum - 1e-6
        return
    choice = solver(scene.built, limits, scene.pool)
    assert choice.total >= promised * optimum - 1e-6
    if is_greedy(solver):  # the largest gain each time, the lowest row on ties
        assert positions(scene.pool, choice).tolist() == climb(scene.built, k).tolist()


#: How often a solver is asked that promises something in expectation.
SEEDS = 12
#: Shares of the optimum as modules write them.
SHARES = {"the optimum": 1.0, "Greedy's choice": 1 - 1 / math.e, "1 - 1/e": 1 - 1 / math.e}
SHARES |= {"1/2": 1 / 2, "1/3": 1 / 3, "1/e": 1 / math.e}


def promise(solver: Solver) -> str:
    """What a solver's module says under "Guarantee", to the first full stop or semicolon."""
    page = sys.modules[type(solver).__module__].__doc__ or ""
    return re.split(r"[.;]", page.partition("Guarantee:")[2].strip(), maxsplit=1)[0]


def guarantee(solver: Solver) -> float:
    """The share of the optimum that a solver's module promises, 0 if none."""
    said = promise(solver)
    share = next((share for text, share in SHARES.items() if said.startswith(text)), 0.0)
    return share - getattr(solver, "eps", 0.0) if " - eps of" in said else share


def is_greedy(solver: Solver) -> bool:
    """Whether the choice has to be greedy's own, ties included."""
    return promise(solver).startswith("Greedy's choice") or type(solver).__module__ == greedy.__name__


LAWS = (
    the_choice_breaks_no_limit,
    gains_are_those_of_the_objective,
    the_trace_fits_the_choice,
    the_same_call_gives_the_same_bytes,
    nothing_is_chosen_of_nothing,
    k_rows_come_back_where_only_size_limits,
    no_choice_passes_the_bound,
    promises_hold_under_a_size_limit,
)
