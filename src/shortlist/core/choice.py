"""A chosen subset, in order, with the reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.errors import ContractError


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a solver saw beside what it took.

    runner_up i64[k]: the row that would have been taken at that step instead, -1 where there was none;
    runner_up_gain f64[k]: its gain at that step;
    refused: rows i64[r] that reached the front and were turned away, step i64[r] (how many were chosen
    then), by i64[r] (index of the constraint in `Limits.names`).
    """

    runner_up: I64
    runner_up_gain: F64
    refused: I64
    refused_step: I64
    refused_by: I64

    def __post_init__(self) -> None:
        if len(self.runner_up) != len(self.runner_up_gain):
            raise ContractError("each runner-up needs its gain")
        if not len(self.refused) == len(self.refused_step) == len(self.refused_by):
            raise ContractError("each refusal needs its step and its constraint")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The answer of a solver.

    rows i64[k] unique global rows in order of choice; gains f64[k]; terms, T names; parts f64[k, T] with
    parts.sum(1) == gains; bound (low, high): gains.sum() and an upper bound of what any feasible choice
    of this run reaches, or None where the solver states none.
    """

    rows: I64
    gains: F64
    terms: tuple[str, ...]
    parts: F64
    bound: tuple[float, float] | None = None
    trace: Trace | None = None

    def __post_init__(self) -> None:
        if self.rows.dtype != np.int64 or self.rows.ndim != 1 or self.gains.shape != self.rows.shape:
            raise ContractError("rows must be i64[k] and gains f64[k]")
        if len(np.unique(self.rows)) != len(self.rows):
            raise ContractError("a row was chosen twice")
        if len(set(self.terms)) != len(self.terms):
            raise ContractError(f"terms must differ, found {self.terms}")
        if self.parts.shape != (len(self.rows), len(self.terms)):
            raise ContractError(
                f"parts must be f64[{len(self.rows)}, {len(self.terms)}], found {self.parts.shape}"
            )
        if not np.allclose(self.parts.sum(axis=1), self.gains, rtol=1e-6, atol=1e-9):
            raise ContractError("parts must add up to gains")
        if self.bound is not None:
            low, high = self.bound
            if not high >= low - 1e-6 * max(1.0, abs(low)):
                raise ContractError(f"bound is upside down: {self.bound}")
        if self.trace is not None and len(self.trace.runner_up) != len(self.rows):
            raise ContractError("the trace is of another choice")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def total(self) -> float:
        """Sum of gains: the objective's value above the empty set."""
        return float(self.gains.sum())

    def why(self, i: int) -> dict[str, float]:
        """The gain of the i-th pick, by term."""
        return dict(zip(self.terms, self.parts[i].tolist(), strict=True))
