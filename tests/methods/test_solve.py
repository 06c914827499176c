"""Greedy is its definition, LazyGreedy is Greedy, Exhaustive is every subset, and bounds bound."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, InfeasibleError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Vectors
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy


@dataclass
class Groups:
    """A double for limits: at most k rows, at most so many a group, at least `least` rows."""

    k: int
    group: np.ndarray
    cap: dict
    must: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    shown: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    least: int = 0
    names: tuple = ("size", "group")
    rows: tuple = ()

    def start(self):
        return ()

    def allows(self, state, at):
        full = [g for g, c in self.cap.items() if sum(self.group[i] == g for i in state) >= c]
        return ~np.isin(self.group[at], full) & ~np.isin(at, [*state, *self.shown])

    def add(self, state, at):
        return (*state, at)

    def refuses(self, state, at):
        return -1 if self.allows(state, np.array([at]))[0] else 1

    def check(self, at):
        over = [f"group {g}" for g, c in self.cap.items() if (self.group[at] == g).sum() > c]
        missing = [f"row {m}" for m in self.must if m not in at]
        size = ["size"] if not self.least <= len(at) <= self.k else []
        return over + missing + size + [f"shown {s}" for s in self.shown if s in at]

    def upper(self, gains, state):
        return float(np.sort(gains)[::-1][: self.k].sum())


@st.composite
def cases(draw, largest=12):
    n = draw(st.integers(1, largest))
    coordinate = st.sampled_from([-1.0, 0.0, 0.5, 1.0])
    x = np.array([[draw(coordinate) for _ in range(3)] for _ in range(n)], np.float32)
    scores = np.array([draw(st.sampled_from([0.0, 1.0, 2.0])) for _ in range(n)])
    pool = Pool(
        np.arange(n) * 3 + 5,
        {"vec": Vectors(x), "score": Scores(scores)},
    )
    group = np.array([draw(st.integers(0, 2)) for _ in range(n)])
    cap = draw(st.dictionaries(st.integers(0, 2), st.integers(0, 3), max_size=2))
    ids = draw(st.permutations(range(n)))
    shown = np.array(sorted(ids[: draw(st.integers(0, 1))]), np.int64)
    must = [i for i in ids[len(shown) :][: draw(st.integers(0, 2))] if cap.get(group[i], 9) >= 2]
    k = draw(st.integers(len(must), n + 2))
    limits = Groups(k, group, cap, np.array(sorted(must), np.int64), shown)
    limits.k = min(k, n - len(shown))
    limits.must = limits.must[: limits.k]
    return pool, limits


OBJECTIVES = [
    FacilityLocation("vec"),
    FacilityLocation("vec", neighbors=2),
    Modular("score"),
    Sum((FacilityLocation("vec", neighbors=3), Modular("score")), weights=(1.0, 0.1)),
    Sum((Modular("score"), MMR("vec")), weights=(0.5, 1.0)),
]


def same(a, b):
    assert a.rows.tolist() == b.rows.tolist()
    assert a.parts.tobytes() == b.parts.tobytes()
    assert a.bound == b.bound
    for name in ("runner_up", "runner_up_gain", "refused", "refused_step", "refused_by"):
        np.testing.assert_array_equal(getattr(a.trace, name), getattr(b.trace, name))


@given(cases(), st.sampled_from(OBJECTIVES))
@settings(deadline=None, max_examples=300)
def test_lazy_is_greedy_in_everything(case, objective):
    pool, limits = case
    built = alone(objective.build(pool))
    same(Greedy()(built, limits, pool), LazyGreedy()(built, limits, pool))


@given(cases(), st.sampled_from(OBJECTIVES))
@settings(deadline=None, max_examples=150)
def test_greedy_is_its_definition(case, objective):
    pool, limits = case
    built = alone(objective.build(pool))
    choice = Greedy()(built, limits, pool)
    state = built.start()
    for i in limits.shown:
        state = built.add(state, int(i))
    chosen, held, refused = [], limits.start(), []
    for step in range(limits.k):
        left = [i for i in range(len(pool)) if i not in chosen + refused and i not in limits.shown]
        gains = {i: built.gains(state, np.array([i]))[0].sum() for i in left}
        order = sorted(left, key=lambda i: (-gains[i], i))
        if step < len(limits.must):
            order = [int(limits.must[step])]
        fit = [i for i in order if limits.allows(held, np.array([i]))[0]]
        refused += order[: order.index(fit[0])] if fit else order
        if not fit or (step >= len(limits.must) and gains[fit[0]] < 0 and not built.monotone):
            break
        if step >= len(limits.must):
            want = pool.rows[fit[1]] if len(fit) > 1 else -1
            assert choice.trace.runner_up[step] == want
        assert choice.gains[step] == gains[fit[0]]
        chosen.append(fit[0])
        state, held = built.add(state, fit[0]), limits.add(held, fit[0])
    assert choice.rows.tolist() == pool.rows[chosen].tolist()
    assert choice.trace.refused.tolist() == pool.rows[refused].tolist()


@given(cases(largest=6), st.sampled_from(OBJECTIVES))
@settings(deadline=None, max_examples=100)
def test_exhaustive_is_the_best_and_bounds_hold(case, objective):
    pool, limits = case
    built = alone(objective.build(pool))
    best = Exhaustive()(built, limits, pool)
    at = np.searchsorted(pool.rows, best.rows)
    assert limits.check(at) == []
    assert (np.diff(at) > 0).all()
    assert best.bound == (best.total, best.total)
    greedy = Greedy()(built, limits, pool)
    if not len(limits.must):
        # What must be taken need not gain anything, so only then is more never worse.
        assert greedy.total <= best.total + 1e-9
    assert greedy.bound is not None
    assert best.total <= greedy.bound[1] + 1e-9
    if built.monotone and not limits.cap and not len(limits.must):
        assert greedy.total >= (1 - 1 / np.e) * best.total - 1e-9


def clustered(n, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 8))[rng.integers(0, 40, n)] + 0.4 * rng.normal(size=(n, 8))
    if ties:
        x = x[rng.integers(0, n // 4, n)]
    score = rng.integers(0, 5, n).astype(np.float64)
    return Pool.of({"vec": Vectors(x.astype(np.float32)), "score": Scores(score)})


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("objective", OBJECTIVES[1:], ids=str)
def test_lazy_is_greedy_where_the_front_must_be_filled_again(objective, ties):
    pool = clustered(2600, ties=ties)
    group = np.random.default_rng(1).integers(0, 3, 2600)
    limits = Groups(90, group, {0: 11, 1: 30})
    built = alone(objective.build(pool))
    same(Greedy()(built, limits, pool), LazyGreedy()(built, limits, pool))


def test_everything_refused_at_the_end_is_named_once():
    pool = clustered(2000)
    limits = Groups(50, np.zeros(2000, int), {0: 5})
    built = alone(FacilityLocation(neighbors=40).build(pool))
    a, b = (s(built, limits, pool) for s in (Greedy(), LazyGreedy()))
    same(a, b)
    assert len(a) == 5
    assert sorted(a.trace.refused.tolist() + a.rows.tolist()) == list(range(2000))


def test_lazy_asks_for_few_gains():
    pool, asked = clustered(4000), []

    class Counting:
        def __init__(self, built):
            self.built = built

        def __getattr__(self, name):
            return getattr(self.built, name)

        def __len__(self):
            return len(self.built)

        def gains(self, state, at):
            asked.append(len(at) if len(at) < 4000 else 0)  # bounds ask about everyone at once
            return self.built.gains(state, at)

    built = Counting(alone(FacilityLocation(neighbors=200).build(pool)))
    LazyGreedy()(built, Groups(100, np.zeros(4000, int), {}), pool)
    assert sum(asked) < 0.2 * 4000 * 100


@dataclass
class Supermodular:
    """f(S) = |S|^2: the more the more."""

    n: int
    terms: tuple = ("square",)
    submodular: bool = False
    monotone: bool = True
    exact: bool = True

    def __len__(self):
        return self.n

    def start(self):
        return 0

    def gains(self, state, at):
        return np.full((len(at), 1), 2.0 * state + 1)

    def add(self, state, at):
        return state + 1


def test_what_is_not_submodular_needs_greedy_and_has_no_bound():
    pool, limits = clustered(10), Groups(3, np.zeros(10, int), {})
    with pytest.raises(ContractError, match=r"use Greedy\(\)"):
        LazyGreedy()(Supermodular(10), limits, pool)
    choice = Greedy()(Supermodular(10), limits, pool)
    assert choice.total == 9
    assert choice.bound is None


def test_harm_is_done_only_for_a_minimum():
    pool = Pool.of({"vec": Vectors(np.ones((6, 2), np.float32))})
    built = alone(MMR("vec").build(pool))
    for solver in (Greedy(), LazyGreedy()):
        assert len(solver(built, Groups(4, np.zeros(6, int), {}), pool)) == 1
        needed = solver(built, Groups(4, np.zeros(6, int), {}, least=3), pool)
        assert len(needed) == 3
        assert needed.gains.tolist() == pytest.approx([0, -1, -1])


def test_refusing_what_must_be_taken_is_a_broken_contract():
    pool = clustered(10)
    limits = Groups(3, np.zeros(10, int), {0: 0}, must=np.array([4]))
    for solver in (Greedy(), LazyGreedy()):
        with pytest.raises(ContractError, match="row 4 must be taken but group refuses it"):
            solver(alone(Modular("score").build(pool)), limits, pool)


def test_exhaustive_refuses_big_pools_and_says_when_nothing_fits():
    pool = clustered(40)
    built = alone(Modular("score").build(pool))
    with pytest.raises(UsageError, match="choices"):
        Exhaustive()(built, Groups(20, np.zeros(40, int), {}), pool)
    with pytest.raises(InfeasibleError):
        Exhaustive()(built, Groups(2, np.zeros(40, int), {}, least=3), pool)


def test_empty_pool_and_k_zero():
    pool = clustered(8)
    empty = pool.take(np.zeros(0, np.int64))
    for solver in (Greedy(), LazyGreedy(), Exhaustive()):
        nothing = solver(alone(FacilityLocation().build(empty)), Groups(0, np.zeros(0, int), {}), empty)
        zero = solver(alone(FacilityLocation().build(pool)), Groups(0, np.zeros(8, int), {}), pool)
        for choice in (nothing, zero):
            assert len(choice) == 0
            assert choice.parts.shape == (0, 1)
            assert choice.bound is not None
            assert choice.bound[0] == 0
