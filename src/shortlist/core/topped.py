"""A choice by a rule of its own, kept within limits: ask for rows, pass over what does not fit, ask again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.contracts import Limits
from shortlist.core.fill import filling
from shortlist.core.steps import sizes_only

#: (rows that are there: shown, then taken in order; rows open to choice, increasing; m) -> some of the open
#: rows in order, each once: m of them, fewer where the rule has no more to give, none to stop.
Draw: TypeAlias = Callable[[I64, I64, int], I64]


def topped(limits: Limits, n: int, draw: Draw) -> I64:
    """Positions taken, in order: what must be, then what `draw` gives as far as the limits allow, topped up
    by further draws among the rows still open until the size is reached or nothing fits."""
    fill, state, told = filling(limits), limits.start(), 0
    taken = fill(np.zeros(0, np.int64))
    free = np.ones(n, bool)
    free[limits.shown] = False
    plain = sizes_only(limits)
    while len(taken) < limits.k:
        free[taken] = False
        left = np.flatnonzero(free)
        if not plain:
            for x in taken[told:].tolist():
                state = limits.add(state, x)
            told = len(taken)
            left = left[limits.allows(state, left)]
        if not len(left):
            break
        more = draw(np.concatenate([limits.shown, taken]), left, min(limits.k - len(taken), len(left)))
        longer = fill(np.concatenate([taken[len(limits.must) :], more]))
        if len(longer) == len(taken):
            break
        taken = longer
    return taken
