"""`shortlist measure`: numbers on a pool, and on a choice beside it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from shortlist.cli.options import input_options, listed_ids
from shortlist.core.errors import UsageError


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@input_options
@click.option("--by", metavar="COL|FILE", help="The vectors to measure by; the same as --vector.")
@click.option(
    "--choice", metavar="DIR|@FILE", help="A result folder of `curate`, or a file of ids, one a line."
)
@click.option(
    "--order", "orders", type=float, multiple=True, help="Of the Vendi score; 0.5, 1, 2 and inf if not given."
)
@click.option(
    "--alike", type=float, default=0.95, show_default=True, help="The cosine that makes near-copies."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of samples and bootstraps."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def measure(inputs: tuple[str, ...], **options: Any) -> None:
    """Measure INPUTS: effective rows, near-copies, groups; with --choice, what was chosen beside all.

    INPUTS are read as `curate` reads them.

    \b
    shortlist measure pool.jsonl --by vec --group source
    shortlist measure pool.jsonl --by vec --group source --choice kept/ --json
    """
    from shortlist.doors.measure import ORDERS, chosen, positions
    from shortlist.doors.measure import measure as found_by
    from shortlist.doors.request import load
    from shortlist.measures.vendi import check_order
    from shortlist.report.measured import measured_text

    run = {name: options.pop(name) for name in ("by", "choice", "orders", "alike", "seed", "as_json")}
    if run["by"] and options["vector"]:
        raise UsageError("--by and --vector say the same; leave one out")
    for order in run["orders"]:
        check_order("--order", order)
    if not 0 < run["alike"] <= 1:
        raise UsageError(f"--alike {run['alike']:g}: a cosine above 0 and at most 1 is needed")
    request: dict[str, Any] = {"inputs": list(inputs)}
    for name, value in {**options, "vector": run["by"] or options["vector"]}.items():
        if value is None or value == () or (name == "format_" and not value):
            continue
        request[name.rstrip("_")] = list(value) if isinstance(value, tuple) else value
    with tempfile.TemporaryDirectory(prefix="shortlist-") as spool:
        loaded = load(request, work=Path(spool))
        at, choice = None, run["choice"]
        if choice and choice.startswith("@"):
            at = positions(loaded, listed_ids([choice]), choice[1:])
        elif choice:
            at = chosen(loaded, Path(choice))
        found = found_by(loaded, at, orders=run["orders"] or ORDERS, threshold=run["alike"], seed=run["seed"])
    click.echo(json.dumps(found) if run["as_json"] else measured_text(found), nl=run["as_json"])
