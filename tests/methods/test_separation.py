"""Distances of every kind by the definition, and what is said where rules cannot hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shortlist.core import fill as filling
from shortlist.core.apart import Apart
from shortlist.core.errors import ContractError, InfeasibleError, UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind, report
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Neighbors, Scores, Vectors
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.laminar import Laminar
from shortlist.methods.constrain.precedence import Precedence
from shortlist.methods.constrain.prefix import Prefix
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.separation import Separation, exact
from tests.strategies import crowd

RULES = (
    Separation("vec", least=0.3),
    Separation("vec", least=4.0, euclid=True),
    Separation("score", least=2.0),
    Separation("tokens", least=1.0),
    Separation("graph", least=0.6),
    Separation("graph", least=1.5),
)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_pairs_shut_out_are_those_of_the_definition(rule: Separation) -> None:
    pool = crowd(90)
    limits = bind(pool, [rule], 90)
    bound = limits.rules[0]
    assert isinstance(bound, Apart)
    near = [[j for j in range(90) if j != i and not exact(pool, rule, np.array([i, j]))] for i in range(90)]
    assert sum(map(len, near)) > 0
    for how in (bound, replace(bound, pairs=None)):
        assert [how.shuts(i).tolist() for i in range(90)] == near
    part = np.arange(0, 90, 4)
    taken = bound.take(part, 9)
    assert [part[taken.shuts(i)].tolist() for i in range(len(part))] == [
        [j for j in near[i] if j % 4 == 0] for i in part.tolist()
    ]
    order = np.random.default_rng(0).permutation(90)
    assert exact(pool, rule, fill(limits, order))
    assert fill(limits, order).tolist() == filling.exact(limits, order).tolist()
    lazy = bind(pool, [rule], 90)
    object.__setattr__(lazy.ruled, "rules", (replace(bound, pairs=None),))
    assert fill(lazy, order).tolist() == fill(limits, order).tolist()


def test_included_rows_too_near_are_named_with_the_distance_that_would_do() -> None:
    pool = Pool.of({"day": Scores(np.array([0.0, 1.0, 5.0, 9.0]))})
    with pytest.raises(InfeasibleError) as e:
        settle(pool, [Include([0, 1, 3]), Separation("day", least=2.0)], 4, call=lambda i: f"id{i}")
    assert e.value.conflict == ("include=id0", "include=id1", "apart by day>=2")
    assert e.value.relaxation == ("apart by day>=2 -> apart by day>=1",)


def test_least_counts_and_distances_that_cannot_hold_together() -> None:
    """Five rows of a group within a day of each other: one of them can be taken."""
    label = Labels.of(["a"] * 5 + ["b"] * 5)
    pool = Pool.of({"label": label, "day": Scores(np.append(np.arange(5) / 5, 10.0 + np.arange(5)))})
    with pytest.raises(InfeasibleError) as e:
        settle(pool, [Quota("label", at_least={"a": 2, "b": 2}), Separation("day", least=1.0)], 6)
    assert e.value.conflict == ("label:a>=2", "apart by day>=1")
    assert e.value.relaxation == ("apart by day>=1 -> apart by day>=0.8",)


def test_a_row_of_the_reserve_too_near_to_a_pick_is_replaced() -> None:
    """Row 2 is the cheapest of b and stands in reserve; row 0 is near to it, row 3 can serve as well."""
    pool = Pool.of(
        {
            "label": Labels.of(["a", "a", "b", "b"]),
            "day": Scores(np.array([0.0, 9.0, 0.5, 20.0])),
            "cost": Costs(np.array([1.0, 1.0, 1.0, 2.0])),
        }
    )
    limits = settle(pool, [Quota("label", at_least={"b": 1}), Separation("day", least=1.0)], 2)
    state = limits.add(limits.start(), 0)
    assert limits.allows(state, np.arange(4)).tolist() == [False, False, False, True]
    assert limits.names[limits.refuses(state, 2)] == "apart by day>=1"
    assert limits.names[limits.refuses(state, 1)] == "label:b>=1"


def test_lines_of_the_report() -> None:
    pool = Pool.of({"day": Scores(np.array([0.0, 3.0, 9.0])), "label": Labels.of(["a", "b", "a"])})
    rules = [Separation("day", least=2.0), Prefix("label", at_most=0.5), Precedence("label", order="day")]
    lines = {line["text"]: line for line in report(bind(pool, rules, 3), np.array([0, 1, 2]))}
    assert lines["apart by day>=2"]["value"] == 3
    assert lines["apart by day>=2"]["slack"] == 1
    assert lines["every prefix label<=50%"]["slack"] == 0
    assert lines["label in order of day"]["value"] == 3


def test_groups_that_cross_are_named_with_how_many_rows_show_it() -> None:
    pool = Pool.of({"x": Labels.of(["a", "a", "b"]), "y": Labels.of(["p", "q", "q"])})
    rule = Laminar(("x", "y"), at_most={"x": 1, "y": {"q": 1}})
    with pytest.raises(UsageError, match=r"y:q<=1 and x:a<=1 cross: 1 rows are in both, 1 only .* 1 only"):
        rule.rows(pool, 3)
    assert len(Laminar(("x", "y"), at_most={"x": {"a": 1}, "y": {"p": 1}}).rows(pool, 3)) == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Separation("vec", least=0), "above 0"),
        (lambda: Separation("vec", least=True), "must be a number"),
        (lambda: Separation("vec", least=1, euclid=2), "True or False"),
        (lambda: Prefix("label", at_most=3), "must be shares"),
        (lambda: Prefix("label"), "bounds nothing"),
        (lambda: Precedence("label", order=3), "must name a signal"),
        (lambda: Laminar((), at_most={}), "different signals"),
        (lambda: Laminar(("a",)), "bounds nothing"),
        (lambda: Laminar(("a",), at_most={"b": 1}), "must map levels"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


def test_signals_of_the_wrong_kind_are_named() -> None:
    pool = Pool.of({"label": Labels.of(["a"]), "vec": Vectors(np.ones((1, 2), np.float32))})
    for rule in (Separation("label", least=1), Separation("none", least=1), Precedence("label", order="vec")):
        with pytest.raises(ContractError):
            bind(pool, [rule], 1)
    graph = Neighbors(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    with pytest.raises(ContractError, match="needs vectors"):
        bind(Pool.of({"g": graph}), [Separation("g", least=1, euclid=True)], 1)


def test_solvers_that_ask_once_do_not_pass_for_such_that_ask_again() -> None:
    """A choice whose order breaks a rule of order is no choice of `Steps`."""
    from shortlist.core.covers import RandomCover
    from shortlist.core.steps import Step, Steps

    rng = np.random.default_rng(0)
    built, n = RandomCover.drawn(rng, 4, 9), 4
    pool = Pool.of({"label": Labels.of(["a"] * n), "part": Scores(np.arange(n, dtype=float))})
    limits = settle(pool, [Precedence("label", order="part"), Quota("label", at_least={"a": 2})], 3)
    steps = Steps.begin(built, limits)
    assert steps.now(np.arange(n)).tolist() == [0]
    steps.take(Step(0, built.gains(steps.state, np.array([0]))[0]))
    with pytest.raises(ContractError, match="ask again"):
        steps.choice(pool)
