"""Drops texts equal to one that stays, byte for byte or up to case and white space.

Source: grouping by a 128-bit digest, BLAKE2b (RFC 7693).
Deviates: none.
Cost: one pass over the text and a sort of n digests.
Memory: 105 bytes a row.
Guarantee: every text equal to a better copy is dropped and nothing else (two texts of one digest are
taken for equal: chance 1e-26 in a pool of a million).
Use it when copies are verbatim, before anything that costs more; not when they differ in a word (MinHash).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from unicodedata import normalize

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.drops import Drops, best_first, left, spared
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Text

#: Rows digested in one part.
BLOCK = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactText:
    """Of equal texts `by`, the one best by score `keep` stays ('': the first); empty texts are equal too.

    fold: texts count as equal up to case, Unicode composition and runs of white space. to: so many rows (or
    this share) are left at least, the last copies dropped first; 0: every copy goes.
    """

    by: str = field(default="text", kw_only=False)
    keep: str = ""
    fold: bool = False
    to: float = 0

    def __post_init__(self) -> None:
        left(0, self.to)

    def need(self, pool: Pool) -> Need:
        """Peak bytes beyond the pool, and operations."""
        return Need(bytes=105.0 * len(pool), flops=10.0 * pool.signal(self.by, Text).nbytes)

    def steps(self, pool: Pool) -> Plan[Drops]:
        """Digest every text, then compare digests."""
        text, order = pool.signal(self.by, Text), best_first(pool, self.keep)
        parts: list[bytes] = [b""]
        if len(text):
            over = [(a, min(a + BLOCK, len(text))) for a in range(0, len(text), BLOCK)]
            parts = yield from scan(partial(_digests, text, self.fold), operator.add, over, "comparing texts")
        digest = np.frombuffer(b"".join(parts), np.dtype([("high", np.uint64), ("low", np.uint64)]))
        of = first_of_each(np.lexsort((digest["low"][order], digest["high"][order])), digest[order], order)
        of, alike = spared(of, np.ones(len(text)), left(len(text), self.to))
        how = " up to case and spaces" if self.fold else ""
        return Drops.at(pool, of, alike, f"equal {self.by!r}{how}")


def first_of_each(grouped: I64, digest: np.ndarray, order: I64) -> I64:
    """of i64[n]: for each position the preferred one with the same digest, -1 for that one itself.

    order i64[n]: positions, best first; digest of each of them; grouped: a stable sort of `digest`.
    """
    new = np.ones(len(grouped), bool)
    new[1:] = digest[grouped[1:]] != digest[grouped[:-1]]
    leader = grouped[new][np.cumsum(new) - 1]
    of = np.full(len(grouped), -1, np.int64)
    of[order[grouped[~new]]] = order[leader[~new]]
    return of


def _digests(text: Text, fold: bool, span: tuple[int, int]) -> list[bytes]:
    cuts = text.offsets[span[0] : span[1] + 1]
    data, cuts = text.utf8[cuts[0] : cuts[-1]].tobytes(), (cuts - cuts[0]).tolist()
    pieces = (data[a:b] for a, b in pairwise(cuts))
    if fold:
        pieces = (folded(p.decode("utf-8", "surrogatepass")) for p in pieces)
    return [b"".join(blake2b(p, digest_size=16).digest() for p in pieces)]


def folded(text: str) -> bytes:
    """One spelling of texts that differ in case, Unicode composition or white space."""
    plain = normalize("NFC", normalize("NFKD", text).casefold())
    return " ".join(plain.split()).encode("utf-8", "surrogatepass")


def exact(texts: list[str], utility: F64) -> I64:
    """of i64[n] by comparing every pair: the best equal text, -1 for that one itself."""
    of = np.full(len(texts), -1, np.int64)
    for i, mine in enumerate(texts):
        best = max((j for j, other in enumerate(texts) if other == mine), key=lambda j: (utility[j], -j))
        of[i] = -1 if best == i else best
    return of


EXAMPLES = (ExactText(), ExactText(keep="score", fold=True))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: share of m pools of few distinct texts for which the answer is the definition's."""
    right = np.empty(50 * scale)
    for i in range(len(right)):
        texts = [str(t) for t in rng.choice(["", "a", "A", "a ", "b", "é", "e\u0301"], 30)]
        scores = Scores(rng.integers(0, 3, 30).astype(np.float64))
        pool = Pool.of({"text": Text.of(texts), "score": scores})
        found = alone(ExactText(keep="score").steps(pool), pool)
        of = exact(texts, scores.values)
        right[i] = np.array_equal(found.rows, np.flatnonzero(of >= 0)) and np.array_equal(
            found.of, of[of >= 0]
        )
    return right


CLAIM = Claim(
    paper="RFC 7693",
    says="128-bit digests tell texts apart",
    we_show="the rows dropped and the copies kept are those of comparing every pair, in pools full of twins",
    not_shown="pools so large that digests collide",
    measure=claim,
    margin=1.0,
)
