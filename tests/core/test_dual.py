"""Prices bound what any choice gains: whatever the prices, under any limits, and closely where it matters."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.contracts import Priced, Summed
from shortlist.core.dual import has_prices, priced
from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Tags, Vectors
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.group_coverage import GroupCoverage
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.cost_benefit import CostBenefit
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.lazy_greedy import LazyGreedy

FORMS = [
    FacilityLocation("vec"),
    FacilityLocation("vec", neighbors=3),
    FacilityLocation("vec", neighbors=3, represent=5),
]


def small(seed, n=9):
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 0.0, 0.5, 1.0], (n, 3)).astype(np.float32)
    return Pool.of(
        {
            "vec": Vectors(x),
            "score": Scores(rng.choice([0.0, 1.0, 2.0], n)),
            "label": Labels(rng.integers(0, 2, n).astype(np.int32), ("a", "b")),
            "tags": Tags.of([[t for t in "xyz" if rng.random() < 0.4] for _ in range(n)]),
            "cost": Costs(rng.choice([0.0, 0.5, 1.0, 3.0], n)),
        }
    )


def worth(built, at, state=None):
    state, total = built.start() if state is None else state, 0.0
    for i in at:
        total += float(built.gains(state, np.array([i])).sum())
        state = built.add(state, int(i))
    return total


@given(st.integers(0, 10_000), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=40)
def test_any_prices_bound_every_set(seed, form):
    pool, rng = small(seed), np.random.default_rng(seed)
    built = alone(form.build(pool))
    assert isinstance(built, Priced)
    low = built.covered(np.zeros(0, np.int64))[0]
    state, price = built.at_prices((low + rng.choice([0, 0.1, 0.5, 2], len(low))).astype(np.float32))
    sure = float(((price.astype(np.float64) - low) * built.weight).sum())
    for at in (*combinations(range(9), 1), *combinations(range(9), 3)):
        over = built.gains(state, np.array(at)).sum()
        assert worth(built, at) <= sure + over + 1e-6


@given(st.integers(0, 10_000), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=40)
def test_prices_of_what_is_covered_are_the_state(seed, form):
    pool, rng = small(seed), np.random.default_rng(seed)
    built = alone(form.build(pool))
    at = rng.permutation(9)[: rng.integers(0, 9)]
    best, second, whose = built.covered(at)
    low = built.covered(at[:0])[0]
    assert ((best - low).astype(np.float64) * built.weight).sum() == pytest.approx(worth(built, at), abs=1e-6)
    state, held = built.at_prices(best)
    np.testing.assert_array_equal(held, best)
    reached = built.start()
    for i in at:
        reached = built.add(reached, int(i))
    every = np.arange(9)
    np.testing.assert_allclose(built.gains(state, every), built.gains(reached, every), atol=1e-7)
    # without its owner, t is left with the second best
    for i in range(len(at)):
        rest = built.covered(np.delete(at, i))[0]
        np.testing.assert_array_equal(rest, np.where(whose == i, second, best))
    nudged = (low + rng.choice([0, 0.2, 0.5], len(low))).astype(np.float32)
    count = sum(built.covered(np.array([i]))[0] > nudged for i in at) if len(at) else np.zeros(len(low))
    np.testing.assert_array_equal(built.passing(nudged, at), count)


@given(st.integers(0, 10_000), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=40)
def test_no_choice_passes_the_bound_of_a_sum(seed, k, quota, budget, shown):
    pool = small(seed)
    rules = [Quota("label", at_most=2)] * quota + [Knapsack("cost", at_most=3.0)] * budget
    rules += [Shown((0, 4))] * shown
    limits = settle(pool, rules, k)
    parts = (FORMS[seed % 3], Modular("score"), GroupCoverage("tags"))
    more = (Sum((parts[0], MMR("vec"))), Sum((Sum(parts[:2]), parts[2]), weights=(0.5, 2.0)))
    for objective in (parts[0], Sum(parts, weights=(3.0, 0.1, 0.4)), more[seed % 2]):
        built = alone(objective.build(pool))
        assert has_prices(built)
        assert isinstance(built, Summed) == isinstance(objective, Sum)
        best = Exhaustive()(built, limits, pool).total
        for solver in (LazyGreedy(), CostBenefit()):
            choice = solver(built, limits, pool)
            assert choice.bound is not None
            assert max(best, choice.total) <= choice.bound[1] + 1e-6


def test_what_has_no_prices_has_no_bound_by_them():
    pool = small(1)
    built = alone(Sum((Modular("score"), GroupCoverage("tags"))).build(pool))
    assert not has_prices(built)
    start = built.start()
    limits = bind(pool, (), 2)
    assert priced(built, limits, start, start, np.array([0]), np.ones((1, 2))) == np.inf


@pytest.mark.parametrize("neighbors", [0, 60])
@pytest.mark.parametrize("budget", [False, True])
def test_the_bound_is_close_on_clusters(neighbors, budget):
    rng = np.random.default_rng(5)
    n, k = 600, 40
    centre = rng.normal(size=(25, 12))[rng.zipf(1.5, n) % 25]
    x = (centre + 0.6 * rng.normal(size=(n, 12))).astype(np.float32)
    pool = Pool.of({"vec": Vectors(x), "cost": Costs(rng.integers(1, 9, n).astype(float))})
    rules = [Knapsack("cost", at_most=100.0)] if budget else []
    built, limits = alone(FacilityLocation("vec", neighbors=neighbors).build(pool)), settle(pool, rules, k)
    choice = CostBenefit()(built, limits, pool)
    low, high = choice.bound
    state = built.start()
    for at in choice.rows:
        state = built.add(state, int(at))
    plain = low + limits.upper(built.gains(state, np.arange(n)).sum(axis=1), limits.start())
    assert 1 - low / high < 0.05
    assert high - low < 0.4 * (plain - low)  # measured: 0.1 to 0.3 of the bound of the last state
