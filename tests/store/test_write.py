"""Rows written back: unchanged, in order, inert in a spreadsheet, from every format to every other."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import InputError, StorageError, UsageError
from shortlist.store import fetch
from shortlist.store.read import read
from shortlist.store.roles import Roles
from shortlist.store.sinks import inert
from shortlist.store.write import added_names, natural_format, write_rejected, write_rows

pytestmark = pytest.mark.usefixtures("_one_decoder")

IN = ("jsonl", "jsonl.gz", "jsonl.zst", "csv", "tsv.gz", "parquet", "arrow", "frame")
OUT = ("jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "tsv", "parquet", "arrow")
ROWS = [
    {"id": f"r{i}", "text": f'té"xt,{i}\nline', "n": i * 10, "x": i / 4, "ok": None if i == 2 else "y"}
    for i in range(9)
]


def make(folder: Path, kind: str) -> Any:
    t = pa.Table.from_pylist(ROWS)
    path = folder / f"pool.{kind}"
    head, _, compression = kind.partition(".")
    if kind == "frame":
        return t
    if head in ("parquet", "arrow"):
        if head == "parquet":
            pq.write_table(t, path, row_group_size=4)
        else:
            with pa.ipc.new_file(path, t.schema) as w:
                w.write_table(t, max_chunksize=4)
        return path
    if head == "jsonl":
        data = "".join(json.dumps(r) + "\n" for r in ROWS).encode()
    else:
        out = io.StringIO()
        writer = csv.writer(out, delimiter="," if head == "csv" else "\t")
        writer.writerow(ROWS[0])
        writer.writerows([r.values() for r in ROWS])
        data = out.getvalue().encode()
    if compression:
        data = gzip.compress(data) if compression == "gz" else pa.compress(data, "zstd", asbytes=True)
    path.write_bytes(data)
    return path


def contents(path: Path) -> list[dict[str, Any]]:
    """What another reader finds in the file."""
    name = path.name
    if name.endswith("parquet"):
        return list(pq.read_table(path).to_pylist())
    if name.endswith("arrow"):
        return list(pa.ipc.open_file(path).read_all().to_pylist())
    data = path.read_bytes()
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    if name.endswith(".zst"):
        data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    text = data.decode()
    if "jsonl" in name:
        return [json.loads(line) for line in text.split("\n") if line]
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if "tsv" in name else ","))


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    return {k: "" if v is None else str(v) for k, v in row.items()}


@pytest.mark.parametrize("kind", IN)
@pytest.mark.parametrize("batch", [2, 1000])
def test_rows_come_out_as_they_went_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, batch: int
) -> None:
    monkeypatch.setattr(fetch, "BATCH_ROWS", batch)
    loaded = read(make(tmp_path, kind))
    at = np.array([7, 2, 8, 0, 3])
    added = {
        "rank": np.arange(1, 6),
        "gain": [0.5, None, 0.25, 0.1, 0.0],
        "reason": ["a\u2028b", "=x", "-1", "'", "c"],
        "id": range(5),
    }
    for out in OUT:
        path = tmp_path / f"kept.{out}"
        names = write_rows(path, loaded, at, added)
        assert names == ("rank", "gain", "reason", "shortlist_id")
        want = [
            {
                **ROWS[i],
                "rank": j + 1,
                "gain": added["gain"][j],
                "reason": added["reason"][j],
                "shortlist_id": j,
            }
            for j, i in enumerate(at.tolist())
        ]
        found = contents(path)
        delimited_in = kind.startswith(("csv", "tsv"))
        if delimited_in and not out.startswith(("csv", "tsv")):
            want = [{**r, "ok": r["ok"] or ""} for r in want]
        if out.startswith(("csv", "tsv")):
            want = [as_cells({**r, "reason": inert(str(r["reason"]))}) for r in want]
        assert found == want, (kind, out)
        assert read(path).read == 5


@pytest.mark.parametrize("out", OUT)
def test_the_same_bytes_every_time(tmp_path: Path, out: str) -> None:
    loaded = read(make(tmp_path, "jsonl"))
    paths = [tmp_path / f"{i}.{out}" for i in range(2)]
    for path in paths:
        write_rows(path, loaded, np.arange(9), {"rank": np.arange(9)})
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_no_rows_make_a_file_that_opens(tmp_path: Path) -> None:
    for kind in IN:
        loaded = read(make(tmp_path, kind))
        for out in OUT:
            path = tmp_path / f"none.{out}"
            write_rows(path, loaded, np.zeros(0, np.int64), {"rank": []})
            assert contents(path) == []
            assert read(path).read == 0


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ('{"id":18446744073709551621,"x":1.10}', '{"id":18446744073709551621,"x":1.10, "rank": 1}'),
        ('  { "id" : "\\ud800" , "x": 1E5 }\t\r', '{ "id" : "\\ud800" , "x": 1E5, "rank": 1}'),
        ("{}", '{"rank": 1}'),
        ("{ }", '{"rank": 1}'),
        ('{"a": {"b": {}}}', '{"a": {"b": {}}, "rank": 1}'),
        ('{"a": "é\\u00e9 }"}', '{"a": "é\\u00e9 }", "rank": 1}'),
    ],
)
def test_the_bytes_of_a_json_object_stay(tmp_path: Path, line: str, out: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(line + "\n")
    loaded = read(path)
    write_rows(tmp_path / "kept.jsonl", loaded, np.array([0]), {"rank": [1]})
    assert (tmp_path / "kept.jsonl").read_text() == out + "\n"
    write_rows(tmp_path / "plain.jsonl", loaded, np.array([0]), {})
    assert (tmp_path / "plain.jsonl").read_text() == line.strip() + "\n"


def test_numbers_of_csv_stay_as_written(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("id,x,code,big,mixed\na,0.50,007,123456789012345678901,1\nb,-1e5,010,2,x\n")
    loaded = read(path)
    write_rows(tmp_path / "kept.jsonl", loaded, np.array([1, 0]), {})
    assert (tmp_path / "kept.jsonl").read_text() == (
        '{"id": "b", "x": -1e5, "code": "010", "big": "2", "mixed": "x"}\n'
        '{"id": "a", "x": 0.50, "code": "007", "big": "123456789012345678901", "mixed": "1"}\n'
    )
    write_rows(tmp_path / "kept.parquet", loaded, np.array([1, 0]), {})
    assert pq.read_table(tmp_path / "kept.parquet").to_pylist()[1] == {
        "id": "a",
        "x": 0.5,
        "code": "007",
        "big": "123456789012345678901",
        "mixed": "1",
    }


def test_values_json_has_no_type_for(tmp_path: Path) -> None:
    t = pa.table(
        {
            "id": ["a"],
            "day": [datetime.date(2024, 1, 2)],
            "raw": [b"\xff\x00"],
            "money": [Decimal("1.10")],
            "nan": [float("nan")],
            "nested": [{"a": [1, None]}],
        }
    )
    write_rows(tmp_path / "x.jsonl", read(t), np.array([0]), {})
    assert json.loads((tmp_path / "x.jsonl").read_text()) == {
        "id": "a",
        "day": "2024-01-02",
        "raw": "/wA=",
        "money": "1.10",
        "nan": None,
        "nested": {"a": [1, None]},
    }
    write_rows(tmp_path / "x.csv", read(t), np.array([0]), {})
    assert contents(tmp_path / "x.csv")[0]["nested"] == '{"a": [1, null]}'
    write_rows(tmp_path / "x.parquet", read(t), np.array([0]), {})
    assert pq.read_table(tmp_path / "x.parquet").schema.field("nested").type == t.schema.field("nested").type


def test_columns_of_changing_type_become_json_text_in_a_table(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"id": "a", "v": 1, "l": [1, 2], "f": 1}\n{"id": "b", "v": "x", "l": [0.5], "f": 0.5}\n')
    write_rows(tmp_path / "x.parquet", read(path), np.array([1, 0]), {})
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [
        {"id": "b", "v": '"x"', "l": [0.5], "f": 0.5},
        {"id": "a", "v": "1", "l": [1.0, 2.0], "f": 1.0},
    ]


def test_files_of_several_kinds_are_written_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "a", "x": 1}\n')
    (tmp_path / "b.csv").write_text("id,y\nb,z\n")
    pq.write_table(pa.table({"id": ["c"], "x": [2]}), tmp_path / "c.parquet")
    loaded = read([tmp_path / "a.jsonl", tmp_path / "b.csv", tmp_path / "c.parquet"])
    assert natural_format(loaded) == "jsonl"
    for out in ("jsonl", "csv", "parquet"):
        write_rows(tmp_path / f"kept.{out}", loaded, np.array([2, 0, 1]), {"rank": [1, 2, 3]})
    assert contents(tmp_path / "kept.jsonl") == [
        {"id": "c", "x": 2, "rank": 1},
        {"id": "a", "x": 1, "rank": 2},
        {"id": "b", "y": "z", "rank": 3},
    ]
    assert contents(tmp_path / "kept.csv")[2] == {"id": "b", "x": "", "y": "z", "rank": "3"}
    assert contents(tmp_path / "kept.parquet")[0] == {"id": "c", "x": 2, "y": None, "rank": 1}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("jsonl", "jsonl"),
        ("csv", "csv"),
        ("tsv.gz", "tsv"),
        ("parquet", "parquet"),
        ("arrow", "parquet"),
        ("frame", "parquet"),
    ],
)
def test_the_natural_format_is_that_of_the_input(tmp_path: Path, kind: str, ending: str) -> None:
    assert natural_format(read(make(tmp_path, kind))) == ending


@pytest.mark.parametrize("start", [*"=+-@\t\r\n\0＝＋－＠"])
def test_cells_that_a_spreadsheet_would_run_are_made_inert(tmp_path: Path, start: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps({"id": "a", start + "key": start + "cmd|' /C calc'!A0"}) + "\n")
    loaded = read(path)
    for out in ("csv", "tsv"):
        write_rows(
            tmp_path / f"x.{out}", loaded, np.array([0]), {"reason": [start + "SUM(1)"], "gain": [-0.5]}
        )
        (row,) = contents(tmp_path / f"x.{out}")
        assert row == {
            "id": "a",
            f"'{start}key": f"'{start}cmd|' /C calc'!A0",
            "reason": f"'{start}SUM(1)",
            "gain": "-0.5",
        }
    write_rows(tmp_path / "x.jsonl", loaded, np.array([0]), {})
    assert (tmp_path / "x.jsonl").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("number", ["-5", "+1.5", "-1e-5", "-.5"])
def test_negative_numbers_are_no_formulas(tmp_path: Path, number: str) -> None:
    path = tmp_path / "pool.csv"
    path.write_text(f"id,x\na,{number}\n")
    write_rows(tmp_path / "x.csv", read(path), np.array([0]), {})
    assert (tmp_path / "x.csv").read_text() == f"id,x\na,{number}\n"


@given(st.text(max_size=8))
@settings(deadline=None)
def test_no_cell_starts_a_formula(cell: str) -> None:
    made = inert(cell)
    assert made[-len(cell) :] == cell or not cell
    if made and made[0] in "=+-@\t\r\0":
        float(made)


def test_taken_names_get_a_prefix() -> None:
    assert added_names(["id", "rank", "shortlist_rank"], ["rank", "gain"]) == (
        "shortlist_shortlist_rank",
        "gain",
    )
    assert added_names([], ["a", "a"]) == ("a", "shortlist_a")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("kept.xls", "end the name in"), ("kept", "end the name in"), ("kept.parquet.gz", "leave .gz away")],
)
def test_an_output_of_no_known_format(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        write_rows(tmp_path / name, read(make(tmp_path, "jsonl")), np.array([0]), {})
    assert not (tmp_path / name).exists()


def test_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = read(make(tmp_path, "jsonl"))
    for format, check in {
        "": lambda b: json.loads(b.splitlines()[0])["id"] == "r1",
        "csv": lambda b: b.startswith(b"id,text"),
        "parquet": lambda b: pq.read_table(io.BytesIO(b)).num_rows == 1,
        "arrow": lambda b: pa.ipc.open_file(b).read_all().num_rows == 1,
    }.items():
        out = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdout", out)
        write_rows("-", loaded, np.array([1]), {"rank": [1]}, format=format)
        data: Any = out.buffer
        assert check(data.getvalue())
        assert not out.closed


def test_standard_input_is_kept_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b'{"id": "a", "x": 1.0}\n{"id": "b"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    loaded = read("-", work=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["input"]
    assert loaded.row_place(1) == "-, row 2"
    write_rows(tmp_path / "kept.jsonl", loaded, np.array([1, 0]), {})
    assert (tmp_path / "kept.jsonl").read_bytes() == b'{"id": "b"}\n{"id": "a", "x": 1.0}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    loaded = read("-")
    spool = loaded.sources.files[0].path
    assert spool is not None
    assert spool.exists()
    del loaded
    assert not spool.exists()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(StorageError, match="cannot keep a copy of the input"):
        read("-", work=tmp_path / "absent")


@pytest.mark.parametrize("kind", IN[:-1])
@pytest.mark.parametrize(
    "change", [lambda b: b[:-3], lambda b: b + b"{}\n", lambda b: b[::-1], None], ids=range(4)
)
def test_an_input_that_changed_is_not_written_from(
    tmp_path: Path, kind: str, change: Callable[[bytes], bytes] | None
) -> None:
    path = make(tmp_path, kind)
    loaded = read(path)
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match="run again"):
        write_rows(tmp_path / "kept.jsonl", loaded, np.array([0]), {})


def test_the_rejected_are_written_with_their_reasons(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b'{"id": "a"}\nb\xffd\n')
    write_rejected(tmp_path / "rejected.jsonl", read(path, drop_bad=True))
    (row,) = contents(tmp_path / "rejected.jsonl")
    assert row == {
        "file": str(path),
        "row": 2,
        "column": "",
        "reason": "byte 0xff at place 2 is not UTF-8",
        "raw": "b\\xffd",
    }


def test_the_disk_refuses(tmp_path: Path) -> None:
    loaded = read(make(tmp_path, "jsonl"))
    with pytest.raises(StorageError, match="cannot be written"):
        write_rows(tmp_path / "absent" / "kept.jsonl", loaded, np.array([0]), {})
    with pytest.raises(StorageError, match=r"No space left on device\); free some space"):
        write_rows("/dev/full", loaded, np.array([0]), {}, format="jsonl")
    for format in ("csv", "parquet", "arrow"):
        with pytest.raises(StorageError):
            write_rows("/dev/full", loaded, np.array([0]), {}, format=format)


def test_reading_what_was_written_gives_the_same_pool(tmp_path: Path) -> None:
    roles = Roles(id="id", text="text", score=("x",))
    loaded = read(make(tmp_path, "csv"), roles)
    for out in OUT:
        write_rows(tmp_path / f"kept.{out}", loaded, np.arange(9), {})
        again = read(tmp_path / f"kept.{out}", roles)
        assert [again.ids[i] for i in range(9)] == [loaded.ids[i] for i in range(9)]
        assert again.pool.columns["x"].values.tolist() == loaded.pool.columns["x"].values.tolist()  # type: ignore[attr-defined]
