"""Equal Shares: all voters have equal budgets; the row that costs each supporter least is bought next.

    a seat costs 1, voter v has k w_v / W; the price of a row is the least q with
    sum over supporters of min(budget_v, q w_v) = 1; buy the row of least q

Source: Peters & Skowron 2020, "Proportionality and the Limits of Welfarism", arXiv:1911.11747 (Rule X).
Deviates: seats that nobody can pay for go by Phragmen's sequential rule, started from loads of minus what is
    left (the completion of the authors, and of abcvoting). Any limits: the row that they refuse is out and
    the next is asked; what must be taken, and rows shown before, are paid for first, as far as their
    supporters can; shown rows bring a budget of 1 each with them. Prices within 1e-10 are tied, and ties go
    to the lowest position.
Cost: O(approvals) a step at worst; a row is priced again only where its last price might be the least.
Memory: 24 n bytes, 16 a voter, beside the ballots.
Guarantee: EJR (and EJR+) under a size alone (Peters & Skowron, theorem); none under other limits, where
    `ejr_plus` checks a choice.
Use it when: every group of voters with enough in common should get all the rows its size is due.
Not when: voters are few against k: budgets are then large and most rows are bought by one voter alone.
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
from shortlist.core.signals import Labels
from shortlist.core.steps import now_open, sizes_only
from shortlist.kernels.ballots import equal_shares_next, equal_shares_price, equal_shares_run
from shortlist.methods.solve.phragmen import SLACK, fill_seats


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualShares:
    """Rule X; the objective, if there is one, only says what each seat gained.

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
        ballots.check("EqualShares", self.of, self.by, self.weights, self.top)

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows of the pool.

        Raises:
            ContractError: a signal is missing or of another kind.
        """
        found = ballots.approved(pool, self.of, self.by, self.weights, self.top)
        return told(built, limits, pool, seats(found, limits)[0])


def seats(found: Approvals, limits: Limits) -> tuple[I64, int]:
    """Positions taken, in order, and how many of them were paid for."""
    free, price = np.ones(len(found), bool), np.zeros(len(found))
    budget = found.weight * ((limits.k + len(limits.shown)) / found.total)
    held, taken = limits.start(), list[int]()
    for at in (*limits.shown.tolist(), *limits.must.tolist()):
        who = found.at(at)
        pay(found, budget, at, float(equal_shares_price(who, found.weight, budget, np.inf, SLACK)))
        free[at] = False
    for at in limits.must.tolist():
        held = limits.add(held, at)
        taken.append(at)
    unrefused = sizes_only(limits)  # nobody will be refused
    if unrefused:
        rows = np.empty(limits.k, np.int64)
        ballots_of = (found.indptr, found.voters, found.weight)
        taken = rows[: equal_shares_run(*ballots_of, budget, free, price, SLACK, rows)].tolist()
    while len(taken) < limits.k and not unrefused:
        now = now_open(limits, held, free)
        at = int(equal_shares_next(found.indptr, found.voters, found.weight, budget, now, price, SLACK))
        if at < 0:
            break
        free[at] = False
        if limits.allows(held, np.array([at]))[0]:
            held = limits.add(held, at)
            pay(found, budget, at, price[at])
            taken.append(at)
    paid = len(taken)
    load = np.divide(-budget, found.weight, out=np.zeros(len(budget)), where=found.weight > 0)
    return fill_seats(found, limits, load, free, held, taken), paid


def pay(found: Approvals, budget: F64, at: int, price: float) -> None:
    """Take q = price a unit of weight, or all there is, from the budgets f64[m] of a row's supporters."""
    who = found.at(at)
    left = budget[who] - price * found.weight[who]
    # what is left but for rounding is nothing left
    budget[who] = np.where(left > SLACK * found.weight[who], left, 0.0)


def exact(found: Approvals, k: int) -> tuple[list[int], F64]:
    """Rows that are paid for, and the budgets left, by the definition: prices by sorting supporters."""
    approves, w, taken = found.dense(), found.weight, list[int]()
    budget = w * (k / found.total)
    while len(taken) < k:
        price = np.full(len(found), np.inf)
        for row in set(range(len(found))) - set(taken):
            who = np.flatnonzero(approves[row])
            who = who[np.argsort(budget[who] / w[who], kind="stable")]
            for i in range(len(who) if budget[who].sum() >= 1 - SLACK else 0):
                q = (1 - budget[who[:i]].sum()) / w[who[i:]].sum()
                if q * w[who[i]] <= budget[who[i]] + SLACK or i + 1 == len(who):  # i poorer ones pay all
                    price[row] = q
                    break
        if not np.isfinite(price).any():
            break
        taken.append(int(np.flatnonzero(price <= price.min() * (1 + SLACK))[0]))
        budget = np.where(approves[taken[-1]], np.maximum(budget - price[taken[-1]] * w, 0), budget)
    return taken, budget


EXAMPLES = (
    EqualShares(by="tags"),
    EqualShares(("score", "quality"), top=0.3, weights=(2.0, 0.7)),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: seats of the parties, at most the whole quotas each is due, over those, for m elections."""
    given = np.empty(20 * scale)
    for i in range(len(given)):
        votes = rng.integers(1, 60, 4)
        party = Labels(np.repeat(np.arange(4, dtype=np.int32), 12), tuple("abcd"))
        pool = Pool.of({"p": party})
        rows = EqualShares(by="p", weights=tuple(votes.tolist()))(None, bind(pool, (), 12), pool).rows
        due = votes * 12 // votes.sum()
        given[i] = np.minimum(np.bincount(party.codes[rows], minlength=4), due).sum() / max(due.sum(), 1)
    return given


CLAIM = Claim(
    paper="Peters & Skowron 2020",
    says="a group of voters that agree gets as many rows as its share of the seats, rounded down (EJR)",
    we_show="every party does, in elections of 4 parties and 12 seats",
    not_shown="groups that agree in part: `ejr_plus` is tested on such profiles apart",
    measure=claim,
    margin=1.0,
)
