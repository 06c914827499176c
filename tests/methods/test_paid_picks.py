"""Searches that pay: how often they are right, against what they say; judges that are biased or broken."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.budget import Budget
from shortlist.core.effects import lockstep
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Vectors
from shortlist.methods.compare.active_ranking import ActiveRanking, comparisons
from shortlist.methods.compare.dueling_bandit import DuelingBandit
from shortlist.methods.compare.knockout import Knockout, bound, exact
from shortlist.methods.compare.noisy_threshold_search import NoisyThresholdSearch
from shortlist.methods.compare.noisy_threshold_search import exact as right_places
from shortlist.run.driver import run
from shortlist.run.scorers import Scorer


def asked(method, pool, judge, **budget):
    return run(method.steps(pool), pool, scorers={"judge": Scorer(judge)}, budget=Budget(**budget)).result


def rows(n):
    return Pool(np.arange(n) * 2, {"score": Scores(np.arange(n) * 1.0)})


@pytest.mark.parametrize(("n", "duels"), [(1, 3), (2, 4), (7, 5), (16, 8), (33, 3)])
def test_a_knockout_fails_no_more_often_than_its_bound(n, duels):
    rng = np.random.default_rng(n)
    method, failed, runs = Knockout(duels=duels, right=0.3, beats=0.85), 0, 300
    for t in range(runs):
        right = rng.random(2 * n) < 0.3

        def judge(items, right=right):
            chance = 0.5 + 0.35 * (right[items[:, 0]].astype(float) - right[items[:, 1]])
            return rng.random(len(items)) < chance

        pick = asked(Knockout(duels=duels, right=0.3, beats=0.85, seed=t), rows(n), judge)
        assert pick.calls == (n - 1) * duels
        assert pick.failure == bound(n, method.duels, 0.3, 0.85)
        failed += not right[pick.rows[0]]
    assert failed / runs <= bound(n, duels, 0.3, 0.85) + 3 * np.sqrt(0.25 / runs)


def test_who_advances_is_the_definition_and_a_liking_for_one_side_cancels():
    assert exact(4, 9, [1, 1, 0]) == 4
    assert exact(4, 9, [0.5, 0.5]) is None
    first = [
        asked(Knockout(duels=2, seed=s), rows(9), lambda items: np.ones(len(items))).rows[0]
        for s in range(40)
    ]
    assert len(set(first)) > 4  # a judge that always says "first" decides nothing


def test_tournaments_side_by_side_share_their_batches():
    pools = [Pool(np.arange(4) + 10 * i, {}) for i in range(5)]
    plans = [Knockout(seed=i).steps(p) for i, p in enumerate(pools)]
    batches = []

    def judge(items):
        batches.append(len(items))
        return (items[:, 0] > items[:, 1]).astype(np.float32)

    picks = run(lockstep(plans), scorers={"judge": Scorer(judge)}).result
    assert [p.rows[0] for p in picks] == [10 * i + 3 for i in range(5)]
    assert batches == [30, 15]


def test_active_ranking_is_right_as_often_as_it_says_and_says_what_is_open():
    rng = np.random.default_rng(0)
    means = np.full((6, 5), 0.1) + np.linspace(0.8, 0, 6)[:, None] * (np.arange(5) < 2)
    wrong = 0
    for t in range(25):
        shuffle = rng.permutation(6)
        mine = means[shuffle]
        pick = asked(
            ActiveRanking(tasks=5, seed=t), Pool(np.arange(6), {}),
            lambda items, m=mine: rng.random(len(items)) < m[items[:, 0], items[:, 1]],
        )  # fmt: skip
        wrong += pick.rows.tolist() != np.argsort(shuffle).tolist()
        assert pick.failure == 0.05
    assert wrong <= 3
    best = asked(
        ActiveRanking(tasks=5, best=True), Pool(np.arange(6), {}),
        lambda items: rng.random(len(items)) < means[items[:, 0], items[:, 1]],
    )  # fmt: skip
    assert best.rows[0] == 0
    same = asked(
        ActiveRanking(tasks=2, most=50), Pool(np.arange(2), {}), lambda items: np.full(len(items), 0.5)
    )
    assert not same.done
    assert same.failure == 1.0
    assert "could not be told apart" in same.notes[0]
    assert [comparisons(n, False) for n in range(5)] == [0, 0, 1, 3, 5]


@pytest.mark.parametrize("steep", [0.001, 0.05, 1.0])
def test_a_threshold_is_right_as_often_as_it_says(steep):
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(40):
        chance = np.clip(0.5 + (np.arange(200) - rng.integers(0, 200)) * steep, 0.05, 0.95)
        pick = asked(
            NoisyThresholdSearch(), rows(200), lambda items, c=chance: rng.random(len(items)) < c[items // 2]
        )
        assert pick.done
        place = int(pick.rows[0] // 2) if len(pick) else 200
        wrong += place not in right_places(chance, 0.5, 0.1)
    assert wrong <= 4


def test_a_threshold_that_no_row_or_every_row_reaches():
    none = asked(NoisyThresholdSearch(), rows(30), lambda items: np.zeros(len(items)))
    assert (len(none), none.notes) == (0, ("no row reaches the threshold",))
    every = asked(NoisyThresholdSearch(), rows(30), lambda items: np.ones(len(items)))
    assert every.rows.tolist() == [0]


def test_the_bandit_finds_what_a_sure_judge_likes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).astype(np.float32)
    worth = x @ np.array([1.0, -2.0, 0.5])
    pool = Pool(np.arange(60), {"vec": Vectors(x)})
    pick = asked(DuelingBandit(duels=25), pool, lambda i: worth[i[:, 0]] > worth[i[:, 1]])
    assert pick.rows[0] in np.argsort(-worth)[:2]
    assert pick.calls == 25


@pytest.mark.parametrize(
    "method", [Knockout(), ActiveRanking(tasks=2), NoisyThresholdSearch(), DuelingBandit(by="vec")], ids=str
)
def test_answers_that_are_no_probability_are_refused(method):
    pool = Pool(np.arange(3), {"score": Scores(np.arange(3.0)), "vec": Vectors(np.eye(3, dtype=np.float32))})
    with pytest.raises(ContractError, match="judge"):
        asked(method, pool, lambda items: np.full(len(items), 1.5))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Knockout(duels=0),
        lambda: Knockout(right=2),
        lambda: ActiveRanking(tasks=0),
        lambda: ActiveRanking(tasks=1, delta=0),
        lambda: NoisyThresholdSearch(eps=0.5),
        lambda: NoisyThresholdSearch(delta=1),
        lambda: NoisyThresholdSearch(batch=0),
        lambda: DuelingBandit(duels=-1),
        lambda: DuelingBandit(ridge=0),
    ],
)
def test_options_out_of_range(wrong):
    with pytest.raises(UsageError):
        wrong()
