"""The smallest door: choose from plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from shortlist.core.arrays import F64
from shortlist.core.choice import Choice
from shortlist.core.contracts import Constraint, Objective, Solver
from shortlist.core.effects import alone
from shortlist.core.errors import InputError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Signal, Tags, Vectors
from shortlist.doors.balance import balance
from shortlist.doors.routing import coverage_for
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.feasible import settle
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.cost_benefit import CostBenefit
from shortlist.methods.solve.lazy_greedy import LazyGreedy

#: Bytes that coverage may take. A constant, so that the answer never depends on the machine.
MEMORY = 6.0 * 2**30


def select(
    vectors: npt.ArrayLike | None = None,
    *,
    k: int,
    scores: npt.ArrayLike | None = None,
    groups: Sequence[Any] | npt.NDArray[Any] | None = None,
    at_least: Mapping[Any, int | float] | None = None,
    at_most: Mapping[Any, int | float] | None = None,
    costs: npt.ArrayLike | None = None,
    budget: float | None = None,
    diversity: float = 0.5,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
    shown: Sequence[int] = (),
    seed: int = 0,
) -> Choice:
    """Choose k of n rows that stand for all of them and score well, within limits. NumPy is enough.

    Args:
        vectors: f32[n, d] (other numbers are converted), of any length; compared by cosine.
        k: how many rows, at most.
        scores: f64[n], or f64[n, s] for several, higher is better; only their ranks count.
        groups: n group names, or n lists of them.
        at_least, at_most: group -> rows of it, a count (int) or a share of k (float in [0, 1]).
        costs, budget: f64[n] >= 0, and what the chosen rows may cost together.
        diversity: in [0, 1], 0 = none: scores only, 1: coverage of the vectors only. A part's unit is what
            it alone can gain over random at this k, so 0.5 gives both as much to win.
        include, exclude: positions that must, or must not, be chosen.
        shown: positions that you have already: never chosen, and what they cover counts as covered.
        seed: of the samples drawn for large pools.

    Returns:
        `Choice`: `rows` in order of choice, `gains`, their `parts` by term, an upper `bound` of the run.

    Raises:
        InputError: a number is not finite, or lengths differ.
        UsageError: there is nothing to choose by, or an option cannot be read.
        InfeasibleError: the limits cannot hold together; names them and a relaxation.
        MemoryRefused: the vectors take more than 6 GiB to compare; use `curate`.

    >>> import numpy as np
    >>> corners = np.array([[1, 0], [0.9, 0.1], [0.8, 0.3], [0, 1], [0.1, 0.9]])
    >>> select(corners, k=2).rows.tolist()
    [2, 3]
    >>> select(k=2, scores=[0.1, 0.9, 0.5, 0.7, 0.2]).rows.tolist()
    [1, 3]
    >>> select(corners, k=2, scores=[9, 1, 1, 1, 1], groups=list("aabba"), at_most={"a": 1}).rows.tolist()
    [0, 3]
    """
    columns, names = _columns(vectors, scores, groups, costs)
    pool = Pool.of(columns)
    n = len(pool)
    within: list[Constraint] = [Cardinality(k)]
    if at_least is not None or at_most is not None:
        if groups is None:
            raise UsageError("at_least and at_most bound groups: give groups, one name a row")
        within.append(Quota("groups", at_least=_named(at_least), at_most=_named(at_most)))
    if (budget is None) != (costs is None):
        raise UsageError("costs and budget go together: give both or none")
    if budget is not None:
        within.append(Knapsack("costs", at_most=budget))
    for rule, rows in ((Include, include), (Exclude, exclude), (Shown, shown)):
        if len(rows):
            within.append(rule(tuple(int(r) for r in rows)))
    limits = settle(pool, within, min(k, n))
    solver: Solver = LazyGreedy() if budget is None else CostBenefit()
    with _serial():
        objective = _objective(pool, names, limits.k, diversity, seed)
        return solver(alone(objective.build(pool)), limits, pool)


def _serial() -> AbstractContextManager[object]:
    """One BLAS thread, so that the last bits never depend on how many the caller has; as they are where
    NumPy is alone."""
    try:
        from shortlist.run.driver import serial_blas
    except ImportError:
        return nullcontext()
    return serial_blas()


def _objective(pool: Pool, names: Sequence[str], k: int, diversity: float, seed: int) -> Objective:
    """Coverage at `diversity`, the scores sharing the rest, each in units of what it can gain."""
    try:
        share = float(diversity)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"diversity must lie in [0, 1], found {diversity!r}")
    covers = "vectors" in pool.columns
    if not covers and not names:
        raise UsageError("nothing to choose by: give vectors, scores or both")
    share = share if covers and names else float(covers)
    if covers and not names and diversity == 0:
        raise UsageError("diversity=0 chooses by scores alone: give scores")
    if names and not covers and diversity == 1:
        raise UsageError("diversity=1 chooses by vectors alone: give vectors")
    parts: list[Objective] = []
    if share > 0:
        parts.append(coverage_for(pool, "vectors", k, MEMORY, seed)[0])
    if share < 1:
        parts += [Modular(name) for name in names]
    shares = [share] * (share > 0) + [(1 - share) / max(len(names), 1)] * (len(names) if share < 1 else 0)
    if len(parts) == 1:
        return parts[0]
    return Sum(tuple(parts), weights=tuple(balance(parts, shares, pool, k, seed).tolist()))


def _columns(
    vectors: npt.ArrayLike | None,
    scores: npt.ArrayLike | None,
    groups: Sequence[Any] | npt.NDArray[Any] | None,
    costs: npt.ArrayLike | None,
) -> tuple[dict[str, Signal], list[str]]:
    """The arrays as signals, and the names of those that are scores."""
    columns: dict[str, Signal] = {}
    if vectors is not None:
        columns["vectors"] = Vectors(_vectors(vectors))
    names: list[str] = []
    if scores is not None:
        table = _numbers("scores", scores, (1, 2))
        table = table[:, None] if table.ndim == 1 else table
        names = ["score"] if table.shape[1] == 1 else [f"score_{i}" for i in range(table.shape[1])]
        columns |= {name: Scores(np.ascontiguousarray(table[:, i])) for i, name in enumerate(names)}
    if groups is not None:
        columns["groups"] = _groups(groups)
    if costs is not None:
        column = _numbers("costs", costs, (1,))
        below = np.flatnonzero(column < 0)
        if len(below):
            raise InputError(f"costs[{below[0]}] is {column[below[0]]:g}; a cost is at least 0")
        columns["costs"] = Costs(column)
    sizes = {name: len(s) for name, s in columns.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size:,} in {name}" for name, size in sizes.items())
        raise InputError(f"arrays differ in length: rows are {told}")
    return columns, names


def _vectors(given: npt.ArrayLike) -> npt.NDArray[np.float32]:
    plain = isinstance(given, np.ndarray) and given.dtype == np.float32 and given.ndim == 2
    if isinstance(given, np.ndarray) and plain and given.flags.c_contiguous:
        _finite("vectors", given)  # used as it is, in blocks: it may be memory-mapped
        return given
    wide = _numbers("vectors", given, (2,))
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(wide, np.float32)
    _finite("vectors", narrow, " as float32")
    return narrow


def _numbers(name: str, given: npt.ArrayLike, ndim: tuple[int, ...]) -> F64:
    """f64 array of finite numbers.

    Raises:
        InputError: names the first entry that is none, or the shape.
    """
    try:
        found = np.asarray(given)
        if found.dtype.kind not in "biufO":
            raise TypeError
        numbers = found.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, one row a candidate, all of one length") from None
    if numbers.ndim not in ndim:
        want = "n" if ndim == (1,) else "n x d" if ndim == (2,) else "n or n x s"
        raise InputError(
            f"{name} must have shape {want}, found {' x '.join(map(str, numbers.shape)) or 'none'}"
        )
    _finite(name, numbers)
    return numbers


def _finite(name: str, numbers: npt.NDArray[Any], how: str = "") -> None:
    step = max(1, (1 << 20) // max(1, numbers[:1].size))
    for a in range(0, len(numbers), step):
        bad = np.argwhere(~np.isfinite(numbers[a : a + step]))
        if len(bad):
            row, *column = bad[0].tolist()
            at = ", ".join(str(i) for i in (a + row, *column))
            place = f"row {a + row}" + (f", column {column[0]}" if column else "") + ", counted from 0"
            value = numbers[(a + row, *column)]
            raise InputError(f"{name}[{at}] is {value}{how} ({place})", fix="give finite numbers")


def _groups(given: Sequence[Any] | npt.NDArray[Any]) -> Labels | Tags:
    if isinstance(given, str):
        raise InputError("groups must list one name a row, found one string")
    rows = given.tolist() if isinstance(given, np.ndarray) else list(given)
    if any(isinstance(r, list | tuple | set | frozenset) for r in rows):
        if not all(isinstance(r, list | tuple | set | frozenset) for r in rows):
            raise InputError("groups must list one name a row, or a list of names each; found both")
        return Tags.of([sorted(map(_name, r)) for r in rows])
    return Labels.of([_name(r) for r in rows])


def _name(group: Any) -> str:
    return "(missing)" if group is None else str(group)


def _named(bounds: Mapping[Any, int | float] | None) -> dict[str, int | float] | None:
    return None if bounds is None else {_name(g): b for g, b in bounds.items()}
