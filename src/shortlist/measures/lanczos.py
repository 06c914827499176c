"""Traces of functions of a symmetric matrix that can only be multiplied: stochastic Lanczos quadrature.

Ubaru, Chen & Saad 2017, "Fast Estimation of tr(f(A)) via Stochastic Lanczos Quadrature",
doi:10.1137/16M1104974; the part that a few leading directions carry is taken out of the sampling as in Meyer,
Musco, Musco & Woodruff 2021, "Hutch++", arXiv:2010.09649. Ours: the sampled part is measured less the best
quadratic, whose trace is known exactly from n, tr A and the Frobenius norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from shortlist.core.arrays import F64


class Symmetric(Protocol):
    """A symmetric matrix A of n rows; `square` is the sum of its squared entries, `trace` of its diagonal."""

    n: int
    trace: float
    square: float

    def product(self, x: F64) -> F64:
        """A x for x f64[n, c]."""
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Quadrature:
    """Nodes and weights from Lanczos, of the whole run (`last`) and of its first two thirds (`before`).

    Each is nodes f64[c, m], weights f64[c, m]; the first `exact` columns started from leading directions,
    the others from probes orthogonal to them. n, trace, square: of the matrix; top: its largest eigenvalue,
    above which it lies by at most `slack`.
    """

    last: tuple[F64, F64]
    before: tuple[F64, F64]
    exact: int
    n: int
    trace: float
    square: float
    top: float
    slack: float

    def sum(self, f: Callable[[F64], F64]) -> tuple[float, float]:
        """Sum of f over all eigenvalues, and its standard error with what the last steps changed."""
        value, spread = self._sum(f, *self.last)
        return value, float(np.hypot(spread, abs(value - self._sum(f, *self.before)[0])))

    def _sum(self, f: Callable[[F64], F64], nodes: F64, weights: F64) -> tuple[float, float]:
        r = self.exact
        led = np.sum(weights[:r] * f(nodes[:r]))
        x, w = nodes[r:], weights[r:]
        known = np.array([self.n - weights[:r].sum(), self.trace, self.square])
        known[1:] -= [np.sum(weights[:r] * nodes[:r] ** j) for j in (1, 2)]
        # The quadratic that leaves least: its own scale, so that small nodes are not lost.
        unit = float(np.abs(x).max(initial=0.0)) or 1.0
        powers = np.stack([np.ones_like(x), x / unit, (x / unit) ** 2], axis=-1)
        root = np.sqrt(w)[..., None]
        fit = np.linalg.lstsq((root * powers).reshape(-1, 3), (root[..., 0] * f(x)).ravel(), rcond=1e-12)[0]
        rest = np.sum(w * (f(x) - powers @ fit), axis=1)
        total = led + float(fit @ (known / [1, unit, unit**2])) + rest.mean()
        return float(total), float(rest.std(ddof=1) / np.sqrt(len(rest)))


def quadrature(a: Symmetric, rng: np.random.Generator, *, probes: int, lead: int, steps: int) -> Quadrature:
    """Run Lanczos from `lead` leading directions and `probes` random ones, `steps` products each.

    Args:
        a: the matrix.
        rng: draws the probes.
        probes: at least 2.
        lead: directions taken out of the sampling, found by two products.
        steps: at least 5.
    """
    sketch = np.linalg.qr(a.product(rng.standard_normal((a.n, lead))))[0]
    sketch = np.linalg.qr(a.product(sketch))[0]
    signs = rng.integers(0, 2, (a.n, probes)) * 2.0 - 1.0
    signs -= sketch @ (sketch.T @ signs)
    norm = np.linalg.norm(signs, axis=0)
    start = np.concatenate([sketch, signs / np.where(norm > 0, norm, 1.0)], axis=1)
    mass = np.concatenate([np.ones(lead), norm**2])
    diagonal, beside = lanczos(a, start, steps)
    nodes, weights, tails = _nodes(diagonal, beside)
    best = int(nodes.max(axis=1).argmax())
    fewer = steps - steps // 3  # what the last third changed is more than what is left to change
    shorter = _nodes(diagonal[:, :fewer], beside[:, :fewer])
    return Quadrature(
        last=(nodes, weights * mass[:, None]),
        before=(shorter[0], shorter[1] * mass[:, None]),
        exact=lead,
        n=a.n,
        trace=a.trace,
        square=a.square,
        top=float(nodes[best, -1]),
        slack=float(tails[best]),
    )


def lanczos(a: Symmetric, start: F64, steps: int) -> tuple[F64, F64]:
    """Diagonals f64[c, steps] and what stands beside them f64[c, steps], for unit columns f64[n, c]."""
    c = start.shape[1]
    diagonal, beside = np.zeros((c, steps)), np.zeros((c, steps))
    now, old, link = start.copy(), np.zeros_like(start), np.zeros(c)
    for j in range(steps):
        new = a.product(now)
        diagonal[:, j] = np.einsum("ij,ij->j", now, new)
        new -= now * diagonal[:, j]
        new -= old * link
        link = np.linalg.norm(new, axis=0)
        # An invariant space is used up: what follows has weight 0.
        link[link < 1e-10 * np.abs(diagonal).max(axis=1)] = 0.0
        beside[:, j] = link
        old, now = now, new * np.divide(1.0, link, out=np.zeros(c), where=link > 0)
    return diagonal, beside


def _nodes(diagonal: F64, beside: F64) -> tuple[F64, F64, F64]:
    """Ritz values f64[c, m], their weights f64[c, m], and how far the largest may lie from an eigenvalue."""
    c, m = diagonal.shape
    t = np.zeros((c, m, m))
    i = np.arange(m)
    t[:, i, i] = diagonal
    t[:, i[1:], i[:-1]] = t[:, i[:-1], i[1:]] = beside[:, : m - 1]
    values, vectors = np.linalg.eigh(t)
    tails: F64 = beside[:, m - 1] * np.abs(vectors[:, -1, -1])
    return values, vectors[:, 0, :] ** 2, tails
