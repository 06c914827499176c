"""Foreign text made harmless for a terminal: what moves, hides, links or reorders is spelled out."""

from __future__ import annotations

import unicodedata

#: Invisible but part of how words are written (joiners; signs that Arabic and Syriac set before numbers).
_WRITTEN = frozenset("\u200c\u200d\u00ad\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")


def inert(text: object, width: int | None = None) -> str:
    r"""Text for a terminal: control characters, escape sequences, bidi marks and overrides, line separators,
    invisible tags and lone surrogates appear as escapes; all other characters stay as they are.

    Args:
        text: anything; `str()` of it is shown.
        width: cut to so many columns, marked by an ellipsis.

    >>> inert("\x1b[31mred\x1b[0m"), inert("a\u202eb"), inert("naïve 東京")
    ('\\x1b[31mred\\x1b[0m', 'a\\u202eb', 'naïve 東京')
    """
    raw = str(text)
    if width is not None:
        raw = raw[: 4 * width + 4]  # combining marks aside, no more can ever show
    safe = _spelled(raw)
    return safe if width is None else clip(safe, width)


def readable(text: object, longest: int) -> str:
    r"""Text for a page: as `inert`, but line breaks and tabs become spaces; cut to so many characters.

    >>> readable("a\n b\x00\u202e", 80), readable("abcdef", 4)
    ('a b\\x00\\u202e', 'abc…')
    """
    raw = str(text)
    # Runs of space are cut before the length is, so that indented text keeps its words.
    words = " ".join(raw[: 8 * longest + 8].split())
    safe = _spelled(words[: longest + 1])
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def columns(text: str) -> int:
    """Terminal columns a string takes: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_cell(c) for c in text)


def clip(text: str, width: int) -> str:
    """A string cut to so many columns, marked by an ellipsis.

    >>> clip("abcdef", 4), clip("abcd", 4), clip("東京都", 4)
    ('abc…', 'abcd', '東…')
    """
    if columns(text) <= width:
        return text
    room, out = width - 1, []
    for c in text:
        room -= _cell(c)
        if room < 0:
            break
        out.append(c)
    return "".join(out) + "…"


def _cell(c: str) -> int:
    if unicodedata.combining(c) or unicodedata.category(c) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1


class _Spelling(dict[int, str]):
    """Character to what is shown for it, found out once a character. Holds at most all of Unicode."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        shown = c
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn") and c not in _WRITTEN:
            shown = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c) or (
                f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
            )
        self[code] = shown
        return shown


_SPELLING = _Spelling()


def _spelled(text: str) -> str:
    return text if text.isascii() and text.isprintable() else text.translate(_SPELLING)
