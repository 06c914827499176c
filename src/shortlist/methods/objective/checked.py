"""A set function of your own, in plain Python: examined on samples before solvers trust it.

Source: the definition (Nemhauser, Wolsey & Fisher 1978, doi:10.1007/BF01588971, prop. 2.1: submodular exactly
where no gain grows when one row is added); how often sampled squares show what is wrong: Seshadhri & Vondrak
2011, "Is Submodularity Testable?", arXiv:1008.0831.
Deviates: none. f({}) is taken off. Gains are rounded to 2^-36 of the largest value met, so that the rounding
    of f does not decide ties. A row that is chosen already gains 0.
Cost: 4 calls of f a sample to build, one call a gain; gains asked again of the same set are remembered.
Memory: 100 bytes a call remembered: n a chosen row under plain greedy, for as long as its state is held.
Guarantee: what f has. `submodular` and `monotone` are what the samples show, which proves nothing where not
    all squares were looked at; a gain that breaks them on the way of a solver ends the run with that example.
Use it when: what is wanted is easy to write as a function of a set, and the pool has some thousand rows at
    most.
Not when: a method says the same: it is a thousand times faster and its properties are proved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import floor, isfinite, log2
from typing import Any, Protocol, runtime_checkable

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.examine import ROUNDING, Counterexample, Examination, examine
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.methods.objective.count_entropy import CountEntropy
from shortlist.methods.objective.group_coverage import GroupCoverage


@runtime_checkable
class Valued(Protocol):
    """An object that knows what rows of a pool are worth together: every objective is one."""

    def value(self, pool: Pool, at: I64) -> Any:
        """A number, or some that are added up, for the rows at positions i64[m]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Your function as an objective.

    Args:
        of: f(rows) -> number, for the global row numbers i64[m] in order of choice (rows of the file,
            whatever was dropped since); or an object with `value(pool, at)`, which sees the pool.
        samples: squares S, S + i, S + j, S + i + j on which f is examined; all, where there are no more.
        seed: of these samples.
        trust: what you rely on: 'submodular', 'monotone' or both, parted by a blank. A violation is then an
            error that shows it; else solvers are told what was found.
        name: of the term in reports.
    """

    of: Callable[[I64], Any] | Valued = field(kw_only=False)
    samples: int = 200
    seed: int = 0
    trust: str = ""
    name: str = "checked"

    def __post_init__(self) -> None:
        if isinstance(self.of, str):
            raise UsageError(
                f"Checked: {self.of!r} only names a function, and names in text are never imported; "
                "pass the function itself, from Python: Checked(f)"
            )
        if not callable(self.of) and not isinstance(self.of, Valued):
            raise UsageError(f"Checked: of must be a function or have value(pool, at), found {self.of!r}")
        if self.samples < 1:
            raise UsageError(f"Checked: samples must be 1 or more, found {self.samples}")
        if not set(self.trust.split()) <= {"submodular", "monotone"}:
            raise UsageError(f"Checked: trust is 'submodular', 'monotone' or both, found {self.trust!r}")

    @property
    def terms(self) -> tuple[str, ...]:
        """The name it was given."""
        return (self.name,)

    def need(self, pool: Pool, k: int) -> Need:
        """What is remembered. What f itself takes is not known: a call is counted as 10,000 flops."""
        calls = 4.0 * self.samples + 1.0 * len(pool) * (k + 1)
        return Need(bytes=400.0 * calls, flops=1e4 * calls)

    def examine(self, pool: Pool) -> Examination:
        """Whether the function seems monotone and submodular on this pool, with the worst counterexamples.

        Their rows are global.

        Raises:
            ContractError: it gives no finite number, or two for one set.
        """
        rng = generator(self.seed, "checked", "examine")
        found = examine(exact(self.of, pool), len(pool), self.samples, rng)
        rows = tuple(_global(c, pool) for c in found.counterexamples)
        return Examination(
            found.monotone, found.submodular, found.ordered, found.squares, found.complete, found.scale, rows
        )

    def build(self, pool: Pool) -> Plan[BuiltChecked]:
        """Examine, then bind.

        Raises:
            ContractError: it is not what it is trusted to be.
        """
        yield from ()
        found = self.examine(pool)
        for wanted in self.trust.split():
            if found.against(wanted):
                raise ContractError(f"Checked: {self.name!r} is not {wanted}: {found.against(wanted)}")
        unit = 2.0 ** (floor(log2(found.scale)) - 36) if found.scale > 0 else 0.0
        return BuiltChecked(
            of=self,
            pool=pool,
            worth=exact(self.of, pool),
            unit=unit,
            slack=ROUNDING * found.scale,
            submodular=found.submodular,
            monotone=found.monotone,
        )

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the value above that of the empty set."""
        worth = exact(self.of, pool)
        return np.array([worth(at) - worth(at[:0])])


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Positions in order of choice, what they are worth, and what was asked here and one row before: row ->
    gain. Asking writes into `known`; answers never change by it."""

    at: tuple[int, ...]
    worth: float
    known: dict[int, float]
    before: dict[int, float]


@dataclass(frozen=True, slots=True, eq=False)
class BuiltChecked:
    """The function over one pool. unit: gains are multiples of it; slack: what counts as rounding."""

    of: Checked
    pool: Pool
    worth: Callable[[I64], float]
    unit: float
    slack: float
    submodular: bool
    monotone: bool

    @property
    def terms(self) -> tuple[str, ...]:
        """The name it was given."""
        return self.of.terms

    @property
    def exact(self) -> bool:
        """Gains add up to the value, whatever the function."""
        return True

    def __len__(self) -> int:
        return len(self.pool)

    def start(self) -> Chosen:
        """Nothing chosen."""
        return Chosen((), self._worth(()), {}, {})

    def gains(self, state: Chosen, at: I64) -> F64:
        """f64[b, 1]: one call a row that was not asked yet.

        Raises:
            ContractError: a gain breaks what the samples had shown.
        """
        rows = at.tolist()
        for row in rows:
            if row not in state.known:
                state.known[row] = self._gain(state, row)
        return np.array([state.known[row] for row in rows], np.float64).reshape(len(at), 1)

    def add(self, state: Chosen, at: int) -> Chosen:
        """One row more."""
        chosen = state.at if at in state.at else (*state.at, at)
        return Chosen(chosen, self._worth(chosen), {}, state.known)

    def _worth(self, at: tuple[int, ...]) -> float:
        return self.worth(np.array(at, np.int64))

    def _gain(self, state: Chosen, row: int) -> float:
        if row in state.at:
            return 0.0
        raw = self._worth((*state.at, row)) - state.worth
        gain = round(raw / self.unit) * self.unit if self.unit else raw
        if self.monotone and gain < 0:
            if gain < -self.slack:
                self._refuse(Counterexample("monotone", state.at, row, (gain,)))
            gain = 0.0
        if self.submodular and gain > state.before.get(row, np.inf) + self.slack:
            told = (state.before[row], gain)
            self._refuse(Counterexample("submodular", state.at[:-1], row, told, state.at))
        return gain

    def _refuse(self, found: Counterexample) -> None:
        raise ContractError(
            f"Checked: {self.terms[0]!r} is not {found.breaks}: {_global(found, self.pool)}; "
            f"{self.of.samples} samples did not show it: give more"
        )


def exact(of: Callable[[I64], Any] | Valued, pool: Pool) -> Callable[[I64], float]:
    """What the function says of the rows at positions i64[m] of this pool: one number, or an error."""
    seen: Callable[[I64], Any] | None = partial(of.value, pool) if isinstance(of, Valued) else None

    def worth(at: I64) -> float:
        answer = of(pool.rows[at]) if seen is None else seen(at)  # type: ignore[operator]
        try:
            total = float(answer if isinstance(answer, float) else np.sum(answer, dtype=np.float64))
        except (TypeError, ValueError):
            total = np.nan
        if not isfinite(total):
            rows = pool.rows[at].tolist()
            raise ContractError(f"Checked: rows {rows[:12]} are worth {answer!r}; a finite number is needed")
        return total

    return worth


def _global(found: Counterexample, pool: Pool) -> Counterexample:
    rows, more = (tuple(pool.rows[list(at)].tolist()) for at in (found.rows, found.more))
    row = int(pool.rows[found.row]) if found.row >= 0 else -1
    return Counterexample(found.breaks, rows, row, found.gains, more)


EXAMPLES = (
    Checked(GroupCoverage("source", power=0.25), samples=700),
    Checked(CountEntropy(("label",)), samples=700, name="balance"),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: whether m random functions are told for what they are: coverage, which is both; coverage less a
    cost, which is submodular alone; its square, which is monotone alone."""
    right = np.empty(12 * scale)
    for i in range(len(right)):
        covers, kind = rng.random((9, 14)) < 0.3, i % 3
        covers[:2] = [[True] * 7 + [False] * 7, [False] * 7 + [True] * 7]  # apart, so that the square shows

        def f(rows: I64, covers: Any = covers, kind: int = kind) -> float:
            covered = float(covers[rows].any(axis=0).sum())
            return covered**2 if kind == 2 else covered - 1.5 * kind * len(rows)

        found = Checked(f, samples=3000, seed=i).examine(Pool(np.arange(9), {}))
        truth = (kind != 1, kind != 2)
        right[i] = float((found.monotone, found.submodular) == truth)
    return right


CLAIM = Claim(
    paper="Seshadhri & Vondrak 2011",
    says="squares of a function show where it is not submodular",
    we_show="planted functions of nine rows are told for what they are",
    not_shown="how many samples a function with few violations takes: by the paper it may be very many",
    measure=claim,
    margin=1.0,
)
