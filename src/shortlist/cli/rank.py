"""`shortlist rank DUELS`."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "--method", default="BradleyTerry()", show_default=True, metavar="EXPR",
    help="BradleyTerry(prior=0.1), Elo(k=32.0) or RankCentrality().",
)  # fmt: skip
@click.option("--x", default="", help="Column of the left items (default: item_x, left, model_a).")
@click.option("--y", default="", help="Column of the right items (default: item_y, right, model_b).")
@click.option(
    "--winner", default="",
    help="Column of results: x, y or tie, the winner's name, or the probability that x wins.",
)  # fmt: skip
@click.option("--weight", default="", help="Column of weights (default: weight or count if there is one).")
@click.option("--format", "format_", default="", metavar="FORMAT", help="jsonl, csv, tsv, parquet or arrow.")
@click.option("--top", default=50, show_default=True, type=click.IntRange(1), help="Items to show.")
@click.option("--json", "as_json", is_flag=True, help="The board for machines, all items.")
def rank(
    inputs: tuple[str, ...], method: str, x: str, y: str, winner: str, weight: str,
    format_: str, top: int, as_json: bool,
) -> None:  # fmt: skip
    """Rank the items of duels: strengths, intervals, and who is tied with the first.

    INPUTS are JSONL, CSV, TSV, Parquet or Arrow files of one duel a row (also .gz, .zst), globs, or - for
    stdin.

    \b
    shortlist rank duels.csv
    shortlist rank arena.parquet --method 'BradleyTerry(prior=0.1)' --json
    """
    from shortlist.doors import rank as door  # the engine is loaded when it is needed
    from shortlist.report.board import board_text

    ranker = door.ranker(method)
    duels = door.read_duels(list(inputs), x=x, y=y, winner=winner, weight=weight, format=format_)
    facts = door.facts(door.rank(duels, ranker), duels, ranker)
    click.echo(json.dumps(facts) if as_json else board_text(facts, top), nl=as_json)
