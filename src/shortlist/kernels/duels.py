"""Duels by item: who met whom how often, and the sweeps over it that rankings are solved with.

A record of duels is CSR by item: entry e of item i says that it met `other[e]` with weight `met[e]` and got
`won[e]` of it. Every pair stands twice, once in the row of each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]


@kernel
def by_item(pairs: I64, wins: F64, weights: F64, indptr: I64, other: I32, won: F64, met: F64) -> None:
    """Both sides of every duel, in order within an item. pairs i64[m, 2]; wins, weights f64[m].

    indptr i64[n+2] comes as zeros and leaves as n+1 ends (and one spare); other i32[2m], won, met f64[2m].
    """
    for e in range(len(pairs)):
        indptr[pairs[e, 0] + 2] += 1
        indptr[pairs[e, 1] + 2] += 1
    for i in range(2, len(indptr)):
        indptr[i] += indptr[i - 1]
    for e in range(len(pairs)):
        i, j = pairs[e, 0], pairs[e, 1]
        a = indptr[i + 1]
        indptr[i + 1] = a + 1
        b = indptr[j + 1]
        indptr[j + 1] = b + 1
        other[a] = j
        other[b] = i
        met[a] = weights[e]
        met[b] = weights[e]
        won[a] = weights[e] * wins[e]
        won[b] = weights[e] * (1.0 - wins[e])


@kernel
def merge(indptr: I64, other: I32, won: F64, met: F64, slot: I64, out: I64) -> None:
    """Entries of one item against one other become one, in place, in order of first meeting.

    slot i64[n] comes as -1; out i64[n+1] gets the new ends. Entries that weigh nothing are left out.
    """
    z = 0
    out[0] = 0
    for i in range(len(out) - 1):
        start = z
        for e in range(indptr[i], indptr[i + 1]):
            if met[e] == 0.0:
                continue
            j = other[e]
            if slot[j] < start:
                slot[j] = z
                other[z] = j
                won[z] = won[e]
                met[z] = met[e]
                z += 1
            else:
                won[slot[j]] += won[e]
                met[slot[j]] += met[e]
        out[i + 1] = z


@kernel
def reach(indptr: I64, other: I32, weight: F64, start: int, seen: npt.NDArray[np.bool_], stack: I64) -> None:
    """Mark in seen bool[n] every item that a path of entries with weight > 0 leads to; stack i64[n]."""
    seen[start] = True
    stack[0] = start
    top = 1
    left = len(seen) - 1
    while top > 0 and left > 0:
        top -= 1
        i = stack[top]
        for e in range(indptr[i], indptr[i + 1]):
            j = other[e]
            if weight[e] > 0.0 and not seen[j]:
                seen[j] = True
                stack[top] = j
                top += 1
                left -= 1


@kernel
def row_sums(indptr: I64, entries: F64, out: F64) -> None:
    """out f64[n]: entries f64[z] added up by row of indptr i64[n+1]."""
    for i in range(len(out)):
        total = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            total += entries[e]
        out[i] = total


@kernel
def newman_sweeps(
    indptr: I64, other: I32, won: F64, met: F64, prior: float, tol: float, limit: int, pi: F64
) -> int:
    """Newman's update of pi f64[n] > 0 in cyclic order until no log moves by `tol`; sweeps taken, or -1
    where they do not come to rest or leave the range of floats.

    pi_i = (sum_j w_ij pi_j / (pi_i + pi_j) + prior / (pi_i + 1)) / (sum_j (w_ji + prior...) / (pi_i + pi_j)).
    After each sweep pi is scaled: to a geometric mean of 1 where there is no prior, else towards the level
    that the prior asks for, which sweeps alone find slowly (the most likely pi is the same).
    """
    n = len(pi)
    for sweep in range(limit):
        most = 0.0
        for i in range(n):
            above = prior / (pi[i] + 1.0)
            below = above
            for e in range(indptr[i], indptr[i + 1]):
                share = 1.0 / (pi[i] + pi[other[e]])
                above += won[e] * pi[other[e]] * share
                below += (met[e] - won[e]) * share
            new = above / below
            if not 0.0 < new < 1e300:
                return -1
            moved = abs(np.log(new / pi[i]))
            most = max(most, moved)
            pi[i] = new
        if prior == 0.0:
            mean = 0.0
            for i in range(n):
                mean += np.log(pi[i])
            scale = np.exp(-mean / max(n, 1))
            for i in range(n):
                pi[i] *= scale
        else:
            rise = 0.0
            bend = 0.0
            for i in range(n):
                p = pi[i] / (pi[i] + 1.0)
                rise += 1.0 - 2.0 * p
                bend += 2.0 * p * (1.0 - p)
            most = max(most, abs(rise / bend))
            scale = np.exp(min(max(rise / bend, -1.0), 1.0))
            for i in range(n):
                pi[i] *= scale
        if most < tol:
            return sweep + 1
    return -1


@kernel
def slope(
    indptr: I64, other: I32, won: F64, met: F64, prior: float, pi: F64,
    gradient: F64, curve: F64, diagonal: F64,
) -> None:  # fmt: skip
    """Gradient f64[n] of the log likelihood in theta = log pi, its curvature an entry, and the sum of those.

    curve f64[z]: met p (1 - p); diagonal f64[n]: row sums with the prior's part.
    """
    for i in range(len(pi)):
        p = pi[i] / (pi[i] + 1.0)
        g = prior * (1.0 - 2.0 * p)
        d = 2.0 * prior * p * (1.0 - p)
        for e in range(indptr[i], indptr[i + 1]):
            p = pi[i] / (pi[i] + pi[other[e]])
            g += won[e] - met[e] * p
            c = met[e] * p * (1.0 - p)
            curve[e] = c
            d += c
        gradient[i] = g
        diagonal[i] = d


@kernel
def laplacian_four(indptr: I64, other: I32, curve: F64, diagonal: F64, v: F64, out: F64) -> None:
    """out = D v - A v for four columns v f64[n, 4]; A holds the entries `curve`; out f64[n, 4]."""
    for i in range(len(diagonal)):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for e in range(indptr[i], indptr[i + 1]):
            j, w = other[e], curve[e]
            a += w * v[j, 0]
            b += w * v[j, 1]
            c += w * v[j, 2]
            d += w * v[j, 3]
        out[i, 0] = diagonal[i] * v[i, 0] - a
        out[i, 1] = diagonal[i] * v[i, 1] - b
        out[i, 2] = diagonal[i] * v[i, 2] - c
        out[i, 3] = diagonal[i] * v[i, 3] - d


@kernel
def laplacian_one(indptr: I64, other: I32, curve: F64, diagonal: F64, v: F64, out: F64) -> None:
    """out = D v - A v for one column v f64[n]; out f64[n]."""
    for i in range(len(diagonal)):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0  # four sums: one alone waits for its own last addition
        end = indptr[i + 1]
        e = indptr[i]
        while e + 4 <= end:
            a += curve[e] * v[other[e]]
            b += curve[e + 1] * v[other[e + 1]]
            c += curve[e + 2] * v[other[e + 2]]
            d += curve[e + 3] * v[other[e + 3]]
            e += 4
        while e < end:
            a += curve[e] * v[other[e]]
            e += 1
        out[i] = diagonal[i] * v[i] - ((a + b) + (c + d))


@kernel
def elo_run(pairs: I64, wins: F64, weights: F64, order: I64, k: float, scale: float, rating: F64) -> None:
    """Elo's update of rating f64[n] duel by duel, in the order i64[m]."""
    for t in range(len(order)):
        e = order[t]
        i, j = pairs[e, 0], pairs[e, 1]
        expected = 1.0 / (1.0 + 10.0 ** ((rating[j] - rating[i]) / scale))
        step = k * weights[e] * (wins[e] - expected)
        rating[i] += step
        rating[j] -= step


@kernel
def balance_sweeps(indptr: I64, other: I32, to: F64, away: F64, tol: float, limit: int, pi: F64) -> int:
    """Gauss-Seidel for a stationary distribution: pi_i = sum_j pi_j to_e / sum_j away_e; sweeps, or -1.

    Entry e of item i: `to` is the rate from the other to i, `away` that from i to the other.
    """
    n = len(pi)
    for sweep in range(limit):
        most = 0.0
        for i in range(n):
            come = 0.0
            go = 0.0
            for e in range(indptr[i], indptr[i + 1]):
                come += pi[other[e]] * to[e]
                go += away[e]
            new = come / go
            if not 0.0 < new < 1e300:
                return -1
            most = max(most, abs(np.log(new / pi[i])))
            pi[i] = new
        total = 0.0
        for i in range(n):
            total += pi[i]
        for i in range(n):
            pi[i] /= total
        if most < tol:
            return sweep + 1
    return -1
