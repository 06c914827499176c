"""What laws cannot say of LabelGraphGain: the published order, links between labels, qualities."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.climb import climb
from shortlist.core.columns import Columns, columns
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Neighbors, Scores, Tags, Terms, Text, Vectors
from shortlist.methods.objective import label_graph_gain
from shortlist.methods.objective.label_graph_gain import LabelGraphGain, bound, label_vectors
from shortlist.methods.solve.lazy_greedy import LazyGreedy

KINDS = (Terms, Vectors, Text, Tags, Labels, Neighbors)


def graph(dense) -> Neighbors:
    row, column = np.nonzero(dense)
    ends = np.searchsorted(row, np.arange(len(dense) + 1)).astype(np.int64)
    return Neighbors(ends, column.astype(np.int32), np.asarray(dense, np.float32)[row, column])


def at(*rows: int) -> np.ndarray:
    return np.array(rows, np.int64)


def public_order(given, links, spread: float, power: float, k: int) -> list[int]:
    """Rows by the published algorithm, dense, anew at every pick: given f64[n, L], links f64[L, L]."""
    own = np.eye(len(links))
    passed = links * own + links * (1 - own) * spread
    rows = given @ (passed / passed.sum(axis=0))
    mass, taken = np.zeros(len(links)), []
    for _ in range(k):
        gain = rows @ (power * (mass + 1e-6) ** (power - 1))
        gain[taken] = -np.inf
        taken.append(int(np.argmax(gain)))
        mass += rows[taken[-1]]
    return taken


@pytest.mark.parametrize(
    ("spread", "power", "split"), [(1.0, 0.8, False), (0.3, 0.5, True), (0.0, 1.0, False)]
)
def test_labels_are_taken_in_the_published_order_on_the_same_graph(spread, power, split):
    rng = np.random.default_rng(int(10 * spread))
    n, width = 300, 40
    has = rng.random((n, width)) < 0.08
    links = np.triu((rng.random((width, width)) < 0.15) * rng.uniform(0.9, 1, (width, width)), 1)
    links = (links + links.T + np.eye(width)).astype(np.float32)
    quality = rng.uniform(1, 30, n).astype(np.float32)
    each = quality[:, None] / (np.maximum(has.sum(axis=1, keepdims=True), 1) if split else 1)
    given = (has * each).astype(np.float32)
    row, column = np.nonzero(given)
    rows = Columns(np.searchsorted(row, np.arange(n + 1)), column.astype(np.int32), given[row, column], width)
    g = graph(links)
    built = bound(rows, Columns(g.indptr, g.indices, g.data, width), spread, power, ("information",))
    want = public_order(given.astype(np.float64), links.astype(np.float64), spread, power, 120)
    pool = Pool(np.arange(n), {})
    assert LazyGreedy()(built, bind(pool, (), 120), pool).rows.tolist() == want
    assert climb(built, 120).tolist() == want


def test_labels_are_linked_by_the_rows_that_carry_them():
    tags = [["a", "b"], ["a", "b"], ["c"], ["c", "all"], ["all"]]
    pool = Pool.of({"tags": Tags.of(tags), "vec": Vectors(np.eye(5, 3, dtype=np.float32) + 0.1)})
    built = alone(LabelGraphGain(vectors="vec", threshold=0.95).build(pool))
    dense_ = built.links.dense(np.arange(4))
    assert (dense_ == dense_.T).all()
    assert dense_[0, 1] == pytest.approx(1)  # a and b are of the same rows
    assert dense_[0, 2] == dense_[1, 3] == 0
    assert np.diag(dense_).tolist() == [1] * 4
    assert built.total.tolist() == pytest.approx([2, 2, 1, 1], abs=1e-5)
    rows = alone(columns(pool, "tags", KINDS))
    x = pool.signal("vec", Vectors).values.astype(np.float64)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    want = unit[[0, 1]].sum(axis=0) - 2 * unit.mean(axis=0)
    np.testing.assert_allclose(label_vectors(x.astype(np.float32), rows)[0], want, atol=1e-6)


def test_a_label_every_row_has_points_nowhere():
    rng = np.random.default_rng(0)
    tags = Tags.of([["all", "odd"] if i % 2 else ["all"] for i in range(501)])
    pool = Pool.of({"tags": tags, "vec": Vectors((rng.normal(size=(501, 64)) + 3).astype(np.float32))})
    rows = alone(columns(pool, "tags", KINDS))
    found = label_vectors(pool.signal("vec", Vectors).values, rows)
    assert not found[0].any()
    assert found[1].any()


def test_labels_of_equal_rows_point_nowhere():
    rng = np.random.default_rng(0)
    tags = Tags.of([[str(t) for t in rng.integers(0, 30, 3)] for _ in range(500)])
    rows = alone(columns(Pool.of({"tags": tags}), "tags", KINDS))
    equal = np.tile(rng.normal(size=(1, 64)).astype(np.float32), (500, 1))
    assert not label_vectors(equal, rows).any()


def test_labels_all_alike_are_refused(monkeypatch):
    monkeypatch.setattr(label_graph_gain, "LINKS", 2)
    tags = Tags.of([[str(i) for i in range(4)], []])
    pool = Pool.of({"tags": tags, "vec": Vectors(np.eye(2, dtype=np.float32))})
    with pytest.raises(ContractError, match="raise threshold"):
        alone(LabelGraphGain(vectors="vec").build(pool))


def test_quality_is_taken_as_it_is_or_by_rank():
    pool = Pool.of({"tags": Tags.of([["a"], ["b"], ["c"]]), "q": Scores(np.array([1.0, 30.0, 2.0]))})
    slope = 0.8 * 1e-6**-0.2
    built = alone(LabelGraphGain(quality="q").build(pool))
    assert built.gains(built.start(), np.arange(3))[:, 0] == pytest.approx(slope * np.array([1, 30, 2]))
    built = alone(LabelGraphGain(quality="q", ranks=True).build(pool))
    assert built.gains(built.start(), np.arange(3))[:, 0] == pytest.approx(slope * np.array([1, 5, 3]) / 6)
    assert LabelGraphGain(quality="q").value(pool, at(1))[0] == pytest.approx(30**0.8, rel=1e-4)
    worse = pool.with_signal("q", Scores(np.array([1.0, 30.0, 2.0]), higher_is_better=False))
    with pytest.raises(ContractError, match="ranks=True"):
        alone(LabelGraphGain(quality="q").build(worse))
