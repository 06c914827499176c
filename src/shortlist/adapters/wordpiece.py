"""Uncased BERT tokens: text to WordPiece numbers.

Source: Devlin et al. 2019, arXiv:1810.04805; longest match first: Song et al. 2021, arXiv:2012.15524.
Deviates: the names of special tokens in a text ("[SEP]") are plain text; only the tokenizer adds them.
"""

from __future__ import annotations

from unicodedata import category, normalize

#: Words with more characters are one unknown token.
LONGEST = 100
_HAN = (
    (0x4E00, 0xA000),
    (0x3400, 0x4DC0),
    (0x20000, 0x2A6E0),
    (0x2A700, 0x2B740),
    (0x2B740, 0x2B820),
    (0x2B920, 0x2CEB0),
    (0xF900, 0xFB00),
    (0x2F800, 0x2FA20),
)


class _Plain(dict[int, str]):
    """What each decomposed character becomes, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        char, kind = chr(code), category(chr(code))
        if char in "\t\n\r":
            plain = " "
        elif kind[0] == "C" or kind == "Mn" or code == 0xFFFD:
            plain = ""
        elif kind[0] == "Z":
            plain = " "
        elif kind[0] == "P" or (code < 128 and not char.isalnum()) or any(a <= code < b for a, b in _HAN):
            plain = f" {char} "
        else:
            plain = char.lower()
        self[code] = plain
        return plain


class WordPiece:
    """A vocabulary, and what it has learned to split."""

    def __init__(self, vocabulary: list[str]) -> None:
        self._number = {piece: i for i, piece in enumerate(vocabulary)}
        self._start, self._end, self._unknown = (self._number[t] for t in ("[CLS]", "[SEP]", "[UNK]"))
        self._plain, self._known = _Plain(), dict[str, list[int]]()

    def numbers(self, text: str, length: int) -> list[int]:
        """Start, pieces, end: at most `length` numbers."""
        found = [self._start]
        for word in normalize("NFD", text).translate(self._plain).split():
            pieces = self._known.get(word)
            if pieces is None:
                pieces = self._known[word] = self._split(word)
            found += pieces
            if len(found) >= length:
                break
        return [*found[: length - 1], self._end]

    def _split(self, word: str) -> list[int]:
        if len(word) > LONGEST:
            return [self._unknown]
        pieces: list[int] = []
        at, prefix = 0, ""
        while at < len(word):
            for end in range(len(word), at, -1):
                piece = self._number.get(prefix + word[at:end])
                if piece is not None:
                    break
            else:
                return [self._unknown]
            pieces.append(piece)
            at, prefix = end, "##"
        return pieces
