"""Quotas and budgets as they are written on a command line: `lang:de>=10%`, `source<=200`, `tokens=20k`."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction

from shortlist.core.errors import UsageError

_HOW = {
    "quota": "write lang:de>=10% (a share of k), source:web<=200 (a count) or source<=40% (every group)",
    "budget": "write tokens=20000, tokens<=20k or usd=1.5",
}
#: The number holds no operator, so the last one in the text is meant: group names may hold others.
_WRITTEN = re.compile(r'(.*?)\s*(>=|<=|==|=|≥|≤|>|<)\s*([^<>=≥≤"]*)', re.DOTALL)
_OPERATORS = {"≥": ">=", "≤": "<=", "==": "="}
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
#: Plain, with _ or with , between thousands; a power of ten; a suffix.
_NUMBER = re.compile(
    r"((?:\d{1,3}(?:,\d{3})+|\d[\d_]*)?(?:\.\d+)?(?:e[+-]?\d{1,2})?)\s*([kmgb]?)", re.IGNORECASE
)
_TIMES = {"": 0, "k": 3, "m": 6, "g": 9, "b": 9}


def read_quota(text: str, signals: Collection[str] = ()) -> tuple[str, str | None, str, int | float]:
    """Signal, group (None: every group), operator (>=, <= or =) and bound of a quota.

    The signal ends at the first colon, or where one of the known `signals` ends; a name in double quotes
    (backslash escapes) is taken as it is.

    >>> read_quota('lang:de>=10%')
    ('lang', 'de', '>=', 0.1)
    >>> read_quota('"my: tag":<3 ≤ 0.5')
    ('my: tag', '<3', '<=', 0.5)

    Raises:
        UsageError: in one line, with the fix.
    """
    left, operator, right = _apart("quota", text)
    by, group = _names(text, left, signals)
    bound = _bound(text, right)
    if operator == "=" and isinstance(bound, float):
        raise _unreadable("quota", text, "a share rarely comes out exactly: bound it with >= or <=")
    return by, group, operator, bound


def read_budget(text: str, signals: Collection[str] = ()) -> tuple[str, int | float]:
    """Costs and their limit.

    >>> read_budget('tokens=20000'), read_budget('tokens <= 1.5M'), read_budget('usd=0.25')
    (('tokens', 20000), ('tokens', 1500000), ('usd', 0.25))

    Raises:
        UsageError: in one line, with the fix.
    """
    left, operator, right = _apart("budget", text)
    if operator == ">=":
        raise _unreadable("budget", text, "a budget is a most, not a least")
    name = _QUOTED.fullmatch(left)
    by = _unescaped(name[1]) if name and left not in signals else left
    if not by:
        raise _unreadable("budget", text, "the costs are not named")
    amount = _number(right)
    if amount is None:
        raise _unreadable("budget", text, f"{right!r} is no number")
    return by, _plain(amount)


def quota_text(by: str, group: str | None, operator: str, bound: int | float) -> str:
    """A quota as it is written; `read_quota` gives its parts back.

    >>> quota_text('lang', 'de', '>=', 0.1), quota_text('source', None, '<=', 200)
    ('lang:de>=10%', 'source<=200')
    """
    name = _quoted(by, ":" in by)
    return name + ("" if group is None else ":" + _quoted(group, False)) + operator + number_text(bound)


def budget_text(by: str, most: int | float) -> str:
    """A budget as it is written; `read_budget` gives its parts back."""
    return f"{_quoted(by, False)}<={most}"


def separation_text(by: str, least: float) -> str:
    """A least distance.

    >>> separation_text('vec', 0.2)
    'apart by vec>=0.2'
    """
    return f"apart by {_quoted(by, False)}>={least:g}"


def number_text(bound: int | float) -> str:
    """A count as it is, a share in per cent, exactly.

    >>> number_text(0.07), number_text(3), number_text(1.0)
    ('7%', '3', '100%')
    """
    if isinstance(bound, int):
        return str(bound)
    percent = format(Decimal(repr(bound)) * 100, "f")
    return (percent.rstrip("0").rstrip(".") if "." in percent else percent) + "%"


def _apart(what: str, text: str) -> tuple[str, str, str]:
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise _unreadable(what, text, "it has no bound")
    left, operator, right = found.groups()
    if operator in ("<", ">"):
        raise _unreadable(what, text, f"{operator!r} alone is not read: write {operator}=")
    return left, _OPERATORS.get(operator, operator), right.strip()


def _names(text: str, left: str, signals: Collection[str]) -> tuple[str, str | None]:
    known = [s for s in signals if left == s or left.startswith(s + ":")]
    quoted = _QUOTED.match(left)
    if known:
        by = max(known, key=len)
        rest = left[len(by) :]
    elif quoted and (quoted.end() == len(left) or left[quoted.end()] == ":"):
        by, rest = _unescaped(quoted[1]), left[quoted.end() :]
    else:
        by, colon, after = left.partition(":")
        by, rest = by.strip(), colon + after
    if not by and not quoted:
        raise _unreadable("quota", text, "the signal is not named")
    if not rest:
        return by, None
    group = rest[1:].strip()
    name = _QUOTED.fullmatch(group)
    if not group:
        raise _unreadable("quota", text, 'the group is not named (the empty group is "")')
    return by, _unescaped(name[1]) if name else group


def _bound(text: str, right: str) -> int | float:
    percent = right.endswith("%")
    amount = _number(right[:-1].rstrip() if percent else right)
    if amount is None:
        raise _unreadable("quota", text, f"{right!r} is no count and no share")
    share = amount / 100 if percent else amount
    if not percent and "." not in right and "e-" not in right.lower():
        return int(amount)
    if share > 1:
        said = "a share is at most 100%" if percent else "a count is a whole number and a share at most 1"
        raise _unreadable("quota", text, f"{right!r}: {said}")
    return float(share)


def _number(text: str) -> Fraction | None:
    found = _NUMBER.fullmatch(text.removeprefix("+"))
    if not found or not found[1] or found[1].lower().startswith("e"):
        return None
    digits = found[1].replace("_", "").replace(",", "")
    times: int = 10 ** _TIMES[found[2].lower()]
    return Fraction(digits) * times


def _plain(amount: Fraction) -> int | float:
    return int(amount) if amount.denominator == 1 else float(amount)


def _unreadable(what: str, text: str, why: str) -> UsageError:
    return UsageError(f"cannot read the {what} {text[:80]!r}: {why}; {_HOW[what]}")


def _quoted(name: str, needed: bool) -> str:
    bare = name and name == name.strip() and not name.startswith('"') and not needed
    return name if bare else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unescaped(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name, flags=re.DOTALL)
