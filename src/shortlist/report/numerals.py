"""Numbers as people read them: thousands set apart, significant digits, one width within a column."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Below and above these a plain decimal hides the number; powers of ten are written instead.
SMALL, LARGE = 1e-4, 1e12


def figure(x: object, digits: int = 4, *, trim: bool = True) -> str:
    """A number to so many significant digits; whole numbers in full; what is no finite number is a dash.

    >>> figure(1234567), figure(0.123456), figure(2.5e-7), figure(None), figure(-3.0)
    ('1,234,567', '0.1235', '2.5e-7', '–', '-3')
    """
    v = number(x)
    if v is None:
        return "–"
    if v == int(v) and abs(v) < LARGE:
        return f"{int(v):,}"
    if not SMALL <= abs(v) < LARGE:
        return _power(v, digits)
    return fixed(v, max(0, digits - 1 - math.floor(math.log10(abs(v)))), trim=trim)


def fixed(x: float, decimals: int, *, trim: bool = False) -> str:
    """A number with so many decimals; `trim` drops zeros at the end.

    >>> fixed(1234.5, 2), fixed(1234.5, 2, trim=True), fixed(-0.0001, 2)
    ('1,234.50', '1,234.5', '0.00')
    """
    text = f"{x:,.{decimals}f}"
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def aligned(values: Sequence[object], digits: int = 3) -> list[str]:
    """Numbers that will be compared, with equal decimals: enough that their spread shows.

    >>> aligned([0.81234, 0.8199, None])
    ['0.81234', '0.81990', '–']
    >>> aligned([1, 20, 3000])
    ['1', '20', '3,000']
    """
    numbers = [number(v) for v in values]
    good = [v for v in numbers if v is not None]
    largest = max((abs(v) for v in good), default=0.0)
    if all(v == int(v) for v in good) or (largest > 0 and not SMALL * 10 <= largest < LARGE):
        return [figure(v, digits) for v in numbers]
    spread = max(good) - min(good)
    scale = spread if spread > largest * 1e-6 else largest
    decimals = min(8, max(0, digits - 1 - math.floor(math.log10(scale)))) if scale > 0 else 0
    return ["–" if v is None else fixed(v, decimals) for v in numbers]


def percent(x: object) -> str:
    """A share as a percentage to two significant digits.

    >>> percent(0.0342), percent(0.25), percent(0.0), percent(None)
    ('3.4%', '25%', '0%', '–')
    """
    v = number(x)
    return "–" if v is None else figure(100.0 * v, 2) + "%"


def typeset(text: str) -> str:
    """A number as print has it: a true minus sign, powers of ten raised.

    >>> typeset("-2.5e-7"), typeset("1,234")
    ('−2.5×10⁻⁷', '1,234')
    """
    mantissa, e, exponent = text.replace("-", "−").partition("e")
    return mantissa + ("×10" + exponent.translate(_RAISED) if e else "")


_RAISED = str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def signed(text: str) -> str:
    """A plus sign before a difference that is above zero."""
    return text if text.startswith(("-", "–")) or not text.strip("0.,") else "+" + text


def number(x: object) -> float | None:
    """A finite number as a float; anything else (None, NaN, text, an integer beyond any float) is None."""
    if isinstance(x, bool) or not isinstance(x, int | float):
        return None
    try:
        return float(x) if math.isfinite(x) else None
    except OverflowError:
        return None


def pair(low: object, high: object) -> tuple[float, float] | None:
    """Both numbers, or None if either misses."""
    a, b = number(low), number(high)
    return None if a is None or b is None else (a, b)


def _power(x: float, digits: int) -> str:
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"
