"""What the laws cannot say of the objectives: worked values, limits of float32, memory kept or not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.expression import parse
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags, Vectors
from shortlist.methods.objective import saturated_coverage
from shortlist.methods.objective.group_coverage import GroupCoverage, steps
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular, by_range, midranks
from shortlist.methods.objective.saturated_coverage import SaturatedCoverage
from shortlist.methods.objective.weighted_sum import Sum, distinct


def vectors(rows) -> Pool:
    return Pool.of({"vec": Vectors(np.array(rows, np.float32))})


def all_of(pool: Pool) -> np.ndarray:
    return np.arange(len(pool))


def test_midranks_are_the_share_beaten_with_ties_at_half():
    assert midranks(np.array([3.0, 1.0, 3.0, 7.0])).tolist() == [0.5, 0.125, 0.5, 0.875]
    assert midranks(np.zeros(4)).tolist() == [0.5] * 4
    assert midranks(np.zeros(0)).tolist() == []


def test_a_range_wider_than_floats_is_scaled():
    assert by_range(np.array([-1.7e308, 0.0, 1.7e308])).tolist() == [0.0, 0.5, 1.0]
    assert by_range(np.array([2.0, 2.0])).tolist() == [0.5, 0.5]
    assert by_range(np.zeros(0)).tolist() == []


def test_lower_is_better_turns_the_scale_round():
    pool = Pool.of({"ppl": Scores(np.array([10.0, 20.0, 30.0]), higher_is_better=False)})
    for ranks in (True, False):
        built = alone(Modular("ppl", ranks=ranks).build(pool))
        assert np.argsort(-built.gains(None, all_of(pool))[:, 0]).tolist() == [0, 1, 2]


def test_group_steps_never_rise_and_lose_nothing_to_cancellation():
    for power in (1e-9, 0.1, 0.5, 0.999, 1.0):
        step = steps(100_000, power)
        assert (np.diff(step) <= 0).all()
        assert step[0] == 1
    assert steps(3, 1.0).tolist() == [1.0] * 4
    # the last step of sqrt at a million, to 12 digits: 1 / (sqrt(c + 1) + sqrt(c))
    c = 999_999
    assert math.isclose(steps(c, 0.5)[c], 1 / (math.sqrt(c + 1) + math.sqrt(c)), rel_tol=1e-12)


def test_group_coverage_of_labels_and_tags_by_hand():
    labels = Labels.of(["a", "a", "b", "a"])
    pool = Pool.of({"l": labels, "t": Tags.of([["x", "y"], [], ["x"], ["y"]])})
    assert GroupCoverage("l").value(pool, all_of(pool))[0] == pytest.approx(math.sqrt(3) + 1)
    assert GroupCoverage("t").value(pool, all_of(pool))[0] == pytest.approx(2 * math.sqrt(2))
    built = alone(GroupCoverage("t").build(pool))
    assert built.gains(built.start(), all_of(pool))[:, 0].tolist() == [2.0, 0.0, 1.0, 1.0]


def test_group_coverage_names_what_is_wrong():
    pool = vectors([[1.0]])
    with pytest.raises(ContractError, match="no signal 'tags'; this pool has \\['vec'\\]"):
        alone(GroupCoverage().build(pool))
    with pytest.raises(ContractError, match="'vec' is Vectors; Labels or Tags"):
        GroupCoverage("vec").value(pool, all_of(pool))


@pytest.mark.parametrize(
    "bad",
    [
        "GroupCoverage(power=0)",
        "GroupCoverage(power=1.5)",
        "GroupCoverage(power='half')",
        "LogDet(ridge=0)",
        "LogDet(ridge=-1)",
        "SaturatedCoverage(saturation=0)",
        "SaturatedCoverage(saturation=2)",
        "SaturatedCoverage(represent=-1)",
        "SaturatedCoverage(picks=-1)",
        "Sum(of=())",
        "Sum(of='ab')",
        "Sum(of=3)",
        "Sum(of=(Modular('q'),), weights=(1, 2))",
        "Sum(of=(Modular('q'),), weights=(-1,))",
        "Sum(of=(Modular('q'),), weights=(1e999,))",
        "Sum(of=(Modular('q'),), weights=('1',))",
        "Sum(of=(Modular('q'),), weights=3)",
    ],
)
def test_impossible_hyperparameters_are_refused(bad):
    classes = (GroupCoverage, LogDet, SaturatedCoverage, Sum, Modular)
    with pytest.raises(UsageError):
        parse(bad, {c.__name__: c for c in classes})


def test_sums_number_terms_that_share_a_name_and_nest():
    assert distinct(["a", "a", "a_2", "b", "a"]) == ("a", "a_2", "a_2_2", "b", "a_3")
    pool = Pool.of({"q": Scores(np.array([0.0, 1.0])), "g": Labels.of(["x", "y"])})
    inner = Sum([Modular("q"), GroupCoverage("g")], weights=[2, 3])
    outer = Sum((inner, Modular("q")), weights=(10.0, 1.0))
    assert outer.terms == ("q", "g", "q_2")
    assert outer.value(pool, np.array([1])).tolist() == [15.0, 30.0, 0.75]
    built = alone(outer.build(pool))
    assert built.gains(built.start(), np.array([1])).tolist() == [[15.0, 30.0, 0.75]]
    assert not alone(Sum((MMR(),)).build(vectors([[1.0]]))).monotone


def test_log_det_of_alone_a_copy_and_a_stranger():
    pool = vectors([[3, 0], [5, 0], [0, 0.1], [0, 0]])
    f, one = LogDet(ridge=0.5), math.log(3.0)
    at = np.array
    assert f.value(pool, at([0]))[0] == pytest.approx(1)
    assert f.value(pool, at([0, 1]))[0] == pytest.approx(math.log(5.0) / one)
    assert f.value(pool, at([0, 2]))[0] == pytest.approx(2)
    assert f.value(pool, at([3]))[0] == 0


def test_log_det_stays_true_when_far_more_rows_than_dimensions_are_taken():
    rng = np.random.default_rng(0)
    pool = vectors(rng.normal(size=(400, 5)))
    f = LogDet(ridge=0.05)
    built, order = alone(f.build(pool)), rng.permutation(400)[:300]
    state, total = built.start(), 0.0
    for at in order:
        total += float(built.gains(state, np.array([at]))[0, 0])
        state = built.add(state, int(at))
    assert total == pytest.approx(f.value(pool, order)[0], rel=1e-4)


def test_mmr_is_paid_in_order_of_choice():
    pool = vectors([[1, 0], [1, 0], [0, 1], [-1, 0]])
    assert MMR().value(pool, np.array([0, 2, 1]))[0] == pytest.approx(-1)
    assert MMR().value(pool, np.array([0, 3]))[0] == 0


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e-8, 1.0, 1e12, 1e20, 1e30])
def test_the_length_of_vectors_never_matters(scale):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(9, 4))
    rows[4] = 0
    at = np.array([0, 4, 7, 2])
    for f in (MMR(), LogDet(), SaturatedCoverage()):
        want, got = f.value(vectors(rows), at), f.value(vectors(rows * scale), at)
        assert got == pytest.approx(want, abs=1e-5)
        built = alone(f.build(vectors(rows * scale)))
        state, total = built.start(), 0.0
        for i in at:
            total += float(built.gains(state, np.array([i]))[0, 0])
            state = built.add(state, int(i))
        assert total == pytest.approx(want[0], abs=1e-5)


def test_directions_with_mixed_lengths_are_copied_and_others_are_not():
    rows = np.array([[1e30, 0], [1e-30, 1e-30], [0, 0]], np.float32)
    mixed = Directions.of(rows)
    np.testing.assert_allclose(mixed.unit(np.arange(3)), [[1, 0], [0.5**0.5, 0.5**0.5], [0, 0]], rtol=1e-6)
    plain = np.ones((2, 3), np.float32)
    assert Directions.of(plain).values is plain
    assert len(Directions.of(np.zeros((0, 3), np.float32))) == 0


def test_rows_that_catch_up_late_know_what_the_others_know():
    rng = np.random.default_rng(2)
    x = Directions.of(rng.normal(size=(50, 7)).astype(np.float32))
    prompt = late = Met.nothing(np.zeros(50))
    for i in range(150):  # three blocks of directions
        prompt, late = (m.and_then(x.unit(np.array([i % 50]))[0]) for m in (prompt, late))
        prompt.fold(x, np.arange(50), np.subtract, np.square)
    told = prompt.fold(x, np.arange(50), np.subtract, np.square)
    few = np.array([3, 49, 3])
    assert late.fold(x, few, np.subtract, np.square).tobytes() == told[few].tobytes()
    assert late.fold(x, np.arange(50), np.subtract, np.square).tobytes() == told.tobytes()


def test_saturated_coverage_is_the_same_to_the_bit_with_cosines_kept_or_computed_again(monkeypatch):
    pool = vectors(np.random.default_rng(3).normal(size=(200, 16)))
    f, told = SaturatedCoverage(represent=90, seed=5), {}
    for cache in (1 << 30, 0):
        monkeypatch.setattr(saturated_coverage, "CACHE", cache)
        built = alone(f.build(pool), pool)
        assert (built.cosines is None) == (not cache)
        state, told[cache] = built.start(), []
        for at in (5, 199, 64, 63):
            told[cache] += [built.gains(state, some).tobytes() for some in (np.array([at]), all_of(pool))]
            state = built.add(state, at)
    assert told[0] == told[1 << 30]
    assert f.need(pool, 1000).flops > 10 * 2 * 200 * 90 * 16, "products made again are not counted"


def test_saturation_follows_the_size_of_the_choice():
    pool = vectors(np.random.default_rng(1).normal(size=(40, 3)))
    at = np.array([3, 9, 1])
    for picks, share in ((10, 0.25), (400, 1.0)):
        f, same = SaturatedCoverage(picks=picks), SaturatedCoverage(saturation=share)
        assert f.value(pool, at) == same.value(pool, at)
        built = alone(f.build(pool))
        assert built.cap.tobytes() == alone(same.build(pool)).cap.tobytes()


def test_saturated_coverage_by_hand():
    pool = vectors([[1, 0], [1, 0], [0, 1]])
    f = SaturatedCoverage(saturation=0.5)
    # totals 2, 2, 1, so caps 1, 1, 0.5: row 0 fills the first two, row 2 the last
    assert f.value(pool, np.array([0]))[0] == pytest.approx(2 / 2.5)
    assert f.value(pool, np.array([0, 1]))[0] == pytest.approx(2 / 2.5)
    assert f.value(pool, np.array([0, 2]))[0] == pytest.approx(1)
