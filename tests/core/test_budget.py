"""A ledger never passes its budget, whatever is charged in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.core.budget import Budget, Ledger, Line
from shortlist.core.errors import BudgetExhausted, ContractError, UsageError
from tests.laws.test_methods import WITH

UNITS = ("calls", "tokens", "usd", "seconds")
amounts = st.sampled_from([0.0, 0.1, 0.2, 0.30000000000000004, 1.0, 7.0, 1e300])
ceilings = st.sampled_from([0.0, 0.3, 1.0, 10.0, float("inf")])
lines = st.builds(
    Line,
    st.sampled_from(["judge", "writer"]),
    st.integers(0, 4),
    tokens=amounts,
    usd=amounts,
    seconds=amounts,
    cached=st.booleans(),
)


@WITH
@given(st.builds(Budget, calls=ceilings, tokens=ceilings, usd=ceilings, seconds=ceilings), st.lists(lines))
def test_totals_never_pass_the_budget_and_refused_lines_leave_no_trace(budget, wanted):
    ledger = Ledger(budget)
    for line in wanted:
        before, refused = (dict(ledger.spent), list(ledger.lines)), ""
        try:
            ledger.charge(line)
        except BudgetExhausted as refusal:
            refused = str(refusal)
        if refused:
            assert (ledger.spent, ledger.lines) == before
            assert line.role in refused
            assert not line.cached
        else:
            assert ledger.lines == [*before[1], line]
        assert all(ledger.spent[unit] <= getattr(budget, unit) for unit in UNITS)
    paid = [line for line in ledger.lines if not line.cached]
    assert ledger.spent["calls"] == sum(line.n for line in paid)


def test_cached_answers_are_free_even_with_nothing_left():
    ledger = Ledger(Budget(calls=0))
    ledger.charge(Line("judge", 5, cached=True))
    assert ledger.spent["calls"] == 0
    with pytest.raises(BudgetExhausted, match="judge: 1 more calls would pass the budget of 0"):
        ledger.charge(Line("judge", 1))


@pytest.mark.parametrize("bad", [-1, -1e-9, float("nan"), float("inf")])
@pytest.mark.parametrize("unit", ["n", "tokens", "usd", "seconds"])
def test_a_line_that_would_open_the_budget_is_refused(unit, bad):
    with pytest.raises(ContractError, match="judge: a cost must be finite"):
        Line(**{"role": "judge", "n": 1, unit: bad})


@pytest.mark.parametrize("bad", [-1, float("nan")])
@pytest.mark.parametrize("unit", UNITS)
def test_a_budget_that_cannot_be_read_is_refused(unit, bad):
    with pytest.raises(UsageError, match=f"the budget for {unit}"):
        Budget(**{unit: bad})
