"""What a spreadsheet opens is inert: promise 37, over the writer of CSV and TSV."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from shortlist.store.read import read
from shortlist.store.roles import Roles
from shortlist.store.write import write_rows

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
RESTS = (
    "1+1",
    'HYPERLINK("http://x","y")',
    "cmd|' /C calc'!A0",
    "SUM(A1:A9)",
    "",
    " a",
    '"quoted", and, commas',
    "a\nb\r\nc",
)
HARMLESS = ("plain", "a=b", "a@b", " =1", '"', ",", "'", "a\nb", "naïve 東京", "")
NUMBERS = ("-5", "+5", "-0.25", "-1e-9", "+.5", "7")
CELLS = [a + b for a, b in itertools.product(STARTS, RESTS)]
#: Python before 3.13 leaves a return unquoted where lines end in a newline alone.
RETURNS = [c for c in CELLS if "\r" in c and "\n" not in c]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_cells_that_would_run_are_quoted_and_others_are_left(tmp_path: Path, ending: str) -> None:
    texts = [*(c for c in CELLS if c not in RETURNS), *HARMLESS, *NUMBERS]
    pool = tmp_path / "pool.jsonl"
    rows = [{"id": f"r{i}", "text": t, "score": -1.5 - i} for i, t in enumerate(texts)]
    pool.write_text("".join(json.dumps(r) + "\n" for r in rows), "ascii")
    loaded = read(pool, Roles(id="id", text="text"))
    out = tmp_path / f"kept.{ending}"
    at = np.arange(len(texts), dtype=np.int64)
    write_rows(out, loaded, at, {"reason": texts, "gain": [-0.5] * len(texts)})
    with out.open(newline="", encoding="utf-8") as f:
        found = list(csv.DictReader(f, delimiter="," if ending == "csv" else "\t"))
    assert len(found) == len(texts)
    for row, text in zip(found, texts, strict=True):
        want = "'" + text if text in CELLS and text not in NUMBERS else text
        assert row["text"] == want
        assert row["reason"] == want
        assert float(row["score"]) < 0
        assert row["score"].startswith("-")
        assert row["gain"] == "-0.5"
    again = tmp_path / "kept.jsonl"
    write_rows(again, loaded, at, {})
    assert again.read_bytes() == pool.read_bytes()


def test_a_lone_return_does_not_end_a_row(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text(
        "".join(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(RETURNS)), "ascii"
    )
    out = tmp_path / "kept.csv"
    write_rows(out, read(pool, Roles(id="id", text="text")), np.arange(len(RETURNS), dtype=np.int64), {})
    with out.open(newline="", encoding="utf-8") as f:
        assert [row["text"] for row in csv.DictReader(f)] == ["'" + t for t in RETURNS]


def test_names_of_columns_are_cells_too(tmp_path: Path) -> None:
    pool = tmp_path / "pool.csv"
    pool.write_text('id,"=1+1",text\na,=2+2,x\nb,-3,y\n', "utf-8")
    loaded = read(pool, Roles(id="id", text="text"))
    out = tmp_path / "kept.csv"
    write_rows(out, loaded, np.arange(2, dtype=np.int64), {"@reason": ["-", "+a"]})
    with out.open(newline="", encoding="utf-8") as f:
        lines = list(csv.reader(f))
    assert lines == [["id", "'=1+1", "text", "'@reason"], ["a", "'=2+2", "x", "'-"], ["b", "-3", "y", "'+a"]]
