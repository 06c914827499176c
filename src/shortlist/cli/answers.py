"""Words for `why` and `why-not`: the facts of `doors.why`, as a person reads them."""

from __future__ import annotations

from typing import Any

from shortlist.report.inert import inert


def why_text(facts: dict[str, Any]) -> str:
    """A few lines of plain text, safe for a terminal."""
    lines = [f"{_name(facts)}  {facts['status']}"]
    match facts["status"]:
        case "chosen":
            lines += _chosen(facts)
        case "dropped":
            original = facts["duplicate_of"]
            place = f", chosen at {original['chosen_at']}" if original["chosen_at"] else ", not chosen itself"
            how = "because it gives away" if facts.get("leaked") else "as a duplicate of"
            lines.append(
                f"  dropped {how} {_name(original)}{place}\n"
                f"  similarity {facts['similarity']:.3f} by {facts['by']}"
            )
        case "not chosen":
            lines += _not_chosen(facts)
        case "excluded":
            lines.append("  excluded by request: it was never a candidate")
        case "shown":
            lines.append("  already shown: it counts as covered and is not chosen again")
    return "\n".join(lines)


def _name(row: dict[str, Any], width: int = 60) -> str:
    text = " ".join(str(row.get("text", "")).split())
    shown = f'  "{text[:width]}{"…" if len(text) > width else ""}"' if text else ""
    return inert(str(row["id"]) + shown)


def _parts(parts: dict[str, float]) -> str:
    return " + ".join(f"{inert(t)} {v:.4g}" for t, v in parts.items())


def _chosen(facts: dict[str, Any]) -> list[str]:
    share = facts["share_of_total"]
    lines = [
        f"  pick {facts['rank']} of {facts['of']}, gain {facts['gain']:.4g}"
        + (f" ({share:.1%} of the total)" if share is not None else "")
        + f" = {_parts(facts['parts'])}"
    ]
    rival = facts["displaced"]
    if rival:
        later = rival["chosen_later_at"]
        fate = f"chosen later, at {later}" if later else "never chosen"
        lines.append(f"  displaced {_name(rival)}: gain {rival['gain']:.4g} then, {fate}")
    stands = facts["stands_for"]
    lines.append(f"  stands for {stands['count']} rows that were not chosen")
    lines += [f"    {r['cosine']:.3f}  {_name(r)}" for r in stands["nearest"]]
    copies = facts["copies_dropped"]
    if copies["count"]:
        lines.append(f"  {copies['count']} duplicates of it were dropped")
        lines += [f"    {r['similarity']:.3f}  {_name(r)}  by {inert(r['by'])}" for r in copies["most_alike"]]
    return lines


def _not_chosen(facts: dict[str, Any]) -> list[str]:
    lines = [f"  alone it would add {facts['gain_first']:.4g}"]
    if facts["smallest_chosen_gain"] is not None:
        lines.append(
            f"  after the choice it would add {facts['gain_last']:.4g} = {_parts(facts['parts_last'])}; "
            f"the last pick added {facts['last_chosen_gain']:.4g}"
        )
    near = facts["covered_by"]
    if near:
        lines.append(f"  nearest chosen: {_name(near)} (pick {near['rank']}, cosine {near['cosine']:.3f})")
    if facts["refused"]:
        lines.append(
            f"  reached the front after {facts['refused']['after']} picks and was refused by "
            f"{inert(facts['refused']['by'])}, which was tight"
        )
    if facts["runner_up_at"]:
        lines.append(f"  runner-up at pick {', '.join(map(str, facts['runner_up_at']))}")
    return lines
