"""Exact feasibility against all sets of rows, and messages whose advice can be followed to the letter."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.account import highest, values
from shortlist.core.contracts import Row
from shortlist.core.errors import ContractError, InfeasibleError
from shortlist.core.fill import fill
from shortlist.core.limits import NoWitness, all_rows, bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Tags
from shortlist.methods.constrain import exact
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.feasible import changes, conflict, feasible, relaxed, settle, together
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack, budget_from_text
from shortlist.methods.constrain.quota import Quota, quota_from_text
from shortlist.methods.constrain.shown import Shown
from tests.laws.small_limits import SETS, drawn

WITH = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def held(rows: list[Row], n: int) -> np.ndarray:
    """The sets of rows, bool[m, n], that keep these inequalities."""
    sets = SETS[n]
    fine = np.ones(len(sets), bool)
    for r in rows:
        value = _sums(r, sets)
        fine &= (value >= r.low) & (value <= highest(r))
    return sets[fine]


def _sums(row: Row, sets: np.ndarray) -> np.ndarray:
    weight = np.zeros(sets.shape[1])
    weight[slice(None) if row.at is None else row.at] = 1.0 if row.weight is None else row.weight
    return sets @ weight


@settings(WITH)
@given(st.integers(0, 2**32 - 1))
def test_a_witness_or_an_irreducible_conflict_and_the_least_relaxation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(8):
        case = drawn(rng, 7)
        n, rows = len(case.pool), all_rows(case.pool, case.rules, case.k)
        if len(held(rows, n)):
            at = feasible(rows, n)
            assert (held(rows, n) == np.isin(np.arange(n), at)).all(axis=1).any()
            assert conflict(rows, n) == []
            continue
        with pytest.raises(InfeasibleError) as e:
            feasible(rows, n)
        _irreducible(rows, n, e.value.conflict)
        _least(rows, n)


def _irreducible(rows: list[Row], n: int, texts: tuple[str, ...]) -> None:
    clash = [_parts(rows, t) for t in texts]
    assert not len(held([r for part in clash for r in part], n))
    for i in range(len(clash)):
        assert len(held([r for part in clash[:i] + clash[i + 1 :] for r in part], n))


def _parts(rows: list[Row], text: str) -> list[Row]:
    """The inequalities that a text of a conflict names; lists of rows are split there."""
    whole = [r for r in rows if text in (r.rule, r.text) and (r.rule or r.text) == text]
    if whole:
        return whole[:1] if not whole[0].rule else whole
    kind, _, row = text.partition("=")
    source = next(r for r in rows if r.kind == kind)
    low, high = (1.0, np.inf) if kind == "include" else (-np.inf, 0.0)
    return [replace(source, at=np.array([int(row)]), low=low, high=high)]


def _least(rows: list[Row], n: int) -> None:
    at = relaxed(rows, n)
    loose = [
        replace(r, low=min(r.low, v), high=max(r.high, v))
        for r, v in zip(rows, values(rows, at, n), strict=True)
    ]
    assert len(held(loose, n))
    # by the definition: the least sum, over rules, of the largest relative breach of one of its bounds
    total = np.zeros(len(SETS[n]))
    for rule in together(rows):
        worst = np.zeros(len(total))
        for r in (rows[i] for i in rule):
            value, lists = _sums(r, SETS[n]), r.kind in ("include", "exclude")
            unit = max(1.0, 0 if r.weight is None else r.weight.max(initial=0.0))
            bound = r.low if r.low > 0 else r.high if r.high > 0 else unit
            over = np.maximum(0, np.maximum(r.low - value, value - r.high))
            worst = np.maximum(worst, over if lists else over / bound)
        total += np.where(worst > 1e-8, np.inf, 0) if rows[rule[0]].kind == "shown" else worst
    ours = total[(SETS[n] == np.isin(np.arange(n), at)).all(axis=1)][0]
    assert ours <= total.min() * (1 + exact.GAP) + 1e-6


def pool() -> Pool:
    """100 rows: 12 de, 30 fr, 58 en; sources a and b in turn; token costs 1 to 10."""
    lang = ["de"] * 12 + ["fr"] * 30 + ["en"] * 58
    return Pool.of(
        {
            "lang": Labels.of(lang),
            "source": Labels.of(["a" if i % 2 else "b" for i in range(100)]),
            "tokens": Costs(np.arange(100) % 10 + 1.0),
        }
    )


@pytest.mark.parametrize(
    ("rules", "clash", "advice"),
    [
        (
            [Quota("lang", at_least={"de": 0.3})],
            ["lang:de>=30%"],
            ["lang:de>=30% -> lang:de>=12 of 50 (24%)"],
        ),
        ([Quota("lang", at_least={"de": 15})], ["lang:de>=15"], ["lang:de>=15 -> lang:de>=12"]),
        (
            [Quota("lang", at_least=0.4)],
            ["lang>=40%"],
            ["lang>=40% -> lang>=12 of 50 (24%)"],
        ),
        (
            [Quota("lang", at_least={"en": 0.7, "fr": 20})],
            ["size=50", "lang:en>=70%", "lang:fr>=20"],
            ["lang:en>=70% -> lang:en>=30 of 50 (60%)"],
        ),
        (
            [Quota("lang", at_least={"en": 10}), Knapsack("tokens", at_most=9)],
            ["lang:en>=10", "tokens<=9"],
            ["lang:en>=10 -> lang:en>=7", "tokens<=9 -> tokens<=10"],
        ),
        ([Include([3]), Exclude([3])], ["include=3", "exclude=3"], ["include=3 -> leave out 3"]),
        ([Include(range(4)), Shown([2, 7])], ["include=2", "shown=2"], ["include=0,1,2,3 -> leave out 2"]),
        ([Include(range(60))], ["size=50"], ["size=50 -> size=60"]),
        (
            [Quota("source", at_most={"a": 0.1, "b": 0.1}), Cardinality(50, at_least=20)],
            ["size>=20", "source:a<=10%", "source:b<=10%"],
            ["size>=20 -> size>=10"],
        ),
        ([Cardinality(500, at_least=500)], ["size>=500"], ["size>=500 -> size>=100"]),
    ],
)
def test_messages(rules: list[Any], clash: list[str], advice: list[str]) -> None:
    k = None if any(isinstance(r, Cardinality) for r in rules) else 50
    with pytest.raises(InfeasibleError) as e:
        settle(pool(), rules, k)
    if clash != ["size=50"]:  # there, 51 of the 60 included rows clash with it
        assert sorted(e.value.conflict) == sorted(clash)
    assert "\n" not in str(e.value)
    assert e.value.exit_code == 3
    if "tokens<=9" not in clash:
        assert list(e.value.relaxation) == advice
    settle(pool(), *_followed(rules, k, e.value.relaxation))


def _followed(rules: list[Any], k: int | None, advice: tuple[str, ...]) -> tuple[list[Any], int | None]:
    """The rules as a user changes them who follows the advice."""
    for line in advice:
        old, _, new = line.partition(" -> ")
        new = re.sub(r" of \d+ \((.*%)\)$", "", new)
        share = re.search(r"\((.*%)\)$", line)
        if new.startswith("leave out "):
            out = [int(r) for r in new.removeprefix("leave out ").split(",")]
            rules = [
                Include([r for r in c.of if r not in out]) if isinstance(c, Include) else c for c in rules
            ]
        elif old.startswith("size="):
            k = int(new.removeprefix("size="))
        elif old.startswith("size>="):
            rules = [
                replace(c, at_least=int(new.removeprefix("size>="))) if isinstance(c, Cardinality) else c
                for c in rules
            ]
        elif old.startswith("tokens"):
            rules = [budget_from_text(new) if isinstance(c, Knapsack) else c for c in rules]
        else:
            # as a count or, where the advice gives one, as a share
            said = new if share is None else re.sub(r"=\d+$", "=" + share[1], new)
            rules = [q for c in rules for q in _requoted(c, old, said)]
    return rules, k


def _requoted(rule: Any, old: str, new: str) -> list[Any]:
    if not isinstance(rule, Quota):
        return [rule]
    changed = quota_from_text(old)
    if not isinstance(rule.at_least, dict):
        return [quota_from_text(new)]
    left = {g: b for g, b in rule.at_least.items() if g not in (changed.at_least or {})}
    return [Quota(rule.by, at_least=left, at_most=rule.at_most), quota_from_text(new)]


def test_rows_are_called_by_their_ids() -> None:
    kept = pool().take(np.arange(10, 20))
    with pytest.raises(InfeasibleError) as e:
        settle(kept, [Include([12, 13]), Exclude([13])], 5, call=lambda row: f"id-{row}")
    assert e.value.conflict == ("include=id-13", "exclude=id-13")
    assert e.value.relaxation == ("include=id-12,id-13 -> leave out id-13",)


def test_a_size_is_not_offered_where_bounds_are_shares_of_it() -> None:
    rules = [Quota("lang", at_least={"en": 0.6, "fr": 0.5})]
    with pytest.raises(InfeasibleError) as e:
        settle(pool(), rules, 40)
    assert not any(line.startswith("size") for line in e.value.relaxation)
    assert set(e.value.conflict) == {"size=40", "lang:en>=60%", "lang:fr>=50%"}


def test_where_the_greedy_pass_fails_the_exact_search_finds_rows() -> None:
    """The row of both tags is dear; one of each is not."""
    tags, cost = Tags.of([["a"], ["b"], ["a", "b"]]), Costs(np.array([1.0, 1.0, 5.0]))
    rules = [Quota("tags", at_least=1), Knapsack("cost", at_most=3)]
    small = Pool.of({"tags": tags, "cost": cost})
    with pytest.raises(NoWitness):
        bind(small, rules, 2)
    assert fill(settle(small, rules, 2), np.array([2, 1, 0])).tolist() == [1, 0]


def test_equal_and_dominated_costs_do_not_drop_each_other() -> None:
    costs = np.array([[1.0, 1.0, 1.0, 2.0, 0.0], [1.0, 1.0, 1.0, 2.0, 3.0]])
    kept = exact._cheap(np.arange(5), costs, 2)
    assert len(set(kept.tolist()) & {0, 1, 2}) >= 2
    assert 3 not in kept
    assert 4 in kept


def test_what_may_not_be_relaxed_and_clashes_by_itself_is_said() -> None:
    rows = all_rows(pool(), [Quota("lang", at_least={"de": 15})], 50)
    with pytest.raises(ContractError, match="clash by themselves"):
        relaxed(rows, 100, fixed=range(len(rows)))


def test_texts_of_foreign_rules_are_kept() -> None:
    row = Row("half of all", "quota", np.arange(4), None, 5, np.inf)
    budget = Row("cheap enough", "knapsack", None, np.full(4, 1 / 3), -np.inf, 0.5)
    assert changes([row], 4, np.arange(4)) == ["half of all -> half of all: 4"]
    assert changes([budget], 4, np.arange(3)[:2]) == ["cheap enough -> cheap enough: 0.666667"]
