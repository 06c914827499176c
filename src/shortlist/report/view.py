"""From a bundle to what the page shows. Foreign text is made plain before a template sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from shortlist.report.charts import bars, difference, looks, panel
from shortlist.report.curve import curve
from shortlist.report.groups import groups
from shortlist.report.inert import readable
from shortlist.report.numerals import figure, number, percent, typeset
from shortlist.report.scatter import Scatter, scatter
from shortlist.report.text import groups_line

#: Rows in the table, and those drawn without script.
MOST_ROWS, FIRST_ROWS = 2000, 100
#: Characters of any other string, and of the manifest, for each that a string of the table may have.
LONGER, MANIFEST = 8, 250
#: Constraints drawn.
MOST_BARS = 40

STATES = ("chosen", "not chosen", "dropped", "excluded")
WORDS = {
    "strong": "Strong evidence",
    "weak": "Weak evidence",
    "none": "No evidence",
}


def plain(value: Any, longest: int) -> Any:
    """The same JSON value with strings readable and cut, numbers finite (else None), keys strings."""
    match value:
        case str():
            return readable(value, longest)
        case Mapping():
            return {readable(k, longest): plain(v, longest) for k, v in value.items()}
        case list() | tuple():
            return [plain(v, longest) for v in value]
        case None | bool():
            return value
        case int() | float():
            return value if number(value) is not None else None
    return readable(value, longest)


def view(bundle: Mapping[str, Any], width: int, most: int = MOST_ROWS) -> dict[str, Any]:
    """What the template needs: at most so many rows, `width` characters of each string in them."""
    rows = [row(r, width) for r in list(bundle.get("rows") or [])[:most]]
    manifest = bundle.get("manifest") or {}
    points = dict(bundle.get("map") or {})
    points["label"] = [readable(t, min(width, 90)) for t in points.get("label") or []]
    points["how"] = readable(points.get("how", ""), LONGER * width)
    rest = plain({k: v for k, v in bundle.items() if k not in ("rows", "map", "manifest")}, LONGER * width)
    evidence = rest.get("evidence") or {}
    asked, counts = evidence.get("asked") or {}, rest.get("counts") or {}
    objective = asked.get("objective") or {}
    look = looks(list(objective.get("signals") or {}))
    for part in [*(asked.get("parts") or []), *(evidence.get("helps") or [])]:
        look = {**looks([*look, *(n for n in part.get("signals") or {} if n not in look)])}
    cloud = scatter(points)
    return {
        "title": rest.get("title") or "Choice",
        "account": _account(counts),
        "verdict": verdict(evidence.get("verdict") or {}),
        "asked": _asked(asked, look),
        "helps": [_help(h, look) for h in evidence.get("helps") or []],
        "cloud": cloud,
        "curves": _curves(asked.get("curve") or {}, look),
        "mix": groups(rest.get("groups") or {}),
        "mix_by": (rest.get("groups") or {}).get("column") or "group",
        "preview": _preview(rest.get("preview") or {}),
        "rows": rows[:FIRST_ROWS],
        "shown": len(rows),
        "exist": int(number(counts.get("read")) or 0) or len(bundle.get("rows") or []),
        "groups": sorted({r["u"] for r in rows if r["u"]})[:200],
        "states": [s for s in STATES if any(r["s"] == s for r in rows)],
        "has": {key: any(r[key] not in ("", None) for r in rows) for key in "xucy"}
        | {"g": any(r["h"] or r["p"] for r in rows)},
        "manifest": manifest_text(manifest, MANIFEST * width),
        "data": script_json({"rows": rows, "points": cloud.points if cloud else [], **_frame(cloud)}),
    }


def _account(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Every row: read = chosen + not chosen + dropped, and what the dropped are made of."""
    main = [
        (n, n.replace("_", " "), counts[n])
        for n in ("read", "chosen", "not_chosen", "dropped")
        if n in counts
    ]
    kinds = ("duplicates", "leaked", "excluded", "rejected", "filtered")
    return {
        "main": main,
        "dropped": [(n, counts[n]) for n in kinds if number(counts.get(n))],
        "alike": groups_line(counts) if number(counts.get("duplicate_groups")) else "",
    }


def verdict(found: Mapping[str, Any]) -> dict[str, Any]:
    """The headline: which of the three, its words, the line, what judged."""
    evidence = str(found.get("evidence"))
    evidence = evidence if evidence in WORDS else "none"
    line = found.get("line") or "nothing was judged: no rows were held out and no signal was set aside"
    # The headline has said the opening already.
    line, *notes = re.sub(r"^(strong|weak|no) evidence (that )?this beats random here[:,] ", "", line).split(
        "; "
    )
    return {
        "evidence": evidence,
        "words": WORDS[evidence],
        "line": line[:1].upper() + line[1:],
        "notes": notes,
        "judged_by": found.get("judged_by") or [],
    }


def _asked(asked: Mapping[str, Any], look: Mapping[str, str]) -> dict[str, Any]:
    objective = asked.get("objective") or {}
    panels = [panel("Objective", objective, look)] if number(objective.get("ours")) is not None else []
    parts = asked.get("parts") or []
    # One part of weight 1 is the objective over again.
    for p in parts if len(parts) > 1 else []:
        weight = number(p.get("weight"))
        extra = f", weight {figure(weight)}" if weight is not None else ""
        panels.append(panel(f"{p.get('term', 'part')}{extra}", p, look))
    within = number(objective.get("within"))
    # Those that were tight come first; many more are folded away.
    limits = sorted(asked.get("constraints") or [], key=lambda c: not c.get("tight"))
    return {
        "panels": panels,
        "within": None if within is None else percent(within) if within else "",
        "ended": _ended(asked.get("size") or {}),
        "draws": asked.get("draws"),
        "measured_on": asked.get("measured_on"),
        "bars": bars(limits)[:MOST_BARS],
        "more_bars": max(0, len(limits) - MOST_BARS),
        "equal": _equal(asked),
    }


def _ended(size: Mapping[str, Any]) -> str:
    """Why fewer rows were chosen than were asked for; '' if as many."""
    short = size.get("ended")
    return (
        f"{figure(size.get('ours'))} of {figure(size.get('asked'))} rows asked for: {short}" if short else ""
    )


def _equal(asked: Mapping[str, Any]) -> list[tuple[str, Any, Any, Any]]:
    """(name, ours, random, limit) of the size and of each cost: what the draws have in common with us."""
    size = asked.get("size")
    lines = [("rows", size.get("ours"), size.get("random"), None)] if size else []
    for c in asked.get("costs") or []:
        name, unit = str(c.get("name", "")), c.get("unit") or ""
        shown = name if unit in ("", name) else f"{name} ({unit})"
        lines.append((shown, c.get("ours"), (c.get("random") or {}).get("mean"), c.get("limit")))
    return lines


def _preview(found: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("name", "role", "direction", "coverage", "missing", "fill", "range", "origin")
    return {
        "lines": [(line.get("name", ""), line.get("value")) for line in found.get("lines") or []],
        "ignored": list((found.get("ignored") or {}).items()),
        "notes": found.get("notes") or [],
        "signals": [{f: s.get(f) for f in fields} for s in found.get("signals") or []],
    }


def _help(h: Mapping[str, Any], look: Mapping[str, str]) -> dict[str, Any]:
    evidence = str(h.get("evidence"))
    evidence = evidence if evidence in WORDS else "none"
    lower = h.get("better") == "lower"
    return {
        "panel": panel(str(h.get("measure", "")), h, look, descending=not lower),
        "gap": difference("difference from random", h.get("difference"), h.get("interval")),
        "evidence": evidence,
        "words": "Worse than random" if h.get("worse") else WORDS[evidence],
        "lower": lower,
        "set_aside": bool(h.get("set_aside")),
        "column": h.get("column"),
        "how": h.get("how") or "",
        "p": number(h.get("p_adjusted") if h.get("p_adjusted") is not None else h.get("p")),
        "adjusted": h.get("p_adjusted") is not None,
    }


def _curves(data: Mapping[str, Any], look: Mapping[str, str]) -> list[Any]:
    """The same curve for a desk and for a hand."""
    sizes = (("wide", 560.0, 420.0, 150.0), ("narrow", 342.0, 340.0, 112.0))
    return [(name, c) for name, w, h, room in sizes if (c := curve(data, look, w, h, room)) is not None]


def row(r: Mapping[str, Any], width: int) -> dict[str, Any]:
    """A line of the table with short keys, for it is written up to 2,000 times: r rank, i id, x text, g gain,
    h gain as shown, p parts, u group, c cost, d cost as shown, s status, y reason."""
    gain, cost = number(r.get("gain")), number(r.get("cost"))
    group = r.get("group")
    if isinstance(group, Sequence) and not isinstance(group, str):
        group = ", ".join(str(g) for g in group)
    # A single part says what the gain says; that of a row not chosen is what it would add now.
    more = len(r.get("parts") or {}) > (1 if gain is not None else 0)
    parts = [
        f"{readable(k, min(width, 30))} {typeset(figure(v, 2))}"
        for k, v in islice((r.get("parts") or {}).items(), 6)
    ]
    return {
        "r": int(rank) if (rank := number(r.get("rank"))) is not None else None,
        "i": readable(r.get("id", ""), width),
        "x": readable(r.get("text") or "", width),
        "g": gain,
        "h": "" if gain is None else typeset(figure(gain, 3, trim=False)),
        "p": ("" if gain is not None else "would add ") + " · ".join(parts) if more else "",
        "u": readable("" if group is None else group, min(width, 80)),
        "c": cost,
        "d": "" if cost is None else typeset(figure(cost)),
        "s": status if (status := r.get("status")) in STATES else "not chosen",
        "y": readable(r.get("reason") or "", width),
    }


def _frame(cloud: Scatter | None) -> dict[str, Any]:
    return {"height": cloud.height} if cloud else {}


def manifest_text(manifest: Mapping[str, Any], most: int) -> str:
    """The manifest as indented JSON, made plain; cut, with a note that the file beside the page is longer."""
    text = json.dumps(plain(manifest, most), indent=2, ensure_ascii=False)
    if len(text) <= most:
        return text
    return text[:most] + f"\n… {len(text) - most:,} more characters in manifest.json"


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, nor be read as a comment or an entity."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text
