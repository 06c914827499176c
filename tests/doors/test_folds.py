"""Cross-fitting: held-out rows are held out, rules are scaled as they say."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.contracts import Row
from shortlist.core.effects import alone
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Vectors
from shortlist.doors import folds
from shortlist.doors.folds import Scaled, cross_fit
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.objective.modular import Modular
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.random_draw import draws

INF = float("inf")


def test_rules_over_some_rows() -> None:
    at = np.array([0, 2, 3, 7])
    whole = (
        Row("size=10", "size", None, None, -INF, 10),
        Row("size>=9", "size", None, None, 9, INF),
        Row("g>=5", "quota", np.array([1, 2, 3, 4]), None, 5, INF),
        Row("g<=3", "quota", np.array([1, 2, 3, 4]), None, -INF, 3),
        Row("cost<=8", "knapsack", None, np.arange(8.0), -INF, 8),
        Row("part<=8", "knapsack", np.array([2, 5, 7]), np.array([1.0, 2.0, 3.0]), -INF, 8),
        Row("include=1,7", "include", np.array([1, 7]), None, 2, INF),
        Row("exclude=0", "exclude", np.array([0]), None, -INF, 0),
        Row("shown=5", "shown", np.array([5]), None, -INF, 0),
    )
    pool = Pool.of({"q": Scores(np.zeros(4))})
    rules = {r.text: r for r in Scaled(whole, at, 0.5).rows(pool, 4)}
    assert "shown=5" not in rules  # not here
    assert (rules["size=10"].low, rules["size=10"].high) == (-INF, 4)
    assert (rules["size>=9"].low, rules["size>=9"].high) == (4, 4)
    assert rules["g>=5"].low == 2  # half is 2, and two are here
    assert rules["g>=5"].at.tolist() == [1, 2]
    assert rules["g<=3"].high == 2
    assert rules["cost<=8"].high == 4
    assert rules["cost<=8"].weight.tolist() == [0, 2, 3, 7]
    assert rules["part<=8"].at.tolist() == [1, 3]
    assert rules["part<=8"].weight.tolist() == [1, 3]
    assert rules["include=1,7"].at.tolist() == [3]
    assert rules["include=1,7"].low == 1
    assert rules["exclude=0"].at.tolist() == [0]
    assert rules["exclude=0"].high == 0


@pytest.mark.parametrize(("n", "sample", "expected"), [(240, 10_000, 4), (1200, 10_000, 2), (1200, 400, 4)])
def test_each_row_is_held_out_once_and_never_chosen_by_its_fold(
    n: int, sample: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "SAMPLE", sample)
    rng = np.random.default_rng(0)
    pool = Pool.of(
        {
            "vec": Vectors(rng.normal(size=(n, 3)).astype(np.float32)),
            "q": Scores(rng.normal(size=n)),
            "source": Labels(rng.integers(0, 3, n).astype(np.int32), tuple("abc")),
            "cost": Costs(rng.integers(1, 9, n).astype(float)),
        }
    )
    k = n // 4
    rules = (
        Cardinality(k),
        Quota("source", at_least={"a": 0.5}),
        Knapsack("cost", at_most=4 * k),
        Include((1, 5)),
    )
    seen: list[Pool] = []

    def choose(p: Pool, inner: BoundLimits) -> np.ndarray:
        seen.append(p)
        return np.searchsorted(p.rows, LazyGreedy()(alone(Modular("q").build(p)), inner, p).rows)

    found, how = cross_fit(
        pool,
        settle(pool, rules),
        choose,
        draw=lambda inner: draws(inner, 5, 0),
        top=lambda inner, p: {"q": np.arange(3)},
        seed=0,
    )
    assert len(found) == len(seen) == expected
    held = np.concatenate([f.held for f in found])
    assert len(np.unique(held)) == len(held) == min(n, sample)
    for fold, candidates in zip(found, seen, strict=True):
        assert not np.isin(candidates.rows, fold.held).any()
        for chosen in (fold.ours, *fold.draws, *fold.tops.values()):
            assert np.isin(chosen, candidates.rows).all()
        size = max(round(k * len(candidates) / n), min(k, folds.LEAST))
        for chosen in (fold.ours, *fold.draws):
            assert len(chosen) <= size
            assert pool.columns["cost"].values[chosen].sum() <= 4 * size + 1e-9
            assert (pool.columns["source"].codes[chosen] == 0).sum() >= np.floor(size / 2) - 1
            assert np.isin(np.intersect1d([1, 5], candidates.rows), chosen).all()
    assert how.startswith(f"{expected} folds of")
    assert ("seeded sample" in how) == (sample < n)
    again, _ = cross_fit(
        pool, settle(pool, rules), choose, draw=lambda inner: draws(inner, 5, 0), top=lambda i, p: {}, seed=0
    )
    assert [f.ours.tolist() for f in again] == [f.ours.tolist() for f in found]
