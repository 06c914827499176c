"""The driver answers effects the same way for any number of threads, and never overspends."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.budget import Budget
from shortlist.core.effects import Gather, Make, Scan, alone, ask, lockstep, scan
from shortlist.core.errors import BudgetExhausted, ContractError, InputError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores
from shortlist.run.answers import AnswerLog
from shortlist.run.driver import Local, run
from shortlist.run.scorers import Scorer


def pool(n: int = 1000, chunk: int = 64) -> Pool:
    return Pool.of({"q": Scores(np.random.default_rng(0).random(n))}, chunk=chunk)


def part(shard: Pool) -> list[int]:
    return shard.rows.tolist()


def concat(a: list[int], b: list[int]) -> list[int]:
    return a + b


def square(i: int) -> list[int]:
    return [i * i]


def everything():
    rows = yield Scan(part, concat)
    squares = yield from scan(square, concat, range(7), "squares")
    some = yield Gather(np.array([3, 500]))
    return rows, squares, some.rows.tolist()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_scans_merge_in_item_order_on_any_number_of_threads(workers):
    p = pool()
    told = []
    got = run(everything(), p, on=Local(workers), progress=lambda *a: told.append(a)).result
    assert got == alone(everything(), p)
    assert got == (list(range(1000)), [i * i for i in range(7)], [3, 500])
    assert told[-1] == ("squares", 7, 7)


def failing(i: int) -> list[int]:
    raise ValueError(f"part {i}")


def test_a_failing_part_raises_in_the_caller():
    with pytest.raises(ValueError, match="part 0"):
        run(scan(failing, concat, range(9)), on=Local(2))


def spender(rounds):
    """Asks in growing batches; keeps what it paid for."""
    got = []
    try:
        for i in range(rounds):
            got.append(float((yield from ask("judge", np.arange(i + 1))).sum()))
    except BudgetExhausted:
        pass
    return got


@given(st.integers(0, 60), st.integers(0, 8))
@settings(deadline=None, max_examples=60)
def test_paid_plans_stop_in_time_and_keep_what_they_have(calls, rounds):
    seen = []

    def judge(items):
        seen.append(len(items))
        return items

    out = run(spender(rounds), budget=Budget(calls=calls), scorers={"judge": Scorer(judge, usd=0.5)})
    assert out.ledger.spent["calls"] == sum(seen) <= calls
    assert out.ledger.spent["usd"] == 0.5 * sum(seen)
    assert len(out.result) == len(seen)


@given(st.integers(0, 60))
@settings(deadline=None, max_examples=30)
def test_lockstep_is_anytime_and_batches_and_spends_the_last_money_in_order(calls):
    batches = []

    def judge(items):
        batches.append(len(items))
        return items

    out = run(
        lockstep([spender(4) for _ in range(3)]), budget=Budget(calls=calls), scorers={"judge": Scorer(judge)}
    )
    spent, (first, second, third) = out.ledger.spent["calls"], out.result
    assert spent == sum(batches) <= calls
    assert len(first) >= len(second) >= len(third) >= len(first) - 1
    if len(first) < 4:
        assert spent + len(third) + 1 > calls  # the next one wanted did not fit
        assert "would pass the budget" in out.stopped
    else:
        assert spent == 30 or len(third) < 4
    assert len(batches) <= 4 + 3


@pytest.mark.parametrize("bad", [lambda x: x[:-1], lambda x: np.full(len(x), np.nan)])
def test_scorers_that_answer_nonsense_are_refused(bad):
    with pytest.raises(ContractError, match="judge"):
        run(spender(2), scorers={"judge": Scorer(bad)})


def test_a_missing_scorer_is_named():
    with pytest.raises(ContractError, match=r"'judge'.*'other'"):
        run(spender(1), scorers={"other": Scorer(len)})


def maker():
    return (yield Make("mutate", [1, 2]))


def test_make_pays_for_each_parent():
    out = run(maker(), scorers={"mutate": Scorer(lambda ps: [p + 1 for p in ps], tokens=3)})
    assert out.result == [2, 3]
    assert out.ledger.spent["tokens"] == 6


def test_a_log_replays_and_pays_nothing_twice_after_any_truncation(tmp_path):
    path = tmp_path / "judge.answers"
    paid = []

    def judge(items):
        paid.append(len(items))
        return items * 0.5

    def once():
        log = AnswerLog(path)
        try:
            return run(spender(4), scorers={"judge": Scorer(judge)}, log=log).result
        finally:
            log.close()

    full = once()
    whole, first = path.read_bytes(), sum(paid)
    assert first == 1 + 2 + 3 + 4
    for cut in range(0, len(whole) + 1, 3):
        path.write_bytes(whole[:cut])
        paid.clear()
        assert once() == full
        assert path.read_bytes() == whole
        assert sum(paid) <= first
    paid.clear()
    assert once() == full
    assert paid == []


def test_a_flipped_byte_in_the_log_is_never_used(tmp_path):
    path = tmp_path / "judge.answers"
    log = AnswerLog(path)
    want = run(spender(3), scorers={"judge": Scorer(lambda x: x)}, log=log).result
    log.close()
    whole = path.read_bytes()
    assert want == [0.0, 1.0, 3.0]
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with pytest.raises(
            InputError, match="no answer log of format 1" if at < 20 else "does not match its"
        ):
            AnswerLog(path)


def test_partials_are_parts():
    assert run(scan(partial(pow, 2), int.__add__, [1, 2, 3])).result == 14
