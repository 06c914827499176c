"""The evidence of a choice, end to end: its shape, its numbers, its honesty."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from shortlist.core.choice import Choice
from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Tags, Vectors
from shortlist.doors import along, folds
from shortlist.doors.evidence import evidence
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.random_draw import draws

N, K = 320, 40
RULES = (
    Cardinality(K),
    Quota("source", at_least={"a": 0.4}, at_most={"b": 6}),
    Knapsack("tokens", at_most=1400),
    Include((3, 200)),
    Exclude((10, 11)),
    Shown((20, 21)),
)


def world(seed: int = 0) -> Pool:
    """Clusters of very unequal size, a score, four sources, token counts."""
    rng = np.random.default_rng(seed)
    cluster = np.minimum(rng.zipf(1.3, N) - 1, 11)
    x = rng.normal(size=(12, 12))[cluster] + 0.35 * rng.normal(size=(N, 12))
    return Pool.of(
        {
            "vec": Vectors(x.astype(np.float32)),
            "quality": Scores(rng.normal(size=N)),
            "source": Labels(rng.integers(0, 4, N).astype(np.int32), tuple("abcd")),
            "tokens": Costs(rng.integers(5, 100, N).astype(float), "tokens"),
            "cluster": Labels(cluster.astype(np.int32), tuple(map(str, range(12)))),
        }
    )


OBJECTIVE = Sum((FacilityLocation("vec"), Modular("quality")), weights=(1.0, 0.004))


def rerun(objective: Any = OBJECTIVE):
    def choose(pool: Pool, limits: Any) -> np.ndarray:
        return np.searchsorted(pool.rows, LazyGreedy()(alone(objective.build(pool)), limits, pool).rows)

    return choose


def judge(pool: Pool, rules: tuple = (Cardinality(K),), *, objective: Any = OBJECTIVE, **aside: Any):
    hidden = Pool(pool.rows, {n: s for n, s in pool.columns.items() if n != "cluster"})
    limits = settle(hidden, rules)
    choice = LazyGreedy()(alone(objective.build(hidden)), limits, hidden)
    return (
        choice,
        limits,
        evidence(hidden, choice, objective, limits, rerun(objective), set_aside=aside, seed=0),
    )


@cache
def ruled():
    """All rules at once, with noise and a label set aside."""
    pool = world()
    noise = Scores(np.random.default_rng(5).normal(size=N))
    return judge(pool, RULES, noise=noise, topic=pool.columns["cluster"])


def by_name(found: dict, measure: str) -> dict:
    return next(h for h in found["helps"] if h["measure"].startswith(measure))


KEYS = {
    "measure", "column", "set_aside", "how", "ours", "random", "signals", "best_signal", "difference",
    "interval", "p", "p_adjusted", "better", "evidence",
}  # fmt: skip


@pytest.mark.parametrize("rules", [(Cardinality(K),), RULES], ids=["size", "all rules"])
def test_shape_and_numbers(rules: tuple) -> None:
    pool = world()
    noise = Scores(np.random.default_rng(5).normal(size=N))
    choice, limits, found = (
        ruled() if rules is RULES else judge(pool, rules, noise=noise, topic=pool.columns["cluster"])
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    asked = found["asked"]
    assert set(asked) == {
        "draws", "measured_on", "objective", "parts", "size", "costs", "constraints", "curve",
    }  # fmt: skip
    assert asked["draws"] == 200
    assert asked["measured_on"] == "all 320 rows"
    assert asked["objective"]["ours"] == pytest.approx(choice.total, rel=1e-5)
    assert asked["objective"]["bound"] == pytest.approx(choice.bound[1], rel=1e-5)
    assert asked["objective"]["within"] == pytest.approx(1 - choice.bound[0] / choice.bound[1])
    shown = limits.shown
    base = OBJECTIVE.value(pool, shown).sum()
    drawn = [OBJECTIVE.value(pool, np.concatenate([shown, d])).sum() - base for d in draws(limits, 200, 0)]
    assert asked["objective"]["random"]["mean"] == pytest.approx(np.mean(drawn), rel=1e-5)
    assert asked["objective"]["random"]["low"] == pytest.approx(np.sort(drawn)[4], rel=1e-5)
    assert asked["objective"]["random"]["high"] == pytest.approx(np.sort(drawn)[-5], rel=1e-5)
    assert set(asked["objective"]["signals"]) == {"quality"}
    assert sum(p["ours"] for p in asked["parts"]) == pytest.approx(asked["objective"]["ours"])
    assert [p["weight"] for p in asked["parts"]] == [1.0, 0.004]
    assert asked["parts"][0]["ours"] == pytest.approx(choice.parts[:, 0].sum(), rel=1e-4)
    curve = asked["curve"]
    assert curve["k"][-1] == len(choice)
    assert curve["ours"] == pytest.approx(np.cumsum(choice.gains)[np.array(curve["k"]) - 1], rel=1e-4)
    assert curve["random"]["mean"][-1] == pytest.approx(asked["objective"]["random"]["mean"], rel=0.02)
    assert {len(v) for v in [*curve["random"].values(), *curve["signals"].values()]} == {len(curve["k"])}
    for h in found["helps"]:
        assert set(h) >= KEYS
        assert h["interval"][0] <= h["difference"] <= h["interval"][1]
    assert found["verdict"]["judged_by"] == ["mean noise", "share of the groups reached of topic"]


def test_constraints_say_how_tight_they_are() -> None:
    choice, _, found = ruled()
    at, pool = choice.rows, world()
    rules = {c["text"]: c for c in found["asked"]["constraints"]}
    source = pool.columns["source"].codes[at]
    assert rules["source:a>=40%"]["value"] == (source == 0).sum()
    assert rules["source:a>=40%"]["low"] == 16
    assert rules["source:b<=6"]["slack"] == 6 - (source == 1).sum()
    assert all(c["slack"] >= 0 for c in rules.values())
    tokens = found["asked"]["costs"]
    assert tokens[0]["ours"] == pool.columns["tokens"].values[at].sum()
    assert tokens[0]["limit"] == 1400
    assert tokens[0]["unit"] == "tokens"
    for c in rules.values():
        assert c["tight"] == (c["slack"] < (5 if c["kind"] == "knapsack" else 1))


def test_planted_effects_are_found() -> None:
    pool, rng = world(), np.random.default_rng(1)
    quality = pool.columns["quality"].values
    like = Scores(quality + 2 * rng.normal(size=N))
    unlike = Scores(10 - quality + rng.normal(size=N), higher_is_better=False)
    half = rng.random(N) < 0.5
    gaps = Scores(np.where(half, 0.0, like.values), missing=half)
    _, _, found = judge(pool, like=like, unlike=unlike, gaps=gaps)
    assert found["verdict"]["evidence"] == "strong"
    assert by_name(found, "mean like")["evidence"] == "strong"
    down = by_name(found, "mean unlike")
    assert down["evidence"] == "strong"
    assert down["better"] == "lower"
    assert down["difference"] < 0
    assert down["interval"][1] < 0
    some = by_name(found, "mean gaps")
    assert some["evidence"] == "strong"
    assert "have no value and are left out" in some["how"]
    assert some["ours"] == pytest.approx(
        np.mean(like.values[~half & np.isin(np.arange(N), found_rows(pool))])
    )


def found_rows(pool: Pool) -> np.ndarray:
    return LazyGreedy()(alone(OBJECTIVE.build(pool)), settle(pool, (Cardinality(K),)), pool).rows


def test_a_label_of_few_groups_is_probed_and_found_where_coverage_reaches_rare_clusters() -> None:
    pool = world()
    rare = Labels(np.minimum(pool.columns["cluster"].codes, 3).astype(np.int32), ("a", "b", "c", "rest"))
    gone = np.random.default_rng(0).random(N) < 0.1
    holes = Labels(np.where(gone, 4, rare.codes).astype(np.int32), (*rare.names, "(missing)"))
    noise = Labels(np.random.default_rng(0).permutation(rare.codes), rare.names)
    _, _, found = judge(pool, objective=FacilityLocation("vec"), rare=rare, holes=holes, noise=noise)
    learned, blind = (
        by_name(found, "accuracy of a probe for rare"),
        by_name(found, "accuracy of a probe for noise"),
    )
    assert learned["ours"] > 0.9
    assert learned["ours"] > learned["random"]["mean"]
    assert blind["evidence"] == "none"
    assert blind["ours"] < 0.5
    assert "rows without a label left out" in by_name(found, "accuracy of a probe for holes")["how"]
    assert "(missing)" not in learned["how"]


def test_groups_to_cover_are_found() -> None:
    pool = world()
    two = Labels((pool.columns["cluster"].codes > 0).astype(np.int32), ("big", "others"))
    tags = Tags.of([[str(c)] if c else [] for c in pool.columns["cluster"].codes])
    plain = Pool(pool.rows, {n: s for n, s in pool.columns.items() if n != "vec"})
    _, _, found = judge(pool, topic=pool.columns["cluster"], tags=tags, objective=FacilityLocation("vec"))
    assert by_name(found, "share of the groups reached of topic")["evidence"] == "strong"
    assert by_name(found, "share of the groups reached of tags")["evidence"] == "strong"
    _, _, blind = judge(plain, two=two, objective=Modular("quality"))
    assert by_name(blind, "evenness over the groups of two")["evidence"] == "none"
    assert [h["measure"] for h in blind["helps"]] == ["evenness over the groups of two"]


def test_worse_than_random_and_worse_than_a_signal_are_said() -> None:
    pool, rng = world(), np.random.default_rng(2)
    quality = pool.columns["quality"].values
    _, _, bad = judge(pool, against=Scores(-quality + 0.5 * rng.normal(size=N)))
    assert bad["verdict"]["evidence"] == "none"
    assert "worse than random" in bad["verdict"]["line"]
    _, _, good = judge(
        pool, objective=FacilityLocation("vec"), same=Scores(quality + 0.1 * rng.normal(size=N))
    )
    assert "top-k by 'quality' alone does better" in good["verdict"]["line"]
    assert good["helps"][0]["best_signal"]["name"] == "quality"


def test_held_out_coverage_judges_when_nothing_is_set_aside() -> None:
    pool = world()
    _, _, found = judge(pool)
    cover = found["helps"][0]
    assert found["verdict"]["judged_by"] == ["coverage of held-out rows"]
    assert cover["evidence"] == "strong"
    assert "4 folds of 320 rows" in cover["how"]
    assert "in proportion" not in cover["how"]
    assert "quotas and budgets in proportion" in by_name(ruled()[2], "coverage")["how"]


def test_a_random_choice_is_not_strong() -> None:
    pool, strong = world(), 0
    limits = settle(pool, (Cardinality(K),))
    for seed in range(12):

        def random(p: Pool, inner: Any, seed: int = seed) -> np.ndarray:
            return draws(inner, 1, 1000 + seed)[0]

        rows = random(pool, limits)
        choice = Choice(rows, np.zeros(K), ("coverage",), np.zeros((K, 1)))
        found = evidence(
            pool, choice, FacilityLocation("vec"), limits, random, set_aside={}, seed=seed, draws=39
        )
        strong += found["verdict"]["evidence"] == "strong"
        assert found["asked"]["objective"]["bound"] is None
        assert found["asked"]["objective"]["within"] is None
    assert strong <= 2


def test_same_seed_same_numbers_and_another_seed_others() -> None:
    pool = world()
    noise = Scores(np.random.default_rng(0).normal(size=N))
    first, again = (judge(pool, noise=noise)[2] for _ in range(2))
    assert first == again
    hidden = Pool(pool.rows, {n: s for n, s in pool.columns.items() if n != "cluster"})
    limits = settle(hidden, (Cardinality(K),))
    choice = LazyGreedy()(alone(OBJECTIVE.build(hidden)), limits, hidden)
    other = evidence(hidden, choice, OBJECTIVE, limits, rerun(), set_aside={"noise": noise}, seed=1)
    assert other["asked"]["objective"]["ours"] == first["asked"]["objective"]["ours"]
    assert other["asked"]["objective"]["random"] != first["asked"]["objective"]["random"]


def test_large_pools_are_judged_on_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(along, "WHOLE", 100)
    monkeypatch.setattr(along, "SAMPLE", 80)
    monkeypatch.setattr(folds, "SAMPLE", 200)
    monkeypatch.setattr(folds, "LEAST", 10)
    choice, _, found = judge(world())
    assert found["asked"]["measured_on"] == "80 of 320 rows (seeded sample)"
    assert found["asked"]["objective"]["ours"] == pytest.approx(choice.total, rel=0.1)
    cover = found["helps"][0]
    assert "a seeded sample of 200 of 320 rows" in cover["how"]
    assert "chose 19 of the other" in cover["how"]  # 40 of 320 is 18.75 of 150


def test_many_columns_get_more_draws_so_that_holm_can_reach_the_level() -> None:
    pool, rng = world(), np.random.default_rng(3)
    quality = pool.columns["quality"].values
    aside = {f"s{i}": Scores(quality + 0.3 * rng.normal(size=N)) for i in range(7)}
    _, _, found = judge(pool, objective=Modular("quality"), **aside)
    assert found["verdict"]["evidence"] == "strong"
    assert "7 of 7 set-aside measures strong" in found["verdict"]["line"]
    assert found["asked"]["draws"] == 200


def test_folds_that_cannot_hold_the_rules_are_said() -> None:
    pool = world()
    cost = np.ones(N)
    cost[[3, 200]] = 50.0
    pool = pool.with_signal("tokens", Costs(cost, "tokens"))
    # Two rows must be in and take all of the budget; three quarters of it do not hold both.
    rules = (Cardinality(100), Include((3, 200)), Knapsack("tokens", at_most=100))
    _, _, found = judge(pool, rules, topic=pool.columns["cluster"])
    assert [h["measure"] for h in found["helps"]] == ["share of the groups reached of topic"]
    assert "held-out rows were not judged: in proportion, these constraints" in found["verdict"]["line"]


def test_an_empty_choice_and_a_score_nobody_has() -> None:
    pool = world()
    limits = settle(pool, (Cardinality(0),))
    choice = Choice(np.zeros(0, np.int64), np.zeros(0), ("coverage",), np.zeros((0, 1)))
    gone = Scores(np.zeros(N), missing=np.ones(N, bool))
    found = evidence(pool, choice, FacilityLocation("vec"), limits, rerun(), set_aside={"gone": gone}, seed=0)
    assert found["verdict"]["line"].endswith("no chosen row has a value")
    json.dumps(found, allow_nan=False)
    _, _, some = judge(pool, gone=gone)
    assert by_name(some, "mean gone")["ours"] is None
    json.dumps(some, allow_nan=False)


def test_refusals() -> None:
    pool = world()
    limits = settle(pool, (Cardinality(K),))
    choice = LazyGreedy()(alone(OBJECTIVE.build(pool)), limits, pool)
    with pytest.raises(UsageError, match="at least 39 draws"):
        evidence(pool, choice, OBJECTIVE, limits, rerun(), set_aside={}, seed=0, draws=38)
    with pytest.raises(UsageError, match="holdout 'vec'"):
        evidence(pool, choice, OBJECTIVE, limits, rerun(), set_aside={"vec": pool.columns["vec"]}, seed=0)
    with pytest.raises(UsageError, match="holdout 'short'"):
        evidence(pool, choice, OBJECTIVE, limits, rerun(), set_aside={"short": Scores(np.zeros(3))}, seed=0)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 9])
def test_tiny_pools_and_choices_of_everything(n: int) -> None:
    pool = world().take(np.arange(n))
    hidden = Pool(pool.rows, {c: s for c, s in pool.columns.items() if c != "cluster"})
    limits = settle(hidden, (Cardinality(20),))
    choice = LazyGreedy()(alone(OBJECTIVE.build(hidden)), limits, hidden)
    aside = {"topic": pool.columns["cluster"], "noise": Scores(np.arange(float(n)))}
    found = evidence(hidden, choice, OBJECTIVE, limits, rerun(), set_aside=aside, seed=0)
    assert found["asked"]["size"]["ours"] == n
    assert found["verdict"]["evidence"] == "none"  # random takes the same rows
    json.dumps(found, allow_nan=False)
