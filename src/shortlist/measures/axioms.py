"""Is every large, agreeing group of voters represented? JR, PJR, EJR and EJR+ of a committee.

A group of voters deserves l of k seats if it holds l / k of all weight and approves l rows in common. JR
wants some member to have one approved row on the committee (l = 1); PJR wants l of its rows there, whoever
approves them; EJR wants some member to have l. EJR+ asks for one common row off the committee instead of l.

JR, EJR: Aziz, Brill, Conitzer, Elkind, Freeman & Walsh 2017, "Justified Representation in Approval-Based
Committee Voting", doi:10.1007/s00355-016-1019-3. PJR: Sanchez-Fernandez et al. 2017, "Proportional Justified
Representation", AAAI-17. EJR+: Brill & Peters 2023, "Robust and Verifiable Proportionality Axioms for
Multiwinner Voting", arXiv:2302.01989.

JR and EJR+ take O(k approvals). EJR and PJR are coNP-hard to check: the search stops at MOST steps with an
error, but EJR+ implies both and is asked first, so that a committee that satisfies it costs no search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from shortlist.core import ballots as ballots_of
from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.ballots import Approvals
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool

#: Steps of a search: sets of rows that are looked at.
MOST = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Unheard:
    """A group that deserves `size` seats and has not: voters i64[m], rows i64[r] that all of them approve."""

    voters: I64
    size: int
    rows: I64


@dataclass(frozen=True, slots=True, kw_only=True)
class Justified:
    """The share of the voters who are in no group that EJR+ finds unheard; 1 means that it holds.

    Args:
        of: Scores signals, one ranking a voter; they need `top`.
        by: a Tags or Labels signal, each group a voter; or a Vectors signal, each column a ranking.
        top: what of a ranking is approved: a share of the rows below 1, else a number of rows.
        weights: one a voter, () is 1 each.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    top: float = 0.0
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ballots_of.check("Justified", self.of, self.by, self.weights, self.top)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"voters heard (EJR+), {self.by or ', '.join(self.of)}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, 1] for the rows at positions i64[k]; 1 where nobody votes."""
        found = ballots_of.approved(pool, self.of, self.by, self.weights, self.top)
        unheard = np.zeros(len(found.weight), bool)
        for group in ejr_plus(found, at):
            unheard[group.voters] = True
        return 1.0 - float(found.weight[unheard].sum()) / found.total


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """approves bool[n, m]; weight f64[m]; chosen rows i64[c], unique; k seats."""

    approves: Bool
    weight: F64
    chosen: I64
    k: int

    def deserve(self, who: Bool, size: int) -> bool:
        """Whether voters bool[m] weigh enough for so many seats."""
        total = float(self.weight.sum())
        return total > 0 and float(self.weight[who].sum()) * self.k >= size * total * (1 - 1e-12)

    @property
    def has(self) -> I64:
        """i64[m]: chosen rows that each voter approves."""
        count: I64 = self.approves[self.chosen].sum(axis=0, dtype=np.int64)
        return count

    def group(self, who: Bool, size: int, rows: I64) -> Unheard:
        """These voters bool[m] as an answer."""
        return Unheard(np.flatnonzero(who), size, rows)


def jr(ballots: Approvals, at: I64, k: int | None = None) -> list[Unheard]:
    """Justified representation: for each row, voters of n / k or more who approve it and have nothing.

    Args:
        ballots: who approves what.
        at: i64[c] positions of the committee.
        k: seats; None: as many as rows at `at`.

    >>> jr(Approvals.of([[0], [0], [1], [1]], 3), np.array([0, 2]))[0].voters.tolist()
    [2, 3]
    >>> jr(Approvals.of([[0], [0], [1], [1]], 3), np.array([0, 1]))
    []
    """
    case = _case(ballots, at, k)
    return list(_one_row(case, range(1, 2), np.ones(len(ballots), bool)))


def ejr_plus(ballots: Approvals, at: I64, k: int | None = None) -> list[Unheard]:
    """EJR+: for each size l and row off the committee, voters of l n / k who approve it and have less than l.

    It implies EJR and PJR, and can be checked in no time. See `jr` for the arguments.
    """
    case = _case(ballots, at, k)
    off = np.ones(len(ballots), bool)
    off[case.chosen] = False
    return list(_one_row(case, range(1, case.k + 1), off))


def ejr(ballots: Approvals, at: I64, k: int | None = None) -> list[Unheard]:
    """Extended justified representation: the first group that fails it, of the smallest size l.

    See `jr` for the arguments.

    Raises:
        UsageError: the search passed MOST sets of rows.
    """
    if not ejr_plus(ballots, at, k):
        return []
    case, steps = _case(ballots, at, k), [0]
    for size in range(1, case.k + 1):
        poor: Bool = case.has < size
        found = _agreeing(case, poor, size, steps)
        if found:
            return [found]
    return []


def pjr(ballots: Approvals, at: I64, k: int | None = None) -> list[Unheard]:
    """Proportional justified representation: the first group that fails it, of the smallest size l.

    See `jr` for the arguments.

    Raises:
        UsageError: the search passed MOST sets of rows.
    """
    if not ejr_plus(ballots, at, k):
        return []
    case, steps = _case(ballots, at, k), [0]
    chosen = case.approves[case.chosen]
    for size in range(1, case.k + 1):
        # the group has less than l rows between them, so some l - 1 chosen rows hold all it has
        for rows in combinations(range(len(case.chosen)), min(size - 1, len(case.chosen))):
            others = np.ones(len(case.chosen), bool)
            others[list(rows)] = False
            _step(steps)
            within: Bool = np.logical_not(chosen[others].any(axis=0))
            found = _agreeing(case, within, size, steps)
            if found:
                return [found]
    return []


def _case(ballots: Approvals, at: I64, k: int | None) -> _Case:
    chosen = np.unique(np.asarray(at, np.int64))
    if len(chosen) and not 0 <= chosen[0] <= chosen[-1] < len(ballots):
        raise ContractError(f"the committee must be of positions in [0, {len(ballots)})")
    seats = len(chosen) if k is None else k
    if seats < len(chosen):
        raise UsageError(f"k must be at least {len(chosen)}, the size of the committee, found {k}")
    return _Case(ballots.dense(), ballots.weight, chosen, seats)


def _one_row(case: _Case, sizes: range, rows: Bool) -> Iterator[Unheard]:
    """For each size and row of bool[n]: its voters who have less than so many, where they deserve as many."""
    total = float(case.weight.sum())
    for size in sizes:
        poor = case.has < size
        held = (case.approves & poor) @ case.weight * case.k
        for row in np.flatnonzero(rows & (held >= size * total * (1 - 1e-12)) & (total > 0)):
            yield case.group(case.approves[row] & poor, size, np.array([row]))


def _agreeing(case: _Case, who: Bool, size: int, steps: list[int]) -> Unheard | None:
    """Voters among bool[m] that deserve `size` seats and approve `size` rows in common, if there are any.

    Rows are added one by one in the order of positions while the voters who approve them all weigh enough.
    """
    if not case.deserve(who, size):
        return None
    approves = case.approves & who
    able = np.flatnonzero([case.deserve(a, size) for a in approves])
    stack: list[tuple[Bool, int, int]] = [(who, 0, 0)] if len(able) >= size else []
    while stack:
        group, after, rows = stack.pop()
        _step(steps)
        common = able[approves[able][:, group].all(axis=1)] if rows else able[:0]
        if len(common) >= size:
            return case.group(group, size, common)
        for i in range(len(able) - 1, after - 1, -1):
            both = group & approves[able[i]]
            if rows + len(able) - i >= size and case.deserve(both, size):
                stack.append((both, i + 1, rows + 1))
    return None


def _step(steps: list[int]) -> None:
    steps[0] += 1
    if steps[0] > MOST:
        raise UsageError(f"the search passed {MOST:,} sets of rows; ask ejr_plus, which implies EJR and PJR")
