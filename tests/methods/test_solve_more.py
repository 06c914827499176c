"""What laws cannot say of the solvers beside greedy: guarantees by enumeration, seeds and exactness."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.contracts import Row
from shortlist.core.covers import RandomCover
from shortlist.core.cuts import Cut
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, ShortlistError, UsageError
from shortlist.core.exchange import without_each
from shortlist.core.limits import bind, bind_rows
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.solve.cost_benefit import CostBenefit
from shortlist.methods.solve.crossing_quotas import CrossingQuotas
from shortlist.methods.solve.double_greedy import DoubleGreedy
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.greedy import Greedy, front
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.local_search import LocalSearch
from shortlist.methods.solve.partial_enumeration import PartialEnumeration
from shortlist.methods.solve.quota_filling import QuotaFilling
from shortlist.methods.solve.random_greedy import RandomGreedy
from shortlist.methods.solve.stochastic_greedy import StochasticGreedy, sample_size
from shortlist.methods.solve.suited_greedy import SuitedGreedy
from shortlist.methods.solve.swap import Swap, settled, worth
from shortlist.methods.solve.threshold_greedy import ThresholdGreedy

SEEDS = st.integers(0, 10_000)


def quotas(rng, n, families=2, lows=False):
    """A size and most (or least) counts of families of three groups each."""
    rows = [Row("size", "size", None, None, -np.inf, float(rng.integers(0, n + 1)))]
    for f in range(families):
        of = rng.integers(0, 3, n)
        for g in range(3):
            at = np.flatnonzero(of == g)
            low, high = (float(min(len(at), 1)), np.inf) if lows else (-np.inf, float(rng.integers(0, 3)))
            rows.append(Row(f"{f}{g}", "quota", at, None, low, high))
    return rows


class Asked:
    """A built objective that counts the rows it is asked about, and its adds."""

    def __init__(self, built):
        self.built, self.rows, self.adds = built, 0, 0

    def __getattr__(self, name):
        return getattr(self.built, name)

    def __len__(self):
        return len(self.built)

    def gains(self, state, at):
        self.rows += len(at)
        return self.built.gains(state, at)

    def add(self, state, at):
        self.adds += 1
        return self.built.add(state, at)


# --- greedy under matroids --------------------------------------------------------------------------------


@given(SEEDS, st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=40)
def test_greedy_is_within_p_plus_one_under_p_matroids(seed, p):
    rng = np.random.default_rng(seed)
    built, pool, limits = (
        RandomCover.drawn(rng, 8, 14),
        Pool(np.arange(8), {}),
        bind_rows(quotas(rng, 8, p), 8),
    )
    best = Exhaustive()(built, limits, pool).total
    for solver in (Greedy(), LazyGreedy(), CrossingQuotas(), Swap()):
        assert (p + 1) * solver(built, limits, pool).total >= best


@given(SEEDS, st.lists(st.integers(0, 2), min_size=1, max_size=9), st.integers(0, 9))
@settings(deadline=None, max_examples=100)
def test_the_front_is_the_sorted_one(seed, gains, closed):
    rng, total = np.random.default_rng(seed), np.array(gains, np.float64)
    shut = rng.random(len(total)) < closed / 9
    left = np.sort(rng.choice(99, len(total), replace=False))

    class Doors:
        def allows(self, held, at):
            return ~shut[np.searchsorted(left, at)]

    before, pick, rival = front(Doors(), None, left, total)
    order = sorted(range(len(total)), key=lambda i: (-total[i], i))
    fit = [i for i in order if not shut[i]]
    assert (pick, rival) == tuple([*fit, -1, -1][:2])
    assert before.tolist() == (order[: order.index(fit[0])] if fit else order)


# --- samples and thresholds -------------------------------------------------------------------------------


def test_a_sample_is_as_large_as_the_paper_says_and_the_seed_is_all_that_matters():
    assert sample_size(1000, 10, 0.1) == int(np.ceil(100 * np.log(10)))
    built, pool = RandomCover(np.random.default_rng(0).random((400, 300)) < 0.05), Pool(np.arange(400), {})
    limits, asked = bind(pool, (), 40), Asked(built)
    one = StochasticGreedy(0.1, seed=1)(asked, limits, pool)
    assert asked.rows <= 40 * sample_size(400, 40, 0.1) + 6 * 400  # and the bound's
    assert one.rows.tolist() == StochasticGreedy(0.1, seed=1)(built, limits, pool).rows.tolist()
    assert one.rows.tolist() != StochasticGreedy(0.1, seed=2)(built, limits, pool).rows.tolist()


def test_a_sample_that_is_all_refused_is_drawn_again():
    built, pool = RandomCover.drawn(np.random.default_rng(3), 60, 50), Pool(np.arange(60), {})
    most = Row("few", "quota", np.arange(3, 60), None, 0.0, 1.0)  # three rows of 60 are free
    limits = bind_rows([Row("size", "size", None, None, 0.0, 4.0), most], 60)
    for seed in range(5):
        choice = StochasticGreedy(0.9, seed=seed)(built, limits, pool)
        assert len(choice) == 4
        assert {0, 1, 2} < set(choice.rows.tolist())


@given(SEEDS, st.sampled_from([0.05, 0.3]))
@settings(deadline=None, max_examples=40)
def test_each_pick_by_threshold_is_near_the_best_of_its_step(seed, eps):
    rng = np.random.default_rng(seed)
    built, pool = RandomCover.drawn(rng, 30, 60), Pool(np.arange(30), {})
    choice = ThresholdGreedy(eps)(built, bind(pool, (), 6), pool)
    state = built.start()
    for at, gain in zip(choice.rows.tolist(), choice.gains, strict=True):
        best = built.gains(state, np.arange(30)).sum(axis=1).max()
        assert gain >= (1 - eps) * best - eps * choice.gains[0] / 30
        state = built.add(state, at)


def test_thresholds_need_submodularity_and_sane_numbers():
    class Not(RandomCover):
        submodular = False

    built, pool = RandomCover.drawn(np.random.default_rng(0), 5, 5), Pool(np.arange(5), {})
    object.__setattr__(built, "submodular", False)
    for solver in (ThresholdGreedy(), RandomGreedy()):
        with pytest.raises(ContractError, match=r"use Greedy\(\)"):
            solver(built, bind(pool, (), 2), pool)
    assert len(SuitedGreedy()(built, bind(pool, (), 2), pool)) == 2
    for make in (
        lambda: StochasticGreedy(0.0),
        lambda: ThresholdGreedy(1.0),
        lambda: PartialEnumeration(4),
        lambda: PartialEnumeration(seeds=0),
        lambda: Swap(0.0),
        lambda: LocalSearch(passes=-1),
    ):
        with pytest.raises(UsageError):
            make()


# --- budgets ----------------------------------------------------------------------------------------------


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_all_seeds_of_three_give_one_less_one_over_e_within_a_budget(seed):
    rng = np.random.default_rng(seed)
    built, pool = RandomCover.drawn(rng, 8, 20), Pool(np.arange(8), {})
    cost = rng.choice([0.0, 1.0, 2.0, 7.0], 8)
    limits = bind_rows([Row("cost", "knapsack", None, cost, 0.0, float(rng.integers(1, 9)))], 8)
    best = Exhaustive()(built, limits, pool).total
    three, one, none = (PartialEnumeration(s)(built, limits, pool).total for s in (3, 1, 0))
    assert three >= (1 - 1 / np.e) * best
    assert three >= one >= none


def test_few_seeds_are_the_best_ones():
    # The one dear row is worth more than all cheap ones; by ratio a cheap one comes first, which ends it.
    covers, pool = np.zeros((12, 50), bool), Pool(np.arange(12), {})
    covers[5] = True
    covers[np.arange(12) != 5, np.arange(11) * 2] = True
    built = RandomCover(covers)
    cost = np.where(np.arange(12) == 5, 10.0, 0.1)
    limits = bind_rows([Row("cost", "knapsack", None, cost, 0.0, 10.0)], 12)
    assert PartialEnumeration(0)(built, limits, pool).total < 12
    for solver in (PartialEnumeration(1, seeds=2), PartialEnumeration(3, seeds=4)):
        assert solver(built, limits, pool).total == 50


# --- swaps ------------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_halves_give_the_state_without_each_row_as_it_is_now(seed, k):
    rng = np.random.default_rng(seed)
    built = Asked(RandomCover.drawn(rng, 12, 20))
    rows, kept = rng.choice(12, k, replace=False).tolist(), [True] * k
    for i, state in without_each(built, built.start(), rows, kept):
        others = [r for j, r in enumerate(rows) if j != i and kept[j]]
        np.testing.assert_array_equal(state, built.built.covers[others].any(axis=0))
        rows[i], kept[i] = int(rng.integers(12)), bool(rng.random() < 0.7)
    assert built.adds <= k * np.ceil(np.log2(max(k, 1)))


@given(SEEDS)
@settings(deadline=None, max_examples=40)
def test_no_swap_that_pays_is_left(seed):
    rng = np.random.default_rng(seed)
    built, pool = RandomCover(rng.random((14, 40)) < 0.2), Pool(np.arange(14), {})
    limits = bind(pool, (), 4)
    choice = Swap(passes=50)(built, limits, pool)
    assert choice.total >= CostBenefit()(built, limits, pool).total
    assert choice.bound[0] == choice.total <= choice.bound[1]
    now = int(built.covers[choice.rows].any(axis=0).sum())
    for out in range(4):
        for at in set(range(14)) - set(choice.rows.tolist()):
            swapped = [*np.delete(choice.rows, out), at]
            assert built.covers[swapped].any(axis=0).sum() <= now + 0.01 / 4 * now
    best = Exhaustive()(built, limits, pool).total
    assert (2 + 0.01) * choice.total >= best


def test_swaps_find_what_greedy_cannot():
    # Greedy takes the row that covers half of each of the others, which together cover all.
    covers = np.zeros((3, 12), bool)
    covers[0, 2:10], covers[1, :6], covers[2, 6:] = True, True, True
    built, pool = RandomCover(covers), Pool(np.arange(3), {})
    limits = bind(pool, (), 2)
    assert Greedy()(built, limits, pool).total == 10
    assert Swap()(built, limits, pool).total == 12
    assert sorted(Swap()(built, limits, pool).rows.tolist()) == [1, 2]
    held = bind_rows([*limits.rows, Row("stays", "include", np.array([0]), None, 1.0, np.inf)], 3)
    assert 0 in Swap()(built, held, pool).rows


def test_where_the_order_counts_swaps_never_lose():
    rng = np.random.default_rng(2)
    pool = Pool.of({"vec": Vectors(rng.normal(size=(30, 3)).astype(np.float32))})
    built, limits = alone(MMR("vec").build(pool)), bind_rows([Row("8", "size", None, None, 8.0, 8.0)], 30)
    greedy = LazyGreedy()(built, limits, pool)
    for solver in (Swap(), LocalSearch(), SuitedGreedy()):
        choice = solver(built, limits, pool)
        assert len(choice) == 8
        assert choice.total >= greedy.total
    order = np.searchsorted(pool.rows, greedy.rows)
    assert worth(built, limits, settled(built, limits, order, 0.01, 4)) >= greedy.total


# --- gains below zero -------------------------------------------------------------------------------------


@given(SEEDS)
@settings(deadline=None, max_examples=8)
def test_directed_cuts_keep_the_promises_for_what_is_not_monotone(seed):
    rng = np.random.default_rng(seed)
    built, pool = Cut.drawn(rng, 8), Pool(np.arange(8), {})
    free, few = bind(pool, (), 8), bind(pool, (), 3)
    best, best_few = (Exhaustive()(built, limits, pool).total for limits in (free, few))
    mean = np.mean([DoubleGreedy(s)(built, free, pool).total for s in range(30)])
    assert mean >= 0.5 * best
    assert DoubleGreedy(draw=False)(built, free, pool).total >= best / 3
    assert np.mean([RandomGreedy(s)(built, few, pool).total for s in range(30)]) >= best_few / np.e
    for limits, top in ((free, best), (few, best_few)):
        assert (4 + 2 * 0.01) * LocalSearch(passes=50)(built, limits, pool).total >= top
        for solver in (DoubleGreedy(), RandomGreedy(), LocalSearch(), SuitedGreedy(), Greedy()):
            choice = solver(built, limits, pool)
            assert (choice.gains.sum(), limits.check(choice.rows)) == (choice.total, [])
            assert top <= choice.bound[1]


def test_local_search_looks_again_at_what_was_left():
    # Greedy takes the middle row, after which nothing gains; its neighbours, which it spoils, are worth more.
    arcs = np.zeros((5, 5))
    arcs[0, 1:] = 3.0
    arcs[1:, 0] = 2.9
    built, pool = Cut(arcs), Pool(np.arange(5), {})
    limits = bind(pool, (), 5)
    assert Exhaustive()(built, limits, pool).total == 12.0
    assert LocalSearch()(built, limits, pool).total == 12.0


def test_the_suited_form_is_the_one_named():
    pool = Pool.of({"vec": Vectors(np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32))})
    limits = bind(pool, (), 6)
    cover = alone(FacilityLocation("vec").build(pool))
    assert (
        SuitedGreedy()(cover, limits, pool).rows.tolist() == LazyGreedy()(cover, limits, pool).rows.tolist()
    )
    cut = Cut.drawn(np.random.default_rng(5), 20)
    both = [s(cut, limits, pool).total for s in (LazyGreedy(), RandomGreedy(3))]
    assert SuitedGreedy(3)(cut, limits, pool).total == max(both)


# --- quotas -----------------------------------------------------------------------------------------------


@given(SEEDS)
@settings(deadline=None, max_examples=40)
def test_least_counts_are_filled_first_scarcest_first_and_within_a_half(seed):
    rng = np.random.default_rng(seed)
    built, pool = RandomCover.drawn(rng, 9, 20), Pool(np.arange(9), {})
    size = Row("5", "size", None, None, -np.inf, 5.0)
    least = [
        Row("a", "quota", np.arange(5), None, 2.0, np.inf),
        Row("b", "quota", np.arange(5, 7), None, 2.0, np.inf),
    ]
    limits = bind_rows([size, *least], 9)
    choice = QuotaFilling()(built, limits, pool)
    assert set(choice.rows[:2].tolist()) == {5, 6}  # two rows for two places come before five
    assert set(choice.rows[2:4].tolist()) <= set(range(5))
    assert 2 * choice.total >= Exhaustive()(built, limits, pool).total


@given(SEEDS)
@settings(deadline=None, max_examples=60)
def test_sums_under_two_families_of_quotas_are_exact(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 9))
    # Rows that cover points of their own: a sum of scores, with ties and zeros.
    built = RandomCover(np.repeat(np.eye(n, dtype=bool), rng.integers(0, 6, n), axis=1))
    rows, pool = quotas(rng, n), Pool(np.arange(n), {})
    for kind, low, high in (("include", 1.0, np.inf), ("exclude", -np.inf, 0.0)):
        if n and rng.random() < 0.4:
            rows.append(Row(kind, kind, rng.integers(0, n, 1), None, low, high))
    try:
        limits = bind_rows(rows, n)
    except ShortlistError:
        return  # nothing meets them
    choice = CrossingQuotas()(built, limits, pool)
    best = Exhaustive()(built, limits, pool)
    assert choice.total == best.total
    assert choice.bound == (best.total, best.total)


def test_other_limits_and_objectives_fall_back_to_swaps():
    rng = np.random.default_rng(4)
    built, pool = RandomCover.drawn(rng, 9, 20), Pool(np.arange(9), {})
    limits = bind_rows(quotas(rng, 9, lows=True)[:1] + quotas(rng, 9)[1:], 9)
    assert CrossingQuotas()(built, limits, pool).rows.tolist() == Swap()(built, limits, pool).rows.tolist()
    scores = RandomCover(np.repeat(np.eye(6, dtype=bool), [9, 8, 7, 3, 2, 1], axis=1))
    pool = Pool(np.arange(6), {})
    cost = np.array([5.0, 5.0, 1.0, 1.0, 1.0, 1.0])
    limits = bind_rows([Row("cost", "knapsack", None, cost, 0.0, 5.0)], 6)
    choice = CrossingQuotas()(scores, limits, pool)
    assert limits.check(choice.rows) == []
    best = max(scores.covers[list(c)].sum() for c in combinations(range(6), 4) if cost[list(c)].sum() <= 5)
    assert choice.total == best
