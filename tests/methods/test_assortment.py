"""Revenue of assortments: its best offer, its order, and what passes along that order reach."""

from itertools import combinations

import numpy as np
import pytest

from shortlist.core.effects import alone
from shortlist.core.errors import ContractError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Scores
from shortlist.methods.objective.assortment_revenue import AssortmentRevenue, exact
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.submodular_order import SubmodularOrder, violations


def drawn(rng, n):
    price = rng.choice([0.0, 1.0, 2.0, *rng.exponential(size=3)], n)
    utility = rng.normal(0, rng.uniform(0, 4), n).round(int(rng.integers(0, 3)))
    return Pool.of({"price": Costs(price), "utility": Scores(utility)})


def test_the_best_offer_is_the_best_of_all_sets():
    rng = np.random.default_rng(0)
    for _ in range(25):
        pool, at = drawn(rng, 9), rng.permutation(9)[: rng.integers(0, 10)]
        f = AssortmentRevenue("price")
        price, weight = pool.columns["price"].values, np.exp(pool.columns["utility"].values)
        assert f.value(pool, at)[0] == pytest.approx(exact(price[at], weight[at]), rel=1e-12)


def test_half_of_the_best_in_a_thousand_draws():
    rng = np.random.default_rng(1)
    shares = np.empty(1000)
    for i in range(1000):
        n = int(rng.integers(1, 16))
        k = int(rng.integers(1, min(n, 4) + 1))
        pool = drawn(rng, n)
        built = alone(AssortmentRevenue("price").build(pool))
        # all sets of k rows at once; f never falls, so smaller ones need not be tried
        every = np.array(list(combinations(np.argsort(-built.price, kind="stable"), k)))
        earned = np.cumsum((built.price * built.weight)[every], axis=1)
        best = (earned / (1 + np.cumsum(built.weight[every], axis=1))).max()
        ours = SubmodularOrder("price", eps=0.3)(built, bind(pool, (), k), pool)
        assert ours.bound is None
        assert ours.total <= best * (1 + 1e-9)
        shares[i] = ours.total / best if best else 1.0
    assert shares.min() >= 0.5
    assert shares.mean() >= 0.9


def test_descending_price_is_an_order_and_ascending_is_none():
    rng = np.random.default_rng(2)
    broken = 0
    for _ in range(8):
        pool = drawn(rng, 10)
        built = alone(AssortmentRevenue("price").build(pool))
        order = SubmodularOrder("price").order(pool)
        assert violations(built, order, 150) == []
        broken += bool(violations(built, order[::-1], 150))
    assert broken >= 4


def test_a_violation_says_what_gains_more_beside_what():
    pool = Pool.of({"price": Costs(np.array([10.0, 1.0])), "utility": Scores(np.array([0.0, 5.0]))})
    built = alone(AssortmentRevenue("price").build(pool))
    assert violations(built, np.array([0, 1])) == []
    assert Greedy()(built, bind(pool, (), 2), pool).total == pytest.approx(
        5.0
    )  # the cheap row is not offered
    with pytest.raises(ContractError, match="utilities must lie"):
        alone(AssortmentRevenue("price").build(pool.with_signal("utility", Scores(np.array([0.0, 999.0])))))


def test_ties_of_the_signal_go_to_the_lowest_row():
    pool = Pool.of({"price": Costs(np.array([1.0, 2.0, 1.0, 2.0])), "utility": Scores(np.zeros(4), False)})
    assert SubmodularOrder("price").order(pool).tolist() == [1, 3, 0, 2]
    assert SubmodularOrder("utility").order(pool).tolist() == [0, 1, 2, 3]
    with pytest.raises(ContractError, match="no signal"):
        SubmodularOrder("margin").order(pool)
