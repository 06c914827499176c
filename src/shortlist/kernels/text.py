"""UTF-8 bytes to 64-bit tokens: code points decoded, case and accents folded, words and characters hashed.

Words are runs of letters, digits and the marks that belong to them. Scripts written without spaces (Han,
kana, Hangul, Thai, Lao, Khmer, Burmese, emoji) give overlapping pairs of characters instead.
"""

from __future__ import annotations

from functools import cache
from unicodedata import category, decomposition

import numpy as np
import numpy.typing as npt

from shortlist.kernels.jit import kernel

#: Code points below this are looked up one by one; above `TABLE` all are Han (to 0x40000) or nothing.
LISTED, TABLE, HAN_END = 0x3000, 0x20000, 0x40000
#: What a code point does. Kinds stand in bits 24 and up of the table, the folded code point below.
BREAK, WORD, PAIRED, SKIP = 0, 1, 2, 3

_SPACELESS = (
    (0x0E00, 0x0E80, "Thai"),
    (0x0E80, 0x0F00, "Lao"),
    (0x1000, 0x10A0, "Burmese"),
    (0x1780, 0x1800, "Khmer"),
    (0x2E80, 0x2FE0, "Han radicals"),
    (0x3005, 0x3008, "Han iteration marks"),
    (0x3021, 0x302A, "Hangzhou numerals"),
    (0x3041, 0x3097, "Hiragana"),
    (0x309D, 0x30A0, "Hiragana iteration marks"),
    (0x30A1, 0x30FB, "Katakana"),
    (0x30FC, 0x3100, "Katakana iteration marks"),
    (0x3105, 0x3190, "Bopomofo, Hangul letters"),
    (0x31A0, 0x3200, "Bopomofo, Han strokes, Katakana"),
    (0x3400, 0x4DC0, "Han A"),
    (0x4E00, 0xA48D, "Han, Yi"),
    (0xAC00, 0xD7A4, "Hangul"),
    (0xF900, 0xFB00, "Han compatibility"),
    (0xFF66, 0xFFDD, "halfwidth Katakana and Hangul"),
    (0x1B000, 0x1B170, "kana supplement"),
    (0x1F000, 0x1FB00, "emoji"),
)
_SPACED_ABOVE = ((0xA4D0, 0xABFA), (0xFB00, 0xFB50), (0xFB50, 0xFDFD), (0xFE70, 0xFEFD), (0x10000, 0x1AFFF))
_SKIPPED = ((0x00AD, 0x00AE), (0x0300, 0x0370), (0x200C, 0x2010), (0xFE00, 0xFE10))
_FULLWIDTH = ((0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B))

FNV_START = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
S27, S30, S31 = np.uint64(27), np.uint64(30), np.uint64(31)


def _letter(code: int) -> tuple[int, int]:
    """Kind and folded code point of a listed character: lower case, without accent, one to one."""
    char = chr(code)
    if category(char)[0] not in "LNM":
        return BREAK, 0
    folded = char.casefold()
    folded = folded if len(folded) == 1 else char.lower()[0]
    while (parts := decomposition(folded)) and not parts.startswith("<"):
        base, *marks = (int(p, 16) for p in parts.split())
        if any(not 0x0300 <= m < 0x0370 for m in marks):
            break
        folded = chr(base)
    return WORD, ord(folded)


@cache
def folding() -> npt.NDArray[np.uint32]:
    """u32[TABLE]: kind << 24 | folded code point, by the Unicode tables of this Python; built once."""
    table = np.zeros(TABLE, np.uint32)
    pairs = [_letter(code) for code in range(LISTED)]
    table[:LISTED] = [kind << 24 | char for kind, char in pairs]
    itself = np.arange(TABLE, dtype=np.uint32)
    for a, b in _SPACED_ABOVE:
        table[a:b] = WORD << 24 | itself[a:b]
    for a, b, _ in _SPACELESS:
        table[a:b] = PAIRED << 24 | itself[a:b]
    for a, b in _FULLWIDTH:
        table[a:b] = table[a - 0xFEE0 : b - 0xFEE0]
    for a, b in _SKIPPED:
        table[a:b] = SKIP << 24
    table.flags.writeable = False
    return table


@kernel
def mix(h: np.uint64) -> np.uint64:
    """Finish a hash: every input bit moves every output bit (the last steps of SplitMix64)."""
    h = (h ^ (h >> S30)) * MIX_A
    h = (h ^ (h >> S27)) * MIX_B
    return h ^ (h >> S31)


@kernel
def look(utf8: npt.NDArray[np.uint8], at: int, end: int, table: npt.NDArray[np.uint32]) -> tuple[int, int]:
    """Table entry of the code point at byte `at` and the byte after it; a malformed byte is a BREAK."""
    code = int(utf8[at])
    if code < 0x80:
        return int(table[code]), at + 1
    size = 2
    if code >= 0xE0:
        size = 3
    if code >= 0xF0:
        size = 4
    if code < 0xC2 or code > 0xF4 or at + size > end:
        return 0, at + 1
    code &= 0x7F >> size
    for j in range(at + 1, at + size):
        tail = int(utf8[j])
        if tail & 0xC0 != 0x80:
            return 0, at + 1
        code = code << 6 | tail & 0x3F
    if code < TABLE:
        return int(table[code]), at + size
    if code < HAN_END:
        return PAIRED << 24 | code, at + size
    return 0, at + size


@kernel
def words(
    offsets: npt.NDArray[np.int64],
    utf8: npt.NDArray[np.uint8],
    table: npt.NDArray[np.uint32],
    tokens: npt.NDArray[np.uint64],
    indptr: npt.NDArray[np.int64],
) -> None:
    """Tokens of each text in reading order: the hash of a word, or of two neighbouring PAIRED characters.

    A PAIRED character alone between others is a token by itself. offsets i64[n+1] into utf8 u8[b]; table
    as of `folding`; tokens u64[>= (b + n) // 2 + 1] and indptr i64[n+1] are filled.
    """
    m = 0
    indptr[0] = 0
    for i in range(len(offsets) - 1):
        at, end = offsets[i], offsets[i + 1]
        inside = False  # a word is open, its hash so far is `word`
        last, coupled = 0, False  # the PAIRED character just read, and whether it is in a token already
        word = FNV_START
        while at <= end:  # one step past the end closes what is open
            entry = 0
            if at < end:
                entry, at = look(utf8, at, end, table)
            else:
                at += 1
            kind, char = entry >> 24, entry & 0xFFFFFF
            if kind == SKIP:
                continue
            if inside and kind != WORD:
                tokens[m] = mix(word)
                m += 1
                inside = False
            if last != 0 and kind != PAIRED:
                if not coupled:
                    tokens[m] = mix((FNV_START ^ np.uint64(last)) * FNV_PRIME)
                    m += 1
                last = 0
            if kind == WORD:
                if not inside:
                    word = FNV_START
                    inside = True
                word = (word ^ np.uint64(char)) * FNV_PRIME
            elif kind == PAIRED:
                coupled = last != 0
                if coupled:
                    first = (FNV_START ^ np.uint64(last)) * FNV_PRIME
                    tokens[m] = mix((first ^ np.uint64(char)) * FNV_PRIME)
                    m += 1
                last = char
        indptr[i + 1] = m


@kernel
def characters(
    offsets: npt.NDArray[np.int64],
    utf8: npt.NDArray[np.uint8],
    table: npt.NDArray[np.uint32],
    tokens: npt.NDArray[np.uint64],
    indptr: npt.NDArray[np.int64],
) -> None:
    """Tokens of each text: one a folded character; what stands between words is one space.

    Shapes as in `words`, but tokens u64[>= b].
    """
    m = 0
    indptr[0] = 0
    for i in range(len(offsets) - 1):
        at, end = offsets[i], offsets[i + 1]
        gap = False
        while at < end:
            entry, at = look(utf8, at, end, table)
            kind = entry >> 24
            if kind == BREAK:
                gap = m > indptr[i]
            elif kind != SKIP:
                if gap:
                    tokens[m] = mix(GOLDEN)
                    m += 1
                    gap = False
                tokens[m] = mix(GOLDEN ^ np.uint64(entry & 0xFFFFFF))
                m += 1
        indptr[i + 1] = m


def tokens_of(
    offsets: npt.NDArray[np.int64], utf8: npt.NDArray[np.uint8], *, by_character: bool = False
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """`words` or `characters` of texts offsets i64[n+1], utf8 u8[b]: indptr i64[n+1], tokens u64[m]."""
    n, size = len(offsets) - 1, len(utf8)
    indptr = np.zeros(n + 1, np.int64)
    tokens = np.empty(size if by_character else (size + n) // 2 + 1, np.uint64)
    with np.errstate(over="ignore"):  # hashes wrap around; NumPy scalars would warn where Numba is absent
        (characters if by_character else words)(offsets, utf8, folding(), tokens, indptr)
    return indptr, tokens[: indptr[n]].copy()
