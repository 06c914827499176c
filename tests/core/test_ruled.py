"""Reserves under rules: fills that ask once, and an order gone through again."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core import fill as filling
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Vectors
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.precedence import Precedence
from shortlist.methods.constrain.prefix import Prefix
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.separation import Separation


def pool(rng: np.random.Generator, n: int = 60) -> Pool:
    return Pool.of(
        {
            "label": Labels(rng.integers(0, 3, n).astype(np.int32), tuple("abc")),
            "series": Labels(rng.integers(0, 9, n).astype(np.int32), tuple("abcdefghi")),
            "part": Scores(rng.integers(0, 5, n).astype(np.float64)),
            "vec": Vectors(rng.normal(size=(n, 3)).astype(np.float32)),
            "cost": Costs(rng.integers(1, 9, n).astype(np.float64)),
        }
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_fill_beside_a_reserve_is_that_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = pool(rng)
    quota = Quota("label", at_least={"a": 3, "b": 2})
    within = [Separation("vec", least=0.1), quota, Knapsack("cost", at_most=40), Include((5,))]
    limits = settle(rows, [Cardinality(12), *within], 12)
    assert limits.ruled is not None
    assert limits.ruled.keeps
    for _ in range(8):
        order = rng.permutation(len(rows))
        taken = filling.fill(limits, order)
        assert taken.tolist() == filling.exact(limits, order).tolist()
        assert limits.check(taken) == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_in_an_order_can_be_completed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = pool(rng)
    rules = [Precedence("series", order="part"), Prefix("label", at_most=0.5)]
    limits = settle(rows, [Cardinality(12), *rules, Quota("label", at_least={"a": 4, "b": 4})], 12)
    state = limits.start()
    for _ in range(12):
        free = np.flatnonzero(limits.allows(state, np.arange(len(rows))))
        if not len(free):
            break
        pick = int(rng.choice(free))
        state = limits.add(state, pick)
        path = limits.ruled._path(state)  # type: ignore[union-attr]
        for x in state.wait:
            path = path.take(x)
            assert path is not None
        assert (path.count >= limits.patterns.low).all()


def test_a_row_that_waits_is_put_off_not_lost() -> None:
    labels = Labels.of(list("aabb"))
    limits = settle(
        Pool.of({"label": labels}),
        [Cardinality(4), Prefix("label", at_most=0.5), Quota("label", at_least={"a": 2, "b": 2})],
        4,
    )
    assert limits.ruled is not None
    path = limits.ruled._path(limits.start())
    # the first two rows may not stand next to each other at the beginning
    assert path.replayed(0, (1, 2, 3), only_needed=True) == (2, 1, 3)
    assert path.replayed(0, (2,), only_needed=False) is None
    with pytest.raises(ContractError, match="ask `allows` first"):
        limits.add(limits.add(limits.start(), 0), 1)
