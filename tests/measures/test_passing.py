"""pass@k, eff@k, scaling, differential performance and partial judgments against their definitions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from shortlist.core.errors import ContractError, UsageError
from shortlist.measures import efficiency_at_k, pass_at_k
from shortlist.measures.coverage_scaling import Scaling, coverage_scaling, fit
from shortlist.measures.differential_performance import differential_performance, levels
from shortlist.measures.efficiency_at_k import eff_at, eff_of_task, efficiency, hodges_lehmann
from shortlist.measures.partial_judgments import Judged, Reliability, enough, pool_bias, reliability, tau
from shortlist.measures.pass_at_k import pass_at, pass_by_task


def test_pass_at_k_is_all_subsets() -> None:
    for n in range(1, 9):
        for c in range(n + 1):
            for k in range(1, n + 1):
                subsets = list(combinations(range(n), k))
                want = sum(min(s) < c for s in subsets) / len(subsets)
                assert pass_by_task(np.array([n]), np.array([c]), k)[0] == pytest.approx(want, abs=1e-14)
                assert pass_at_k.exact(n, c, k) == pytest.approx(want)
                both = eff_of_task((np.arange(n) < c).astype(float), k)
                assert both == pytest.approx(want, abs=1e-14)


@pytest.mark.parametrize(
    ("c", "k"), [(1, 1), (1, 500_000), (3, 10), (1000, 1000), (20_000, 30_000), (999_999, 1)]
)
def test_a_million_samples_neither_overflow_nor_lose_digits(c: int, k: int) -> None:
    from fractions import Fraction

    n = 1_000_000
    seen = pass_by_task(np.array([n]), np.array([c]), k)[0]
    if min(c, k) <= 1000:
        missed = Fraction(1)
        for i in range(min(c, k)):
            missed *= Fraction(n - max(c, k) - i, n - i)
        assert seen == pytest.approx(float(1 - missed), rel=1e-11)
    else:
        assert seen == pytest.approx(1)
    if k <= 1000:
        e = np.zeros(n)
        e[:c] = 1
        assert eff_of_task(e, k) == pytest.approx(seen, rel=1e-9)


def test_pass_at_k_of_tasks_and_its_interval() -> None:
    seen = pass_at(np.array([10, 10, 20]), np.array([0, 10, 5]), 3)
    assert seen.value == pytest.approx(np.mean([0, 1, pass_at_k.exact(20, 5, 3)]))
    assert 0 < seen.low < seen.value < seen.high < 1
    nothing = pass_at(np.full(20, 10), np.zeros(20, int), 1)
    assert (nothing.value, nothing.low) == (0, 0)
    assert 0.1 < nothing.high < 0.2  # twenty tasks without a pass do not prove that none ever passes
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        p = rng.beta(0.5, 1.0, 60)
        seen = pass_at(np.full(60, 12), rng.binomial(12, p), 4)
        true = 1 - np.mean((1 - rng.beta(0.5, 1.0, 4000)) ** 4)
        held += seen.low <= true <= seen.high
    assert held >= 276


def test_pass_at_k_refuses() -> None:
    for n, c in (([3], [4]), ([3], [-1])):
        with pytest.raises(ContractError, match="cannot have passed"):
            pass_at(np.array(n), np.array(c), 1)
    for n, c in (([], []), ([3], [1, 2]), ([3.0], [1.0])):
        with pytest.raises(ContractError, match="one task or more"):
            pass_at(np.array(n), np.array(c), 1)
    for k in (0, 4):
        with pytest.raises(UsageError, match="fewest has 3"):
            pass_at(np.array([3, 9]), np.array([1, 1]), k)


def test_eff_at_k() -> None:
    e = np.array([0.2, 0.9, 0.0, 0.4, 0.9])
    assert eff_of_task(e, 1) == pytest.approx(e.mean())
    assert eff_of_task(e, 5) == 0.9
    for k in range(1, 6):
        assert eff_of_task(e, k) == pytest.approx(efficiency_at_k.exact(e, k))
    one, two = eff_at([e], 2), eff_at([e, e / 2], 2)
    assert np.isnan(one.high)
    assert two.low < two.value < two.high
    assert efficiency(np.array([1.0, 3, 5, np.inf]), 1, 4) == pytest.approx([1, 1 / 3, 0, 0])
    assert hodges_lehmann(np.array([1.0, 2.0, 100.0])) == pytest.approx(26.25)
    with pytest.raises(ContractError, match="at least one"):
        eff_at([], 1)
    for bad in ([np.nan], [-0.1]):
        with pytest.raises(ContractError, match="efficiencies"):
            eff_of_task(np.array(bad), 1)
    with pytest.raises(ContractError, match="times"):
        efficiency(np.array([np.nan]), 1, 2)
    with pytest.raises(ContractError, match="runs"):
        hodges_lehmann(np.zeros(0))
    for call in (lambda: eff_of_task(e, 6), lambda: efficiency(e, 2, 1)):
        with pytest.raises(UsageError):
            call()


def test_scaling_foretells_and_has_an_interval() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.3, 3, 150)
    samples = np.full(150, 400)
    seen = coverage_scaling(samples, rng.binomial(400, p), [1, 2, 4, 8, 16, 32])
    assert seen.b_low < seen.b < seen.b_high < 0
    far = np.mean(1 - (1 - p) ** 128)
    assert seen.coverage(128) == pytest.approx(far, abs=0.06)
    assert seen.coverage(seen.samples_for(0.5)) == pytest.approx(0.5)
    assert seen.left < 0.02
    assert Scaling(a=-1, b=0.5, left=0).samples_for(0.5) == np.inf
    for bad in (0, 1):
        with pytest.raises(UsageError, match="coverage"):
            seen.samples_for(bad)
    for coverage in ([0.0, 0.0, 0.5], [0.3, 0.4]):
        with pytest.raises(UsageError, match="three sizes"):
            fit(np.arange(1.0, len(coverage) + 1), np.array(coverage))
    with pytest.raises(UsageError, match="three sizes"):
        coverage_scaling(np.array([5]), np.array([2]), [])


def test_levels_and_scores() -> None:
    known = levels(np.array([100.0, 98, 50, 51, 10]))
    assert known.references.tolist() == [2, 2, 1]
    seen = differential_performance(known, np.array([500, 100, 60, 49, 10, 0.1, np.nan, np.inf]))
    assert seen.level.tolist() == [0, 1, 2, 2, 3, 3, 0, 0]
    assert seen.score == pytest.approx([0, 0.4, 0.8, 0.8, 1, 1, 0, 0])
    assert seen.by_level[4] == 1
    costs = np.sort(np.random.default_rng(2).uniform(1, 300, 50))
    assert (np.diff(differential_performance(known, costs).score) <= 0).all()  # slower is never better
    same = differential_performance(known, np.array([np.nan, 10.0, 60.0]), ["f", "f", "f"])
    assert same.level.tolist() == [3, 3, 3]
    for bad in ([], [0.0], [np.nan]):
        with pytest.raises(ContractError, match="reference"):
            levels(np.array(bad))
    with pytest.raises(ContractError, match="above 0"):
        differential_performance(known, np.array([-1.0]))
    with pytest.raises(ContractError, match="texts"):
        differential_performance(known, np.array([1.0]), [])
    with pytest.raises(UsageError, match="gap"):
        levels(np.array([1.0]), gap=1)


RUNS = np.array([[[5, 1, 2], [9, -1, -1]], [[7, 8, 5], [3, 9, 4]], [[0, 6, 8], [0, 1, 2]]])


def test_scores_are_recall_of_what_was_kept() -> None:
    judged = Judged.of(RUNS, [[1, 2, 5, 5], [9, 4]])
    assert judged.scores(np.ones(5, bool)) == pytest.approx([(1 + 0.5) / 2, (1 / 3 + 1) / 2, 0])
    # 1 and 2 of the first query alone: the second one is out
    assert judged.scores(np.array([True, True, False, False, False])) == pytest.approx([1, 0, 0])
    assert pool_bias(judged, [0], 2).tolist() == [0, 0, 0]
    assert pool_bias(Judged.of(RUNS[:, ::-1], [[9, 4], [1, 2, 5]]), [1], 3).shape == (3,)


def test_tau_is_pairs_and_ties() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        a, b = rng.integers(0, 4, 7).astype(float), rng.integers(0, 4, 7).astype(float)
        pairs = list(combinations(range(7), 2))
        x = [np.sign(a[i] - a[j]) for i, j in pairs]
        y = [np.sign(b[i] - b[j]) for i, j in pairs]
        norm = np.sqrt(np.count_nonzero(x) * np.count_nonzero(y))
        want = np.dot(x, y) / norm if norm else np.nan
        assert tau(a, b) == pytest.approx(want, nan_ok=True)


def test_how_many_judgments_are_enough() -> None:
    points = [
        Reliability(share=s, tau=t, low=t, high=1) for s, t in ((0.1, 0.95), (0.2, 0.5), (0.5, 0.92), (1, 1))
    ]
    assert enough(points) == 0.5  # more judged may not be worse: the lucky 0.1 is not trusted
    assert enough(points, 0.99) == 1
    assert enough(points[:2], 0.9) is None
    judged = Judged.of(RUNS, [[1, 2, 5], [9, 4]])
    assert reliability(judged, (1.0,), draws=3)[0].tau == 1
    assert reliability(judged, (0.5,), seed=4) == reliability(judged, (0.5,), seed=4)


def test_bad_judgments_are_refused() -> None:
    for runs, relevant, words in (
        (RUNS[:1], [[1], [9]], "two systems"),
        (RUNS, [[1]], "queries"),
        (RUNS, [[1], []], "query 1 has no"),
        (RUNS, [[-1], [2]], "below 0"),
        (np.array([[[1, 1]], [[1, 2]]]), [[1]], "twice"),
    ):
        with pytest.raises(ContractError, match=words):
            Judged.of(runs, relevant)
    judged = Judged.of(RUNS, [[1, 2, 5], [9, 4]])
    for shares in ((), (1.5,), (-0.1,)):
        with pytest.raises(UsageError, match="shares"):
            reliability(judged, shares)
    with pytest.raises(UsageError, match="no order"):
        reliability(Judged.of(RUNS, [[77], [88]]), (0.5,))
    with pytest.raises(UsageError, match="depth"):
        pool_bias(judged, [], 3)
    with pytest.raises(UsageError, match="in the pool"):
        pool_bias(judged, [2], 1)
