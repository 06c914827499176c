"""`shortlist methods`: the catalogue, from the same sources as the docs."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import click

from shortlist.catalogue import MODULES
from shortlist.catalogue import methods as all_methods
from shortlist.core.errors import UsageError
from shortlist.core.expression import expression


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def methods(name: str | None, as_json: bool) -> None:
    """List the methods an expression may name, or show one: what it does, its options, its guarantee."""
    known = all_methods()
    if name is not None and name not in known:
        raise UsageError(f"no method is called {name!r}; `shortlist methods` lists all")
    if name is not None:
        entry = _entry(name, known[name])
        doc = (import_module(MODULES[name]).__doc__ or "").strip()
        click.echo(json.dumps(entry | {"doc": doc}) if as_json else f"{entry['expression']}\n\n{doc}")
        return
    entries = [_entry(n, cls) for n, cls in known.items()]
    if as_json:
        click.echo(json.dumps(entries))
        return
    for kind in dict.fromkeys(e["kind"] for e in entries):
        click.echo(f"{kind}:")
        for e in entries:
            if e["kind"] == kind:
                click.echo(f"  {e['name']:18} {e['says']}")


def _entry(name: str, cls: type) -> dict[str, Any]:
    module = import_module(MODULES[name])
    examples = getattr(module, "EXAMPLES", ())
    mine = [e for e in examples if type(e) is cls]
    return {
        "name": name,
        "kind": MODULES[name].split(".")[-2],
        "says": (module.__doc__ or "").strip().splitlines()[0],
        "options": [f.name for f in fields(cls)] if is_dataclass(cls) else [],
        "expression": expression(mine[0]) if mine else name,
    }
