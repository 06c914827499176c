"""A choice that is kept right while rows come and go: by folder, from Python and on the command line."""

import json

import numpy as np
import pytest

import shortlist as sl
from shortlist.cli.main import run
from shortlist.core.begun import Begun
from shortlist.core.covers import RandomCover
from shortlist.core.limits import bind
from shortlist.doors.verify import verify
from shortlist.methods.solve.repair import Repair
from tests.cli.pools import rows, write

ASK = ["--text", "text", "--score", "reward", "--group", "source", "--quota", "source<=50%", "-k", "20"]
QUIET = ["--draws", "40", "--quiet"]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    base = tmp_path_factory.mktemp("update")
    pool = write(base / "pool.jsonl", rows(160))
    assert run(["curate", str(pool), *ASK, "--include", "row-3", "-o", str(base / "kept"), *QUIET]) == 0
    return base


def ids(folder):
    return [json.loads(line)["id"] for line in (folder / "kept.jsonl").read_text("utf-8").splitlines()]


def again(base, name, many, *more):
    pool = write(base / f"{name}.jsonl", many)
    code = run(["update", str(base / "kept"), "-i", str(pool), "-o", str(base / name), *QUIET, *more])
    return code, base / name


def test_the_same_pool_keeps_the_same_choice(before):
    code, out = again(before, "same", rows(160), "--least", "1")
    assert code == 0
    assert ids(out) == ids(before / "kept")
    account = json.loads((out / "update.json").read_text())
    assert account["left"] == account["filled"] == account["swapped_in"] == []
    assert account["objective"]["after_share"] == pytest.approx(1.0)


def test_chosen_rows_that_went_are_replaced_and_the_others_stay(before):
    gone = set(ids(before / "kept")[1:6]) - {"row-3"}
    now = [r for r in rows(240)[::-1] if r["id"] not in gone]  # others, more, in another order
    code, out = again(before, "less", now)
    assert code == 0
    account = json.loads((out / "update.json").read_text())
    assert {x["id"] for x in account["left"] if x["why"] == "gone"} == gone
    assert account["after"] == len(ids(out)) == 20
    assert set(account["kept"]) | set(account["filled"]) | set(account["swapped_in"]) == set(ids(out))
    lost = set(ids(before / "kept")) - set(ids(out))
    assert lost == {x["id"] for x in account["left"]}
    assert account["objective"]["after_share"] > 0.9
    assert account["objective"]["after"] > account["objective"]["before"]
    assert all(c.ok for c in verify(out))
    chosen = [json.loads(line)["source"] for line in (out / "kept.jsonl").read_text().splitlines()]
    assert max(map(chosen.count, set(chosen))) <= 10


def test_an_update_can_be_updated(before):
    now = rows(180)[10:] + rows(10)[3:4]
    code, out = again(before, "once", now)
    assert code == 0
    more = write(before / "more.jsonl", now[20:])
    args = ["update", str(out), "-i", str(more), "-o", str(out), *QUIET, "--json"]
    assert run(args) == 0
    assert json.loads((out / "manifest.json").read_text())["recipe"]["solver"].count("Repair") == 1


def test_a_row_that_must_be_taken_and_is_gone_is_named(before, capsys):
    code, out = again(before, "never", [r for r in rows(160) if r["id"] != "row-3"])
    assert code == 2
    told = capsys.readouterr().err
    assert "'row-3'" in told
    assert told.count("\n") == 1
    assert not out.exists()


def test_rows_without_ids_cannot_be_told_apart(tmp_path, capsys):
    pool = write(tmp_path / "pool.jsonl", [{"text": r["text"], "reward": r["reward"]} for r in rows(80)])
    assert run(["curate", str(pool), "-k", "5", "-o", str(tmp_path / "kept"), *QUIET]) == 0
    args = ["update", str(tmp_path / "kept"), "-o", str(tmp_path / "new"), *QUIET]
    assert run(args) == 2
    assert "--id" in capsys.readouterr().err


def test_no_result_is_one_line(tmp_path, capsys):
    assert run(["update", str(tmp_path), "-o", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_constraints_that_cannot_hold_any_more(tmp_path, capsys):
    many = rows(80)
    pool = write(tmp_path / "pool.jsonl", many)
    ask = ["--text", "text", "--group", "source", "-k", "6", "--quota", "source:web>=4"]
    assert run(["curate", str(pool), *ask, "-o", str(tmp_path / "kept"), *QUIET]) == 0
    web = next(r for r in many if r["source"] == "web")
    few = write(tmp_path / "few.jsonl", [r for r in many if r["source"] != "web" or r is web])
    args = ["update", str(tmp_path / "kept"), "-i", str(few), "-o", str(tmp_path / "new"), *QUIET]
    assert run(args) == 3
    assert "source:web>=4" in capsys.readouterr().err


def test_from_python_and_with_a_share_for_a_size(tmp_path):
    first = sl.read(write(tmp_path / "a.jsonl", rows(100)), id="id", text="text", scores="reward")
    kept = sl.curate(sl.Recipe(within=(sl.Cardinality(10), sl.Exclude((7,)))), first, draws=40)
    gone = set(kept.ids[:2])
    many = [r for r in rows(120) if r["id"] not in gone]
    now = sl.read(write(tmp_path / "b.jsonl", many), id="id", text="text", scores="reward")
    new = sl.update(kept, now, draws=40)
    assert set(kept.ids) - gone - {x["id"] for x in new.account["left"]} == set(new.account["kept"])
    assert "row-7" not in new.ids
    assert len(new.ids) == 10
    new.write(tmp_path / "kept")
    assert all(c.ok for c in verify(tmp_path / "kept"))
    folder = sl.update(tmp_path / "kept", now, draws=40, least=1.0)
    assert folder.ids == new.ids


def test_a_smaller_budget_sheds_and_says_what_refused():
    cost = np.ones(30)
    rng = np.random.default_rng(0)
    built, pool = RandomCover(rng.random((30, 60)) < 0.2), sl.Pool.of({"cost": sl.Costs(cost)})
    limits = bind(pool, [sl.Knapsack("cost", at_most=4)], 30)
    found = Repair(tuple(range(10, 16)), least=1.0).repaired(built, limits, pool)
    assert found.choice.rows.tolist() == [10, 11, 12, 13]
    assert {limits.names[by] for by in found.refused.values()} == {"cost<=4"}


@pytest.mark.parametrize("solver", [sl.Greedy(), sl.Exhaustive(), sl.BranchAndBound(), sl.QuotaFilling()])
def test_any_solver_can_fill_what_lacks(solver):
    rng = np.random.default_rng(1)
    labels = sl.Labels(np.arange(12, dtype=np.int32) % 3, tuple("abc"))
    built, pool = RandomCover(rng.random((12, 40)) < 0.2), sl.Pool.of({"label": labels})
    limits = bind(pool, [sl.Quota("label", at_least={"a": 2}, at_most=2)], 5)
    choice = Repair((1, 4, 7), solver=solver, least=1.0)(built, limits, pool)
    at = choice.rows
    assert at[:2].tolist() == [1, 4]  # 7 is a third of its group
    assert limits.check(at) == []
    assert len(at) == 5
    if isinstance(solver, sl.Exhaustive | sl.BranchAndBound):
        from itertools import combinations

        whole = [np.array([1, 4, *c]) for c in combinations([x for x in range(12) if x not in (1, 4)], 3)]
        best = max(built.covers[a].any(axis=0).sum() for a in whole if not limits.check(a))
        assert choice.total == best


def test_what_is_left_of_limits_counts_what_was_taken():
    pool = sl.Pool.of({"cost": sl.Costs(np.arange(6.0))})
    limits = bind(pool, [sl.Knapsack("cost", at_most=7)], 3)
    held = limits.add(limits.start(), 4)
    left = Begun(limits, held, np.array([4]), 6)
    assert left.k == 2
    assert [r.high for r in left.rows if r.kind == "knapsack"] == [3.0]
    assert left.check(np.array([5])) == limits.check(np.array([4, 5])) != []
