"""Limits with some rows taken already: the rest of a choice as a problem of its own, for any solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.contracts import Limits, Row, Waiting


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """What is left of limits once rows are taken, which are to the solver as if they were shown before.

    whole: limits over n rows; held: their state with the rows taken, i64[m] in order.
    """

    whole: Limits
    held: Any
    taken: I64
    n: int

    @property
    def rows(self) -> tuple[Row, ...]:
        """Those of the whole, less what the rows taken count in each."""
        return tuple(self._less(row) for row in self.whole.rows)

    def _less(self, row: Row) -> Row:
        if row.kind in ("include", "shown", "exclude"):
            return replace(row, low=-np.inf)  # what must be taken is taken first
        at = np.arange(self.n) if row.at is None else row.at
        weight = np.zeros(self.n)
        weight[at] = 1.0 if row.weight is None else row.weight
        spent = float(weight[self.taken].sum())
        return replace(row, low=row.low - spent, high=max(row.high - spent, 0.0))

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.names

    @property
    def k(self) -> int:
        """Rows there may still be."""
        return max(self.whole.k - len(self.taken), 0)

    @property
    def must(self) -> I64:
        """None: they are among the rows taken."""
        return np.empty(0, np.int64)

    @property
    def shown(self) -> I64:
        """Positions shown before, and those taken."""
        return np.concatenate([self.whole.shown, self.taken])

    def start(self) -> Any:
        """The state with the rows taken."""
        return self.held

    def allows(self, state: Any, at: I64) -> Bool:
        """bool[m]: whether each row may be taken next."""
        return self.whole.allows(state, at)

    def add(self, state: Any, at: int) -> Any:
        """The state with one row more."""
        return self.whole.add(state, at)

    def refuses(self, state: Any, at: int) -> int:
        """Index into `names`, -1 if nothing does."""
        return self.whole.refuses(state, at)

    def reasons(self, state: Any, at: I64) -> I64:
        """`refuses` for each of these."""
        if isinstance(self.whole, Waiting):
            return self.whole.reasons(state, at)
        return np.array([self.whole.refuses(state, x) for x in at.tolist()], np.int64)

    @property
    def ordered(self) -> bool:
        """As the whole."""
        return isinstance(self.whole, Waiting) and self.whole.ordered

    def check(self, at: I64) -> list[str]:
        """Violations of the whole choice, the rows taken first."""
        return self.whole.check(np.concatenate([self.taken, at]))

    def disorder(self, at: I64) -> list[str]:
        """What a beginning breaks of the rules of order."""
        whole = np.concatenate([self.taken, at])
        return self.whole.disorder(whole) if isinstance(self.whole, Waiting) else []

    def upper(self, gains: F64, state: Any) -> float:
        """An upper bound of what may still be added."""
        return self.whole.upper(gains, state)
