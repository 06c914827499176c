"""Sparse text vectors: hashed words, weighed by rarity.

Source: Salton, Buckley 1988, doi:10.1016/0306-4573(88)90021-0; Weinberger et al. 2009, arXiv:0902.2206.
Weight (1 + ln tf) (1 + ln((1 + n) / (1 + df))), rows of Euclidean length 1 (0 for a text without a word).
Deviates: columns are hash buckets, so rare collisions add weights up; no signs.
Cost: two passes over the text, about 100 MB/s a core each.
Memory: 8 bytes a stored term beside one block of tokens.
Guarantee: exact counts and document frequencies over all rows; the bytes never depend on blocks or threads.
Use it when a search needs words to match exactly; not when synonyms matter (LSA, a sentence model).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Terms, Text
from shortlist.kernels.sparse import term_counts
from shortlist.kernels.text import tokens_of

#: Text is worked on in blocks of at most this many rows and, beyond one row, bytes.
BLOCK_ROWS, BLOCK_BYTES = 1 << 13, 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class TFIDF:
    """Terms of the text signal `by`, hashed into 2^bits columns."""

    by: str = field(default="text", kw_only=False)
    bits: int = 18

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 31:
            raise UsageError(f"bits must lie in [1, 31], found {self.bits}")

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool and operations; a distinct word of a text takes eight bytes of it."""
        size = float(len(pool.signal(self.by, Text).utf8))
        held = 2.0 * size + 4.0 * min(size, BLOCK_BYTES) + 24.0 * (1 << self.bits)
        return Need(bytes=held, flops=40.0 * size)

    def steps(self, pool: Pool) -> Plan[Terms]:
        """Count documents a column, then weigh every row."""
        text = pool.signal(self.by, Text)
        if not len(text):
            return Terms(
                np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32), 1 << self.bits
            )
        over = blocks(text)
        found = yield from scan(partial(_documents, text, self.bits), np.add, over, "counting words")
        idf = rarity(found, len(text))
        parts = yield from scan(partial(_weighed, text, self.bits, idf), operator.add, over, "weighing words")
        indptr = np.zeros(len(text) + 1, np.int64)
        np.cumsum(np.concatenate([np.diff(p[0]) for p in parts]), out=indptr[1:])
        return Terms(
            indptr,
            np.concatenate([p[1] for p in parts]),
            np.concatenate([p[2] for p in parts]),
            1 << self.bits,
        )


def blocks(text: Text) -> list[tuple[int, int]]:
    """Row ranges [a, b) that cover the text, each within the block limits or one row."""
    cuts, n = [0], len(text)
    while cuts[-1] < n:
        a = cuts[-1]
        within = int(np.searchsorted(text.offsets, text.offsets[a] + BLOCK_BYTES, side="right")) - 1
        cuts.append(min(max(within, a + 1), a + BLOCK_ROWS, n))
    return list(pairwise(cuts))


def counted(text: Text, bits: int, span: tuple[int, int]) -> tuple[I64, I32, I32]:
    """Term counts of rows [a, b) as CSR: indptr i64[b-a+1], columns i32[z] < 2^bits, counts i32[z]."""
    a, b = span
    offsets = text.offsets[a : b + 1]
    indptr, tokens = tokens_of(offsets - offsets[0], text.utf8[offsets[0] : offsets[-1]])
    return term_counts(indptr, tokens, bits)


def rarity(documents: I64, n: int) -> F64:
    """Inverse document frequency of each column: 1 + ln((1 + n) / (1 + df))."""
    idf: F64 = 1.0 + np.log((1.0 + n) / (1.0 + documents))
    return idf


def weigh(indptr: I64, columns: I32, counts: I32, idf: F64) -> F32:
    """Weights f32[z] of counted terms; the squares of a row add up to 1."""
    weight = (1.0 + np.log(counts)) * idf[columns]
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    # bincount adds in order, whatever the block
    norm = np.sqrt(np.bincount(row, weight * weight, minlength=len(indptr) - 1))
    scaled: F32 = (weight / norm[row]).astype(np.float32)
    return scaled


def _documents(text: Text, bits: int, span: tuple[int, int]) -> I64:
    return np.bincount(counted(text, bits, span)[1], minlength=1 << bits)


def _weighed(text: Text, bits: int, idf: F64, span: tuple[int, int]) -> list[tuple[I64, I32, F32]]:
    indptr, columns, counts = counted(text, bits, span)
    return [(indptr, columns, weigh(indptr, columns, counts, idf))]


def exact(text: Text, bits: int) -> F64:
    """f64[n, 2^bits]: the same, dense, from the definition."""
    counts = np.zeros((len(text), 1 << bits))
    for i in range(len(text)):
        for token in tokens_of(text.offsets[i : i + 2] - text.offsets[i], text.take(np.array([i])).utf8)[1]:
            counts[i, int(token) >> (64 - bits)] += 1
    weight = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0)
    weight *= 1 + np.log((1 + len(text)) / (1 + (counts > 0).sum(axis=0)))
    norm: F64 = np.linalg.norm(weight, axis=1, keepdims=True)
    return np.divide(weight, norm, out=weight, where=norm > 0)


EXAMPLES = (TFIDF(), TFIDF(bits=6))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: accuracy of the nearest neighbour by topic, TF-IDF minus words present, in m pools of 200."""
    margin = np.empty(10 * scale)
    for i in range(len(margin)):
        topic = rng.integers(0, 10, 200)
        own = topic[:, None] * 15 + rng.integers(0, 15, (200, 4))
        shared = 150 + (rng.pareto(1.0, (200, 12)) * 3).astype(np.int64)
        pool = Pool.of(
            {"text": Text.of([" ".join(f"w{w}" for w in row) for row in np.hstack([own, shared])])}
        )
        terms = alone(TFIDF(bits=13).steps(pool), pool)
        row = np.repeat(np.arange(200), np.diff(terms.indptr))
        weighed, plain = np.zeros((2, 200, terms.width), np.float32)
        weighed[row, terms.indices], plain[row, terms.indices] = terms.data, 1
        plain /= np.linalg.norm(plain, axis=1, keepdims=True)
        near, far = (topic[np.argmax(x @ x.T - 2 * np.eye(200), axis=1)] for x in (weighed, plain))
        margin[i] = np.mean(near == topic) - np.mean(far == topic)
    return margin


CLAIM = Claim(
    paper="Salton, Buckley 1988",
    says="weighing words by rarity finds related texts better than counting them",
    we_show="among texts of few topical and many common words the nearest neighbour is of the same topic "
    "at least 0.05 more often than by words present",
    not_shown="real text (see LSA) and languages without spaces",
    measure=claim,
    margin=0.05,
)
