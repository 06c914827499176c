"""Asking a judge about pairs so that a liking for one side cancels out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.effects import Ask, Plan, ask
from shortlist.core.errors import ContractError

T = TypeVar("T")


def ask_pairs(role: str, pairs: I64, swap: Bool) -> Plan[F64]:
    """f64[b] in [0, 1]: what the first of each pair of rows i64[b, 2] got; the sides change where `swap`.

    Raises:
        ContractError: an answer is no probability.
    """
    items = np.where(swap[:, None], pairs[:, ::-1], pairs)
    said = (yield from ask(role, items, duel=True)).astype(np.float64)
    outside = np.flatnonzero(~((said >= 0) & (said <= 1)))
    if len(outside):
        at = int(outside[0])
        left, right = items[at].tolist()
        raise ContractError(
            f"scorer {role!r} gave {said[at]:g} for rows {left} and {right}; "
            "it must give the probability in [0, 1] that the left one wins"
        )
    return np.where(swap, 1.0 - said, said)


def alternating(b: int, first: bool) -> Bool:
    """bool[b]: every other one, so that of many duels of a pair half are asked each way round."""
    flags: Bool = (np.arange(b) + int(first)) % 2 == 1
    return flags


def answered(plan: Plan[T], judge: Callable[[Any], Any]) -> T:
    """Run a plan that asks one judge and nothing else, without a driver, a budget or a price."""
    try:
        effect = next(plan)
        while isinstance(effect, Ask):
            effect = plan.send(np.asarray(judge(effect.items), np.float32))
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise ContractError(f"{type(effect).__name__} needs a driver: use run.driver.run")
