"""Plans run alone or in lockstep give the same answers; a plan never sees another's."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.core.effects import Ask, Gather, Make, Scan, alone, ask, lockstep, scan
from shortlist.core.errors import BudgetExhausted, ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores
from tests.laws.test_methods import WITH


def pool(n: int, chunk: int = 3) -> Pool:
    return Pool.of({"q": Scores(np.arange(n, dtype=np.float64))}, chunk=chunk)


def rows(shard: Pool) -> list[int]:
    return shard.rows.tolist()


def total(x: np.ndarray) -> float:
    return float(x.sum())


def serve(plan, answer, most: float = float("inf")):
    """Carry out a plan of Asks; what was asked, and the result. Refuses once `most` items were answered."""
    asked, spent = [], 0
    try:
        effect = next(plan)
        while True:
            if isinstance(effect, Ask):
                asked.append(effect)
                spent += len(effect.items)
                if spent > most:
                    effect = plan.throw(BudgetExhausted("enough"))
                else:
                    effect = plan.send(answer(effect))
            else:
                effect = plan.send(alone(iter_of(effect), pool(5)))
    except StopIteration as stop:
        return asked, stop.value


def iter_of(effect):
    return (yield effect)


# --- alone --------------------------------------------------------------------------------------------------


@WITH
@given(st.integers(0, 9), st.integers(1, 10))
def test_a_scan_of_the_pool_is_a_fold_in_row_order(n, chunk):
    answer = alone(scan(rows, operator.add), pool(n, chunk))
    assert answer == (list(range(n)) if n else None)


def test_a_scan_of_items_needs_no_pool():
    assert alone(scan(float, operator.add, over=[1, 2, 3])) == 6
    assert alone(scan(float, operator.add, over=[])) is None


def test_gather_brings_the_rows_asked_for():
    def plan():
        some = yield Gather(np.array([1, 4]))
        return some.columns["q"].values.tolist()

    assert alone(plan(), pool(6)) == [1.0, 4.0]


@pytest.mark.parametrize(
    "effect", [Ask("judge", [1]), Make("writer", [1]), Gather(np.array([0])), Scan(rows, operator.add)]
)
def test_what_needs_a_driver_or_a_pool_says_so(effect):
    with pytest.raises(ContractError, match=f"{type(effect).__name__} needs"):
        alone(iter_of(effect))


def test_a_plan_of_no_effects_returns():
    def plan():
        yield from ()
        return 3

    assert alone(plan()) == 3


# --- lockstep -----------------------------------------------------------------------------------------------


def spender(items, rounds: int, role: str = "judge"):
    """Asks about the same items so many times; adds up the answers it could afford."""
    got = 0.0
    for _ in range(rounds):
        try:
            got += total((yield from ask(role, items)))
        except BudgetExhausted:
            return ("stopped", got)
    return ("done", got)


@WITH
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=4), st.integers(0, 4)), max_size=5),
    st.integers(0, 60),
)
def test_results_are_those_of_plans_run_apart_and_batches_are_fewer(jobs, most):
    def answer(effect):
        return np.array([x * x for x in effect.items], np.float32)

    asked, together = serve(lockstep([spender(items, rounds) for items, rounds in jobs]), answer)
    apart = [serve(spender(items, rounds), answer) for items, rounds in jobs]
    assert together == [result for _, result in apart]
    assert len(asked) == max((rounds for _, rounds in jobs), default=0)
    _, short = serve(lockstep([spender(items, rounds) for items, rounds in jobs]), answer, most)
    assert all(a[1] <= b[1] for a, b in zip(short, together, strict=True))


def test_roles_are_batched_apart_in_order_of_their_names():
    asked, _ = serve(
        lockstep([spender([1], 1, "b"), spender([2], 1, "a"), spender([3], 1, "b")]),
        lambda e: np.array(e.items, np.float32),
    )
    assert [(e.role, e.items) for e in asked] == [("a", [2]), ("b", [1, 3])]


def test_items_of_a_kind_keep_their_kind():
    def lengths(effect):
        return np.array([len(x) for x in effect.items], np.float32)

    odd = ["a\x00", "b"], [{"x": 1}], ("c",), ["\ud800", ""]
    asked, results = serve(lockstep([spender(items, 1) for items in odd]), lengths)
    assert asked[0].items == [x for items in odd for x in items]
    assert results == [("done", 3.0), ("done", 1.0), ("done", 1.0), ("done", 1.0)]
    pairs, wide = np.zeros((2, 2), np.int64), np.zeros((3, 4), np.int64)
    asked, _ = serve(lockstep([spender(x, 1) for x in (pairs, wide, pairs)]), lengths)
    assert sorted(e.items.shape for e in asked) == [(3, 4), (4, 2)]


def test_pools_and_scans_go_one_by_one_among_asks():
    def reader():
        seen = yield from scan(rows, operator.add)
        marks = yield Ask("judge", pool(2))
        return seen, marks.tolist()

    asked, results = serve(
        lockstep([reader(), spender([7], 2), reader()]), lambda e: np.full(len(e.items), 9, np.float32)
    )
    assert results == [([0, 1, 2, 3, 4], [9.0, 9.0]), ("done", 18.0), ([0, 1, 2, 3, 4], [9.0, 9.0])]
    assert [len(e.items) for e in asked] == [1, 1, 2, 2]


def test_too_few_answers_are_not_shared_out():
    with pytest.raises(ContractError, match="3 items were asked about, 2 answers came"):
        serve(lockstep([spender([1, 2], 1), spender([3], 1)]), lambda e: np.zeros(2, np.float32))


def test_an_error_that_no_plan_expects_comes_out():
    plan = lockstep([spender([1], 1)])
    next(plan)
    with pytest.raises(KeyError):
        plan.throw(KeyError("broken scorer"))


def test_no_plans_no_effects():
    assert alone(lockstep([])) == []
