"""Picks among answers: their definitions, and when they are right."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from shortlist.core.answers import alike, normal, overlap
from shortlist.core.errors import UsageError
from shortlist.core.judgments import Verdicts
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags, Text, Vectors
from shortlist.methods.vote import b4, best_of_n, code_t, similarity_vote
from shortlist.methods.vote.b4 import B4
from shortlist.methods.vote.best_of_n import BestOfN
from shortlist.methods.vote.code_t import CodeT
from shortlist.methods.vote.majority_vote import MajorityVote
from shortlist.methods.vote.max_pass import MaxPass
from shortlist.methods.vote.similarity_vote import SimilarityVote


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("26", "26.0", True),
        ("$1,200", "1200", True),
        ("+5", "5.", True),
        ("-5", "5", False),
        ("1.5", "15", False),
        ("1,2", "12", False),
        ("The  CAT!", "cat", True),
        ("A", "", False),
        ("A", "B", False),
        ("a", "A", True),
        ("+", "-", False),
        ("", " ", True),
        ("Ünïon", "ünïon", True),
        ("\u0661", "2", False),
    ],
)
def test_one_spelling(a, b, same):
    assert (normal(a) == normal(b)) is same


def test_words_in_common_link_answers_in_chains():
    answers = ["barack obama", "obama", "michelle obama", "nixon", "barack obama"]
    assert alike(answers, 1.0).tolist() == [0, 1, 2, 3, 0]
    assert alike(answers, 0.6).tolist() == [0, 0, 0, 1, 0]
    assert overlap("a b", "b a") == 1.0
    assert overlap("", "x") == 0.0
    for _ in range(20):
        order = np.random.default_rng(_).permutation(5)
        moved = alike([answers[i] for i in order], 0.6)
        assert ((moved == moved[0]) == (alike(answers, 0.6)[order] == alike(answers, 0.6)[order[0]])).all()
    with pytest.raises(UsageError, match="different answers"):
        alike([f"x{i}" for i in range(3001)], 0.5)


def test_the_vote_counts_weighs_and_says_ties():
    text = Text.of(["4", "5", "4.0", "five", "5"])
    pool = Pool(np.arange(5) * 3, {"text": text, "reward": Scores(np.array([0.1, 0.9, 0.2, 0.3, 0.8]))})
    plain = MajorityVote()(pool)
    assert plain.rows.tolist() == [0, 3, 9]
    assert plain.scores.tolist() == [2, 2, 1]
    assert plain.notes == ("2 answers are tied for the most votes",)
    weighed = MajorityVote(weight="reward")(pool)
    assert weighed.rows.tolist() == [3, 6, 9]
    np.testing.assert_allclose(weighed.scores, [1.7, 0.3, 0.3])
    equal = MajorityVote(weight="one")(pool.with_signal("one", Scores(np.ones(5))))
    assert equal.rows.tolist() == plain.rows.tolist()


def test_weights_that_inform_help():
    rng = np.random.default_rng(0)
    right = np.zeros(2)
    for _ in range(300):
        answers = np.where(rng.random(9) < 0.35, 0, rng.integers(1, 4, 9)).astype(np.int32)
        reward = Scores((answers == 0) * 0.7 + rng.random(9))
        pool = Pool.of({"answer": Labels(answers, tuple("abcd")), "reward": reward})
        right += [answers[MajorityVote("answer", weight=w)(pool).rows[0]] == 0 for w in ("", "reward")]
    assert right[1] > right[0] + 20


def test_the_most_similar_is_the_definition():
    x = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    x[3] = 0
    pick = SimilarityVote()(Pool.of({"vec": Vectors(x)}))
    np.testing.assert_allclose(pick.scores, np.sort(similarity_vote.exact(x))[::-1], atol=1e-6)
    text = ["go left at the old mill", "go left at the mill", "turn right", "go left at the old mill now"]
    assert SimilarityVote("text")(Pool.of({"text": Text.of(text)})).rows.tolist()[-1] == 2
    alone = SimilarityVote("text")(Pool.of({"text": Text.of(["one"])}))
    assert (alone.rows.tolist(), alone.scores.tolist()) == ([0], [0.0])


def test_best_of_n_warns():
    reward = np.array([1.0, 5.0, 5.0, 1.0])
    pick = BestOfN("r", reliability=0.25)(Pool.of({"r": Scores(reward)}))
    assert pick.rows[0] == best_of_n.exact(reward.tolist()) == 1
    assert "lead of 2" in pick.notes[0]
    assert "0.5 is expected to be real" in pick.notes[0]
    assert "state the reward's reliability" in BestOfN("r")(Pool.of({"r": Scores(reward)})).notes[0]
    worst = BestOfN("r")(Pool.of({"r": Scores(reward, higher_is_better=False)}))
    assert worst.rows[0] == 0
    assert BestOfN("r")(Pool.of({"r": Scores(np.ones(1))})).notes == ()


def solutions(passed):
    return Pool.of({"tests": Tags.of([[f"t{j}" for j in np.flatnonzero(row)] for row in passed])})


@pytest.mark.parametrize("seed", range(8))
def test_b4_is_the_best_of_all_explanations(seed):
    """Over every set of solutions and of tests that is consistent, not only the groups of the method."""
    rng = np.random.default_rng(seed)
    passed = rng.random((5, 6)) < 0.5
    passed[:, 0] |= ~passed.any(axis=1)
    verdicts = Verdicts.of(passed)
    best = {}
    for xs in product([False, True], repeat=5):
        x = np.array(xs)
        if not x.any() or len(np.unique(passed[x], axis=0)) > 1:
            continue
        for ys in product([False, True], repeat=6):
            score = b4.exact(passed, x, np.array(ys), 4.0, 3.0)
            if np.isfinite(score):
                best[xs] = max(score, best.get(xs, -np.inf))
    group = verdicts.agreeing()
    for g, score in enumerate(b4.scores(verdicts, 4.0, 3.0)):
        assert score == pytest.approx(best[tuple(group == g)])


def test_groups_of_the_pass_matrix():
    passed = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 1]], bool)
    pool = solutions(passed)
    assert MaxPass("tests")(pool).rows.tolist() == [2, 0, 1, 3]
    assert CodeT("tests")(pool).rows.tolist() == [2, 0, 3]
    assert CodeT("tests", power=1.0)(pool).rows.tolist() == [0, 2, 3]
    np.testing.assert_allclose(CodeT("tests")(pool).scores[:2], [3.0, 2 * 2**0.5])
    np.testing.assert_allclose(code_t.exact(passed), [2 * 2**0.5] * 2 + [3, 1])
    tied = solutions(passed[:2]).with_signal("reward", Scores(np.array([0.0, 1.0])))
    assert MaxPass("tests", ties="reward")(tied).rows.tolist() == [1, 0]
    nothing = solutions(np.zeros((3, 0), bool))
    for method in (MaxPass("tests"), CodeT("tests"), B4("tests")):
        assert method(nothing).rows[0] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MajorityVote(same=0),
        lambda: BestOfN(reliability=2),
        lambda: B4(alpha=0.5),
        lambda: B4(beta=float("inf")),
        lambda: CodeT(power=-1),
    ],
)
def test_options_out_of_range(wrong):
    with pytest.raises(UsageError):
        wrong()
