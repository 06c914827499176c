"""Parquet, Arrow IPC and frames: the same rows from each, damage in a process of its own."""

from __future__ import annotations

import datetime
import io
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shortlist.core.errors import InputError, MemoryRefused
from shortlist.core.signals import Costs, Labels, Scores, Tags, Text, Vectors
from shortlist.store import columnar
from shortlist.store.read import read
from shortlist.store.roles import Roles
from shortlist.store.write import write_rows
from tests.store.mutator import mutant

ROLES = Roles(
    id="key", text="text", score=("s",), cost=("c",), group=("g",), tags=("t",), vector="v", holdout=("h",)
)


def table() -> pa.Table:
    return pa.table(
        {
            "key": pa.array([2**63 + 1, 2**64 - 1, 7], pa.uint64()),
            "text": ["one", None, "three"],
            "s": pa.array([0.5, None, -1], pa.float32()),
            "c": pa.array([1, 2, 3], pa.int16()),
            "g": pa.array(["x", "y", "x"]).dictionary_encode(),
            "t": [["a", "b"], [], None],
            "v": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float64(), 2)),
            "h": [True, False, None],
            "when": [datetime.datetime(2024, 1, 1)] * 3,
        }
    )


def write(t: pa.Table, path: Path, **options: Any) -> str:
    if path.suffix == ".parquet":
        pq.write_table(t, path, row_group_size=2, **options)
    else:
        new = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
        with new(path, t.schema) as w:
            w.write_table(t, max_chunksize=2)
    return str(path)


def check(data: Any) -> None:
    loaded = read(data, ROLES)
    pool = loaded.pool
    assert [loaded.ids[i] for i in range(3)] == ["9223372036854775809", "18446744073709551615", "7"]
    assert [pool.signal("text", Text)[i] for i in range(3)] == ["one", "", "three"]
    assert pool.signal("s", Scores).values.tolist() == [0.5, -1, -1]
    assert pool.signal("c", Costs).values.tolist() == [1, 2, 3]
    assert pool.signal("g", Labels).names == ("x", "y")
    assert pool.signal("t", Tags).indptr.tolist() == [0, 2, 2, 2]
    assert pool.signal("v", Vectors).values.tolist() == [[1, 2], [3, 4], [5, 6]]
    aside = loaded.set_aside["h"]
    assert isinstance(aside, Labels)
    assert aside.names == ("true", "false", "(missing)")
    assert set(pool.columns) == {"text", "s", "c", "g", "t", "v"}
    assert (loaded.read, loaded.rejected) == (3, ())


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
def test_files_of_tables(tmp_path: Path, ending: str) -> None:
    path = write(table(), tmp_path / f"pool.{ending}")
    check(path)
    assert read(path, ROLES).row_place(2) == f"{path}, row 3"


@pytest.mark.parametrize(
    "options", [{"version": "1.0"}, {"data_page_version": "2.0"}, {"compression": "gzip"}]
)
def test_parquet_of_every_age(tmp_path: Path, options: dict[str, Any]) -> None:
    t = table().set_column(0, "key", pa.array(["9223372036854775809", "18446744073709551615", "7"]))
    check(write(t, tmp_path / "pool.parquet", **options))


def test_the_wrong_ending_is_noted(tmp_path: Path) -> None:
    path = Path(write(table(), tmp_path / "pool.parquet")).rename(tmp_path / "pool.csv")
    loaded = read(path, ROLES)
    assert loaded.notes == (f"{path}: the content is parquet, whatever its name says",)


def test_frames_of_any_library() -> None:
    polars = pytest.importorskip("polars")
    check(table())
    check(table().to_batches()[0])
    check(table().to_reader())
    check(polars.from_arrow(table()))


def test_frames_of_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")
    t = table()
    con = duckdb.connect()
    check(con.from_arrow(t))


def test_a_frame_that_cannot_be_taken_over() -> None:
    class Broken:
        def __arrow_c_stream__(self, schema: object = None) -> object:
            raise RuntimeError("no\nmore")

    with pytest.raises(InputError, match=r"cannot be taken over as Arrow \(no\)"):
        read(Broken())


def test_a_frame_has_one_digest_however_it_is_cut() -> None:
    t = table()
    cut = pa.concat_tables([t.slice(0, 1), t.slice(1)])
    assert read(t, ROLES).digest == read(cut, ROLES).digest
    assert read(t.slice(1), ROLES).digest != read(t, ROLES).digest


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("role", ["score", "cost"])
def test_a_number_that_is_none_is_named(tmp_path: Path, bad: float, role: str) -> None:
    path = write(pa.table({"x": [1.0, 2.0, bad]}), tmp_path / "pool.parquet")
    roles = Roles(**{role: ("x",)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="row 3, column 'x'") as e:
        read(path, roles)
    assert e.value.fix
    loaded = read(path, roles, drop_bad=True)
    assert [(r.row, r.column) for r in loaded.rejected] == [(3, "x")]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1.0, 2], [3.0, 4], [1.0]], "row 3, column 'v': a vector of 1 numbers, the others have 2"),
        ([[1.0, 2], [3.0, 4], None], "row 3, column 'v': no vector"),
        ([[1.0, 2], [3.0, 4], []], "row 3, column 'v': a vector of 0 numbers"),
        ([[1.0, 2], [3.0, 4], [None, 1.0]], "row 3, column 'v': null inside a vector"),
        ([[1.0, 2], [3.0, 4], [float("nan"), 1]], "row 3, column 'v': NaN at place 1"),
        ([[1.0, 2], [3.0, 4], [0.0, 0]], "row 3, column 'v': a vector of zeros"),
        ([[1.0, 2], [3.0, 4], [1e39, 0]], "row 3, column 'v': infinity at place 1"),
        ([[1, 2], [3, 4], [2, 2**53 + 1, 5]], "row 3, column 'v': a vector of 3 numbers"),
    ],
)
@pytest.mark.parametrize("how", ["parquet", "jsonl", "frame"])
def test_a_vector_that_is_none_is_named(tmp_path: Path, values: list[Any], said: str, how: str) -> None:
    t = pa.table({"v": values})
    if how == "jsonl":
        import json

        path = tmp_path / "pool.jsonl"
        path.write_text("".join(json.dumps({"v": v}) + "\n" for v in values))
        if "NaN" in said:
            said = "row 3, column 'v': NaN is not JSON"
    data: Any = t if how == "frame" else path if how == "jsonl" else write(t, tmp_path / "pool.parquet")
    with pytest.raises(InputError, match=said) as e:
        read(data, Roles(vector="v"))
    assert e.value.fix
    loaded = read(data, Roles(vector="v"), drop_bad=True)
    assert (len(loaded.pool), [r.row for r in loaded.rejected]) == (2, [3])
    assert loaded.pool.signal("v", Vectors).values.tolist() == [[1, 2], [3, 4]]


def test_one_bad_vector_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(
        '{"v": [1, 2]}\n{"v": ["a", 1]}\n{"v": [3, 1e300]}\n{"v": {}}\n{"v": 5}\n{"v": [3, 4.5]}\n'
    )
    with pytest.raises(InputError, match=r"row 2, column 'v': no vector \(a string 'a', not a number\)"):
        read(path, Roles(vector="v"))
    loaded = read(path, Roles(vector="v"), drop_bad=True)
    assert [r.row for r in loaded.rejected] == [2, 3, 4, 5]
    assert loaded.pool.signal("v", Vectors).values.tolist() == [[1, 2], [3, 4.5]]


def test_columns_nobody_needs_are_not_read(tmp_path: Path) -> None:
    path = write(table(), tmp_path / "pool.parquet")
    told = Roles(id="key", text="", vector="", score=("s",), group=(), cost=(), tags=())
    loaded = read(path, told)
    assert set(loaded.pool.columns) == {"s"}
    assert loaded.ignored["v"] == loaded.ignored["when"] == "not read: no role needs it"


def test_decimals_are_numbers(tmp_path: Path) -> None:
    path = write(pa.table({"x": [Decimal("1.25"), None]}), tmp_path / "pool.parquet")
    assert read(path, Roles(score=("x",))).pool.signal("x", Scores).values.tolist() == [1.25, 1.25]


def test_files_may_differ_in_columns(tmp_path: Path) -> None:
    a = write(pa.table({"id": ["a"], "s": [1.0]}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text('{"id": "b", "g": "x"}\n')
    loaded = read([a, str(tmp_path / "b.jsonl")], Roles(score=("s",), group=("g",)))
    assert loaded.pool.signal("s", Scores).values.tolist() == [1, 1]
    assert loaded.pool.signal("g", Labels).names == ("(missing)", "x")
    assert [loaded.row_place(i)[-5:] for i in range(2)] == ["row 1", "row 1"]


def test_views_of_strings(tmp_path: Path) -> None:
    t = pa.table(
        {"id": pa.array(["a", "b"], pa.string_view()), "raw": pa.array([b"x", b"y"], pa.binary_view())}
    )
    path = write(t, tmp_path / "pool.arrow")
    loaded = read(path)
    assert loaded.ids[1] == "b"
    write_rows(tmp_path / "kept.parquet", loaded, np.array([1, 0]), {"rank": [1, 2]})
    assert pq.read_table(tmp_path / "kept.parquet").column("id").to_pylist() == ["b", "a"]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    t = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    with pytest.raises(InputError, match="column 'x': two columns have this name"):
        read(write(t, tmp_path / "pool.arrow"))


def test_more_rows_than_the_bytes_can_hold_are_refused_by_the_footer(tmp_path: Path) -> None:
    n = 3_000_000
    path = write_constant(tmp_path, n)
    with pytest.raises(InputError, match=r"the footer declares 3,000,000 rows, too many for the file's size"):
        read(path)


def write_constant(folder: Path, n: int) -> str:
    path = folder / "pool.parquet"
    pq.write_table(pa.table({"x": pa.array(np.zeros(n, np.int8))}), path, compression="zstd")
    return str(path)


def test_a_column_that_unpacks_past_the_limit_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    big = pa.table({"text": pa.array(["a" * 1_000_000] * 100)})
    pq.write_table(big, out, compression="zstd", use_dictionary=False)
    path = tmp_path / "bomb.parquet"
    path.write_bytes(out.getvalue())
    assert path.stat().st_size < 100_000
    with pytest.raises(MemoryRefused, match=r"bomb\.parquet"):
        read(path, memory=32 << 20)


# These damaged files made Arrow's decoder abort the process, or read where it must not.
@pytest.mark.parametrize(("seed", "kind"), [(7443, "parquet"), (11724, "parquet"), (12909, "parquet")])
def test_a_file_that_kills_its_decoder_is_a_line_of_text(tmp_path: Path, seed: int, kind: str) -> None:
    path = tmp_path / f"pool.{kind}"
    path.write_bytes(mutant(seed, kind).data)
    with pytest.raises(InputError, match="cannot be decoded as parquet"):
        read(path)


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("import os; os.abort()", InputError, "the decoder crashed: SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", InputError, "the decoder crashed: SIGSEGV"),
        ("import sys; sys.exit(3)", InputError, "the decoder crashed: exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", InputError, "takes too long"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", MemoryRefused, "the system ended it"),
        (
            "import sys; sys.stdin.readline(); print('no stream', flush=True); sys.exit(2)",
            InputError,
            "exit code",
        ),
    ],
)
def test_every_death_of_the_decoder_has_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, error: type[Exception], said: str
) -> None:
    fake = tmp_path / "decoder.py"
    fake.write_text("import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n" + script)
    monkeypatch.setattr(columnar, "_DECODER", fake)
    with pytest.raises(error, match=said):
        read(write(table(), tmp_path / "pool.parquet"))


def test_the_decoder_runs_out_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(columnar.__file__).with_name("decoder.py").read_text()
    slow = source.replace("    out = sys.stdout.buffer\n", "    while True:\n        pass\n", 1)
    slow = slow.replace('request["seconds"]', "0")
    assert slow.count("while True") == source.count("while True") + 1
    fake = tmp_path / "decoder.py"
    fake.write_text(slow)
    monkeypatch.setattr(columnar, "_DECODER", fake)
    with pytest.raises(InputError, match=f"takes too long|crashed: {signal.SIGKILL.name}"):
        read(write(table(), tmp_path / "pool.parquet"))


def test_one_decoder_serves_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    popen = columnar.subprocess.Popen

    def counted(*args: Any, **kwargs: Any) -> Any:
        started.append(args)
        return popen(*args, **kwargs)

    monkeypatch.setattr(columnar.subprocess, "Popen", counted)
    for i in range(3):
        write(pa.table({"id": [f"{i}"]}), tmp_path / f"{i}.parquet")
    loaded = read(str(tmp_path / "*.parquet"))
    assert [loaded.ids[i] for i in range(3)] == ["0", "1", "2"]
    assert len(started) == 1
