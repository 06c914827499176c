"""The array door: what it chooses, what it refuses, and that NumPy is enough."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.contracts import Need
from shortlist.core.effects import alone
from shortlist.core.errors import InfeasibleError, InputError, MemoryRefused, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Tags, Vectors
from shortlist.doors.balance import balance, span
from shortlist.doors.routing import coverage_for, resized, seconds, speed
from shortlist.doors.select import select
from shortlist.methods.objective import facility_location as fl
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.group_coverage import GroupCoverage
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.lazy_greedy import LazyGreedy


def clustered(n, d=16, seed=0, groups=60):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(groups, d))[rng.zipf(1.4, n) % groups] + 0.5 * rng.normal(size=(n, d))
    return x.astype(np.float32)


def test_vectors_alone_cover_better_than_random():
    x, rng = clustered(2000), np.random.default_rng(0)
    ours = fl.exact(x, select(x, k=40).rows)
    draws = [fl.exact(x, rng.choice(2000, 40, replace=False)) for _ in range(40)]
    assert ours > max(draws)


def test_scores_alone_and_diversity_zero_are_the_top():
    score = np.random.default_rng(0).normal(size=300)
    top = np.argsort(-score, kind="stable")[:20]
    assert select(k=20, scores=score).rows.tolist() == top.tolist()
    assert select(clustered(300), k=20, scores=score, diversity=0).rows.tolist() == top.tolist()
    assert select(k=3, scores=[1, 2, 2, 2]).rows.tolist() == [1, 2, 3]


def test_diversity_trades_score_for_coverage():
    x, score = clustered(1500), np.random.default_rng(1).random(1500)
    chosen = [select(x, k=50, scores=score, diversity=d).rows for d in (0, 0.25, 0.5, 0.75, 1)]
    cover = [fl.exact(x, rows) for rows in chosen]
    worth = [score[rows].mean() for rows in chosen]
    assert cover == sorted(cover)
    assert worth == sorted(worth, reverse=True)
    # At one half each keeps most of what it could have alone.
    assert cover[2] - cover[0] > 0.5 * (cover[4] - cover[0])
    assert worth[2] - worth[4] > 0.5 * (worth[0] - worth[4])


def test_several_scores_share():
    rng = np.random.default_rng(2)
    scores = rng.random((400, 2))
    choice = select(k=30, scores=scores)
    assert choice.terms == ("score_0", "score_1")
    assert (scores[choice.rows].mean(axis=0) > 0.7).all()
    assert select(k=30, scores=scores[:, :1]).terms == ("score",)


def test_limits_hold_together():
    rng = np.random.default_rng(3)
    x, groups = clustered(800), rng.choice(["de", "en", "fr"], 800, p=[0.05, 0.85, 0.1])
    costs = rng.integers(1, 100, 800).astype(float)
    choice = select(
        x,
        k=60,
        groups=groups,
        at_least={"de": 0.25},
        at_most={"en": 20},
        costs=costs,
        budget=2500,
        include=[7, 8],
        exclude=[9],
        shown=[10],
    )
    rows = choice.rows
    assert 50 <= len(rows) <= 60  # the budget may be spent before
    assert (groups[rows] == "de").sum() >= 15
    assert (groups[rows] == "en").sum() <= 20
    assert costs[rows].sum() <= 2500
    assert set(rows[:2].tolist()) == {7, 8}
    assert not {9, 10} & set(rows.tolist())
    assert choice.bound is not None
    assert choice.bound[0] <= choice.bound[1]


def test_a_budget_is_spent_on_gain_per_cost():
    rng = np.random.default_rng(0)
    score, costs = rng.random(500), rng.lognormal(3, 1, 500)
    choice = select(k=100, scores=score, costs=costs, budget=600)
    assert costs[choice.rows].sum() <= 600
    by_gain, spent = 0.0, 0.0
    for i in np.argsort(-score, kind="stable"):
        if spent + costs[i] <= 600:
            spent, by_gain = spent + costs[i], by_gain + 1
    assert len(choice) > by_gain
    assert choice.bound is not None
    assert choice.total <= choice.bound[1]


def test_groups_may_be_lists_numbers_or_missing():
    score = np.arange(6.0)
    tags = [["a"], ["a", "b"], [], ["b"], ["c", "c"], {"a"}]
    assert 5 not in select(k=2, scores=score, groups=tags, at_most={"a": 0}).rows
    assert 5 not in select(k=2, scores=score, groups=[1, 1, 1, 2, 2, 3], at_most={3: 0}).rows
    assert 0 in select(k=2, scores=score, groups=[None, *"abcde"], at_least={None: 1}).rows


def test_shown_rows_count_as_covered():
    x = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    assert {r // 4 for r in select(x, k=2, shown=[5]).rows.tolist()} == {0, 2}


@given(
    st.lists(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=2), max_size=7),
    st.integers(0, 9),
    st.sampled_from([0.0, 0.3, 1.0]),
)
@settings(deadline=None, max_examples=60)
def test_small_odd_pools(rows, k, diversity):
    x = np.array(rows).reshape(len(rows), 2)
    choice = select(x, k=k, scores=np.zeros(len(rows)), diversity=diversity)
    assert len(choice) == min(k, len(rows))
    assert (
        choice.rows.tolist() == select(x, k=k, scores=np.zeros(len(rows)), diversity=diversity).rows.tolist()
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"vectors": [[1, 2], [3, np.nan]]}, InputError, r"vectors\[1, 1\] is nan \(row 1, column 1"),
        ({"vectors": np.array([[1, 2], [np.inf, 0]], np.float32)}, InputError, r"vectors\[1, 0\] is inf"),
        ({"vectors": [[1e300, 0]]}, InputError, "as float32"),
        ({"vectors": [[1, 2], [3]]}, InputError, "must be numbers"),
        ({"vectors": [1, 2]}, InputError, "must have shape n x d, found 2"),
        ({"scores": [[1, 2], [3, np.nan]]}, InputError, r"scores\[1, 1\] is nan \(row 1, column 1"),
        ({"scores": [0, np.nan]}, InputError, r"scores\[1\] is nan \(row 1, counted from 0\)"),
        ({"scores": ["a", "b"]}, InputError, "scores must be numbers"),
        ({"scores": 3.0}, InputError, "must have shape n or n x s, found none"),
        ({"scores": [1, 2], "vectors": [[1, 2]]}, InputError, "differ in length"),
        ({"scores": [1, 2], "costs": [1, -1], "budget": 3}, InputError, r"costs\[1\] is -1"),
        ({"scores": [1, 2], "costs": [1, np.nan], "budget": 3}, InputError, r"costs\[1\] is nan"),
        ({"scores": [1, 2], "costs": [1, 1]}, UsageError, "go together"),
        ({"scores": [1, 2], "budget": 1}, UsageError, "go together"),
        ({"scores": [1, 2], "at_most": {"a": 1}}, UsageError, "give groups"),
        ({"scores": [1, 2], "groups": "ab"}, InputError, "one string"),
        ({"scores": [1, 2], "groups": ["a", ["b"]]}, InputError, "found both"),
        ({"scores": [1, 2], "groups": ["a", "b"], "at_least": {"c": 1}}, UsageError, "no group 'c'"),
        ({"scores": [1, 2], "diversity": 1.5}, UsageError, r"in \[0, 1\]"),
        ({"scores": [1, 2], "diversity": "high"}, UsageError, r"in \[0, 1\]"),
        ({"scores": [1, 2], "diversity": 1}, UsageError, "give vectors"),
        ({"vectors": [[1, 2]], "diversity": 0}, UsageError, "give scores"),
        ({}, UsageError, "nothing to choose by"),
        ({"scores": [1, 2], "include": [5]}, UsageError, "not in this pool"),
        (
            {"scores": [1, 2], "groups": ["a", "a"], "at_least": {"a": 2}, "exclude": [0]},
            InfeasibleError,
            "a",
        ),
    ],
)
def test_refusals(arguments, error, words):
    with pytest.raises(error, match=words):
        select(arguments.pop("vectors", None), k=arguments.pop("k", 2), **arguments)


def test_k_must_be_a_count():
    for k in (-1, 2.5, "3"):
        with pytest.raises(UsageError, match=r"whole number|at least 0"):
            select(k=k, scores=[1, 2])


NUMPY_ALONE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"numba", "llvmlite", "pyarrow", "duckdb", "click", "tqdm", "jinja2",
                                  "threadpoolctl", "highspy", "scipy", "sklearn"}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
import numpy as np
from shortlist.doors.select import select
rng = np.random.default_rng(0)
x = rng.normal(size=(5000, 16)).astype(np.float32)
choice = select(x, k=100, scores=rng.random(5000), groups=rng.integers(0, 3, 5000),
                at_least={0: 0.4}, costs=rng.random(5000), budget=40.0)
print(*choice.rows.tolist())
"""


def test_numpy_is_enough_and_gives_the_same_choice():
    alone_, full = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for code in (NUMPY_ALONE, NUMPY_ALONE.replace("sys.meta_path", "[]"))
    )
    assert 90 <= len(alone_.split()) <= 100
    assert alone_ == full


def test_big_pools_take_the_sparse_form_and_stay_near_the_exact_choice():
    x = clustered(6000)
    pool = Pool.of({"vec": Vectors(x)})
    form, why = coverage_for(pool, "vec", 100, 4e9)
    assert form == FacilityLocation("vec", neighbors=300)
    assert "all 6,000 rows are represented, each by about 300 nearest" in why
    ours = fl.exact(x, select(x, k=100).rows)
    best = fl.exact(x, greedy_of(pool, 100))
    rng = np.random.default_rng(0)
    random = np.mean([fl.exact(x, rng.choice(6000, 100, replace=False)) for _ in range(10)])
    assert (ours - random) / (best - random) > 0.98


def greedy_of(pool, k):
    return LazyGreedy()(alone(FacilityLocation().build(pool)), bind(pool, (), k), pool).rows


def promised(n, d):
    return Pool.of({"vec": Vectors(np.zeros((n, d), np.float32))})


def test_the_form_follows_from_size_k_and_memory():
    small, mid = promised(4000, 8), promised(50_000, 8)
    big = promised(300_000, 8)
    assert coverage_for(small, "vec", 100, 1e9)[0] == FacilityLocation("vec")
    # Vectors that are still to be made are all zero: texts are expected.
    found, why = coverage_for(mid, "vec", 1000, 2e9, 7)
    assert found == FacilityLocation("vec", neighbors=250, cells=514, probes=64, seed=7)
    assert "looked for in 64 of 514 cells" in why
    assert coverage_for(mid, "vec", 10, 1.2e10)[0] == FacilityLocation("vec", represent=4096)
    assert coverage_for(mid, "vec", 10, 6e8)[0] == FacilityLocation("vec", represent=2048)
    assert coverage_for(big, "vec", 1000, 8e9)[0] == FacilityLocation(
        "vec", neighbors=1500, represent=40_000, cells=1260, probes=157
    )
    loose = np.random.default_rng(0).normal(size=(20_000, 64)).astype(np.float32)
    found, why = coverage_for(Pool.of({"vec": Vectors(loose)}), "vec", 400, 2e9)
    assert found == FacilityLocation("vec", neighbors=250)
    assert "cells" not in why
    smaller = coverage_for(big, "vec", 1000, 1.6e9)[0]
    assert 0 < smaller.represent < 40_000
    with pytest.raises(MemoryRefused, match=r"300,000 x 8 vectors 'vec' for 1,000 picks takes .* MiB"):
        coverage_for(big, "vec", 1000, 1e8)


def test_resizing_reaches_into_sums():
    pool = Pool.of({"vec": Vectors(clustered(5000)), "score": Scores(np.zeros(5000))})
    f = Sum((Modular("score"), Sum((FacilityLocation("vec", seed=3),))), weights=(2.0, 3.0))
    again = resized(f, pool, 50, 4e9)
    assert again.weights == (2.0, 3.0)
    assert again.of[1].of[0] == FacilityLocation("vec", neighbors=500, seed=3)


def test_time_is_measured_and_grows_with_flops():
    assert 1e8 < speed() < 1e13
    assert seconds(Need(0, 2e10), 1) == pytest.approx(2 * seconds(Need(0, 1e10), 1))
    assert seconds(Need(0, 1e10), 2) < seconds(Need(0, 1e10), 1)
    assert seconds(Need(0, 1e10)) > 0


def test_a_span_is_what_a_part_can_gain_over_random():
    rng = np.random.default_rng(0)
    score = rng.random(1000)
    pool = Pool.of(
        {
            "score": Scores(score),
            "flat": Scores(np.zeros(1000)),
            "vec": Vectors(clustered(1000)),
            "tags": Tags.of([[str(t)] for t in rng.zipf(2.0, 1000)]),
        }
    )
    ranks = np.sort(score.argsort().argsort() + 0.5)[::-1] / 1000
    assert span(Modular("score"), pool, 50, 0) == pytest.approx(ranks[:50].sum() - 25, rel=0.1)
    assert span(Modular("flat"), pool, 50, 0) == 0
    assert span(GroupCoverage("tags"), pool, 50, 0) > 0
    assert span(MMR("vec"), pool, 10, 0) > 0
    weights = balance((Modular("score"), Modular("flat")), (0.5, 0.5), pool, 50, 0)
    assert weights[0] == pytest.approx(0.5 / span(Modular("score"), pool, 50, 0))
    assert weights[1] == 0.5
    assert span(FacilityLocation("vec"), pool.take(np.arange(0)), 0, 0) == 0


def test_the_span_of_coverage_from_a_sample_is_near_the_whole():
    pool = Pool.of({"vec": Vectors(clustered(9000, d=24))})
    whole, rng = greedy_of(pool, 60), np.random.default_rng(1)
    x = pool.signal("vec", Vectors).values
    random = np.mean([fl.exact(x, rng.choice(9000, 60, replace=False)) for _ in range(5)])
    assert span(FacilityLocation("vec"), pool, 60, 0) == pytest.approx(fl.exact(x, whole) - random, rel=0.35)
