"""One line of evidence: strong, weak, or no evidence that this beats random here, with the interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shortlist.measures.significance import holm

#: One-sided p-values at or below which evidence is strong, weak. Strong agrees with the 95% interval.
STRONG, WEAK = 0.025, 0.05


def judged(helps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same lines with p adjusted over the set-aside measures (Holm) and the evidence of each.

    A measure that nobody set aside stands alone.
    """
    aside = [i for i, h in enumerate(helps) if h["set_aside"]]
    better = np.array([h["p"] for h in helps])
    worse = np.array([h["p_worse"] for h in helps])
    for p in (better, worse):
        p[aside] = holm(p[aside])
    return [
        h | {"p_adjusted": float(b), "worse": bool(w <= STRONG), "evidence": level(float(b))}
        for h, b, w in zip(helps, better, worse, strict=True)
    ]


def level(p: float) -> str:
    """The word for an adjusted one-sided p-value."""
    return "strong" if p <= STRONG else "weak" if p <= WEAK else "none"


def verdict(helps: Sequence[dict[str, Any]], unmeasured: Sequence[str] = ()) -> dict[str, Any]:
    """Judged by what was set aside if anything was, else by coverage of held-out rows.

    Args:
        helps: lines as `judged` gives them.
        unmeasured: what could not be judged and why, a sentence each.
    """
    by = [h for h in helps if h["set_aside"]] or list(helps)
    names = [h["measure"] for h in by]
    if not by:
        why = "; ".join(unmeasured) or "nothing was set aside and there are no vectors to hold rows out of"
        return {"evidence": "none", "judged_by": [], "line": f"no evidence this beats random here: {why}"}
    best = min(by, key=lambda h: (h["p_adjusted"], h["p"]))
    worse = [h for h in by if h["worse"]]
    found = best["evidence"]
    if worse and found == "strong":
        found = "weak"
    line = f"{OPENING[found]}: {_said(best if found != 'none' or not worse else worse[0])}"
    notes = [f"worse than random: {_said(h)}" for h in worse if found != "none" or h is not worse[0]]
    if worse and found == "none":
        line = line.replace(OPENING["none"], OPENING["none"] + ", it is worse than random", 1)
    if len(by) > 1:
        strong = sum(h["evidence"] == "strong" for h in by)
        notes.append(f"{strong} of {len(by)} set-aside measures strong after Holm's correction")
    notes += [_signal(h) for h in by if _signal(h)]
    notes += list(unmeasured)
    return {"evidence": found, "judged_by": names, "line": "; ".join([line, *notes])}


OPENING = {
    "strong": "strong evidence that this beats random here",
    "weak": "weak evidence that this beats random here",
    "none": "no evidence this beats random here",
}


def _said(h: dict[str, Any]) -> str:
    if h["ours"] is None:
        return f"{h['measure']} could not be measured: no chosen row has a value"
    low, high = h["interval"]
    lower = " (lower is better)" if h["better"] == "lower" else ""
    return (
        f"{h['measure']} {number(h['ours'])} against {number(h['random']['mean'])}{lower}, "
        f"difference {number(h['difference'], sign=True)}, "
        f"95% interval {number(low, sign=True)} to {number(high, sign=True)}"
    )


def _signal(h: dict[str, Any]) -> str:
    """Whether one signal alone does better than the choice, by more than one draw differs from another."""
    best = h["best_signal"]
    if best is None or h["ours"] is None:
        return ""
    sign = 1.0 if h["better"] == "higher" else -1.0
    ahead = sign * (best["value"] - h["ours"])
    room = (h["interval"][1] - h["interval"][0]) / 2
    if ahead <= 0 or (ahead <= room and h["evidence"] == "none"):
        return ""
    how = "does better" if ahead > room else "does as well"
    return f"top-k by {best['name']!r} alone {how} on {h['measure']} ({number(best['value'])})"


def number(x: float, *, sign: bool = False) -> str:
    """Three significant digits, thousands apart.

    >>> number(0.123456), number(12345.6), number(0.5, sign=True), number(-1e-9, sign=True)
    ('0.123', '12,346', '+0.5', '-1e-09')
    """
    plus = "+" if sign else ""
    return f"{x:{plus},.0f}" if abs(x) >= 1000 else f"{x:{plus}.3g}"
