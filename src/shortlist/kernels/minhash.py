"""Near-duplicate sets: shingles of tokens, MinHash band keys, and a greedy join that verifies every pair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel
from shortlist.kernels.text import FNV_PRIME, FNV_START, mix

HIGHEST = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def shingle(
    indptr: npt.NDArray[np.int64],
    tokens: npt.NDArray[np.uint64],
    size: int,
    out: npt.NDArray[np.int64],
    shingles: npt.NDArray[np.uint64],
) -> None:
    """Hashes of every `size` tokens running, or of all of a row that has fewer; none of an empty row.

    indptr i64[n+1], tokens u64[m]; out i64[n+1] and shingles u64[>= m] are filled.
    """
    z = 0
    out[0] = 0
    for i in range(len(indptr) - 1):
        a, b = indptr[i], indptr[i + 1]
        wide = min(size, b - a)
        for t in range(a, b - wide + 1 if wide > 0 else a):
            h = FNV_START
            for u in range(t, t + wide):
                h = mix((h ^ tokens[u]) * FNV_PRIME)
            shingles[z] = h
            z += 1
        out[i + 1] = z


@kernel
def sort_rows(
    indptr: npt.NDArray[np.int64], values: npt.NDArray[np.uint64], out: npt.NDArray[np.int64]
) -> None:
    """Each row's distinct values in increasing order, moved to the front of `values`; out i64[n+1]."""
    z = 0
    out[0] = 0
    for i in range(len(indptr) - 1):
        a, b = indptr[i], indptr[i + 1]
        gap = 1
        while gap < (b - a) // 3:
            gap = 3 * gap + 1
        while gap > 0:  # Shell's sort with Knuth's gaps: short to compile, quick on rows of hundreds
            for t in range(a + gap, b):
                x = values[t]
                u = t
                while u - gap >= a and values[u - gap] > x:
                    values[u] = values[u - gap]
                    u -= gap
                values[u] = x
            gap //= 3
        start = z
        for t in range(a, b):
            if z == start or values[t] != values[z - 1]:
                values[z] = values[t]
                z += 1
        out[i + 1] = z


@kernel
def band_keys(
    indptr: npt.NDArray[np.int64],
    shingles: npt.NDArray[np.uint64],
    factors: npt.NDArray[np.uint64],
    lowest: npt.NDArray[np.uint64],
    keys: npt.NDArray[np.uint64],
) -> None:
    """MinHash in bands: key b of a row hashes min_x(factors[f] * x mod 2^64) over the f of band b.

    factors u64[bands * r], odd, band after band; lowest u64[bands * r] is scratch; keys u64[n, bands].
    """
    bands = keys.shape[1]
    r = len(factors) // bands
    for i in range(len(indptr) - 1):
        lowest[:] = HIGHEST
        for t in range(indptr[i], indptr[i + 1]):
            x = shingles[t]
            for f in range(len(factors)):
                lowest[f] = min(lowest[f], x * factors[f])
        for b in range(bands):
            h = FNV_START
            for f in range(b * r, b * r + r):
                h = mix((h ^ lowest[f]) * FNV_PRIME)
            keys[i, b] = h


@kernel
def jaccard(sets: npt.NDArray[np.uint64], a: int, a_end: int, b: int, b_end: int, least: float) -> float:
    """|A n B| / |A u B| of two increasing runs of `sets`, or 0 as soon as it cannot reach `least`."""
    both = (a_end - a) + (b_end - b)
    need = least / (1.0 + least) * both - 1e-6 * both
    common = 0
    while a < a_end and b < b_end:
        if common + min(a_end - a, b_end - b) < need:
            return 0.0
        x, y = sets[a], sets[b]
        if x == y:
            common += 1
        if x <= y:
            a += 1
        if y <= x:
            b += 1
    return common / (both - common) if both > 0 else 0.0


@kernel
def join_sets(
    indptr: npt.NDArray[np.int64],
    sets: npt.NDArray[np.uint64],
    buckets: npt.NDArray[np.int32],
    least: float,
    head: npt.NDArray[np.int32],
    after: npt.NDArray[np.int32],
    seen: npt.NDArray[np.int32],
    of: npt.NDArray[np.int64],
    similarity: npt.NDArray[np.float64],
) -> None:
    """In order of rows: drop a row for its most similar kept row if that is at least `least`, else keep it.

    Rows meet only if they share a bucket. indptr i64[s+1] into sets u64 (increasing in a row); buckets
    i32[s, bands], -1 where a row is alone; head i32[number of buckets], after i32[s, bands] and seen i32[s]
    come as -1; of i64[s] (-1: kept) and similarity f64[s] are filled. Ties go to the earlier row. Equal sets
    share every bucket, so a row found equal to a kept one looks no further; bands share no bucket.
    """
    bands = buckets.shape[1]
    for i in range(len(indptr) - 1):
        best, most = -1, 0.0
        for b in range(bands):
            j = head[buckets[i, b]] if buckets[i, b] >= 0 and most < 1.0 else -1
            while j >= 0:
                if seen[j] != i:
                    seen[j] = i
                    s = jaccard(sets, indptr[i], indptr[i + 1], indptr[j], indptr[j + 1], max(least, most))
                    if s >= least and (s > most or (s == most and j < best)):
                        best, most = j, s
                j = after[j, b]
        of[i], similarity[i] = best, most
        if best < 0:
            for b in range(bands):
                g = buckets[i, b]
                if g >= 0:
                    after[i, b] = head[g]
                    head[g] = i
