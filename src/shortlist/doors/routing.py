"""Which form of coverage suits a pool, what it will take, and how long that is on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from math import ceil
from time import perf_counter

import numpy as np

from shortlist.core.arrays import F32
from shortlist.core.cells import about, enough
from shortlist.core.contracts import Need, Objective
from shortlist.core.cosine import Directions
from shortlist.core.errors import MemoryRefused
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Vectors
from shortlist.methods.objective.facility_location import FacilityLocation, need
from shortlist.methods.objective.weighted_sum import Sum

#: Up to so many rows every cosine is kept; from so many on near ones are looked for in near cells; up to so
#: many every row is represented.
SMALL, CELLED, LARGE = 4096, 8192, 100_000
#: Rows looked at to see whether near ones lie in few cells.
LOOKED = 1 << 15
#: With fewer picks the neighbours that are needed take more memory than all cosines do, and a sample of the
#: rows serves as well: it holds more than 200 rows for each pick.
FEW = 18


def coverage_for(pool: Pool, by: str, k: int, memory: float, seed: int = 0) -> tuple[FacilityLocation, str]:
    """The most faithful FacilityLocation over vectors `by` for k picks that fits, and why it was taken.

    Depends on the vectors, k and `memory` (bytes), never on the machine; all of it stands in the form, so
    that a recipe can name it. A large pool is looked at, which takes a second or less: do near rows lie in
    few cells?

    Raises:
        MemoryRefused: none fits; says what the smallest would need.
    """
    values = pool.signal(by, Vectors).values
    n, d = values.shape
    k, least = max(1, min(k, n)), np.inf
    probes = _probes(values, k, seed) if n >= CELLED and k >= FEW else 0
    for form, why in _forms(n, k, FacilityLocation(by=by, seed=seed)):
        if probes:
            form = replace(form, cells=about(n), probes=probes)
            why += f"; looked for in {probes} of {form.cells:,} cells, where most of them lie"
        takes = need(n, d, form).bytes
        if takes <= memory:
            return form, why
        least = min(least, takes)
    raise MemoryRefused(
        f"coverage of {n:,} x {d} vectors {by!r} for {k:,} picks takes {least / 2**20:,.0f} MiB at least; "
        f"of the memory allowed {max(memory, 0) / 2**20:,.0f} MiB are left for it"
    )


def _probes(values: F32, k: int, seed: int) -> int:
    """Into how many of about(n) cells to look for near rows, 0: all pairs have to be looked at."""
    n = len(values)
    rows = np.sort(generator(seed, "routing").choice(n, min(n, LOOKED), replace=False))
    return enough(Directions.of(values[rows]), about(n), 5 / k, seed)


def _forms(n: int, k: int, plain: FacilityLocation) -> Iterator[tuple[FacilityLocation, str]]:
    """From the most faithful to the smallest."""
    everyone = f"all {n:,} rows are represented"
    if n <= SMALL:
        yield plain, f"{everyone}, every cosine is kept"
    elif k < FEW:
        for m in (SMALL, SMALL // 2, SMALL // 4):
            yield (
                replace(plain, represent=m),
                f"{m:,} of {n:,} rows, drawn, are represented, enough for {k} picks; every cosine is kept",
            )
        return
    if n <= LARGE:
        for c in (5, 3):
            b = min(n, ceil(c * n / k))
            yield (
                replace(plain, neighbors=b),
                f"{everyone}, each by about {b:,} nearest candidates ({c} n / k); what lies below them is "
                "sampled",
            )
    for each in (40, 20, 10):
        m = max(1024, each * k)
        if m >= n:
            continue
        drawn = f"{m:,} of {n:,} rows, drawn, are represented ({each} a pick)"
        for c in (5, 3):
            b = ceil(c * n / k)
            yield (
                replace(plain, neighbors=b, represent=m),
                f"{drawn}, each by about {b:,} nearest candidates ({c} n / k); all rows are candidates",
            )


def resized(objective: Objective, pool: Pool, k: int, memory: float) -> Objective:
    """The same objective for another pool: its coverages in the form that suits that one."""
    if isinstance(objective, FacilityLocation):
        return coverage_for(pool, objective.by, k, memory, objective.seed)[0]
    if isinstance(objective, Sum):
        return replace(objective, of=tuple(resized(f, pool, k, memory) for f in objective.of))
    return objective


def seconds(needed: Need, threads: int = 0) -> float:
    """How long work of so many flops takes here on so many threads (0: those that `Local()` uses).

    A thread more is counted as 0.8 of one; the first choice of rows adds little.
    """
    if not threads:
        from shortlist.run.driver import Local  # not above: `select` needs NumPy alone

        threads = Local().threads
    return needed.flops / (speed() * (0.2 + 0.8 * threads))


@cache
def speed() -> float:
    """Flops a second of one thread, from a product that takes some milliseconds (measured once)."""
    from threadpoolctl import threadpool_limits

    a = np.ones((1024, 256), np.float32)
    best = np.inf
    with threadpool_limits(limits=1, user_api="blas"):
        a @ a.T
        for _ in range(8):
            start = perf_counter()
            a @ a.T
            best = min(best, perf_counter() - start)
    return 2.0 * 1024 * 1024 * 256 / best
