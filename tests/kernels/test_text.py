"""Tokens: the kernels against a reading of the same rules in plain Python strings."""

from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shortlist.core.signals import Text
from shortlist.kernels import text as kernels
from shortlist.kernels.text import BREAK, PAIRED, SKIP, WORD, characters, folding, tokens_of, words

MASK = (1 << 64) - 1
ALPHABET = "aAbßéÉe\u0301İ1_ -'.\n\t\x00中文字かカーｶ한글กข😀𠀀Ａｂ１жЖйا\u00ad\u200d\ufb01\u0378"
TEXTS = st.lists(st.text(ALPHABET, max_size=12), max_size=6)


def kind_of(char: str) -> tuple[int, str]:
    code = ord(char)
    if code >= kernels.TABLE:
        return (PAIRED, char) if code < kernels.HAN_END else (BREAK, "")
    entry = int(folding()[code])
    return entry >> 24, chr(entry & 0xFFFFFF)


def hashed(chars: str, start: int = 0xCBF29CE484222325) -> int:
    h = start
    for c in chars:
        h = (h ^ ord(c)) * 0x100000001B3 & MASK
    return mixed(h)


def mixed(h: int) -> int:
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & MASK
    h = (h ^ h >> 27) * 0x94D049BB133111EB & MASK
    return h ^ h >> 31


def words_of(text: str) -> list[str]:
    found: list[str] = []
    runs: list[tuple[int, str]] = []
    for kind, char in (kind_of(c) for c in text):
        if kind == SKIP:
            continue
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1] + char)
        else:
            runs.append((kind, char))
    for kind, run in runs:
        if kind == WORD or (kind == PAIRED and len(run) == 1):
            found.append(run)
        elif kind == PAIRED:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


def characters_of(text: str) -> list[int]:
    kept = [(k, c) for k, c in map(kind_of, text) if k != SKIP]
    plain = "".join("\0" if k == BREAK else c for k, c in kept)
    spaced = "\0".join(p for p in plain.split("\0") if p)
    return [mixed(0x9E3779B97F4A7C15 ^ ord(c)) for c in spaced]


def run(kernel, text: Text) -> tuple[np.ndarray, np.ndarray]:
    indptr, tokens = np.zeros(len(text) + 1, np.int64), np.zeros(len(text.utf8) + 1, np.uint64)
    with np.errstate(over="ignore"):
        kernel(text.offsets, text.utf8, folding(), tokens, indptr)
    return indptr, tokens[: indptr[-1]]


@given(TEXTS)
@example(["中文字", "a中b", "中", "한글 字", "naïve NAÏVE nai\u0308ve", ""])
@settings(deadline=None, max_examples=150)
def test_words_are_the_words_of_the_definition(texts: list[str]) -> None:
    expected = [[hashed(w) for w in words_of(t)] for t in texts]
    for kernel in (words, words.py_func):
        indptr, tokens = run(kernel, Text.of(texts))
        rows = [tokens[a:b].tolist() for a, b in itertools.pairwise(indptr)]
        assert rows == expected


@given(TEXTS)
@settings(deadline=None, max_examples=100)
def test_characters_are_the_characters_of_the_definition(texts: list[str]) -> None:
    for kernel in (characters, characters.py_func):
        indptr, tokens = run(kernel, Text.of(texts))
        rows = [tokens[a:b].tolist() for a, b in itertools.pairwise(indptr)]
        assert rows == [characters_of(t) for t in texts]


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=4))
@example(b"\xe4\xb8", [1])
@example(b"\xf5\x80\x80\x80ok\xc0\xaf", [])
@settings(deadline=None)
def test_any_bytes_are_read_within_their_text(data: bytes, cuts: list[int]) -> None:
    inner = sorted(min(c, len(data)) for c in cuts)
    text = Text(np.array([0, *inner, len(data)], np.int64), np.frombuffer(data, np.uint8))
    whole = run(words, text)
    assert [run(words.py_func, text)[i].tolist() for i in (0, 1)] == [w.tolist() for w in whole]
    for i in range(len(text)):
        alone = run(words, text.take(np.array([i])))[1]
        assert alone.tolist() == whole[1][whole[0][i] : whole[0][i + 1]].tolist()


def test_malformed_bytes_stand_between_words() -> None:
    texts = [b"ab\xffcd", b"ab\xe4\xb8cd", b"ab\xc3", b"ab\xed\xa0\x80cd", b"ab\xf4\xbf\xbf\xbfcd"]
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    indptr, tokens = tokens_of(offsets, np.frombuffer(b"".join(texts), np.uint8))
    ab, cd = hashed("ab"), hashed("cd")
    assert np.diff(indptr).tolist() == [2, 2, 1, 2, 2]
    assert tokens.tolist() == [ab, cd, ab, cd, ab, ab, cd, ab, cd]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Über die Straße", "uber DIE straße"),
        ("caf\u00e9", "cafe\u0301"),
        ("ｆｕｌｌ １", "full 1"),
        ("co\u00adoperate", "cooperate"),
        ("It is, well-known!", "it IS well known"),
        ("İstanbul", "istanbul"),
    ],
)
def test_spellings_that_fold_together(one: str, other: str) -> None:
    indptr, tokens = tokens_of(*(lambda t: (t.offsets, t.utf8))(Text.of([one, other])))
    assert indptr[1] == indptr[2] - indptr[1] > 0
    assert tokens[: indptr[1]].tolist() == tokens[indptr[1] :].tolist()


def test_the_table_agrees_with_unicode() -> None:
    table = folding()
    for code in range(kernels.LISTED):
        kind = int(table[code]) >> 24
        letter = unicodedata.category(chr(code))[0] in "LNM"
        if kind == BREAK:
            assert not letter, hex(code)
        if kind == WORD:
            assert letter, hex(code)
            folded = int(table[code]) & 0xFFFFFF
            assert int(table[folded]) >> 24 == WORD, hex(code)
            assert int(table[folded]) & 0xFFFFFF == folded, hex(code)
    assert not table.flags.writeable


def test_worst_cases_fit_the_buffers() -> None:
    for texts in (["a"] * 50, ["a b"] * 50, ["a中" * 20], ["中a" * 20], [""] * 5, ["a😀" * 9, "😀a"]):
        t = Text.of(texts)
        for by_character in (False, True):
            indptr, tokens = tokens_of(t.offsets, t.utf8, by_character=by_character)
            assert indptr[-1] == len(tokens)
            size = len(t.utf8) if by_character else (len(t.utf8) + len(t)) // 2
            assert len(tokens) <= size
