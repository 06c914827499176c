"""The judge door: one pick a question, one budget, a receipt; and the odd inputs."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.adapters.openai import OpenAIJudge
from shortlist.core.budget import Budget
from shortlist.core.effects import Gather, ask, scan
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.judgments import Pick
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Text
from shortlist.doors.estimate import estimate
from shortlist.doors.judge import judge
from shortlist.methods.compare.active_ranking import ActiveRanking
from shortlist.methods.compare.knockout import Knockout
from shortlist.methods.vote.best_of_n import BestOfN
from shortlist.run.scorers import Pace, Scorer
from tests.adapters.endpoint import endpoint, says

present = pytest.mark.skipif(importlib.util.find_spec("urllib3") is None, reason="urllib3 is not installed")


def answers(sizes, seed=0, text=False):
    """So many answers to each question, rows mixed; reward is worth with noise."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes)).astype(np.int32)
    worth = rng.permutation(len(codes)).astype(float)
    names = tuple(f"q{i}" for i in range(len(sizes)))
    columns = {"question": Labels(codes, names), "reward": Scores(worth)}
    if text:
        columns["text"] = Text.of([f"answer worth {int(w):04d}" for w in worth])
    return Pool.of(columns), worth


def fair(worth, seen=None):
    def call(pairs):
        if seen is not None:
            seen.extend(map(tuple, pairs.tolist()))
        return (worth[pairs[:, 0]] > worth[pairs[:, 1]]).astype(float)

    return call


def best(pool, worth):
    labels = pool.signal("question", Labels)
    return {
        name: max(np.flatnonzero(labels.codes == c), key=lambda r: worth[r], default=None)
        for c, name in enumerate(labels.names)
    }


def test_the_best_answer_to_each_question_with_or_without_a_judge():
    pool, worth = answers([4, 1, 7, 2])
    want = best(pool, worth)
    free = judge(pool, by="question", method=BestOfN("reward"))
    assert {q: p.rows[0] for q, p in free.result.items()} == want
    assert free.receipt()["spent"]["calls"] == 0
    scorers = {"judge": Scorer(fair(worth), usd=0.5)}
    paid = judge(pool, by="question", method=Knockout(duels=3), scorers=scorers)
    assert {q: p.rows[0] for q, p in paid.result.items()} == want
    receipt = paid.receipt()
    duels = 3 * (3 + 0 + 6 + 1)
    assert receipt["heard"]["duels"] == duels
    assert receipt["spent"]["calls"] == receipt["calls"]["judge"]["paid"] == 2 * duels
    assert receipt["spent"]["usd"] == duels
    assert receipt["heard"]["flip_rate"] == 0
    assert (paid.stopped, paid.warnings, paid.trusted) == ("", (), True)
    once = judge(pool, by="question", method=Knockout(duels=3), scorers=scorers, both_ways=False)
    assert once.ledger.spent["calls"] == duels


@given(st.lists(st.integers(0, 5), max_size=5), st.integers(0, 60), st.integers(0, 3), st.booleans())
@settings(deadline=None, max_examples=40, derandomize=True, database=None)
def test_no_budget_is_passed_and_every_question_gets_its_best_so_far(sizes, calls, batch, both):
    pool, worth = answers(sizes)
    seen: list = []
    scorers = {"judge": Scorer(fair(worth, seen), usd=0.1, batch=batch)}
    budget = Budget(calls=calls, usd=3.0)
    out = judge(pool, by="question", method=Knockout(duels=2), scorers=scorers, budget=budget, both_ways=both)
    assert len(seen) == out.ledger.spent["calls"] <= calls
    assert out.ledger.spent["usd"] <= 3.0
    labels = pool.signal("question", Labels)
    for c, (name, n) in enumerate(zip(labels.names, sizes, strict=True)):
        pick = out.result[name]
        assert sorted(pick.rows.tolist()) == np.flatnonzero(labels.codes == c).tolist()
        assert pick.done or out.stopped
        assert n > 1 or (pick.done and pick.calls == 0)
    assert bool(out.stopped) == any(not p.done for p in out.result.values())


def test_a_rerun_pays_nothing_twice_not_even_with_more_answers_and_more_money(tmp_path):
    pool, worth = answers([4, 5, 3], text=True)
    log, method = tmp_path / "judge.answers", Knockout(duels=2)
    price = {"judge": Scorer(fair(worth), usd=1)}
    poor = judge(pool, by="question", method=method, scorers=price, budget=Budget(usd=14), log=log)
    assert poor.stopped
    assert poor.ledger.spent["usd"] <= 14
    rich = judge(pool, by="question", method=method, scorers=price, log=log)
    assert rich.ledger.spent["usd"] + poor.ledger.spent["usd"] == 2 * 2 * (3 + 4 + 2)
    assert rich.ledger.replayed("judge") == poor.ledger.spent["usd"]
    again = judge(pool, by="question", method=method, scorers=price, log=log)
    assert again.ledger.spent["calls"] == 0
    for q, pick in rich.result.items():
        assert pick.rows.tobytes() == again.result[q].rows.tobytes()
    assert again.receipt()["heard"] == rich.receipt()["heard"]  # flips are known without asking
    # One question fewer, all rows moved: what is left was paid for already.
    keep = np.flatnonzero(pool.signal("question", Labels).codes != 0)
    fewer = Pool(np.arange(len(keep)), {k: s.take(keep) for k, s in pool.columns.items()})
    moved = {"judge": Scorer(fair(worth[keep]), usd=1)}
    part = judge(fewer, by="question", method=method, scorers=moved, log=log)
    assert part.ledger.spent["calls"] == 0


def test_a_budget_below_one_call_buys_nothing_and_says_so():
    pool, worth = answers([3, 1])
    scorers = {"judge": Scorer(fair(worth), usd=1)}
    out = judge(pool, by="question", method=Knockout(), scorers=scorers, budget=Budget(usd=0.5))
    assert out.ledger.lines == []
    assert not out.result["q0"].done
    assert out.result["q1"].done
    assert out.warnings[0].startswith("1 of 2 picks are the best so far: judge: ")


def test_judges_that_like_a_side_are_warned_about():
    pool, _ = answers([3, 3])
    scorers = {"judge": Scorer(lambda x: np.ones(len(x)))}
    out = judge(pool, by="question", method=Knockout(), scorers=scorers)
    assert out.heard.flip_rate == 1
    assert "contradicts itself on 100% of duels" in out.warnings[0]


def test_empty_pools_groups_and_ties():
    pool = Pool.of(
        {"question": Labels(np.array([1, 1], np.int32), ("none", "two")), "reward": Scores(np.ones(2))}
    )
    out = judge(pool, by="question", method=BestOfN("reward"))
    assert len(out.result["none"]) == 0
    assert out.result["two"].rows.tolist() == [0, 1]
    nothing = Pool.of({"question": Labels(np.zeros(0, np.int32), ()), "reward": Scores(np.zeros(0))})
    assert judge(nothing, by="question", method=BestOfN("reward")).result == {}


def test_wrong_requests_are_one_line():
    pool, worth = answers([3])
    free = {"judge": Scorer(fair(worth))}
    with pytest.raises(UsageError, match="budget is in usd, but no scorer has a price in usd"):
        judge(pool, by="question", method=Knockout(), scorers=free, budget=Budget(usd=1))
    with pytest.raises(ContractError, match="the plan asks for 'judge'"):
        judge(pool, by="question", method=Knockout())
    with pytest.raises(ContractError, match="no signal 'topic'"):
        judge(pool, by="topic", method=Knockout())
    with pytest.raises(UsageError, match="picks nothing: it gives int"):
        judge(pool, by="question", method=len)
    with pytest.raises(ContractError, match="must give the probability"):
        judge(pool, by="question", method=Knockout(), scorers={"judge": Scorer(lambda x: np.full(len(x), 2))})


class Scanning:
    """Scans, gathers and grades its group."""

    def steps(self, pool: Pool):
        rows = yield from scan(lambda shard: shard.rows.tolist(), list.__add__)
        same = yield Gather(pool.rows[:1])
        assert rows == pool.rows.tolist()
        assert same.rows.tolist() == rows[:1]
        return Pick.ranked(pool.rows, (yield from ask("judge", pool.rows)).astype(float))


def test_a_method_sees_its_own_group_alone():
    pool, worth = answers([2, 3])
    out = judge(pool, by="question", method=Scanning(), scorers={"judge": Scorer(lambda r: worth[r])})
    assert {q: p.rows[0] for q, p in out.result.items()} == best(pool, worth)
    assert out.heard.graded == 5


def test_a_method_that_asks_about_tasks_is_not_turned_round_and_stops_when_sure(tmp_path):
    pool, worth = answers([4, 3], text=True)
    share = 0.1 + 0.8 * np.argsort(np.argsort(worth)) / len(worth)
    rng = np.random.default_rng(0)

    def passes(items):
        assert items[:, 1].max() < 1000
        return (rng.random(len(items)) < share[items[:, 0]]).astype(float)

    method = ActiveRanking(tasks=1000, delta=0.05, best=True)
    how = {"by": "question", "method": method, "log": tmp_path / "a.log"}
    out = judge(pool, scorers={"judge": Scorer(passes)}, **how)
    assert {q: p.rows[0] for q, p in out.result.items()} == best(pool, worth)
    assert all(p.done and p.failure <= 0.05 for p in out.result.values())
    assert out.heard.duels == 0
    again = judge(pool, scorers={"judge": Scorer(passes)}, **how)
    assert again.ledger.spent["calls"] == 0
    pytest.importorskip("urllib3")
    reader = Scorer(OpenAIJudge(url="http://127.0.0.1:1/v1", model="m"))
    with pytest.raises(UsageError, match="reads texts of rows"):
        judge(pool, by="question", method=method, scorers={"judge": reader})


def test_estimates_are_right_where_the_plan_does_not_depend_on_verdicts():
    pool, worth = answers([4, 1, 6])
    scorers = {"judge": Scorer(fair(worth), usd=0.5)}
    how = {"by": "question", "method": Knockout(duels=3), "scorers": scorers}
    found = estimate(pool, **how)
    assert found.calls == 2 * 3 * (3 + 5)
    assert found.most == 2 * found.calls
    assert found.spent["usd"] == 0.5 * found.calls
    real = judge(pool, **how)
    assert real.ledger.spent["calls"] == found.calls
    capped = estimate(pool, **how, budget=Budget(usd=7))
    assert capped.most == 14
    assert capped.calls <= 14
    free = estimate(pool, by="question", method=BestOfN("reward"), scorers={})
    assert (free.calls, free.most) == (0, 0)


def worthier(shown, body):
    if "worth" not in shown["second"]:
        return says(verdict="first")
    if "worth" not in shown["first"]:
        return says(verdict="second")
    return says(verdict="first" if shown["first"] > shown["second"] else "second")


@present
def test_a_judge_behind_a_url_reads_texts_and_planted_answers_lose():
    pool, worth = answers([3, 2, 1], text=True)
    with endpoint(worthier) as there:
        scorer = Scorer(OpenAIJudge(url=there.url, model="m"), usd=0.01, pace=Pace(at_once=3))
        how = {"by": "question", "method": Knockout(duels=1), "scorers": {"judge": scorer}, "planted": 2}
        out, asked = judge(pool, **how), len(there.seen)
        tight = judge(pool, **how, budget=Budget(calls=9))
    assert {q: p.rows[0] for q, p in out.result.items()} == best(pool, worth)
    assert (out.heard.duels, out.heard.canaries, out.heard.fooled) == (3, 2, 0)
    assert asked == out.ledger.spent["calls"] == 2 * (3 + 2)
    assert (tight.late, tight.heard.canaries, tight.ledger.spent["calls"]) == (0, 0, 6)
    assert tight.warnings[0].startswith("all picks are whole, but")


@present
def test_a_judge_that_planted_answers_win_against_is_not_trusted(tmp_path):
    pool, _ = answers([2, 2], text=True)

    def gullible(shown, body):
        return says(verdict="second" if "worth" in shown["first"] else "first")

    with endpoint(gullible) as there:
        told = OpenAIJudge(url=there.url, model="m")
        scorers = {"judge": Scorer(told)}
        how = {"by": "question", "method": Knockout(duels=1), "scorers": scorers, "log": tmp_path / "a.log"}
        out = judge(pool, **how)
        asked = len(there.seen)
        again = judge(pool, **how)
        assert len(there.seen) == asked
        other = OpenAIJudge(url=there.url, model="m", criterion="Shorter is better.")
        judge(pool, **how | {"scorers": {"judge": Scorer(other)}})
        assert len(there.seen) == 2 * asked  # verdicts of other instructions are not replayed
    assert not out.trusted
    assert "planted answers won 2 of 2 duels" in out.warnings[-1]
    assert again.warnings == out.warnings


@present
def test_unparseable_replies_are_asked_once_more_and_counted():
    pool, _ = answers([2], text=True)
    with endpoint(lambda shown, body: "The first one, I think.") as there:
        scorers = {"judge": Scorer(OpenAIJudge(url=there.url, model="m"), usd=1)}
        out = judge(pool, by="question", method=Knockout(duels=1), scorers=scorers, planted=0)
    assert (out.heard.abstained, len(there.seen), out.ledger.spent["usd"]) == (2, 4, 4)
    assert len(out.result["q0"]) == 2


def test_nothing_is_infinite_in_a_receipt():
    pool, worth = answers([2])
    out = judge(pool, by="question", method=Knockout(), scorers={"judge": Scorer(fair(worth))})
    assert all(math.isfinite(v) for v in out.receipt()["spent"].values())
    assert out.receipt()["budget"] == {}
