"""Options of `curate` as one request: what the command line, the manifest and `verify` share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from shortlist.core.errors import InputError, UsageError

F = TypeVar("F", bound=Callable[..., Any])

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)


def memory_bytes(text: str) -> float:
    """`'8GiB'`, `'500MB'`, `'2g'` in bytes.

    Raises:
        UsageError: it is no amount of memory.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise UsageError(f"--memory {text!r}: write a number and a unit, as 8GiB or 500MB")
    base = 1024 if match[3] or not text.strip().lower().endswith("b") else 1000
    return float(match[1]) * float(base) ** (" kmgt".index(match[2].lower() or " "))


def listed_ids(values: Sequence[str]) -> list[str]:
    """Ids of `--include`, `--exclude` and `--shown`: each value is an id, or @FILE with one id a line.

    Raises:
        InputError: the file cannot be read as UTF-8 text.
    """
    ids: list[str] = []
    for value in values:
        if not value.startswith("@"):
            ids.append(value)
            continue
        try:
            ids += [line for line in Path(value[1:]).read_text("utf-8").splitlines() if line]
        except (OSError, UnicodeDecodeError) as e:
            reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
            raise InputError(f"no ids could be read: {reason}", file=value[1:]) from None
    return ids


_INPUT = [
    click.option("--text", metavar="COL", help="The text of a row ('' for none)."),
    click.option("--id", metavar="COL", help="Ids; row numbers if there is none."),
    click.option("--vector", metavar="COL|FILE", help="Vectors: a list column, or emb.npy, emb.npz:key."),
    click.option(
        "--score", metavar="COL[:lower]", multiple=True, help="A score; higher is better unless :lower."
    ),
    click.option("--group", metavar="COL", multiple=True, help="One group a row (source, language)."),
    click.option("--tags", metavar="COL", multiple=True, help="Any number of groups a row (a list column)."),
    click.option("--cost", metavar="COL[:unit]", multiple=True, help="What a row costs (tokens, usd)."),
    click.option(
        "--holdout", metavar="COL[:lower|:label]", multiple=True, help="Set aside, to judge the choice by."
    ),
    click.option(
        "--where", metavar="SQL", help="Keep rows where this holds: \"lang = 'de' and score > 0.5\"."
    ),
    click.option("--missing", metavar="COL=RULE", multiple=True, help="median, worst, drop, or a number."),
    click.option(
        "--on-bad", type=click.Choice(["refuse", "drop"]), default="refuse", help="Rows that cannot be read."
    ),
    click.option(
        "--format", "format_", metavar="NAME", default="", help="Of the input, if its name does not say."
    ),
]
_CHOICE = [
    click.option("-k", "--size", "k", metavar="N|SHARE", help="How many rows: 500, 20k or 10%."),
    click.option(
        "--diversity",
        type=float,
        default=0.5,
        show_default=True,
        help="0 = scores alone, 1 = coverage alone.",
    ),
    click.option("--budget", metavar="COST=N", multiple=True, help="A ceiling on a cost: tokens=20000."),
    click.option(
        "--quota", metavar="RULE", multiple=True, help="'lang:de>=10%', 'source:web<=200', 'source<=40%'."
    ),
    click.option(
        "--within",
        metavar="EXPR",
        multiple=True,
        help="Any other constraint: \"Separation('vec', least=0.2)\", \"Prefix('source', at_most=0.5)\".",
    ),
    click.option("--include", metavar="ID|@FILE", multiple=True, help="Take these rows."),
    click.option("--exclude", metavar="ID|@FILE", multiple=True, help="Never take these rows."),
    click.option(
        "--shown", metavar="ID|@FILE", multiple=True, help="You have these: not taken, but covered."
    ),
    click.option(
        "--objective", metavar="EXPR", help="A method in place of the default: see `shortlist methods`."
    ),
    click.option("--solver", metavar="EXPR", help="LazyGreedy(), CostBenefit(), Greedy(), Exhaustive()."),
    click.option("--encoder", metavar="EXPR", help="What makes vectors of text: LSA(by='text', d=256)."),
    click.option(
        "--graph", metavar="EXPR", help="Neighbours of every row, for methods by='graph': KNN(by='vec')."
    ),
    click.option(
        "--drop", metavar="EXPR", multiple=True, help="What drops duplicates; 'none' drops nothing."
    ),
    click.option(
        "--dedupe-to", metavar="N|SHARE", help="Drop the most alike first until so many rows are left."
    ),
]
_RUN = [
    click.option(
        "-o", "--output", metavar="DIR", help="The result folder; '-' writes the chosen rows to stdout."
    ),
    click.option(
        "--write",
        "write_as",
        type=click.Choice(["auto", "jsonl", "csv", "tsv", "parquet", "arrow"]),
        default="auto",
        help="Format of the chosen rows; auto: as the input.",
    ),
    click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything random."
    ),
    click.option(
        "--draws",
        type=click.IntRange(39, 10_000),
        default=200,
        show_default=True,
        help="Random sets to compare with.",
    ),
    click.option(
        "--memory", metavar="SIZE", default="", help="Limit, as 8GiB; default: most of what is free."
    ),
    click.option(
        "--workers", type=click.IntRange(0), default=0, help="Threads; 0: all. Never changes the answer."
    ),
    click.option("--resume", is_flag=True, help="Continue a run that was stopped."),
    click.option("--dry-run", is_flag=True, help="Show the plan and stop."),
    click.option("--json", "as_json", is_flag=True, help="Plan or verdict for machines, on stdout."),
    click.option("--quiet", is_flag=True, help="No progress and no report on the terminal, errors apart."),
]


def input_options(command: F) -> F:
    """The options of `curate` that say what to read: `measure` reads the same way."""
    for option in reversed(_INPUT):
        command = option(command)
    return command


def request_options(command: F) -> F:
    """All options of `curate`."""
    for option in reversed([*_INPUT, *_CHOICE, *_RUN]):
        command = option(command)
    return command
