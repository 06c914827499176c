"""The state of limits that count rows and add up costs, with the reserve that is kept for least counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core import reserve
from shortlist.core.arrays import F64, I64, U8, Bool
from shortlist.core.errors import ContractError
from shortlist.core.patterns import Patterns
from shortlist.core.reserve import Costs, Swap

CLOSED, OPEN, HELD = 0, 1, 2


class NoWitness(ContractError):
    """The greedy pass found no rows that meet every least count; an exact search may.

    proved: there are none.
    """

    def __init__(self, text: str, *, proved: bool = False) -> None:
        super().__init__(text)
        self.proved = proved


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is chosen (S) and kept aside (W), as far as limits care. Never changed in place.

    status u8[n]: CLOSED (taken, or never to be taken), OPEN, HELD (in W); count i64[G]: rows of S a group;
    total i64[G]: of S and W; spent f64[J]: costs of S; rest f64[J]: what S and W leave of each budget;
    fits bool[P]: one row more of the pattern passes no most count; held: W a pattern, dearest first;
    answers: what `allows` has worked out about this state, at most one entry.
    """

    status: U8
    count: I64
    total: I64
    spent: F64
    rest: F64
    fits: Bool
    held: reserve.Held
    answers: list[Answers] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """lets bool[P]: whether counts let a row of the pattern in; room f64[J, P]: what it may cost then.

    Both hold for the reserve as it is until the pattern is in `swaps` (and `swapped` bool[P]), which say
    what a row of it would do to the reserve.
    """

    lets: Bool
    room: F64
    swaps: dict[int, Swap | None]
    swapped: Bool


def keeping(
    p: Patterns,
    costs: Costs,
    status: U8,
    witness: I64 | None = None,
    *,
    taken: tuple[I64, F64] | None = None,
    pinned: bool = False,
) -> State:
    """The state that keeps these rows in reserve.

    Args:
        p, costs: what limits bind.
        status: u8[n], no row HELD; not changed.
        witness: positions i64[m] of the reserve.
        taken: rows a group i64[G] and costs f64[J] of what is chosen; None: nothing is.
        pinned: no pick sets a row of the reserve free.

    Raises:
        ContractError: the witness holds rows that may not be taken.
    """
    witness = np.empty(0, np.int64) if witness is None else witness
    count, spent = taken or (np.zeros(len(p.low), np.int64), np.zeros(len(costs.of)))
    if (status[witness] == CLOSED).any():
        raise ContractError("the witness holds rows that may not be taken")
    status = status.copy()
    status[witness] = HELD
    held = reserve.by_pattern(p, costs, witness)
    total = count.copy()
    for q, rows in held.items():
        total[p.groups[q]] += len(rows)
    rest = costs.most - spent - costs.sums(witness)
    return State(status, count, total, spent, rest, fitting(p, total), {} if pinned else held)


def fitting(p: Patterns, total: I64) -> Bool:
    """bool[P]: whether one row more of each pattern passes no most count."""
    fits = np.ones(len(p.groups), bool)
    for g in np.flatnonzero(total >= p.high):
        fits[p.holders[g]] = False
    return fits
