"""The plainest submodular function that is not monotone, on which solvers show what they claim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64, Bool


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """f(S) = weight of the arcs from S to the rest. arcs f64[n, n] >= 0, no loops; states are bool[n]."""

    arcs: F64
    terms: tuple[str, ...] = ("cut",)
    submodular: bool = True
    monotone: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.arcs)

    def start(self) -> Bool:
        """Nothing is chosen."""
        return np.zeros(len(self.arcs), bool)

    def gains(self, state: Bool, at: I64) -> F64:
        """f64[len(at), 1]: arcs to who stays out, less those from who is in."""
        out: F64 = (self.arcs[at] * ~state).sum(axis=1) - (self.arcs.T[at] * state).sum(axis=1)
        return out[:, None]

    def add(self, state: Bool, at: int) -> Bool:
        """The set with one more row."""
        more = state.copy()
        more[at] = True
        return more

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int) -> Cut:
        """Arcs of whole weights between a third of all pairs: sums are exact."""
        arcs = rng.integers(1, 10, (n, n)) * (rng.random((n, n)) < 1 / 3)
        np.fill_diagonal(arcs, 0)
        return cls(arcs.astype(np.float64))
