"""Differential runs against abcvoting, where it is installed: same committees, same verdicts.

docs/differences/committees.md says where the two differ, and why.
"""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.ballots import Approvals
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.measures.axioms import ejr, ejr_plus, jr, pjr
from shortlist.methods.objective.proportional_approval import BuiltApproval, falling
from shortlist.methods.solve import equal_shares, greedy_monroe, phragmen
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy

abcrules = pytest.importorskip("abcvoting.abcrules")
preferences = pytest.importorskip("abcvoting.preferences")
properties = pytest.importorskip("abcvoting.properties")


def drawn(seed: int, weighted: bool = False) -> tuple[Approvals, object, int]:
    """A profile full of ties: few candidates, few voters, ballots met again; the same for both."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 14)), int(rng.integers(1, 16))
    few = [np.flatnonzero(rng.random(n) < rng.choice([0.15, 0.3, 0.6])) for _ in range(max(m // 2, 1))]
    sets = [few[i] for i in rng.integers(0, len(few), m)]
    weights = rng.integers(1, 5, m).tolist() if weighted else [1] * m
    profile = preferences.Profile(n)
    for rows, w in zip(sets, weights, strict=True):
        profile.add_voter(preferences.Voter(rows.tolist(), weight=w))
    return Approvals.of(sets, n, weights), profile, int(rng.integers(1, n + 1))


def greedy(found: Approvals, points: tuple[float, ...], k: int) -> list[list[int]]:
    """By both solvers."""
    built, pool = (
        BuiltApproval.over(found, falling(points, len(found)), ("f",)),
        Pool(np.arange(len(found)), {}),
    )
    limits = bind(pool, (), k)
    return [sorted(s(built, limits, pool).rows.tolist()) for s in (LazyGreedy(), Greedy())]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(100))
def test_sequential_rules(seed, weighted):
    found, profile, k = drawn(seed, weighted)
    limits = bind(Pool(np.arange(len(found)), {}), (), k)

    def theirs(rule: str) -> list[int]:
        return sorted(abcrules.compute(rule, profile, k, resolute=True)[0])

    assert greedy(found, (), k) == [theirs("seqpav")] * 2
    assert greedy(found, (1.0, 0.0), k) == [theirs("seqcc")] * 2
    assert sorted(phragmen.seats(found, limits)) == theirs("seqphragmen")
    assert sorted(equal_shares.seats(found, limits)[0]) == theirs("equal-shares")
    if not weighted:
        assert sorted(greedy_monroe.seats(found, limits)) == theirs("greedy-monroe")


@pytest.mark.parametrize("seed", range(100))
def test_axioms(seed):
    found, profile, k = drawn(seed)
    at = np.sort(np.random.default_rng(seed).permutation(len(found))[:k])
    for name, ours in (("jr", jr), ("pjr", pjr), ("ejr", ejr), ("ejr+", ejr_plus)):
        algorithm = {"algorithm": "brute-force"} if name in ("pjr", "ejr") else {}
        theirs = properties.check(name, profile, at.tolist(), **algorithm)
        assert (ours(found, at) == []) == theirs, name
