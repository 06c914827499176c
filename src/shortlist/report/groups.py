"""How the choice shares its places among groups, beside how the pool does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shortlist.report.numerals import number

#: Groups drawn, largest in the pool or the choice first; the rest is one line.
MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Group:
    """One group: counts, and shares as percent of the widest bar."""

    name: str
    pool: int
    chosen: int
    pool_at: float
    chosen_at: float
    chosen_share: float


def groups(data: Mapping[str, Any]) -> list[Group]:
    """Bars of {'names', 'pool', 'chosen'} (counts of equal length); shares are of all places counted.

    A row with several tags counts for each, so shares are of the tags given, not of the rows.
    """
    rows = [
        (str(name), int(number(p) or 0), int(number(c) or 0))
        for name, p, c in zip(
            data.get("names") or [], data.get("pool") or [], data.get("chosen") or [], strict=False
        )
    ]
    pool, chosen = max(1, sum(r[1] for r in rows)), max(1, sum(r[2] for r in rows))
    rows.sort(key=lambda r: (-max(r[1] / pool, r[2] / chosen), r[0]))
    if len(rows) > MOST_GROUPS + 1:
        rest = rows[MOST_GROUPS:]
        tail = (f"{len(rest):,} other groups", sum(r[1] for r in rest), sum(r[2] for r in rest))
        rows = [*rows[:MOST_GROUPS], tail]
    widest = max((max(p / pool, c / chosen) for _, p, c in rows), default=1.0) or 1.0
    return [
        Group(n, p, c, round(100 * p / pool / widest, 2), round(100 * c / chosen / widest, 2), c / chosen)
        for n, p, c in rows
    ]
