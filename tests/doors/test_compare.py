"""A choice beside baselines: the numbers, and the law of equal budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from shortlist.core.choice import Choice
from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.recipe import Recipe
from shortlist.core.signals import Costs, Scores, Vectors
from shortlist.doors.compare import Comparison, Measure, compare
from shortlist.measures.coverage import Coverage
from shortlist.measures.group_cover import GroupCover
from shortlist.measures.mean_score import MeanScore
from shortlist.measures.probe import Probe
from shortlist.measures.vendi import Vendi
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.random_draw import Random, draws
from shortlist.methods.solve.top import Top


@dataclass(frozen=True)
class Curated:
    pool: Pool
    result: Choice
    recipe: Recipe


def curated(*rules: Any) -> Curated:
    rng = np.random.default_rng(0)
    cluster = np.minimum(rng.zipf(1.4, 200) - 1, 9)
    x = rng.normal(size=(10, 12))[cluster] + 0.3 * rng.normal(size=(200, 12))
    pool = Pool.of(
        {
            "vec": Vectors(x.astype(np.float32)),
            "quality": Scores(rng.normal(size=200)),
            "tokens": Costs(rng.lognormal(2, 1, 200).round(), "tokens"),
        }
    )
    recipe = Recipe(objective=FacilityLocation("vec"), within=rules or (Cardinality(20),))
    limits = settle(pool, recipe.within)
    return Curated(pool, Greedy()(alone(recipe.objective.build(pool)), limits, pool), recipe)


def test_numbers_are_those_of_the_measures() -> None:
    keep = curated()
    held = Vectors(np.random.default_rng(1).normal(size=(30, 12)).astype(np.float32))
    found = compare(
        keep,
        against=[Random(), Top(of="quality"), Greedy(), keep.result],
        by=[Vendi("vec"), Coverage("vec", of=held)],
        repeats=40,
    )
    assert isinstance(found, Comparison)
    assert [(x.measure, x.repeats) for x in found.lines[::2]] == [
        ("Vendi score, vec", r) for r in (40, 1, 1, 1)
    ]
    first = found.lines[0]
    limits = settle(keep.pool, keep.recipe.within)
    vendi = [Vendi("vec")(keep.pool, draws(limits, 1, s)[0]) for s in range(40)]
    assert first.theirs[0] == pytest.approx(np.mean(vendi))
    assert first.ours == pytest.approx(Vendi("vec")(keep.pool, keep.result.rows))
    assert first.difference[0] == pytest.approx(first.ours - first.theirs[0])
    assert first.better == 1 / 41
    assert found.lines[4].difference == (0.0, 0.0, 0.0)
    assert {(b, r, o, t) for b, r, o, t in found.spent} >= {("Random()", "rows", 20.0, 20.0)}


def test_the_table_is_text_with_a_line_for_each() -> None:
    table = compare(curated(), against=[Random(), Top(of="quality")], by=[Vendi("vec")]).table()
    lines = table.splitlines()
    assert lines[0].startswith("measure           against")
    assert "Random() x 20" in lines[1]
    assert "Top(of='quality')" in lines[2]
    assert lines[-1].startswith("equal budgets: Random(): rows 20 against 20; ")


def test_unequal_budgets_are_refused() -> None:
    keep = curated()
    short = Choice(keep.result.rows[:15], keep.result.gains[:15], ("coverage",), keep.result.parts[:15])
    with pytest.raises(UsageError, match=r"budgets differ: rows: 20 for the choice, 15 for a choice of 15"):
        compare(keep, against=[short], by=[Vendi("vec")])
    assert compare(keep, against=[short], by=[Vendi("vec")], tolerance=0.3).lines[0].repeats == 1
    cheap = np.argsort(keep.pool.columns["tokens"].values, kind="stable")[:20]
    other = Choice(cheap, np.zeros(20), ("coverage",), np.zeros((20, 1)))
    with pytest.raises(UsageError, match="budgets differ: tokens<=400"):
        compare(curated(Cardinality(20), Knapsack("tokens", at_most=400)), against=[other], by=[Vendi("vec")])


def test_a_spent_budget_is_what_is_equal() -> None:
    keep = curated(Knapsack("tokens", at_most=300))
    found = compare(keep, against=[Random()], by=[Vendi("vec")], tolerance=0.05)
    rows, tokens = found.spent
    assert rows[2] != rows[3]
    assert tokens[1] == "tokens<=300"
    assert tokens[3] == pytest.approx(300, rel=0.05)


def test_nothing_to_compare() -> None:
    keep = curated()
    for against, by, repeats in ([], [Vendi("vec")], 1), ([Random()], [], 1), ([Random()], [Vendi("vec")], 0):
        with pytest.raises(UsageError, match="at least one"):
            compare(keep, against=against, by=by, repeats=repeats)


def test_measures_of_the_house_are_measures() -> None:
    for measure in (Vendi(), Coverage(), MeanScore(), GroupCover(), Probe()):
        assert isinstance(measure, Measure)
