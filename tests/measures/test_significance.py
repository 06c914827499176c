"""Ranks, intervals that agree with them, Holm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import ContractError
from shortlist.measures.significance import Contrast, band, both, contrast, holm

few = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 1.0 + 2.0**-30])


@settings(deadline=None, max_examples=200)
@given(few, st.lists(few, min_size=39, max_size=250))
def test_rank_p_is_its_definition_and_the_interval_agrees_with_it(ours: float, draws: list[float]) -> None:
    # 2^-30 apart counts, ties count against us, both ways.
    seen = contrast(ours, np.array(draws))
    assert seen.better == (1 + sum(d >= ours for d in draws)) / (1 + len(draws))
    assert seen.worse == (1 + sum(d <= ours for d in draws)) / (1 + len(draws))
    assert (seen.low > 0) == (seen.better <= 0.025)
    assert (seen.high < 0) == (seen.worse <= 0.025)
    assert seen.low <= seen.high


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-1, 1), min_size=39, max_size=80),
    st.sampled_from([1e-6, 0.01, 0.3]),
)
def test_with_errors_the_interval_agrees_with_p_too(draws: list[float], error: float) -> None:
    seen = contrast(0.4, np.array(draws), error)
    assert (seen.low > 1e-9) <= (seen.better <= 0.025)
    assert (seen.better <= 0.0249) <= (seen.low > -1e-9)
    assert seen.low <= seen.high


def test_errors_widen_and_small_errors_change_nothing() -> None:
    draws = np.linspace(0, 1, 200)
    sharp, blurred = contrast(1.2, draws), contrast(1.2, draws, 0.2)
    assert blurred.low < sharp.low
    assert blurred.high > sharp.high
    assert blurred.better > sharp.better
    assert contrast(1.2, draws, 1e-9).low == pytest.approx(sharp.low, abs=0.006)


def test_one_of_two_hundred_draws_is_inside_the_band_in_95_of_100() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        x = rng.normal(size=201)
        low, high = band(x[1:])
        inside += low <= x[0] <= high
    assert inside / 2000 == pytest.approx(0.95, abs=0.012)


def test_rounding_is_a_tie_and_what_was_not_measured_is_no_difference() -> None:
    assert contrast(1.0, np.full(50, 1.0 - 1e-15)).better == 1.0
    seen = contrast(1.0, np.array([np.nan] * 10 + [0.0] * 90))
    assert seen.better == 11 / 101
    assert contrast(np.nan, np.zeros(60)).better == 1.0
    assert contrast(np.nan, np.zeros(60)).worse == 1.0
    assert contrast(0.0, np.full(50, np.nan)) == Contrast(
        difference=0.0, low=0.0, high=0.0, better=1.0, worse=1.0
    )
    assert band(np.full(3, np.nan)) == (0.0, 0.0)


def test_a_contrast_needs_draws() -> None:
    with pytest.raises(ContractError, match="at least one draw"):
        contrast(1.0, np.zeros(0))


def test_both_claims_only_what_each_claims() -> None:
    a = Contrast(difference=1.0, low=0.5, high=1.5, better=0.01, worse=0.99)
    b = Contrast(difference=1.1, low=-0.1, high=1.4, better=0.06, worse=0.9)
    assert both(a, b) == Contrast(difference=1.0, low=-0.1, high=1.5, better=0.06, worse=0.99)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.001, 0.01, 0.025, 0.2, 1.0]), max_size=6))
def test_holm_is_its_definition(p: list[float]) -> None:
    adjusted = holm(np.array(p))
    order = sorted(range(len(p)), key=lambda i: p[i])
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, (len(p) - rank) * p[i])
        assert adjusted[i] == pytest.approx(min(1.0, running))
    assert (adjusted >= np.array(p)).all()
