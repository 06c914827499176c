"""The plan and the verdict as plain text of 80 columns, safe for any terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shortlist.report.inert import clip, columns, inert
from shortlist.report.numerals import aligned, figure, number, pair, percent, signed

WIDTH = 80
#: Width of the first column.
NAME = 24
#: Signals compared with, best first; the rest is counted.
MOST_SIGNALS = 6
#: Constraints shown, tight ones first; the rest is counted.
MOST_CONSTRAINTS = 10


def preview_text(preview: Mapping[str, Any]) -> str:
    """The plan before work: what was found and what will be done, and the signals as a table."""
    out = ["The plan", ""]
    out += [_field(line.get("name", ""), line.get("value")) for line in preview.get("lines") or []]
    signals = list(preview.get("signals") or [])
    if signals:
        head = ["signal", "role", "direction", "present", "range", "known by"]
        body = [
            [
                s.get("name"),
                s.get("role"),
                s.get("direction"),
                percent(s.get("coverage")),
                s.get("range"),
                s.get("origin"),
            ]
            for s in signals
        ]
        out += ["", *_table(head, body, right={3})]
        out += [_wrap(_gaps(s), 4) for s in signals if number(s.get("missing"))]
    ignored = preview.get("ignored") or {}
    if ignored:
        out += ["", "  not used"]
        out += [_wrap(f"{inert(name, 40)}: {inert(why)}", 4) for name, why in ignored.items()]
    notes = [_wrap(inert(note), 2) for note in preview.get("notes") or []]
    return "\n".join([*out, *(["", *notes] if notes else [])]) + "\n"


def groups_line(counts: Mapping[str, Any]) -> str:
    """How the duplicates hang together, from the account of all rows.

    >>> groups_line({"duplicates": 1204, "duplicate_groups": 311, "largest_group": 57})
    'duplicates: 1,204 in 311 groups, the largest of 57 rows with the one that stays'
    """
    many = figure(counts["duplicate_groups"]) + (" groups" if counts["duplicate_groups"] != 1 else " group")
    rows = f"the largest of {figure(counts['largest_group'])} rows with the one that stays"
    return f"duplicates: {figure(counts['duplicates'])} in {many}, {rows}"


def _gaps(signal: Mapping[str, Any]) -> str:
    """What missing values mean."""
    meaning = inert(signal.get("fill") or "left out")
    return f"{inert(signal.get('name'), 40)}: {figure(signal['missing'])} missing, {meaning}"


def verdict_text(evidence: Mapping[str, Any]) -> str:
    """What was asked, whether it helps, and a last line of evidence. The two parts are never mixed."""
    asked, helps = evidence.get("asked") or {}, evidence.get("helps") or []
    found = evidence.get("verdict") or {}
    out = [*_asked(asked), "", "Whether it helps (judged only by what the choice did not see)", ""]
    for h in helps:
        out += _help(h)
    if not helps:
        out += ["  nothing was held out or set aside", ""]
    line = inert(found.get("line") or "no evidence this beats random here: nothing was judged")
    return "\n".join([*out, *_lines(line[:1].upper() + line[1:], "", "")]) + "\n"


def _asked(asked: Mapping[str, Any]) -> list[str]:
    draws, on = asked.get("draws"), asked.get("measured_on")
    known = [f"{figure(draws)} random draws, 95% interval" if draws else "", inert(on) if on else ""]
    told = "; ".join(k for k in known if k)
    out = [*_lines("What was asked" + (f" ({told})" if told else ""), "", "  "), ""]
    objective, parts = asked.get("objective") or {}, list(asked.get("parts") or [])
    shown = [("objective", objective)] if objective else []
    # One part of weight 1 is the objective over again.
    shown += [(str(p.get("term", "part")), p) for p in parts] if len(parts) > 1 else []
    names = _best(objective.get("signals") or {}, descending=True)
    cells = [_cells(m, names) for _, m in shown]
    # As many measures side by side as their numbers leave room for.
    widest = max((columns(v) for column in cells for v in column), default=0)
    beside = min(3, max(1, (WIDTH - NAME - 2) // (widest + 1)))
    for i in range(0, len(shown), beside):
        titles = [title for title, _ in shown[i : i + beside]]
        out += [*_side_by_side(titles, names, cells[i : i + beside]), ""]
    more = len(objective.get("signals") or {}) - len(names)
    out += [f"  and {more} more signals that come after these", ""] if more > 0 else []
    within = number(objective.get("within"))
    if within is not None:
        near = f"within {percent(within)} of the best possible" if within else "the best possible"
        out += [f"  {near} for this run", ""]
    size, costs = asked.get("size"), asked.get("costs") or []
    spent: list[tuple[str, Mapping[str, Any], float | None]] = [("rows", size, None)] if size else []
    spent += [(inert(c.get("name", ""), 20), c, number(c.get("limit"))) for c in costs]
    for name, c, limit in spent:
        random = c.get("random")
        mean = random.get("mean") if isinstance(random, Mapping) else random
        rest = f", at most {figure(limit)}" if limit is not None else ""
        short = c.get("ended")
        of = f" of {figure(c.get('asked'))} asked for ({inert(short)})" if short else ""
        out.append(_wrap(f"{name}: {figure(c.get('ours'))}{of}, random {figure(mean)}{rest}", 2))
    constraints = asked.get("constraints") or []
    if constraints:
        # Tight ones first: with many groups the others say little one by one.
        first = sorted(constraints, key=lambda c: not c.get("tight"))[:MOST_CONSTRAINTS]
        rows = [_constraint(c) for c in first]
        out += ["", *_table(["constraint", "found", "at least", "at most", "room"], rows, right={1, 2, 3})]
        more = len(constraints) - len(first)
        out += [f"  and {more} more, all met (in the report)"] if more else []
    return out


def _constraint(c: Mapping[str, Any]) -> list[str]:
    slack = number(c.get("slack"))
    short = slack is not None and slack < 0
    room = (
        "tight" if c.get("tight") and not short else "" if slack is None else f"{figure(abs(slack))} to spare"
    )
    if short and slack is not None:
        room = f"short by {figure(-slack)}"
    sides = ["" if number(c.get(side)) is None else figure(c[side]) for side in ("low", "high")]
    return [str(c.get("text", "")), figure(c.get("value")), *sides, room]


def _cells(m: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """A measure as numbers of one width: ours, random, its interval, each signal, the bound; '' for none."""
    random, signals = m.get("random") or {}, m.get("signals") or {}
    values = [m.get("ours"), random.get("mean"), *(signals.get(n) for n in names), m.get("bound")]
    span = pair(random.get("low"), random.get("high"))
    text = ["" if v == "–" else v for v in aligned([*values, *(span or ())])]
    interval = f"{text[-2]} to {text[-1]}" if span else ""
    return [*text[:2], interval, *text[2 : len(values)]]


def _side_by_side(titles: Sequence[str], names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    labels = ["this choice", "random", "  95% interval", *(f"top by {n}" for n in names), "best possible"]
    wide = max(17, *(columns(v) + 1 for column in cells for v in column))
    out = ["  " + " " * NAME + "".join(_right(inert(title, wide - 2), wide) for title in titles)]
    for i, label in enumerate(labels):
        row = [column[i] for column in cells]
        if any(row):
            line = "  " + _left(inert(label, NAME - 1), NAME) + "".join(_right(v, wide) for v in row)
            out.append(line.rstrip())
    return out


def _help(h: Mapping[str, Any]) -> list[str]:
    lower = h.get("better") == "lower"
    words = {"strong": "strong evidence", "weak": "weak evidence"}.get(str(h.get("evidence")), "no evidence")
    words = "worse than random" if h.get("worse") else words
    title = inert(h.get("measure", ""), WIDTH - 4 - len(words)) + (" (lower is better)" if lower else "")
    title = clip(title, WIDTH - 4 - len(words))
    random, signals = h.get("random") or {}, h.get("signals") or {}
    names = _best(signals, descending=not lower)[:3]
    values = [h.get("ours"), random.get("mean"), *(signals[n] for n in names)]
    ends = pair(random.get("low"), random.get("high"))
    text = aligned([*values, *(ends or ())])
    extra = [f"{text[-2]} to {text[-1]}" if i == 1 and ends else "" for i in range(len(values))]
    gap, span = number(h.get("difference")), pair(*(h.get("interval") or (None, None)))
    rows = list(zip(["this choice", "random", *(f"top by {n}" for n in names)], text, extra, strict=False))
    if gap is not None:
        found = aligned([gap, *(span or ())])
        between = f"{signed(found[1])} to {signed(found[2])}" if span else ""
        adjusted = h.get("p_adjusted") is not None
        p = number(h.get("p_adjusted") if adjusted else h.get("p"))
        between += f", p {figure(p, 2)}{' adjusted' if adjusted else ''}" if p is not None else ""
        rows.append(("difference", signed(found[0]), between))
    out = ["  " + _left(title, WIDTH - 2 - len(words)) + words]
    out += [f"    {_left(inert(a, NAME - 3), NAME - 2)}{_right(b, 12)}   {c}".rstrip() for a, b, c in rows]
    return [*out, *([_wrap(inert(h["how"]), 4)] if h.get("how") else []), ""]


def _best(signals: Mapping[str, Any], *, descending: bool) -> list[str]:
    known = [(n, v) for n, x in signals.items() if (v := number(x)) is not None]
    known.sort(key=lambda nv: nv[1], reverse=descending)
    return [n for n, _ in known[:MOST_SIGNALS]]


def _table(head: Sequence[str], body: Sequence[Sequence[object]], right: set[int]) -> list[str]:
    """Aligned columns within the width: the widest is cut until all fit."""
    rows = [list(head), *([inert("" if v is None else v, 48) for v in row] for row in body)]
    wide = [max(columns(row[j]) for row in rows) for j in range(len(head))]
    while sum(wide) + 2 * len(wide) > WIDTH:
        wide[wide.index(max(wide))] -= 1
    out = []
    for row in rows:
        cells = [clip(cell, w) for cell, w in zip(row, wide, strict=True)]
        out.append(
            "  "
            + "  ".join(
                _right(c, w) if j in right else _left(c, w)
                for j, (c, w) in enumerate(zip(cells, wide, strict=True))
            )
        )
    return [line.rstrip() for line in out]


def _field(name: object, value: object) -> str:
    shown = figure(value) if number(value) is not None else inert("" if value is None else value)
    first = "  " + _left(inert(name, 10), 12)
    return "\n".join(_lines(shown, first, " " * 14))


def _wrap(text: str, indent: int) -> str:
    return "\n".join(_lines(text, " " * indent, " " * (indent + 2)))


def _lines(text: str, first: str, rest: str) -> list[str]:
    """Lines of at most WIDTH columns, broken at spaces; only a word longer than a line is cut."""
    out: list[str] = []
    line, bare = first, True
    for word in text.split():
        if not bare and columns(line) + 1 + columns(word) > WIDTH:
            out, line, bare = [*out, line.rstrip()], rest, True
        line, bare = (line if bare else line + " ") + word, False
        while columns(line) > WIDTH:
            head = clip(line, WIDTH + 1)[:-1]
            out, line = [*out, head], rest + line[len(head) :]
    return [*out, line.rstrip()]


def _left(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _right(text: str, width: int) -> str:
    return " " * (width - columns(text)) + text
