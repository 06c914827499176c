"""`shortlist why ID` and `shortlist why-not ID`: one answer, asked for by either name."""

from __future__ import annotations

import json
from pathlib import Path

import click

from shortlist.cli.answers import why_text
from shortlist.doors.why import Facts
from shortlist.doors.why import why as facts_about


def _verb(name: str, says: str) -> click.Command:
    @click.command(
        name, help=f"{says}\n\nRESULT is the folder that `shortlist curate -o` wrote (default: kept)."
    )
    @click.argument("id")
    @click.argument("result", default="kept", type=click.Path())
    @click.option("--json", "as_json", is_flag=True, help="Facts for machines.")
    def verb(id: str, result: str, as_json: bool) -> None:
        facts = facts_about(Facts.open(Path(result)), id)
        click.echo(json.dumps(facts, ensure_ascii=True) if as_json else why_text(facts))

    return verb


why = _verb("why", "Say why row ID was chosen: its gain by part, what it stands for, what it displaced.")
why_not = _verb(
    "why-not", "Say why row ID was not chosen: what covers it, what refused it, whose duplicate it is."
)
