"""Drops texts that share most of their shingles with one that stays: every pair, none missed.

Sets x and y have a Jaccard index of t or more only if both have a common element among the first
|x| - ceil(t |x|) + 1 of x and |y| - ceil(t |y|) + 1 of y, in any one order; rare shingles come first.
Source: AllPairs, Bayardo, Ma, Srikant 2007, doi:10.1145/1242572.1242591; positions and the rarest first:
PPJoin, Xiao et al. 2008, doi:10.1145/1367497.1367516.
Deviates: rows are compared only with those that stay, in order of preference, whatever their length; shingles
of one row alone are counted and thrown away; how rare a shingle is is known up to a factor of two.
Cost: 0.15 us a shingle, then the pairs that share a rare one; texts made of a few common shingles alone are
the bad case (n s for s that stay). With `to` up to eleven times the second part.
Memory: 14 bytes a shingle, 28 a row.
Guarantee: exact (hashes of 61 bits stand for shingles: that two of 100 million are one has chance 0.002,
and moves the index of few pairs); the same bytes for any threads; a dropped row is a duplicate of its `of`.
Use it when texts are copies with edits: faster than MinHash as a rule, and misses nothing; not when they are
paraphrases (Cosine on vectors) or when the threshold is below a half and the pool in millions (MinHash).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from shortlist.core.arrays import F64, I32, I64, U64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.drops import Drops, Found, best_first, left, placed, thin
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Text
from shortlist.kernels.minhash import sort_rows
from shortlist.kernels.prefix import count_hashes, join_prefixes, shared_keys
from shortlist.methods.dedup.shingles import bytes_of, end_to_end, sets_of, spans

#: Cells in which shingles are counted, at most.
CELLS = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaccard:
    """Rows of text `by` whose Jaccard index with a row that stays is at least `threshold` are dropped.

    Shingles are `ngram` words in a row (pairs of characters in scripts without spaces), case and accents
    folded; characters in a row where a text has fewer words. keep: the score whose best copy stays ('':
    the first). to: stop at so many rows (or this share), the most similar dropped first; 0: no stop.
    """

    by: str = field(default="text", kw_only=False)
    threshold: float = 0.8
    ngram: int = 5
    keep: str = ""
    to: float = 0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise UsageError(f"threshold must lie in (0, 1], found {self.threshold}")
        if self.ngram < 1:
            raise UsageError(f"ngram must be at least 1, found {self.ngram}")
        left(0, self.to)

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool and operations, a word in six bytes."""
        text = pool.signal(self.by, Text)
        words = len(text.utf8) / 6
        return Need(
            bytes=14.0 * words + 28.0 * len(text) + bytes_of(text),
            flops=(600.0 if self.to else 300.0) * words,
        )

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Read every row as a set, keep what two rows may share, then compare in order of preference."""
        text = pool.signal(self.by, Text)
        stay = left(len(text), self.to)
        of, similarity = np.full(len(text), -1, np.int64), np.zeros(len(text))
        if len(text):
            over = spans(len(text))
            parts = yield from scan(
                partial(sets_of, text, self.ngram), operator.add, over, "reading shingles"
            )
            order = best_first(pool, self.keep)
            sets = _in_order(*_shared(parts), order)
            alike = partial(scan, partial(_join, *sets), operator.add, note="comparing texts")
            of, similarity = yield from thin(partial(placed, alike, order, len(order)), self.threshold, stay)
        return Drops.at(pool, of, similarity, f"Jaccard index of {self.ngram}-word shingles of {self.by!r}")


def _shared(parts: list[tuple[I64, U64]]) -> tuple[I64, U64, I32]:
    """indptr i64[n+1], keys u64[m] and sizes i32[n] of the sets, without what one set alone has.

    Empties `parts`.
    """
    total = sum(len(values) for _, values in parts)
    counts = np.zeros(min(CELLS, 1 << max(int(2 * total - 1).bit_length(), 4)), np.uint8)
    for _, values in parts:
        count_hashes(values, counts)
    sizes = []
    for i, (indptr, values) in enumerate(parts):
        size, out = np.empty(len(indptr) - 1, np.int32), np.empty(len(indptr), np.int64)
        shared_keys(indptr, values, counts, size, out)
        again = np.empty_like(out)
        sort_rows(out, values, again)
        parts[i] = out, values[: out[-1]].copy()
        sizes.append(size)
    return *end_to_end(parts), np.concatenate(sizes)


def _in_order(indptr: I64, keys: U64, size: I32, order: I64) -> tuple[I64, U64, I32]:
    """The same sets, best first."""
    if (order[1:] > order[:-1]).all():
        return indptr, keys, size
    length = np.diff(indptr)[order]
    out = np.zeros(len(indptr), np.int64)
    np.cumsum(length, out=out[1:])
    moved = np.empty_like(keys)
    step = 1 << 16
    for a in range(0, len(order), step):
        b = min(a + step, len(order))
        shift = np.repeat(indptr[order[a:b]] - out[a:b], length[a:b])
        moved[out[a] : out[b]] = keys[shift + np.arange(out[a], out[b])]
    return out, moved, size[order]


def _join(indptr: I64, keys: U64, size: I32, threshold: float) -> list[Found]:
    n = len(size)
    first = size - np.ceil(threshold * size - 1e-9 * size).astype(np.int64) + 1 - (size - np.diff(indptr))
    room = int(np.clip(first, 0, np.diff(indptr)).sum())
    head: npt.NDArray[np.int32] = np.full(1 << max(int(room).bit_length(), 4), -1, np.int32)
    after, owner, place = (np.empty(room, np.int32) for _ in range(3))
    of, similarity = np.empty(n, np.int64), np.empty(n)
    seen = np.full(n, -1, np.int32)
    join_prefixes(indptr, keys, size, threshold, head, after, owner, place, seen, of, similarity)
    return [(of, similarity)]


def exact(sets: list[set[int]], threshold: float) -> Found:
    """The rule read off its definition, rows in order of preference; meets every pair."""
    of, similarity = np.full(len(sets), -1, np.int64), np.zeros(len(sets))
    for i, mine in enumerate(sets):
        for j in np.flatnonzero(of[:i] < 0):
            index = len(mine & sets[j]) / max(len(mine | sets[j]), 1)
            if index >= threshold and index > similarity[i]:
                of[i], similarity[i] = j, index
    return of, similarity


EXAMPLES = (Jaccard(), Jaccard(threshold=0.5, ngram=2, keep="score"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of m pools of texts with changed words whose drops are those of the definition."""
    right = np.empty(6 * scale)
    for i in range(len(right)):
        base = rng.integers(0, 300, (60, 30))
        texts = np.repeat(base, 3, axis=0)
        changed = rng.random(texts.shape) < rng.choice([0.0, 0.03, 0.1], (180, 1))
        texts[changed] = rng.integers(0, 300, changed.sum())
        scores = Scores(rng.integers(0, 3, 180).astype(np.float64))
        text = Text.of([" ".join(f"w{w}" for w in row) for row in texts])
        pool = Pool.of({"text": text, "score": scores})
        method = Jaccard(threshold=float(rng.choice([0.3, 0.6, 0.8])), ngram=2, keep="score")
        found = alone(method.steps(pool), pool)
        order = best_first(pool, "score")
        ((indptr, shingles),) = sets_of(text, 2, (0, 180))
        sets = [set(shingles[indptr[j] : indptr[j + 1]].tolist()) for j in order]
        mate, _ = exact(sets, method.threshold)
        of = np.full(180, -1, np.int64)
        of[order] = np.where(mate >= 0, order[mate], -1)
        same = np.array_equal(found.rows, np.flatnonzero(of >= 0))
        right[i] = same and np.array_equal(found.of, of[of >= 0])
    return right


CLAIM = Claim(
    paper="Xiao et al. 2008",
    says="pairs of similar sets share a rare element early, so that few pairs need be compared",
    we_show="the rows dropped and the copies that stay are those of comparing every pair",
    not_shown="the speed of the join, which is in benchmarks/dedupe.py",
    measure=claim,
    margin=1.0,
)
