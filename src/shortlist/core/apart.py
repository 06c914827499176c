"""Rows that may not stand together because they are too near: distances, and the rule they make.

A distance is worked out in float64 from the two rows alone and the same either way round, so that all ways of
asking agree at the bound. Fast passes in float32 only say where to look.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64, Bool
from shortlist.core.contracts import Cut
from shortlist.core.cosine import Directions
from shortlist.core.near import near
from shortlist.core.signals import Neighbors

#: What a cosine in float32 may be off by: pairs so near the bound are worked out.
SLACK = 1e-4
#: Rows worked out at once.
BLOCK = 4096
#: Up to so many rows, and so many pairs among them, are all pairs found beforehand.
ROWS, PAIRS = 1 << 15, 1 << 23
#: Rows of a clique named at once.
CLIQUE = 64


class Space(Protocol):
    """Distances between n rows."""

    def __len__(self) -> int: ...

    def between(self, a: I64, b: I64) -> F64:
        """f64[m]: the distance of each row of a from the row of b beside it."""
        ...

    def about(self, at: int, least: float) -> I64:
        """Increasing positions that hold every row nearer to this one than `least`, and perhaps others."""
        ...

    def take(self, at: I64) -> Space:
        """The rows at increasing positions i64[b]."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Angles:
    """1 - cosine of rows f32[n, d]; a zero row is at 1 from every other. inverse f64[n]: 1 / norm or 0."""

    rows: Directions
    inverse: F64

    @classmethod
    def of(cls, values: F32) -> Angles:
        """Norms in float64."""
        rows = Directions.of(values)
        norm = np.empty(len(values))
        for a in range(0, len(values), BLOCK):
            block = rows.values[a : a + BLOCK].astype(np.float64)
            norm[a : a + BLOCK] = np.sqrt(np.einsum("ij,ij->i", block, block))
        return cls(rows, np.divide(1.0, norm, out=np.zeros(len(norm)), where=norm > 0))

    def __len__(self) -> int:
        return len(self.rows)

    def between(self, a: I64, b: I64) -> F64:
        """f64[m]: 1 - cosine."""
        out = np.empty(len(a))
        for i in range(0, len(a), BLOCK):
            x, y = a[i : i + BLOCK], b[i : i + BLOCK]
            left, right = self.rows.values[x].astype(np.float64), self.rows.values[y].astype(np.float64)
            dot = np.einsum("ij,ij->i", left, right)
            out[i : i + BLOCK] = 1.0 - dot * (self.inverse[x] * self.inverse[y])
        return out

    def about(self, at: int, least: float) -> I64:
        """Rows whose cosine in float32 may be high enough."""
        along = self.rows.along(self.rows.unit(np.array([at]))[0])
        return np.flatnonzero(along > 1.0 - least - SLACK)

    def take(self, at: I64) -> Angles:
        """The rows at i64[b]."""
        return Angles(Directions(self.rows.values[at], self.rows.inverse[at]), self.inverse[at])


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Euclidean distance of rows [n, d]; of numbers on a line where d is 1."""

    values: F64 | F32

    def __len__(self) -> int:
        return len(self.values)

    def between(self, a: I64, b: I64) -> F64:
        """f64[m]: the length of the difference."""
        out = np.empty(len(a))
        for i in range(0, len(a), BLOCK):
            left = self.values[a[i : i + BLOCK]].astype(np.float64)
            gap = left - self.values[b[i : i + BLOCK]].astype(np.float64)
            out[i : i + BLOCK] = np.sqrt(np.einsum("ij,ij->i", gap, gap))
        return out

    def about(self, at: int, least: float) -> I64:  # noqa: ARG002  (nothing is faster than to work it out)
        """Every row."""
        return np.arange(len(self), dtype=np.int64)

    def take(self, at: I64) -> Places:
        """The rows at i64[b]."""
        return Places(self.values[at])


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Absolute difference of numbers f64[n]; order i64[n] sorts them."""

    values: F64
    order: I64
    sorted: F64

    @classmethod
    def of(cls, values: F64) -> Line:
        """The numbers, sorted once."""
        order = np.argsort(values, kind="stable")
        return cls(values, order, values[order])

    def __len__(self) -> int:
        return len(self.values)

    def between(self, a: I64, b: I64) -> F64:
        """f64[m]: how far apart the numbers are."""
        gap: F64 = np.abs(self.values[a] - self.values[b])
        return gap

    def about(self, at: int, least: float) -> I64:
        """The numbers within `least`, found by halving."""
        x = self.values[at]
        low, high = np.searchsorted(self.sorted, [x - least, x + least], side="left")
        wide = max(int(low) - 1, 0), min(int(high) + 1, len(self))  # x - least is rounded
        return np.sort(self.order[wide[0] : wide[1]])

    def take(self, at: I64) -> Line:
        """The numbers at i64[b]."""
        return Line.of(self.values[at])


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """1 - similarity of a graph, the larger of both directions; rows without a link are 1 apart.

    reach: rows that link to each row, CSR as indptr and indices.
    """

    graph: Neighbors
    reach: tuple[I64, I32]

    @classmethod
    def of(cls, graph: Neighbors) -> Links:
        """The graph with its links turned round."""
        owner = np.repeat(np.arange(len(graph), dtype=np.int32), np.diff(graph.indptr))
        by = np.argsort(graph.indices, kind="stable")
        indptr = np.zeros(len(graph) + 1, np.int64)
        np.cumsum(np.bincount(graph.indices, minlength=len(graph)), out=indptr[1:])
        return cls(graph, (indptr, owner[by]))

    def __len__(self) -> int:
        return len(self.graph)

    def between(self, a: I64, b: I64) -> F64:
        """f64[m]: 1 - the larger similarity."""
        return 1.0 - np.maximum(self._link(a, b), self._link(b, a))

    def _link(self, a: I64, b: I64) -> F64:
        g, out = self.graph, np.zeros(len(a))
        for i, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
            row = g.indices[g.indptr[x] : g.indptr[x + 1]]
            j = int(np.searchsorted(row, y))
            if j < len(row) and row[j] == y:
                out[i] = g.data[g.indptr[x] + j]
        return out

    def about(self, at: int, least: float) -> I64:
        """Rows linked either way; all, where rows without a link are too near as well."""
        if least > 1:
            return np.arange(len(self), dtype=np.int64)
        g, (indptr, indices) = self.graph, self.reach
        there = g.indices[g.indptr[at] : g.indptr[at + 1]]
        return np.union1d(there, indices[indptr[at] : indptr[at + 1]]).astype(np.int64)

    def take(self, at: I64) -> Links:
        """The graph among rows at i64[b]."""
        return Links.of(self.graph.take(at))


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """The rule: no two chosen rows nearer than `least`.

    pairs: for each row those too near to it, CSR as indptr and indices, where they were found beforehand.
    """

    text: str
    least: float
    space: Space
    pairs: tuple[I64, I32] | None = None
    kind: str = field(default="separation", init=False)
    ordered: bool = field(default=False, init=False)

    @property
    def alike(self) -> I64:
        """All are."""
        return np.zeros(len(self.space), np.int64)

    def tied(self, at: int) -> I64:
        """This row and those too near to it."""
        near = self.shuts(at)
        return np.insert(near, np.searchsorted(near, at), at)

    def start(self, had: I64) -> None:  # noqa: ARG002
        """Nothing is kept: what may not come is shut."""
        return

    def allows(self, state: None, at: I64) -> Bool:  # noqa: ARG002
        """Always: what may not come is shut."""
        return np.ones(len(at), bool)

    def add(self, state: None, at: int) -> None:  # noqa: ARG002
        """Nothing is kept."""
        return

    def shuts(self, at: int) -> I64:
        """Rows too near to this one, increasing."""
        if self.pairs is not None:
            indptr, indices = self.pairs
            return np.array(indices[indptr[at] : indptr[at + 1]], np.int64)
        some = self.space.about(at, self.least)
        some = some[some != at]
        near: I64 = some[self.space.between(some, np.full(len(some), at)) < self.least]
        return near

    def meets(self, at: int, among: I64) -> bool:
        """Whether this row is too near to one of those at i64[m]: for a few, sooner than `shuts`."""
        return bool((self.space.between(among, np.full(len(among), at)) < self.least).any())

    def within(self, at: I64) -> tuple[I64, I64, F64]:
        """The pairs among these rows that are too near, by their two positions, and their distances."""
        at = np.sort(at)
        found: list[tuple[I64, I64, F64]] = []
        for i in range(len(at) - 1):
            rest = at[i + 1 :]
            gap = self.space.between(np.full(len(rest), at[i]), rest)
            near = gap < self.least
            if near.any():
                found.append((np.full(int(near.sum()), at[i]), rest[near], gap[near]))
        none = np.empty(0, np.int64)
        if not found:
            return none, none, np.empty(0)
        return (
            np.concatenate([f[0] for f in found]),
            np.concatenate([f[1] for f in found]),
            np.concatenate([f[2] for f in found]),
        )

    def nearest(self, at: I64) -> float:
        """The least distance between two of these rows; infinite where there are none."""
        rest = [(at[i + 1 :], np.full(len(at) - i - 1, at[i])) for i in range(len(at) - 1)]
        return min((float(self.space.between(a, b).min()) for a, b in rest), default=np.inf)

    def breaks(self, at: I64, had: I64) -> str:  # noqa: ARG002
        """How many pairs are too near, and how near."""
        a, _, gap = self.within(at)
        return f"{len(a)} pairs are nearer, the nearest {gap.min():g} apart" if len(a) else ""

    def account(self, at: I64) -> tuple[float, float, float, bool]:
        """The least distance among the chosen; tight where another row could not be taken for it."""
        value = self.nearest(at)
        if value == np.inf:  # fewer than two rows
            return self.least, self.least, np.inf, False
        shut = any(len(self.shuts(int(x))) for x in at) if self.pairs is not None else bool(len(at))
        return value, self.least, np.inf, shut

    def cuts(self, at: I64, had: I64) -> list[Cut]:  # noqa: ARG002
        """A pair too near counts one at most; so does a clique around it."""
        out: list[Cut] = []
        a, b, gap = self.within(at)
        for x, y, d in zip(a.tolist(), b.tolist(), gap.tolist(), strict=True):
            breach = (self.least - d) / self.least
            out.append(Cut(np.array([x, y]), np.ones(2), 1.0, breach))
            clique = self._clique(x, y)
            if len(clique) > 2:
                out.append(Cut(clique, np.ones(len(clique)), 1.0, 0.0))
        return out

    def _clique(self, x: int, y: int) -> I64:
        members, common = [x, y], np.intersect1d(self.shuts(x), self.shuts(y), assume_unique=True)
        while len(common) and len(members) < CLIQUE:
            members.append(int(common[0]))
            common = np.intersect1d(common, self.shuts(members[-1]), assume_unique=True)
        return np.sort(np.array(members, np.int64))

    def relaxed(self, at: I64, had: I64) -> str:  # noqa: ARG002
        """The distance that would do."""
        value = self.nearest(at)
        if value >= self.least:
            return ""
        head = self.text.rpartition(">=")[0]
        unit = 10.0 ** (np.floor(np.log10(value)) - 5) if value > 0 else 1.0
        steps = np.rint(value / unit)
        text = f"{steps * unit:.6g}"
        if float(text) > value:
            text = f"{(steps - 1) * unit:.6g}"
        return f"{head}>={text}" if value > 0 else "leave it out"

    def take(self, at: I64, k: int) -> Apart:  # noqa: ARG002
        """The same among the rows at i64[b]."""
        pairs = None
        if self.pairs is not None:
            indptr, indices = self.pairs
            part = Neighbors(indptr, indices, np.zeros(len(indices), np.float32)).take(at)
            pairs = (part.indptr, part.indices)
        return replace(self, space=self.space.take(at), pairs=pairs)


def found(rule: Apart) -> Generator[Any, Any, Apart]:
    """The rule with all its pairs, where they are few enough to be held and soon found."""
    space, n = rule.space, len(rule.space)
    if isinstance(space, Links):
        if rule.least <= 1:
            return replace(rule, pairs=_listed(rule, n))
        return rule
    if not isinstance(space, Angles) or n > ROWS or n < 2 or _dense(rule, n) > PAIRS:
        return rule
    floor = np.full(n, 1.0 - rule.least - SLACK, np.float32)
    indptr, indices, _ = yield from near(space.rows, space.rows, floor, True)
    owner = np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr))
    keep = np.zeros(len(owner), bool)
    step = 1 << 20
    for a in range(0, len(owner), step):
        x, y = owner[a : a + step].astype(np.int64), indices[a : a + step].astype(np.int64)
        keep[a : a + step] = (x != y) & (space.between(x, y) < rule.least)
    ends = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(owner[keep], minlength=n), out=ends[1:])
    return replace(rule, pairs=(ends, indices[keep]))


def _listed(rule: Apart, n: int) -> tuple[I64, I32]:
    rows = [rule.shuts(i).astype(np.int32) for i in range(n)]
    ends = np.zeros(n + 1, np.int64)
    np.cumsum([len(r) for r in rows], out=ends[1:])
    return ends, np.concatenate([np.empty(0, np.int32), *rows])


def _dense(rule: Apart, n: int) -> float:
    """About how many pairs there are, from rows spread over the pool."""
    some = np.unique(np.linspace(0, n - 1, 64).astype(np.int64))
    return n * float(np.mean([len(rule.space.about(int(i), rule.least)) for i in some]))
