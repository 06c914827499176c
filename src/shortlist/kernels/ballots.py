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


@kernel
def approval_run(
    indptr: npt.NDArray[np.int64],
    voters: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    step: npt.NDArray[np.float64],
    has: npt.NDArray[np.int64],
    worth: npt.NDArray[np.float64],
    scale: tuple[float, float],
    bound: npt.NDArray[np.float64],
    taken: npt.NDArray[np.int64],
    gain: npt.NDArray[np.float64],
) -> None:
    """Greedy for len(taken) // 2 steps: taken[2 i] is the pick, taken[2 i + 1] who was second; gain alike.

    A gain is rint(sum of worth * scale[0]) / scale[1]; ties go to the lowest row. step[c]: what the next row
    is worth to a voter who has c; has i64[m] and worth f64[m] are changed. bound f64[n]: above every gain
    to come, -inf where a row is out; it is lowered. There are rows for every step; -1 is nobody.
    """
    n = len(indptr) - 1
    for i in range(0, len(taken), 2):
        first, second, best, next_best = -1, -1, -np.inf, -np.inf
        for r in range(n):
            # a later row of the same gain is behind, so bounds that only reach the second are enough
            if bound[r] <= next_best:
                continue
            total = 0.0
            for e in range(indptr[r], indptr[r + 1]):
                total += worth[voters[e]]
            g = np.rint(total * scale[0]) / scale[1]
            bound[r] = g
            if g > best:
                first, second, best, next_best = r, first, g, best
            elif g > next_best:
                second, next_best = r, g
        taken[i], taken[i + 1], gain[i], gain[i + 1] = first, second, best, next_best
        bound[first] = -np.inf
        for e in range(indptr[first], indptr[first + 1]):
            v = voters[e]
            has[v] += 1
            worth[v] = weight[v] * step[has[v]]


@kernel
def rank_run(
    place: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    best_place: npt.NDArray[np.int32],
    scale: tuple[float, float],
    bound: npt.NDArray[np.float64],
    taken: npt.NDArray[np.int64],
    gain: npt.NDArray[np.float64],
) -> None:
    """As `approval_run`, with the gains of `rank_gains`; best_place i32[m] is changed."""
    n, m = place.shape
    for i in range(0, len(taken), 2):
        first, second, best, next_best = -1, -1, -np.inf, -np.inf
        for r in range(n):
            if bound[r] <= next_best:
                continue
            total = 0.0
            for v in range(m):
                d = best_place[v] - place[r, v]
                if d > 0:
                    total += weight[v] * d
            g = np.rint(total * scale[0]) / scale[1]
            bound[r] = g
            if g > best:
                first, second, best, next_best = r, first, g, best
            elif g > next_best:
                second, next_best = r, g
        taken[i], taken[i + 1], gain[i], gain[i + 1] = first, second, best, next_best
        bound[first] = -np.inf
        for v in range(m):
            best_place[v] = min(best_place[v], place[first, v])


@kernel
def phragmen_run(
    indptr: npt.NDArray[np.int64],
    voters: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    load: npt.NDArray[np.float64],
    free: npt.NDArray[np.bool_],
    share: npt.NDArray[np.float64],
    slack: float,
    taken: npt.NDArray[np.int64],
) -> int:
    """Seats by `phragmen_next` until taken is full or no row is left: how many; load and free are changed."""
    for i in range(len(taken)):
        r = phragmen_next(indptr, voters, weight, load, free, share, slack)
        if r < 0:
            return i
        taken[i], free[r] = r, False
        for e in range(indptr[r], indptr[r + 1]):
            load[voters[e]] = share[r]
    return len(taken)


@kernel
def equal_shares_run(
    indptr: npt.NDArray[np.int64],
    voters: npt.NDArray[np.int32],
    weight: npt.NDArray[np.float64],
    budget: npt.NDArray[np.float64],
    free: npt.NDArray[np.bool_],
    price: npt.NDArray[np.float64],
    slack: float,
    taken: npt.NDArray[np.int64],
) -> int:
    """Seats by `equal_shares_next` until taken is full or nothing can be paid for: how many.

    budget and free are changed; what is left but for rounding (slack a unit of weight) is nothing left.
    """
    for i in range(len(taken)):
        r = equal_shares_next(indptr, voters, weight, budget, free, price, slack)
        if r < 0:
            return i
        taken[i], free[r] = r, False
        for e in range(indptr[r], indptr[r + 1]):
            v = voters[e]
            left = budget[v] - price[r] * weight[v]
            budget[v] = left if left > slack * weight[v] else 0.0
    return len(taken)
