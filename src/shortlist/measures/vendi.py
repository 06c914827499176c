"""Effective number of distinct rows: the Hill number of the spectrum of their similarities.

    VS_q = (sum of lambda^q)^(1 / (1 - q)),  lambda: eigenvalues of sqrt(p) K sqrt(p), K the cosines

Friedman & Dieng 2023, "The Vendi Score", arXiv:2210.02410 (q = 1: the exponential of the entropy); Pasarkar
& Dieng 2024, "Cousins Of The Vendi Score", arXiv:2310.12952 (all q: 0 counts directions, inf the largest).

The similarity is the cosine, so the spectrum of the k x k similarities is that of a d x d covariance: one
pass over the rows in blocks of BLOCK, which may be memory-mapped or come in pieces of any size. Zero rows
resemble nothing, not even themselves: they are left out and counted. Products are made in the precision of
the rows and summed in float64; eigenvalues that could be rounding are left out, and `Spectrum.error` says
what that may change (little from order 1 up; for orders near 0 give float64 rows).
Cost: n d^2.  Memory: d^2 and a block, beside the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.claim import Claim
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors

#: Rows of one product; fixed, so that the bits depend neither on memory nor on how the rows arrive.
BLOCK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendi:
    """`by` names Vectors; `order` >= 0: 1 is the entropy, smaller counts rare directions more, inf none."""

    by: str = field(default="vec", kw_only=False)
    order: float = 1.0

    def __post_init__(self) -> None:
        check_order("Vendi", self.order)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"Vendi score, {self.by}" + ("" if self.order == 1 else f", order {self.order:g}")

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [1, k] for the rows at positions i64[k]; 0 for none."""
        values, at = pool.signal(self.by, Vectors).values, np.sort(at)
        if len(at) <= BLOCK:
            return vendi(values[at], self.order)
        pieces = (values[at[a : a + BLOCK]] for a in range(0, len(at), BLOCK))
        return spectrum(pieces).score(self.order)  # never a copy of all


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spectrum:
    """What every order is read off.

    values f64[r]: eigenvalues above rounding, descending, summing to 1; rows that count; zeros: zero rows
    that were left out; rounding: what an eigenvalue may be off by; cut: how many were not above it.
    """

    values: F64
    rows: int
    zeros: int
    rounding: float
    cut: int

    def score(self, order: float = 1.0) -> float:
        """The Vendi score, in effective rows; 0 where no row counts."""
        return effective(self.values, order)

    def error(self, order: float = 1.0) -> float:
        """How much larger the score could be if every eigenvalue that was cut were as large as `rounding`."""
        if not self.cut:
            return 0.0
        full = np.append(self.values, np.full(self.cut, self.rounding))
        return max(0.0, effective(full, order) - self.score(order))


def vendi(x: F32 | F64, order: float = 1.0, weights: F64 | None = None) -> float:
    """Score of rows f32[k, d] (or f64), each as likely as the others or as `weights` f64[k] say.

    >>> round(vendi(np.eye(5, dtype=np.float32)), 6)
    5.0
    >>> round(vendi(np.ones((7, 3), np.float32)), 6)
    1.0
    """
    check_order("vendi", order)
    return spectrum(x, weights).score(order)


def spectrum(x: F32 | F64 | Iterable[F32 | F64], weights: F64 | None = None) -> Spectrum:
    """Eigenvalues of the similarities of all rows, in one pass.

    Args:
        x: [n, d] of float32 or float64, or pieces [?, d] of it in order; any length, compared by cosine.
        weights: f64[n] >= 0, how likely each row is; scaled to sum to 1. None: all alike.

    Raises:
        ContractError: a number is not finite, or weights and rows do not match.
    """
    if isinstance(x, np.ndarray) and (x.ndim != 2 or x.dtype not in (np.float32, np.float64)):
        raise ContractError(f"rows must be f32[n, d] or f64[n, d], found {x.dtype} of {x.ndim} axes")
    share = None if weights is None else checked_weights(weights)
    if isinstance(x, np.ndarray) and len(x) <= min(x.shape[1], BLOCK):  # fewer rows than columns
        rows, total = _scaled(x, share, 0)
        gram = (rows @ rows.T).astype(np.float64)
        read, zeros, kind = len(x), int((total == 0).sum()), x.dtype
        mass = float((rows.astype(np.float64) ** 2).sum())
    else:
        gram, mass, read, zeros, kind = _covariance(_blocks(x), share)
    if share is not None and len(share) != read:
        raise ContractError(f"{len(share)} weights for {read} rows; one a row is needed")
    if mass <= 0:
        return Spectrum(values=np.zeros(0), rows=0, zeros=zeros, rounding=0.0, cut=0)
    found = np.linalg.eigvalsh(gram)[::-1] / mass
    rounding = 16 * float(np.finfo(kind).eps) * float(found[0])
    values = found[found > rounding]
    return Spectrum(
        values=values / values.sum(),
        rows=read - zeros,
        zeros=zeros,
        rounding=rounding,
        cut=min(len(found), read - zeros) - len(values),
    )


def effective(weights: F64, order: float = 1.0) -> float:
    """Hill number of weights f64[m] >= 0 (zeros count nothing): how many equal ones they are worth.

    >>> [round(effective(np.array([0.5, 0.25, 0.25]), q), 4) for q in (0, 1, 2, inf)]
    [3.0, 2.8284, 2.6667, 2.0]
    """
    p = weights[weights > 0]
    if len(p) == 0:
        return 0.0
    p = p / p.sum()
    log = np.log(p)
    if order == inf:
        return float(1 / p.max())
    if order == 1:
        return float(np.exp(-np.sum(p * log)))
    if abs(order - 1) < 0.1:  # the sum is nearly 1: its distance from 1 is what must be exact
        return float(np.exp(np.log1p(np.sum(p * np.expm1((order - 1) * log))) / (1 - order)))
    top = float(log.max())
    power = np.log(np.sum(np.exp(order * (log - top)))) + order * top
    return float(np.exp(power / (1 - order)))


def check_order(who: str, order: float) -> None:
    """Refuse what is no order.

    Raises:
        UsageError: below 0, or not a number.
    """
    if not order >= 0:
        raise UsageError(f"{who}: order must be 0 or more (inf is the largest), found {order}")


def checked_weights(weights: F64) -> F64:
    """Weights f64[n] scaled to sum to 1.

    Raises:
        ContractError: they are not finite and >= 0, or all 0.
    """
    share: F64 = np.asarray(weights, np.float64)
    if share.ndim != 1 or not np.isfinite(share).all() or (share < 0).any():
        raise ContractError("weights must be f64[n], finite and >= 0")
    if len(share) and share.sum() <= 0:
        raise ContractError("all weights are 0; at least one row must count")
    return share / share.sum() if len(share) else share


def _blocks(x: F32 | F64 | Iterable[F32 | F64]) -> Iterator[F32 | F64]:
    """Rows in blocks of BLOCK, whatever pieces they come in."""
    if isinstance(x, np.ndarray):
        yield from (x[a : a + BLOCK] for a in range(0, len(x), BLOCK))
        return
    held: list[F32 | F64] = []
    for piece in x:
        if held and piece.ndim == 2 and piece.shape[1] != held[0].shape[1]:
            raise ContractError(f"pieces of {held[0].shape[1]} and of {piece.shape[1]} columns")
        if piece.ndim != 2 or piece.dtype not in (np.float32, np.float64):
            raise ContractError(f"pieces must be f32[?, d] or f64[?, d], found {piece.dtype}")
        held.append(piece)
        while sum(map(len, held)) >= BLOCK:
            rows: Any = np.concatenate(held) if len(held) > 1 else held[0]
            yield rows[:BLOCK]
            held = [rows[BLOCK:]]
    rest: Any = np.concatenate(held) if held else ()
    if len(rest):
        yield rest


def _covariance(blocks: Iterator[F32 | F64], share: F64 | None) -> tuple[F64, float, int, int, np.dtype[Any]]:
    """Sum of weighted outer products of unit rows f64[d, d], its trace, rows, zero rows, precision."""
    gram, mass, read, zeros = np.zeros((1, 1)), 0.0, 0, 0
    kind: np.dtype[Any] = np.dtype(np.float64)
    for block in blocks:
        kind = block.dtype
        rows, length = _scaled(block, share, read)
        if not read:
            gram = np.zeros((rows.shape[1],) * 2)
        gram += rows.T @ rows
        read += len(rows)
        zeros += int((length == 0).sum())
    mass = float(np.trace(gram))
    return gram, mass, read, zeros, kind


def _scaled(block: F32 | F64, share: F64 | None, start: int) -> tuple[F32 | F64, F64]:
    """Rows at length sqrt(weight), zero rows as zeros, and the lengths f64[b] they had."""
    square = np.einsum("ij,ij->i", block, block).astype(np.float64)
    tiny = float(np.finfo(block.dtype).tiny) * 1e6
    if not ((square > tiny) & (square < np.finfo(block.dtype).max)).all():  # squares left the range
        top = np.abs(block).max(axis=1, initial=0).astype(np.float64)
        if not np.isfinite(top).all():
            bad = int(np.flatnonzero(~np.isfinite(top))[0])
            raise ContractError(f"rows must be finite; row {start + bad} is not")
        safe = np.where(top > 0, top, 1.0)
        near_one: Any = np.divide(block, safe[:, None], dtype=np.float64).astype(block.dtype)
        block = near_one
        square = np.einsum("ij,ij->i", block, block, dtype=np.float64)
    weight = 1.0 if share is None else share[start : start + len(block)]
    if share is not None and len(share) < start + len(block):
        raise ContractError(f"{len(share)} weights for {start + len(block)} rows or more; one a row")
    scale = np.sqrt(np.divide(weight, square, out=np.zeros(len(block)), where=square > 0))
    rows: F32 | F64 = block * scale[:, None].astype(block.dtype)
    return rows, square


def claim(rng: np.random.Generator, scale: int) -> F64:
    """How far orders are apart from what blocks of copies must give, as a share of 1e-6 that is left."""
    margins = []
    for _ in range(6 * scale):
        sizes = rng.integers(1, 30, int(rng.integers(2, 9)))
        basis = np.linalg.qr(rng.normal(size=(12, 12)))[0]
        x = np.repeat(basis[: len(sizes)], sizes, axis=0) * rng.uniform(0.1, 9, (sizes.sum(), 1))
        seen = spectrum(x)
        off = [abs(seen.score(q) / effective(sizes / sizes.sum(), q) - 1) for q in (0, 0.5, 1, 2, inf)]
        falls = min(-np.diff([seen.score(q) for q in (0, 0.5, 1, 2, inf)]))
        margins.append(1 - max(off) / 1e-6 if falls > -1e-9 else -1.0)
    return np.array(margins)


CLAIM = Claim(
    paper="Cousins Of The Vendi Score: A Family Of Similarity-Based Diversity Metrics (P018, P009)",
    says="the Hill number of order q of the similarity spectrum counts distinct rows, and falls in q",
    we_show="groups of copies on orthogonal directions give the Hill number of the group sizes to 1e-6, for "
    "q in 0, 0.5, 1, 2, inf, through the d x d covariance, and never grow in q",
    not_shown="that people see the same diversity in real sets; that depends on the vectors",
    measure=claim,
    margin=0.9,
)
