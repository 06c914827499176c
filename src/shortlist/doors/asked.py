"""What was asked: the objective and its parts, the limits, and the course to k, beside random and top-k.

Nothing here says that a choice is useful: every optimiser beats random at its own objective.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shortlist.core.account import rule_accounts
from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.contracts import Built, Objective, Row
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs
from shortlist.doors.along import Course, followed, weights
from shortlist.measures.significance import band

#: Points of the curve.
POINTS = 12
#: A smaller share of the bound is rounding.
ROUNDING = 1e-9


def asked(
    pool: Pool,
    choice: Choice,
    objective: Objective,
    limits: BoundLimits,
    *,
    draws: Sequence[I64],
    tops: Mapping[str, I64],
    seed: int,
    built: Built | None = None,
) -> dict[str, Any]:
    """The `asked` part of the evidence: plain numbers, see doors/evidence.py for the shape."""
    ours = np.searchsorted(pool.rows, choice.rows)
    some = draws[: followed(objective, pool, len(ours))]
    course = Course.of(objective, pool, seed, built)
    sets = [ours, *tops.values(), *some]
    values, grids = _course(course, limits.shown, sets)
    scale = np.array(weights(objective))
    ends = np.array([v[-1] for v in values])
    names, drawn = list(tops), slice(1 + len(tops), None)
    low_high = choice.bound
    total = ends.sum(axis=1)
    return {
        "draws": len(some),
        "measured_on": (
            f"{len(course.on):,} of {len(pool):,} rows (seeded sample)"
            if course.sampled
            else f"all {len(pool):,} rows"
        ),
        "objective": _compared(total, names, drawn)
        | {
            # A bound on what this run measured: as far above ours as the solver's is above its own.
            "bound": None if low_high is None else float(total[0] + low_high[1] - low_high[0]),
            "within": None if low_high is None else _within(*low_high),
        },
        "parts": [
            {"term": term, "weight": float(scale[t])} | _compared(ends[:, t], names, drawn)
            for t, term in enumerate(objective.terms)
        ],
        "size": {"ours": len(ours), "random": float(np.mean([len(d) for d in draws]))},
        "costs": costs(pool, ours, draws, limits),
        "constraints": [
            *(_met(row, ours, len(pool)) for row in limits.rows if not _brought(row, limits.rows)),
            *rule_accounts(limits.rules, ours),
        ],
        "curve": _curve(values, grids, names),
    }


def ended(limits: BoundLimits, wanted: int, ours: I64, left: F64) -> str:
    """Why a choice has fewer rows than were asked for, '' if it has them all.

    Args:
        limits: what held; their size is smaller than `wanted` where shares were brought to a smaller one.
        wanted: how many rows were asked for.
        ours: the choice, positions in order.
        left: f64[n], what each row would add to the choice.
    """
    if len(ours) >= wanted:
        return ""
    state = limits.start()
    for at in ours:
        state = limits.add(state, int(at))
    rest = np.setdiff1d(np.arange(len(left)), np.append(ours, limits.shown))
    rest = rest[limits.allows(state, rest)]
    if not len(rest):
        return "the limits leave room for no more"
    if left[rest].max() <= 0:
        return "no row that the limits allow would add anything"
    return "the solver took no more, though the limits would allow it"


def summary(draws: F64) -> dict[str, float]:
    """Mean and 95% band of draws f64[R], the ones that could be measured."""
    low, high = band(draws)
    there = draws[~np.isnan(draws)]
    return {"mean": float(there.mean()) if len(there) else 0.0, "low": low, "high": high}


def costs(pool: Pool, ours: I64, draws: Sequence[I64], limits: BoundLimits) -> list[dict[str, Any]]:
    """What the choice spends of every cost of the pool, beside the draws, and the limit if there is one."""
    rows = [r for r in limits.rows if r.kind == "knapsack"]
    out = []
    for name, signal in pool.columns.items():
        if isinstance(signal, Costs):
            limit = min((r.high for r in rows if r.weight is signal.values), default=None)
            spent = np.array([signal.values[d].sum() for d in draws])
            out.append(
                {
                    "name": name,
                    "unit": signal.unit,
                    "ours": float(signal.values[ours].sum()),
                    "random": summary(spent),
                    "limit": limit,
                }
            )
    return out


def _brought(row: Row, rows: Sequence[Row]) -> bool:
    """Whether this is no size the user asked for, but a smaller one to which shares were brought."""
    return (
        row.kind == "size"
        and row.low == -np.inf
        and any(r.kind == "size" and r.high > row.high for r in rows)
    )


def _met(row: Row, ours: I64, n: int) -> dict[str, Any]:
    """An inequality, what the choice makes of it, and how much room is left."""
    at = np.arange(n) if row.at is None else row.at
    weight = np.zeros(n)
    weight[at] = 1.0 if row.weight is None else row.weight
    value = float(weight[ours].sum())
    slack = min(value - row.low, row.high - value)
    # A budget is tight where nothing more would fit, a count where it is met with no row to spare.
    rest = np.delete(weight, ours)
    step = float(rest.min()) if row.kind == "knapsack" and len(rest) else 0.0
    return {
        "text": row.text,
        "kind": row.kind,
        "value": value,
        "low": None if row.low == -np.inf else float(row.low),
        "high": None if row.high == np.inf else float(row.high),
        "slack": float(slack),
        "tight": bool(slack < step or slack <= 0),
    }


def _within(low: float, high: float) -> float | None:
    """The share of the bound that may still be missing; what rounding leaves of it is none."""
    if high <= 0:
        return None
    share = (high - low) / high
    return float(share) if share > ROUNDING else 0.0


def _compared(values: F64, names: Sequence[str], drawn: slice) -> dict[str, Any]:
    """ours first, then one number a signal, then the draws."""
    return {
        "ours": float(values[0]),
        "random": summary(values[drawn]),
        "signals": {name: float(v) for name, v in zip(names, values[1:], strict=False)},
    }


def grid(k: int) -> I64:
    """About a dozen sizes from 1 to k, evenly apart on a logarithmic scale.

    >>> grid(500).tolist()
    [1, 2, 3, 5, 10, 17, 30, 52, 92, 162, 284, 500]
    """
    return (
        np.unique(np.rint(np.geomspace(1, max(k, 1), POINTS)).astype(np.int64))
        if k
        else np.zeros(0, np.int64)
    )


def _course(course: Course, shown: I64, sets: Sequence[I64]) -> tuple[list[F64], list[I64]]:
    """For each set the sizes f64[g] and f64[g, T] what it adds there to the rows already shown.

    Sizes are those of the grid of ours that the set has, and its own size at the end.
    """
    points = grid(len(sets[0]))
    grids = [np.unique(np.append(points[points <= len(s)], len(s))) for s in sets]
    base = len(shown)
    values = course.along(
        [np.concatenate([shown, s]) for s in sets], [np.append(base, g + base) for g in grids]
    )
    return [v[1:] - v[0] for v in values], grids


def _curve(values: Sequence[F64], grids: Sequence[I64], names: Sequence[str]) -> dict[str, Any]:
    """Totals at the sizes of ours; a choice that ended earlier (its budget spent) stays where it ended."""
    k = grids[0]
    table = np.array(
        [
            v.sum(axis=1)[np.minimum(np.searchsorted(g, k), len(g) - 1)]
            for v, g in zip(values, grids, strict=True)
        ]
    )
    bands = [summary(column) for column in table[1 + len(names) :].T]
    return {
        "k": k.tolist(),
        "ours": table[0].tolist(),
        "random": {key: [b[key] for b in bands] for key in ("mean", "low", "high")},
        "signals": {name: table[1 + i].tolist() for i, name in enumerate(names)},
    }
