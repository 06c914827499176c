"""Set-similarity join by prefixes: rare elements first, and only sets that share one of those are compared.

Elements are 64-bit hashes. What stands in one set only can be shared by no pair: it is counted, not kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel

#: Bits of an element's key that say how common it is; the rest are of its hash.
CLASS_BITS = np.uint64(3)
CLASS_SHIFT = np.uint64(61)


@kernel
def count_hashes(values: npt.NDArray[np.uint64], counts: npt.NDArray[np.uint8]) -> None:
    """Add each of the values to its cell of counts u8[power of two], which stop at 255."""
    mask = np.uint64(len(counts) - 1)
    for i in range(len(values)):
        cell = values[i] & mask
        if counts[cell] < 255:
            counts[cell] += 1


@kernel
def shared_keys(
    indptr: npt.NDArray[np.int64],
    values: npt.NDArray[np.uint64],
    counts: npt.NDArray[np.uint8],
    size: npt.NDArray[np.int32],
    out: npt.NDArray[np.int64],
) -> None:
    """Leave in `values` a key of each element that may stand in two sets: how common, then its hash.

    indptr i64[n+1] into values u64, distinct within a set; size i32[n] (of the whole set) and out i64[n+1]
    are filled. A cell of counts may be shared by chance, which keeps an element that could go: no harm.
    """
    mask = np.uint64(len(counts) - 1)
    z = 0
    out[0] = 0
    for i in range(len(indptr) - 1):
        size[i] = indptr[i + 1] - indptr[i]
        for t in range(indptr[i], indptr[i + 1]):
            x = values[t]
            many = int(counts[x & mask])
            if many > 1:
                level = 0
                while many > 3:
                    many >>= 1
                    level += 1
                values[z] = np.uint64(level) << CLASS_SHIFT | x >> CLASS_BITS
                z += 1
        out[i + 1] = z


@kernel
def overlap(keys: npt.NDArray[np.uint64], a: int, a_end: int, b: int, b_end: int, need: float) -> int:
    """How many elements two increasing runs of keys share, or -1 as soon as that must stay below `need`."""
    common = 0
    while a < a_end and b < b_end:
        if common + min(a_end - a, b_end - b) < need:
            return -1
        x, y = keys[a], keys[b]
        if x == y:
            common += 1
        if x <= y:
            a += 1
        if y <= x:
            b += 1
    return common


@kernel
def prefix_length(size: int, least: float) -> int:
    """Of two sets at least `least` alike (Jaccard) both have a common element among so many first ones."""
    return size - int(np.ceil(least * size - 1e-9 * size)) + 1 if size > 0 else 0


@kernel
def most_alike(
    i: int,
    indptr: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    size: npt.NDArray[np.int32],
    least: float,
    head: npt.NDArray[np.int32],
    after: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
    place: npt.NDArray[np.int32],
    seen: npt.NDArray[np.int32],
) -> tuple[int, float]:
    """The indexed set most like set i and their Jaccard index, or (-1, 0) where none is at least `least`."""
    best, most = -1, 0.0
    mask = np.uint64(len(head) - 1)
    end = indptr[i + 1]
    alone = size[i] - (end - indptr[i])  # elements of no other set come first in the order, and meet nothing
    for t in range(indptr[i], min(end, indptr[i] + prefix_length(size[i], least) - alone)):
        e = head[keys[t] & mask]
        while e >= 0 and most < 1.0:
            j = owner[e]
            at = indptr[j] + place[e]
            if seen[j] != i and keys[at] == keys[t]:
                seen[j] = i
                both = float(size[i]) + float(size[j])
                want = max(least, most)
                need = want / (1.0 + want) * both - 1e-6 * both
                common = overlap(keys, t, end, at, indptr[j + 1], need)
                s = common / (both - common)
                if s >= least and (s > most or (s == most and j < best)):
                    best, most = j, s
            e = after[e]
    return best, most


@kernel
def join_prefixes(
    indptr: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    size: npt.NDArray[np.int32],
    least: float,
    head: npt.NDArray[np.int32],
    after: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
    place: npt.NDArray[np.int32],
    seen: npt.NDArray[np.int32],
    of: npt.NDArray[np.int64],
    similarity: npt.NDArray[np.float64],
) -> None:
    """In order of sets: drop one for the most similar kept set if that is at least `least`, else keep it.

    indptr i64[n+1] into keys u64, increasing in a set and in one order everywhere; size i32[n] counts also
    what has no key. head i32[power of two] and seen i32[n] come as -1; after, owner and place have room for
    every prefix. of i64[n] (-1: kept) and similarity f64[n] are filled; ties go to the earlier set. Two sets
    meet at the first element that they share, so the overlap is counted from there.
    """
    mask = np.uint64(len(head) - 1)
    z = 0
    for i in range(len(size)):
        best, most = most_alike(i, indptr, keys, size, least, head, after, owner, place, seen)
        of[i], similarity[i] = best, most
        if best < 0:
            alone = size[i] - (indptr[i + 1] - indptr[i])
            last = min(indptr[i + 1], indptr[i] + prefix_length(size[i], least) - alone)
            for t in range(indptr[i], last):
                cell = keys[t] & mask
                owner[z], place[z], after[z] = i, t - indptr[i], head[cell]
                head[cell] = z
                z += 1
