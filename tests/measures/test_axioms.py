"""JR, PJR, EJR and EJR+ against their definitions, group by group, and examples of the papers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from shortlist.core.ballots import Approvals
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Tags
from shortlist.measures import axioms
from shortlist.measures.axioms import Justified, ejr, ejr_plus, jr, pjr
from shortlist.methods.solve import equal_shares, greedy_monroe, phragmen


def profile(rng: np.random.Generator) -> tuple[Approvals, np.ndarray]:
    n, m = int(rng.integers(1, 6)), int(rng.integers(0, 6))
    sets = [np.flatnonzero(rng.random(n) < rng.choice([0.3, 0.6])) for _ in range(m)]
    weights = rng.choice([1.0, 2.0, 0.5], m).tolist() if rng.random() < 0.5 else []
    return Approvals.of(sets, n, weights), rng.permutation(n)[: rng.integers(0, n + 1)]


def failing(ballots: Approvals, at: np.ndarray, k: int) -> dict[str, set[int]]:
    """The sizes l for which some group fails each axiom, by trying all groups."""
    a, w, out = ballots.dense(), ballots.weight, {"jr": set(), "pjr": set(), "ejr": set(), "ejr_plus": set()}
    chosen, off = set(at.tolist()), set(range(len(a))) - set(at.tolist())
    voters = range(len(w))
    for group in (g for size in range(1, len(w) + 1) for g in combinations(voters, size)):
        sets = [set(np.flatnonzero(a[:, v]).tolist()) for v in group]
        common, union = set.intersection(*sets), set.union(*sets)
        most = max(len(s & chosen) for s in sets)
        for size in range(1, k + 1):
            if w[list(group)].sum() * k < size * w.sum() - 1e-9:
                continue
            if size == 1 and common and most == 0:
                out["jr"].add(size)
            if len(common) >= size and len(union & chosen) < size:
                out["pjr"].add(size)
            if len(common) >= size and most < size:
                out["ejr"].add(size)
            if common & off and most < size:
                out["ejr_plus"].add(size)
    return out


@pytest.mark.parametrize("seed", range(150))
def test_each_axiom_is_its_definition(seed):
    ballots, at = profile(np.random.default_rng(seed))
    k = len(at) + seed % 2
    want = failing(ballots, at, k)
    a = ballots.dense()
    for check in (jr, pjr, ejr, ejr_plus):
        found = check(ballots, at, k)
        sizes = want[check.__name__]
        if check in (jr, ejr_plus):
            assert {g.size for g in found} == sizes
        else:
            assert [g.size for g in found] == sorted(sizes)[:1]
        for g in found:  # the witness is one
            assert ballots.weight[g.voters].sum() * k >= g.size * ballots.weight.sum() - 1e-9
            assert a[np.ix_(g.rows, g.voters)].all()
            assert len(g.rows) >= (g.size if check in (pjr, ejr) else 1)
            has = a[np.ix_(np.unique(at), g.voters)]
            assert (has.any(axis=1).sum() if check is pjr else has.sum(axis=0).max(initial=0)) < g.size


@pytest.mark.parametrize("seed", range(40))
def test_what_the_rules_promise_holds(seed):
    rng = np.random.default_rng(seed)
    n, m, k = 9, 8, int(rng.integers(1, 7))
    ballots = Approvals.of([np.flatnonzero(rng.random(n) < 0.4) for _ in range(m)], n)
    limits = bind(Pool(np.arange(n), {}), (), k)
    assert ejr_plus(ballots, equal_shares.seats(ballots, limits)[0]) == []
    assert pjr(ballots, phragmen.seats(ballots, limits)) == []
    if m % k == 0:
        assert pjr(ballots, greedy_monroe.seats(ballots, limits)) == []


def test_a_committee_may_satisfy_pjr_and_not_ejr():
    """Sanchez-Fernandez et al. 2017: PJR looks at what the group has together, EJR at its happiest member."""
    sets = [[0, 4, 5], [1, 4, 5], [2], [3]]
    ballots, at = Approvals.of(sets, 6), np.array([0, 1, 2, 3])
    assert pjr(ballots, at) == []
    found = ejr(ballots, at)[0]
    assert (found.voters.tolist(), found.size, found.rows.tolist()) == ([0, 1], 2, [4, 5])


def test_a_search_that_takes_too_long_says_so(monkeypatch):
    monkeypatch.setattr(axioms, "MOST", 3)
    # EJR+ fails (row 6 is missed), EJR does not: only a search tells
    ballots = Approvals.of([[0, 1, 2, 6], [0, 3, 4, 6], [1, 3, 5, 6], [2, 4, 5, 6]], 7)
    with pytest.raises(UsageError, match="ask ejr_plus"):
        pjr(ballots, np.array([0, 5, 1, 2]), 8)


def test_the_share_that_is_heard():
    pool = Pool.of({"t": Tags.of([["a", "b"], ["a", "b"], ["c"], ["d"]])})
    heard = Justified(by="t")
    assert heard(pool, np.array([0, 1, 2, 3])) == 1
    assert heard(pool, np.array([2, 3])) == 0.5
    assert heard(pool, np.zeros(0, np.int64)) == 1
    assert heard.name == "voters heard (EJR+), t"
    with pytest.raises(UsageError, match="top"):
        Justified(("score",))


def test_bad_committees_are_refused():
    ballots = Approvals.of([[0], [1]], 2)
    with pytest.raises(ContractError, match="positions"):
        jr(ballots, np.array([2]))
    with pytest.raises(UsageError, match="at least 2"):
        jr(ballots, np.array([0, 1]), 1)
