"""Drops texts whose 64-bit SimHash code differs from that of one that stays in a few bits: every such pair.

Source: Charikar 2002, doi:10.1145/509907.509965; tables of permuted blocks: Manku, Jain, Das Sarma 2007,
doi:10.1145/1242572.1242592.
Deviates: tables hold the rows that stay and are hashed, not sorted; a bit is set where more than half of the
shingles have it.
Cost: 64 operations a shingle, 8 log n an n a table, then the pairs that share a table's key.
Memory: 20 bytes a row and table (4 tables at 3 bits up to 2 million rows), 40 a row.
Guarantee: every pair of codes within `bits` is met, and the similarity given is 1 - differing bits / 64, not
checked against the texts: two texts at angle a differ in 64 a / pi bits on average, give or take 4. The same
bytes for any threads; a dropped row is a duplicate of its own `of`.
Use it when texts are long (hundreds of words) and memory is short; not when texts are short, where a changed
word turns many bits, or when drops must be certain (Jaccard, MinHash).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, pairwise
from math import comb, log2

import numpy as np

from shortlist.core.arrays import F64, I32, U64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.drops import Drops, Found, best_first, left, placed, thin
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Text
from shortlist.kernels.simhash import codes_of, join_codes
from shortlist.methods.dedup.buckets import meeting
from shortlist.methods.dedup.shingles import bytes_of, cut, shingles_of, spans

#: Tables at most; the most bits that may differ; by how many halvings a key must part the rows, less.
TABLES, MOST, CROWD = 64, 16, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SimHash:
    """Rows of text `by` whose code differs from that of a row that stays in at most `bits` are dropped.

    Shingles are `ngram` words in a row (pairs of characters in scripts without spaces), case and accents
    folded; characters in a row where a text has fewer words. keep: the score whose best copy stays ('':
    the first). to: stop at so many rows (or this share), the most similar dropped first; 0: no stop.
    """

    by: str = field(default="text", kw_only=False)
    bits: int = 3
    ngram: int = 2
    keep: str = ""
    to: float = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bits <= MOST:
            raise UsageError(f"bits must lie in 0 to {MOST} (of 64), found {self.bits}")
        if self.ngram < 1:
            raise UsageError(f"ngram must be at least 1, found {self.ngram}")
        left(0, self.to)

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool and operations, a word in six bytes, keys evenly spread."""
        text = pool.signal(self.by, Text)
        n, tables = len(text), len(masks_for(self.bits, len(text)))
        met = n * tables * 2.0**CROWD
        return Need(
            bytes=(20.0 * tables + 40.0) * n + bytes_of(text),
            flops=260.0 * len(text.utf8) / 6 + 60.0 * tables * n + 20.0 * met * (11 if self.to else 1),
        )

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Make every row's code, find which share a key, then compare those in order of preference."""
        text = pool.signal(self.by, Text)
        stay = left(len(text), self.to)
        of, similarity = np.full(len(text), -1, np.int64), np.zeros(len(text))
        if len(text):
            parts = yield from scan(
                partial(_codes, text, self.ngram), operator.add, spans(len(text)), "hashing words"
            )
            codes = np.concatenate([c for c, _ in parts])
            order = best_first(pool, self.keep)
            order = order[np.concatenate([some for _, some in parts])[order]]  # nothing is like an empty text
            masks = masks_for(self.bits, len(text))
            rows, buckets = yield from meeting(order, partial(_key, codes[order], masks), len(masks))
            if len(rows):
                alike = partial(
                    scan, partial(_join, codes[rows], buckets), operator.add, note="comparing codes"
                )
                found = partial(placed, alike, rows, len(text))
                of, similarity = yield from thin(found, 1 - self.bits / 64, stay)
        return Drops.at(pool, of, similarity, f"SimHash bits of {self.ngram}-word shingles of {self.by!r}")


def masks_for(bits: int, n: int) -> list[int]:
    """Masks of 64 bits such that codes that differ in at most `bits` agree in one of them wholly.

    64 bits in bits + c blocks; c of those agree. The fewest tables whose keys part n rows into small buckets.
    """
    c = 1
    while comb(bits + c + 1, bits) <= TABLES and c < 8 and 64 * c // (bits + c) < log2(max(n, 1)) - CROWD:
        c += 1
    edges = np.linspace(0, 64, bits + c + 1).astype(int).tolist()
    blocks = [(1 << b) - (1 << a) for a, b in pairwise(edges)]
    return [sum(some) for some in combinations(blocks, c)]


def _codes(text: Text, ngram: int, span: tuple[int, int]) -> list[tuple[U64, np.ndarray]]:
    indptr, shingles = shingles_of(cut(text, span), ngram)
    codes = np.empty(len(indptr) - 1, np.uint64)
    codes_of(indptr, shingles, np.empty(64, np.int64), codes)
    return [(codes, np.diff(indptr) > 0)]


def _key(codes: U64, masks: list[int], table: int) -> U64:
    return codes & np.uint64(masks[table])


def _join(codes: U64, buckets: I32, threshold: float) -> list[Found]:
    of, apart = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
    head = np.full(buckets.max(initial=0) + 1, -1, np.int32)
    bits = int((1 - threshold) * 64 + 1e-9)
    join_codes(codes, buckets, bits, head, np.full(buckets.shape, -1, np.int32), of, apart)
    return [(of, np.where(of >= 0, 1 - apart / 64, 0.0))]


def exact(codes: list[int], bits: int) -> Found:
    """The rule read off its definition, codes in order of preference; meets every pair."""
    of, similarity = np.full(len(codes), -1, np.int64), np.zeros(len(codes))
    for i, mine in enumerate(codes):
        for j in np.flatnonzero(of[:i] < 0):
            apart = (mine ^ codes[j]).bit_count()
            if apart <= bits and (of[i] < 0 or 1 - apart / 64 > similarity[i]):
                of[i], similarity[i] = j, 1 - apart / 64
    return of, similarity


EXAMPLES = (SimHash(), SimHash(bits=8, ngram=1, keep="score"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of m pools of texts with changed words whose drops are those of comparing every code."""
    right = np.empty(6 * scale)
    for i in range(len(right)):
        texts = np.repeat(rng.integers(0, 3000, (60, 100)), 3, axis=0)
        changed = rng.random(texts.shape) < rng.choice([0.0, 0.01, 0.05], (180, 1))
        texts[changed] = rng.integers(0, 3000, changed.sum())
        text = Text.of([" ".join(f"w{w}" for w in row) for row in texts])
        pool = Pool.of({"text": text, "score": Scores(rng.integers(0, 3, 180).astype(np.float64))})
        method = SimHash(bits=int(rng.integers(0, 9)), keep="score")
        found = alone(method.steps(pool), pool)
        ((codes, _),) = _codes(text, 2, (0, 180))
        order = best_first(pool, "score")
        mate, _ = exact([int(c) for c in codes[order]], method.bits)
        of = np.full(180, -1, np.int64)
        of[order] = np.where(mate >= 0, order[mate], -1)
        same = np.array_equal(found.rows, np.flatnonzero(of >= 0))
        right[i] = same and np.array_equal(found.of, of[of >= 0])
    return right


CLAIM = Claim(
    paper="Manku et al. 2007",
    says="codes of near-duplicates differ in few bits, and tables of permuted blocks find all such codes",
    we_show="the rows dropped and the copies that stay are those of comparing every pair of codes",
    not_shown="how many near-duplicates have codes that differ in more bits",
    measure=claim,
    margin=1.0,
)
