"""Laws of constraints: what is allowed step by step is what the finished choice is checked by."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shortlist.core.account import broken, violations
from shortlist.core.contracts import Constraint
from shortlist.core.errors import ContractError, InfeasibleError, UsageError
from shortlist.core.limits import BoundLimits, all_rows, all_rules
from shortlist.core.pool import Pool
from shortlist.methods.constrain.feasible import settle
from tests.strategies import bound_or_none, examples, subsets


def rules_and_size(rule: Constraint, pool: Pool, rng: Generator) -> tuple[tuple[Constraint, ...], int]:
    """This rule with up to two others, and a size."""
    others = examples("constraint")
    more = [others[i] for i in rng.integers(0, len(others), rng.integers(0, 3))]
    return (rule, *more), int(rng.integers(0, len(pool) + 3))


def bound(rule: Constraint, pool: Pool, rng: Generator) -> BoundLimits | None:
    """The same over a pool; None where they suit no choice."""
    return bound_or_none(pool, *rules_and_size(rule, pool, rng))


def open_rows(limits: BoundLimits, n: int) -> np.ndarray:
    """Positions that a solver may offer: all but those shown."""
    return np.setdiff1d(np.arange(n), limits.shown)


def what_is_allowed_ends_in_a_choice_that_checks(rule: Constraint, pool: Pool, rng: Generator) -> None:
    limits = bound(rule, pool, rng)
    if limits is None:
        return
    state, taken = limits.start(), []
    left = open_rows(limits, len(pool))
    for at in limits.must:
        assert limits.allows(state, np.array([at]))[0]
        state = limits.add(state, int(at))
        taken.append(int(at))
    while len(taken) < limits.k:
        fit = [at for at in left[limits.allows(state, left)] if at not in taken]
        if not fit:
            break
        taken.append(int(rng.choice(fit)))
        state = limits.add(state, taken[-1])
    assert limits.check(np.array(taken, np.int64)) == []


def a_refusal_is_for_good(rule: Constraint, pool: Pool, rng: Generator) -> None:
    limits = bound(rule, pool, rng)
    if limits is None:
        return
    state, order = limits.start(), rng.permutation(open_rows(limits, len(pool)))
    out: set[int] = set()
    for at in order:
        allowed = limits.allows(state, order)
        assert not out & set(order[allowed].tolist())
        out |= set(order[~allowed].tolist())
        if at not in out:
            state = limits.add(state, int(at))
            out.add(int(at))


def all_at_once_is_one_by_one(rule: Constraint, pool: Pool, rng: Generator) -> None:
    limits = bound(rule, pool, rng)
    if limits is None:
        return
    state, everyone = limits.start(), np.arange(len(pool))
    for at in rng.permutation(open_rows(limits, len(pool))):
        allowed = limits.allows(state, everyone)
        single = [bool(limits.allows(state, np.array([i]))[0]) for i in everyone]
        assert allowed.tolist() == single
        reasons = [limits.refuses(state, int(i)) for i in everyone]
        assert all(-1 <= r < len(limits.names) for r in reasons)
        assert all(r == -1 for r, ok in zip(reasons, single, strict=True) if ok)
        if allowed[at]:
            state = limits.add(state, int(at))


def a_refused_row_is_given_its_reason(rule: Constraint, pool: Pool, rng: Generator) -> None:
    limits = bound(rule, pool, rng)
    if limits is None:
        return
    state, taken = limits.start(), set()
    for at in rng.permutation(open_rows(limits, len(pool))):
        for i in set(range(len(pool))) - taken:
            if not limits.allows(state, np.array([i]))[0]:
                assert limits.refuses(state, i) >= 0
        if limits.allows(state, np.array([at]))[0]:
            state = limits.add(state, int(at))
            taken.add(int(at))


def old_states_stay_as_they_were(rule: Constraint, pool: Pool, rng: Generator) -> None:
    limits = bound(rule, pool, rng)
    if limits is None:
        return
    state, everyone = limits.start(), np.arange(len(pool))
    for at in rng.permutation(open_rows(limits, len(pool))):
        allowed = limits.allows(state, everyone)
        if allowed[at]:
            after = limits.add(state, int(at))
            limits.allows(after, everyone)
            assert (limits.allows(state, everyone) == allowed).all()
            state = after


def upper_is_above_every_feasible_sum(rule: Constraint, pool: Pool, rng: Generator) -> None:
    limits = bound(rule, pool, rng)
    if limits is None:
        return
    gains = rng.choice([0.0, 0.5, 1.0, 3.0], len(pool))
    gains[limits.shown] = 0.0
    state, taken = limits.start(), np.zeros(0, np.int64)
    sets = subsets(len(pool), limits.k)
    feasible = [set(s.tolist()) for s in sets if not limits.check(s)]
    while True:
        ours = set(taken.tolist())
        reach = max((float(gains[list(s - ours)].sum()) for s in feasible if ours <= s), default=0.0)
        assert limits.upper(gains, state) >= reach - 1e-9
        fit = np.flatnonzero(limits.allows(state, np.arange(len(pool))))
        if len(fit) == 0 or len(taken) >= limits.k:
            return
        taken = np.append(taken, rng.choice(fit))
        state = limits.add(state, int(taken[-1]))


def what_cannot_hold_is_refused_and_nothing_else(rule: Constraint, pool: Pool, rng: Generator) -> None:
    """Bound limits have a feasible choice; where they are refused as infeasible there is none."""
    rules, k = rules_and_size(rule, pool, rng)
    refusal, limits = None, None
    try:
        limits = settle(pool, rules, k)
    except InfeasibleError as e:
        refusal = e
    except (UsageError, ContractError):
        return  # a rule that names what this pool does not have
    if limits is not None:
        assert any(not limits.check(s) for s in subsets(len(pool), limits.k))
    if refusal is not None:
        rows = all_rows(pool, rules, k)
        beside = all_rules(pool, rules, rows)
        had = np.unique([x for r in rows if r.kind == "shown" for x in r.at.tolist()]).astype(np.int64)
        for s in subsets(len(pool), len(pool)):
            assert violations(rows, s, len(pool)) or broken(beside, s, had, len(pool))
        assert refusal.conflict
        assert refusal.relaxation


LAWS = (
    what_is_allowed_ends_in_a_choice_that_checks,
    a_refusal_is_for_good,
    all_at_once_is_one_by_one,
    a_refused_row_is_given_its_reason,
    old_states_stay_as_they_were,
    upper_is_above_every_feasible_sum,
    what_cannot_hold_is_refused_and_nothing_else,
)
