"""The smallest case of every cause on docs/differences. One that fails was mended: take it off."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from shortlist.core.signals import Tags, Text
from shortlist.methods.dedup.jaccard import Jaccard
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.log_det_mi import LogDetMI
from shortlist.methods.objective.max_min_dispersion import MaxMinDispersion
from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.set_cover import SetCover
from tests.differences.play import chosen, cosines, pool_of

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs


def tagged(x: np.ndarray):
    return pool_of(x.astype(np.float32), tags=Tags.of([[str(c) for c in np.flatnonzero(r)] for r in x]))


def test_apricot_lazy_stops_searching_at_two_zeros():
    by = pytest.importorskip("tests.differences.by_apricot", reason="apricot is not installed")
    x = np.array([[0, 1], [0, 1], [0, 1], [1, 0]], float)
    assert by.fitted(by.apricot.MaxCoverageSelection(2, optimizer="lazy"), x) == ([0, 2], [1.0, 0.0])
    assert chosen(SetCover(), tagged(x), 2) == [0, 3]


def test_apricot_lazy_takes_a_row_twice():
    by = pytest.importorskip("tests.differences.by_apricot", reason="apricot is not installed")
    x = np.array([[0], [0], [1]], float)
    assert by.fitted(by.apricot.MaxCoverageSelection(3, optimizer="lazy"), x)[0] == [2, 1, 1]
    assert chosen(SetCover(), tagged(x), 3) == [2, 0, 1]


def test_apricot_never_ends():
    by = pytest.importorskip("tests.differences.by_apricot", reason="apricot is not installed")
    kind = by.apricot.SumRedundancySelection
    with pytest.raises(by.Endless):
        by.fitted(kind(1, metric="precomputed", optimizer="approximate-lazy"), np.ones((1, 1)))


def test_apricot_squares_cosines():
    by = pytest.importorskip("tests.differences.by_apricot", reason="apricot is not installed")
    x = np.array([[3, 1], [0, 2], [3, 1], [1, 0], [3, 3]], float)
    rows, gains = by.fitted(by.apricot.FacilityLocationSelection(1, metric="cosine", optimizer="naive"), x)
    assert (rows, gains) == ([0], [pytest.approx(3.8)])
    assert cosines(x).sum(axis=0).argmax() == 4


@pytest.mark.parametrize(("k", "what"), [(0, "positive"), (3, "more examples")])
def test_apricot_refuses_sizes(k, what):
    by = pytest.importorskip("tests.differences.by_apricot", reason="apricot is not installed")
    with pytest.raises(ValueError, match=what):
        by.fitted(by.apricot.FacilityLocationSelection(k, metric="precomputed"), np.eye(2))
    assert len(chosen(SetCover(), tagged(np.eye(2)), k)) == min(k, 2)


def test_apricot_refuses_mixed_signs_and_fails_at_bidirectional():
    by = pytest.importorskip("tests.differences.by_apricot", reason="apricot is not installed")
    kind = by.apricot.FacilityLocationSelection
    with pytest.raises(ValueError, match="negative"):
        by.fitted(kind(1, metric="precomputed"), np.array([[1, -0.5], [-0.5, 1]]))
    with pytest.raises(ValueError, match="zero-size"):
        by.fitted(kind(2, metric="precomputed", optimizer="bidirectional"), np.eye(3))


def test_submodlib_dispersions():
    submodlib = pytest.importorskip("submodlib", reason="submodlib is not installed")
    x = np.array([[1, 0], [-1, 0], [0, 1]], np.float32)
    peer = submodlib.DisparityMinFunction(3, mode="dense", sijs=cosines(x))
    assert peer.evaluate({0, 1}) == peer.evaluate({0, 2}) == 1.0
    assert MaxMinDispersion().value(pool_of(x), np.array([0, 1]))[0] == pytest.approx(2 + 2)
    assert chosen(MaxMinDispersion(), pool_of(x), 2) == [0, 1]
    x = np.array([[1, 0], [0, 0]], np.float32)
    peer = submodlib.DisparitySumFunction(2, mode="dense", sijs=cosines(x))
    assert [peer.evaluate(s) for s in ({0}, {1}, {0, 1})] == [0.0, 0.5, 1.5]
    assert MaxSumDispersion().value(pool_of(x), np.array([0, 1]))[0] == 1.0


def test_submodlib_rescales_features():
    submodlib = pytest.importorskip("submodlib", reason="submodlib is not installed")
    from submodlib_cpp import FeatureBased

    peer = submodlib.FeatureBasedFunction(2, [[1.0], [4.0]], 1, False, mode=FeatureBased.squareRoot)
    assert [peer.evaluate({i}) for i in (0, 1)] == [0.0, 1.0]  # by the definition 1 and 2


def test_submodlib_is_lazy_where_gains_rise():
    submodlib = pytest.importorskip("submodlib", reason="submodlib is not installed")
    x, q = np.array([[0, -1], [-1, -1], [-1, 0]], np.float32), np.array([True, True, False])
    c = cosines(x)
    peer = submodlib.LogDeterminantMutualInformationFunction(
        3, 2, 0.1, data_sijs=c, query_sijs=c[:, q], query_query_sijs=c[q][:, q]
    )
    found = {
        s: [row for row, _ in peer.maximize(2, optimizer=s, show_progress=False)]
        for s in ("NaiveGreedy", "LazyGreedy")
    }
    assert found == {"NaiveGreedy": [0, 2], "LazyGreedy": [0, 1]}
    assert peer.evaluate({0, 2}) == pytest.approx(3.0898, abs=1e-4)
    assert peer.evaluate({0, 1}) == pytest.approx(3.0406, abs=1e-4)
    assert chosen(LogDetMI(toward="split:q"), pool_of(x, q), 2) == [0, 2]


def test_submodlib_refuses_all_rows():
    submodlib = pytest.importorskip("submodlib", reason="submodlib is not installed")
    peer = submodlib.FacilityLocationFunction(3, mode="dense", sijs=np.eye(3), separate_rep=False)
    with pytest.raises(Exception, match="Budget must be less"):
        peer.maximize(3, show_progress=False)
    assert peer.maximize(0, show_progress=False) == []


def test_pyversity_takes_a_zero_row_for_a_direction():
    pyversity = pytest.importorskip("pyversity", reason="pyversity is not installed")
    x = np.array([[1, 0], [0, 0], [0.9, 0.1]], np.float32)
    found = pyversity.diversify(x, np.zeros(3), 2, strategy="dpp")
    assert found.indices.tolist() == [0, 1]
    assert chosen(LogDet(ridge=1e-3), pool_of(x), 2) == [0, 2]


def test_pyversity_goes_on_in_rounding():
    pyversity = pytest.importorskip("pyversity", reason="pyversity is not installed")
    x = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    found = pyversity.diversify(x, np.arange(3), 3, strategy="dpp")
    assert found.indices.tolist() == [2, 1, 0]
    assert 0 <= found.selection_scores[2] < 1e-6  # the determinant of three rows in a plane is 0


def test_our_ridge_lets_a_near_copy_pass():
    by = pytest.importorskip("tests.differences.by_pyversity", reason="pyversity is not installed")
    angle = np.array([0.0, 0.02, 0.142])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    scores = np.array([1, 1, 0], np.float32)
    found = by.diversify(x, scores, 2, strategy="dpp", diversity=0.3)
    assert found.indices.tolist() == [0, 2]
    z = 2 * (1 - 0.3) / float(scores.std())
    ours = by.Sum((by.RELEVANCE, LogDet(ridge=1e-3)), weights=(z, np.log1p(1000)))
    assert chosen(ours, by.pooled(x, scores), 2) == [0, 1]


def test_datasketch_misses_and_goes_wrong():
    datasketch = pytest.importorskip("datasketch", reason="datasketch is not installed")

    def met(words: list[str], others: list[str]) -> bool:
        index = datasketch.MinHashLSH(threshold=0.7, num_perm=128)
        one, other = datasketch.MinHash.generator(
            [[w.encode() for w in words], [w.encode() for w in others]], num_perm=128
        )
        index.insert(0, one)
        return bool(index.query(other))

    four, seven = [f"w{i}" for i in range(1, 5)], [f"w{i}" for i in range(7, 14)]
    assert not met(four, four[:3])  # 3 of 4 in common: 0.75
    assert met(seven, seven[:4])  # 4 of 7: 0.57
    index = datasketch.MinHashLSH(threshold=0.7, num_perm=128)
    assert (index.b, index.r) == (14, 9)  # two sets at 0.7 meet with chance 1 - (1 - 0.7 ** 9) ** 14 = 0.44
    rows = Text.of([" ".join(words) for words in (four, four[:3], seven, seven[:4])])
    pool = Pool.of({"text": rows})
    found = alone(Jaccard(threshold=0.7, ngram=1).steps(pool), pool)
    assert found.rows.tolist() == [1]


def test_pyversity_first_pick_is_by_relevance():
    """Whatever its weight. By the definition all rows are tied at first where relevance has none."""
    pyversity = pytest.importorskip("pyversity", reason="pyversity is not installed")
    x, scores = np.array([[1, 0], [0, 1]], np.float32), np.array([0.0, 1.0], np.float32)
    assert pyversity.diversify(x, scores, 1, strategy="mmr", diversity=1.0).indices.tolist() == [1]
    assert chosen(MMR(), pool_of(x), 1) == [0]
