"""What to do with a pool, said once: the noun that the curate door, the manifest and `verify` share."""

from __future__ import annotations

from dataclasses import dataclass

from shortlist.core.contracts import Constraint, Deduper, Encoder, Grapher, Objective, Solver
from shortlist.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to choose. What is None or empty is settled by the plan from the pool's signals, and shown.

    Args:
        encode: makes vectors from text; used only where the pool has none.
        drop: what leaves the pool before choosing, in order; None: the plan decides, (): nothing.
        graph: finds the neighbours of every candidate that is left; objectives name them `by='graph'`.
        objective: the set function; None: coverage and scores, weighed by `diversity`.
        within: constraints that all must hold; the size among them (Cardinality).
        solver: the optimiser.
        diversity: in [0, 1], 0 = scores alone, 1 = coverage alone; used only where `objective` is None.
    """

    encode: Encoder | None = None
    drop: tuple[Deduper, ...] | None = None
    graph: Grapher | None = None
    objective: Objective | None = None
    within: tuple[Constraint, ...] = ()
    solver: Solver | None = None
    diversity: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.diversity <= 1:
            raise UsageError(f"diversity must lie in [0, 1], found {self.diversity}; 0 is none")
        for name in ("within", "drop"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, tuple(value))
