"""Measure a pool, and a choice beside it: spread of its vectors, its groups, its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import InputError
from shortlist.core.signals import Costs, Labels, Scores, Tags, Vectors
from shortlist.doors.explain import Status
from shortlist.doors.why import Facts
from shortlist.measures import dispersion
from shortlist.measures.attribute_entropy import attribute_spread
from shortlist.measures.coverage import Coverage
from shortlist.measures.duplicates import copies
from shortlist.measures.facility_value import FacilityValue
from shortlist.measures.radius import radius
from shortlist.measures.representation import audit
from shortlist.measures.vendi import spectrum
from shortlist.run.driver import serial_blas
from shortlist.store.loaded import Loaded

#: Orders of the Vendi score that are shown.
ORDERS = (0.5, 1.0, 2.0, float("inf"))
#: Up to so many rows the two that stand nearest are looked for.
PAIRS = 20_000


def measure(
    loaded: Loaded,
    at: I64 | None = None,
    *,
    orders: Sequence[float] = ORDERS,
    threshold: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """What there is to say about a pool and the rows at positions i64[k] of it, JSON-able.

    Args:
        loaded: what `read` gave.
        at: the choice; None: the pool alone.
        orders: of the Vendi score.
        threshold: the cosine from which on two rows are near-copies.
        seed: of the sample of near-copies and of bootstraps.

    Returns:
        rows; vectors, groups, scores and costs by name, each with `pool` and, where there is a choice,
        `choice`; a group has its `audit` there.
    """
    pool = loaded.pool
    every = np.arange(len(pool), dtype=np.int64)
    sets = {"pool": every} | ({} if at is None else {"choice": np.sort(at)})
    out: dict[str, Any] = {
        "rows": {name: len(rows) for name, rows in sets.items()},
        "threshold": threshold,
        "vectors": {},
        "groups": {},
        "scores": {},
        "costs": {},
    }
    with serial_blas():  # the same bytes on any number of threads
        for name, signal in pool.columns.items():
            match signal:
                case Vectors():
                    out["vectors"][name] = {
                        s: _spread(signal, rows, orders, threshold, seed) for s, rows in sets.items()
                    }
                    if at is not None:
                        out["vectors"][name]["choice"] |= _served(loaded, name, sets["choice"])
                case Labels() | Tags():
                    out["groups"][name] = _groups(signal, sets, seed)
                case Scores() | Costs():
                    kind = "scores" if isinstance(signal, Scores) else "costs"
                    out[kind][name] = {s: _numbers(signal, rows) for s, rows in sets.items()}
                case _:
                    pass
    return out


def chosen(loaded: Loaded, folder: Path) -> I64:
    """Positions i64[k] in the pool of the rows that a result folder chose, in its order.

    Raises:
        InputError: no result folder, or a row of it is not in the pool.
    """
    facts = Facts.open(folder)
    at = np.flatnonzero(facts.arrays["status"] == Status.CHOSEN)
    order = at[np.argsort(facts.arrays["rank"][at], kind="stable")]
    return positions(loaded, [facts.ids[int(i)] for i in order], str(folder))


def positions(loaded: Loaded, ids: Sequence[str], where: str) -> I64:
    """Positions i64[k] of ids.

    Raises:
        InputError: an id is not in the pool, or is named twice.
    """
    table = {loaded.ids[i]: i for i in range(len(loaded.ids))}
    absent = [id for id in ids if id not in table]
    if absent:
        fix = "measure the pool that it was chosen from, read with the same --id and --where"
        raise InputError(f"no row of the pool has the id {absent[0]!r}", file=where, fix=fix)
    if len(set(ids)) < len(ids):
        raise InputError("an id is there twice", file=where, fix="name every chosen row once")
    return np.array([table[id] for id in ids], np.int64)


def _spread(
    vectors: Vectors, rows: I64, orders: Sequence[float], threshold: float, seed: int
) -> dict[str, Any]:
    """Of these rows by themselves."""
    x = vectors.values if len(rows) == len(vectors) else vectors.values[rows]
    found = spectrum(x)
    near = copies(x, threshold, seed=seed)
    distance = dispersion.mean(x)
    least = dispersion.least(x)[0] if len(x) <= PAIRS else float("nan")
    return {
        "vendi": {f"{q:g}": found.score(q) for q in orders},
        "vendi_error": {f"{q:g}": found.error(q) for q in orders},
        "mean_distance": None if np.isnan(distance) else distance,
        "least_distance": None if np.isnan(least) else least,
        "near_copies": asdict(near),
    }


def _served(loaded: Loaded, name: str, rows: I64) -> dict[str, Any]:
    """How the choice serves all rows."""
    far, worst = radius(loaded.pool.signal(name, Vectors), rows)
    return {
        "coverage": Coverage(name)(loaded.pool, rows),
        "facility_value": FacilityValue(name)(loaded.pool, rows),
        "radius": far,
        "worst_served": loaded.ids[worst] if worst >= 0 else None,
    }


def _groups(groups: Labels | Tags, sets: dict[str, I64], seed: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    there = np.unique(groups.codes)
    for name, rows in sets.items():
        counts = np.bincount(groups.take(rows).codes, minlength=len(groups.names))[there]
        if not counts.sum():
            out[name] = None
            continue
        spread = attribute_spread(counts, seed=seed)
        out[name] = asdict(spread) | {"value": groups.names[there[spread.value]]}
    if "choice" in sets:
        seen = audit(groups, sets["choice"])
        out["audit"] = asdict(seen)
        for row, g in zip(out["audit"]["groups"], seen.groups, strict=True):
            row |= {"ratio": g.ratio, "rate": g.rate}
    return out


def _numbers(signal: Scores | Costs, rows: I64) -> dict[str, Any]:
    missing = signal.missing if isinstance(signal, Scores) else None
    rows = rows if missing is None else rows[~missing[rows]]
    values = signal.values[rows]
    return {
        "mean": float(values.mean()) if len(values) else None,
        "sum": float(values.sum()),
        "rows": len(values),
    }
