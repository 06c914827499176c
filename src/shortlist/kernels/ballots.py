"""Ballots: gains of approval and ranking committees, and the next seat of rules that share out a budget."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel


@kernel
def approval_gains(
    indptr: npt.NDArray[np.int64],
    voters: npt.NDArray[np.int32],
    worth: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum of worth over the voters of row at[i], in their order.

    CSR indptr i64[n+1], voters i32[z] in [0, m); worth f64[m]; at i64[b]; out f64[b].
    """
    for i in range(len(at)):
        total = 0.0
        for e in range(indptr[at[i]], indptr[at[i] + 1]):
            total += worth[voters[e]]
        out[i] = total


@kernel
def rank_gains(
    place: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    best: npt.NDArray[np.int32],
    at: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """out[i] = sum over voters v of weight[v] * max(best[v] - place[at[i], v], 0), in their order.

    place i32[n, m]; weight f64[m]; best i32[m]; at i64[b]; out f64[b].
    """
    for i in range(len(at)):
        r = at[i]
        total = 0.0
        for v in range(len(best)):
            d = best[v] - place[r, v]
            if d > 0:
                total += weight[v] * d
        out[i] = total


@kernel
def phragmen_next(
    indptr: npt.NDArray[np.int64],
    voters: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    load: npt.NDArray[np.float64],
    free: npt.NDArray[np.bool_],
    share: npt.NDArray[np.float64],
    slack: float,
) -> int:
    """The lowest free row whose supporters end with the least load, within slack of it; -1 if none is left.

    share f64[n] is filled with that load where a row is free and has supporters; load f64[m] may be negative.
    """
    n = len(indptr) - 1
    least = np.inf
    for r in range(n):
        share[r] = np.inf
        if free[r] and indptr[r] < indptr[r + 1]:
            top, bottom = 0.0, 0.0
            for e in range(indptr[r], indptr[r + 1]):
                w = weight[voters[e]]
                top += w * load[voters[e]]
                bottom += w
            share[r] = (top + 1.0) / bottom
            least = min(least, share[r])
    reach = least + slack * max(abs(least), 1.0)
    for r in range(n):
        if free[r] and share[r] <= reach:
            return r
    return -1


@kernel
def equal_shares_price(
    voters: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    budget: npt.NDArray[np.float64],
    most: float,
    slack: float,
) -> float:
    """The least q with sum over voters i32[s] of min(budget, q * weight) = 1, inf if budgets do not reach 1.

    It may stop early with some number above `most` where q is above it.
    """
    have = 0.0
    for e in range(len(voters)):
        have += budget[voters[e]]
    if have < 1.0 - slack:
        return np.inf
    q = -1.0
    while True:
        # whoever cannot pay q is poor and pays all there is: then q rises for the others, and so on
        paid, rich = 0.0, 0.0
        for e in range(len(voters)):
            v = voters[e]
            if budget[v] < q * weight[v] * (1.0 - slack):
                paid += budget[v]
            else:
                rich += weight[v]
        if rich == 0.0:
            return q
        above = (1.0 - paid) / rich
        if above <= q or above > most:
            return max(above, q)
        q = above


@kernel
def equal_shares_next(
    indptr: npt.NDArray[np.int64],
    voters: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    budget: npt.NDArray[np.float64],
    free: npt.NDArray[np.bool_],
    price: npt.NDArray[np.float64],
    slack: float,
) -> int:
    """The lowest free row of the least price, within slack of it; -1 if none can be paid for.

    price f64[n]: from below what each row cost when last asked (prices never fall; inf cannot be paid any
    more); it is brought up to date for every row that might be the cheapest.
    """
    n = len(indptr) - 1
    least = np.inf
    for r in range(n):
        if free[r] and price[r] <= least * (1.0 + slack):
            now = equal_shares_price(
                voters[indptr[r] : indptr[r + 1]], weight, budget, least * (1.0 + 2.0 * slack), slack
            )
            price[r] = max(price[r], now)
            least = min(least, price[r])
    reach = least * (1.0 + slack)
    for r in range(n):
        if free[r] and price[r] <= reach and least < np.inf:
            return r
    return -1
