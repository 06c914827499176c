"""The plan before work: what was found, what will be done and why, what it will take. Plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shortlist.core.contracts import Constraint, Need, Ruled, Solver
from shortlist.core.errors import MemoryRefused
from shortlist.core.expression import expression
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.doors.routing import seconds
from shortlist.doors.settle import BASE, TINY, Settled, promised, with_neighbors
from shortlist.methods.constrain.feasible import called
from shortlist.methods.constrain.precedence import Precedence
from shortlist.methods.constrain.prefix import Prefix
from shortlist.methods.solve.branch_and_bound import BranchAndBound
from shortlist.methods.solve.crossing_quotas import CrossingQuotas
from shortlist.methods.solve.cutting_planes import CuttingPlanes
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.local_search import LocalSearch
from shortlist.methods.solve.partial_enumeration import PartialEnumeration
from shortlist.methods.solve.swap import Swap
from shortlist.store.loaded import Loaded

#: Solvers whose work depends on what they find, and can be a large multiple of greedy's.
SEARCHES = (
    *(BranchAndBound, CuttingPlanes, Exhaustive),
    *(CrossingQuotas, LocalSearch, PartialEnumeration, Swap),
)
#: A constraint of more bounds is written as one.
MOST_BOUNDS = 4

#: Draws that evidence takes, about: of the whole, and of each fold.
DRAWN = 600
#: Seconds of a pick under rules beside least counts, measured: where rows have to wait, and where not.
WAITING, BESIDE = 1e-3, 2e-4


def preview(settled: Settled, loaded: Loaded, memory: float, seed: int) -> dict[str, Any]:
    """What `--dry-run` shows and the report repeats.

    Raises:
        MemoryRefused: the work would pass `memory` bytes; nothing was allocated.
    """
    needs = stages(settled, loaded)
    peak = max((n.bytes for n in needs.values()), default=0.0)
    held = BASE + loaded.pool.nbytes + _encoded(settled, loaded.pool) + _linked(settled, loaded.pool)
    total = held + peak
    if total > memory:
        largest = max(needs, key=lambda name: needs[name].bytes)
        raise MemoryRefused(
            f"this needs {gib(total)} and {gib(memory)} are allowed; {largest} takes {gib(peak)} of it. "
            "Give more with --memory, or a smaller pool with --where"
        )
    lines = [
        ("pool", f"{len(loaded.pool):,} rows, {gib(loaded.bytes)} read from {_files(loaded)}"),
        ("choose", f"at most {settled.k:,} rows"),
        *settled.notes,
    ]
    lines.append(("within", "; ".join(_rule(c, loaded, settled.k) for c in settled.recipe.within)))
    lines.append(("memory", f"{gib(total)} at its peak, of {gib(memory)} allowed"))
    time = sum(seconds(n) for n in needs.values()) + _drawing(settled, loaded.pool)
    lines.append(("time", f"about {max(1, round(time))} s here{_search(settled.solver, len(loaded.pool))}"))
    return {
        "lines": [{"name": name, "value": value} for name, value in lines],
        "signals": [
            {
                "name": s.name,
                "role": s.role,
                "direction": s.direction,
                "coverage": s.coverage,
                "missing": s.missing,
                "fill": s.fill,
                "origin": s.origin,
                "range": s.range,
            }
            for s in loaded.signals
        ],
        "ignored": dict(loaded.ignored),
        "notes": list(loaded.notes),
        "recipe": written(settled),
        "k": settled.k,
        "seed": seed,
        "memory_bytes": round(total),
        "seconds": time,
    }


def _search(solver: Solver, n: int) -> str:
    """What to expect of a solver that goes on where greedy ends; '' for the others."""
    if n <= TINY or not isinstance(solver, SEARCHES):
        return ""
    name = type(solver).__name__
    return f", and the search of {name}, which no plan can tell: minutes where rows or picks are many"


def lasting(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan without what only holds for this machine at this hour: memory allowed, time, threads."""
    lines = [line for line in plan["lines"] if line["name"] not in ("memory", "time")]
    return {k: v for k, v in plan.items() if k != "seconds"} | {"lines": lines}


def written(settled: Settled) -> dict[str, Any]:
    """The settled methods as constructor expressions."""
    objective = settled.recipe.objective
    return {
        "encode": expression(settled.encode) if settled.encode else None,
        "drop": [expression(d) for d in settled.drop],
        "graph": expression(settled.graph) if settled.graph else None,
        "objective": expression(objective) if objective else None,
        "parts": [
            {"method": expression(p), "share": s} for p, s in zip(settled.parts, settled.shares, strict=True)
        ],
        "within": [expression(c) for c in settled.recipe.within],
        "solver": expression(settled.solver),
    }


def stages(settled: Settled, loaded: Loaded) -> dict[str, Need]:
    """What each stage takes beyond the pool, by its name."""
    pool = promised(loaded.pool, settled.encode, settled.vectors)
    needs: dict[str, Need] = {}
    if settled.encode is not None:
        needs["encoding"] = settled.encode.need(loaded.pool)
    for method in settled.drop:
        needs[f"dropping by {type(method).__name__}"] = method.need(pool)
    if settled.graph is not None:
        needs["finding neighbours"] = settled.graph.need(pool)
        pool = with_neighbors(pool, settled.graph)
    objectives = [settled.recipe.objective] if settled.recipe.objective else list(settled.parts)
    parts = [o.need(pool, settled.k) for o in objectives]
    needs["choosing"] = Need(sum(p.bytes for p in parts), sum(p.flops for p in parts))
    if settled.vectors:
        needs["judging"] = _judging(pool, settled)
    return needs


def _judging(pool: Pool, settled: Settled) -> Need:
    """Nearest chosen row of every row, and the evidence's products."""
    n, d = pool.signal(settled.vectors, Vectors).values.shape
    m = min(n, 4096)
    return Need(bytes=4.0 * m * n / 8 + 16.0 * n, flops=2.0 * n * d * (settled.k + m))


def _drawing(settled: Settled, pool: Pool) -> float:
    """Seconds that random draws under rules take beside least counts: each pick looks for what can follow."""
    within = settled.recipe.within
    ordered = any(isinstance(c, Prefix | Precedence) for c in within)
    if not ordered and not any(isinstance(c, Ruled) for c in within):
        return 0.0
    least = any(row.low > 0 for c in within for row in c.rows(pool, settled.k))
    return DRAWN * settled.k * (WAITING if ordered else BESIDE) if least else 0.0


def _encoded(settled: Settled, pool: Pool) -> float:
    if settled.encode is None:
        return 0.0
    vectors = promised(pool, settled.encode, settled.vectors).signal(settled.vectors, Vectors)
    return float(np.prod(vectors.values.shape)) * 4


def _linked(settled: Settled, pool: Pool) -> float:
    """Bytes of the graph."""
    if settled.graph is None:
        return 0.0
    return 8.0 * len(pool) * (min(settled.graph.neighbors, len(pool)) + 1)


def _rule(constraint: Constraint, loaded: Loaded, k: int) -> str:
    """A constraint as it is written on the command line; one over many groups by its expression."""
    pool = loaded.pool
    texts = [called(row, lambda i: loaded.ids[int(pool.rows[i])]).text for row in constraint.rows(pool, k)]
    if not texts:
        return expression(constraint)
    if len(texts) <= MOST_BOUNDS:
        return "; ".join(texts)
    return f"{expression(constraint)}, {len(texts)} bounds"


def _files(loaded: Loaded) -> str:
    names = [f.name for f in loaded.sources.files]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def gib(size: float) -> str:
    """Bytes for a reader: `1.5 GiB`, `12 MiB`, `3 KiB`."""
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 2**power:
            return f"{size / 2**power:.3g} {unit}"
    return f"{size:.0f} bytes"
