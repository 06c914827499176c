"""Asking both ways round: likings for a side cancel out and are counted; silence is no verdict."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.budget import Budget
from shortlist.core.effects import Make, Scan, ask
from shortlist.core.errors import BudgetExhausted, ContractError
from shortlist.core.heard import ABSTAINED, Heard, canaries, heard
from shortlist.run.driver import run
from shortlist.run.scorers import Scorer

PAIRS = np.array([[0, 1], [2, 1], [0, 2]])


def asks(items):
    try:
        return (yield from ask("judge", items, duel=items.ndim == 2)).tolist()
    except BudgetExhausted:
        return None


def told(items, judge, both=True, budget=None, retries=1):
    plan = heard(asks(items), both=both, retries=retries)
    out = run(plan, scorers={"judge": Scorer(judge)}, budget=budget)
    return (*out.result, out.ledger.spent["calls"])


def larger(items):
    return (items[:, 0] > items[:, 1]).astype(float)


def test_a_fair_judge_is_heard_as_it_is_and_paid_twice():
    said, tally, calls = told(PAIRS, larger)
    assert said == larger(PAIRS).tolist()
    assert (tally, calls) == (Heard(duels=3, both=3), 6)
    assert told(PAIRS, larger, both=False)[0::2] == (larger(PAIRS).tolist(), 3)


def test_a_judge_that_always_says_first_says_nothing():
    said, tally, _ = told(PAIRS, lambda x: np.ones(len(x)))
    assert said == [0.5] * 3
    assert (tally.flips, tally.flip_rate) == (3, 1.0)


def test_ties_and_leanings_are_no_flips():
    said, tally, _ = told(PAIRS, lambda x: np.where(x[:, 0] < x[:, 1], 0.5, 0.9))
    assert said == pytest.approx([0.3, 0.7, 0.3])
    assert (tally.flips, tally.both) == (0, 3)
    assert Heard().flip_rate is None


def test_silence_is_asked_again_once_then_counted():
    seen = []

    def shy(items):
        seen.append(items.tolist())
        return np.where(items[:, 0] == 0, ABSTAINED, larger(items))

    said, tally, calls = told(PAIRS, shy)
    assert said == [0.0, 1.0, 0.0]  # the other way round was heard
    assert (tally.abstained, tally.both, calls) == (2, 1, 8)
    assert seen[1] == [[0, 1], [0, 2]]
    said, tally, calls = told(PAIRS, lambda x: np.full(len(x), ABSTAINED), retries=2)
    assert (said, tally.abstained, tally.flip_rate, calls) == ([0.5] * 3, 6, None, 18)


def test_money_for_the_first_question_but_not_for_asking_again_is_enough():
    said, tally, calls = told(PAIRS, lambda x: np.full(len(x), ABSTAINED), budget=Budget(calls=6))
    assert (said, tally.abstained, calls) == ([0.5] * 3, 6, 6)
    assert told(PAIRS, larger, budget=Budget(calls=5))[0] is None


def test_rows_are_graded_and_the_silent_are_below_all():
    said, tally, _ = told(np.arange(3), lambda x: np.where(x == 1, ABSTAINED, 0.0))
    assert said == [0.0, ABSTAINED, 0.0]
    assert (tally.graded, tally.abstained, tally.duels) == (3, 1, 0)


@pytest.mark.parametrize("bad", [1.5, -0.5, -2.0])
def test_what_is_no_probability_is_named(bad):
    with pytest.raises(ContractError, match=f"gave {bad:g} for rows 0 and 1; it must give the probability"):
        told(PAIRS, lambda x: np.full(len(x), bad))


def test_other_effects_pass_and_refusals_reach_the_plan():
    def plan():
        total = yield Scan(int, int.__add__, [1, 2, 3])
        made = yield Make("maker", [1])
        with pytest.raises(BudgetExhausted):
            yield from ask("judge", PAIRS)
        return total, made

    scorers = {"maker": Scorer(lambda x: x), "judge": Scorer(larger)}
    out = run(heard(plan(), both=True), scorers=scorers, budget=Budget(calls=1))
    assert out.result == ((6, [1]), Heard())


def test_planted_answers_that_win_are_counted():
    def fooled(items):
        return np.where(items[:, 1] == 9, 0.0, np.where(items[:, 0] == 9, 1.0, 0.5))

    pairs = np.array([[0, 9], [1, 8]])
    out = run(canaries("judge", pairs, both=True), scorers={"judge": Scorer(fooled)})
    assert out.result == Heard(canaries=2, fooled=1)
    broke = run(
        canaries("judge", pairs, both=True), scorers={"judge": Scorer(fooled)}, budget=Budget(calls=3)
    )
    assert broke.result == Heard()
    assert run(canaries("judge", pairs[:0], both=True)).result == Heard()
