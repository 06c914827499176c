"""Reading duels: the conventions of others, and one line for everything that is wrong."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import shortlist as sl
from shortlist.core.errors import InputError
from shortlist.doors.rank import read_duels


def written(tmp_path, text, name="duels.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("item_x,item_y,winner\na,b,x\nb,c,right\na,c,tie\n", "d.csv"),
        ("left\tright\twinner\na\tb\tleft\nb\tc\tc\na\tc\tdraw\n", "d.tsv"),
        ("model_a,model_b,winner\na,b,model_a\nb,c,model_b\na,c,tie (bothbad)\n", "d.csv"),
        ("x,y,winner\na,b,1\nb,c,0.0\na,c,.5\n", "d.csv"),
        (
            '{"left":"a","right":"b","winner":1}\n{"left":"b","right":"c","winner":0}\n'
            '{"left":"a","right":"c","winner":0.5}\n',
            "d.jsonl",
        ),
        ("a,b,winner\na,b,a\nb,c,c\na,c,tie\n", "d.csv"),
    ],
)
def test_conventions(tmp_path, text, name):
    duels = read_duels(written(tmp_path, text, name))
    found = {(duels.names[i], duels.names[j]): w for (i, j), w in zip(duels.pairs, duels.wins, strict=True)}
    assert found == {("a", "b"): 1.0, ("b", "c"): 0.0, ("a", "c"): 0.5}
    assert duels.weights.tolist() == [1.0] * 3


def test_names_win_over_words(tmp_path):
    duels = read_duels(written(tmp_path, "item_x,item_y,winner\nright,left,left\nb,a,a\n"))
    assert duels.wins.tolist() == [0.0, 0.0]


def test_tables_frames_weights_and_told_columns(tmp_path):
    table = pa.table({"p": ["a", "b"], "q": ["b", "c"], "score": [1.0, 0.25], "n": [2, 3]})
    pq.write_table(table, tmp_path / "d.parquet")
    told = {"x": "p", "y": "q", "winner": "score", "weight": "n"}
    for data in (tmp_path / "d.parquet", table):
        duels = read_duels(data, **told)
        assert duels.wins.tolist() == [1.0, 0.25]
        assert duels.weights.tolist() == [2.0, 3.0]
    packed = tmp_path / "d.csv.gz"
    packed.write_bytes(gzip.compress(b"item_x,item_y,winner,count\na,b,x,4\n"))
    assert read_duels([packed]).weights.tolist() == [4.0]
    assert (
        len(
            read_duels(
                pa.table(
                    {
                        "left": pa.array([], pa.string()),
                        "right": pa.array([], pa.string()),
                        "winner": pa.array([], pa.string()),
                    }
                )
            )
        )
        == 0
    )
    assert sl.BradleyTerry(prior=1)(read_duels(table, **told)).names == ("a", "b", "c")


HEAD = "item_x,item_y,winner"
BAD = {
    "itself": (f"{HEAD}\na,b,x\nc,c,x\n", ["row 3", "'item_y'", "'c' meets itself"]),
    "unknown winner": (f"{HEAD}\na,b,x\na,b,zoe\n", ["row 3", "'winner'", "'zoe'", "neither 'a' nor 'b'"]),
    "a third item": (f"{HEAD}\na,c,x\na,b,c\n", ["row 3", "'c'", "neither"]),
    "probability above 1": (f"{HEAD}\na,b,0.5\na,b,1.5\n", ["row 3", "1.5 is no probability"]),
    "probability below 0": (f"{HEAD}\na,b,-0.5\n", ["row 2", "-0.5 is no probability"]),
    "nan": (f"{HEAD}\na,b,nan\n", ["row 2", "'nan'"]),
    "no winner": (f"{HEAD}\na,b,\n", ["row 2", "'winner'", "no winner"]),
    "no item": (f"{HEAD}\n,b,x\n", ["row 2", "'item_x'", "no item"]),
    "no column": ("item_x,item_y\na,b\n", ["no column for winner", "item_x, item_y"]),
    "half a convention": ("item_x,right,winner\na,b,x\n", ["no column for x"]),
    "ragged": (f"{HEAD}\na,b\n", ["row 2", "2 cells"]),
    "bad weight": (f"{HEAD},weight\na,b,x,-1\n", ["row 2", "'weight'", "-1 is no weight"]),
    "no weight": (f"{HEAD},weight\na,b,x,\n", ["row 2", "'weight'", "no weight"]),
    "weight in words": (f"{HEAD},weight\na,b,x,many\n", ["row 2", "'weight'", "many"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_one_line_with_its_place(tmp_path, case):
    text, said = BAD[case]
    path = written(tmp_path, text)
    with pytest.raises(InputError) as refusal:
        read_duels(path)
    line = str(refusal.value)
    assert "\n" not in line
    for word in (str(path), *said):
        assert word in line


def test_other_kinds_of_wrong(tmp_path):
    lines = '{"left":"a","right":["b"],"winner":1}\n'
    with pytest.raises(InputError, match=r"row 1.*'right'.*list"):
        read_duels(written(tmp_path, lines, "d.jsonl"))
    with pytest.raises(InputError, match="told as winner"):
        read_duels(written(tmp_path, f"{HEAD}\na,b,x\n"), winner="who")
    with pytest.raises(InputError, match="infinity"):
        read_duels(pa.table({"left": ["a"], "right": ["b"], "winner": [np.inf]}))
    with pytest.raises(InputError, match="no such file"):
        read_duels(tmp_path / "none.csv")
