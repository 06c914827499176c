"""What the plan, the verdict and the report tell about methods of the user's own choice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import shortlist as sl
from shortlist.cli.main import run
from shortlist.core.limits import bind
from shortlist.doors.asked import ended
from shortlist.doors.preview import preview
from shortlist.doors.result import counts
from shortlist.doors.settle import settle
from shortlist.report.text import verdict_text
from shortlist.store.loaded import Loaded
from tests.cli.pools import rows, write


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("told") / "pool.jsonl", rows())


@pytest.fixture(scope="module")
def loaded(path: Path) -> Loaded:
    return sl.read(path, id="id", text="text", scores="reward", labels="source")


def test_the_plan_names_what_was_told_and_how_long_nobody_knows(loaded: Loaded) -> None:
    recipe = sl.Recipe(
        drop=(sl.ExactText(by="text"),),
        objective=sl.LogDet("encoded"),
        within=(sl.Cardinality(5),),
        solver=sl.Swap(),
    )
    settled = settle(recipe, loaded, 1e12)
    lines = {line["name"]: line["value"] for line in preview(settled, loaded, 1e12, 0)["lines"]}
    assert lines["objective"] == "LogDet(by='encoded')"
    assert lines["solver"] == "Swap()"
    assert lines["duplicates"] == "dropped by ExactText()"
    assert "methods call them 'encoded'" in lines["vectors"]
    assert "the search of Swap, which no plan can tell" in lines["time"]


def test_a_choice_that_ends_early_says_why(loaded: Loaded) -> None:
    recipe = sl.Recipe(objective=sl.MMR("encoded"), within=(sl.Cardinality(40),))
    kept = sl.curate(recipe, loaded, draws=39)
    size, held = kept.evidence["asked"]["size"], kept.evidence["helps"][-1]["how"]
    assert size["ours"] < size["asked"] == 40
    assert size["ended"] == "no row that the limits allow would add anything"
    assert f"rows: {size['ours']} of 40 asked for (no row that" in verdict_text(kept.evidence)
    assert "recipe chose 40" not in held


def test_why_a_choice_ended() -> None:
    pool = sl.Pool.of({"cost": sl.Costs(np.array([1.0, 2.0, 4.0, 4.0]), unit="")})
    left = np.array([0.0, 1.0, 0.0, 0.0])
    size, budget = sl.Cardinality(3), sl.Knapsack("cost", at_most=4)
    assert ended(bind(pool, (size,), 3), 3, np.array([0, 1, 2]), left) == ""
    assert ended(bind(pool, (size, budget), 3), 3, np.array([2]), left) == "the limits leave room for no more"
    assert ended(bind(pool, (size,), 3), 3, np.array([0]), left).startswith("the solver took no more")
    assert ended(bind(pool, (size,), 3), 3, np.array([0, 1]), left).startswith("no row that the limits allow")


def test_a_size_that_shares_were_brought_to_is_no_constraint_of_the_user(loaded: Loaded) -> None:
    tokens = sl.Costs(np.full(len(loaded.pool), 10.0), unit="")
    short = replace(loaded, pool=loaded.pool.with_signal("tokens", tokens))
    within = (sl.Cardinality(30), sl.Knapsack("tokens", at_most=285), sl.Quota("source", at_most=0.5))
    asked = sl.curate(sl.Recipe(within=within), short, draws=39).evidence["asked"]
    assert (asked["size"]["ours"], asked["size"]["asked"]) == (28, 30)
    assert asked["size"]["ended"] == "the limits leave room for no more"
    assert [c["text"] for c in asked["constraints"] if c["kind"] == "size"] == ["size=30"]


def test_the_best_possible_is_said_without_a_rounding_error(loaded: Loaded) -> None:
    recipe = sl.Recipe(objective=sl.Modular("reward"), within=(sl.Cardinality(30),))
    asked = sl.curate(recipe, loaded, draws=39).evidence["asked"]
    assert asked["objective"]["within"] == 0.0
    assert "  the best possible for this run\n" in verdict_text({"asked": asked})


def test_groups_of_duplicates_are_counted(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = rows()
    for r in many[:7]:
        r["text"] = many[0]["text"]
    pool, out = write(tmp_path / "pool.jsonl", many), tmp_path / "kept"
    ask = ["curate", str(pool), "--text", "text", "--id", "id", "-k", "9", "--draws", "39", "-o", str(out)]
    assert run([*ask, "--drop", "ExactText(by='text')"]) == 0
    line = "duplicates: 17 in 12 groups, the largest of 7 rows with the one that stays"
    assert line in capsys.readouterr().out
    assert line.capitalize() in (out / "report.html").read_text("utf-8")
    found = json.loads((out / "manifest.json").read_text("utf-8"))["counts"]
    assert (found["duplicates"], found["duplicate_groups"], found["largest_group"]) == (17, 12, 7)


def test_nothing_is_said_of_groups_where_nothing_was_dropped(loaded: Loaded) -> None:
    recipe = sl.Recipe(drop=(), within=(sl.Cardinality(9),))
    assert "largest_group" not in counts(sl.curate(recipe, loaded, draws=39))


def test_an_error_names_the_signals_that_would_do(loaded: Loaded) -> None:
    recipe = sl.Recipe(objective=sl.LogDet(), within=(sl.Cardinality(9),))
    with pytest.raises(sl.ContractError, match=r"no signal 'vec'.*; name 'encoded'$"):
        sl.curate(recipe, loaded, draws=39)
    with pytest.raises(sl.ContractError, match="0 or more: name text"):
        sl.curate(
            sl.Recipe(objective=sl.FeatureBased("encoded"), within=(sl.Cardinality(9),)), loaded, draws=39
        )
    with pytest.raises(sl.ContractError, match=r"is Text, .* is needed; name 'encoded' or 'source'$"):
        sl.curate(
            sl.Recipe(objective=sl.ProbabilisticSetCover("text"), within=(sl.Cardinality(9),)),
            loaded,
            draws=39,
        )


@pytest.mark.parametrize("name", ["Cosine", "MinHash", "Leakage", "KNN", "LSA", "LogDet", "FacilityLocation"])
def test_the_signal_comes_first_and_needs_no_name(name: str) -> None:
    assert getattr(sl, name)("other").by == "other"


def test_a_group_that_the_choice_is_measured_by_is_said_to_be_choosable(loaded: Loaded) -> None:
    toward = sl.Sum((sl.Modular("reward"), sl.GraphCutMI("encoded", toward="source:web")))
    leaks = (sl.Leakage("text", against="source:books"),)
    size, out = sl.Cardinality(9), sl.Quota("source", at_most={"web": 0})

    def told(within: tuple[sl.Constraint, ...]) -> list[str]:
        settled = settle(sl.Recipe(drop=leaks, objective=toward, within=within), loaded, 1e12)
        return [text for name, text in settled.notes if name == "candidates"]

    assert [t.split("'")[1] for t in told((size,))] == ["source:web", "source:books"]
    assert told((size, out)) == [
        "rows of 'source:books' may be chosen too; --quota 'source:books<=0' keeps them out"
    ]


def test_what_leaks_is_no_duplicate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = rows()
    many[3]["text"], many[3]["source"], many[4]["source"] = many[4]["text"], "web", "books"
    for r in many[5:]:
        r["source"] = "web"
    pool, out = write(tmp_path / "pool.jsonl", many), tmp_path / "kept"
    ask = ["curate", str(pool), "--text", "text", "--id", "id", "--group", "source", "-k", "9"]
    ask += ["--draws", "39", "-o", str(out)]
    ask += ["--drop", "Leakage('text', against='source:books', ngram=9)", "--drop", "ExactText('text')"]
    assert run(ask) == 0
    said = capsys.readouterr().out
    found = json.loads((out / "manifest.json").read_text("utf-8"))["counts"]
    assert found["leaked"] == 1
    assert found["dropped"] == found["leaked"] + found["duplicates"]
    assert f"({found['duplicates']} duplicates, 1 leaked)" in " ".join(said.split())
    assert run(["why-not", "row-3", str(out)]) == 0
    assert "dropped because it gives away row-4" in capsys.readouterr().out
    lines = (out / "dropped.jsonl").read_text("utf-8").splitlines()
    gone = {r["id"]: r["reason"] for r in map(json.loads, lines)}
    assert gone["row-3"].startswith("gives away row-4 (1.000 by share of the 9-word runs")


def test_what_is_asked_in_the_wrong_place_is_said_so(loaded: Loaded) -> None:
    size = (sl.Cardinality(9),)
    with pytest.raises(sl.UsageError, match="KNN finds Neighbors, not duplicates"):
        sl.curate(sl.Recipe(drop=(sl.KNN("encoded"),), within=size), loaded, draws=39)  # type: ignore[arg-type]
    with pytest.raises(
        sl.UsageError, match=r"GraphCoverage reads a graph .* add --graph \"KNN\('encoded'\)\""
    ):
        sl.curate(sl.Recipe(objective=sl.GraphCoverage(), within=size), loaded, draws=39)


def test_a_pool_of_few_rows_needs_no_warning_of_a_search(path: Path) -> None:
    few = sl.read(path, id="id", text="text", where="tokens < 7")
    assert len(few.pool) <= 16
    settled = settle(sl.Recipe(within=(sl.Cardinality(2),)), few, 1e12)
    lines = {line["name"]: line["value"] for line in preview(settled, few, 1e12, 0)["lines"]}
    assert isinstance(settled.solver, sl.Exhaustive)
    assert "which no plan can tell" not in lines["time"]
