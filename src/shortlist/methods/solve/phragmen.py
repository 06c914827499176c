"""Phragmen's sequential rule: a seat loads those who approve it, and the least loaded fill the next.

    s(c) = (1 + sum over supporters v of w_v load_v) / sum over supporters of w_v; take the least s(c), then
    load_v = s(c) for its supporters

Source: Phragmen 1894; Brill, Freeman, Janson & Lackner 2024, "Phragmen's Voting Methods and Justified
Representation", doi:10.1007/s10107-023-01926-8, sec. 2 (seq-Phragmen).
Deviates: any limits: the row that they refuse is out and the next is asked; what must be taken comes first,
    as if it were its turn, and rows shown before load their supporters likewise without taking a seat. Rows
    that nobody approves come last. Loads within 1e-10 are tied, and ties go to the lowest position.
Cost: O(approvals) a step.
Memory: 16 n bytes, 8 a voter, beside the ballots.
Guarantee: PJR under a size alone (Brill et al.); none under other limits, where `pjr` checks a choice.
Use it when: seats should spread over the voters in order, so that every prefix is a fair shorter committee.
Not when: groups of voters with much in common must get all they are due (EqualShares satisfies EJR).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortlist.core import ballots
from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.ballots import Approvals
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.fill import told
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels
from shortlist.core.steps import now_open, sizes_only
from shortlist.kernels.ballots import phragmen_next, phragmen_run
from shortlist.kernels.jit import have_numba

#: Loads that differ by less than this share are tied.
SLACK = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Phragmen:
    """Seats in order of load; the objective, if there is one, only says what each gained.

    Args:
        of: Scores signals, one ranking a voter; they need `top`.
        by: a Tags or Labels signal, each group a voter; or a Vectors signal, each column a ranking.
        top: what of a ranking is approved: a share of the rows below 1, else a number of rows; rows tied with
            the last are approved too.
        weights: one a voter, () is 1 each.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    top: float = 0.0
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        ballots.check("Phragmen", self.of, self.by, self.weights, self.top)

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool.

        Raises:
            ContractError: a signal is missing or of another kind.
        """
        found = ballots.approved(pool, self.of, self.by, self.weights, self.top)
        return told(built, limits, pool, seats(found, limits))


def seats(found: Approvals, limits: Limits) -> I64:
    """Positions taken, in order."""
    load, free = np.zeros(len(found.weight)), np.ones(len(found), bool)
    for at in limits.shown.tolist():
        bear(found, load, at)
        free[at] = False
    held, taken = limits.start(), []
    for at in limits.must.tolist():
        held = limits.add(held, at)
        bear(found, load, at)
        free[at] = False
        taken.append(at)
    return fill_seats(found, limits, load, free, held, taken)


def fill_seats(found: Approvals, limits: Limits, load: F64, free: Bool, held: Any, taken: list[int]) -> I64:
    """The rest of the seats from these loads f64[m] on, among the rows of free bool[n]; both are changed."""
    share = np.empty(len(found))
    if have_numba() and sizes_only(limits):  # nobody will be refused
        rows = np.empty(max(limits.k - len(taken), 0), np.int64)
        ballots_of = (found.indptr, found.voters, found.weight)
        count = phragmen_run(*ballots_of, load, free, share, SLACK, rows)
        return np.concatenate([np.array(taken, np.int64), rows[:count]])
    step = phragmen_next if have_numba() else phragmen_next_plain
    while len(taken) < limits.k:
        now = now_open(limits, held, free)
        at = int(step(found.indptr, found.voters, found.weight, load, now, share, SLACK))
        if at < 0:
            break
        free[at] = False
        if not limits.allows(held, np.array([at]))[0]:
            continue
        held = limits.add(held, at)
        load[found.at(at)] = share[at]
        taken.append(at)
    return np.array(taken, np.int64)


def bear(found: Approvals, load: F64, at: int) -> None:
    """A seat out of turn: its load is put on its supporters as if it were its turn."""
    who = found.at(at)
    if len(who):
        weight = found.weight[who]
        load[who] = (1.0 + (weight * load[who]).sum()) / weight.sum()


def phragmen_next_plain(
    indptr: I64, voters: np.ndarray, weight: F64, load: F64, free: Bool, share: F64, slack: float
) -> int:
    """`kernels.ballots.phragmen_next` without Numba, to the bit."""
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    top = np.bincount(row, (weight * load)[voters], len(share))
    bottom = np.bincount(row, weight[voters], len(share))
    share[:] = np.inf
    asked = free & (np.diff(indptr) > 0)
    share[asked] = (top[asked] + 1.0) / bottom[asked]
    least = float(share.min(initial=np.inf))
    fit = np.flatnonzero(free & (share <= least + slack * max(abs(least), 1.0)))
    return int(fit[0]) if len(fit) else -1


def exact(found: Approvals, k: int) -> I64:
    """The rule by its definition: k rows, no limits, ties by position, in plain sums."""
    approves, load, taken = found.dense(), np.zeros(len(found.weight)), list[int]()
    while len(taken) < min(k, len(found)):
        share = np.full(len(found), np.inf)
        for row in range(len(found)):
            who = np.flatnonzero(approves[row])
            if row not in taken and len(who):
                share[row] = (1 + (found.weight[who] * load[who]).sum()) / found.weight[who].sum()
        left = [r for r in range(len(found)) if r not in taken]
        at = next(r for r in left if share[r] <= share[left].min() + SLACK * max(1.0, share[left].min()))
        load[approves[at]] = share[at]
        taken.append(at)
    return np.array(taken, np.int64)


EXAMPLES = (
    Phragmen(by="tags"),
    Phragmen(("score", "quality"), top=0.3, weights=(2.0, 0.7)),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: seats given as D'Hondt's method gives them, as a share, for m elections of 4 parties."""
    same = np.empty(20 * scale)
    for i in range(len(same)):
        votes = rng.integers(1, 60, 4)
        party = Labels(np.repeat(np.arange(4, dtype=np.int32), 12), tuple("abcd"))
        pool = Pool.of({"p": party})
        rows = Phragmen(by="p", weights=tuple(votes.tolist()))(None, bind(pool, (), 12), pool).rows
        quotients = votes[party.codes] / np.tile(np.arange(1, 13), 4)
        due = party.codes[np.argsort(-quotients, kind="stable")[:12]]
        same[i] = np.minimum(*(np.bincount(c, minlength=4) for c in (party.codes[rows], due))).sum() / 12
    return same


CLAIM = Claim(
    paper="Brill, Freeman, Janson & Lackner 2024",
    says="where voters approve the rows of one party each, seats go as by D'Hondt's method",
    we_show="it does, to the seat, in elections of 4 parties and 12 seats",
    not_shown="PJR beyond such elections",
    measure=claim,
    margin=1.0,
)
