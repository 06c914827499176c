"""Selectors of one rule each against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Vectors
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.sample import coverage_strata, score_first, stratified, targeted
from shortlist.methods.sample.coverage_strata import CoverageStrata, allocated
from shortlist.methods.sample.repeated_random import RepeatedRandom, exact
from shortlist.methods.sample.score_first import ScoreFirst
from shortlist.methods.sample.stratified import Stratified, largest_remainders
from shortlist.methods.sample.targeted import Targeted


def pool(n: int = 300, seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(9, 6))[rng.integers(0, 9, n)] + rng.normal(size=(n, 6)) * 0.3
    rows[n // 2 :: 7] = rows[0]
    return Pool.of(
        {
            "vec": Vectors(rows.astype(np.float32)),
            "score": Scores(np.round(rng.normal(size=n), 1)),
            "label": Labels(rng.integers(0, 4, n).astype(np.int32), tuple("abcd")),
        }
    )


@pytest.mark.parametrize(("n", "k"), [(20, 5), (20, 6), (7, 7), (9, 4)])
def test_every_row_is_seen_in_a_round_of_epochs(n: int, k: int) -> None:
    some, per = Pool(np.arange(n), {}), -(-n // k)
    limits = bind(some, [], k)
    for turn in range(3):
        rows = [RepeatedRandom(turn * per + e, seed=1)(None, limits, some).rows for e in range(per)]
        assert all(len(set(r.tolist())) == k for r in rows)
        seen = np.bincount(np.concatenate(rows), minlength=n)
        assert seen.min() == 1
        assert seen.sum() == per * k
        for e, r in enumerate(rows):
            assert r.tolist() == exact(n, k, turn * per + e, 1).tolist()
    with pytest.raises(UsageError, match="epoch must be 0"):
        RepeatedRandom(-1)


def test_quotas_are_exact_and_add_up() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        sizes = rng.integers(0, 9, rng.integers(1, 6))
        m = int(rng.integers(0, sizes.sum() + 1))
        if sizes.sum():
            got = largest_remainders(sizes, m)
            assert got.tolist() == stratified.exact(sizes.tolist(), m)
            assert (np.abs(got - m * sizes / sizes.sum()) < 1).all()
        even = allocated(sizes, m)
        assert even.sum() == m
        assert (even <= sizes).all()
        assert sorted(even.tolist()) == sorted(coverage_strata.exact(sizes.tolist(), m))


def test_strata_are_met_and_refilled_under_limits() -> None:
    some = pool()
    codes = some.columns["label"].codes
    rows = Stratified(seed=1)(None, bind(some, [], 40), some).rows
    want = largest_remainders(np.bincount(codes), 40)
    assert np.bincount(codes[rows], minlength=4).tolist() == want.tolist()
    limits = bind(some, [Quota("label", at_most={"a": 2})], 40)
    rows = Stratified(seed=1)(None, limits, some).rows
    assert len(rows) == 40
    assert (codes[rows] == 0).sum() == 2
    got = Stratified(seed=1).sample(some, 40)
    np.testing.assert_allclose(got.chance, (want / np.bincount(codes))[codes[got.rows]])
    assert np.isclose(got.weight.sum(), 300)


def test_the_hardest_are_left_out_until_they_are_needed() -> None:
    some = pool()
    score = some.columns["score"].values
    hard = set(np.argsort(score, kind="stable")[:60].tolist())
    solver = CoverageStrata(drop=0.2, bands=5, seed=3)
    rows = solver(None, bind(some, [], 50), some).rows
    assert not hard & set(rows.tolist())
    rows = solver(None, bind(some, [], 250), some).rows
    assert len(hard & set(rows.tolist())) == 10
    assert not hard & set(rows[:240].tolist())


@pytest.mark.parametrize("threshold", [0.3, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("k", [5, 30])
def test_score_first_is_its_rule(threshold: float, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    some = pool()
    vec, score = some.columns["vec"].values, some.columns["score"].values
    want = score_first.exact(vec, score, k, threshold)
    monkeypatch.setattr(score_first, "BLOCK", 16)
    rows = ScoreFirst(threshold=threshold)(None, bind(some, [], k), some).rows.tolist()
    assert rows[: len(want)] == want
    left = [i for i in np.argsort(-score, kind="stable").tolist() if i not in want]
    assert rows[len(want) :] == left[: k - len(want)]
    first = int(np.argmax(score))
    rows = ScoreFirst(threshold=threshold)(None, bind(some, [Shown([first])], 5), some).rows
    unit = vec / np.linalg.norm(vec, axis=1, keepdims=True)
    near = unit @ unit[first]
    assert near[rows[0]] < threshold


def test_targets_claim_in_turn() -> None:
    some = pool()
    vec, codes = some.columns["vec"].values.astype(np.float64), some.columns["label"].codes
    unit = vec / np.linalg.norm(vec, axis=1, keepdims=True)
    rest = np.flatnonzero(codes != 2)
    cosine = np.round(unit[codes == 2] @ unit[rest].T, 12)
    for k in (1, 10, 120, len(rest)):
        rows = Targeted("label:c")(None, bind(some, [], k), some).rows
        want = rest[targeted.exact(cosine, k)]
        near = {i: cosine[:, np.flatnonzero(rest == i)[0]] for i in rest.tolist()}
        assert len(rows) == k == len(want)
        same = (rows == want).mean()  # copies tie in one precision and not in the other
        assert same > 0.5
        a, b = (sorted(np.round(near[i].max(), 5) for i in r.tolist()) for r in (rows, want))
        np.testing.assert_allclose(a, b, atol=2e-5)
    rows = Targeted("label:c")(None, bind(some, [], 300), some).rows
    assert (codes[rows[len(rest) :]] == 2).all()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: CoverageStrata(drop=1.0), "drop must lie"),
        (lambda: CoverageStrata(bands=0), "bands be 1"),
        (lambda: ScoreFirst(threshold=0.0), "threshold must lie"),
        (lambda: Targeted("dev"), "signal:group"),
    ],
)
def test_wrong_options_are_told(made: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        made()
