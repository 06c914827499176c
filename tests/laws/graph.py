"""Laws of graphers: the nearest rows and no others, whatever the cuts and the day."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from shortlist.core.contracts import Grapher
from shortlist.core.cosine import Directions
from shortlist.core.effects import alone
from shortlist.core.neighbors import least, similarities
from shortlist.core.pool import Pool
from shortlist.core.signals import Neighbors, Vectors
from tests.strategies import arrays


def graph(method: Grapher, pool: Pool) -> Neighbors:
    """The graph it finds."""
    return alone(method.steps(pool), pool)


def told(found: Neighbors) -> list[bytes]:
    """Everything it says, as bytes."""
    return [x.tobytes() for x in (found.indptr, found.indices, found.data)]


def brute(method: Grapher, pool: Pool) -> list[list[tuple[int, float]]]:
    """Of every row its neighbours and their similarities by sorting all of them."""
    x = Directions.of(pool.signal(method.by, Vectors).values).unit(slice(None))
    rows = []
    for i in range(len(x)):
        s = similarities(x, x[i])
        order = [j for j in np.lexsort((np.arange(len(x)), -s)).tolist() if j != i]
        near = [(j, float(s[j])) for j in order[: method.neighbors] if s[j] >= np.float32(least(x.shape[1]))]
        rows.append(sorted(near))
    return rows


def neighbours_are_the_nearest(method: Grapher, pool: Pool, rng: Generator) -> None:
    found, want = graph(method, pool), brute(method, pool)
    assert len(found) == len(pool)
    for i, near in enumerate(want):
        e = slice(found.indptr[i], found.indptr[i + 1])
        assert list(zip(found.indices[e].tolist(), found.data[e].tolist(), strict=True)) == near


def no_row_is_its_own_neighbour(method: Grapher, pool: Pool, rng: Generator) -> None:
    found = graph(method, pool)
    owner = np.repeat(np.arange(len(pool)), np.diff(found.indptr))
    assert (owner != found.indices).all()
    assert (np.diff(found.indptr) <= method.neighbors).all()
    assert (found.data > 0).all()


def the_same_call_gives_the_same_bytes(method: Grapher, pool: Pool, rng: Generator) -> None:
    before = arrays(pool)
    cuts = (Pool(pool.rows, pool.columns, chunk) for chunk in (pool.chunk, pool.chunk, 1, 2, 1000))
    answers = [told(graph(method, p)) for p in cuts]
    assert all(a == answers[0] for a in answers)
    assert arrays(pool) == before


def work_is_estimated(method: Grapher, pool: Pool, rng: Generator) -> None:
    need = method.need(pool)
    assert math.isfinite(need.bytes)
    assert math.isfinite(need.flops)
    assert min(need.bytes, need.flops) >= 0


LAWS = (
    neighbours_are_the_nearest,
    no_row_is_its_own_neighbour,
    the_same_call_gives_the_same_bytes,
    work_is_estimated,
)
