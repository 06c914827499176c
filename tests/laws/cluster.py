"""Laws of clusterers: every row is with its nearest centre, and nothing but the rows decides."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from shortlist.core.clusters import Clusters, exact_codes, points
from shortlist.core.contracts import Clusterer
from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from tests.strategies import arrays


def clusters(method: Clusterer, pool: Pool) -> Clusters:
    """The clusters it finds in a pool."""
    return alone(method.steps(pool), pool)


def told(found: Clusters) -> list[bytes]:
    """Everything it says, as bytes."""
    numbers = np.array([found.inertia, found.radius])
    return [x.tobytes() for x in (found.centres, found.codes, found.rows, numbers)]


def unit_rows(method: Clusterer, pool: Pool, found: Clusters) -> np.ndarray:
    """f32[n, d]: the rows as they are compared."""
    return points(pool, method.by, found.spherical).unit(slice(None))


def shapes_are_stated(method: Clusterer, pool: Pool, rng: Generator) -> None:
    found, rows = clusters(method, pool), points(pool, method.by, False).values
    assert len(found.codes) == len(pool)
    assert found.centres.shape == (len(found), rows.shape[1])
    assert np.isfinite(found.centres).all()
    assert found.sizes.sum() == len(pool)
    assert (found.sizes > 0).all()
    assert len(found) <= min(method.m, len(pool))
    assert (len(found) > 0) == (len(pool) > 0)


def codes_are_nearest_centres(method: Clusterer, pool: Pool, rng: Generator) -> None:
    found = clusters(method, pool)
    if not len(pool):
        return
    codes, squares = exact_codes(unit_rows(method, pool, found), found.centres)
    assert found.codes.tolist() == codes.tolist()
    np.testing.assert_allclose(found.inertia, squares.sum(), rtol=1e-12)
    np.testing.assert_allclose(found.radius, np.sqrt(squares.max()), rtol=1e-12)


def its_rows_are_the_nearest_members(method: Clusterer, pool: Pool, rng: Generator) -> None:
    found = clusters(method, pool)
    if not len(pool):
        return
    at = np.searchsorted(pool.rows, found.rows)
    assert pool.rows[at].tolist() == found.rows.tolist()
    assert found.codes[at].tolist() == list(range(len(found)))
    _, squares = exact_codes(unit_rows(method, pool, found), found.centres)
    for j, row in enumerate(at):
        members = np.flatnonzero(found.codes == j)
        assert row == members[squares[members].argmin()]


def equal_rows_are_together(method: Clusterer, pool: Pool, rng: Generator) -> None:
    found = clusters(method, pool)
    seen: dict[bytes, int] = {}
    for row, code in zip(unit_rows(method, pool, found) + 0.0, found.codes.tolist(), strict=True):
        assert seen.setdefault(row.tobytes(), code) == code


def enough_centres_leave_no_distance(method: Clusterer, pool: Pool, rng: Generator) -> None:
    """As many centres as distinct rows: a method that ends in rows finds them all."""
    found = clusters(method, pool)
    distinct = len(np.unique(unit_rows(method, pool, found) + 0.0, axis=0))
    assert len(found) <= distinct
    if len(found) < min(method.m, distinct):
        return  # some centre found no row of its own
    if distinct <= method.m:
        assert found.radius <= 1e-6


def the_same_call_gives_the_same_bytes(method: Clusterer, pool: Pool, rng: Generator) -> None:
    before = arrays(pool)
    cuts = (Pool(pool.rows, pool.columns, chunk) for chunk in (pool.chunk, pool.chunk, 1, 2, 1000))
    answers = [told(clusters(method, p)) for p in cuts]
    assert all(a == answers[0] for a in answers)
    assert arrays(pool) == before


def work_is_estimated(method: Clusterer, pool: Pool, rng: Generator) -> None:
    need = method.need(pool)
    assert math.isfinite(need.bytes)
    assert math.isfinite(need.flops)
    assert min(need.bytes, need.flops) >= 0


LAWS = (
    shapes_are_stated,
    codes_are_nearest_centres,
    its_rows_are_the_nearest_members,
    equal_rows_are_together,
    enough_centres_leave_no_distance,
    the_same_call_gives_the_same_bytes,
    work_is_estimated,
)
