"""Drops texts that share most of their shingles with one that stays: MinHash bands, every pair verified.

Source: Broder 1997, doi:10.1109/SEQUEN.1997.666900; bands: Leskovec, Rajaraman, Ullman 2014, ch. 3.4.
Deviates: min-wise hashing by odd multipliers mod 2^64; candidates are only ever compared with rows that
stay, in order of preference, and exactly: the similarity given is the true Jaccard index of the shingles.
Cost: 128 operations a shingle, then 8 log n an n a band, then the pairs that share a band.
Memory: 16 bytes a row and band, and 8 a shingle of the rows that share a band with another.
Guarantee: precision 1; two rows at the threshold meet with probability at least 0.99, more alike ones more
often; same seed, same bytes. Transitive chains do not drop: a dropped row is a duplicate of its own `of`.
Use it when copies differ in words and most texts are made of common shingles, or the threshold is low.
Not when nothing may be missed (Jaccard) or copies are paraphrases (Cosine on vectors).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from shortlist.core.arrays import F64, I32, I64, U64, Bool
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.drops import Drops, Found, best_first, left, placed, thin
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Text
from shortlist.kernels.minhash import band_keys, join_sets
from shortlist.methods.dedup import jaccard
from shortlist.methods.dedup.buckets import meeting
from shortlist.methods.dedup.shingles import as_sets, bytes_of, cut, end_to_end, shingles_of, spans

#: Hash functions at most; the chance to meet at the threshold.
HASHES, RECALL = 128, 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class MinHash:
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
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise UsageError(f"threshold must lie in (0, 1], found {self.threshold}")
        if self.ngram < 1:
            raise UsageError(f"ngram must be at least 1, found {self.ngram}")
        left(0, self.to)

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool and operations, a word in six bytes, all rows alike."""
        text = pool.signal(self.by, Text)
        words, (bands, r) = len(text.utf8) / 6, bands_for(self.threshold)
        return Need(
            bytes=max(16.0 * bands * len(text), 13.0 * bands * len(text) + 8.0 * words) + bytes_of(text),
            flops=(2.0 * bands * r + 200.0) * words + 60.0 * bands * len(text),
        )

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Sketch every row, find which rows share a band, then compare those in order of preference."""
        text = pool.signal(self.by, Text)
        stay = left(len(text), self.to)
        of, similarity = np.full(len(text), -1, np.int64), np.zeros(len(text))
        order = best_first(pool, self.keep)
        rows, buckets = yield from self._meeting(text, order)
        if len(rows):
            over = [rows[a:b] for a, b in spans(len(rows))]
            parts = yield from scan(partial(_sets, text, self.ngram), operator.add, over, "reading shingles")
            compare = partial(_join, *end_to_end(parts), buckets)
            alike = partial(scan, compare, operator.add, note="comparing texts")
            found = yield from thin(partial(placed, alike, rows, len(text)), self.threshold, stay)
            of, similarity = found
        return Drops.at(pool, of, similarity, f"Jaccard index of {self.ngram}-word shingles of {self.by!r}")

    def _meeting(self, text: Text, order: I64) -> Plan[tuple[I64, I32]]:
        """The rows i64[s] that share a band with another, best first, and their buckets i32[s, bands]."""
        if not len(text):
            return order, np.empty((0, 1), np.int32)
        bands, r = bands_for(self.threshold)
        factors = generator(self.seed, "minhash").integers(0, 1 << 63, bands * r, np.uint64) * 2 + 1
        sketch = partial(_sketch, text, self.ngram, bands, factors)
        parts = yield from scan(sketch, operator.add, spans(len(text)), "hashing words")
        order = order[np.concatenate([p[1] for p in parts])[order]]  # nothing is like an empty text
        keys = np.concatenate([p[0] for p in parts])
        del parts
        return (yield from meeting(order, partial(_band, keys, order), bands))


def bands_for(threshold: float) -> tuple[int, int]:
    """(bands, r): the longest bands of HASHES in all for which two rows at the threshold meet with RECALL."""
    enough = (r for r in range(HASHES, 1, -1) if 1 - (1 - threshold**r) ** (HASHES // r) >= RECALL)
    r = next(enough, 1)
    return HASHES // r, r


def _sketch(
    text: Text, ngram: int, bands: int, factors: U64, span: tuple[int, int]
) -> list[tuple[U64, Bool]]:
    indptr, shingles = shingles_of(cut(text, span), ngram)
    keys = np.empty((len(indptr) - 1, bands), np.uint64)
    with np.errstate(over="ignore"):  # hashes wrap around
        band_keys(indptr, shingles, factors, np.empty(len(factors), np.uint64), keys)
    return [(keys, np.diff(indptr) > 0)]


def _band(keys: U64, order: I64, band: int) -> U64:
    column: U64 = keys[order, band]
    return column


def _sets(text: Text, ngram: int, rows: I64) -> list[tuple[I64, U64]]:
    return [as_sets(*shingles_of(text.take(rows), ngram))]


def _join(indptr: I64, sets: U64, buckets: I32, threshold: float) -> list[Found]:
    s = len(buckets)
    of, similarity = np.empty(s, np.int64), np.empty(s)
    head, after = np.full(buckets.max(initial=0) + 1, -1, np.int32), np.full(buckets.shape, -1, np.int32)
    seen = np.full(s, -1, np.int32)
    join_sets(indptr, sets, buckets, threshold, head, after, seen, of, similarity)
    return [(of, similarity)]


#: The rule read off its definition, rows in order of preference; meets every pair.
exact = jaccard.exact

EXAMPLES = (MinHash(), MinHash(threshold=0.5, ngram=2, keep="score"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of the rows that the exact rule drops which are dropped, less any it does not drop."""
    share = np.empty(5 * scale)
    for i in range(len(share)):
        base = rng.integers(0, 5000, (150, 60))
        texts = np.repeat(base, 3, axis=0)
        changed = rng.random(texts.shape) < rng.choice([0.0, 0.01, 0.03], (450, 1))
        texts[changed] = rng.integers(5000, 9000, changed.sum())
        pool = Pool.of({"text": Text.of([" ".join(f"w{w}" for w in row) for row in texts])})
        method = MinHash(threshold=0.7, seed=i)
        found = alone(method.steps(pool), pool).rows
        indptr, shingles = shingles_of(pool.signal("text", Text), method.ngram)
        sets = [set(shingles[a:b].tolist()) for a, b in pairwise(indptr)]
        truth = np.flatnonzero(exact(sets, method.threshold)[0] >= 0)
        share[i] = (np.isin(truth, found).sum() - (~np.isin(found, truth)).sum()) / len(truth)
    return share


CLAIM = Claim(
    paper="Broder 1997",
    says="sets that agree in their minima under random orders are alike",
    we_show="of the rows that comparing every pair would drop at least 99% are dropped, and no others, in "
    "pools of copies with changed words",
    not_shown="paraphrases, which share few shingles",
    measure=claim,
    margin=0.99,
)
