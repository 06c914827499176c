"""`shortlist update RESULT -i POOL -o DIR`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from shortlist.cli.options import memory_bytes
from shortlist.cli.progress import Bars
from shortlist.core.errors import UsageError
from shortlist.report.inert import inert

#: Rows named in each line; all are in update.json.
NAMED = 5


@click.command()
@click.argument("result", default="kept", type=click.Path())
@click.option(
    "-i", "--input", "inputs", multiple=True, help="The pool as it is now; default: the files read then."
)
@click.option("--vector", metavar="FILE", help="Its vectors, where they lie in a file of their own.")
@click.option(
    "-o", "--output", metavar="DIR", required=True, help="The result folder; it may be the old one."
)
@click.option(
    "--least",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="A swap has to raise the objective by this share; 1: no swaps.",
)
@click.option(
    "--draws", type=click.IntRange(39, 10_000), help="Random sets to compare with; default: as then."
)
@click.option("--memory", metavar="SIZE", default="", help="Limit, as 8GiB; default: most of what is free.")
@click.option(
    "--workers", type=click.IntRange(0), default=0, help="Threads; 0: all. Never changes the answer."
)
@click.option("--json", "as_json", is_flag=True, help="What changed, for machines, on stdout.")
@click.option("--quiet", is_flag=True, help="No progress and no report on the terminal, errors apart.")
def update(result: str, inputs: tuple[str, ...], **options: Any) -> None:
    """Keep a choice right when rows have come and gone: few changes, each with its reason.

    RESULT is the folder that `shortlist curate -o` wrote (default: kept). Rows are told by their ids. Chosen
    rows that are still there stay, gaps are filled by the same recipe, and a row is swapped where that pays.

    \b
    shortlist update kept/ -i pool-new.jsonl -o kept-new/
    """
    from shortlist.doors.curate import Work
    from shortlist.doors.manifest import absolute, open_manifest
    from shortlist.doors.request import load
    from shortlist.doors.update import Previous, carried_on
    from shortlist.run.driver import Local

    before = Previous.of(result)
    request = absolute(open_manifest(Path(result))["request"], Path(result))
    if inputs:
        request["inputs"] = list(inputs)
    if options["vector"]:
        request["vector"] = options["vector"]
    if request["inputs"] == ["-"] and not inputs:
        raise UsageError("the pool came from stdin then: name its rows as they are now with --input FILE")
    with Bars(quiet=options["quiet"]) as bars, tempfile.TemporaryDirectory(prefix="shortlist-") as spool:
        bars("reading", 0, 1)
        memory = memory_bytes(options["memory"]) if options["memory"] else 0.0
        loaded = load(request, work=Path(spool), memory=memory)
        bars.close()
        work = Work(
            seed=int(request.get("seed", 0)),
            draws=options["draws"] or int(request.get("draws", 200)),
            memory=memory,
            on=Local(options["workers"]),
            progress=bars,
        )
        done = carried_on(replace(before, request=request), loaded, options["least"], work)
        bars.close()
        done.write(options["output"])
    if options["as_json"]:
        click.echo(json.dumps(done.account))
    if not options["quiet"]:
        click.echo(_told(done.account), err=options["as_json"])
        click.echo(f"report: {Path(options['output'], 'report.html')}", err=options["as_json"])


def _told(account: Mapping[str, Any]) -> str:
    """What became of the choice, in a few lines."""
    lines = [f"kept {len(account['kept']):,} of {account['before']:,} rows; {account['after']:,} now"]
    left = account["left"]
    for why, says in (("gone", "gone"), ("duplicate", "now duplicates"), ("refused", "refused")):
        some = [_why(x) for x in left if x["why"] == why]
        lines += [f"  {says}: {_some(some)}"] if some else []
    swapped = [_why(x) for x in left if x["why"] == "swapped"]
    lines += [f"  swapped: {_some(swapped)}"] if swapped else []
    if account["filled"]:
        lines.append(f"  new: {_some([inert(i) for i in account['filled']])}")
    worth = account["objective"]
    line = f"objective: {worth['before']:.6g} of what was left, {worth['after']:.6g} now"
    if worth["after_share"] is not None:
        line += f", {worth['anew']:.6g} anew: {worth['after_share']:.1%} of its gain over random"
    kept_anew = f"chosen anew, {account['anew_keeps']:,} rows of the old choice would have stayed"
    return "\n".join([*lines, line, kept_anew])


def _why(row: Mapping[str, Any]) -> str:
    match row["why"]:
        case "duplicate":
            return f"{inert(row['id'])} of {inert(row['of'])}"
        case "swapped":
            return f"{inert(row['id'])} for {inert(row['by'])} (+{row['gain']:.4g})"
        case "refused":
            return f"{inert(row['id'])} by {inert(row['by'])}"
    return inert(str(row["id"]))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} ({', '.join(names[:NAMED])}{more})"
