"""One budget for all roles; retries, hangs, rates and batches; nothing is charged twice or overspent."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.budget import Budget
from shortlist.core.effects import Make, ask, lockstep
from shortlist.core.errors import BudgetExhausted, ContractError, ScorerFailed, UsageError
from shortlist.run.answers import AnswerLog
from shortlist.run.driver import run
from shortlist.run.scorers import Pace, Scorer

FAST = Pace(wait=0.0, tries=3)
QUIET = settings(deadline=None, max_examples=60, derandomize=True, database=None)
prices = st.sampled_from([0.0, 0.1, 0.3, 1.0])


def wants(*asks):
    """Asks for all in turn; keeps what it got, and goes on after a refusal."""
    got = []
    for role, items in asks:
        try:
            got.append((yield from ask(role, items)).tolist())
        except BudgetExhausted:
            got.append(None)
    return got


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 7)), max_size=6),
    st.builds(Budget, calls=st.integers(0, 25), usd=st.sampled_from([0.0, 0.5, 0.9, 2.0, np.inf]),
              tokens=st.sampled_from([0.0, 3.0, 50.0, np.inf])),
    st.tuples(prices, prices), st.integers(0, 4), st.integers(1, 3),
)  # fmt: skip
@QUIET
def test_no_stage_passes_the_one_budget_whatever_the_batches(asks, budget, usd, batch, at_once):
    seen, sizes, lock = {"a": 0, "b": 0}, [], threading.Lock()

    def scorer(role):
        def call(items):
            with lock:
                seen[role] += len(items)
                sizes.append(len(items))
            return items

        price = usd["ab".index(role)]
        return Scorer(
            call, usd=price, tokens=lambda x: x.astype(float), batch=batch, pace=Pace(at_once=at_once)
        )

    asks = [(role, np.arange(n)) for role, n in asks]
    out = run(wants(*asks), budget=budget, scorers={"a": scorer("a"), "b": scorer("b")})
    spent = out.ledger.spent
    assert all(spent[unit] <= getattr(budget, unit) for unit in spent)
    assert spent["calls"] == seen["a"] + seen["b"]
    assert out.ledger.paid("a") == seen["a"]
    assert spent["usd"] == pytest.approx(usd[0] * seen["a"] + usd[1] * seen["b"])
    assert all(n <= batch for n in sizes) or not batch
    for got, (_, items) in zip(out.result, asks, strict=True):
        assert got is None or got == items.tolist()
    # All or none: what was refused was neither asked nor charged.
    assert spent["calls"] == sum(len(g) for g in out.result if g is not None)
    assert (out.stopped == "") == (None not in out.result)


def test_money_runs_out_before_the_call_that_would_pass_it():
    with_one = run(wants(("j", [1])), budget=Budget(usd=0.5), scorers={"j": Scorer(len, usd=1)})
    assert with_one.result == [None]
    assert with_one.ledger.lines == []
    assert "1 more usd would pass the budget of 0.5" in with_one.stopped


def flaky(every):
    """Fails at every so-many-th call."""
    count = 0

    def call(items):
        nonlocal count
        count += 1
        if count % every == 0:
            raise ConnectionError("gone away")
        return np.asarray(items, float)

    return call


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_judge_that_fails_every_third_call_is_asked_again_and_charged_once(at_once):
    pace = Pace(wait=0.0, tries=10, at_once=at_once)
    out = run(wants(("j", np.arange(20))), scorers={"j": Scorer(flaky(3), usd=1, batch=2, pace=pace)})
    assert out.result == [list(range(20))]
    assert out.ledger.spent["calls"] == out.ledger.spent["usd"] == 20
    assert out.ledger.repeats == {"j": 4}


def test_a_scorer_that_is_given_up_ends_the_buying_and_keeps_what_was_paid(tmp_path):
    calls = 0

    def dies(items):
        nonlocal calls
        calls += 1
        if calls > 2:
            raise OSError("no route")
        return items

    log = AnswerLog(tmp_path / "a.log")
    asks = [("j", np.arange(4)), ("j", np.arange(4, 8)), ("k", np.arange(2))]
    scorers = {"j": Scorer(dies, batch=2, pace=FAST), "k": Scorer(lambda x: x)}
    out = run(lockstep([wants(*asks[:2]), wants(*asks[2:])]), scorers=scorers, log=log)
    log.close()
    assert out.result == [[[0, 1, 2, 3], None], [[0, 1]]]
    assert calls == 2 + 3
    assert "j: the scorer was given up after 3 tries; at last OSError: no route" in out.stopped
    assert out.ledger.spent["calls"] == 4 + 2 + 2  # the failing piece was charged, once; the next was not
    log = AnswerLog(tmp_path / "a.log")
    out = run(wants(*asks), scorers={"j": Scorer(lambda x: x), "k": Scorer(len)}, log=log)
    log.close()
    assert out.result == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1]]
    assert (out.ledger.spent["calls"], out.ledger.replayed("j"), out.ledger.replayed("k")) == (4, 4, 2)


def test_a_failing_piece_does_not_lose_those_beside_it(tmp_path):
    under_way, failed = threading.Event(), threading.Event()

    def one_bad(items):
        if items[0] == 2:  # starts before the second fails, ends after
            under_way.set()
            failed.wait(5)
        if items[0] == 1:
            under_way.wait(5)
            failed.set()
            raise OSError("bad")
        return items

    log = AnswerLog(tmp_path / "a.log")
    pace = Pace(wait=0.0, tries=1, at_once=3)
    out = run(wants(("j", np.arange(6))), scorers={"j": Scorer(one_bad, batch=1, pace=pace)}, log=log)
    log.close()
    assert out.result == [None]
    log = AnswerLog(tmp_path / "a.log")
    assert {0, 2} <= set(np.flatnonzero(log.look("j", np.arange(6))[1]).tolist())
    log.close()


def test_a_refused_ask_leaves_kept_answers_to_be_asked_for_again(tmp_path):
    log = AnswerLog(tmp_path / "a.log")
    run(wants(("j", np.arange(2))), scorers={"j": Scorer(lambda x: x)}, log=log)
    log.close()
    log = AnswerLog(tmp_path / "a.log")
    asks = [("j", np.arange(3)), ("j", np.arange(2))]
    out = run(wants(*asks), budget=Budget(calls=0), scorers={"j": Scorer(len)}, log=log)
    log.close()
    assert out.result == [None, [0, 1]]


def test_a_scorer_that_hangs_is_left_behind_in_time():
    stop = threading.Event()
    try:
        start = time.monotonic()
        pace = Pace(timeout=0.05, tries=2, wait=0.0)
        out = run(wants(("j", [1]), ("j", [2])), scorers={"j": Scorer(lambda x: stop.wait(30), pace=pace)})
        assert time.monotonic() - start < 5
    finally:
        stop.set()
    assert out.result == [None, None]
    assert "TimeoutError: no answer within 0.05 s" in out.stopped
    assert out.ledger.spent["calls"] == 1  # the second was refused: the scorer had been given up


@pytest.mark.parametrize(
    "bad", [lambda x: x[:-1], lambda x: 1.0, lambda x: [np.nan] * len(x), lambda x: [np.inf] * len(x)]
)
def test_nonsense_is_refused_at_once_and_charged_once(bad):
    seen = []

    def call(items):
        seen.append(items)
        return bad(items)

    with pytest.raises(ContractError, match="scorer 'j' gave"):
        run(wants(("j", [1, 2])), scorers={"j": Scorer(call, pace=FAST)})
    assert len(seen) == 1


def test_mistakes_in_a_scorer_are_not_tried_again():
    seen = []

    def wrong(items):
        seen.append(items)
        return items.nothing

    with pytest.raises(AttributeError):
        run(wants(("j", [1])), scorers={"j": Scorer(wrong, pace=FAST)})
    assert len(seen) == 1


def test_a_service_that_says_when_to_come_back_is_believed_up_to_the_longest_wait():
    class BusyError(Exception):
        retry_after = 60.0

    times = []

    def busy(items):
        times.append(time.monotonic())
        if len(times) == 1:
            raise BusyError
        return items

    pace = Pace(wait=0.0, longest=0.2, tries=2)
    out = run(wants(("j", [1.0])), scorers={"j": Scorer(busy, pace=pace)})
    assert out.result == [[1.0]]
    assert 0.2 <= times[1] - times[0] < 5


def test_calls_are_spread_over_the_minute():
    times = []

    def call(items):
        times.append(time.monotonic())
        return items

    pace = Pace(per_minute=1200, at_once=3)
    run(wants(("j", np.arange(5))), scorers={"j": Scorer(call, batch=1, pace=pace)})
    assert (np.diff(sorted(times)) > 0.03).all()  # 0.05 s apart, less what threads need to start
    assert times[-1] - times[0] > 0.15


def test_makers_are_batched_and_counted_too():
    def plan():
        return (yield Make("m", [1, 2, 3]))

    out = run(plan(), scorers={"m": Scorer(lambda x: [2 * i for i in x], batch=2, tokens=5)})
    assert (out.result, out.ledger.spent["tokens"]) == ([2, 4, 6], 15)
    with pytest.raises(ContractError, match="maker 'm' gave 1 candidates for 3 parents"):
        run(plan(), scorers={"m": Scorer(lambda x: x[:1])})


def test_prices_and_paces_that_cannot_be_read_are_refused():
    for wrong in ({"usd": -1}, {"usd": np.nan}, {"tokens": np.inf}, {"batch": -1}):
        with pytest.raises(UsageError):
            Scorer(len, **wrong)
    with pytest.raises(UsageError, match="must be callable"):
        Scorer(3)
    for wrong in ({"timeout": 0}, {"tries": 0}, {"per_minute": 0}, {"at_once": 0}, {"wait": -1}):
        with pytest.raises(UsageError):
            Pace(**wrong)
    for price in (lambda x: [1.0], lambda x: [-1.0, 1.0], lambda x: [np.nan, 1.0]):
        with pytest.raises(ContractError, match="the usd of 'j' must be 2 numbers"):
            run(wants(("j", [1, 2])), scorers={"j": Scorer(len, usd=price)})


def test_failure_is_a_kind_of_empty_purse():
    assert issubclass(ScorerFailed, BudgetExhausted)
