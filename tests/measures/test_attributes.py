"""Attribute entropy, audit of groups, robustness, and the intervals below them."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags
from shortlist.measures import intervals
from shortlist.measures.attribute_entropy import AttributeEntropy, attribute_spread, exact, mean_spread
from shortlist.measures.great_score import SCALE, great_score, samples_needed
from shortlist.measures.representation import Disparity, audit, chance


def test_even_answers_give_1_and_constant_ones_0() -> None:
    even, same = attribute_spread(np.array([25] * 4)), attribute_spread(np.array([0, 60, 0]))
    assert even.entropy == pytest.approx(1)
    assert (even.high, even.alarm) == (pytest.approx(1), False)
    assert (same.entropy, same.low, same.value, same.share, same.alarm) == (0, 0, 1, 1, True)
    assert attribute_spread(np.array([7])).entropy == 0
    assert mean_spread((even, same)) == pytest.approx(0.5)
    assert np.isnan(mean_spread(()))


def test_entropy_is_its_definition_whatever_values_are_called() -> None:
    answers = list("abbcabab")
    counts = [answers.count(v) for v in "abcd"]
    assert attribute_spread(np.array(counts)).entropy == pytest.approx(exact(answers, list("abcd")))
    assert attribute_spread(np.array(counts[::-1])).entropy == pytest.approx(exact(answers, list("abcd")))
    pool = Pool.of({"g": Labels.of([*answers, "d"])})
    assert AttributeEntropy("g")(pool, np.arange(8)) == pytest.approx(exact(answers, list("abcd")))
    assert np.isnan(AttributeEntropy("g")(pool, np.zeros(0, np.int64)))
    assert AttributeEntropy("g").name == "entropy, g"


def test_the_alarm_waits_for_enough_answers() -> None:
    assert attribute_spread(np.array([98, 2])).alarm
    assert not attribute_spread(np.array([5, 0])).alarm  # five of five may be chance
    assert not attribute_spread(np.array([98, 2]), threshold=0.95).alarm
    for bad in ([0, 0], [-1, 3], [[1]]):
        with pytest.raises(ContractError, match="counts"):
            attribute_spread(np.array(bad))
    with pytest.raises(UsageError, match="threshold"):
        attribute_spread(np.array([1]), threshold=1)


def test_audit_of_labels() -> None:
    labels = Labels.of(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    seen = audit(labels, np.r_[0:10, 50:56, 80:84])
    assert [(g.name, g.pool, g.chosen) for g in seen.groups] == [("a", 50, 10), ("b", 30, 6), ("c", 20, 4)]
    assert (seen.distance, seen.gap, seen.impact) == (pytest.approx(0), 0, 1)
    assert all(g.p == 1 and g.ratio == pytest.approx(1) for g in seen.groups)
    skewed = audit(labels, np.arange(20))
    assert (skewed.distance, skewed.gap, skewed.impact) == (pytest.approx(0.5), 0.4, 0)
    assert skewed.groups[0].p < 1e-4
    assert skewed.gap_low < 0.4 < skewed.gap_high
    assert 0.8 < skewed.groups[0].low < skewed.groups[0].high == 1
    pool = Pool.of({"g": labels, "q": Scores(np.zeros(100))})
    assert Disparity("g")(pool, np.arange(20)) == pytest.approx(0.4)
    assert "g" in Disparity("g").name
    with pytest.raises(ContractError, match="Labels or Tags"):
        Disparity("q")(pool, np.arange(3))


def test_audit_edges() -> None:
    tags = Tags.of([["x"], ["x", "y"], [], ["y"]])
    seen = audit(tags, np.array([1]))
    assert [(g.name, g.pool, g.chosen) for g in seen.groups] == [("x", 2, 1), ("y", 2, 1)]
    none = audit(tags, np.zeros(0, np.int64))
    assert (none.distance, none.gap, none.impact) == (0, 0, 1)
    assert audit(Tags.of([]), np.zeros(0, np.int64)).groups == ()
    for bad in ([0, 0], [4], [-1]):
        with pytest.raises(ContractError, match="positions"):
            audit(tags, np.array(bad))


def test_chance_is_the_sum_over_all_draws() -> None:
    for n in range(1, 9):
        for have in range(1, n + 1):
            for k in range(n + 1):
                p = {x: comb(have, x) * comb(n - have, k - x) for x in range(k + 1) if k - x <= n - have}
                for got, mine in p.items():
                    if mine:
                        want = sum(v for v in p.values() if v <= mine) / comb(n, k)
                        assert chance(got, have, k, n) == pytest.approx(want)


def test_random_choices_are_rarely_accused() -> None:
    rng = np.random.default_rng(0)
    labels = Labels(rng.integers(0, 4, 400).astype(np.int32), tuple("abcd"))
    wrong = sum(
        min(g.p for g in audit(labels, rng.choice(400, 60, replace=False)).groups) < 0.05 for _ in range(300)
    )
    assert wrong <= 25


def test_great_score() -> None:
    sure = great_score(np.array([[1.0, 0, 0]] * 50), np.zeros(50, np.int64))
    assert (sure.score, sure.high, sure.right) == (pytest.approx(SCALE), pytest.approx(SCALE), 1)
    assert great_score(np.array([[0.5, 0.5]]), np.array([1])).score == 0
    half = SCALE * intervals.hoeffding(samples_needed(0.05))
    assert 0.0499 < half <= 0.05
    for bad in ([[0.5, np.nan]], [[0.5, 1.1]], [[0.5]], np.zeros((0, 2))):
        with pytest.raises(ContractError, match="confidences"):
            great_score(np.array(bad), np.zeros(len(bad), np.int64))
    for labels in ([2], [-1], [0, 1], [0.5]):
        with pytest.raises(ContractError, match="labels"):
            great_score(np.array([[0.5, 0.5]]), np.array(labels))
    with pytest.raises(UsageError, match="width"):
        samples_needed(0)


def test_the_interval_of_the_robustness_holds() -> None:
    rng = np.random.default_rng(1)
    true = SCALE * np.mean(np.maximum(2 * rng.beta(2, 1, 1_000_000) - 1, 0))
    held = 0
    for _ in range(100):
        p = rng.beta(2, 1, 80)
        seen = great_score(np.stack([p, 1 - p], axis=1), np.zeros(80, np.int64))
        held += seen.low <= true <= seen.high
    assert held >= 95


def test_intervals() -> None:
    assert intervals.wilson(0.0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert intervals.wilson(0.3, 0) == (0.0, 1.0)
    assert intervals.of_mean(np.zeros(0)) == (0.0, 1.0)
    ones = np.array([1.0, 0, 0, 1, 0])
    assert intervals.of_mean(ones) == intervals.wilson(0.4, 5)
    narrow, wide = intervals.of_mean(0.4 + 0.1 * (ones - 0.4)), intervals.of_mean(ones)
    assert wide[0] < narrow[0] < 0.4 < narrow[1] < wide[1]
    low, high = intervals.of_difference(0.7, 50, 0.4, 60)
    assert low < 0.3 < high
    assert intervals.hoeffding(0) == 1
    with pytest.raises(UsageError, match="level"):
        intervals.quantile(1.0)


@pytest.mark.parametrize("shape", [(0.2, 1.0), (5.0, 2.0), (0.3, 0.3)])
def test_the_interval_of_a_mean_holds(shape: tuple[float, float]) -> None:
    rng = np.random.default_rng(2)
    true = shape[0] / sum(shape)
    held = sum(
        low <= true <= high
        for low, high in (intervals.of_mean(rng.beta(*shape, size=40)) for _ in range(400))
    )
    assert held >= 400 * 0.92
