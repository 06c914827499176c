"""Picks and their receipt as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shortlist.report.inert import clip, columns, inert

#: Columns of a question and of an id, at most.
WIDE = 40


def judged_text(picks: Sequence[Mapping[str, Any]], receipt: Mapping[str, Any], top: int) -> str:
    """A line a question, then what it took."""
    shown = list(picks[:top])
    names = [inert(p["question"], WIDE) for p in shown]
    ids = ["-" if p["id"] is None else inert(p["id"], WIDE) for p in shown]
    wide = [max([columns(x) for x in col], default=0) for col in (names, ids)]
    lines = []
    for p, name, id in zip(shown, names, ids, strict=True):
        cells = [_padded(name, wide[0]), _padded(id, wide[1]), _sure(p)]
        lines.append("  ".join(cells).rstrip())
    if len(picks) > top:
        lines.append(f"… and {len(picks) - top:,} more questions (--json gives all)")
    return "\n".join([*lines, *receipt_lines(receipt)])


def receipt_lines(receipt: Mapping[str, Any]) -> list[str]:
    """Spent, calls, verdicts; then warnings."""
    spent = [f"{value:g} {unit}" for unit, value in receipt["spent"].items() if value or unit == "calls"]
    lines = ["spent: " + ", ".join(spent) + _of(receipt["budget"])]
    for role, n in receipt["calls"].items():
        more = f", {n['repeated']:,} made again after a failure" if n["repeated"] else ""
        lines.append(f"{inert(role)}: {n['paid']:,} calls paid, {n['replayed']:,} from the log{more}")
    heard = receipt["heard"]
    if heard["duels"] or heard["graded"]:
        flips = "" if heard["flip_rate"] is None else f", {heard['flip_rate']:.1%} flipped with the sides"
        graded = f", {heard['graded']:,} grades" if heard["graded"] else ""
        planted = (
            f", planted answers won {heard['fooled']} of {heard['canaries']}" if heard["canaries"] else ""
        )
        lines.append(
            f"verdicts: {heard['duels']:,} duels{graded}, {heard['abstained']:,} abstained{flips}{planted}"
        )
    return lines + [f"note: {inert(w)}" for w in receipt["warnings"]]


def _of(budget: Mapping[str, float]) -> str:
    return " of " + ", ".join(f"{v:g} {unit}" for unit, v in budget.items()) if budget else ""


def _padded(text: str, width: int) -> str:
    return clip(text, width) + " " * max(width - columns(text), 0)


def _sure(pick: Mapping[str, Any]) -> str:
    if pick["id"] is None:
        return "no answers"
    said = []
    if pick["failure"] is not None:
        said.append(f"wrong with probability at most {pick['failure']:.3g}")
    if pick["tied"] > 1:
        said.append(f"tied: {pick['tied']} answers")
    if not pick["done"]:
        said.append("best so far")
    return "; ".join(said)
