"""Branch and bound: the best choice, with a proof, or how far from it the best one found can be.

Source: Land and Doig 1960, An automatic method of solving discrete programming problems, doi:10.2307/1910129;
    the bound is that of Nemhauser, Wolsey and Fisher 1978, doi:10.1007/BF01588971: f(S + T) <= f(S) + sum of
    gains(S) over T, T any rows the limits may still add.
Deviates: the node of the largest bound comes first, and branches on taking or leaving the row of the largest
    gain. An objective that is not monotone may depend on the order of rows (MMR does): its sets are read in
    increasing positions, as Exhaustive reads them, and a node branches on the lowest position left.
Cost: one look at the rows left a node. It grows with C(n, k) where rows are alike, and far less where they
    are not.
Memory: a state and 24 n bytes an open node, of which there are no more than `nodes`.
Guarantee: the optimum, to 1e-9 of it, where fewer nodes than `nodes` are needed; else the best found, never
    worse than LazyGreedy where the limits let that end well, with a `Choice.bound` that says how far it can
    be.
Use it when: some dozens of rows, or a handful to choose, and the best is worth waiting for; or to see what
    greedy left. Not when: the pool is large; LazyGreedy states a bound too.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.covers import RandomCover
from shortlist.core.errors import ContractError, InfeasibleError, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.within import unordered
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.lazy_greedy import LazyGreedy

#: The same choice by trying all of them.
exact = Exhaustive()
#: Values nearer than this share of the best count as equal.
CLOSE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchAndBound:
    """The best choice by a tree of choices in part.

    Args:
        nodes: at most so many are looked at; the same choice each time, whatever the machine.
    """

    nodes: int = 20_000

    def __post_init__(self) -> None:
        if self.nodes < 1:
            raise UsageError(f"BranchAndBound: nodes must be at least 1, found {self.nodes}")

    def __call__(self, built: Built, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool `built` and `limits` are bound to.

        Raises:
            ContractError: the objective is not submodular, so that gains bound nothing.
            InfeasibleError: no choice meets all limits, or none was found in so many nodes.
        """
        unordered(limits, "BranchAndBound")
        if not built.submodular:
            raise ContractError(
                f"BranchAndBound needs a submodular objective; {'+'.join(built.terms)} is not: "
                "use Exhaustive()"
            )
        tree = _Tree(built, limits)
        tree.propose(LazyGreedy()(built, limits, Pool(np.arange(len(built)), {})).rows)
        high = tree.search(self.nodes)
        if tree.best is None:
            raise InfeasibleError(limits.names, (f"not looked for: {self.nodes:,} nodes held no choice",))
        return certified(built, limits, pool, tree.best, high)


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """Rows taken, and the rows left to take or leave: positions i64[m] with their gains f64[m], the next to
    branch on first. held: what the limits make of the rows taken, None where they refuse them in this order
    though a choice may hold them."""

    taken: tuple[int, ...]
    value: float
    state: Any
    held: Any
    left: I64
    gains: F64


class _Tree:
    """The search: what is best so far, and what is open, largest bound first."""

    def __init__(self, built: Built, limits: Limits) -> None:
        self.built, self.limits = built, limits
        self.must = frozenset(limits.must.tolist())
        self.open: list[tuple[float, int, int, _Node]] = []
        self.best: I64 | None = None
        self.value = -np.inf

    def search(self, nodes: int) -> float:
        """Look at up to so many nodes; an upper bound of every choice."""
        state = shown(self.built, self.limits)
        free = np.setdiff1d(np.arange(len(self.built)), self.limits.shown)
        root = self._looked((), 0.0, state, self.limits.start(), free)
        self.offer(root)
        self._push(root, 0)
        for count in range(nodes):
            if not self.open or -self.open[0][0] <= self.value + slack(self.value):
                break
            node = heapq.heappop(self.open)[3]
            self._push(self._left_out(node), 2 * count + 1)
            child = self._taken(node)
            self.offer(child)
            self._push(child, 2 * count + 2)
        return max(self.value, -self.open[0][0] if self.open else -np.inf)

    def offer(self, node: _Node | None) -> None:
        """The rows of a node as a choice, and others where they do no harm and least counts need them."""
        if node is None or node.value <= self.value + slack(self.value):
            return
        at = np.array(node.taken, np.int64)
        if node.held is not None and len(at) < self.limits.k and (self.built.monotone or self._short(at)):
            at = self._filled(node, at)
        self.propose(at)

    def propose(self, at: I64) -> None:
        """A set that is the best so far if it is worth more and breaks no limit."""
        value = float(told(self.built, self.limits, at)[1].sum())
        if value > self.value + slack(self.value) and not self.limits.check(at):
            self.best, self.value = np.sort(at), value

    def _short(self, at: I64) -> bool:
        return bool(self.limits.check(at))

    def _filled(self, node: _Node, at: I64) -> I64:
        taken, held = at.tolist(), node.held
        for row in node.left[np.argsort(-node.gains, kind="stable")].tolist():
            if len(taken) < self.limits.k and self.limits.allows(held, np.array([row]))[0]:
                held = self.limits.add(held, row)
                taken.append(row)
        return np.array(taken, np.int64)

    def _left_out(self, node: _Node) -> _Node | None:
        """The next row is not taken."""
        if int(node.left[0]) in self.must:
            return None
        return replace(node, left=node.left[1:], gains=node.gains[1:])

    def _taken(self, node: _Node) -> _Node | None:
        """The next row is taken."""
        at, held = int(node.left[0]), node.held
        if held is not None:
            if self.limits.allows(held, node.left[:1])[0]:
                held = self.limits.add(held, at)
            elif self._never(held, at):
                return None
            else:
                held = None
        value, state = node.value + float(node.gains[0]), self.built.add(node.state, at)
        return self._looked((*node.taken, at), value, state, held, np.sort(node.left[1:]))

    def _looked(self, taken: tuple[int, ...], value: float, state: Any, held: Any, left: I64) -> _Node:
        """A node with its rows in the order in which it branches: what must be taken, then by gain."""
        if len(taken) >= self.limits.k:
            left = left[:0]
        if held is not None and len(left):
            out = left[~self.limits.allows(held, left)]
            left = np.setdiff1d(left, [at for at in out.tolist() if self._never(held, at)])
        gains = self.built.gains(state, left).sum(axis=1)
        if self.built.monotone:
            order = np.lexsort((left, -gains, ~np.isin(left, self.limits.must)))
            left, gains = left[order], gains[order]
        return _Node(taken, value, state, held, left, gains)

    def _never(self, held: Any, at: int) -> bool:
        """Whether no choice that goes on from here holds the row, rather than a reserve being in its way."""
        by, rows = self.limits.refuses(held, at), self.limits.rows
        if by < 0 or by >= len(rows) or rows[by].low <= 0:
            return True
        alone = np.zeros(len(self.built))
        alone[at] = 1.0
        return self.limits.upper(alone, held) <= 0

    def _push(self, node: _Node | None, count: int) -> None:
        if node is None or not len(node.left):
            return
        bound = node.value + self._above(node)
        if bound > self.value + slack(self.value):
            heapq.heappush(self.open, (-bound, -len(node.taken), count, node))

    def _above(self, node: _Node) -> float:
        """What the rows left can add at most."""
        gains = np.zeros(len(self.built))
        gains[node.left] = np.maximum(node.gains, 0.0)
        if node.held is not None:
            return self.limits.upper(gains, node.held)
        room = self.limits.k - len(node.taken)
        most = float(np.sort(gains)[::-1][:room].sum())
        return min(most, self.limits.upper(gains, self.limits.start()))


def slack(value: float) -> float:
    """How much more makes a difference."""
    return CLOSE * max(1.0, abs(value)) if np.isfinite(value) else 0.0


def shown(built: Built, limits: Limits) -> Any:
    """The state with what the user has."""
    state = built.start()
    for at in limits.shown.tolist():
        state = built.add(state, at)
    return state


def told(built: Built, limits: Limits, at: I64) -> tuple[I64, F64]:
    """A set as it is told, with parts f64[m, T]: by gain, or by position where the order may matter."""
    state, left, parts = shown(built, limits), np.sort(at), np.zeros((len(at), len(built.terms)))
    order = np.empty(len(at), np.int64)
    for i in range(len(at)):
        gains = built.gains(state, left if built.monotone else left[:1])
        best = int(np.argmax(gains.sum(axis=1)))
        order[i], parts[i] = left[best], gains[best]
        state, left = built.add(state, int(left[best])), np.delete(left, best)
    return order, parts


def certified(built: Built, limits: Limits, pool: Pool, at: I64, high: float) -> Choice:
    """The choice of a set whose value no choice passes by more than up to `high`."""
    order, parts = told(built, limits, at)
    gains = parts.sum(axis=1)
    total = float(gains.sum())
    return Choice(pool.rows[order], gains, built.terms, parts, (total, max(total, high)))


EXAMPLES = (BranchAndBound(), BranchAndBound(nodes=500))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the tree's value less that of trying every choice of 4 of 12 rows, for m random set covers."""
    more = np.empty(10 * scale)
    pool = Pool(np.arange(12), {})
    for i in range(len(more)):
        built, limits = RandomCover.drawn(rng, 12, 40), bind(pool, (), 4)
        ours, best = (solver(built, limits, pool) for solver in (BranchAndBound(), exact))
        more[i] = ours.total - best.total
    return more


CLAIM = Claim(
    paper="Land and Doig 1960; Nemhauser, Wolsey and Fisher 1978",
    says="bounds leave most choices unseen and lose none that is better",
    we_show="on random set covers its choice is worth what the best of all choices of 4 of 12 rows is",
    not_shown="how many nodes a pool takes: among rows that are alike, nearly all",
    measure=claim,
    margin=0.0,
)
