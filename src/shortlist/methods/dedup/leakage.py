"""Drops texts that hold what rows of a set-aside group say, so that a test on that group stays a test.

A row leaks if it holds more than `threshold` of the distinct n-grams of one row of the group.
Source: GPT-3's decontamination (13 words in a row), Brown et al. 2020, arXiv:2005.14165, app. C; a share
of n-grams (70% of 8 words in a row): PaLM, Chowdhery et al. 2022, arXiv:2204.02311, sec. 8.
Deviates: whole rows are dropped, not the words around the match; words are folded (case, accents,
punctuation); a text of fewer words than `ngram` is one n-gram, found only in a text of just these words.
Cost: 0.1 us a word, and a step for each n-gram met in the group.
Memory: 40 bytes a word of the group, 48 a row.
Guarantee: exact (64-bit hashes stand for n-grams); rows of the group never go, and each dropped row names the
row of the group that it gives away; the same bytes for any threads.
Use it when the pool trains what the group tests; not when copies are paraphrased (CosineLeakage).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from shortlist.core.arrays import F64, I64, U64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.drops import Drops, Found
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.members import members, named
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Text
from shortlist.kernels.contain import index_sets, most_contained
from shortlist.kernels.text import tokens_of
from shortlist.methods.dedup.shingles import as_sets, bytes_of, cut, hashed, spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """Rows of text `by` that hold more than `threshold` of a text of the group `against` are dropped.

    against: 'signal:group'. threshold: the share of the n-grams of one text of the group (0: one n-gram is
    enough). ngram: words in a row.
    """

    by: str = field(default="text", kw_only=False)
    against: str = "split:test"
    threshold: float = 0.0
    ngram: int = 13

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise UsageError(f"threshold must lie in [0, 1), found {self.threshold}")
        if self.ngram < 1:
            raise UsageError(f"ngram must be at least 1, found {self.ngram}")
        named(self.against, "against")

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool and operations, a word in six bytes."""
        text, few = pool.signal(self.by, Text), members(pool, self.against)
        words = float((text.offsets[few + 1] - text.offsets[few]).sum()) / 6
        return Need(
            bytes=40.0 * words + 48.0 * len(pool) + bytes_of(text),
            flops=60.0 * self.ngram * len(text.utf8) / 6,
        )

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Index the n-grams of the group, then read every row."""
        text, few = pool.signal(self.by, Text), members(pool, self.against)
        of, share = np.full(len(text), -1, np.int64), np.zeros(len(text))
        if len(few):
            indptr, grams = grams_of(text.take(few), self.ngram)
            head = np.full(1 << max(int(2 * len(grams)).bit_length(), 4), -1, np.int64)
            after, owner = np.empty(len(grams), np.int64), np.empty(len(grams), np.int64)
            index_sets(indptr, grams, head, after, owner)
            held = partial(_held, text, self.ngram, (indptr, grams, head, after, owner))
            parts = yield from scan(held, operator.add, spans(len(text)), "reading n-grams")
            which, share = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
            of = np.where(share > self.threshold, few[which], -1)
            of[few] = -1
        return Drops.at(
            pool, of, share, f"share of the {self.ngram}-word runs of {self.against!r} in {self.by!r}"
        )


def grams_of(text: Text, ngram: int) -> tuple[I64, U64]:
    """indptr i64[n+1] and the distinct n-grams u64[m] of each text, in increasing order."""
    return as_sets(*hashed(*tokens_of(text.offsets - text.offsets[0], text.utf8), ngram))


def _held(
    text: Text, ngram: int, index: tuple[I64, U64, I64, I64, I64], span: tuple[int, int]
) -> list[Found]:
    indptr, grams = grams_of(cut(text, span), ngram)
    few = index[0]
    of, share = np.empty(len(indptr) - 1, np.int64), np.empty(len(indptr) - 1)
    scratch = np.zeros((2, len(few) - 1), np.int64)
    most_contained(indptr, grams, *index, scratch[0], scratch[1], of, share)
    return [(of, share)]


def exact(rows: list[set[int]], few: list[int], threshold: float) -> Found:
    """The rule read off its definition: rows and positions of the group -> of i64[n], share f64[n]."""
    of, share = np.full(len(rows), -1, np.int64), np.zeros(len(rows))
    for i, mine in enumerate(rows):
        held = [len(mine & rows[j]) / max(len(rows[j]), 1) for j in few]
        if i not in few and max(held, default=0) > threshold:
            of[i], share[i] = few[int(np.argmax(held))], max(held)
    return of, share


EXAMPLES = (Leakage(against="label:a"), Leakage(against="tags:b", threshold=0.5, ngram=3))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of m pools with planted passages in which just the rows that hold one are dropped."""
    right = np.empty(6 * scale)
    for i in range(len(right)):
        tests = rng.integers(0, 2000, (30, 40))
        rows = rng.integers(0, 2000, (300, 60))
        planted = rng.random(300) < 0.2
        whose, start = rng.integers(0, 30, 300), rng.integers(0, 20, 300)
        for r in np.flatnonzero(planted):
            rows[r, start[r] : start[r] + 20] = tests[whose[r], start[r] : start[r] + 20]
        words = [" ".join(f"w{w}" for w in row) for row in (*rows, *tests)]
        split = Labels.of(["train"] * 300 + ["test"] * 30)
        pool = Pool.of({"text": Text.of(words), "split": split})
        found = alone(Leakage().steps(pool), pool)
        same = np.array_equal(found.rows, np.flatnonzero(planted))
        right[i] = same and np.array_equal(found.of, 300 + whose[planted])
    return right


CLAIM = Claim(
    paper="Brown et al. 2020",
    says="training rows that share 13 words in a row with a test row can be found and removed",
    we_show="of texts with planted passages of 20 words just those are dropped, each for the right test row",
    not_shown="what leaks through paraphrase or translation",
    measure=claim,
    margin=1.0,
)
