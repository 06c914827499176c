"""Laws of rules of order: what comes next keeps every prefix, and what waits may come later."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from shortlist.core.errors import ContractError, InfeasibleError, UsageError
from shortlist.core.fill import fill
from shortlist.core.pool import Pool
from shortlist.methods.constrain.feasible import settle
from tests.laws.constrain import rules_and_size
from tests.strategies import bound_or_none


def every_prefix_keeps_it(rule: Any, pool: Pool, rng: Generator) -> None:
    limits = bound_or_none(pool, (rule,), int(rng.integers(0, len(pool) + 3)))
    assert limits is not None
    at = fill(limits, rng.permutation(np.setdiff1d(np.arange(len(pool)), limits.shown)))
    assert all(limits.check(at[:t]) == [] for t in range(len(at) + 1))


def what_is_allowed_keeps_every_limit_to_the_end(rule: Any, pool: Pool, rng: Generator) -> None:
    limits = bound_or_none(pool, *rules_and_size(rule, pool, rng))
    if limits is None:
        return
    assert limits.ordered
    state, taken = limits.start(), []
    everyone = np.arange(len(pool))
    while len(taken) < limits.k:
        allowed = limits.allows(state, everyone)
        assert not allowed[taken].any()
        for i in everyone:
            assert bool(limits.allows(state, np.array([i]))[0]) == allowed[i]
            assert (limits.refuses(state, i) == -1) or not allowed[i]
            assert allowed[i] or i in taken or i in limits.shown or limits.refuses(state, i) >= 0
        if not allowed.any():
            break
        taken.append(int(rng.choice(np.flatnonzero(allowed))))
        after = limits.add(state, taken[-1])
        assert (limits.allows(state, everyone) == allowed).all()
        state = after
    assert limits.check(np.array(taken, np.int64)) == []


def what_cannot_hold_is_refused_in_words(rule: Any, pool: Pool, rng: Generator) -> None:
    rules, k = rules_and_size(rule, pool, rng)
    refusal = None
    try:
        settle(pool, rules, k)
    except InfeasibleError as e:
        refusal = e
    except (UsageError, ContractError):
        return  # a rule that names what this pool does not have
    assert refusal is None or (refusal.conflict and refusal.relaxation)


LAWS = (
    every_prefix_keeps_it,
    what_is_allowed_keeps_every_limit_to_the_end,
    what_cannot_hold_is_refused_in_words,
)
