"""Measures as tables of plain text, safe for any terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shortlist.report.inert import clip, columns, inert
from shortlist.report.numerals import figure, percent

#: Groups shown of one signal, largest first; the rest is counted.
MOST = 12
NAME = 36


def measured_text(found: Mapping[str, Any]) -> str:
    """What `doors.measure` found."""
    sets = list(found["rows"])
    out = [*_row("", sets), *_row("rows", [figure(found["rows"][s]) for s in sets])]
    if not found["vectors"]:
        out += ["", "no vectors to measure by: name a column or a file with --by"]
    for name, seen in found["vectors"].items():
        out += ["", inert(name, NAME)]
        for q, label in _orders(seen["pool"]["vendi"]):
            values = [figure(seen[s]["vendi"][q]) for s in sets]
            out += _row(f"  Vendi score, {label}", values)
        copies = [seen[s]["near_copies"] for s in sets]
        above = f"  near-copies (cosine from {figure(found['threshold'])})"
        out += _row(above, [percent(c["share"]) for c in copies])
        out += _row("  mean distance of two", [figure(seen[s]["mean_distance"]) for s in sets])
        out += _row("  least distance of two", [figure(seen[s]["least_distance"]) for s in sets])
        if "choice" in sets:
            c = seen["choice"]
            for label, value in (
                ("coverage (mean largest cosine)", c["coverage"]),
                ("facility value (its sum)", c["facility_value"]),
                ("k-centre radius (cosine distance)", c["radius"]),
            ):
                out += _row(f"  {label}", ["", figure(value)])
            if c["worst_served"] is not None:
                out += [f"  served worst: {inert(c['worst_served'], 60)}"]
    for kind in ("scores", "costs"):
        for name, seen in found[kind].items():
            out += ["", *_row(f"mean {name}", [figure(seen[s]["mean"]) for s in sets])]
    for name, seen in found["groups"].items():
        out += ["", inert(name, NAME), *_group(seen, sets)]
    return "\n".join(out) + "\n"


def passk_text(found: Mapping[str, Any]) -> str:
    """What `doors.passk` found."""
    out = [
        f"{figure(found['samples'])} samples of {figure(found['tasks'])} tasks, "
        f"{figure(found['fewest'])} or more each; 95% intervals are over tasks",
        "",
        *_row("k", ["pass@k", "interval", *(["eff@k"] if "eff" in found else [])]),
    ]
    for i, p in enumerate(found["pass"]):
        more = [figure(found["eff"][i]["value"])] if "eff" in found else []
        out += _row(
            str(p["k"]), [figure(p["value"]), f"{figure(p['low'], 3)} to {figure(p['high'], 3)}", *more]
        )
    law = found["law"]
    if law is not None:
        span = f" ({figure(law['b_low'])} to {figure(law['b_high'])})" if law["b_low"] is not None else ""
        out += [
            "",
            f"coverage follows exp(a k^b): a {figure(law['a'])}, b {figure(law['b'])}{span}, "
            f"off by {figure(law['left'], 2)}",
        ]
    return "\n".join(out) + "\n"


def _group(seen: Mapping[str, Any], sets: Sequence[str]) -> list[str]:
    out = []
    spreads = [seen[s] for s in sets]
    out += _row("  entropy (1 is even)", [figure(s["entropy"]) if s else "–" for s in spreads])
    for s in sets:
        if seen[s] and seen[s]["alarm"]:
            share = percent(seen[s]["share"])
            out.append(f"  default in the {s}: {inert(seen[s]['value'], 40)} has {share}")
    if "audit" not in seen:
        return out
    audit = seen["audit"]
    out += _row("  group", ["of pool", "of choice", "interval", "p"])
    for g in audit["groups"][:MOST]:
        span = f"{percent(g['low'])} to {percent(g['high'])}"
        cells = [percent(g["share_of_pool"]), percent(g["share_of_choice"]), span, figure(g["p"], 2)]
        out += _row("  " + inert(g["name"], NAME - 4), cells)
    more = len(audit["groups"]) - MOST
    out += [f"  and {more} more groups (--json has all)"] if more > 0 else []
    gap = f"{percent(audit['gap'])} ({percent(audit['gap_low'])} to {percent(audit['gap_high'])})"
    out.append(f"  selection rates differ by up to {gap}; lowest over highest {figure(audit['impact'], 2)}")
    return out


def _orders(scores: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(q, "largest only" if q == "inf" else f"order {q}") for q in scores]


def _row(name: str, cells: Sequence[str]) -> list[str]:
    label = clip(inert(name, 60), NAME) if name else ""
    wide = [10, 10, 16, 8] if len(cells) > 2 else [14] * len(cells)
    text = label + " " * (NAME - columns(label))
    return [(text + "".join(c.rjust(w) + " " for c, w in zip(cells, wide, strict=False))).rstrip()]
