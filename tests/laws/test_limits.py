"""Promise 19: constraints are never broken. Every rule against all sets of rows, in 10,000 cases and more."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.fill import exact, fill
from shortlist.core.limits import BoundLimits, NoWitness, bind
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from tests.laws.small_limits import Case, drawn

BLOCK = 150
WITH = settings(max_examples=170, deadline=None, derandomize=True, database=None)


def bound(case: Case, feasible: np.ndarray) -> BoundLimits | None:
    """Limits with any witness where the greedy pass finds none; None where nothing is feasible."""
    try:
        return bind(case.pool, case.rules, case.k)
    except NoWitness:
        if not len(feasible):
            return None
        return bind(case.pool, case.rules, case.k, witness=np.flatnonzero(feasible[-1]))


def walked(case: Case, limits: BoundLimits, feasible: np.ndarray, rng: np.random.Generator) -> bool:
    """Take rows in a random order; whether any was turned away that could have been completed."""
    n = len(case.pool)
    state, taken, wrongly = limits.start(), np.zeros(n, bool), False
    for x in (*limits.must.tolist(), *rng.permutation(n).tolist()):
        if taken[x]:
            continue
        allowed = limits.allows(state, np.arange(n))
        assert not allowed[taken].any()
        assert allowed[x] == limits.may(state, x) == (limits.refuses(state, x) == -1)
        above = feasible[(feasible | ~taken).all(axis=1)]
        # whatever is allowed can be completed
        assert not (allowed & ~above.any(axis=0)).any()
        wrongly |= bool((~allowed & above.any(axis=0) & ~taken).any())
        if allowed[x]:
            state = limits.add(state, x)
            taken[x] = True
    assert (feasible == taken).all(axis=1).any()
    return wrongly


def simple(case: Case) -> bool:
    """Groups that do not overlap and no budget: here limits turn away nothing that could be completed."""
    return not any(isinstance(c, Knapsack) or (isinstance(c, Quota) and c.by == "tags") for c in case.rules)


def test_ten_thousand_cases_a_rule_without_a_violation() -> None:
    seen: Counter[str] = Counter()

    @settings(WITH)
    @given(st.integers(0, 2**32 - 1))
    def block(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(BLOCK):
            case = drawn(rng, 7)
            seen.update({type(c).__name__ for c in case.rules})
            seen["cases"] += 1
            feasible = case.feasible()
            limits = bound(case, feasible)
            seen["feasible"] += limits is not None
            if limits is None:
                assert not len(feasible)
                continue
            assert len(feasible)
            wrongly = walked(case, limits, feasible, rng)
            assert not (wrongly and simple(case))
            seen["turned away what could be completed"] += wrongly

    block()
    for rule in ("Cardinality", "Knapsack", "Quota", "Include", "Exclude", "Shown"):
        assert seen[rule] >= 10_000, seen
    assert seen["feasible"] > 0.3 * seen["cases"]
    assert seen["turned away what could be completed"] < 0.02 * seen["feasible"]


@settings(WITH, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_check_is_the_sentence_of_every_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(10):
        case = drawn(rng, 6)
        feasible = case.feasible()
        limits = bound(case, feasible)
        if limits is None:
            continue
        n = len(case.pool)
        good = {row.tobytes() for row in feasible}
        for taken in np.unpackbits(np.arange(1 << n, dtype=np.uint8)[:, None], axis=1)[:, 8 - n :] == 1:
            assert (limits.check(np.flatnonzero(taken)) == []) == (taken.tobytes() in good)


@settings(WITH, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_upper_bounds_every_set_that_can_follow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(25):
        case = drawn(rng, 7)
        feasible = case.feasible()
        limits = bound(case, feasible)
        if limits is None:
            continue
        n = len(case.pool)
        state, taken = limits.start(), np.zeros(n, bool)
        for x in rng.permutation(n).tolist():
            gains = rng.choice([-1.0, 0.0, 0.5, 0.5, 2.0], n)
            above = feasible[(feasible | ~taken).all(axis=1)]
            best = ((above & ~taken) @ gains).max()
            assert limits.upper(gains, state) >= best - 1e-9
            if limits.may(state, x):
                state = limits.add(state, x)
                taken[x] = True


@settings(WITH, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_fill_is_row_by_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(25):
        case = drawn(rng, 8)
        limits = bound(case, case.feasible())
        if limits is not None:
            order = rng.permutation(len(case.pool))
            assert fill(limits, order).tolist() == exact(limits, order).tolist()
