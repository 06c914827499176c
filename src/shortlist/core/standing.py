"""How sure a ranking is: variances of strengths out of a Laplacian, and what they leave open about ranks.

The information of duels is the Laplacian L of a graph of items (plus a diagonal where there is a prior);
variances are the diagonal of its inverse, on strengths that add up to 0 where nothing fixes their level.
Up to DENSE items it is inverted. Beyond, diag(inverse) = first terms of its series, exactly, + a mean over
random signs z of z * (what the series leaves out) z (Hutchinson 1990, doi:10.1080/03610919008812866); the
standard error of the widths is measured and returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.judgments import Board
from shortlist.core.record import Record
from shortlist.core.seeds import generator
from shortlist.kernels import duels as kernels
from shortlist.kernels.jit import have_numba

#: Up to this many items the information is inverted.
DENSE = 400
#: Signs drawn at a time, at most, and the relative standard error of a width that is enough.
PROBES, MOST, ENOUGH = 4, 64, 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """L = diag(diagonal f64[n]) - A, entries curve f64[z] of a record; free: a constant changes nothing."""

    record: Record
    curve: F64
    diagonal: F64
    free: bool

    def times(self, v: F64) -> F64:
        """L v for v f64[n] or f64[n, 4]."""
        r = self.record
        out = np.empty_like(v)
        if not have_numba():
            return times_plain(self, v)
        if v.ndim == 1:
            kernels.laplacian_one(r.indptr, r.other, self.curve, self.diagonal, v, out)
        else:
            kernels.laplacian_four(r.indptr, r.other, self.curve, self.diagonal, v, out)
        return out

    def centred(self, v: F64) -> F64:
        """v without what L cannot see."""
        return v - v.mean(axis=0) if self.free and len(v) else v

    def solve(self, b: F64, tol: float) -> F64:
        """L^+ b for b f64[n] or f64[n, 4], to a residual of `tol` of b: conjugate gradients, scaled by D."""
        b = self.centred(b)
        d = self.diagonal if b.ndim == 1 else self.diagonal[:, None]
        x, r = np.zeros_like(b), b
        z = self.centred(r / d)
        p, rho = z, (r * z).sum(axis=0)
        goal = tol * tol * rho
        for _ in range(10 * len(b) + 10):
            if (rho <= goal).all():
                break
            q = self.times(p)
            bend = (p * q).sum(axis=0)
            step = np.divide(rho, bend, out=np.zeros_like(rho), where=bend > 0)
            x, r = x + step * p, r - step * q
            z = self.centred(r / d)
            before, rho = rho, (r * z).sum(axis=0)
            p = z + np.divide(rho, before, out=np.zeros_like(rho), where=before > 0) * p
        return self.centred(x)

    def dense(self) -> F64:
        """L^+ f64[n, n]."""
        n = len(self.diagonal)
        whole = np.diag(self.diagonal)
        whole[self.record.item, self.record.other] -= self.curve
        level = float(self.diagonal.mean()) if self.free else 0.0
        inverse: F64 = np.asarray(np.linalg.inv(whole + level / n), np.float64)
        return inverse - 1.0 / (level * n) if self.free else inverse


def times_plain(information: Information, v: F64) -> F64:
    """L v without a compiler."""
    r = information.record
    if v.ndim == 1:
        return information.diagonal * v - r.sums(information.curve * v[r.other])
    columns = [times_plain(information, v[:, c]) for c in range(v.shape[1])]
    return np.stack(columns, axis=1) if columns else v


def variances(information: Information, seed: int) -> tuple[F64, float]:
    """diag(L^+) f64[n], and the relative standard error of its square roots (0: exact)."""
    n = len(information.diagonal)
    if n <= DENSE:
        return np.maximum(np.diagonal(information.dense()), 0.0), 0.0
    inverse, rng = 1.0 / information.diagonal, generator(seed, "variances")
    # With a prior the level of all strengths is uncertain too: that direction is split off exactly.
    level = np.zeros(n) if information.free else information.solve(np.ones(n), 1e-8)
    share = level / max(float(np.sqrt(level.sum())), np.finfo(np.float64).tiny)
    # The diagonals of P D^-1 P and P D^-1 A D^-1 P, P = I - 11'/n, and the least a variance can be.
    through = _across(information, np.ones(n))
    series = inverse - 2 * inverse / n + inverse.mean() / n - 2 * through / n + through.mean() / n + share**2
    least = (1 - 1 / n) ** 2 * inverse
    left: list[F64] = []
    while True:
        z = np.where(rng.random((n, PROBES)) < 0.5, -1.0, 1.0)
        c = z - z.mean(axis=0)
        first = c * inverse[:, None] + _across(information, c)
        whole = information.solve(c, 1e-3) - np.outer(share, share @ c)
        left += list((z * (whole - (first - first.mean(axis=0)))).T)
        rest = np.array(left)
        total = np.maximum(series + rest.mean(axis=0), least)
        spread = rest.std(axis=0, ddof=1) / np.sqrt(len(left))
        error = float(np.sqrt(np.mean((spread / total) ** 2)) / 2)
        if error <= ENOUGH or len(left) >= MOST:
            return total, error


def _across(information: Information, v: F64) -> F64:
    """D^-1 A D^-1 v."""
    d = information.diagonal if v.ndim == 1 else information.diagonal[:, None]
    first = v / d
    return first - information.times(first) / d


def quantile(p: float) -> float:
    """Of the normal distribution."""
    return NormalDist().inv_cdf(p)


def board(
    names: tuple[str, ...],
    scores: F64,
    variance: F64,
    beside: F64,
    level: float,
    unit: str,
    error: float = 0.0,
) -> Board:
    """Intervals of each score, ranks that hold all at once, and who is tied with the first.

    beside f64[n]: covariance of each score with that of the best. `first` holds the truly best item with
    probability `level`: an item leaves it where some other is significantly better, at (1 - level) / (n - 1)
    each (Bonferroni). Ranks: by intervals at (1 - level) / n that do not overlap.
    """
    n = len(names)
    sigma = np.sqrt(variance)
    if n == 0:
        return Board.bare(names, scores, unit)
    wide = quantile(0.5 + level / 2) * sigma
    joint = quantile(1 - (1 - level) / (2 * n)) * sigma
    may = ranks(scores - joint, scores + joint)
    best = int(np.argmax(scores))
    apart = np.sqrt(np.maximum(variance[best] + variance - 2 * beside, 0.0))
    gap = scores[best] - scores
    first = (gap <= quantile(1 - (1 - level) / max(n - 1, 2)) * apart) & (may[:, 0] == 1)
    first[best] = True
    interval = np.stack([scores - wide, scores + wide], axis=1)
    return Board(names, scores, interval, may, first, unit, level, error)


def ranks(low: F64, high: F64) -> I64:
    """Ranks i64[n, 2], from 1, that intervals leave open: those surely above and those surely below count."""
    n = len(low)
    above = n - np.searchsorted(np.sort(low), high, side="right")
    below = np.searchsorted(np.sort(high), low, side="left")
    return np.stack([1 + above, n - below], axis=1).astype(np.int64)
