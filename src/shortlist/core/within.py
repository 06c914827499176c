"""A problem seen through some of its rows, and choices retold: what solvers in parts or in passes share.

Positions of a view count its own rows; results are told for the whole pool again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64, U64, Bool
from shortlist.core.choice import Choice
from shortlist.core.contracts import Built, Limits, Row
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.steps import Step, Steps


@dataclass(frozen=True, slots=True, eq=False)
class SomeBuilt:
    """The rows at increasing positions at i64[m] of a built objective."""

    whole: Built
    at: I64

    @property
    def terms(self) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.terms

    @property
    def submodular(self) -> bool:
        """As the whole."""
        return self.whole.submodular

    @property
    def monotone(self) -> bool:
        """As the whole."""
        return self.whole.monotone

    @property
    def exact(self) -> bool:
        """As the whole."""
        return self.whole.exact

    def __len__(self) -> int:
        return len(self.at)

    def start(self) -> Any:
        """The state of the whole."""
        return self.whole.start()

    def gains(self, state: Any, at: I64) -> F64:
        """f64[len(at), T], positions of the view."""
        return self.whole.gains(state, self.at[at])

    def add(self, state: Any, at: int) -> Any:
        """The state with one row more."""
        return self.whole.add(state, int(self.at[at]))


@dataclass(frozen=True, slots=True, eq=False)
class SomeLimits:
    """The limits of a pool of n rows, asked about those at increasing positions at i64[m] alone.

    All that must be taken and all that is shown has to be among them. Least counts may be kept up by rows
    that the view does not hold: a choice of the view may be short of them.
    """

    whole: Limits
    at: I64
    n: int

    @property
    def rows(self) -> tuple[Row, ...]:
        """None: those of the whole speak of its positions."""
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.names

    @property
    def k(self) -> int:
        """No more than there are rows to take."""
        return min(self.whole.k, len(self.at) - len(self.shown))

    @property
    def must(self) -> I64:
        """Positions of the view to take first."""
        return np.searchsorted(self.at, self.whole.must)

    @property
    def shown(self) -> I64:
        """Positions of the view that are in the state from the start."""
        return np.searchsorted(self.at, self.whole.shown)

    def start(self) -> Any:
        """The empty choice."""
        return self.whole.start()

    def allows(self, state: Any, at: I64) -> Bool:
        """bool[m], positions of the view."""
        return self.whole.allows(state, self.at[at])

    def add(self, state: Any, at: int) -> Any:
        """The state with one row more."""
        return self.whole.add(state, int(self.at[at]))

    def refuses(self, state: Any, at: int) -> int:
        """Index into `names`, -1 if nothing does."""
        return self.whole.refuses(state, int(self.at[at]))

    def reasons(self, state: Any, at: I64) -> I64:
        """`refuses` for each of these."""
        return np.array([self.whole.refuses(state, x) for x in self.at[at].tolist()], np.int64)

    @property
    def ordered(self) -> bool:
        """Never: see `unordered`."""
        return False

    def check(self, at: I64) -> list[str]:
        """Violations of the whole by rows of the view."""
        return self.whole.check(self.at[at])

    def disorder(self, at: I64) -> list[str]:  # noqa: ARG002 (no order to break)
        """Nothing."""
        return []

    def upper(self, gains: F64, state: Any) -> float:
        """An upper bound over rows of the view."""
        every = np.zeros(self.n)
        every[self.at] = gains
        return self.whole.upper(every, state)


def unordered(limits: Limits, solver: str) -> None:
    """For solvers that pass a row over for good.

    Raises:
        UsageError: the limits have a rule of order, under which a row refused now may be let in later.
    """
    if getattr(limits, "ordered", False):
        raise UsageError(
            f"{solver} looks at a row once, but a rule of order may let it in later; use LazyGreedy()"
        )


def view(limits: Limits, n: int, at: I64) -> SomeLimits:
    """The limits over n rows seen through positions at i64[m], and through all that they need besides."""
    return SomeLimits(limits, np.unique(np.concatenate([at, limits.must, limits.shown])), n)


def mixed(rows: I64, seed: int) -> U64:
    """u64[n]: a number for each global row that looks random and depends on nothing else, by SplitMix64
    (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195); rows differ, so do the numbers."""
    start = generator(seed, "mixed rows").integers(0, 1 << 64, dtype=np.uint64)
    x = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: U64 = x ^ (x >> np.uint64(31))
    return mixed


def retold(built: Built, limits: Limits, pool: Pool, order: I64) -> Choice:
    """The choice of what must be taken, then of these positions in order, then of others as there is room.

    The others come by their gains after the last of `order` (one look at every row): so least counts are met
    by rows that a view did not hold. Trace and bound are those of `Steps`.
    """
    steps = Steps.begin(built, limits)
    free = np.zeros(len(built), bool)
    free[steps.candidates()] = True
    _take(steps, order[free[order]])
    if steps.open:
        left = steps.candidates()
        gains = built.gains(steps.state, left).sum(axis=1)
        _take(steps, left[np.argsort(-gains, kind="stable")])
    return steps.choice(pool)


def _take(steps: Steps, order: I64) -> None:
    """Take rows in this order while there is room; what limits refuse, or what does harm, is passed over."""
    block = 256
    while len(order) and steps.open:
        fit = order[:block][steps.limits.allows(steps.held, order[:block])]
        order = order[block:]
        while len(fit) and steps.open:
            at = int(fit[0])
            fit = fit[1:]
            parts = steps.built.gains(steps.state, np.array([at]))[0]
            if steps.enough(float(parts.sum())):
                continue
            steps.take(Step(at, parts))
            fit = fit[steps.limits.allows(steps.held, fit)]
