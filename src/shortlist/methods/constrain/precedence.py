"""Precedence: within a series a row comes only after every row of a lower part.

S may be extended by i if all rows of i's series with order < order(i) are in S, or were shown before.
Source: Johnson and Niemi 1983, On knapsacks, partitions, and a new dynamic programming technique for trees,
Math. Oper. Res. 8, 1-14, doi:10.1287/moor.8.1.1 (choices closed under predecessors).
Deviates: chains only, with ties: rows of equal order do not wait for each other. A lower part that may never
be taken (excluded) shuts the rest of its series out; one that left the pool is not waited for.
Cost: O(n log n) once, O(1) a question.
Memory: 16 bytes a row.
Guarantee: every prefix of the choice holds the beginning of each series it holds anything of. With least
counts a choice ends with all of them or the run is refused.
Use it when rows depend on earlier ones (turns of a talk, chapters). Not when a series shall be taken whole
or not at all: make it one row.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.claim import Claim
from shortlist.core.contracts import Cut, Order, Row
from shortlist.core.effects import Plan
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores


@dataclass(frozen=True, slots=True)
class Precedence:
    """In each group of `by` (Labels) rows come in rising `order` (Scores or Costs), without gaps.

    >>> Precedence('series', order='part')
    Precedence(by='series', order='part')
    """

    by: str
    _: KW_ONLY
    order: str

    def __post_init__(self) -> None:
        for name in ("by", "order"):
            if not isinstance(getattr(self, name), str):
                raise UsageError(f"Precedence: {name} must name a signal, found {getattr(self, name)!r}")

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (no inequality says it)
        """None."""
        return []

    def rules(self, pool: Pool, k: int) -> Plan[list[Order]]:  # noqa: ARG002  (an order is no share of k)
        """One rule of order.

        Raises:
            ContractError: the signals are not there, or not of these kinds.
        """
        series = pool.signal(self.by, Labels)
        signal = pool.columns.get(self.order)
        if not isinstance(signal, Scores | Costs):
            what = "not there" if signal is None else type(signal).__name__
            raise ContractError(f"precedence: order {self.order!r} must be scores or costs, it is {what}")
        yield from ()  # nothing to wait for
        return [_bound(f"{self.by} in order of {self.order}", series.codes.astype(np.int64), signal.values)]


def exact(pool: Pool, rule: Precedence, at: I64, had: Collection[int] = ()) -> bool:
    """The definition: before each row in turn stand all rows of its series of a lower order, or were had."""
    series, order = pool.columns[rule.by].codes, pool.columns[rule.order].values  # type: ignore[attr-defined]
    n, taken = len(pool), set(had)
    for x in at.tolist():
        if any(series[y] == series[x] and order[y] < order[x] and y not in taken for y in range(n)):
            return False
        taken.add(x)
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """The rule bound.

    series i64[n]; level i64[n]: the rank of a row's order in its series, 0 first, ties equal; key i64[n]
    numbers series and level; levels i64[S]: how many each series has.
    """

    text: str
    series: I64
    level: I64
    key: I64
    levels: I64
    kind: str = field(default="precedence", init=False)
    ordered: bool = field(default=True, init=False)

    @property
    def alike(self) -> I64:
        """All whose turn it is."""
        return np.zeros(len(self.series), np.int64)

    def tied(self, at: int) -> I64:
        """The series."""
        return np.flatnonzero(self.series == self.series[at])

    def start(self, had: I64) -> tuple[I64, I64]:
        """i64[S]: the level that each series is open to; i64[n levels]: rows still to come of each."""
        left = np.bincount(self.key, minlength=1)
        reach = np.zeros(int(self.series.max(initial=-1)) + 1, np.int64)
        state = reach, left
        for x in had.tolist():
            state = self.add(state, x)
        return state

    def allows(self, state: tuple[I64, I64], at: I64) -> Bool:
        """bool[m]: rows no higher than what their series is open to."""
        ok: Bool = self.level[at] <= state[0][self.series[at]]
        return ok

    def add(self, state: tuple[I64, I64], at: int) -> tuple[I64, I64]:
        """One row of a level fewer; the next opens where it was the last."""
        reach, left = state[0].copy(), state[1].copy()
        left[self.key[at]] -= 1
        s = self.series[at]
        first = self.key[at] - self.level[at]  # levels of a series are numbered on
        last = first + self.levels[s]
        while first + reach[s] < last and left[first + reach[s]] == 0:
            reach[s] += 1
        return reach, left

    def shuts(self, at: int) -> I64:  # noqa: ARG002
        """None: rows only wait."""
        return np.empty(0, np.int64)

    def breaks(self, at: I64, had: I64) -> str:
        """How many rows came too soon."""
        place = np.full(len(self.series), len(at) + 1)
        place[at], place[had] = np.arange(len(at)), -1
        early = 0
        for x in at.tolist():
            lower = (self.series == self.series[x]) & (self.level < self.level[x])
            early += bool((place[lower] > place[x]).any())
        return f"{early} rows come before one of a lower part" if early else ""

    def account(self, at: I64) -> tuple[float, float, float, bool]:
        """Rows in their turn, of all chosen; tight where one that is left must wait."""
        state = self.start(np.empty(0, np.int64))
        for x in at.tolist():
            state = self.add(state, x)
        rest = np.setdiff1d(np.arange(len(self.series)), at)
        return float(len(at)), float(len(at)), np.inf, bool((~self.allows(state, rest)).any())

    def cuts(self, at: I64, had: I64) -> list[Cut]:
        """A row counts only with all of the level below it."""
        there = np.zeros(len(self.series), bool)
        there[at], there[had] = True, True
        out = []
        for x in at[self.level[at] > 0].tolist():
            below = np.flatnonzero(self.key == self.key[x] - 1)
            below = below[~np.isin(below, had)]
            if not there[below].all():
                both = np.append(below, x)
                weight = np.append(-np.ones(len(below)), float(len(below)))
                by = np.argsort(both, kind="stable")
                out.append(Cut(both[by], weight[by], 0.0, 1.0 / len(below)))
        return out

    def relaxed(self, at: I64, had: I64) -> str:
        """Left out, where it is broken."""
        return "leave it out" if self.cuts(at, had) else ""

    def take(self, at: I64, k: int) -> Chains:  # noqa: ARG002
        """The same among rows at i64[b]: rows that are not there are not waited for."""
        return _bound(self.text, self.series[at], self.level[at].astype(np.float64))


def _bound(text: str, series: I64, order: F64) -> Chains:
    by = np.lexsort((order, series))
    new = np.ones(len(by), bool)
    new[1:] = (np.diff(series[by]) != 0) | (np.diff(order[by]) != 0)
    key = np.empty(len(by), np.int64)
    key[by] = np.cumsum(new) - 1
    first = np.full(int(series.max(initial=-1)) + 1, len(by), np.int64)
    np.minimum.at(first, series, key)
    level = key - first[series]
    levels = np.zeros(len(first), np.int64)
    np.maximum.at(levels, series, level + 1)
    return Chains(text, series, level, key, levels)


EXAMPLES = (Precedence("label", order="score"), Precedence("source", order="cost"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the share of random choices of 12 of 40 rows in which no row stands before a lower part."""
    out = np.empty(20 * scale)
    rule = Precedence("series", order="part")
    for i in range(len(out)):
        series = Labels(rng.integers(0, 6, 40).astype(np.int32), tuple("abcdef"))
        pool = Pool.of({"series": series, "part": Scores(rng.integers(0, 9, 40).astype(np.float64))})
        out[i] = exact(pool, rule, fill(bind(pool, [rule], 12), rng.permutation(40)))
    return out


CLAIM = Claim(
    paper="Johnson and Niemi 1983",
    says="an item may be packed only together with all of its predecessors",
    we_show="random choices hold every row after all lower parts of its series",
    not_shown="that the best such choice is found: a row is judged by its own gain, not by what it opens",
    measure=claim,
    margin=1.0,
)
