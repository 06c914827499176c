"""What each role must offer. Structural: there is nothing to inherit, and nothing here computes.

Positions (`at`, i64) count rows of the pool at hand from 0; global row numbers are `pool.rows[at]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from shortlist.core.arrays import F32, F64, I64, Bool
from shortlist.core.choice import Choice
from shortlist.core.effects import Plan
from shortlist.core.judgments import Board, Duels, Pick
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors

if TYPE_CHECKING:
    from shortlist.core.drops import Drops


@dataclass(frozen=True, slots=True)
class Need:
    """What work will take: `bytes` at its peak beyond the pool itself, `flops` in total."""

    bytes: float
    flops: float


@runtime_checkable
class Objective(Protocol):
    """A set function by its hyperparameters. `build` binds it to a pool, which may be long work: a plan.

    `value` is the slow stateless truth, read off the definition: f64[T], a number a term, for the rows at
    positions at i64[m]. Built objectives must agree with it wherever `exact` says so.
    """

    @property
    def terms(self) -> tuple[str, ...]: ...

    def need(self, pool: Pool, k: int) -> Need: ...

    def build(self, pool: Pool) -> Plan[Built]: ...

    def value(self, pool: Pool, at: I64) -> F64: ...


class Built(Protocol):
    """An objective bound to n rows. States are never changed in place: `add` returns a new one.

    submodular: gains never grow as the set grows (lazy solvers rely on it); monotone: gains are never
    negative; exact: `value` of the objective equals the sum of gains up to rounding.
    """

    @property
    def terms(self) -> tuple[str, ...]: ...

    @property
    def submodular(self) -> bool: ...

    @property
    def monotone(self) -> bool: ...

    @property
    def exact(self) -> bool: ...

    def __len__(self) -> int: ...

    def start(self) -> Any: ...

    def gains(self, state: Any, at: I64) -> F64:
        """f64[len(at), T]: what each row would add to this state, by term."""
        ...

    def add(self, state: Any, at: int) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One linear inequality over a choice: low <= sum of its weights over the chosen rows <= high.

    at i64[m], increasing: the positions that carry weight (None: all); weight f64[m] >= 0 (None: 1 each);
    low and high may be infinite; `text` is the constraint as the user would write it; `kind` is one of
    'size', 'knapsack', 'quota', 'include', 'exclude', 'shown'; `rule` is the text of the whole where the user
    wrote many inequalities as one (`lang>=5%` for every group of lang): they are named and relaxed together.
    """

    text: str
    kind: str
    at: I64 | None
    weight: F64 | None
    low: float
    high: float
    rule: str = ""


@runtime_checkable
class Constraint(Protocol):
    """A feasibility rule. Every rule of the house is a set of linear rows over a choice (docs/adr/007)."""

    def rows(self, pool: Pool, k: int) -> list[Row]:
        """The rule over this pool for a choice of at most k rows."""
        ...


class Limits(Protocol):
    """All constraints of a run bound to a pool. A refusal is for good:
    what `allows` turns away never comes back."""

    @property
    def rows(self) -> tuple[Row, ...]: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def k(self) -> int: ...

    @property
    def must(self) -> I64:
        """Positions that have to be taken first, in order."""
        ...

    @property
    def shown(self) -> I64:
        """Positions the user has already: never taken, but in the objective's state from the start."""
        ...

    def start(self) -> Any: ...

    def allows(self, state: Any, at: I64) -> Bool: ...

    def add(self, state: Any, at: int) -> Any: ...

    def refuses(self, state: Any, at: int) -> int:
        """Index into `names` of the constraint that turns this row away, -1 if none does."""
        ...

    def check(self, at: I64) -> list[str]:
        """Violations of a finished choice, from the definition; [] if none."""
        ...

    def upper(self, gains: F64, state: Any) -> float:
        """An upper bound of sum(gains[at]) over every set `at` that may still be added to this state."""
        ...


@runtime_checkable
class Solver(Protocol):
    """Chooses. Function inside, object outside."""

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice: ...


@runtime_checkable
class Encoder(Protocol):
    """Makes vectors of the text signal `by`."""

    @property
    def by(self) -> str: ...

    def need(self, pool: Pool) -> Need: ...

    def steps(self, pool: Pool) -> Plan[Vectors]: ...


@runtime_checkable
class Deduper(Protocol):
    """Finds near-duplicates by signal `by` and says which copy of each is kept."""

    @property
    def by(self) -> str: ...

    def need(self, pool: Pool) -> Need: ...

    def steps(self, pool: Pool) -> Plan[Drops]: ...


@runtime_checkable
class Ranker(Protocol):
    """Ranks the items of duels."""

    def __call__(self, duels: Duels) -> Board: ...


@runtime_checkable
class Voter(Protocol):
    """Picks one answer out of the rows of a pool, paying nobody."""

    def __call__(self, pool: Pool) -> Pick: ...


class Scorer(Protocol):
    """A paid function of items: f32[n] for n items."""

    def __call__(self, items: Any) -> F32: ...
