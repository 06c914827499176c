"""Rules that no inequality says, in random combinations with all others, against every set and order."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.effects import alone
from shortlist.core.errors import InfeasibleError
from shortlist.core.fill import exact, fill
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Tags, Vectors
from shortlist.methods.constrain import precedence, prefix, separation
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.laminar import Laminar
from shortlist.methods.constrain.precedence import Precedence
from shortlist.methods.constrain.prefix import Prefix
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.separation import Separation
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.cost_benefit import CostBenefit
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.random_draw import Random
from shortlist.methods.solve.top import Top
from tests.laws.small_limits import Case

WITH = settings(deadline=None, derandomize=True, database=None)
OBJECTIVE = Sum((FacilityLocation("vec"), Modular("score")))
SOLVERS = (Greedy(), LazyGreedy(), CostBenefit(), Exhaustive(), Random(seed=1), Top("score"))


def drawn(rng: np.random.Generator, most: int = 7) -> Case:
    """A pool of few distinct values, and rules of all kinds, each drawn or not."""
    n = int(rng.integers(1, most + 1))
    fine = rng.integers(0, 4, n).astype(np.int32)
    words = [[g for g in "abc" if rng.random() < 0.4] for _ in range(n)]
    pool = Pool.of(
        {
            "vec": Vectors(rng.choice([0.0, 0.5, 1.0], (n, 2)).astype(np.float32)),
            "score": Scores(rng.integers(0, 4, n).astype(float)),
            "label": Labels(rng.integers(0, 3, n).astype(np.int32), ("a", "b", "c")),
            "fine": Labels(fine, ("p", "q", "r", "s")),
            "coarse": Labels(fine // 2, ("x", "y")),
            "tags": Tags.of([*words, ["a", "b", "c"]]).take(np.arange(n)),
            "cost": Costs(rng.integers(0, 4, n).astype(float)),
            "usd": Costs(rng.choice([0.0, 0.1, 0.2], n)),
        }
    )
    few = lambda: rng.permutation(n)[: rng.integers(0, 3)].tolist()  # noqa: E731
    kinds: list[Any] = [
        lambda: Quota("label", at_least={"a": 1}, at_most={"b": 2}),
        lambda: Quota("tags", at_least={"a": 1, "b": 0.2}, at_most={"c": 2}),
        lambda: Knapsack("cost", at_most=int(rng.integers(2, 10))),
        lambda: Knapsack("usd", at_most=float(rng.choice([0.3, 0.6]))),
        lambda: Include(few()),
        lambda: Exclude(few()),
        lambda: Shown(few()),
        lambda: Laminar(("coarse", "fine"), at_least={"coarse": {"x": 1}}, at_most={"fine": 1, "coarse": 2}),
        lambda: Separation("vec", least=float(rng.choice([0.05, 0.3, 1.0]))),
        lambda: Separation("score", least=float(rng.choice([1.0, 2.0]))),
        lambda: Prefix("label", at_most=float(rng.choice([0.34, 0.5]))),
        lambda: Prefix("tags", at_least={"a": 0.3}, at_most={"b": 0.5}),
        lambda: Precedence("label", order="score"),
    ]
    chosen = [kinds[i]() for i in rng.permutation(len(kinds))[: rng.integers(1, 6)]]
    least = int(rng.integers(0, min(n, 2) + 1))
    if rng.random() < 0.3 and least:
        chosen.append(Cardinality(n, at_least=least))
    return Case(pool, chosen, int(rng.integers(0, n + 1)))


def feasible(case: Case) -> bool:
    """Whether some order of some set keeps every rule, by their definitions."""
    plain = Case(case.pool, [r for r in case.rules if not isinstance(r, Laminar)], case.k)
    for r in case.rules:
        if isinstance(r, Laminar):
            for by in r.levels:
                least, most = (r.at_least or {}).get(by), (r.at_most or {}).get(by)
                if least is not None or most is not None:
                    plain.rules.append(Quota(by, at_least=least, at_most=most))
    return any(ordered(case, np.flatnonzero(s)) is not None for s in plain.feasible())


def ordered(case: Case, at: np.ndarray) -> tuple[int, ...] | None:
    apart = [r for r in case.rules if isinstance(r, Separation)]
    if not all(separation.exact(case.pool, r, at) for r in apart):
        return None
    order = [r for r in case.rules if isinstance(r, Prefix | Precedence)]
    if not order:
        return tuple(at.tolist())
    return next((p for p in permutations(at.tolist()) if all(_keeps(case, r, p) for r in order)), None)


def _keeps(case: Case, rule: Any, order: tuple[int, ...]) -> bool:
    had = [x for r in case.rules if isinstance(r, Shown) for x in r.of]
    if isinstance(rule, Precedence):
        return precedence.exact(case.pool, rule, np.array(order, np.int64), had)
    if rule.by == "label":
        return prefix.exact(case.pool, rule, np.array(order, np.int64))
    a, b = (case._members("tags", g) for g in "ab")
    at = np.array(order, np.int64)
    t = np.arange(1, len(at) + 1)
    return bool((a[at].cumsum() >= 3 * t // 10).all() and (b[at].cumsum() <= -(-t // 2)).all())


def test_random_combinations_end_in_choices_that_keep_all_of_them() -> None:
    seen: Counter[str] = Counter()

    @settings(WITH, max_examples=60)
    @given(st.integers(0, 2**32 - 1))
    def block(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(6):
            case = drawn(rng)
            can = feasible(case)
            if not can:
                with pytest.raises(InfeasibleError) as refusal:
                    settle(case.pool, case.rules, case.k)
                assert refusal.value.conflict
                assert refusal.value.relaxation
                seen["infeasible"] += 1
                continue
            limits = settle(case.pool, case.rules, case.k)
            seen.update(type(r).__name__ for r in case.rules)
            built = alone(OBJECTIVE.build(case.pool), case.pool)
            for solver in SOLVERS:
                choice = solver(built, limits, case.pool)
                at = np.searchsorted(case.pool.rows, choice.rows)
                assert limits.check(at) == [], (solver, case.rules, case.k)
                if choice.bound is not None:
                    assert choice.bound[1] >= choice.total - 1e-9
            best = Exhaustive()(built, limits, case.pool).total
            lazy = LazyGreedy()(built, limits, case.pool)
            assert lazy.rows.tolist() == Greedy()(built, limits, case.pool).rows.tolist()
            assert lazy.total <= best + 1e-9
            assert lazy.bound is None or lazy.bound[1] >= best - 1e-6
            order = rng.permutation(len(case.pool))
            assert fill(limits, order).tolist() == exact(limits, order).tolist()

    block()
    assert seen["infeasible"] > 20
    for rule in ("Separation", "Laminar", "Prefix", "Precedence", "Quota", "Knapsack", "Include", "Shown"):
        assert seen[rule] >= 20, seen
