"""`shortlist rank`: the board for people and programs, and exit codes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import shortlist as sl
from shortlist.cli.main import run


@pytest.fixture
def league(tmp_path):
    rng = np.random.default_rng(0)
    names = ["gold", "silver", "bronze", "tin"]
    lines = ["item_x,item_y,winner"]
    for _ in range(600):
        i, j = rng.choice(4, 2, replace=False)
        lines.append(f"{names[i]},{names[j]},{'x' if rng.random() < 1 / (1 + np.exp(i - j)) else 'y'}")
    path = tmp_path / "duels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_board_for_programs(league, capsys):
    assert run(["rank", str(league), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [i["item"] for i in facts["items"]] == ["gold", "silver", "bronze", "tin"]
    assert facts["tied_with_first"] == ["gold"]
    assert facts["duels"] == 600
    assert sum(i["duels"] for i in facts["items"]) == 1200
    assert all(i["low"] < i["score"] < i["high"] for i in facts["items"])
    board = sl.rank(sl.read_duels(league))
    assert facts["items"][0]["score"] == board.scores.max()


def test_a_board_for_people(league, capsys):
    assert run(["rank", str(league), "--method", "Elo(k=16.0)", "--top", "2"]) == 0
    shown = capsys.readouterr().out
    assert "gold" in shown
    assert "and 2 more" in shown
    assert "Elo(k=16.0)" in shown
    assert run(["rank", str(league), "--method", "RankCentrality"]) == 0
    assert "states no intervals" in capsys.readouterr().out
    assert run(["rank", str(league), "--method", "RankCentrality", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"][0]["low"] is None


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("Modular('q')", "no method"),
        ("nonsense(", "cannot read"),
        ("3()", "cannot read"),
        ("Elo(k=-1)", "k must"),
    ],
)
def test_methods_that_do_not_rank(league, capsys, method, says):
    assert run(["rank", str(league), "--method", method]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_bad_input_is_one_line_and_code_two(tmp_path, capsys):
    path = tmp_path / "d.csv"
    for text, says in (
        ("item_x,item_y,winner\na,a,x\n", "row 2"),
        ("item_x,item_y,winner\na,b,x\n", "'a' never lost"),
        ("item_x,item_y,winner\n", ""),
    ):
        path.write_text(text)
        code = run(["rank", str(path)])
        said = capsys.readouterr()
        assert code == (2 if says else 0)
        assert says in said.err
        assert len(said.err.splitlines()) == (1 if says else 0)
    hostile = "item_x,item_y,winner\n\x1b[31mred,b,x\n\x1b[31mred,b,y\n"
    path.write_text(hostile)
    assert run(["rank", str(path)]) == 0
    assert "\x1b" not in capsys.readouterr().out
