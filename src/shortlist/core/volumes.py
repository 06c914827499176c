"""Sets of rows in proportion to the squared volume they span: determinantal laws in the dual form.

The n x n kernel L = X X^T is never made: its nonzero eigenvalues are those of X^T X (d x d). A set is drawn
in two steps (Hough et al. 2006): some eigenvectors, then rows of the projection that they span, one after the
other. The second step proposes rows by their lengths in that projection and accepts each in proportion to
what of it is new, so about k log k rows are looked at, not k n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.cosine import Directions

#: Rows of one product.
BLOCK = 1024
#: From so many rows on products are in float32, their sums in float64: errors of some 1e-8 of the whole.
MANY = 8192
#: Of the sum of eigenvalues: what is less is rounding, not a direction; where products are in float64,
#: float32.
NOISE, ROUGH = 1e-10, 1e-7
#: Rows proposed at once.
PROPOSED = 32


def gram(x: Directions, at: I64 | None = None) -> F64:
    """f64[d, d]: X^T X over the rows at i64[m], or all."""
    total, n = np.zeros((x.values.shape[1],) * 2), len(x) if at is None else len(at)
    for a in range(0, n, BLOCK):
        some = slice(a, a + BLOCK)
        rows = x.unit(some if at is None else at[some])
        if n >= MANY:
            total += rows.T @ rows
        else:
            wide = rows.astype(np.float64)
            total += wide.T @ wide
    return total


def log_sums(logs: F64, k: int) -> F64:
    """f64[r+1, k+1]: log e_j of the first i of r numbers given by their logarithms, e_j the j-th elementary
    symmetric polynomial: the sum over all sets of j of them of their product."""
    table = np.full((len(logs) + 1, k + 1), -np.inf)
    table[:, 0] = 0.0
    for i, log in enumerate(logs):
        table[i + 1, 1:] = np.logaddexp(table[i, 1:], table[i, :-1] + log)
    return table


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """The law over sets of the rows `at` i64[m] of x: P(S) in proportion to det(L_S), L = Y Y^T, where Y is
    what is left of the rows off the span of those `beside`.

    values f64[r] > 0, increasing: eigenvalues of Y^T Y; axes f64[d, r]: their eigenvectors.
    """

    x: Directions
    at: I64
    values: F64
    axes: F64

    @classmethod
    def of(cls, x: Directions, at: I64, beside: I64 | None = None) -> Volumes:
        """The rows at i64[m]; those beside i64[b] are chosen already."""
        whole = gram(x, None if len(at) == len(x) else at)
        floor = (ROUGH if len(at) >= MANY else NOISE) * float(np.trace(whole))
        if beside is not None and len(beside):
            size, axes = np.linalg.eigh(gram(x, beside))
            used = axes[:, size > NOISE * float(size.sum())]
            off = np.eye(len(whole)) - used @ used.T
            whole = off @ whole @ off
        values, axes = np.linalg.eigh((whole + whole.T) / 2)
        some = values > floor
        return cls(x, at, values[some], axes[:, some])

    @property
    def rank(self) -> int:
        """The most rows a set of positive volume can have."""
        return len(self.values)

    def k_dpp(self, k: int, draw: np.random.Generator) -> I64:
        """Positions i64[k] of one set of k <= rank rows, each set as likely as its squared volume."""
        table = log_sums(np.log(self.values), k)
        chosen = np.zeros(self.rank, bool)
        left = k
        for i in range(self.rank, 0, -1):
            if not left:
                break
            chance = np.exp(np.log(self.values[i - 1]) + table[i - 1, left - 1] - table[i, left])
            if draw.random() < chance:
                chosen[i - 1] = True
                left -= 1
        return self._projected(chosen, draw)

    def dpp(self, draw: np.random.Generator) -> I64:
        """Positions of one set of any size: P(S) = det(L_S) / det(L + I)."""
        return self._projected(draw.random(self.rank) < self.values / (1.0 + self.values), draw)

    def inclusion(self, k: int) -> F64:
        """f64[m]: the probability that each row is in a set of k <= rank."""
        if not k:
            return np.zeros(len(self.at))
        logs = np.log(self.values)
        before, after = log_sums(logs, k), log_sums(logs[::-1], k)[::-1]
        # e_{k-1} without the i-th: j of those before it and k - 1 - j of those after it
        without = np.array(
            [np.logaddexp.reduce(before[i, :k] + after[i + 1, k - 1 :: -1]) for i in range(self.rank)]
        )
        share = np.exp(logs + without - before[-1, k])
        return self._lengths(self.axes * np.sqrt(share / self.values))

    def _lengths(self, axes: F64) -> F64:
        """f64[m]: squared lengths of the rows along axes f64[d, j]."""
        narrow, out = axes.astype(np.float32), np.empty(len(self.at))
        for a in range(0, len(self.at), BLOCK):
            along = self.x.unit(self.at[a : a + BLOCK]) @ narrow
            out[a : a + BLOCK] = np.einsum("ij,ij->i", along, along, dtype=np.float64)
        return out

    def _projected(self, chosen: Bool, draw: np.random.Generator) -> I64:
        """As many rows as axes are chosen bool[r], by the projection on them."""
        axes = self.axes[:, chosen] / np.sqrt(self.values[chosen])
        k = axes.shape[1]
        taken, basis = np.empty(k, np.int64), np.empty((k, k))
        if not k:
            return taken
        length = self._lengths(axes)
        ends = np.cumsum(length)
        t = 0
        while t < k:
            some = np.searchsorted(ends, draw.random(PROPOSED) * ends[-1], side="right")
            coin = draw.random(PROPOSED)
            some, coin = some[some < len(ends)], coin[some < len(ends)]
            along = self.x.unit(self.at[some]).astype(np.float64) @ axes
            new = along - (along @ basis[:t].T) @ basis[:t]
            square = np.einsum("ij,ij->i", new, new)
            fit = np.flatnonzero(coin * length[some] < square)
            for i in fit.tolist():  # after the first the others are asked again, by the same coins
                off = along[i] - basis[:t].T @ (basis[:t] @ along[i])
                if t < k and coin[i] * length[some[i]] < off @ off:
                    off -= basis[:t].T @ (basis[:t] @ off)
                    taken[t], basis[t] = self.at[some[i]], off / np.sqrt(off @ off)
                    t += 1
        return taken
