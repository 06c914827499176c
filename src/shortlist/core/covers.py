"""The plainest monotone submodular function, on which solvers show what they claim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64, Bool


@dataclass(frozen=True, slots=True, eq=False)
class RandomCover:
    """f(S) = points that some row of S covers. covers bool[n, m]; states are bool[m]."""

    covers: Bool
    terms: tuple[str, ...] = ("covered",)
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.covers)

    def start(self) -> Bool:
        """Nothing is covered."""
        return np.zeros(self.covers.shape[1], bool)

    def gains(self, state: Bool, at: I64) -> F64:
        """f64[len(at), 1]: points newly covered."""
        new: F64 = (self.covers[at] & ~state).sum(axis=1, dtype=np.float64)[:, None]
        return new

    def add(self, state: Bool, at: int) -> Bool:
        """The points covered with one more row."""
        more: Bool = state | self.covers[at]
        return more

    @classmethod
    def drawn(cls, rng: np.random.Generator, n: int, m: int) -> RandomCover:
        """n rows over m points, each row covering up to half of them."""
        return cls(rng.random((n, m)) < rng.uniform(0.0, 0.5, (n, 1)))
