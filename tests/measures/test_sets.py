"""Radius, facility value, dispersion and near-copies against double loops, and their edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.measures import dispersion, duplicates
from shortlist.measures.coverage import Coverage
from shortlist.measures.dispersion import Dispersion
from shortlist.measures.duplicates import Duplicates, copies
from shortlist.measures.facility_value import FacilityValue
from shortlist.measures.radius import Radius, radius

FEW = np.array([[0, 0], [1, 0], [2, 0], [-1, 0], [0, 1], [1, 1], [1, 1 + 2**-20]], np.float32)
rows = st.lists(st.integers(0, len(FEW) - 1), max_size=12)


def cosine(u: np.ndarray, v: np.ndarray) -> float:
    lengths = np.linalg.norm(u.astype(float)) * np.linalg.norm(v.astype(float))
    return float(u.astype(float) @ v.astype(float) / lengths) if lengths > 0 else 0.0


@settings(deadline=None, max_examples=80)
@given(rows, rows, st.sampled_from([1, 2, 4096]))
def test_all_of_them_are_their_double_loops(pool: list[int], chosen: list[int], block: int) -> None:
    x, at = FEW[pool].reshape(-1, 2), np.array([c % max(len(pool), 1) for c in chosen if pool], np.int64)
    p = Pool.of({"vec": Vectors(x)})
    best = [max((cosine(u, x[j]) for j in at), default=0.0) for u in x]
    assert FacilityValue("vec")(p, at) == pytest.approx(sum(max(b, 0) for b in best), abs=1e-5)
    assert Coverage("vec")(p, at) * len(x) == pytest.approx(FacilityValue("vec")(p, at), abs=1e-5)
    assert Radius("vec")(p, at) == pytest.approx(max((1 - max(b, 0) for b in best), default=0.0), abs=1e-5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispersion, "BLOCK", block)
        patch.setattr(duplicates, "BLOCK", block)
        far = [1 - cosine(x[i], x[j]) for n, i in enumerate(np.sort(at)) for j in np.sort(at)[:n]]
        for measure, want in ((Dispersion("vec"), np.mean), (Dispersion("vec", least=True), min)):
            assert measure(p, at) == pytest.approx(want(far) if far else np.nan, abs=1e-5, nan_ok=True)
        near = [any(cosine(x[i], x[j]) >= 0.95 for j in range(i)) for i in range(len(x))]
        seen = copies(x)
    assert seen.share == pytest.approx(np.mean(near) if near else 0)
    assert (seen.low, seen.high, seen.measured) == (seen.share, seen.share, len(x))


def test_who_is_served_worst_and_who_stand_nearest() -> None:
    assert radius(Vectors(FEW), np.array([1, 4])) == (1.0, 0)
    assert radius(Vectors(FEW[1:3]), np.array([0])) == (0.0, 0)
    assert radius(Vectors(FEW[:0]), np.zeros(0, np.int64)) == (0.0, -1)
    assert dispersion.least(FEW[[1, 4, 3, 5]]) == (pytest.approx(1 - 0.5**0.5), 0, 3)


def test_a_sample_of_a_large_set_has_an_interval_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 16)).astype(np.float32)
    x[rng.choice(np.arange(1500, 3000), 600, replace=False)] = x[rng.integers(0, 1500, 600)]
    true = copies(x).share
    assert true == pytest.approx(0.2, abs=0.01)
    monkeypatch.setattr(duplicates, "EXACT", 500)
    monkeypatch.setattr(duplicates, "SAMPLE", 400)
    held = 0
    for seed in range(40):
        seen = copies(x, seed=seed)
        assert seen.measured == 400
        held += seen.low <= true <= seen.high
    assert held >= 36
    pool = Pool.of({"vec": Vectors(x)})
    assert Duplicates("vec", seed=3)(pool, np.arange(3000)) == copies(x, seed=3).share


def test_names_and_bad_thresholds() -> None:
    for measure in (Radius(), FacilityValue(), Dispersion(), Dispersion(least=True), Duplicates()):
        assert "vec" in measure.name
    for bad in (0, 1.1, float("nan")):
        with pytest.raises(UsageError, match="threshold"):
            Duplicates(threshold=bad)
