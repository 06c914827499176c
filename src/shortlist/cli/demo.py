"""`shortlist demo`: the main job on a pool that every machine has, with no arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from shortlist.core.errors import StorageError

#: The budget: about what a random docstring has.
TOKENS_A_ROW = 40


@click.command()
@click.option(
    "-o", "--output", default="shortlist-demo", show_default=True, help="A folder for pool and result."
)
@click.option("-k", "--size", "k", default="300", show_default=True, help="How many rows to choose.")
@click.option("--quiet", is_flag=True, help="No progress and no report on the terminal.")
@click.option("--json", "as_json", is_flag=True, help="The verdict for machines, on stdout.")
def demo(output: str, k: str, quiet: bool, as_json: bool) -> None:
    """Curate the docstrings of the installed Python packages: no network, no model, no data of yours.

    The pool is gathered on the spot: text, package as group, words as cost; documented arguments and
    examples as scores. The choice is judged by how well it covers rows it did not see.
    """
    from shortlist.cli.curate import execute
    from shortlist.doors.request import size
    from shortlist.store.docstrings import gather

    pool = Path(output) / "pool.jsonl"
    rows = gather().to_pylist()
    try:
        pool.parent.mkdir(parents=True, exist_ok=True)
        pool.write_text("".join(json.dumps(row) + "\n" for row in rows), "ascii")
    except OSError as e:
        raise StorageError(f"{pool}: cannot be written ({e.strerror}); name another folder with -o") from None
    request = {
        "inputs": [str(pool)],
        "text": "text",
        "id": "id",
        "group": ["package"],
        "cost": ["tokens"],
        "score": ["args_documented", "has_example"],
        "k": k,
        "budget": [f"tokens={TOKENS_A_ROW * size(k, len(rows))}"],
        "quota": ["package<=10%"],
    }
    run: dict[str, Any] = {
        "output": str(Path(output) / "kept"),
        "write_as": "auto",
        "memory": "",
        "workers": 0,
    }
    run |= {"resume": False, "dry_run": False, "as_json": as_json, "quiet": quiet}
    curation = execute(request, run)
    if curation is not None and curation.ids and not quiet:
        result, first = Path(output) / "kept", curation.ids[0]
        click.echo(f"next:   shortlist why {first} {result}\n        shortlist verify {result}", err=as_json)
