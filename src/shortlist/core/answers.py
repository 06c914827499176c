"""When two answers are the same: one spelling, one number, or enough words in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from unicodedata import category, normalize

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import UsageError

#: Different spellings that are compared word by word, at most.
MOST = 3000
_NUMBER = re.compile(r"[+-]?(\d+(,\d{3})+|\d+)?(\.\d+)?")
_ARTICLES = {"a", "an", "the"}


def normal(answer: str) -> str:
    """One spelling: no case, punctuation, articles or extra spaces; a number is its value.

    >>> normal(" The  Cat!"), normal("$1,200.50"), normal("+26."), normal("26.0%")
    ('cat', '1200.5', '26', '26')
    """
    text = normalize("NFKC", answer).casefold().strip()
    figure = text.strip(" $€£%").rstrip(".")
    if figure and _NUMBER.fullmatch(figure) and any(c.isdecimal() for c in figure) and len(figure) < 300:
        return f"{float(figure.replace(',', '')):.12g}"
    kept = "".join(" " if category(c)[0] in "PZ" else c for c in text)
    words = [w for w in kept.split() if w not in _ARTICLES]
    # Nothing but articles or signs is an answer too ("A", "+"): it stays as it was written.
    return " ".join(words) or text


def overlap(a: str, b: str) -> float:
    """F1 of the words of two normal answers, repeats counted; 1 for equal ones.

    >>> overlap("barack obama", "obama")
    0.6666666666666666
    """
    if a == b:
        return 1.0
    x, y = Counter(a.split()), Counter(b.split())
    shared = sum((x & y).values())
    return 2.0 * shared / (x.total() + y.total()) if shared else 0.0


def alike(answers: Sequence[str], same: float) -> I64:
    """i64[n]: group of each answer, numbered by first appearance.

    Answers of one normal form are the same; below `same` = 1 also those whose words overlap by that much,
    and whatever a chain of such pairs links.

    Raises:
        UsageError: too many different answers to compare pair by pair.
    """
    code: dict[str, int] = {}
    spelt = [code.setdefault(normal(a), len(code)) for a in answers]
    group = list(range(len(code)))
    if same < 1 and len(code) > 1:
        if len(code) > MOST:
            raise UsageError(f"{len(code):,} different answers; same < 1 compares at most {MOST:,}")
        forms = list(code)
        for i, a in enumerate(forms):
            for j in range(i):
                if group[i] != group[j] and overlap(a, forms[j]) >= same:
                    low, high = sorted((group[i], group[j]))
                    group = [low if g == high else g for g in group]
    found = np.array([group[s] for s in spelt], np.int64)
    _, first, of = np.unique(found, return_index=True, return_inverse=True)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return place[of.reshape(-1)]
