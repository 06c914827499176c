"""What the laws cannot say of functions of a query or a private set: the identities that define them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.expression import parse
from shortlist.core.limits import bind
from shortlist.core.members import members
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags, Vectors
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.objective.facility_location import exact as coverage
from shortlist.methods.objective.facility_location_cg import FacilityLocationCG
from shortlist.methods.objective.facility_location_mi import FacilityLocationMI
from shortlist.methods.objective.facility_location_query_mi import FacilityLocationQueryMI
from shortlist.methods.objective.graph_cut_cg import GraphCutCG
from shortlist.methods.objective.graph_cut_mi import GraphCutMI
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.log_det_cg import LogDetCG
from shortlist.methods.objective.log_det_mi import LogDetMI
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy

QUERY = (FacilityLocationMI, FacilityLocationQueryMI, GraphCutMI, LogDetMI)
PRIVATE = (FacilityLocationCG, GraphCutCG, LogDetCG)


def pool_of(n: int = 40, d: int = 6, seed: int = 0) -> Pool:
    """Rows in four clusters; `split` marks some as dev, and nobody as 'none'."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(4, d))[rng.integers(0, 4, n)] + rng.normal(size=(n, d)) * 0.6
    split = rng.choice(2, n, p=[0.8, 0.2]).astype(np.int32)
    columns = {"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "dev", "none"))}
    return Pool.of(columns)


def apart(pool: Pool, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Some rows outside the dev group, and the group."""
    dev = members(pool, "split:dev")
    return np.setdiff1d(np.arange(len(pool)), dev)[:k], dev


# --- groups by name -----------------------------------------------------------------------------------------


def test_members_of_labels_and_tags():
    tags = Tags.of([["x", "a:b"], [], ["x"], ["y", "x"]])
    pool = Pool.of({"l": Labels.of(["a", "b", "a", ""]), "t": tags, "s": Scores(np.zeros(4))})
    want = {"l:a": [0, 2], "l:": [3], "t:x": [0, 2, 3], "t:a:b": [0], "t:y": [3]}
    assert {text: members(pool, text).tolist() for text in want} == want
    assert members(pool, "t:x").dtype == np.int64
    nobody = Pool.of({"l": Labels(np.zeros(1, np.int32), ("a", "b"))})
    assert members(nobody, "l:b").tolist() == []


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("l", UsageError, "must name a group as signal:group"),
        (":a", UsageError, "must name a group"),
        (3, UsageError, "must name a group"),
        ("l:alpah", UsageError, "'l' has no group 'alpah'; did you mean 'alpha'"),
        ("m:a", ContractError, r"no signal 'm'; the groups of this pool are in \['l'\]"),
        ("s:a", ContractError, "'s' is Scores, not groups"),
    ],
)
def test_groups_that_are_not_there_are_named(text, error, says):
    pool = Pool.of({"l": Labels.of(["alpha", "beta"]), "s": Scores(np.zeros(2))})
    with pytest.raises(error, match=says):
        members(pool, text)


@pytest.mark.parametrize(
    "bad",
    [
        *(f"{c.__name__}(toward='split')" for c in QUERY),
        *(f"{c.__name__}(away='split')" for c in PRIVATE),
        *(f"{c.__name__}()" for c in (*QUERY, *PRIVATE)),
        "FacilityLocationQueryMI(toward='s:a', eta=-1)",
        "FacilityLocationMI(toward='s:a', eta=0)",
        "FacilityLocationMI(toward='s:a', represent=-1)",
        "FacilityLocationCG(away='s:a', nu=-1)",
        "FacilityLocationCG(away='s:a', represent=-1)",
        "GraphCutCG(away='s:a', redundancy=-1)",
        "LogDetCG(away='s:a', nu=1.5)",
        "LogDetCG(away='s:a', ridge=0)",
        "LogDetMI(toward='s:a', eta=1.5)",
        "LogDetMI(toward='s:a', ridge=0)",
    ],
)
def test_impossible_hyperparameters_are_refused(bad):
    with pytest.raises(UsageError):
        parse(bad, {c.__name__: c for c in (*QUERY, *PRIVATE)})


# --- the definitions: I(S; Q) = f(S) + f(Q) - f(S + Q) and f(S | P) = f(S + P) - f(P) -----------------------


@pytest.mark.parametrize("seed", range(3))
def test_mutual_information_is_what_both_have(seed):
    pool = pool_of(seed=seed)
    s, q = apart(pool)
    both, values = np.concatenate([s, q]), pool.signal("vec", Vectors).values
    want = coverage(values, s) + coverage(values, q) - coverage(values, both)
    assert FacilityLocationMI(toward="split:dev").value(pool, s)[0] == pytest.approx(want)
    f = LogDet()
    want = (f.value(pool, s) + f.value(pool, q) - f.value(pool, both))[0]
    assert LogDetMI(toward="split:dev").value(pool, s)[0] == pytest.approx(want)


@pytest.mark.parametrize("seed", range(3))
def test_conditional_gain_is_what_the_choice_adds(seed):
    pool = pool_of(seed=seed)
    s, p = apart(pool)
    both, values = np.concatenate([s, p]), pool.signal("vec", Vectors).values
    want = coverage(values, both) - coverage(values, p)
    assert FacilityLocationCG(away="split:dev").value(pool, s)[0] == pytest.approx(want)
    want = (LogDet().value(pool, both) - LogDet().value(pool, p))[0]
    assert LogDetCG(away="split:dev").value(pool, s)[0] == pytest.approx(want)


@pytest.mark.parametrize("weight", [0.3, 2.0])
def test_graph_cut_is_the_papers_up_to_n_and_the_mean(weight):
    pool = pool_of()
    s, p = apart(pool)
    x = pool.signal("vec", Vectors).values.astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    sim, n = (1 + x @ x.T) / 2, len(x)

    def cut(at: np.ndarray) -> float:
        return float(sim[:, at].sum() - weight * sim[np.ix_(at, at)].sum())

    f = GraphCutCG(away="split:dev", redundancy=weight, nu=weight * len(p) / n)
    assert f.value(pool, s)[0] * n == pytest.approx(cut(np.concatenate([s, p])) - cut(p))
    shared = cut(s) + cut(p) - cut(np.concatenate([s, p]))
    mutual = GraphCutMI(toward="split:dev").value(pool, s)[0]
    assert mutual * 2 * weight * len(p) == pytest.approx(shared)


def test_query_coverage_and_relevance_by_hand():
    rows = np.array([[1, 0], [0, 1], [1, 1], [-1, 0], [0, 0]], np.float32)
    pool = Pool.of({"vec": Vectors(rows), "g": Labels.of(["q", "q", "r", "r", "r"])})
    f, half = FacilityLocationQueryMI(toward="g:q", eta=3.0), 0.5**0.5
    assert f.value(pool, np.array([2])).tolist() == pytest.approx([half, 3 * half / 2])
    assert f.value(pool, np.array([0, 2])).tolist() == pytest.approx([(1 + half) / 2, 3 * (1 + half) / 2])
    assert f.value(pool, np.array([3, 4])).tolist() == [0, 0]


def test_log_det_mi_is_not_submodular_and_lazy_solvers_refuse_it():
    # the second row says nothing of the query until the first is known, which is the query plus the second
    pool = Pool.of(
        {"vec": Vectors(np.array([[1, 1], [0, 1], [1, 0]], np.float32)), "g": Labels.of(["r", "r", "q"])}
    )
    built = alone(LogDetMI(toward="g:q").build(pool), pool)
    second = np.array([1])
    before, after = (
        built.gains(built.start(), second)[0, 0],
        built.gains(built.add(built.start(), 0), second)[0, 0],
    )
    assert before == pytest.approx(0, abs=1e-6)
    assert after > 0.1
    assert (built.monotone, built.submodular) == (True, False)
    with pytest.raises(ContractError, match="use Greedy"):
        LazyGreedy()(built, bind(pool, (), 2), pool)


# --- groups without rows, queries that stay out, samples ----------------------------------------------------


def test_an_empty_group_leaves_nothing_or_the_plain_function():
    pool = pool_of()
    at, values = np.array([3, 8, 20]), pool.signal("vec", Vectors).values
    for cls in QUERY:
        assert (cls(toward="split:none").value(pool, at) == 0).all()
        built = alone(cls(toward="split:none").build(pool), pool)
        assert (built.gains(built.start(), at) == 0).all()
    assert FacilityLocationCG(away="split:none").value(pool, at)[0] == pytest.approx(coverage(values, at))
    assert LogDetCG(away="split:none").value(pool, at)[0] == pytest.approx(LogDet().value(pool, at)[0])
    assert (
        GraphCutCG(away="split:none").value(pool, at)[0]
        == GraphCutCG(away="split:dev", nu=0).value(pool, at)[0]
    )


@pytest.mark.parametrize(
    "f", [*(c(toward="split:dev") for c in QUERY), *(c(away="split:dev") for c in PRIVATE)]
)
def test_a_quota_keeps_the_group_out(f):
    pool = pool_of(n=120)
    limits = bind(pool, [Quota("split", at_most={"dev": 0})], 8)
    chosen = Greedy()(alone(f.build(pool), pool), limits, pool)
    assert 0 < len(chosen) <= 8
    assert not set(chosen.rows) & set(members(pool, "split:dev"))


def test_the_drawn_rows_estimate_targeted_coverage_without_bias():
    pool, at = pool_of(n=200), np.array([1, 50, 120])
    full = FacilityLocationMI(toward="split:dev").value(pool, at)[0]
    told = [
        FacilityLocationMI(toward="split:dev", represent=20, seed=s).value(pool, at)[0] for s in range(150)
    ]
    assert np.std(told) > 0
    assert abs(np.mean(told) - full) < 4 * np.std(told) / len(told) ** 0.5 + 1e-9


def test_graph_cut_says_when_it_is_not_monotone():
    pool = pool_of()
    for nu, redundancy in ((0.0, 0.1), (0.2, 0.4), (1.0, 0.4), (0.1, 5.0)):
        built = alone(GraphCutCG(away="split:dev", nu=nu, redundancy=redundancy).build(pool))
        state, last = built.start(), []
        for at in range(len(pool)):
            last.append(built.gains(state, np.array([at]))[0, 0])
            state = built.add(state, at)
        worst = np.min(last) if nu < 1 else built.gains(built.start(), np.arange(len(pool))).min()
        assert built.monotone == (worst > 0), (nu, redundancy, worst)


def test_graph_cut_turns_at_the_redundancy_where_the_last_gain_is_nothing():
    pool = pool_of()
    x = pool.signal("vec", Vectors).values.astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    total = ((1 + x @ x.T) / 2).sum(axis=1)
    turn = (total / (2 * total - 1)).min()  # total / n = turn / n (1 + 2 (total - 1))
    for share, monotone in ((0.99, True), (1.01, False)):
        f = GraphCutCG(away="split:none", redundancy=turn * share)
        assert alone(f.build(pool)).monotone == monotone


def test_what_is_needed_is_stated_where_little_is_covered_and_where_much_is():
    for spread, most in ((0.2, 40), (2.0, 1)):
        rng = np.random.default_rng(1)
        rows = rng.normal(size=(20, 32))[rng.integers(0, 20, 3000)] + rng.normal(size=(3000, 32)) * spread
        split = np.zeros(3000, np.int32)
        split[: most * 10] = 1
        columns = {"vec": Vectors(rows.astype(np.float32)), "split": Labels(split, ("pool", "dev"))}
        pool = Pool.of(columns)
        for f in (
            FacilityLocationCG(away="split:dev"),
            FacilityLocationCG(away="split:dev", represent=500),
            FacilityLocationMI(toward="split:dev", represent=500),
            FacilityLocationQueryMI(toward="split:dev"),
            LogDetMI(toward="split:dev"),
            LogDetCG(away="split:dev"),
            GraphCutCG(away="split:dev"),
        ):
            tracemalloc.start()
            built = alone(f.build(pool), pool)
            built.gains(built.add(built.start(), 5), np.arange(3000))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak <= 1.05 * f.need(pool, 1).bytes + 2**20, f
