"""The curate door from Python: files and frames in, choice, evidence, folder, verify, compare."""

import json

import numpy as np
import pyarrow as pa
import pytest

import shortlist as sl
from shortlist.doors.preview import preview
from shortlist.doors.settle import settle
from shortlist.doors.verify import verify
from tests.cli.pools import rows, write


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("door") / "pool.jsonl", rows())
    return sl.read(
        path,
        id="id",
        text="text",
        scores="reward",
        labels="source",
        costs="tokens",
        holdout=["topic", "noise"],
    )


@pytest.fixture(scope="module")
def kept(loaded):
    recipe = sl.Recipe(
        within=(sl.Cardinality(30), sl.Knapsack("tokens", at_most=900), sl.Quota("source", at_most=0.5)),
        diversity=0.7,
    )
    return sl.curate(recipe, loaded, draws=60)


def test_what_is_left_open_is_settled_and_written_down(kept):
    assert kept.recipe.objective is not None
    assert isinstance(kept.recipe.objective, sl.Sum)
    assert kept.recipe.objective.weights[0] == 1.0
    assert len(kept.ids) == len(kept.result) > 0
    assert {line["name"] for line in kept.preview["lines"]} >= {"pool", "choose", "within", "memory", "time"}


def test_the_recipe_that_comes_out_gives_the_same_rows(kept, loaded):
    again = sl.curate(kept.recipe, loaded, draws=60)
    assert again.ids == kept.ids
    assert again.evidence == kept.evidence


def test_threads_do_not_show(kept, loaded):
    one = sl.curate(kept.recipe, loaded, draws=60, on=sl.Local(1))
    assert one.result.rows.tolist() == kept.result.rows.tolist()
    assert one.result.gains.tobytes() == kept.result.gains.tobytes()


def test_set_aside_columns_are_judged_and_never_seen(kept):
    columns = {h["column"] for h in kept.evidence["helps"] if h["set_aside"]}
    assert columns == {"topic", "noise"}
    assert not {"topic", "noise"} & set(kept.pool.columns)


def test_a_written_result_verifies(kept, tmp_path):
    kept.write(tmp_path / "kept")
    checks = {c.name: c.ok for c in verify(tmp_path / "kept")}
    assert all(checks.values())
    assert checks["choice"]
    kept.report(tmp_path / "alone.html")
    assert (tmp_path / "alone.html").read_text("utf-8").startswith("<!doctype html>")


def test_frames_enter_and_their_rows_leave(tmp_path):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(rows(120))
    loaded = sl.read(frame, id="id", text="text", scores=["reward"])
    kept = sl.curate(sl.Recipe(within=(sl.Cardinality(10),)), loaded, draws=40)
    kept.write(tmp_path / "kept")
    back = polars.read_parquet(tmp_path / "kept" / "kept.parquet")
    assert back["id"].to_list() == kept.ids
    (no,) = [c for c in verify(tmp_path / "kept") if not c.ok]
    assert "--input" in no.found


def test_vectors_beside_a_table(tmp_path):
    many = rows(150)
    write(tmp_path / "pool.jsonl", many)
    np.save(tmp_path / "emb.npy", np.random.default_rng(0).normal(size=(150, 16)).astype(np.float32))
    loaded = sl.read(
        tmp_path / "pool.jsonl", id="id", text="", vectors=str(tmp_path / "emb.npy"), scores="reward"
    )
    kept = sl.curate(sl.Recipe(within=(sl.Cardinality(12),)), loaded, draws=40)
    assert kept.recipe.encode is None
    assert len(kept.ids) == 12
    kept.write(tmp_path / "kept")
    assert all(c.ok for c in verify(tmp_path / "kept"))


def test_compare_at_equal_budget(kept, loaded):
    with pytest.raises(sl.UsageError, match="budgets differ"):
        sl.compare(kept, against=[sl.Random()], by=[sl.Coverage(by="encoded")])
    kept = sl.curate(sl.Recipe(within=(sl.Cardinality(20),)), loaded, draws=40)
    table = sl.compare(
        kept, against=[sl.Random(), sl.Top("reward")], by=[sl.Coverage(by="encoded")], repeats=5
    ).table()
    assert "Random" in table
    assert "Top" in table


def test_shares_hold_of_the_size_that_a_budget_left(loaded):
    within = (
        sl.Cardinality(60),
        sl.Knapsack("tokens", at_most=400),
        sl.Quota("source", at_most={"web": 0.34}),
    )
    kept = sl.curate(sl.Recipe(within=within), loaded, draws=40)
    source = kept.loaded.pool.signal("source", sl.Labels).take(kept.result.rows)
    share = np.mean([source.names[c] == "web" for c in source.codes])
    assert 0 < len(kept.ids) < 60
    assert share <= 0.34


def test_quotas_that_no_size_meets_are_of_the_size_asked(loaded):
    within = (sl.Cardinality(60), sl.Quota("source", at_most=0.1))
    kept = sl.curate(sl.Recipe(within=within), loaded, draws=40)
    assert len(kept.ids) == 18


def test_nothing_to_choose_by_says_what_to_name(tmp_path):
    path = tmp_path / "bare.jsonl"
    path.write_text("".join(json.dumps({"id": str(i)}) + "\n" for i in range(5)))
    with pytest.raises(sl.UsageError, match="--text"):
        sl.curate(sl.Recipe(within=(sl.Cardinality(2),)), sl.read(path, id="id"))


def test_coverage_takes_the_form_that_the_pool_and_the_other_parts_leave_room_for():
    rng = np.random.default_rng(0)
    rows = {"id": list(range(9000)), "score": rng.random(9000).tolist(), "vec": rng.normal(size=(9000, 16))}
    rows["vec"] = rows["vec"].astype(np.float32).tolist()
    loaded = sl.read(pa.table(rows), vectors="vec", scores="score")
    recipe = sl.Recipe(within=(sl.Cardinality(90),))
    said = {}
    for memory in (4e9, 3.1e8, 2.75e8):
        settled = settle(recipe, loaded, memory)
        plan = preview(settled, loaded, memory, 0)  # refuses what does not fit
        said[memory] = plan["memory_bytes"], settled.parts[0].need(loaded.pool, 90).bytes
    assert said[4e9] > said[3.1e8] >= said[2.75e8]


def test_too_little_memory_is_refused_before_work(loaded):
    with pytest.raises(sl.MemoryRefused, match="allowed"):
        sl.curate(sl.Recipe(within=(sl.Cardinality(5),)), loaded, memory=1e6)
