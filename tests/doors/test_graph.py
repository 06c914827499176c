"""A graph of the pool: found once, kept as a stage, planned for, written down and verified."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shortlist.cli.main import run
from shortlist.core.effects import alone
from shortlist.core.errors import MemoryRefused, UsageError
from shortlist.core.recipe import Recipe
from shortlist.core.signals import Neighbors, Scores
from shortlist.doors.curate import Work, curate, prepare
from shortlist.doors.preview import preview
from shortlist.doors.read import read
from shortlist.doors.settle import settle, with_neighbors
from shortlist.doors.verify import verify
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.graph.knn import KNN
from shortlist.methods.objective.graph_coverage import GraphCoverage
from shortlist.run.stages import Stages
from tests.cli.pools import rows, write

RECIPE = Recipe(graph=KNN("encoded", neighbors=9), objective=GraphCoverage(), within=(Cardinality(20),))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("graph") / "pool.jsonl", rows())
    return read(path, id="id", text="text", scores="reward", labels="source", holdout=["topic"])


def test_objectives_find_the_graph_of_the_rows_that_are_left(loaded):
    kept = curate(RECIPE, loaded, draws=60)
    graph = kept.pool.signal("graph", Neighbors)
    assert len(kept.pool) < len(loaded.pool)
    assert len(graph) == len(kept.pool)
    assert len(kept.ids) == 20
    assert graph.indices.tolist() == alone(KNN("encoded", neighbors=9).steps(kept.pool)).indices.tolist()
    assert kept.preview["recipe"]["graph"] == "KNN(by='encoded', neighbors=9)"
    assert any(line["name"] == "graph" for line in kept.preview["lines"])


def test_a_choice_by_graph_verifies(loaded, tmp_path):
    curate(RECIPE, loaded, draws=60).write(tmp_path / "kept")
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text("utf-8"))
    assert manifest["recipe"]["graph"] == "KNN(by='encoded', neighbors=9)"
    checks = {c.name: c.ok for c in verify(tmp_path / "kept")}
    assert checks["choice"]


def test_a_finished_graph_is_not_found_again(loaded, tmp_path, monkeypatch):
    settled, found = settle(RECIPE, loaded, 1e12), []
    for resume in (False, True):
        work = Work(stages=Stages(tmp_path / "partial", {}, resume=resume))
        found.append(prepare(settled, loaded, work)[0].signal("graph", Neighbors))
        monkeypatch.setattr(KNN, "steps", lambda self, pool: pytest.fail("searched again"))
    assert found[0].indices.tobytes() == found[1].indices.tobytes()
    assert found[0].data.tobytes() == found[1].data.tobytes()


def test_the_plan_counts_the_graph(loaded):
    plain = preview(settle(Recipe(within=(Cardinality(9),)), loaded, 1e12), loaded, 1e12, 0)
    graph = Recipe(graph=KNN("encoded", neighbors=200), within=(Cardinality(9),))
    settled = settle(graph, loaded, 1e12)
    with_graph = preview(settled, loaded, 1e12, 0)
    assert with_graph["memory_bytes"] >= plain["memory_bytes"] + 8 * 200 * len(loaded.pool)
    promised = with_neighbors(loaded.pool, settled.graph).signal("graph", Neighbors)
    assert len(promised.indices) == 200 * len(loaded.pool)
    with pytest.raises(MemoryRefused):
        preview(settled, loaded, 1e6, 0)


def test_what_is_no_graph_is_refused(loaded):
    taken = loaded.pool.with_signal("graph", Scores(np.zeros(len(loaded.pool))))
    with pytest.raises(UsageError, match="graph"):
        settle(
            RECIPE, type(loaded)(**{f: getattr(loaded, f) for f in loaded.__slots__} | {"pool": taken}), 1e12
        )

    class Wrong:
        by, neighbors = "encoded", 3

        def need(self, pool):
            return KNN("encoded").need(pool)

        def steps(self, pool):
            return pool.signal("encoded", object)
            yield

    with pytest.raises(UsageError, match="KNN"):
        prepare(settle(Recipe(graph=Wrong(), within=(Cardinality(3),)), loaded, 1e12), loaded, Work())


def test_the_command_line_says_it_too(tmp_path, capsys):
    pool = write(tmp_path / "pool.jsonl", rows(120))
    ask = ["curate", str(pool), "--text", "text", "-k", "9", "--draws", "40", "--quiet"]
    graph = ["--graph", "KNN(by='encoded', neighbors=7)", "--objective", "GraphCoverage()"]
    assert run([*ask, *graph, "-o", str(tmp_path / "kept")]) == 0
    assert run(["verify", str(tmp_path / "kept")]) == 0
    assert run([*ask, "--graph", "Modular('reward')", "-o", str(tmp_path / "no")]) != 0
    assert "grapher" in capsys.readouterr().err
