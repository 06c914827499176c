"""SimHash: a 64-bit code of a text in which like texts differ in few bits, and the greedy join of codes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel

ONE, TWO, FOUR = np.uint64(1), np.uint64(2), np.uint64(4)
PAIRS, QUADS, BYTES = (
    np.uint64(0x5555555555555555),
    np.uint64(0x3333333333333333),
    np.uint64(0x0F0F0F0F0F0F0F0F),
)


@kernel
def codes_of(
    indptr: npt.NDArray[np.int64],
    shingles: npt.NDArray[np.uint64],
    votes: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint64],
) -> None:
    """Bit b of a row's code: whether more than half of its shingles have bit b; repeats count.

    indptr i64[n+1], shingles u64[m]; votes i64[64] is scratch; codes u64[n] are filled, 0 of an empty row.
    """
    for i in range(len(codes)):
        votes[:] = 0
        for t in range(indptr[i], indptr[i + 1]):
            x = shingles[t]
            for b in range(64):
                votes[b] += np.int64((x >> np.uint64(b)) & ONE)
        code = np.uint64(0)
        for b in range(64):
            if 2 * votes[b] > indptr[i + 1] - indptr[i]:
                code |= ONE << np.uint64(b)
        codes[i] = code


@kernel
def differing(x: np.uint64, y: np.uint64) -> int:
    """Bits in which two codes differ."""
    z = x ^ y
    z -= (z >> ONE) & PAIRS
    z = (z & QUADS) + ((z >> TWO) & QUADS)
    z = (z + (z >> FOUR)) & BYTES
    z += z >> np.uint64(8)
    z += z >> np.uint64(16)
    z += z >> np.uint64(32)
    return int(z & np.uint64(127))


@kernel
def join_codes(
    codes: npt.NDArray[np.uint64],
    buckets: npt.NDArray[np.int32],
    bits: int,
    head: npt.NDArray[np.int32],
    after: npt.NDArray[np.int32],
    of: npt.NDArray[np.int64],
    apart: npt.NDArray[np.int64],
) -> None:
    """In order of rows: drop a row for the kept row that differs in fewest bits, if in at most `bits`.

    Rows meet only if they share a bucket. codes u64[s]; buckets i32[s, tables], -1 where a row is alone; head
    i32[number of buckets] and after i32[s, tables] come as -1; of i64[s] (-1: kept) and apart i64[s] are
    filled. Ties go to the earlier row. A kept row met twice is compared twice: that costs less than a mark.
    """
    tables = buckets.shape[1]
    for i in range(len(codes)):
        best, least = -1, bits + 1
        for b in range(tables):
            j = head[buckets[i, b]] if buckets[i, b] >= 0 and least > 0 else -1
            while j >= 0:
                d = differing(codes[i], codes[j])
                if d < least or (d == least and j < best):
                    best, least = j, d
                j = after[j, b]
        of[i], apart[i] = best, least
        if best < 0:
            for b in range(tables):
                g = buckets[i, b]
                if g >= 0:
                    after[i, b] = head[g]
                    head[g] = i
