"""`shortlist curate`: plan, choose, judge, write."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shortlist.cli.options import listed_ids, memory_bytes, request_options
from shortlist.cli.progress import Bars
from shortlist.core.errors import UsageError
from shortlist.report.text import groups_line

if TYPE_CHECKING:
    from shortlist.doors.curate import Curation
    from shortlist.run.stages import Stages

#: Options that say how to run, not what to choose: no part of the request.
_RUN = ("output", "write_as", "memory", "workers", "resume", "dry_run", "as_json", "quiet")


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@request_options
def curate(inputs: tuple[str, ...], **options: Any) -> None:
    """Choose the best few rows of INPUTS: relevant, diverse, within budgets and quotas, with proof.

    INPUTS are JSONL, CSV, TSV, Parquet or Arrow files (also .gz, .zst), globs, or - for stdin.

    \b
    shortlist curate pool.jsonl -k 500 --text prompt --group source --score reward --cost tokens -o kept/
    shortlist curate pool.parquet -k 10% --budget tokens=2M --quota 'lang:de>=10%' --holdout label
    """
    run = {name: options.pop(name) for name in _RUN}
    execute(_request(inputs, options), run)


def _request(inputs: tuple[str, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked, defaults left out, ids of files read."""
    request: dict[str, Any] = {"inputs": list(inputs)}
    for name, value in options.items():
        # An empty --text, --id or --vector says that there is none; an empty format says nothing.
        if value is None or value == () or (name == "format_" and not value):
            continue
        request[name.rstrip("_")] = list(value) if isinstance(value, tuple) else value
    for name in ("include", "exclude", "shown"):
        if name in request:
            request[name] = listed_ids(request[name])
    return request


def execute(request: dict[str, Any], run: Mapping[str, Any]) -> Curation | None:
    """Carry out a request and show it; None for a dry run."""
    # Heavy imports wait until the options are known to be readable.
    from shortlist.doors.curate import Work, carry_out
    from shortlist.doors.preview import preview
    from shortlist.doors.request import load, recipe_of
    from shortlist.doors.result import write, write_kept
    from shortlist.doors.settle import settle
    from shortlist.report.text import preview_text, verdict_text
    from shortlist.run.driver import Local
    from shortlist.store.write import natural_format

    output = run["output"] or "kept"
    # Whatever may be read by a program is alone on stdout.
    aside = output == "-" or run["as_json"]
    if run["resume"] and (output == "-" or request["inputs"] == ["-"]):
        raise UsageError("--resume needs files to read and a folder to write")
    with Bars(quiet=run["quiet"]) as bars, tempfile.TemporaryDirectory(prefix="shortlist-") as spool:
        bars("reading", 0, 1)
        memory = memory_bytes(run["memory"]) if run["memory"] else 0.0
        loaded = load(request, work=Path(spool), memory=memory)
        bars.close()
        work = Work(
            seed=request.get("seed", 0),
            draws=request.get("draws", 200),
            memory=memory,
            on=Local(run["workers"]),
            progress=bars,
        )
        settled = settle(recipe_of(request, loaded), loaded, work.limit)
        plan = preview(settled, loaded, work.limit, work.seed)
        if not run["quiet"]:
            click.echo(preview_text(plan), err=aside)
        if run["dry_run"]:
            if run["as_json"]:
                click.echo(json.dumps(plan))
            return None
        stages = _stages(request, run, output, loaded.digest)
        curation = carry_out(settled, loaded, plan, replace(work, stages=stages))
        bars.close()
        if not run["quiet"]:
            click.echo(verdict_text(curation.evidence), err=aside)
        if output == "-":
            kind = natural_format(loaded) if run["write_as"] == "auto" else run["write_as"]
            write_kept(curation, "-", kind)
        else:
            write(curation, Path(output), request, run["write_as"])
        stages.clear()
    _account_for(curation, run, output, aside)
    return curation


def _stages(request: Mapping[str, Any], run: Mapping[str, Any], output: str, digest: str) -> Stages:
    """Where finished stages are kept until the result is whole; nowhere for stdout."""
    from shortlist.doors.manifest import versions
    from shortlist.run.stages import Stages

    if output == "-":
        return Stages(None, {})
    asked = {**request, "digest": digest, "versions": versions(), "memory": run["memory"]}
    return Stages(partial_folder(Path(output)), asked, resume=run["resume"])


def _account_for(curation: Curation, run: Mapping[str, Any], output: str, aside: bool) -> None:
    """What became of all rows, and where the report is."""
    from shortlist.doors.result import counts

    account = counts(curation)
    if not run["quiet"]:
        click.echo(_account(account), err=aside)
        if "duplicate_groups" in account:
            click.echo(groups_line(account), err=aside)
        if output != "-":
            click.echo(f"report: {Path(output, 'report.html')}", err=aside)
    if run["as_json"]:
        found = {"counts": account, "evidence": curation.evidence, "output": output}
        click.echo(json.dumps(found), err=output == "-")


def partial_folder(output: Path) -> Path:
    """Where finished stages of a run into `output` are kept until its result is whole."""
    return output.with_name(output.name + ".partial")


def _account(counts: Mapping[str, int]) -> str:
    why = ", ".join(
        f"{counts[name]:,} {name}"
        for name in ("duplicates", "leaked", "excluded", "rejected", "filtered")
        if counts.get(name)
    )
    return (
        f"rows: {counts['read']:,} read = {counts['chosen']:,} chosen + {counts['not_chosen']:,} not chosen "
        f"+ {counts['dropped']:,} dropped" + (f" ({why})" if why else "")
    )
