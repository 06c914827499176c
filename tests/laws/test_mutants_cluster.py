"""Clusterers and graphers broken on purpose, each in one way, must be caught by a law of their role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shortlist.core.clusters import Clusters
from shortlist.core.signals import Neighbors
from shortlist.methods.cluster.farthest_first import FarthestFirst
from shortlist.methods.cluster.k_means import KMeans
from shortlist.methods.graph.knn import KNN
from tests.laws import cluster, graph
from tests.laws.test_methods import on_pools
from tests.laws.test_mutants import DRAWS, FIND


class Bent:
    """A clusterer or grapher whose answer is changed: `bend(answer, pool)`."""

    def __init__(self, true: Any, bend: Callable[[Any, Any], Any], **said: Any) -> None:
        self.true, self.bend = true, bend
        self.by, self.m = true.by, said.get("m", getattr(true, "m", 0))
        self.neighbors = said.get("neighbors", getattr(true, "neighbors", 0))

    def need(self, pool: Any) -> Any:
        return self.true.need(pool)

    def steps(self, pool: Any) -> Any:
        return self.bend((yield from self.true.steps(pool)), pool)


def last_of_equals(found: Clusters, pool: Any) -> Clusters:
    """Codes name the same centres in another order, so that ties go to the highest."""
    back = np.arange(len(found))[::-1]
    codes = (len(found) - 1 - found.codes).astype(np.int32)
    return replace(found, centres=found.centres[back].copy(), codes=codes, rows=found.rows[back].copy())


def stale_codes(found: Clusters, pool: Any) -> Clusters:
    return replace(found, centres=np.roll(found.centres, 1, axis=0))


def any_member(found: Clusters, pool: Any) -> Clusters:
    last = [np.flatnonzero(found.codes == j)[-1] for j in range(len(found))]
    return replace(found, rows=pool.rows[np.array(last, np.int64)])


def by_chunk(found: Clusters, pool: Any) -> Clusters:
    return replace(found, inertia=found.inertia * pool.chunk)


CLUSTERERS = {
    "ties to the highest centre": (
        Bent(FarthestFirst("vec2", m=2, spherical=False), last_of_equals),
        cluster.codes_are_nearest_centres,
    ),
    "codes of the centres before": (Bent(KMeans(m=2), stale_codes), cluster.codes_are_nearest_centres),
    "inertia of one row too few": (
        Bent(KMeans(m=2), lambda f, pool: replace(f, inertia=f.inertia * 0.9)),
        cluster.codes_are_nearest_centres,
    ),
    "any row for a centre": (Bent(KMeans(m=2), any_member), cluster.its_rows_are_the_nearest_members),
    "more centres than asked": (Bent(FarthestFirst(m=4), lambda f, pool: f, m=2), cluster.shapes_are_stated),
    "cut by shards": (Bent(KMeans(m=2), by_chunk), cluster.the_same_call_gives_the_same_bytes),
}


@pytest.mark.parametrize("fault", CLUSTERERS)
def test_a_broken_clusterer_is_caught(fault):
    bent, law = CLUSTERERS[fault]
    with pytest.raises(AssertionError):
        on_pools(law, (bent,), DRAWS, FIND)


def without(drop: Callable[[Neighbors, np.ndarray], np.ndarray]) -> Callable[[Neighbors, Any], Neighbors]:
    """The graph without the entries that `drop` names; it gets the owner of each."""

    def bend(found: Neighbors, pool: Any) -> Neighbors:
        owner = np.repeat(np.arange(len(found)), np.diff(found.indptr))
        stay = ~drop(found, owner)
        ends = np.zeros(len(found) + 1, np.int64)
        np.cumsum(np.bincount(owner[stay], minlength=len(found)), out=ends[1:])
        return Neighbors(ends, found.indices[stay], found.data[stay])

    return bend


def above_half(found: Neighbors, pool: Any) -> Neighbors:
    return Neighbors(found.indptr, found.indices, np.maximum(found.data, np.float32(0.5)))


GRAPHERS = {
    "one neighbour too few": (
        Bent(KNN(neighbors=2), lambda f, pool: f, neighbors=3),
        graph.neighbours_are_the_nearest,
    ),
    "copies left out": (
        Bent(KNN(neighbors=3), without(lambda f, owner: f.data >= 1)),
        graph.neighbours_are_the_nearest,
    ),
    "only later rows": (
        Bent(KNN(neighbors=3), without(lambda f, owner: f.indices < owner)),
        graph.neighbours_are_the_nearest,
    ),
    "similarities cut": (Bent(KNN(neighbors=3), above_half), graph.neighbours_are_the_nearest),
}


@pytest.mark.parametrize("fault", GRAPHERS)
def test_a_broken_grapher_is_caught(fault):
    bent, law = GRAPHERS[fault]
    with pytest.raises(AssertionError):
        on_pools(law, (bent,), DRAWS, FIND)


def test_sound_ones_keep_the_laws_they_are_caught_by():
    for _, law in CLUSTERERS.values():
        on_pools(law, (Bent(KMeans(m=2), lambda f, pool: f),), 15)
    for _, law in GRAPHERS.values():
        on_pools(law, (Bent(KNN(neighbors=3), lambda f, pool: f),), 15)
