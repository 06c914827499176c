"""Rankings from duels: the numbers, the intervals, what is refused; nouns of judgments."""

from __future__ import annotations

import numpy as np
import pytest

import shortlist.core.record
import shortlist.core.standing
import shortlist.methods.compare.bradley_terry as bradley_terry
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.judgments import Board, Duels, Pick, Verdicts
from shortlist.core.record import Record
from shortlist.core.standing import variances
from shortlist.methods.compare import elo, rank_centrality
from shortlist.methods.compare.bradley_terry import BradleyTerry
from shortlist.methods.compare.elo import Elo
from shortlist.methods.compare.rank_centrality import RankCentrality
from tests.laws.rank import refuses


def league(rng, n, m, spread=1.0):
    theta = rng.normal(size=n) * spread
    pairs = rng.integers(0, n, (m, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    wins = (rng.random(len(pairs)) < 1 / (1 + np.exp(theta[pairs[:, 1]] - theta[pairs[:, 0]]))).astype(float)
    names = tuple(f"m{i}" for i in range(n))
    return Duels(pairs, wins, np.ones(len(pairs)), names), theta - theta.mean()


@pytest.mark.parametrize("prior", [0.0, 0.1, 3.0])
def test_newton_newman_and_the_printed_update_agree(prior):
    duels, _ = league(np.random.default_rng(1), 25, 600)
    want = bradley_terry.exact(duels, prior)
    for newton in (True, False):
        found = BradleyTerry(prior=prior, newton=newton)(duels).scores
        np.testing.assert_allclose(found, want, atol=1e-9)


def test_long_chains_and_lopsided_duels_settle_too():
    rng = np.random.default_rng(0)
    i = np.repeat(np.arange(300), 3)
    pairs = np.stack([i, i + 1], axis=1)
    wins = np.tile([1.0, 0.0, 0.999], 300)
    duels = Duels(pairs, wins, rng.choice([1.0, 50.0], 900), tuple(map(str, range(301))))
    scores = BradleyTerry()(duels).scores
    record = Record.of(duels)
    steps = np.log(record.won / (record.met - record.won))
    np.testing.assert_allclose(scores[record.item] - scores[record.other], steps, atol=1e-6)


def test_strengths_past_the_range_of_floats_are_refused():
    i = np.repeat(np.arange(900), 2)
    pairs = np.stack([i, i + 1], axis=1)
    duels = Duels(pairs, np.tile([1.0, 0.0], 900), np.tile([9.0, 1.0], 900), tuple(map(str, range(901))))
    for ranker in (BradleyTerry(), RankCentrality()):
        refuses(ranker, duels, "did not settle", "prior")


def test_without_a_compiler_the_answer_is_the_same(monkeypatch):
    duels, _ = league(np.random.default_rng(2), 12, 200)
    want = [BradleyTerry()(duels), Elo(draws=3)(duels), RankCentrality(prior=1)(duels)]
    for module in (shortlist.core.record, shortlist.core.standing, bradley_terry, elo, rank_centrality):
        monkeypatch.setattr(module, "have_numba", lambda: False)
    for a, b in zip(
        want, [BradleyTerry()(duels), Elo(draws=3)(duels), RankCentrality(prior=1)(duels)], strict=True
    ):
        np.testing.assert_allclose(a.scores, b.scores, atol=1e-9)
        np.testing.assert_allclose(a.low, b.low, atol=1e-7)
    assert len(BradleyTerry(newton=False)(duels)) == 12


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held, best = [], []
    for _ in range(60):
        duels, theta = league(rng, 15, 1500)
        board = BradleyTerry()(duels)
        held.append(np.mean((board.low <= theta) & (theta <= board.high)))
        best.append(board.first[np.argmax(theta)])
        rank = np.empty(15)
        rank[np.argsort(-theta)] = np.arange(1, 16)
        assert ((board.ranks[:, 0] <= rank) & (rank <= board.ranks[:, 1])).mean() > 0.9
    assert 0.93 < np.mean(held) < 0.97
    assert np.mean(best) >= 0.95


def test_widths_of_many_items_are_within_their_stated_error():
    duels, _ = league(np.random.default_rng(3), 500, 20_000)
    record = Record.of(duels)
    _, information = BradleyTerry().strengths(record)
    estimate, error = variances(information, 0)
    off = np.sqrt(estimate / np.diagonal(information.dense())) - 1
    assert 0 < error <= shortlist.core.standing.ENOUGH
    assert np.sqrt(np.mean(off**2)) < 2 * error


def test_widths_with_a_prior_beyond_the_dense_ones(monkeypatch):
    duels, _ = league(np.random.default_rng(3), 60, 900)
    want = BradleyTerry(prior=0.5)(duels)
    monkeypatch.setattr(shortlist.core.standing, "DENSE", 10)
    found = BradleyTerry(prior=0.5)(duels)
    np.testing.assert_allclose(found.high - found.low, want.high - want.low, rtol=0.05)
    assert found.error > 0


def test_robust_intervals_widen_where_duels_are_repeated():
    duels, _ = league(np.random.default_rng(4), 8, 400)
    twice = Duels(duels.pairs, duels.wins, np.full(len(duels), 2.0), duels.names)
    plain, robust = BradleyTerry()(twice), BradleyTerry(robust=True)(twice)
    ratio = (robust.high - robust.low) / (plain.high - plain.low)
    assert 1.2 < ratio.mean() < 1.6  # a duel told twice is no second duel: sqrt(2) wider
    with pytest.raises(UsageError, match="2,000"):
        BradleyTerry(robust=True, prior=1)(
            Duels(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0), tuple(map(str, range(2001))))
        )


@pytest.mark.parametrize("ranker", [BradleyTerry(), BradleyTerry(newton=False), RankCentrality()])
def test_what_is_not_decided_is_refused_by_name(ranker):
    a, b = ["a", "b", "b", "c"], ["b", "a", "c", "b"]
    refuses(ranker, Duels.of([*a, "top"], [*b, "a"], [1, 1, 1, 1, 1]), "'top'", "never lost", "prior")
    refuses(ranker, Duels.of([*a, "low"], [*b, "a"], [1, 1, 1, 1, 0]), "'low'", "never won")
    refuses(ranker, Duels.of(["low", *a], ["a", *b], [0, 1, 1, 1, 1]), "'low'", "never won")
    refuses(ranker, Duels.of(["top", *a], ["a", *b], [1, 1, 1, 1, 1]), "'top'", "never lost")
    refuses(ranker, Duels.of([*a, "x", "y"], [*b, "y", "x"], [1, 1, 1, 1, 1, 1]), "'x', 'y'", "never met")
    refuses(ranker, Duels.of(["x", "y", *a], ["y", "x", *b], [1, 1, 1, 1, 1, 1]), "'x', 'y'", "never met")
    many = Duels.of([f"t{i}" for i in range(9)] * 2, ["a"] * 18, [1] * 18)
    refuses(ranker, many, "never")
    ranker(Duels.of([*a, "top"], [*b, "a"], [1, 1, 1, 1, 0.5]))


def test_a_prior_ranks_what_is_undefeated():
    board = BradleyTerry(prior=0.5)(Duels.of(["a", "b"], ["b", "c"], [1, 1]))
    assert [board.names[i] for i in board.order] == ["a", "b", "c"]


def test_elo_and_rank_centrality_are_their_definitions():
    duels, _ = league(np.random.default_rng(5), 9, 300)
    np.testing.assert_allclose(Elo(k=16, draws=0)(duels).scores, elo.exact(duels, 16))
    np.testing.assert_allclose(RankCentrality()(duels).scores, rank_centrality.exact(duels), atol=1e-8)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: BradleyTerry(prior=-1),
        lambda: BradleyTerry(level=1.0),
        lambda: BradleyTerry(tol=0),
        lambda: Elo(k=0),
        lambda: Elo(draws=1),
        lambda: Elo(level=0),
        lambda: RankCentrality(prior=float("nan")),
    ],
)
def test_options_out_of_range(wrong):
    with pytest.raises(UsageError):
        wrong()


def i64(*x):
    return np.array(x, np.int64)


ONE = {"pairs": np.array([[0, 1]]), "wins": np.ones(1), "weights": np.ones(1), "names": ("a", "b")}
BOARD = {
    "names": ("a", "b"),
    "scores": np.array([1.0, 0]),
    "interval": np.array([[0.0, 2], [-1, 1]]),
    "ranks": np.array([[1, 2], [1, 2]]),
    "first": np.array([True, False]),
    "unit": "",
    "level": 0.9,
}
LIES = [
    (Duels, ONE, {"pairs": np.array([[0, 0]])}, "same item"),
    (Duels, ONE, {"pairs": np.array([[0, 2]])}, "lie in"),
    (Duels, ONE, {"pairs": np.array([[0, 1, 1]])}, "i64"),
    (Duels, ONE, {"wins": np.array([1.1])}, "outside"),
    (Duels, ONE, {"wins": np.array([np.nan])}, "outside"),
    (Duels, ONE, {"wins": np.ones(2)}, "wins must be"),
    (Duels, ONE, {"weights": np.array([-1.0])}, "weight"),
    (Duels, ONE, {"weights": np.array([np.inf])}, "weight"),
    (Duels, ONE, {"names": ("a", "a")}, "differ"),
    (Board, BOARD, {"scores": np.zeros(3)}, "length"),
    (Board, BOARD, {"ranks": np.array([1, 2])}, "intervals and ranks"),
    (Board, BOARD, {"scores": np.array([np.inf, 0]), "interval": np.array([[0, np.inf], [0, 1]])}, "finite"),
    (Board, BOARD, {"interval": np.array([[1.5, 2], [0, 1]])}, "hold its score"),
    (Board, BOARD, {"ranks": np.array([[0, 1], [1, 2]])}, "ranks must"),
    (Board, BOARD, {"ranks": np.array([[2, 1], [1, 2]])}, "upside"),
    (Board, BOARD, {"first": np.array([False, True])}, "with itself"),
    (Verdicts, {"passed": np.ones((1, 2), bool), "rows": i64(0)}, {"passed": np.ones((1, 2))}, "bool"),
    (Verdicts, {"passed": np.ones((2, 2), bool), "rows": i64(0, 1)}, {"rows": i64(0)}, "one a solution"),
    (Verdicts, {"passed": np.ones((2, 2), bool), "rows": i64(0, 1)}, {"rows": i64(1, 1)}, "twice"),
    (Pick, {"rows": i64(1), "scores": np.ones(1)}, {"rows": i64(1, 1), "scores": np.ones(2)}, "twice"),
    (Pick, {"rows": i64(1), "scores": np.ones(1)}, {"scores": np.ones(2)}, "f64"),
    (Pick, {"rows": i64(1), "scores": np.ones(1)}, {"scores": np.array([np.nan])}, "finite"),
    (Pick, {"rows": i64(1), "scores": np.ones(1)}, {"failure": 1.5}, "chance"),
]


@pytest.mark.parametrize(("noun", "sound", "lie", "says"), LIES)
def test_nouns_refuse_lies(noun, sound, lie, says):
    noun(**sound)
    with pytest.raises(ContractError, match=says):
        noun(**(sound | lie))


def test_nouns_from_python_values():
    duels = Duels.of(["b", "a"], ["a", "c"], [1, 0.25], [2, 1])
    assert duels.names == ("b", "a", "c")
    assert duels.take(i64(1)).pairs.tolist() == [[1, 2]]
    assert duels.nbytes == 2 * 32
    with pytest.raises(ContractError, match="2 left"):
        Duels.of(["a", "b"], ["b"], [1])
    for bad, says in (([1, 0], "axes"), ([[0, 2]], "0 and 1")):
        with pytest.raises(ContractError, match=says):
            Verdicts.of(bad)
    assert Verdicts.of([[1, 0], [0, 0], [1, 0]]).agreeing().tolist() == [0, 1, 0]
    assert Verdicts.of(np.zeros((3, 0), bool)).agreeing().tolist() == [0, 0, 0]
    assert Pick.ranked(i64(3, 5, 7), np.array([1.0, 2.0, 2.0])).rows.tolist() == [5, 7, 3]
