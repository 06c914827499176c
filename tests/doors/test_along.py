"""Every objective followed along many choices equals its own definition at every size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from shortlist.core.contracts import Need
from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Tags, Vectors
from shortlist.doors import along
from shortlist.doors.along import Course, followed, in_proportion, parts, weights
from shortlist.methods.objective.borda import Borda
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.feature_based import FeatureBased, Saturate
from shortlist.methods.objective.graph_cut import GraphCut
from shortlist.methods.objective.graph_cut_mi import GraphCutMI
from shortlist.methods.objective.group_coverage import GroupCoverage
from shortlist.methods.objective.label_graph_gain import LabelGraphGain
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.log_det_cg import LogDetCG
from shortlist.methods.objective.max_min_dispersion import MaxMinDispersion
from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.probabilistic_set_cover import ProbabilisticSetCover
from shortlist.methods.objective.saturated_coverage import SaturatedCoverage
from shortlist.methods.objective.set_cover import SetCover
from shortlist.methods.objective.sum_coverage import SumCoverage
from shortlist.methods.objective.sum_redundancy import SumRedundancy
from shortlist.methods.objective.weighted_sum import Sum


@dataclass(frozen=True)
class Longest:
    """A third party's objective: the largest position chosen."""

    terms: tuple[str, ...] = ("longest",)

    def need(self, pool: Pool, k: int) -> Need:
        return Need(0.0, 1e10)

    def build(self, pool: Pool):
        raise AssertionError("evidence needs no built form")

    def value(self, pool: Pool, at: np.ndarray) -> np.ndarray:
        return np.array([float(at.max(initial=0))])


def some_pool(n: int = 60) -> Pool:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    x[3] = 0
    x[5] = x[4]
    return Pool.of(
        {
            "vec": Vectors(x),
            "q": Scores(np.round(rng.normal(size=n), 1), higher_is_better=False),
            "cost": Costs(rng.random(n)),
            "group": Labels(rng.integers(0, 4, n).astype(np.int32), tuple("abcd")),
            "tags": Tags.of([[str(t) for t in rng.integers(0, 5, rng.integers(0, 3))] for _ in range(n)]),
        }
    )


OBJECTIVES = [
    FacilityLocation("vec"),
    SaturatedCoverage("vec", saturation=0.2),
    SaturatedCoverage("vec", picks=4),
    Modular("q"),
    Modular("q", ranks=False),
    GroupCoverage("group"),
    GraphCut("vec", redundancy=2.0),
    SumCoverage("vec", weights="cost"),
    SumRedundancy("vec"),
    FeatureBased("tags", concave=Saturate(0.1), idf=True),
    SetCover("tags"),
    ProbabilisticSetCover("group", by_share=True),
    LabelGraphGain("tags", vectors="vec", threshold=0.3, quality="q", ranks=True),
    GroupCoverage("tags"),
    LogDet("vec"),
    MMR("vec"),
    Longest(),
    Sum(
        (FacilityLocation("vec"), Sum((Modular("q"), LogDet("vec")), weights=(0.5, 2.0))), weights=(1.0, 0.1)
    ),
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_equals_the_definition_at_every_size(objective) -> None:
    pool, rng = some_pool(), np.random.default_rng(1)
    sets = [rng.permutation(60)[:k] for k in (12, 1, 7)]
    cuts = [np.array([0, 1, 5, 12]), np.array([0, 1]), np.array([0, 7])]
    found = Course.of(objective, pool, 0).along(sets, cuts)
    for s, c, values in zip(sets, cuts, found, strict=True):
        assert values.shape == (len(c), len(objective.terms))
        assert values[0] == pytest.approx(0.0)
        for size, value in zip(c[1:], values[1:], strict=True):
            assert value == pytest.approx(objective.value(pool, s[:size]), rel=1e-4, abs=1e-5)


BUILT = [
    *(f for f in OBJECTIVES if not isinstance(f, Longest)),
    Borda(by="vec"),
    GraphCutMI("vec", toward="group:a"),
    LogDetCG("vec", away="group:a"),
    MaxMinDispersion("vec"),
    MaxSumDispersion("vec"),
    Sum((MaxSumDispersion("vec"), Sum((Borda(by="vec"), Modular("q")))), weights=(0.2, 2.0)),
]


@pytest.mark.parametrize("objective", BUILT, ids=str)
def test_what_is_built_is_followed_to_the_same_values(objective) -> None:
    pool, rng = some_pool(), np.random.default_rng(1)
    sets, cuts = [rng.permutation(60)[:k] for k in (12, 7)], [np.array([0, 1, 5, 12]), np.array([0, 7])]
    built = alone(objective.build(pool))
    found = Course.of(objective, pool, 0, built).along(sets, cuts)
    for s, c, values in zip(sets, cuts, found, strict=True):
        for size, value in zip(c, values, strict=True):
            told = objective.value(pool, s[:size]) if size else np.zeros(len(objective.terms))
            assert value == pytest.approx(told, rel=1e-4, abs=1e-5)


def test_what_is_built_and_exact_is_not_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = Sum((Borda(by="vec"), MaxSumDispersion("vec")))
    pool = some_pool()
    built = alone(objective.build(pool))
    for f in (Borda, MaxSumDispersion):
        monkeypatch.setattr(f, "value", lambda *_: pytest.fail("the slow definition was asked"))
    values = Course.of(objective, pool, 0, built).along([np.arange(9)], [np.array([0, 9])])
    assert values[0].shape == (2, 2)


@pytest.mark.parametrize("objective", OBJECTIVES[:2], ids=str)
def test_a_sample_of_rows_estimates_the_whole(objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(along, "WHOLE", 400)
    monkeypatch.setattr(along, "SAMPLE", 600)
    monkeypatch.setattr(along, "TOTALS", 500)
    rng = np.random.default_rng(2)
    x = (rng.normal(size=(8, 10))[rng.integers(0, 8, 2000)] + 0.5 * rng.normal(size=(2000, 10))).astype("f4")
    pool, at = Pool.of({"vec": Vectors(x)}), rng.permutation(2000)[:20]
    course = Course.of(objective, pool, 0)
    assert course.sampled
    assert len(course.on) == 600
    value = course.along([at], [np.array([20])])[0][0]
    assert value == pytest.approx(objective.value(pool, at), rel=0.05)
    assert Course.of(objective, pool, 0).on.tolist() == course.on.tolist()


def test_parts_weights_and_how_many_can_be_followed() -> None:
    nested = OBJECTIVES[-1]
    assert [type(p).__name__ for p in parts(nested)] == ["FacilityLocation", "Modular", "LogDet"]
    assert weights(nested) == pytest.approx((1.0, 0.05, 0.2))
    pool = some_pool()
    assert followed(nested, pool, 10) >= 200
    assert followed(LogDet("vec"), pool, 5000) == along.FEWEST
    assert followed(FacilityLocation("vec"), pool, 5000) >= 200
    assert followed(Longest(), pool, 10) == 40


def test_a_rerun_on_fewer_rows_weighs_its_parts_as_the_whole_does() -> None:
    whole = Sum(
        (
            FacilityLocation("vec"),
            Sum((Modular("q"), LogDet("vec")), weights=(0.5, 2.0)),
            GroupCoverage("tags"),
        ),
        weights=(1.0, 0.1, 3.0),
    )
    part = in_proportion(whole, 0.25)
    assert weights(part) == pytest.approx((1.0, 0.2, 0.8, 6.0))
    assert in_proportion(whole, 1.0) == whole
    assert in_proportion(Modular("q"), 0.25) == Modular("q")
    # Twice the pool and twice the choice: each part is worth as much of the total as before.
    small, rng = some_pool(), np.random.default_rng(4)
    at = rng.permutation(60)[:15]
    double = Pool.of({name: s.take(np.repeat(np.arange(60), 2)) for name, s in small.columns.items()})
    f = Sum((FacilityLocation("vec"), Modular("q")), weights=(1.0, 0.05))
    twice = f.value(double, np.concatenate([2 * at, 2 * at + 1]))
    assert in_proportion(f, 0.5).value(small, at) == pytest.approx(twice, rel=1e-5)
