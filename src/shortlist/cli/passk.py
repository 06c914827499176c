"""`shortlist passk`: pass@k and eff@k of a file of results."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@click.option("--task", metavar="COL", default="task_id", show_default=True, help="The task of a sample.")
@click.option("--passed", metavar="COL", default="passed", show_default=True, help="1 or true if it passed.")
@click.option("--efficiency", metavar="COL", default="", help="Its efficiency, 0 if it failed: adds eff@k.")
@click.option("-k", "ks", type=click.IntRange(1), multiple=True, help="Sizes; 1, 2, 5, 10 … if not given.")
@click.option("--where", metavar="SQL", help="Count rows where this holds.")
@click.option(
    "--format", "format_", metavar="NAME", default="", help="Of the input, if its name does not say."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def passk(inputs: tuple[str, ...], as_json: bool, format_: str, **options: Any) -> None:
    """How likely one of k samples passes, without bias: INPUTS have a row a sample, with task and verdict.

    \b
    shortlist passk results.jsonl
    shortlist passk results.csv --task question --passed correct -k 1 -k 10 --json
    """
    from shortlist.doors.passk import passk as found_by
    from shortlist.report.measured import passk_text

    found = found_by(list(inputs), format=format_, **options)
    click.echo(json.dumps(found) if as_json else passk_text(found), nl=as_json)
