"""Texts as sets of shingles: words in a row, hashed. What every deduper of texts reads."""

from __future__ import annotations

import numpy as np

from shortlist.core.arrays import I64, U64
from shortlist.core.signals import Text
from shortlist.kernels.minhash import shingle, sort_rows
from shortlist.kernels.text import tokens_of

#: Rows read in one part.
BLOCK = 1 << 12


def spans(n: int) -> list[tuple[int, int]]:
    """Consecutive (first, end) of at most BLOCK rows."""
    return [(a, min(a + BLOCK, n)) for a in range(0, n, BLOCK)]


def bytes_of(text: Text) -> float:
    """Bytes of reading one part of the text, for one thread."""
    return 4.0 * len(text.utf8) * min(BLOCK / max(len(text), 1), 1.0)


def end_to_end(parts: list[tuple[I64, U64]]) -> tuple[I64, U64]:
    """All parts as one indptr i64[n+1] and values u64[m]. Empties `parts`: few exist twice at a time."""
    lengths = [np.diff(indptr) for indptr, _ in parts]
    indptr = np.zeros(sum(map(len, lengths)) + 1, np.int64)
    np.cumsum(np.concatenate(lengths), out=indptr[1:])
    values = np.empty(indptr[-1], np.uint64)
    at = len(values)
    while parts:
        _, piece = parts.pop()
        values[at - len(piece) : at] = piece
        at -= len(piece)
    return indptr, values


def cut(text: Text, span: tuple[int, int]) -> Text:
    """The rows of a span; the bytes are shared."""
    cuts = text.offsets[span[0] : span[1] + 1]
    return Text(cuts - cuts[0], text.utf8[cuts[0] : cuts[-1]])


def shingles_of(text: Text, ngram: int) -> tuple[I64, U64]:
    """indptr i64[n+1] and hashes u64[m] of the shingles of each text, repeats included, in reading order."""
    indptr, tokens = tokens_of(text.offsets - text.offsets[0], text.utf8)
    words = np.diff(indptr)
    short = words < ngram
    if short.any():
        some = text.take(np.flatnonzero(short))
        by_character, characters = tokens_of(some.offsets, some.utf8, by_character=True)
        count = words.copy()
        count[short] = np.diff(by_character)
        mixed = np.empty(count.sum(), np.uint64)
        swapped = np.repeat(short, count)
        mixed[swapped], mixed[~swapped] = characters, tokens[np.repeat(~short, words)]
        tokens = mixed
        np.cumsum(count, out=indptr[1:])
    return hashed(indptr, tokens, ngram)


def hashed(indptr: I64, tokens: U64, ngram: int) -> tuple[I64, U64]:
    """The same from tokens u64[m]; a row with fewer than `ngram` is one shingle, an empty one has none."""
    out, shingles = np.zeros(len(indptr), np.int64), np.empty(len(tokens), np.uint64)
    with np.errstate(over="ignore"):  # hashes wrap around
        shingle(indptr, tokens, ngram, out, shingles)
    return out, shingles[: out[-1]]


def as_sets(indptr: I64, shingles: U64) -> tuple[I64, U64]:
    """Each row's distinct shingles in increasing order; `shingles` is overwritten."""
    out = np.zeros(len(indptr), np.int64)
    sort_rows(indptr, shingles, out)
    return out, shingles[: out[-1]].copy()


def sets_of(text: Text, ngram: int, span: tuple[int, int]) -> list[tuple[I64, U64]]:
    """[indptr i64[b+1], distinct shingles u64[m]] of the rows of a span."""
    return [as_sets(*shingles_of(cut(text, span), ngram))]
