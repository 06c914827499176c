"""What the laws cannot say of the coverage objectives: worked values, the public orders, odd signals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shortlist.core import columns as module
from shortlist.core.alike import alike, dense
from shortlist.core.climb import climb
from shortlist.core.columns import columns
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.expression import expression, parse
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Neighbors, Scores, Tags, Terms, Text, Vectors
from shortlist.methods.objective import graph_cut, label_graph_gain, sum_coverage, sum_redundancy
from shortlist.methods.objective.feature_based import FeatureBased, Log, Saturate, Sqrt
from shortlist.methods.objective.graph_cut import GraphCut
from shortlist.methods.objective.label_graph_gain import LabelGraphGain
from shortlist.methods.objective.probabilistic_set_cover import ProbabilisticSetCover
from shortlist.methods.objective.set_cover import SetCover
from shortlist.methods.objective.sum_coverage import SumCoverage
from shortlist.methods.objective.sum_redundancy import SumRedundancy
from shortlist.methods.objective.weighted_sum import Sum
from tests.strategies import crowd

KINDS = (Terms, Vectors, Text, Tags, Labels, Neighbors)
CLASSES = (FeatureBased, Sqrt, Log, Saturate, GraphCut, LabelGraphGain, SumCoverage, SetCover)


def vectors(rows) -> Pool:
    return Pool.of({"vec": Vectors(np.array(rows, np.float32))})


def graph(dense) -> Neighbors:
    row, column = np.nonzero(dense)
    ends = np.searchsorted(row, np.arange(len(dense) + 1)).astype(np.int64)
    return Neighbors(ends, column.astype(np.int32), np.asarray(dense, np.float32)[row, column])


def terms(rows, width: int) -> Terms:
    ends = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    flat = [pair for row in rows for pair in row]
    return Terms(
        ends, np.array([c for c, _ in flat], np.int32), np.array([x for _, x in flat], np.float32), width
    )


def at(*rows: int) -> np.ndarray:
    return np.array(rows, np.int64)


# --- similarities -------------------------------------------------------------------------------------------


def test_graph_cut_by_hand():
    pool = vectors([[2, 0], [0, 1], [-1, 0]])  # similarities 1, 1/2 and 0
    assert GraphCut(redundancy=0.5).value(pool, at(0))[0] == pytest.approx((1.5 - 0.5) / 3)
    assert GraphCut(redundancy=2).value(pool, at(0, 1))[0] == pytest.approx((1.5 + 2 - 2 * (2 + 1)) / 3)
    assert SumCoverage().value(pool, at(0, 1))[0] == pytest.approx((1.5 + 2) / 3)
    assert SumRedundancy().value(pool, at(0, 1))[0] == pytest.approx(-(2 + 1) / 3)


def test_a_graph_that_is_not_the_same_both_ways_counts_the_mean_and_ignores_what_it_says_of_itself():
    pool = Pool.of({"g": graph([[0.25, 0.5, 0], [1.0, 0, 0], [0, 0, 0]])})
    assert dense(pool, "g").tolist() == [[1, 0.75, 0], [0.75, 1, 0], [0, 0, 1]]
    rows = alike(pool, "g")
    assert alone(rows.pull(np.array([1.0, 2.0, 4.0]))).tolist() == [2.5, 2.75, 4]
    assert rows.met(rows.add(rows.start(), 1), np.arange(3)).tolist() == [0.75, 1, 0]


@pytest.mark.parametrize("by", ["vec", "graph"])
def test_graph_cut_is_the_sum_of_its_two_sums(by):
    pool, order = crowd(60), np.random.default_rng(1).permutation(60)[:20]
    both = Sum((SumCoverage(by), SumRedundancy(by)), weights=(1.0, 1.7)).value(pool, order).sum()
    assert GraphCut(by, redundancy=1.7).value(pool, order)[0] == pytest.approx(both)


@pytest.mark.parametrize("by", ["vec", "graph"])
def test_graph_cut_is_monotone_up_to_one_half_and_no_further(by):
    pool = crowd(40)
    assert alone(GraphCut(by, redundancy=0.5).build(pool)).monotone
    beyond = alone(GraphCut(by, redundancy=0.51).build(pool))
    assert not beyond.monotone
    copies = vectors(np.ones((30, 2)))
    built = alone(GraphCut(redundancy=0.51).build(copies))
    state = built.start()
    for i in range(29):
        state = built.add(state, i)
    assert built.gains(state, at(29))[0, 0] < 0


def test_values_are_those_of_the_definition_over_all_pairs():
    pool = crowd(50)
    values = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32)
    values[7] = 0
    pool = pool.with_signal("vec", Vectors(values))
    pool = pool.with_signal("lop", graph(np.triu(dense(pool, "vec")).clip(0, 1)))
    weight = pool.signal("cost", Costs).values
    order = at(7, 3, 44, 12, 0)
    for by in ("vec", "graph", "lop"):
        every = dense(pool, by)
        for f, want in (
            (GraphCut(by, redundancy=0.7), graph_cut.exact(every, order, 0.7)),
            (SumCoverage(by, weights="cost"), sum_coverage.exact(every, order, weight)),
            (SumRedundancy(by), sum_redundancy.exact(every, order)),
        ):
            assert f.value(pool, order) == pytest.approx(want, rel=1e-12)


def test_information_is_that_of_the_definition_over_all_labels():
    pool, order = crowd(50), at(7, 3, 44)
    f = LabelGraphGain("tags", quality="quality", vectors="vec", threshold=0.1, spread=0.5)
    built = alone(f.build(pool))
    links = built.links.dense(np.arange(3))
    assert (links > 0).sum() > 3
    want = label_graph_gain.exact(built.rows.dense(order), links / links.sum(axis=0), 0.8)
    assert f.value(pool, order) == pytest.approx(want)


def test_greedy_orders_shifted_cosines_as_plain_ones():
    rng = np.random.default_rng(5)
    pool = vectors(rng.normal(size=(80, 6)))
    cosine = 2 * dense(pool, "vec") - 1
    taken: list[int] = []
    for _ in range(25):
        gain = cosine.sum(axis=0) - 3.0 * (2 * cosine[:, taken].sum(axis=1) + 1)
        gain[taken] = -np.inf
        taken.append(int(np.argmax(gain)))
    assert climb(alone(GraphCut(redundancy=3.0).build(pool)), 25).tolist() == taken


def test_sums_of_vectors_are_the_same_to_the_bit_whoever_asks():
    pool = vectors(np.random.default_rng(2).normal(size=(150, 7)))
    rows = alike(pool, "vec")
    prompt = late = rows.start()
    for i in range(140):
        prompt, late = rows.add(prompt, i), rows.add(late, i)
        told = rows.met(prompt, np.arange(150))
    few = at(149, 3, 77)
    assert rows.met(late, few).tobytes() == told[few].tobytes()
    assert rows.met(late, np.arange(150)).tobytes() == told.tobytes()
    np.testing.assert_allclose(told, dense(pool, "vec")[:, :140].sum(axis=1), rtol=1e-5)


def test_the_gain_of_an_opposite_never_rises_by_rounding():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(1, 37))
    pool = vectors(np.concatenate([one * rng.uniform(0.1, 9, (300, 1)), -one * rng.uniform(0.1, 9, (60, 1))]))
    built = alone(GraphCut(redundancy=3.0).build(pool))
    state, opposite = built.start(), np.arange(300, 360)
    before = built.gains(state, opposite)
    for row in range(300):
        state = built.add(state, row)
        after = built.gains(state, opposite)
        assert (after <= before).all()
        before = after


def test_sum_coverage_weighs_the_rows_to_be_covered():
    pool = vectors([[1, 0], [0, 1], [0, 1]])
    pool = pool.with_signal("w", Costs(np.array([1e308, 0.0, 0.0]))).with_signal(
        "q", Scores(np.array([1.0, -1, 0]))
    )
    assert SumCoverage(weights="w").value(pool, at(0))[0] == 1
    assert alone(SumCoverage(weights="w").build(pool)).gains(None, at(1))[0, 0] == pytest.approx(0.5)
    with pytest.raises(ContractError, match="weights must be 0 or more"):
        alone(SumCoverage(weights="q").build(pool))


# --- columns ------------------------------------------------------------------------------------------------


def test_columns_of_every_signal():
    found = alone(
        columns(Pool.of({"s": terms([[(5, 1), (2, 0)], [], [(5, 2), (5, 3), (0, 1)]], 9)}), "s", KINDS)
    )
    assert found.dense(np.arange(3)).tolist() == [[0, 1], [0, 0], [1, 5]]
    found = alone(columns(Pool.of({"s": Labels.of(["b", "a", "b"])}), "s", KINDS))
    assert found.dense(np.arange(3)).tolist() == [[1, 0], [0, 1], [1, 0]]
    found = alone(columns(Pool.of({"s": graph([[0.5, 0.25], [0, 0]])}), "s", KINDS))
    assert found.dense(np.arange(2)).tolist() == [[1, 0.25], [0, 1]]
    found = alone(columns(Pool.of({"s": Vectors(np.array([[0, 2, 0], [0, 1, 3]], np.float32))}), "s", KINDS))
    assert found.dense(np.arange(2)).tolist() == [[2, 0], [1, 3]]
    found = alone(columns(Pool.of({"s": Text.of(["b a b", "", "c"])}), "s", KINDS))
    assert sorted(found.dense(at(0)).ravel().tolist()) == [0, 1, 2]
    assert found.totals().tolist() == found.dense(np.arange(3)).sum(axis=0).tolist()
    assert found.rows_with().tolist() == [1, 1, 1]


def test_text_is_read_in_pieces_to_the_same_bytes(monkeypatch):
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{w}" for w in rng.zipf(1.4, rng.integers(0, 9)).clip(max=99)) for _ in range(80)]
    pool, told = Pool.of({"t": Text.of(texts)}), set()
    for piece in (1, 40, 1 << 23):
        monkeypatch.setattr(module, "PIECE", piece)
        found = alone(columns(pool, "t", KINDS))
        told.add((found.indptr.tobytes(), found.indices.tobytes(), found.data.tobytes()))
    assert len(told) == 1
    assert found.width == len({w for t in texts for w in t.split()})


def test_signals_that_do_not_suit_are_named():
    pool = vectors([[1, -0.5]]).with_signal("s", Scores(np.zeros(1)))
    for f, says in (
        (FeatureBased("vec"), "'vec' has an entry of -0.5; features must be 0 or more"),
        (FeatureBased("s"), "'s' is Scores, Terms or Vectors or Text or Tags or Labels is needed"),
        (SetCover("vec"), "'vec' is Vectors, Tags or Labels or Terms or Text is needed"),
        (GraphCut("s"), "'s' is Scores, Vectors is needed"),
        (LabelGraphGain("none"), "no signal 'none'"),
    ):
        with pytest.raises(ContractError, match=says):
            alone(f.build(pool))
        with pytest.raises(ContractError, match=says):
            f.need(pool, 1) if "entry" not in says else f.value(pool, at(0))
    with pytest.raises(ContractError, match="has an entry of 2; probabilities"):
        alone(ProbabilisticSetCover("vec").build(vectors([[2]])))


@pytest.mark.parametrize(
    "bad",
    [
        "GraphCut(redundancy=-1)",
        "GraphCut(redundancy='much')",
        "FeatureBased(concave='sqrt')",
        "FeatureBased(concave=GraphCut())",
        "FeatureBased(concave=Saturate(0))",
        "FeatureBased(concave=Saturate(at=2))",
        "LabelGraphGain(threshold=0)",
        "LabelGraphGain(power=1.5)",
        "LabelGraphGain(spread=-1)",
    ],
)
def test_impossible_hyperparameters_are_refused(bad):
    with pytest.raises(UsageError):
        parse(bad, {c.__name__: c for c in CLASSES})


def test_concave_functions_are_written_as_constructors():
    for f in (FeatureBased(concave=Log()), FeatureBased("vec", concave=Saturate(0.25), idf=True)):
        assert parse(expression(f), {c.__name__: c for c in CLASSES}) == f
    assert parse("FeatureBased('t', concave=Sqrt())", {c.__name__: c for c in CLASSES}) == FeatureBased("t")


# --- features, groups, probabilities ------------------------------------------------------------------------


def test_features_by_hand():
    pool = Pool.of({"t": terms([[(0, 4), (1, 1)], [(0, 5)], [(1, 8)]], 2)})
    value = lambda phi: FeatureBased("t", concave=phi).value(pool, at(0))[0]  # noqa: E731
    assert value(Sqrt()) == pytest.approx((2 + 1) / (3 + 3))
    assert value(Log()) == pytest.approx((math.log(5) + math.log(2)) / (2 * math.log(10)))
    assert value(Saturate(1 / 3)) == pytest.approx((3 + 1) / (3 + 3))
    rare = Pool.of({"t": Tags.of([["x", "y"], ["x"], ["x"]])})
    common, idf = 1.0, 1 + math.log(4 / 2)
    whole = math.sqrt(3) * common + idf
    assert FeatureBased("t", idf=True).value(rare, at(0))[0] == pytest.approx((common + idf) / whole)


def test_a_saturated_feature_adds_nothing_more():
    pool = Pool.of({"t": terms([[(0, 3)], [(0, 3)], [(0, 6)]], 1)})
    built = alone(FeatureBased("t", concave=Saturate(0.25)).build(pool))
    assert built.gains(built.start(), np.arange(3))[:, 0].tolist() == [1, 1, 1]
    assert built.gains(built.add(built.start(), 0), np.arange(3))[:, 0].tolist() == [0, 0, 0]


def test_covers_by_hand():
    pool = Pool.of(
        {"t": Tags.of([["x", "y"], ["x"], ["x"], []]), "p": terms([[(0, 0.5)], [(0, 0.5)], [], [(1, 1)]], 2)}
    )
    assert SetCover("t").value(pool, at(1))[0] == 0.5
    assert SetCover("t", by_share=True).value(pool, at(1, 2))[0] == 0.75
    assert SetCover("t").value(pool, at(0, 1))[0] == 1
    assert ProbabilisticSetCover("p").value(pool, at(0, 1))[0] == pytest.approx(0.75 / 2)
    assert ProbabilisticSetCover("p", by_share=True).value(pool, at(0, 1))[0] == pytest.approx(0.75 / 2)
    built = alone(ProbabilisticSetCover("p").build(pool))
    after = built.add(built.add(built.start(), 3), 3)
    assert built.gains(after, np.arange(4))[:, 0].tolist() == [0.25, 0.25, 0, 0]


def test_sure_probabilities_are_a_set_cover():
    pool = crowd(200)
    sure, plain = (climb(alone(f("tags").build(pool)), 20) for f in (ProbabilisticSetCover, SetCover))
    assert sure.tolist() == plain.tolist()


def test_gains_never_rise_over_long_walks_without_numba_too(monkeypatch):
    pool, rng = crowd(90), np.random.default_rng(4)
    for compiled in (True, False):
        monkeypatch.setattr(module, "have_numba", lambda c=compiled: c)
        for f in (
            FeatureBased(),
            FeatureBased(concave=Log()),
            FeatureBased(concave=Saturate()),
            LabelGraphGain(),
        ):
            built = alone(f.build(pool))
            state = built.start()
            before = built.gains(state, np.arange(90))
            for row in rng.permutation(90)[:40]:
                state = built.add(state, int(row))
                after = built.gains(state, np.arange(90))
                assert (after <= before).all()
                before = after
