"""The compare door: a choice beside other ways to spend the same budget, by measures that you name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.contracts import Built, Solver
from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.expression import expression
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.recipe import Recipe
from shortlist.doors.verdict import number
from shortlist.measures.significance import band, contrast
from shortlist.methods.constrain.feasible import settle


@runtime_checkable
class Measure(Protocol):
    """One number for a choice: positions i64[k] of a pool. Larger is taken to be better."""

    @property
    def name(self) -> str:
        """What a table calls it."""
        ...

    def __call__(self, pool: Pool, at: I64) -> float:
        """The number."""
        ...


class Kept(Protocol):
    """What `curate` returns, as far as it is looked at here."""

    @property
    def pool(self) -> Pool:
        """The candidates."""
        ...

    @property
    def result(self) -> Choice:
        """The choice."""
        ...

    @property
    def recipe(self) -> Recipe:
        """With its objective and its constraints."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One measure of the choice beside one baseline, repeated `repeats` times if it is random.

    low and high: the smallest and largest order statistics that leave no more than 2.5% on each side, or
    all of few repeats; difference, its interval and p: see measures.significance.contrast.
    """

    measure: str
    baseline: str
    repeats: int
    ours: float
    theirs: tuple[float, float, float]
    difference: tuple[float, float, float]
    better: float
    worse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Lines in the order asked; `spent` says what each side used: (baseline, resource, ours, theirs)."""

    lines: tuple[Beside, ...]
    spent: tuple[tuple[str, str, float, float], ...]

    def table(self) -> str:
        """The comparison as text, a line for each measure and baseline; equal budgets below."""
        head = ("measure", "against", "choice", "baseline", "difference", "p better", "p worse")
        body = [_cells(line) for line in self.lines]
        widths = [max(len(row[i]) for row in (head, *body)) for i in range(len(head))]
        rows = [
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *body)
        ]
        paid = [f"{b}: {r} {number(o)} against {number(t)}" for b, r, o, t in self.spent]
        return "\n".join([*rows, "", "equal budgets: " + "; ".join(paid)])


def compare(
    keep: Kept,
    against: Sequence[Solver | Choice],
    by: Sequence[Measure],
    *,
    repeats: int = 20,
    tolerance: float = 0.02,
) -> Comparison:
    """Measure a choice beside baselines that hold the same limits.

    Args:
        keep: the answer of `curate`.
        against: solvers, run on the same pool under the same limits, or choices from that pool. A solver
            with a field `seed` is random: it runs `repeats` times, from its seed on.
        by: measures such as Vendi(by='vec') or Coverage(by='vec', of=heldout).
        repeats: runs of a random solver.
        tolerance: by what share sizes and costs may differ.

    Raises:
        UsageError: nothing to compare, or budgets are not equal: then no table could be fair.
    """
    if not against or not by or repeats < 1:
        raise UsageError("compare needs at least one baseline, one measure and one repeat")
    pool = keep.pool
    limits = settle(pool, keep.recipe.within)
    ours = np.searchsorted(pool.rows, keep.result.rows)
    built = _built(keep, against)
    lines: list[Beside] = []
    spent: list[tuple[str, str, float, float]] = []
    for baseline in against:
        runs = [np.searchsorted(pool.rows, c.rows) for c in _runs(baseline, built, limits, pool, repeats)]
        name = f"a choice of {len(runs[0]):,}" if isinstance(baseline, Choice) else expression(baseline)
        spent += [(name, *use) for use in _equal(name, limits, ours, runs, tolerance)]
        for measure in by:
            theirs = np.array([measure(pool, at) for at in runs])
            lines.append(_beside(measure.name, name, measure(pool, ours), theirs))
    return Comparison(lines=tuple(lines), spent=tuple(spent))


def _built(keep: Kept, against: Sequence[Solver | Choice]) -> Built | None:
    """The recipe's objective on its pool, for baselines that optimise it too."""
    objective = keep.recipe.objective
    if objective is None or all(isinstance(b, Choice) for b in against):
        return None
    return alone(objective.build(keep.pool), keep.pool)


def _runs(baseline: Any, built: Any, limits: BoundLimits, pool: Pool, repeats: int) -> list[Choice]:
    if isinstance(baseline, Choice):
        return [baseline]
    if not hasattr(baseline, "seed"):
        return [baseline(built, limits, pool)]
    return [replace(baseline, seed=baseline.seed + i)(built, limits, pool) for i in range(repeats)]


def _equal(
    name: str, limits: BoundLimits, ours: I64, runs: Sequence[I64], tolerance: float
) -> list[tuple[str, float, float]]:
    """(resource, ours, theirs on average) for size and every budget, if they are equal.

    Sizes may differ where one and the same budget is spent on both sides: then it is the budget that is
    compared at.
    """
    uses = []
    for row in limits.rows:
        if row.kind == "knapsack" and row.weight is not None:
            w = row.weight
            uses.append(
                (row.text, float(w[ours].sum()), float(np.mean([w[at].sum() for at in runs])), row.high)
            )
    exhausted = any(min(o, t) >= (1 - tolerance) * high for _, o, t, high in uses)
    size = ("rows", float(len(ours)), float(np.mean([len(at) for at in runs])))
    for resource, o, t in [u[:3] for u in uses] + ([] if exhausted else [size]):
        if abs(o - t) > tolerance * max(o, t):
            raise UsageError(
                f"budgets differ: {resource}: {number(o)} for the choice, {number(t)} for {name}; "
                f"more than {tolerance:.0%} apart, so no table could be fair (tolerance= sets the share)"
            )
    return [size, *(u[:3] for u in uses)]


def _beside(measure: str, baseline: str, ours: float, theirs: F64) -> Beside:
    seen = contrast(ours, theirs)
    return Beside(
        measure=measure,
        baseline=baseline,
        repeats=len(theirs),
        ours=ours,
        theirs=(float(theirs.mean()), *band(theirs)),
        difference=(seen.difference, seen.low, seen.high),
        better=seen.better,
        worse=seen.worse,
    )


def _cells(line: Beside) -> tuple[str, ...]:
    mean, low, high = line.theirs
    d, least, most = line.difference
    if line.repeats == 1:
        return (line.measure, line.baseline, number(line.ours), number(mean), number(d, sign=True), "", "")
    return (
        line.measure,
        f"{line.baseline} x {line.repeats}",
        number(line.ours),
        f"{number(mean)} ({number(low)} to {number(high)})",
        f"{number(d, sign=True)} ({number(least, sign=True)} to {number(most, sign=True)})",
        number(line.better),
        number(line.worse),
    )
