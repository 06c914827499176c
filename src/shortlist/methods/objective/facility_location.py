"""Facility location: how well the chosen rows stand for every row of the pool, by cosine.

    f(S) = mean over represented rows u of max(0, max over s in S of cos(u, s))

Source: Cornuejols, Fisher and Nemhauser 1977, Location of bank accounts to optimize float,
doi:10.1287/mnsc.23.8.789; for summarisation Lin and Bilmes 2011, https://aclanthology.org/P11-1052.
Deviates: `neighbors=b` splits max(0, x) at a floor t_u that about b candidates of u lie above (a quantile
    of its cosines to a seeded sample): the part above, max(x - t_u, 0), is exact and sparse; the part below,
    min(t_u, max(0, x)), is averaged over a seeded sample of the represented rows. The result is a set
    function of its own, monotone and submodular, and an unbiased estimate of the one above over the draw
    of that sample. `represent=m` puts a seeded sample of m rows in the place of all rows. `cells=c` looks
    for the part above the floor only in the cells near to that of u (core/cells.py), and counts what lies
    elsewhere as below it: a set function of its own again, no larger than the one without cells.
Cost: 2 n m d flops for m represented rows, half of that when all are and neighbors > 0; with cells
    2 d n (c + 8 m / c) or so, least at c near 2.3 sqrt(n). A gain takes b m / n + 1,024 operations (m with
    neighbors=0).
Memory: 4 n m bytes with neighbors=0; else at its peak 14 b m, and 7 n r for r <= 1,024 sampled rows. Vectors
    may be memory-mapped; they are read in blocks and never copied whole.
Guarantee: greedy reaches 1 - 1/e of the best choice of k rows (of the built function).
Use it when: the choice should stand for the whole pool. Not when: rare rows matter as much as common ones
    (LogDet), or there are no vectors (GroupCoverage, SaturatedCoverage over terms).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import Any

import numpy as np

from shortlist.core.arrays import F32, F64, I64
from shortlist.core.cells import EACH, ROUNDS, cells, near_in_cells
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Built, Need
from shortlist.core.cosine import Directions
from shortlist.core.covered import Cover, chosen_columns, largest
from shortlist.core.effects import Plan, alone, scan
from shortlist.core.errors import UsageError
from shortlist.core.near import (
    SLAB,
    TILE,
    Near,
    cosines,
    joined,
    near,
    only,
    slab_rows,
    stacked,
)
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Vectors

#: Rows drawn to find the floors; between a quarter and all of so many keep their part below the floor: so
#: many that EXPECT of a cluster of `neighbors` rows are among them.
SAMPLE, EXPECT = 1024, 2
#: To hold a cosine against a floor, and against what is covered, takes about as long as so many flops of a
#: product (measured).
COMPARE, PASS = 60.0, 200.0
#: The same for an entry above a floor while choosing: placed, asked again and again, priced for the bound.
ENTRY = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityLocation:
    """Coverage of the pool by cosine to the nearest chosen row.

    Args:
        by: a Vectors signal; need not be normalised, a zero vector has cosine 0 to everything.
        neighbors: 0 keeps every cosine (for up to some thousand rows); b > 0 keeps about b a represented
            row, 5 n / k is a good number for k picks (see `routing`).
        represent: 0 covers all rows; m > 0 covers m of them, drawn with `seed`. Every row stays a candidate.
        cells: 0 looks at every pair; c > 0 at the candidates in near ones of c cells; needs neighbors > 0.
        probes: into how many cells each represented row looks.
        seed: of all samples.
    """

    by: str = field(default="vec", kw_only=False)
    neighbors: int = 0
    represent: int = 0
    cells: int = 0
    probes: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.neighbors, self.represent, self.cells) < 0 or self.probes < 1:
            raise UsageError(
                "FacilityLocation: neighbors, represent and cells must be 0 or more, and probes 1 or more"
            )
        if self.cells and not self.neighbors:
            raise UsageError("FacilityLocation: cells are where neighbors are looked for: give neighbors too")

    @property
    def terms(self) -> tuple[str, ...]:
        """One term."""
        return ("coverage",)

    def need(self, pool: Pool, k: int) -> Need:  # noqa: ARG002 (the contract's)
        """Bytes at the peak of building and choosing beyond the vectors, and the flops."""
        n, d = pool.signal(self.by, Vectors).values.shape
        return need(n, d, self)

    def build(self, pool: Pool) -> Plan[Built]:
        """Every cosine that can matter, as a plan over blocks of rows."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        rows = self._represented(len(x))
        u = x if rows is None else only(x, rows)
        if self.neighbors == 0:
            rough = yield from cosines(x, u, *_between(0.0, np.inf, len(u)))
            sparse = Near(np.zeros(len(x) + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
            return Cover(rough, largest(rough), sparse, np.zeros(0, np.float32))
        drawn, floor, free = yield from self._floors(x, u, rows)
        if free is None:
            rough = yield from cosines(x, only(u, drawn), np.zeros(len(drawn), np.float32), floor[drawn])
        else:
            rough = np.minimum(free, floor[drawn], out=free)
        if self.cells:
            found = yield from cells(x, u, self.cells, self.probes, self.seed)
            sparse = yield from near_in_cells(x, u, floor, found)
        else:
            sparse = yield from near(x, u, floor, same=rows is None)
        return Cover(rough, largest(rough), sparse, floor)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the function that `build` binds, from its definition, for the rows at i64[m]."""
        x = Directions.of(pool.signal(self.by, Vectors).values)
        rows = self._represented(len(x))
        u = x if rows is None else only(x, rows)
        best, close = np.zeros((2, len(u)), np.float32)
        found = alone(cells(x, u, self.cells, self.probes, self.seed)) if self.cells else None
        for row in at.tolist():
            cosine = np.maximum(u.unit(slice(None)) @ x.unit(np.array([row]))[0], 0)
            best = np.maximum(best, cosine)
            if found is not None:
                c = int(found.of[row])
                looking = found.looking[found.ends[c] : found.ends[c + 1]]
                close[looking] = np.maximum(close[looking], cosine[looking])
        close = best if found is None else close
        if self.neighbors == 0 or not len(u):
            return np.array([best.sum(dtype=np.float64) / max(len(u), 1)])
        drawn, floor, _ = alone(self._floors(x, u, rows))
        above = np.maximum(close - floor, 0).mean(dtype=np.float64)
        return np.array([above + np.minimum(best, floor)[drawn].mean(dtype=np.float64)])

    def _represented(self, n: int) -> I64 | None:
        """Sorted positions of the represented rows; None: all."""
        if not 0 < self.represent < n:
            return None
        draw = generator(self.seed, "facility_location", "represent")
        return np.sort(draw.choice(n, self.represent, replace=False))

    def _floors(
        self, x: Directions, u: Directions, rows: I64 | None
    ) -> Generator[Any, Any, tuple[I64, F32, F32 | None]]:
        """Which represented rows keep their part below the floor; the floors; all cosines >= 0 to the kept
        rows where they come for free (all rows are represented, so the sample can serve as both)."""
        n, m = len(x), len(u)
        draw = generator(self.seed, "facility_location", "sample")
        probe = np.sort(draw.choice(n, min(n, SAMPLE), replace=False))
        rank = max(1, round((len(probe) + 1) * self.neighbors / max(n, 1)))
        kept = _kept(n, self.neighbors)
        if rows is None:
            keep = np.sort(draw.choice(len(probe), min(len(probe), kept), replace=False))
            parts = yield from _surveyed(x, only(x, probe), probe, np.arange(len(probe)), keep, rank)
            rough = stacked([block for _, block in parts], n, len(keep))
            return probe[keep], np.concatenate([floor for floor, _ in parts]), rough
        drawn = np.sort(draw.choice(m, min(m, kept), replace=False))
        _, own, column = np.intersect1d(rows, probe, return_indices=True)
        parts = yield from _surveyed(u, only(x, probe), own, column, probe[:0], rank)
        return drawn, np.concatenate([floor for floor, _ in parts]), None


def need(n: int, d: int, form: FacilityLocation) -> Need:
    """What `form` over n rows of d floats will take (see Memory and Cost)."""
    neighbors, represent = form.neighbors, form.represent
    m = min(represent, n) or n
    copied = 8.0 * n + (4.0 * m * d if m < n else 0.0) + 4.0 * min(n * d, SLAB)
    if neighbors == 0:
        # Choosing passes over all cosines some eight times, which takes longer than making them.
        flops = (2.0 * d + 8.0 * PASS) * n * m
        return Need(copied + 4.0 * m * d + _stacking(n * m) + 60.0 * n, flops)
    r, s = min(m, SAMPLE, _kept(n, neighbors)), min(n, SAMPLE)
    share = min(1.0, max(1.0, round((s + 1) * neighbors / max(n, 1))) / (s + 1))
    entries = share * n * m
    # One tile at work, and what a finished one takes besides its entries.
    scratch = 10.0 * min(n, TILE) * min(m, TILE) + 2600.0 * ceil(n / TILE) * ceil(m / TILE)
    survey = 8.0 * min(m * s, SLAB)
    # While choosing, what is left of the rough part exists up to 1.75 times (see `Cover.add`), and what the
    # tiles took is free but seldom given back to the system.
    peak = max(_stacking(n * r) + survey, 7.0 * n * r + 14.0 * entries + scratch)
    products = float(m * s + (n * r if m < n else 0))
    if form.cells:
        # Cells are uneven, and large ones are looked into more often: about half as much again.
        count = min(form.cells, n)
        pairs = min(1.0, 1.5 * form.probes / max(count, 1)) * float(n * m)
        products += (n + m) * count + ROUNDS * EACH * float(count) ** 2 + pairs
    else:
        pairs = float(n * m)
        products += pairs * (1.0 if m < n else 0.5)
    flops = 2.0 * d * products + COMPARE * pairs + ENTRY * entries
    return Need(copied + 4.0 * (r + s) * d + peak + 60.0 * n, flops)


def _stacking(entries: int) -> float:
    """Bytes to gather a dense float32 array from blocks, one of which exists twice at a time."""
    return 4.0 * entries + 4.0 * min(entries, SLAB)


def exact(vectors: F32, at: I64) -> float:
    """f(S) over all rows of f32[n, d] as defined above, in double precision, n x |S| at once."""
    x = vectors.astype(np.float64)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, norms, out=np.zeros_like(x), where=norms > 0)
    if len(at) == 0 or len(x) == 0:
        return 0.0
    return float(np.maximum((x @ x[at].T).max(axis=1), 0).mean())


def _between(low: float, high: float, m: int) -> tuple[F32, F32]:
    return np.full(m, low, np.float32), np.full(m, high, np.float32)


def _kept(n: int, neighbors: int) -> int:
    """How many represented rows keep their part below the floor.

    A tight cluster of more rows than neighbours shows only there: 8 rows of each are expected. Beyond
    262,144 candidates they get fewer, so as to hold 1 GiB.
    """
    if n <= SAMPLE:
        return n
    fit = min(SAMPLE, (1 << 28) // max(n, 1))
    return max(SAMPLE // 4, min(fit, EXPECT * n // max(neighbors, 1)))


def _surveyed(
    u: Directions, probe: Directions, own: I64, column: I64, keep: I64, rank: int
) -> Generator[Any, Any, list[tuple[F32, F32]]]:
    """In blocks of rows of u: their floors and, >= 0, their cosines to the rows of the sample at `keep`.

    A floor is the cosine of the given rank within the sample, 0 at least. own, column i64[c]: which row is
    which of the sample; meeting itself says nothing about how near others are.
    """
    step = slab_rows(probe)
    part = partial(_survey, u, probe.unit(slice(None)), own, column, keep, rank, step)
    return (yield from scan(part, joined, range(0, max(len(u), 1), step), "floors"))


def _survey(
    u: Directions, probe: F32, own: I64, column: I64, keep: I64, rank: int, step: int, a: int
) -> list[tuple[F32, F32]]:
    block = u.unit(slice(a, a + step)) @ probe.T
    kept = chosen_columns(np.maximum(block, 0, out=block), keep)
    here = (own >= a) & (own < a + step)
    block[own[here] - a, column[here]] = 0
    if rank > len(probe):
        return [(np.zeros(len(block), np.float32), kept)]
    block.partition(len(probe) - rank, axis=1)
    return [(block[:, len(probe) - rank].copy(), kept)]


EXAMPLES = (
    FacilityLocation("vec"),
    FacilityLocation("vec", neighbors=3),
    FacilityLocation("vec", neighbors=4, represent=8, seed=1),
    FacilityLocation("vec", neighbors=3, cells=3, probes=2),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: for m clustered pools, the share of exact greedy's gain over random that neighbours keep."""
    shares = np.empty(5 * scale)
    for i in range(len(shares)):
        n, k = 1500, 60
        centre = rng.normal(size=(30, 24))[rng.zipf(1.5, n) % 30]
        values = (centre + 0.7 * rng.normal(size=(n, 24))).astype(np.float32)
        pool = Pool.of({"vec": Vectors(values)})
        full, sparse = FacilityLocation("vec"), FacilityLocation("vec", neighbors=5 * n // k, seed=i)
        best, ours = (exact(values, climb(alone(f.build(pool)), k)) for f in (full, sparse))
        random = np.mean([exact(values, rng.choice(n, k, replace=False)) for _ in range(5)])
        shares[i] = (ours - random) / (best - random)
    return shares


CLAIM = Claim(
    paper="Cornuejols, Fisher and Nemhauser 1977; the sparse form is ours",
    says="greedy comes within 1 - 1/e of the best set of locations",
    we_show="with 5 n / k neighbours a row greedy keeps at least 95% of exact greedy's gain over random",
    not_shown="pools of millions, or vectors without any structure",
    measure=claim,
    margin=0.95,
)
