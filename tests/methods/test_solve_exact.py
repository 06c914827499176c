"""Branch and bound and cutting planes against every choice, under every kind of limit, and cut short."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.climb import climb
from shortlist.core.covers import RandomCover
from shortlist.core.effects import alone
from shortlist.core.errors import InfeasibleError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.branch_and_bound import BranchAndBound
from shortlist.methods.solve.cutting_planes import CuttingPlanes
from shortlist.methods.solve.exhaustive import Exhaustive
from tests.strategies import crowd

SOLVERS = (BranchAndBound(), CuttingPlanes())
OBJECTIVES = (
    FacilityLocation("vec"),
    LogDet("vec"),
    Modular("score"),
    Sum((FacilityLocation("vec"), Modular("quality")), weights=(1.0, 0.2)),
    Sum((Modular("quality"), MMR("vec")), weights=(1.0, 0.7)),
)
RULES = (
    Quota("label", at_least={"a": 1, "b": 1}, at_most={"c": 1}),
    Quota("tags", at_least={"a": 2, "b": 1}),  # groups that overlap: the order of picks may be refused
    Quota("tags", at_most=2),
    Knapsack("cost", at_most=14),
    Include((3,)),
    Shown((6, 9)),
)


class Apart:
    """Limits with a rule that is no inequality: rows of one pair are never together, whatever the order."""

    def __init__(self, whole, pairs):
        self.whole, self.pairs, self.names = whole, pairs, (*whole.names, "apart")
        self.rows, self.k, self.must, self.shown = whole.rows, whole.k, whole.must, whole.shown

    def start(self):
        return self.whole.start(), frozenset()

    def allows(self, state, at):
        met = [not any({x, y} in self.pairs for y in state[1]) for x in at.tolist()]
        return self.whole.allows(state[0], at) & np.array(met, bool)

    def add(self, state, at):
        return self.whole.add(state[0], at), state[1] | {at}

    def refuses(self, state, at):
        if any({at, y} in self.pairs for y in state[1]):
            return len(self.whole.names)
        return self.whole.refuses(state[0], at)

    def check(self, at):
        return self.whole.check(at) + [f"apart {p}" for p in self.pairs if p <= set(at.tolist())]

    def upper(self, gains, state):
        return self.whole.upper(gains, state[0])


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: type(s).__name__)
@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.integers(8, 60),
    st.integers(0, 4),
    st.sampled_from(OBJECTIVES),
    st.lists(st.sampled_from(RULES), max_size=2, unique_by=id),
)
def test_the_best_of_all_choices(solver, n, k, objective, rules):
    pool = crowd(n).take(np.arange(8))
    try:
        limits = settle(pool, tuple(r for r in rules if not isinstance(r, Include | Shown) or k), k)
    except InfeasibleError:
        return
    built = alone(objective.build(pool), pool)
    best, ours = (s(built, limits, pool) for s in (Exhaustive(), solver))
    assert ours.total == pytest.approx(best.total, rel=2e-6, abs=1e-9)
    assert limits.check(np.searchsorted(pool.rows, ours.rows)) == []
    assert best.total - 1e-9 <= ours.bound[1] <= ours.total + 1e-5 * max(1.0, ours.total)


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: type(s).__name__)
@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    st.integers(8, 60),
    st.integers(1, 5),
    st.sets(st.sets(st.integers(0, 7), min_size=2, max_size=2).map(frozenset), max_size=14),
)
def test_rules_that_are_no_inequality(solver, seed, k, pairs):
    pool = crowd(seed).take(np.arange(8))
    limits = Apart(bind(pool, (), k), pairs)
    built = alone(FacilityLocation("vec").build(pool), pool)
    best, ours = (s(built, limits, pool) for s in (Exhaustive(), solver))
    assert ours.total == pytest.approx(best.total, rel=2e-6)
    assert limits.check(np.searchsorted(pool.rows, ours.rows)) == []


@pytest.mark.parametrize(
    "solver",
    [
        BranchAndBound(nodes=1),
        BranchAndBound(nodes=5),
        CuttingPlanes(planes=1),
        CuttingPlanes(planes=9, nodes=1),
    ],
)
def test_cut_short_they_still_bound(solver):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        built, pool = RandomCover.drawn(rng, 12, 60), Pool(np.arange(12), {})
        limits = bind(pool, (), 4)
        best, ours = (s(built, limits, pool) for s in (Exhaustive(), solver))
        greedy = int(built.covers[climb(built, 4)].any(axis=0).sum())
        assert greedy <= ours.total <= best.total <= ours.bound[1] + 1e-9


def test_far_more_choices_than_can_be_tried():
    rng = np.random.default_rng(1)
    pool = Pool.of({"score": Scores(rng.random(3000))})
    built, limits = alone(Modular("score").build(pool), pool), bind(pool, (), 40)
    best = np.sort(built.worth)[-40:].sum()
    for solver in SOLVERS:
        choice = solver(built, limits, pool)
        assert choice.total == pytest.approx(best)
        assert choice.bound[1] == pytest.approx(best, rel=1e-5)


def test_greedy_is_beaten_where_it_can_be():
    # two rows that cover all, and a third that greedy takes first
    covers = np.zeros((3, 12), bool)
    covers[0, :6] = covers[1, 6:] = covers[2, 2:10] = True
    pool = Pool(np.arange(3), {})
    for solver in SOLVERS:
        assert sorted(solver(RandomCover(covers), bind(pool, (), 2), pool).rows.tolist()) == [0, 1]
