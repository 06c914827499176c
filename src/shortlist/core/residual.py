"""What is left of unit rows when a set of them, and then one chosen row after another, is taken out.

A set P of unit rows X_P leaves x' M x of a row x, M = (I + X_P' X_P / ridge)^-1: the posterior variance of a
linear model that has seen P. Adding a row takes one direction out of M (Sherman-Morrison).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.cosine import Directions, Met
from shortlist.core.effects import scan

_ROWS = 1024  # rows of one product


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """first f64[n]: what a set leaves of each row; along f64[r, d]: the directions that it took."""

    rows: Directions
    first: F64
    along: F64
    ridge: float

    def start(self) -> Met:
        """No row chosen yet."""
        return Met.nothing(self.first)

    def left(self, state: Met, at: I64) -> F64:
        """f64[b] >= 0: what is left of these rows; only falls."""
        return np.maximum(state.fold(self.rows, at, np.subtract, squares), 0.0)

    def and_then(self, state: Met, at: int) -> Met:
        """The state with one more row chosen: M loses the direction M x."""
        x = self.rows.unit(np.array([at]))[0].astype(np.float64)
        mx = x - (self.along @ x) @ self.along
        for block in state.blocks:
            b = block.astype(np.float64)
            mx -= (b @ x) @ b
        return state.and_then((mx / math.sqrt(self.ridge + max(float(x @ mx), 0.0))).astype(np.float32))


def residual_of(x: Directions, at: I64, share: float, ridge: float) -> Generator[Any, Any, Residual]:
    """What the rows at i64[p] leave of every row: all directions they took count `share` of their length."""
    d = x.values.shape[1]
    gram, full = np.zeros((d, d)), (x.inverse > 0).astype(np.float64)
    for a in range(0, len(at), _ROWS):
        rows = x.unit(at[a : a + _ROWS]).astype(np.float64)
        gram += rows.T @ rows
    values, vectors = np.linalg.eigh(gram)
    some = values > 1e-12 * max(float(values.max(initial=0.0)), 1e-300)
    if not share or not some.any():
        return Residual(x, full, np.zeros((0, d)), ridge)
    taken = share * np.sqrt(values[some] / (ridge + values[some]))
    along = np.ascontiguousarray((vectors[:, some] * taken).T)
    part = partial(_taken, x, along)
    pieces = yield from scan(part, _joined, range(0, max(len(x), 1), _ROWS), "private")
    return Residual(x, np.maximum(full - np.concatenate(pieces), 0.0), along, ridge)


def _taken(x: Directions, along: F64, a: int) -> list[F64]:
    product = x.unit(slice(a, a + _ROWS)).astype(np.float64) @ along.T
    return [np.einsum("ij,ij->i", product, product)]


def _joined(a: list[F64], b: list[F64]) -> list[F64]:
    return a + b


def squares(x: F32) -> F64:
    """The squares."""
    return np.square(x, dtype=np.float64)


def held(rows: F32) -> F64:
    """f64[m, d]: rows at length 1, zeros left as they are, in double precision."""
    x = rows.astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    unit: F64 = x / np.where(norm > 0, norm, 1.0)
    return unit
