"""Random and top-k: the same limits, the same rule, nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.covers import RandomCover
from shortlist.core.errors import ContractError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.solve.random_draw import Random, draws
from shortlist.methods.solve.top import Top


def pool(n: int = 200) -> Pool:
    """Groups of 8 in turn, costs 1 to 5 in turn, scores with ties."""
    at = np.arange(n)
    return Pool.of(
        {
            "group": Labels((at % 8).astype(np.int32), tuple("abcdefgh")),
            "cost": Costs(at % 5 + 1.0),
            "score": Scores((at % 7).astype(np.float64)),
            "loss": Scores((at % 7).astype(np.float64), higher_is_better=False),
        }
    )


RULES = [
    [],
    [Quota("group", at_most=0.2)],
    [Quota("group", at_least={"a": 10}, at_most={"b": 1})],
    [Quota("group", at_least=2), Knapsack("cost", at_most=60)],
    [Knapsack("cost", at_most=30), Include([4]), Shown([0, 1])],
]


@pytest.mark.parametrize("rules", RULES)
def test_draws_keep_the_limits_and_nothing_more_fits(rules: list) -> None:
    limits = bind(pool(), rules, 20)
    found = draws(limits, 30, 5)
    assert len({tuple(d.tolist()) for d in found}) == 30
    for at in found:
        assert limits.check(at) == []
        assert at[: len(limits.must)].tolist() == limits.must.tolist()
        state = limits.start()
        for x in at.tolist():
            state = limits.add(state, x)
        assert len(at) == 20 or not limits.allows(state, np.arange(200)).any()


def test_a_draw_does_not_depend_on_how_many_there_are() -> None:
    limits = bind(pool(), RULES[1], 20)
    assert [d.tolist() for d in draws(limits, 3, 1)] == [d.tolist() for d in draws(limits, 9, 1)[:3]]
    assert draws(limits, 1, 1)[0].tolist() != draws(limits, 1, 2)[0].tolist()
    assert Random(seed=1)(None, limits, pool()).rows.tolist() == draws(limits, 1, 1)[0].tolist()
    assert draws(limits, 0, 1) == []


def test_every_pair_is_drawn_alike() -> None:
    limits = bind(Pool(np.arange(5), {}), [], 2)
    pairs = [frozenset(d.tolist()) for d in draws(limits, 4000, 0)]
    share = np.array([pairs.count(frozenset((i, j))) for i in range(5) for j in range(i)]) / 4000
    assert len(share) == 10
    assert np.abs(share - 0.1).max() < 5 * np.sqrt(0.09 / 4000)


def test_random_says_what_an_objective_gained() -> None:
    rng = np.random.default_rng(0)
    built, small = RandomCover.drawn(rng, 12, 30), Pool(np.arange(100, 112), {})
    limits = bind(small, [Shown([100])], 4)
    choice = Random(seed=3)(built, limits, small)
    at = choice.rows - 100
    new = built.covers[[0, *at]].any(axis=0).sum() - built.covers[0].sum()
    assert choice.total == pytest.approx(new)
    assert choice.terms == built.terms
    alone = Random(seed=3)(None, limits, small)
    assert alone.rows.tolist() == choice.rows.tolist()
    assert (alone.terms, alone.total, alone.parts.shape) == ((), 0.0, (4, 0))


def test_top_is_the_order_of_the_score_with_ties_by_position() -> None:
    limits = bind(pool(), [], 30)
    top = Top("score")(None, limits, pool()).rows
    assert top.tolist() == [*range(6, 200, 7), 5, 12][:30]
    assert Top("loss")(None, limits, pool()).rows.tolist() == [*range(0, 200, 7), 1][:30]


def test_top_passes_over_what_does_not_fit() -> None:
    small = Pool.of(
        {"score": Scores(np.array([5.0, 4.0, 3.0, 2.0])), "cost": Costs(np.array([3.0, 3.0, 2.0, 1.0]))}
    )
    assert Top()(None, bind(small, [Knapsack("cost", at_most=4)]), small).rows.tolist() == [0, 3]
    with pytest.raises(ContractError, match="no signal 'reward'"):
        Top("reward")(None, bind(small, []), small)


def test_top_meets_least_counts() -> None:
    limits = bind(pool(), [Quota("group", at_least={"a": 12})], 20)
    rows = Top()(None, limits, pool()).rows
    assert (rows % 8 == 0).sum() == 12
    assert len(rows) == 20
    assert limits.check(rows) == []
