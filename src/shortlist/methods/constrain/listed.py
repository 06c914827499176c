"""Lists of global rows: checked once, found in a pool, written short."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool

#: A longer list is cut in texts: a message stays one line.
SHOWN = 5


def row_numbers(who: str, rows: Iterable[int]) -> tuple[int, ...]:
    """The numbers as plain integers, increasing, each once.

    Raises:
        UsageError: not a list of whole numbers >= 0.
    """
    try:
        if isinstance(rows, str | bytes):
            raise TypeError
        found = list(rows)
        if any(isinstance(r, bool) for r in found):
            raise TypeError
        numbers = sorted({index(r) for r in found})
    except TypeError:
        raise UsageError(f"{who}: rows must be a list of row numbers, found {rows!r:.80}") from None
    if numbers and numbers[0] < 0:
        raise UsageError(f"{who}: row numbers start at 0, found {numbers[0]}")
    return tuple(numbers)


def positions(pool: Pool, rows: tuple[int, ...]) -> tuple[I64, I64]:
    """Positions i64[m] of those rows that this pool has, increasing, and the rows it does not have."""
    wanted = np.array(rows, np.int64)
    at = np.searchsorted(pool.rows, wanted)
    here = np.zeros(len(wanted), bool)
    inside = at < len(pool)
    here[inside] = pool.rows[at[inside]] == wanted[inside]
    return at[here].astype(np.int64), wanted[~here]


def short(what: str, rows: Iterable[int | str]) -> str:
    """`include=4,17`, cut after five.

    >>> short("include", (1, 2, 3, 4, 5, 6, 7))
    'include=1,2,3,4,5,… (7 rows)'
    """
    names = [str(r) for r in rows]
    return f"{what}={','.join(names[:SHOWN])}" + (f",… ({len(names)} rows)" if len(names) > SHOWN else "")
