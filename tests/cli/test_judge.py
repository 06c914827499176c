"""`shortlist judge` end to end, in process: picks, receipt, estimate, log, exit codes."""

from __future__ import annotations

import importlib.util
import json

import pytest

from shortlist.cli.main import run
from tests.adapters.endpoint import endpoint, says

present = pytest.mark.skipif(importlib.util.find_spec("urllib3") is None, reason="urllib3 is not installed")
KNOCKOUT = ["--by", "question", "--text", "answer", "--id", "id", "--method", "Knockout(duels=1)"]
ROWS = [
    ("a1", "2+2?", "5", 0.1), ("a2", "2+2?", "4 is right", 0.9), ("a3", "2+2?", "22", 0.3),
    ("b1", "Capital of France?", "Paris is right", 0.5), ("b2", "Capital of France?", "Lyon", 0.5),
    ("c1", "Alone?", "yes", 0.0),
]  # fmt: skip


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    path = tmp_path / "answers.jsonl"
    names = ("id", "question", "answer", "reward")
    path.write_text("".join(json.dumps(dict(zip(names, r, strict=True))) + "\n" for r in ROWS))
    return path


def right(shown, body):
    good = ["right" in shown[side] for side in ("first", "second")]
    if good[0] == good[1]:
        return says(verdict="tie" if shown["first"] else "second")
    return says(verdict="first" if good[0] else "second")


def found(capsys):
    out = json.loads(capsys.readouterr().out)
    return {p["question"]: p["id"] for p in out["picks"]}, out["receipt"]


def test_by_reward_without_any_call(file, capsys):
    ask = ["judge", str(file), "--by", "question", "--method", "BestOfN('reward')", "--score", "reward"]
    assert run([*ask, "--json"]) == 0
    picks, receipt = found(capsys)
    assert picks == {"2+2?": "a2", "Capital of France?": "b1", "Alone?": "c1"}
    assert receipt["spent"]["calls"] == 0
    assert run(ask) == 0
    text = capsys.readouterr().out
    assert "tied: 2 answers" in text
    assert text.splitlines()[-1] == "spent: 0 calls"
    assert run([*ask, "--top", "1"]) == 0
    assert "and 2 more questions" in capsys.readouterr().out


@present
def test_a_judge_behind_a_url_within_a_budget_and_a_log(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    log = tmp_path / "judge.answers"
    with endpoint(right) as there:
        ask = ["judge", str(file), *KNOCKOUT, "--judge-url", there.url, "--judge-model", "m", "--json"]
        ask += ["--usd-per-call", "0.01", "--judge-key-from", "MY_KEY", "--log", str(log)]
        assert run([*ask, "--budget", "usd=0.02"]) == 1
        _, receipt = found(capsys)
        assert "would pass the budget" in receipt["stopped"]
        assert receipt["spent"]["usd"] <= 0.02
        first = len(there.seen)
        assert run([*ask, "--budget", "usd=1"]) == 0
        picks, receipt = found(capsys)
        assert picks == {"2+2?": "a2", "Capital of France?": "b1", "Alone?": "c1"}
        assert receipt["trusted"]
        assert receipt["heard"]["canaries"] == 3
        paid = len(there.seen)
        assert receipt["calls"]["judge"] == {"paid": paid - first, "replayed": first, "repeated": 0}
        assert run([*ask, "--budget", "usd=0"]) == 0
        assert found(capsys)[1]["spent"]["calls"] == 0
        assert len(there.seen) == paid
        assert run([a for a in ask if a != "--json"]) == 0
        assert f"0 calls paid, {paid} from the log" in capsys.readouterr().out
    assert set(there.keys) == {"Bearer sk-very-secret"}
    assert b"secret" not in log.read_bytes()
    log.write_bytes(log.read_bytes()[:-3])
    assert run([*ask, "--tries", "1"]) == 0  # the torn one was about a planted answer; nobody is there
    assert any("unfinished answer" in w for w in found(capsys)[1]["warnings"])


@present
def test_a_judge_that_can_be_talked_into_it_is_exit_code_1(file, capsys):
    with endpoint(lambda shown, body: says(verdict="second")) as there:
        ask = ["judge", str(file), *KNOCKOUT, "--judge-url", there.url, "--judge-model", "m"]
        assert run([*ask, "--one-way"]) == 1
        out = capsys.readouterr().out
        assert "note: planted answers won 3 of 3 duels" in out
        assert run(ask) == 0
        out = capsys.readouterr().out
        assert "100.0% flipped with the sides" in out
        assert "note: the judge contradicts itself" in out


def test_a_dry_run_says_what_it_costs_and_asks_nobody(file, capsys):
    ask = ["judge", str(file), *KNOCKOUT, "--judge-url", "http://127.0.0.1:1/v1", "--judge-model", "m"]
    assert run([*ask, "--usd-per-call", "0.01", "--dry-run"]) == 0
    # Three duels both ways round, asked twice at worst; three planted ones both ways round, asked once.
    assert capsys.readouterr().out == "about 12 calls (0.12 usd) if all have a verdict\nat most 18 calls\n"
    assert run([*ask, "--dry-run", "--json", "--planted", "0"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert (out["calls"], out["at_most"]) == (6, 12)
    assert run([*ask, "--dry-run", "--json", "--budget", "calls=4"]) == 0
    assert json.loads(capsys.readouterr().out)["at_most"] == 4


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--method", "LSA()"], 2, "picks no answer; use one of"),
        (["--method", "Knokout()"], 2, "did you mean Knockout"),
        (["--by", "topic"], 2, "topic"),
        (["--budget", "usd=x"], 2, "'x' is no number"),
        (["--budget", "euro=3"], 2, "write calls=N"),
        (["--budget", "calls=-1"], 2, "the budget for calls"),
        (["--budget", "usd=1"], 2, "no scorer has a price in usd"),
        (["--judge-url", ""], 2, "--judge-model needs --judge-url"),
        (["--judge-url", "nowhere"], 2, "must look like https://host/v1"),
    ],
)
def test_wrong_requests_are_one_line(file, capsys, more, code, said):
    ask = ["judge", str(file), *KNOCKOUT, "--judge-url", "http://127.0.0.1:1/v1", "--judge-model", "m"]
    assert run([*ask, *more]) == code
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_judge_is_needed_by_methods_that_pay(file, capsys):
    assert run(["judge", str(file), *KNOCKOUT]) == 2
    assert "the plan asks for 'judge'" in capsys.readouterr().err
