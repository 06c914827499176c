"""What the report shows, gathered from a curation: plain JSON, no drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.seeds import generator
from shortlist.core.signals import Costs, Labels, Tags, Text, Vectors
from shortlist.doors.curate import Curation
from shortlist.doors.explain import Status
from shortlist.doors.preview import lasting
from shortlist.report.layout import MOST, project

#: Rows of the table, and how many of them may be rows that were not chosen.
ROWS, OTHERS = 2000, 500
#: Dropped copies on the map.
COPIES = 300


def bundle(curation: Curation, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Everything on the page; each number stands in, or follows from, the files of the result folder."""
    from shortlist.doors.result import reason

    loaded, facts = curation.loaded, curation.facts
    a = facts.arrays
    table = _table(a)
    text = next((loaded.pool.signal(t, Text) for t in loaded.named("text")), None)
    group = _grouping(curation)
    cost = next((loaded.pool.signal(c, Costs) for c in loaded.named("cost")), None)
    rows = []
    for at in table.tolist():
        rank = int(a["rank"][at])
        rows.append(
            {
                "rank": rank + 1 if rank >= 0 else None,
                "id": loaded.ids[at],
                "text": text[at][:400] if text is not None else "",
                "gain": float(a["gains"][rank]) if rank >= 0 else None,
                "parts": facts.parts(a["parts"][rank] if rank >= 0 else a["gain_last"][at]),
                "group": _group_of(group, at),
                "cost": float(cost.values[at]) if cost is not None else None,
                "status": "chosen" if rank >= 0 else _word(int(a["status"][at])),
                "reason": reason(curation, at),
            }
        )
    return {
        "title": ", ".join(f.name for f in loaded.sources.files)[:80] or "pool",
        "preview": lasting(curation.preview),
        "evidence": curation.evidence,
        "rows": rows,
        "map": _map(curation, int(manifest.get("seed", 0))),
        "groups": _groups(curation),
        "manifest": manifest,
        "counts": manifest["counts"],
    }


def _word(status: int) -> str:
    return {Status.DROPPED: "dropped", Status.NOT_CHOSEN: "not chosen"}.get(Status(status), "excluded")


def _table(a: Mapping[str, np.ndarray]) -> I64:
    """Chosen rows in order, then dropped ones, then the not chosen that came nearest to being chosen."""
    chosen = a["rows"][:ROWS]
    dropped = np.flatnonzero(a["status"] == Status.DROPPED)[: min(OTHERS // 2, ROWS - len(chosen))]
    rest = np.flatnonzero(a["status"] == Status.NOT_CHOSEN)
    near = rest[np.lexsort((rest, -a["gain_last"][rest].sum(axis=1)))]
    room = min(OTHERS - len(dropped), ROWS - len(chosen) - len(dropped))
    return np.concatenate([chosen, dropped, near[: max(room, 0)]]).astype(np.int64)


def _grouping(curation: Curation) -> Labels | Tags | None:
    """The first grouping the user has: one group a row, else tags."""
    pool, loaded = curation.loaded.pool, curation.loaded
    names = [*loaded.named("group"), *loaded.named("tags")]
    found = [pool.columns[n] for n in names]
    return next((f for f in found if isinstance(f, Labels | Tags)), None)


def _group_of(group: Labels | Tags | None, at: int) -> str:
    match group:
        case Labels():
            return group.names[int(group.codes[at])]
        case Tags():
            return ", ".join(
                group.names[int(c)] for c in group.codes[group.indptr[at] : group.indptr[at + 1]]
            )
    return ""


def _groups(curation: Curation) -> dict[str, Any]:
    """How many rows of each group the pool and the choice hold."""
    group = _grouping(curation)
    if group is None:
        return {}
    names = [*curation.loaded.named("group"), *curation.loaded.named("tags")]
    some = len(group.names)
    return {
        "column": names[0],
        "names": list(group.names),
        "pool": np.bincount(group.codes, minlength=some).tolist(),
        "chosen": np.bincount(group.take(curation.result.rows).codes, minlength=some).tolist(),
    }


def _map(curation: Curation, seed: int) -> dict[str, Any]:
    """Places of a seeded sample: chosen rows up to two thirds of the room, others, some dropped copies."""
    name = next((n for n, s in curation.pool.columns.items() if isinstance(s, Vectors)), "")
    if not name or len(curation.pool) < 3:
        return {}
    a, pool = curation.facts.arrays, curation.pool
    draw = generator(seed, "report", "map")
    taken = np.searchsorted(pool.rows, curation.result.rows)
    chosen = taken[: 2 * MOST // 3]
    others = np.setdiff1d(np.arange(len(pool)), taken)
    room = min(MOST - len(chosen), len(others))
    at = np.sort(np.concatenate([chosen, draw.choice(others, room, replace=False)]))
    places, how = project(pool.signal(name, Vectors).take(at).values, seed=seed)
    rows = pool.rows[at]
    # A dropped copy stands a little beside the row that stays for it.
    copies = np.flatnonzero(np.isin(a["copy_of"], rows))[:COPIES]
    beside = places[np.searchsorted(rows, a["copy_of"][copies])] + draw.uniform(-0.01, 0.01, (len(copies), 2))
    places, rows = np.concatenate([places, beside.clip(0, 1)]), np.concatenate([rows, copies])
    ranks = a["rank"][rows]
    return {
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "status": np.where(ranks >= 0, 1, np.where(a["copy_of"][rows] >= 0, 2, 0)).tolist(),
        "rank": [int(r) + 1 if r >= 0 else None for r in ranks],
        "label": [_label(curation, int(r)) for r in rows],
        "how": f"{how}; {len(at):,} of {len(pool):,} rows by {name!r}"
        + ("; a dropped copy stands beside the row that stays for it" if len(copies) else ""),
    }


def _label(curation: Curation, row: int) -> str:
    """A short name: the excerpt, else the id."""
    facts = curation.facts
    return (facts.excerpts[row] if facts.excerpts is not None else facts.ids[row])[:80]
