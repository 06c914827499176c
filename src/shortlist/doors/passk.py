"""pass@k and eff@k of a file of results: one row a sample, with its task and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.errors import InputError, UsageError
from shortlist.core.signals import Labels, Scores
from shortlist.measures.coverage_scaling import coverage_scaling
from shortlist.measures.efficiency_at_k import eff_at
from shortlist.measures.pass_at_k import pass_at
from shortlist.store.loaded import Loaded
from shortlist.store.read import read
from shortlist.store.roles import Roles

#: Sizes that are shown where none is asked for.
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def passk(
    data: Any,
    *,
    task: str = "task_id",
    passed: str = "passed",
    efficiency: str = "",
    ks: Sequence[int] = (),
    where: str | None = None,
    format: str = "",
    seed: int = 0,
) -> dict[str, Any]:
    """pass@k with intervals, eff@k where efficiencies are given, and the law of coverage, JSON-able.

    Args:
        data: files or a frame, one row a sample.
        task: column of its task.
        passed: column of 0 and 1, or of true and false.
        efficiency: column of numbers of 0 or more, 0 for a sample that failed.
        ks: sizes; none: 1, 2, 5, 10 … up to the fewest samples a task has.
        where: an SQL condition on rows.
        format: of the input, where its name does not tell.
        seed: of the interval of the law.

    Raises:
        InputError: no row, a verdict that is missing or not 0 or 1, a task that is missing.
        UsageError: a k that some task has not samples enough for.
    """
    scores = (passed, efficiency) if efficiency else (passed,)
    roles = Roles(text="", id="", vector="", score=scores, group=(task,), cost=(), tags=())
    loaded = read(data, roles, where=where, format=format)
    labels = loaded.pool.signal(task, Labels)
    verdicts = _verdicts(loaded, passed)
    if len(labels) == 0:
        raise InputError("there is no result", fix="give one row a sample, with its task and its verdict")
    _all_there(loaded, task)
    samples = np.bincount(labels.codes, minlength=len(labels.names))
    right = np.bincount(labels.codes, weights=verdicts, minlength=len(labels.names)).astype(np.int64)
    there = samples > 0
    samples, right = samples[there], right[there]
    sizes = list(ks) or [k for k in SIZES if k <= samples.min()]
    found: dict[str, Any] = {
        "tasks": len(samples),
        "samples": int(samples.sum()),
        "fewest": int(samples.min()),
        "pass": [asdict(pass_at(samples, right, k)) for k in sizes],
        "law": _law(samples, right, seed),
    }
    if efficiency:
        tasks = _by_task(labels, _finite(loaded, efficiency))
        found["eff"] = [
            {n: v if v == v else None for n, v in asdict(eff_at(tasks, k)).items()} for k in sizes
        ]
    return found


def _law(samples: I64, right: I64, seed: int) -> dict[str, float | None] | None:
    """The fit over sizes 1, 2, 4 … ; None where it cannot be made."""
    sizes = [1 << i for i in range(int(samples.min()).bit_length())]
    try:
        law = coverage_scaling(samples, right, sizes, seed=seed)
    except UsageError:
        return None
    return {n: v if v == v else None for n, v in asdict(law).items()}


def _verdicts(loaded: Loaded, name: str) -> F64:
    values = _finite(loaded, name)
    odd = np.flatnonzero((values != 0) & (values != 1))
    if len(odd):
        i = int(odd[0])
        raise InputError(f"{loaded.row_place(i)}: a verdict is 0 or 1, found {values[i]:g}", column=name)
    return values


def _finite(loaded: Loaded, name: str) -> F64:
    _all_there(loaded, name)
    return loaded.pool.signal(name, Scores).values


def _all_there(loaded: Loaded, name: str) -> None:
    """A missing verdict is no failure: it is refused."""
    gaps = next((s.missing for s in loaded.signals if s.name == name), 0)
    if gaps:
        fix = f'fill them or leave them out with --where "{name} is not null"'
        raise InputError(f"{gaps} rows have no value", column=name, fix=fix)


def _by_task(labels: Labels, values: F64) -> list[F64]:
    order = np.argsort(labels.codes, kind="stable")
    cuts = np.flatnonzero(np.diff(labels.codes[order])) + 1
    return np.split(values[order], cuts)
