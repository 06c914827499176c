"""Constraints as expressions on the command line: kept, told by ids, made again, refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shortlist.cli.main import run
from tests.cli.pools import rows, write

ASK = ["--text", "text", "--group", "source", "--group", "thread", "--score", "reward", "--cost", "turn"]
ASK += ["-k", "12", "--draws", "39", "--quiet"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    many = [r | {"thread": f"th{i // 6}", "turn": i % 6} for i, r in enumerate(rows(180))]
    return write(tmp_path_factory.mktemp("pool") / "my.jsonl", many)


def kept(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "kept.jsonl").read_text("utf-8").splitlines()]


def test_rules_hold_in_the_output_and_again(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    within = ["--within", "Precedence('thread', order='turn')", "--within", "Prefix('source', at_most=0.5)"]
    within += ["--within", "Laminar(('source',), at_most={'source': 5})", "--include", "row-7"]
    assert run(["curate", str(pool), *ASK, *within, "--drop", "none", "-o", str(out)]) == 0
    chosen = kept(out)
    assert len(chosen) == 12
    seen: dict[str, int] = {}
    for t, r in enumerate(chosen, 1):
        assert r["turn"] == seen.get(r["thread"], 0)
        seen[r["thread"]] = r["turn"] + 1
        assert sum(c["source"] == r["source"] for c in chosen[:t]) <= -(-t // 2)
    assert "row-7" in {r["id"] for r in chosen}
    told = {c["text"] for c in json.loads((out / "evidence.json").read_text())["asked"]["constraints"]}
    assert {"include=row-7", "thread in order of turn", "every prefix source<=50%"} <= told
    assert run(["verify", str(out)]) == 0


def test_rows_are_kept_apart_and_the_refused_say_so(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    within = ["--within", "Separation('encoded', least=0.6)", "--quota", "source:code>=2"]
    assert run(["curate", str(pool), *ASK, *within, "-o", str(out)]) == 0
    lines = json.loads((out / "evidence.json").read_text())["asked"]["constraints"]
    apart = next(c for c in lines if c["kind"] == "separation")
    assert apart["value"] >= apart["low"] == 0.6


@pytest.mark.parametrize(
    ("within", "says"),
    [
        (
            "Separatio('encoded', least=1)",
            "--within: no method is called 'Separatio'; did you mean Separation",
        ),
        ("Separation('none', least=1)", "--within Separation: no signal 'none'"),
        ("LazyGreedy()", "--within: LazyGreedy is no constraint"),
        ("Prefix('source', at_most=3)", "must be shares"),
    ],
)
def test_bad_expressions_are_one_line(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], within: str, says: str
) -> None:
    assert run(["curate", str(pool), *ASK, "--within", within, "-o", str(tmp_path / "x")]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert says in said


def test_rows_may_be_kept_apart_by_the_graph(pool: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    graph = ["--graph", "KNN('encoded', neighbors=9)", "--within", "Separation('graph', least=0.5)"]
    assert run(["curate", str(pool), *ASK, *graph, "-o", str(out)]) == 0
    told = {c["text"]: c for c in json.loads((out / "evidence.json").read_text())["asked"]["constraints"]}
    assert told["apart by graph>=0.5"]["value"] >= 0.5
