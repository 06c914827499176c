"""`measure` and `passk` end to end, in process."""

import json

import numpy as np
import pytest

import shortlist.doors.measure as door
from shortlist.cli.main import run
from shortlist.measures.pass_at_k import exact
from shortlist.measures.vendi import vendi
from tests.cli.pools import rows, write


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    rng = np.random.default_rng(0)
    many = rows(120)
    for r in many:
        r["vec"] = [round(float(v), 3) for v in rng.normal(size=6) + 2 * np.eye(6)[int(r["topic"][1])]]
    many[9]["vec"] = [2 * v for v in many[8]["vec"]]
    path = write(tmp_path_factory.mktemp("pool") / "my.jsonl", many)
    ask = ["--vector", "vec", "--group", "source", "--score", "reward", "-k", "12", "--draws", "40"]
    assert run(["curate", str(path), *ask, "--quiet", "-o", str(path.parent / "kept")]) == 0
    return path


def said(capsys, *args):
    assert run([str(a) for a in args]) == 0
    return capsys.readouterr().out


def refused(capsys, *args):
    assert run([str(a) for a in args]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_a_pool_by_itself(pool, capsys):
    ask = ("measure", pool, "--by", "vec", "--group", "source")
    found = json.loads(said(capsys, *ask, "--json"))
    read = [json.loads(line) for line in pool.read_text().splitlines()]
    x = np.array([r["vec"] for r in read], np.float32)
    seen = found["vectors"]["vec"]["pool"]
    for order, name in ((0.5, "0.5"), (1, "1"), (2, "2"), (float("inf"), "inf")):
        assert seen["vendi"][name] == pytest.approx(vendi(x, order))
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosine = np.tril(u @ u.T, -1)
    assert seen["near_copies"]["share"] == pytest.approx((cosine >= 0.95).any(axis=1).mean())
    assert seen["near_copies"]["share"] >= 1 / 120
    assert seen["least_distance"] == pytest.approx(1 - cosine.max(), abs=1e-5)
    assert set(found["vectors"]["vec"]) == {"pool"}
    assert found["scores"]["reward"]["pool"]["mean"] == pytest.approx(np.mean([r["reward"] for r in read]))
    text = said(capsys, *ask)
    for words in ("Vendi score, order 0.5", "near-copies", "entropy", "mean reward"):
        assert words in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_choice_beside_its_pool(pool, capsys):
    ask = ("measure", pool, "--by", "vec", "--group", "source", "--choice")
    found = json.loads(said(capsys, *ask, pool.parent / "kept", "--json"))
    kept = [json.loads(line) for line in (pool.parent / "kept" / "kept.jsonl").read_text().splitlines()]
    assert found["rows"] == {"pool": 120, "choice": 12}
    for g in found["groups"]["source"]["audit"]["groups"]:
        assert g["chosen"] == sum(r["source"] == g["name"] for r in kept)
        assert g["low"] <= g["share_of_choice"] <= g["high"]
    served = found["vectors"]["vec"]["choice"]
    assert served["facility_value"] == pytest.approx(120 * served["coverage"])
    assert 0 < served["radius"] <= 1
    assert served["worst_served"] not in {r["id"] for r in kept}
    ids = pool.parent / "ids.txt"
    ids.write_text("".join(r["id"] + "\n" for r in kept))
    assert json.loads(said(capsys, *ask, f"@{ids}", "--json")) == found
    text = said(capsys, *ask, pool.parent / "kept")
    assert f"served worst: {served['worst_served']}" in text
    assert "selection rates differ" in text


def test_the_same_words_as_curate_and_only_what_is_there(pool, capsys):
    ask = ("measure", pool, "--by", "vec", "--where", "source = 'web'")
    some = json.loads(said(capsys, *ask, "--order", "3", "--json"))
    assert 0 < some["rows"]["pool"] < 120
    assert list(some["vectors"]["vec"]["pool"]["vendi"]) == ["3"]
    nothing = said(capsys, "measure", pool, "--where", "source = 'none'", "--vector", "", "--group", "source")
    assert "no vectors to measure by" in nothing


def test_a_default_is_called_one(tmp_path, capsys):
    path = write(tmp_path / "p.jsonl", [{"id": str(i), "colour": "red" if i else "blue"} for i in range(99)])
    assert "default in the pool: red has 99%" in said(capsys, "measure", path, "--group", "colour")


def test_many_groups_are_counted(tmp_path, capsys):
    path = write(tmp_path / "p.jsonl", [{"id": str(i), "g": f"g{i % 20}"} for i in range(60)])
    (tmp_path / "ids").write_text("3\n")
    text = said(capsys, "measure", path, "--group", "g", "--choice", f"@{tmp_path / 'ids'}")
    assert "and 8 more groups" in text


def test_what_cannot_be_measured_is_one_line(pool, capsys, tmp_path):
    kept = pool.parent / "kept"
    assert "say the same" in refused(capsys, "measure", pool, "--by", "vec", "--vector", "vec")
    assert "order must be" in refused(capsys, "measure", pool, "--order", "-1")
    assert "cosine" in refused(capsys, "measure", pool, "--alike", "1.5")
    assert "no explain.npz" in refused(capsys, "measure", pool, "--choice", tmp_path)
    assert "was chosen from" in refused(capsys, "measure", pool, "--choice", kept, "--where", "tokens > 55")
    (tmp_path / "ids").write_text("row-1\nrow-1\n")
    assert "there twice" in refused(capsys, "measure", pool, "--choice", f"@{tmp_path / 'ids'}")
    assert "no such column" in refused(capsys, "measure", pool, "--by", "nope")


def test_large_pools_look_for_no_nearest_pair(pool, capsys, monkeypatch):
    monkeypatch.setattr(door, "PAIRS", 50)
    found = json.loads(said(capsys, "measure", pool, "--by", "vec", "--json"))
    assert found["vectors"]["vec"]["pool"]["least_distance"] is None


@pytest.fixture
def results(tmp_path):
    many = [{"task_id": t, "passed": s < c, "speed": s / 8 if s < c else 0} for t, c in
            (("a", 0), ("b", 3), ("c", 8)) for s in range(8)]  # fmt: skip
    return write(tmp_path / "results.jsonl", many)


def test_passk(results, capsys):
    found = json.loads(said(capsys, "passk", results, "--efficiency", "speed", "--json"))
    assert (found["tasks"], found["samples"], found["fewest"]) == (3, 24, 8)
    assert [p["k"] for p in found["pass"]] == [1, 2, 5]
    for p, e in zip(found["pass"], found["eff"], strict=True):
        assert p["value"] == pytest.approx(np.mean([exact(8, c, p["k"]) for c in (0, 3, 8)]))
        assert 0 < p["low"] < p["value"] < p["high"] < 1
        assert 0 < e["value"] < p["value"]
    text = said(capsys, "passk", results, "--efficiency", "speed")
    assert "eff@k" in text
    assert "24 samples of 3 tasks" in text
    assert "coverage follows" in text
    one = said(capsys, "passk", results, "-k", "3", "--where", "task_id = 'a'")
    assert "coverage follows" not in one
    assert "\n3 " in one


def test_passk_refuses(results, capsys, tmp_path):
    assert "fewest has 8" in refused(capsys, "passk", results, "-k", "9")
    assert "no result" in refused(capsys, "passk", results, "--where", "task_id = 'z'")
    odd = write(tmp_path / "odd.jsonl", [{"task_id": "a", "passed": v} for v in (1, 0.5)])
    assert "a verdict is 0 or 1, found 0.5" in refused(capsys, "passk", odd)
    gap = write(tmp_path / "gap.jsonl", [{"task_id": "a", "passed": v} for v in (1, None, 0)])
    assert "1 rows have no value" in refused(capsys, "passk", gap)
    assert "no such column" in refused(capsys, "passk", results, "--passed", "right")
