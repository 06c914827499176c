"""Greedy Monroe: every seat speaks for its own share of the voters, and takes them off the roll.

    for each of k seats: the row that most voters still on the roll approve, then n / k of those voters leave

Source: Skowron, Faliszewski & Slinko 2015, "Achieving fully proportional representation: approximability
results", doi:10.1016/j.artint.2015.01.003 (Algorithm A); for approvals: Lackner & Skowron 2023,
doi:10.1007/978-3-031-09016-5, ch. 2.
Deviates: voters leave in their order (the first who approve); seats stand for one voter more until the rest
    of n / k is used up. Any limits: the row that they refuse is out and the next is asked; what must be taken
    comes first, and rows shown before are seats like others that are given already. Ties go to the lowest
    position, as do seats that nobody left on the roll cares for.
Cost: O(approvals) a step.
Memory: 16 n bytes, 9 a voter, beside the ballots.
Guarantee: PJR under a size alone where k divides the number of voters (Sanchez-Fernandez et al. 2017,
    "Proportional Justified Representation"); none otherwise, where `pjr` checks a choice.
Use it when: each seat should have a constituency of its own, equal for all.
Not when: voters have weights (it refuses them), or voters should count on after their first seat
    (Phragmen, EqualShares).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core import ballots
from shortlist.core.arrays import F64, I64
from shortlist.core.ballots import Approvals
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.fill import told
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Tags
from shortlist.core.steps import now_open, sizes_only
from shortlist.kernels.ballots import approval_gains


@dataclass(frozen=True, slots=True, kw_only=True)
class GreedyMonroe:
    """Seats with constituencies; the objective, if there is one, only says what each gained.

    Args:
        of: Scores signals, one ranking a voter; they need `top`.
        by: a Tags or Labels signal, each group a voter; or a Vectors signal, each column a ranking.
        top: what of a ranking is approved: a share of the rows below 1, else a number of rows; rows tied with
            the last are approved too.
    """

    of: tuple[str, ...] = field(default=(), kw_only=False)
    by: str = ""
    top: float = 0.0

    def __post_init__(self) -> None:
        ballots.check("GreedyMonroe", self.of, self.by, (), self.top)

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool.

        Raises:
            ContractError: a signal is missing or of another kind.
        """
        return told(
            built, limits, pool, seats(ballots.approved(pool, self.of, self.by, (), self.top), limits)
        )


def seats(found: Approvals, limits: Limits) -> I64:
    """Positions taken, in order. Voters count as 1 each; those of weight 0 are not there."""
    roll = (found.weight > 0).astype(np.float64)
    whole, more = divmod(int(roll.sum()), max(limits.k + len(limits.shown), 1))
    free, everyone = np.ones(len(found), bool), np.arange(len(found))
    held, taken, count = limits.start(), list[int](), np.empty(len(found))
    given = 0
    for at in (*limits.shown.tolist(), *limits.must.tolist()):
        leave(found, roll, at, whole + (given < more))
        free[at], given = False, given + 1
    for at in limits.must.tolist():
        held = limits.add(held, at)
        taken.append(at)
    approval_gains(found.indptr, found.voters, roll, everyone, count)
    unrefused = sizes_only(limits)
    while len(taken) < limits.k:
        now = now_open(limits, held, free)
        if not now.any():
            break
        at = int(np.argmax(np.where(now, count, -1.0)))
        free[at] = False
        if not unrefused:
            if not limits.allows(held, np.array([at]))[0]:
                continue
            held = limits.add(held, at)
        taken.append(at)
        leave(found, roll, at, whole + (given < more))
        given += 1
        approval_gains(found.indptr, found.voters, roll, everyone, count)
    return np.array(taken, np.int64)


def leave(found: Approvals, roll: F64, at: int, many: int) -> None:
    """The first `many` voters on the roll f64[m] who approve this row leave it."""
    who = found.at(at)
    roll[who[roll[who] > 0][:many]] = 0.0


def exact(found: Approvals, k: int) -> list[int]:
    """The rule by its definition: k rows, no limits, ties by position."""
    approves, taken = found.dense(), list[int]()
    roll = np.flatnonzero(found.weight > 0).tolist()
    whole, more = divmod(len(roll), max(k, 1))
    while len(taken) < min(k, len(found)):
        left = [r for r in range(len(found)) if r not in taken]
        taken.append(max(left, key=lambda r: (sum(approves[r, v] for v in roll), -r)))
        going = [v for v in roll if approves[taken[-1], v]][: whole + (len(taken) <= more)]
        roll = [v for v in roll if v not in going]
    return taken


EXAMPLES = (GreedyMonroe(by="tags"), GreedyMonroe(("score", "quality"), top=0.3))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: seats of the parties as a share of those they are due, for m elections of 12 seats."""
    given = np.empty(20 * scale)
    for i in range(len(given)):
        due = rng.multinomial(12, np.ones(4) / 4)
        voters = [f"{party}-{v}" for party in range(4) for v in range(3 * due[party])]
        rows = [[v for v in voters if v.startswith(f"{party}-")] for party in range(4) for _ in range(12)]
        pool = Pool.of({"t": Tags.of(rows)})
        chosen = GreedyMonroe(by="t")(None, bind(pool, (), 12), pool).rows // 12
        given[i] = np.minimum(np.bincount(chosen, minlength=4), due).sum() / 12
    return given


CLAIM = Claim(
    paper="Sanchez-Fernandez et al. 2017",
    says="greedy Monroe represents groups in proportion (PJR) where seats divide the voters",
    we_show="parties of whole quotas get just the seats they are due, 12 in all",
    not_shown="groups that agree in part: `pjr` is tested on such profiles apart",
    measure=claim,
    margin=1.0,
)
