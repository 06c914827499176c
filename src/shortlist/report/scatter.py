"""The map: three kinds of points as three paths, a few bytes a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shortlist.report.numerals import number

#: Units of the picture; about two a pixel on a desktop.
WIDTH, LEAST, MOST, EDGE = 1440, 900, 1440, 26
#: Points drawn at most.
POINTS = 4000

NOT_CHOSEN, CHOSEN, DROPPED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Scatter:
    """Paths of a WIDTH x height picture; `points` are (x, y, status, rank, label) for whoever hovers."""

    height: int
    paths: dict[str, str]
    counts: dict[str, int]
    points: list[tuple[int, int, int, int | None, str]]
    how: str


def scatter(data: Mapping[str, Any]) -> Scatter | None:
    """The picture of a map {'x', 'y', 'status', 'rank', 'label', 'how'}; None without points."""
    rows = list(
        zip(
            map(number, data.get("x") or []),
            map(number, data.get("y") or []),
            data.get("status") or [],
            data.get("rank") or [],
            data.get("label") or [],
            strict=False,
        )
    )
    known = [(x, y, s, r, t) for x, y, s, r, t in rows if x is not None and y is not None][:POINTS]
    if not known:
        return None
    left, right = min(r[0] for r in known), max(r[0] for r in known)
    floor, top = min(r[1] for r in known), max(r[1] for r in known)
    wide, tall = (right - left) or 1e-9, (top - floor) or 1e-9
    scale = min((WIDTH - 2 * EDGE) / wide, (MOST - 2 * EDGE) / tall)
    height = int(min(MOST, max(LEAST, tall * scale + 2 * EDGE)))
    points = [
        (
            round(WIDTH / 2 + (x - (left + right) / 2) * scale),
            round(height / 2 - (y - (floor + top) / 2) * scale),
            int(s),
            r,
            str(t),
        )
        for x, y, s, r, t in known
    ]
    kinds = {"not chosen": NOT_CHOSEN, "dropped": DROPPED, "chosen": CHOSEN}
    paths = {
        name: "".join(_stroke(p[0], p[1], code) for p in points if p[2] == code)
        for name, code in kinds.items()
    }
    counts = {name: sum(p[2] == code for p in points) for name, code in kinds.items()}
    return Scatter(height, paths, counts, points, str(data.get("how", "")))


def _stroke(x: int, y: int, status: int) -> str:
    """A stroke of no length takes its shape from its cap: round gives a dot, square on the slant a diamond.
    Both keep their size in pixels at any width. The cross is drawn in full."""
    if status == CHOSEN:
        return f"M{x} {y}l.2 .2"
    if status == DROPPED:
        return f"M{x - 7} {y - 7}l14 14m0-14l-14 14"
    return f"M{x} {y}h0"
