"""Ballots: who ranks or approves which rows, read off the signals of a pool or off arrays.

A voter is one Scores signal of `of`, one column of the Vectors signal `by`, or one group of the Tags or
Labels signal `by`, which approves the rows that carry it. Rankings become approvals by `top`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np

from shortlist.core.arrays import F64, I32, I64, Bool
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags, Vectors

#: Voters of one step of a plan.
STEP = 16


@dataclass(frozen=True, slots=True, eq=False)
class Approvals:
    """m voters over n rows, CSR by row: voters[indptr[r]:indptr[r + 1]], increasing, approve row r.

    indptr i64[n+1]; voters i32[z] in [0, m); weight f64[m], finite, > 0 (0 only for voters of no row).
    """

    indptr: I64
    voters: I32
    weight: F64

    def __post_init__(self) -> None:
        ends, voters, m = self.indptr, self.voters, len(self.weight)
        if ends.dtype != np.int64 or voters.dtype != np.int32 or self.weight.dtype != np.float64:
            raise ContractError("approvals are indptr i64, voters i32 and weight f64")
        if len(ends) == 0 or ends[0] != 0 or ends[-1] != len(voters) or (np.diff(ends) < 0).any():
            raise ContractError(f"indptr must rise from 0 to {len(voters)}, the number of approvals")
        if len(voters) and not 0 <= int(voters.min()) <= int(voters.max()) < m:
            raise ContractError(f"voters must lie in [0, {m})")
        first = np.zeros(len(voters) + 1, bool)
        first[ends] = True
        if not ((np.diff(voters) > 0) | first[1:-1]).all():
            raise ContractError("the voters of a row must be strictly increasing")
        if not (np.isfinite(self.weight).all() and (self.weight >= 0).all()):
            raise ContractError("the weight of a voter must be finite and above 0")
        if (self.weight[voters] == 0).any():
            raise ContractError("a voter who approves a row has weight 0")

    @classmethod
    def of(cls, ballots: Sequence[Sequence[int] | I64], n: int, weights: Sequence[float] = ()) -> Approvals:
        """From the rows that each voter approves, in [0, n), over n rows; repeats count once.

        >>> Approvals.of([[0, 2], [2]], 3).voters.tolist()
        [0, 0, 1]
        """
        sets = [np.unique(np.asarray(b, np.int64)) for b in ballots]
        rows = np.concatenate(sets) if sets else np.zeros(0, np.int64)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < n:
            raise ContractError(f"approved rows must lie in [0, {n})")
        owner = np.repeat(np.arange(len(sets), dtype=np.int32), [len(s) for s in sets])
        voters = owner[np.argsort(rows, kind="stable")]
        ends = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=n), out=ends[1:])
        return cls(ends, voters, _weights(weights, len(sets)))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def total(self) -> float:
        """Weight of all voters together, 1 where there is none."""
        return float(self.weight.sum()) or 1.0

    def at(self, row: int) -> I32:
        """The voters of a row."""
        return self.voters[self.indptr[row] : self.indptr[row + 1]]

    def dense(self) -> Bool:
        """bool[n, m]: whether the voter of a column approves the row."""
        out = np.zeros((len(self), len(self.weight)), bool)
        out[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.voters] = True
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """m rankings of the same n rows, as utilities: larger is better, equal is tied."""

    signals: tuple[Scores, ...] | Vectors
    weight: F64

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def rows(self) -> int:
        """How many rows are ranked."""
        signals = self.signals
        return len(signals if isinstance(signals, Vectors) or not signals else signals[0])

    def utility(self, j: int) -> F64:
        """f64[n]: what judge j thinks of each row."""
        if isinstance(self.signals, Vectors):
            return self.signals.values[:, j].astype(np.float64)
        return self.signals[j].utility()

    @property
    def total(self) -> float:
        """Weight of all judges together, 1 where there is none."""
        return float(self.weight.sum()) or 1.0


def check(
    name: str, of: tuple[str, ...], by: str, weights: tuple[float, ...], top: float | None = None
) -> None:
    """Refuse hyperparameters that name no voters, or that cannot be; `top` None: rankings are asked for.

    Raises:
        UsageError: says which.
    """
    if isinstance(of, str) or not all(isinstance(s, str) for s in of):
        raise UsageError(
            f"{name}: of must list Scores signals, as in of=('judge_a', 'judge_b'), found {of!r}"
        )
    if bool(of) == bool(by):
        raise UsageError(f"{name}: name the voters by either of=(Scores, ...) or by='a signal'")
    if len(set(of)) < len(of):
        raise UsageError(f"{name}: of names a signal twice; give it a weight instead")
    if not all(isinstance(w, int | float) and math.isfinite(w) and w > 0 for w in weights):
        raise UsageError(f"{name}: weights must be finite and above 0, found {weights}")
    if top is not None and not (0 <= top < math.inf and (top < 1 or top == int(top))):
        raise UsageError(f"{name}: top must be a share below 1 or a number of rows, found {top!r}")
    if top == 0 and of:
        raise UsageError(f"{name}: rankings become approvals by top, as in top=0.05; none is given")


def judges(pool: Pool, of: tuple[str, ...], by: str, weights: tuple[float, ...]) -> Judges:
    """The rankings of these signals.

    Raises:
        ContractError: a signal is missing or of another kind, or weights do not fit the voters.
    """
    signals = pool.signal(by, Vectors) if by else tuple(pool.signal(s, Scores) for s in of)
    count = signals.values.shape[1] if isinstance(signals, Vectors) else len(signals)
    return Judges(signals, _weights(weights, count))


def approvals(
    pool: Pool, of: tuple[str, ...], by: str, weights: tuple[float, ...], top: float
) -> Plan[Approvals]:
    """Approval ballots: of groups as they are, of rankings the rows that fewer than `top` are better than.

    Below 1 `top` is a share of the pool, rounded up. Rows tied with the last one approved are approved too.
    """
    found = pool.columns.get(by)
    if isinstance(found, Labels | Tags):
        return (yield from _of_groups(found, by, weights))
    voters = judges(pool, of, by, weights)
    if top == 0:
        raise UsageError(f"{by!r} holds rankings: they become approvals by top, as in top=0.05")
    n = len(pool)
    most = min(max(math.ceil(Fraction(repr(top)) * n) if top < 1 else int(top), 1), max(n, 1))
    part = partial(_best, voters, most)
    ballots = yield from scan(part, _joined, range(0, len(voters), STEP), "approvals")
    return Approvals.of(ballots or [], n, voters.weight.tolist())


def approved(pool: Pool, of: tuple[str, ...], by: str, weights: tuple[float, ...], top: float) -> Approvals:
    """`approvals`, here and now."""
    return alone(approvals(pool, of, by, weights, top), pool)


def _of_groups(groups: Labels | Tags, by: str, weights: tuple[float, ...]) -> Plan[Approvals]:
    yield from ()
    weight = _weights(weights, len(groups.names), by)
    weight[np.bincount(groups.codes, minlength=len(weight)) == 0] = 0.0  # nobody of that name is here
    if isinstance(groups, Labels):
        return Approvals(np.arange(len(groups) + 1, dtype=np.int64), groups.codes, weight)
    codes, first = groups.codes, np.zeros(len(groups.codes) + 1, bool)
    first[groups.indptr] = True
    if not ((np.diff(codes) > 0) | first[1:-1]).all():
        row = np.repeat(np.arange(len(groups)), np.diff(groups.indptr))
        codes = codes[np.lexsort((codes, row))]
    return Approvals(groups.indptr, codes, weight)


def _best(voters: Judges, most: int, a: int) -> list[I64]:
    """For STEP voters from a on: the rows that fewer than `most` are better than."""
    ballots = []
    for j in range(a, min(a + STEP, len(voters))):
        u = voters.utility(j)
        if len(u):
            u = u >= np.partition(u, len(u) - most)[len(u) - most]
        ballots.append(np.flatnonzero(u))
    return ballots


def _joined(a: list[I64], b: list[I64]) -> list[I64]:
    return a + b


def tied(utility: F64) -> tuple[I64, I64, I64]:
    """Rows best first, with the start and end of the run of ties that each place is in: i64[n] each."""
    order = np.argsort(-utility, kind="stable")
    ranked = utility[order]
    fresh = np.ones(len(order) + 1, bool)
    fresh[1:-1] = ranked[1:] != ranked[:-1]
    cuts = np.flatnonzero(fresh)
    run = np.cumsum(fresh[:-1]) - 1
    return order, cuts[run], cuts[run + 1]


def places(utility: F64) -> I32:
    """i32[n]: twice the place of each row, 0 the best; rows that are tied share the mean of their places."""
    order, first, end = tied(utility)
    out = np.empty(len(order), np.int32)
    out[order] = first + end - 1
    return out


def grid(total: float) -> float:
    """What sums of at most `total` are multiplied by before they are rounded to whole numbers.

    The steps are 2^-34 of the total: wide enough that sums that are equal but for rounding become equal, so
    that ties are ties, and monotone, so that sums that do not grow still do not.
    """
    return float(2.0 ** (34 - math.ceil(math.log2(total))))


def _weights(given: Sequence[float], voters: int, by: str = "") -> F64:
    if len(given) not in (0, voters):
        raise ContractError(f"{len(given)} weights for {voters} voters{f' of {by!r}' if by else ''}")
    return np.array(given, np.float64) if len(given) else np.ones(voters)
