"""A board of items as plain text: ranks, intervals, and who is tied with the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shortlist.report.inert import inert

#: Items shown; the rest is counted.
MOST = 50


def board_text(facts: Mapping[str, Any], most: int = MOST) -> str:
    """Lines for a terminal; `facts` as the rank door gives them."""
    items, level = facts["items"], facts["level"]
    head = f"{len(items):,} items, {facts['duels']:,} duels, {inert(facts['method'])}"
    if not items:
        return head + "\n"
    width = min(max(len(inert(i["item"], 40)) for i in items[:most]), 40)
    title = f"{'rank':>5}  {'item':{width}}  {'score':>9}"
    if level is not None:
        title += f"  {f'{level:.0%} interval':^19}  {'ranks':>9}"
    lines = [head, f"scores in {facts['unit']}", "", title + "  duels"]
    for i in items[:most]:
        mark = "*" if i["tied_with_first"] else " "
        line = f"{i['rank']:>4}{mark}  {inert(i['item'], 40):{width}}  {round(i['score'], 9) + 0.0:>9.4g}"
        if level is not None:
            ranks = f"{i['rank_low']}-{i['rank_high']}"
            line += f"  {i['low']:>9.4g} {i['high']:>9.4g}  {ranks:>9}"
        lines.append(f"{line}  {i['duels']:,.6g}")
    if len(items) > most:
        lines.append(f"      and {len(items) - most:,} more")
    lines.append("")
    if level is None:
        lines.append("this method states no intervals: nothing is said about who is tied with whom")
    else:
        tied = facts["tied_with_first"]
        shown = ", ".join(inert(t, 40) for t in tied[:10])
        more = f" and {len(tied) - 10:,} more" if len(tied) > 10 else ""
        what = "nobody is tied with the first" if len(tied) == 1 else "* statistically tied with the first"
        lines.append(f"{what} (holds the best item with {level:.0%} confidence): {shown}{more}")
    return "\n".join(lines) + "\n"
