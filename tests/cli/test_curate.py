"""The command line end to end, in process: plan, choice, verdict, folder, why, verify."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from shortlist.cli.main import run
from tests.cli.pools import rows, write

ASK = ["--text", "text", "--group", "source", "--score", "reward", "--cost", "tokens"]
ASK += ["-k", "30", "--draws", "60", "--quiet"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return write(tmp_path_factory.mktemp("pool") / "my.jsonl", rows())


@pytest.fixture(scope="module")
def kept(pool):
    out = pool.parent / "kept"
    quota = ["--quota", "source:code>=40%", "--quota", "source:web<=8", "--budget", "tokens=900"]
    assert run(["curate", str(pool), *ASK, *quota, "--holdout", "noise", "-o", str(out)]) == 0
    return out


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_kept_rows_are_unchanged_and_explained(pool, kept):
    original = {r["id"]: r for r in lines(pool)}
    chosen = lines(kept / "kept.jsonl")
    assert [r["rank"] for r in chosen] == list(range(1, len(chosen) + 1))
    for r in chosen:
        assert {k: r[k] for k in original[r["id"]]} == original[r["id"]]
        assert r["reason"]
        assert np.isfinite(r["gain"])


def test_constraints_hold_in_the_output(kept):
    chosen = lines(kept / "kept.jsonl")
    assert len(chosen) <= 30
    assert sum(r["tokens"] for r in chosen) <= 900
    assert sum(r["source"] == "code" for r in chosen) >= 12
    assert sum(r["source"] == "web" for r in chosen) <= 8


def test_every_row_is_accounted_for(pool, kept):
    counts = json.loads((kept / "manifest.json").read_text())["counts"]
    assert counts["read"] == len(lines(pool))
    assert counts["read"] == counts["chosen"] + counts["not_chosen"] + counts["dropped"]
    assert counts["chosen"] == len(lines(kept / "kept.jsonl"))
    dropped = lines(kept / "dropped.jsonl")
    assert counts["dropped"] == len(dropped) >= 10
    assert all(r["duplicate_of"] and r["reason"] for r in dropped)


def test_evidence_can_be_recomputed_from_the_folder(kept):
    chosen = lines(kept / "kept.jsonl")
    evidence = json.loads((kept / "evidence.json").read_text())
    asked = evidence["asked"]
    assert asked["size"]["ours"] == len(chosen)
    cost = next(c for c in asked["costs"] if c["name"] == "tokens")
    assert cost["ours"] == sum(r["tokens"] for r in chosen)
    assert cost["limit"] == 900
    noise = next(h for h in evidence["helps"] if h["column"] == "noise")
    assert noise["ours"] == pytest.approx(np.mean([r["noise"] for r in chosen]))
    assert noise["evidence"] != "strong"
    for c in asked["constraints"]:
        assert c["low"] is None or c["value"] >= c["low"]
        assert c["high"] is None or c["value"] <= c["high"]


def test_the_manifest_names_every_file_by_checksum(kept):
    made = json.loads((kept / "manifest.json").read_text())
    for name, sha in made["files"].items():
        assert hashlib.sha256((kept / name).read_bytes()).hexdigest() == sha
    assert set(made["files"]) | {"manifest.json"} == {p.name for p in kept.iterdir()}
    assert made["recipe"]["solver"] == "CostBenefit()"


def test_verify_says_yes_then_what_differs(kept, pool, tmp_path, capsys):
    assert run(["verify", str(kept)]) == 0
    assert capsys.readouterr().out.rstrip().endswith("verified")
    report = kept / "report.html"
    whole = report.read_bytes()
    report.write_bytes(whole + b" ")
    assert run(["verify", str(kept), "--json"]) == 1
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)}
    assert not checks["report.html"]["ok"]
    assert checks["choice"]["ok"]
    report.write_bytes(whole)
    changed = write(tmp_path / "other.jsonl", rows(seed=1))
    assert run(["verify", str(kept), "--input", str(changed), "--json"]) == 1
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)}
    assert not checks["input"]["ok"]
    assert not checks["choice"]["ok"]


def test_the_same_request_gives_the_same_bytes(pool, kept, tmp_path):
    out = pool.parent / "again"
    quota = ["--quota", "source:code>=40%", "--quota", "source:web<=8", "--budget", "tokens=900"]
    ask = ["curate", str(pool), *ASK, *quota, "--holdout", "noise", "--workers", "1", "-o", str(out)]
    assert run(ask) == 0
    for p in kept.iterdir():
        assert (out / p.name).read_bytes() == p.read_bytes(), p.name


def test_why_and_why_not(kept, capsys):
    chosen, dropped = lines(kept / "kept.jsonl"), lines(kept / "dropped.jsonl")
    first = chosen[0]
    assert run(["why", first["id"], str(kept), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["status"] == "chosen"
    assert facts["rank"] == 1
    assert facts["gain"] == pytest.approx(first["gain"])
    assert sum(facts["parts"].values()) == pytest.approx(facts["gain"])
    assert facts["displaced"]["id"] != first["id"]
    assert facts["stands_for"]["count"] >= len(facts["stands_for"]["nearest"]) > 0
    gone = dropped[0]
    assert run(["why-not", gone["id"], str(kept), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["duplicate_of"]["id"] == gone["duplicate_of"]
    taken = {r["id"] for r in chosen} | {r["id"] for r in dropped}
    other = next(f"row-{i}" for i in range(240) if f"row-{i}" not in taken)
    assert run(["why-not", other, str(kept)]) == 0
    text = capsys.readouterr().out
    assert "not chosen" in text
    assert "nearest chosen" in text
    assert run(["why", "row-9999", str(kept)]) == 2
    assert "no row has the id 'row-9999'" in capsys.readouterr().err


def test_dry_run_shows_the_plan_and_writes_nothing(pool, tmp_path, capsys):
    out = tmp_path / "none"
    ask = ["curate", str(pool), "-k", "10%", "--dry-run", "-o", str(out)]
    assert run(ask) == 0
    assert "240 rows" in capsys.readouterr().out
    assert not out.exists()
    assert run([*ask, "--json", "--quiet"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["k"] == 24
    assert {s["name"] for s in plan["signals"]} >= {"text", "reward"}


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (["-k", "0%"], "share"),
        (["-k", "ten"], "count"),
        ([], "how many rows"),
        (["-k", "5", "--score", "rewrd"], "rewrd"),
        (["-k", "5", "--budget", "tokens"], "tokens"),
        (["-k", "5", "--quota", "nosuch<=5"], "nosuch"),
        (["-k", "5", "--objective", "FacilityLocatoin()"], "did you mean"),
        (["-k", "5", "--objective", "__import__('os').system('id')"], "cannot read"),
        (["-k", "5", "--solver", "Modular('reward')"], "no solver"),
        (["-k", "5", "--encoder", "TFIDF(by='text')"], "use LSA"),
        (["-k", "5", "--objective", "FacilityLocation('nope')"], "no signal 'nope'"),
        (["-k", "5", "--where", "1=1; drop table x"], "--where"),
        (["-k", "100", "--solver", "Exhaustive()"], "LazyGreedy"),
        (["-k", "5", "--diversity", "2"], "diversity"),
        (["-k", "5", "--memory", "lots"], "--memory"),
        (["-k", "5", "--memory", "1MB"], "allowed"),
        (["-k", "5", "--include", "row-x"], "row-x"),
        (["-k", "5", "--missing", "reward"], "COLUMN="),
        (["-k", "5", "--drop", "none", "--dedupe-to", "10"], "leave one out"),
    ],
)
def test_bad_requests_are_one_line_and_exit_2(pool, tmp_path, capsys, ask, says):
    assert run(["curate", str(pool), "--quiet", "-o", str(tmp_path / "x"), *ask]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not (tmp_path / "x").exists()


def test_infeasible_names_the_conflict_and_a_relaxation(pool, tmp_path, capsys):
    ask = ["--quota", "source:code>=20", "--quota", "source:web>=20", "-o", str(tmp_path / "x")]
    assert run(["curate", str(pool), *ASK, *ask]) == 3
    err = capsys.readouterr().err
    assert "source:code>=20" in err
    assert "source:web>=20" in err
    assert "relaxation" in err
    assert not (tmp_path / "x").exists()


def test_a_folder_that_is_not_ours_is_never_replaced(pool, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    assert run(["curate", str(pool), *ASK, "-o", str(mine)]) == 4
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert "mine" in capsys.readouterr().err


def test_include_exclude_and_shown(pool, tmp_path):
    out = tmp_path / "kept"
    listed = tmp_path / "shown.txt"
    listed.write_text("row-7\nrow-8\n")
    ask = ["--include", "row-3", "--exclude", "row-5", "--shown", f"@{listed}", "-o", str(out)]
    assert run(["curate", str(pool), *ASK, *ask]) == 0
    ids = [r["id"] for r in lines(out / "kept.jsonl")]
    assert ids[0] == "row-3"
    assert not {"row-5", "row-7", "row-8"} & set(ids)
    assert {r["id"] for r in lines(out / "dropped.jsonl")} >= {"row-5", "row-7", "row-8"}


def test_an_empty_name_means_none(pool, capsys):
    ask = [
        "curate",
        str(pool),
        "-k",
        "5",
        "--text",
        "",
        "--id",
        "",
        "--score",
        "reward",
        "--dry-run",
        "--json",
    ]
    assert run([*ask, "--quiet"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [s["name"] for s in plan["signals"] if s["role"] == "text"] == []
    assert plan["recipe"]["encode"] is None


def test_dedupe_to_a_target(pool, tmp_path):
    out = tmp_path / "kept"
    assert run(["curate", str(pool), *ASK, "--dedupe-to", "150", "-o", str(out)]) == 0
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    assert counts["read"] - counts["dropped"] == 150


def test_stdin_to_stdout(pool, capsys, monkeypatch):
    import io
    import sys

    class Piped:
        buffer = io.BytesIO(pool.read_bytes())

    monkeypatch.setattr(sys, "stdin", Piped())
    assert run(["curate", "-", *ASK, "-o", "-"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 30
    assert json.loads(out[0])["rank"] == 1


def test_methods_are_listed_from_the_catalogue(capsys):
    assert run(["methods"]) == 0
    listed = capsys.readouterr().out
    assert "FacilityLocation" in listed
    # Values of an option are no objectives, and what adapters are is said.
    objectives, _, rest = listed.partition("objective:\n")[2].partition("constrain:\n")
    assert "  Sqrt " not in objectives
    assert "for options of FeatureBased:\n  Log " in rest
    assert "adapters:" not in listed
    assert run(["methods", "Cosine"]) == 0
    assert "keep: the score whose best copy stays" in capsys.readouterr().out
    assert run(["methods", "LazyGreedy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["expression"] == "LazyGreedy()"
    assert run(["methods", "Nothing"]) == 2
