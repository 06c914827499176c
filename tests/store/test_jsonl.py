"""JSON lines: what is refused and how it is said, what survives exactly."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import InputError
from shortlist.core.signals import Scores, Text
from shortlist.store.jsonl import parse_line
from shortlist.store.read import read
from shortlist.store.roles import Roles


def put(folder: Path, data: bytes | str, name: str = "pool.jsonl") -> str:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


GOOD = '{"id": "a", "text": "one"}\n'

BAD = [
    ('{"id": "b", "id": "c"}', "the key 'id' occurs twice", "id"),
    ('{"x": {"y": 1, "y": 2}}', "the key 'y' occurs twice", "y"),
    ('{"id": "b", "s": NaN}', "NaN is not JSON", "s"),
    ('{"s": [1, {"t": -Infinity}]}', "-Infinity is not JSON", "s"),
    ('{"s": 1e999}', "the number 1e999 is too large", "s"),
    ('{"s": -1e+0400}', "too large", "s"),
    ('{"s": 1' + "0" * 400 + ".5}", "too large", "s"),
    ('{"a": 1} {"a": 2}', "more than one value on the line, from character 10", ""),
    ("[1, 2]", "the line is an array, not an object", ""),
    ('"text"', "the line is a string, not an object", ""),
    ("null", "the line is null, not an object", ""),
    ("12", "the line is a number, not an object", ""),
    ("true", "the line is a boolean, not an object", ""),
    ('{"a": ' + "[" * 100_000, "nested too deep", ""),
    ('{"a": "' + "\x01" + '"}', "not JSON: invalid control character", ""),
    ('{"a": 1', "not JSON: expecting ',' delimiter", ""),
    ("{'a': 1}", "not JSON: expecting property name", ""),
    ("hello", "no JSON value at character 1", ""),
    ('{"a": "\\ud8"}', "not JSON: invalid \\uXXXX escape", ""),
    ('{"a": ' + "9" * 5000 + "}", "not JSON we can hold", ""),
    ("\ufeff{}", "no JSON value at character 1", ""),
]


@pytest.mark.parametrize(("line", "reason", "column"), BAD, ids=range(len(BAD)))
def test_a_bad_line_is_refused_with_its_place_or_counted(
    tmp_path: Path, line: str, reason: str, column: str
) -> None:
    path = put(tmp_path, GOOD + "\n" + line + "\n" + '{"id": "z", "text": "two"}')
    with pytest.raises(InputError) as e:
        read(path)
    assert reason in str(e.value)
    assert (e.value.file, e.value.row, e.value.column) == (path, 3, column)
    assert e.value.fix
    assert "\n" not in str(e.value)
    loaded = read(path, drop_bad=True)
    assert [loaded.ids[i] for i in range(2)] == ["a", "z"]
    assert (loaded.read, loaded.filtered) == (3, 0)
    (bad,) = loaded.rejected
    assert (bad.file, bad.row, bad.column) == (path, 3, column)
    assert reason in bad.reason
    assert 0 < len(bad.raw) <= 200
    assert loaded.notes == (f"{path}: 1 blank lines are no rows",)


def test_bytes_that_are_not_utf8_are_named_by_line_and_place(tmp_path: Path) -> None:
    path = put(tmp_path, GOOD.encode() + b'{"id": "\xe9"}\n')
    with pytest.raises(InputError, match="row 2: byte 0xe9 at place 9 is not UTF-8; convert"):
        read(path)
    loaded = read(path, drop_bad=True)
    assert loaded.rejected[0].raw == '{"id": "\\xe9"}'
    assert len(loaded.pool) == 1


def test_white_space_bom_and_crlf_do_no_harm(tmp_path: Path) -> None:
    path = put(tmp_path, b'\xef\xbb\xbf{"id": "a"}\r\n  {"id": "b"} \t\r\n\r\n{"id": "c"}')
    loaded = read(path)
    assert [loaded.ids[i] for i in range(3)] == ["a", "b", "c"]
    assert [loaded.row_place(i) for i in range(3)] == [f"{path}, row {n}" for n in (1, 2, 4)]


def test_an_exponent_inside_text_is_no_number(tmp_path: Path) -> None:
    loaded = read(put(tmp_path, '{"id": "1e999", "text": "' + "9" * 400 + '"}'))
    assert loaded.ids[0] == "1e999"


def test_ids_are_exact(tmp_path: Path) -> None:
    ids = [
        2**53 + 1,
        2**63,
        18446744073709551621,
        -7,
        "1",
        1,
        "cafe\u0301",
        "caf\u00e9",
        "\ud800",
        "nul\0",
        "é" * 1000,
    ]
    path = put(tmp_path, "".join(json.dumps({"id": i}) + "\n" for i in ids))
    loaded = read(path)
    found = [loaded.ids[i] for i in range(len(ids))]
    # The string that reads as a number keeps its quotes beside numbers.
    assert found == [str(i) if not isinstance(i, str) else '"1"' if i == "1" else i for i in ids]
    assert [loaded.find(i) for i in found] == list(range(len(ids)))
    assert loaded.find("2") is None


@given(
    st.lists(
        st.one_of(
            st.integers(-(10**30), 10**30),
            st.integers(0, 3),
            st.text(min_size=1, max_size=4),
            st.sampled_from(["0", "1", "2", '"1"', "-1", "1.0", "01"]),
        ),
        max_size=12,
    )
)
@settings(deadline=None, max_examples=200)
def test_ids_never_merge_and_never_split(
    tmp_path_factory: pytest.TempPathFactory, ids: list[int | str]
) -> None:
    path = put(tmp_path_factory.mktemp("ids"), "".join(json.dumps({"id": i}) + "\n" for i in ids))
    keys = [json.dumps(i) for i in ids]
    # One string may look like another's quoted form; only then two different ids could collide, and that
    # is refused like any repeated id.
    if len(set(keys)) < len(keys):
        with pytest.raises(InputError, match="stands already in"):
            read(path)
        return
    if '"1"' in ids and "1" in ids:
        return
    loaded = read(path)
    assert len({loaded.ids[i] for i in range(len(ids))}) == len(ids)


def test_a_repeated_id_names_both_lines(tmp_path: Path) -> None:
    path = put(tmp_path, '{"id": "x"}\n{"id": "y"}\n{"id": "x"}\n{"id": "x"}\n')
    with pytest.raises(
        InputError, match=r"row 3, column 'id': the id 'x' stands already in .*pool.jsonl, row 1;"
    ):
        read(path)
    loaded = read(path, drop_bad=True)
    assert [r.row for r in loaded.rejected] == [3, 4]
    assert loaded.read == 4


@pytest.mark.parametrize("bad", ["null", '""', "[1]", "{}"])
def test_an_id_must_be_one(tmp_path: Path, bad: str) -> None:
    path = put(tmp_path, '{"id": "x"}\n{"id": ' + bad + "}\n")
    with pytest.raises(InputError, match="row 2, column 'id'"):
        read(path)
    assert len(read(path, drop_bad=True).pool) == 1


def test_without_ids_rows_are_numbered_over_all_files_and_bad_rows(tmp_path: Path) -> None:
    first = put(tmp_path, '{"a": 1}\nbad\n\n{"a": 2}\n', "1.jsonl")
    second = put(tmp_path, '{"a": 3}\n', "2.jsonl")
    loaded = read([first, second], drop_bad=True)
    assert [loaded.ids[i] for i in range(3)] == ["1", "3", "4"]
    assert [loaded.row_place(i) for i in range(3)] == [
        f"{first}, row 1",
        f"{first}, row 4",
        f"{second}, row 1",
    ]


def test_types_may_change_between_blocks_of_rows(tmp_path: Path) -> None:
    pad = "x" * 2000
    rows = [{"id": str(i), "text": pad, "score": i} for i in range(3000)]
    rows += [{"id": str(3000 + i), "text": pad, "score": i + 0.5, "late": "yes"} for i in range(3000)]
    loaded = read(
        put(tmp_path, "".join(json.dumps(r) + "\n" for r in rows)), Roles(group=("late",), score=("score",))
    )
    assert loaded.pool.signal("score", Scores).values[[2999, 3000]].tolist() == [2999.0, 0.5]
    info = next(s for s in loaded.signals if s.name == "late")
    assert (info.missing, info.coverage) == (3000, 0.5)


def test_surrogates_in_text_survive(tmp_path: Path) -> None:
    loaded = read(put(tmp_path, '{"text": "a \\ud83d b"}\n{"text": "plain"}\n'), Roles(text="text"))
    text = loaded.pool.signal("text", Text)
    assert [text[0], text[1]] == ["a \ud83d b", "plain"]


@pytest.mark.parametrize("compression", ["gz", "zst"])
@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_damaged_compression_is_refused(tmp_path: Path, compression: str, cut: float) -> None:
    rng = np.random.default_rng(0)
    text = "".join(json.dumps({"id": i, "text": str(rng.random())}) + "\n" for i in range(500)).encode()
    data = gzip.compress(text) if compression == "gz" else pa.compress(text, "zstd", asbytes=True)
    path = put(tmp_path, data, f"pool.jsonl.{compression}")
    assert read(path).read == 500
    put(tmp_path, data[: int(len(data) * cut)], f"pool.jsonl.{compression}")
    with pytest.raises(InputError, match=f"the {compression} compression is damaged"):
        read(path, drop_bad=True)


def test_many_members_of_gzip_are_one_file(tmp_path: Path) -> None:
    data = gzip.compress(b'{"id": 1}\n') + gzip.compress(b'{"id": 2}\n')
    assert read(put(tmp_path, data, "pool.jsonl.gz")).read == 2


def test_keys_that_are_mostly_absent_are_refused_before_they_cost_memory(tmp_path: Path) -> None:
    data = "".join(f'{{"k{i % 1500}": 1}}\n' for i in range(20_000))
    with pytest.raises(InputError, match="1,500 different keys, most of them absent"):
        read(put(tmp_path, data))


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than 2,000 columns"):
        read(put(tmp_path, json.dumps({f"k{i}": i for i in range(2001)})))


def test_a_file_of_another_kind_is_refused_before_its_bad_rows_fill_memory(tmp_path: Path) -> None:
    path = put(tmp_path, '{"id": 1}\n' + "x\n" * 100_001)
    with pytest.raises(InputError, match="more than 100,000 bad rows: this is no jsonl"):
        read(path, drop_bad=True)


@pytest.mark.parametrize("data", ["", "\n\n", "\ufeff"])
def test_no_rows_is_an_empty_pool(tmp_path: Path, data: str) -> None:
    loaded = read(put(tmp_path, data))
    assert (len(loaded.pool), loaded.read, len(loaded.ids)) == (0, 0, 0)


@pytest.mark.parametrize(
    "number", ["1e309", "1E+309", "1e00400", "9" * 309, "9" * 309 + ".0", "-" + "9" * 400 + "e5"]
)
@pytest.mark.parametrize("before", [0, 1, 100, 255, 256, 257, 300])
def test_no_number_reads_as_infinity_wherever_it_stands(tmp_path: Path, number: str, before: int) -> None:
    path = put(tmp_path, '{"x": "' + "-" * before + '", "deep": {"s": [' + number + "]}}")
    if number.strip("-").isdigit():  # a whole number is exact, however long
        assert read(path, Roles(text="x")).read == 1
        return
    with pytest.raises(InputError, match=r"row 1, column 'deep': the number .* is too large"):
        read(path)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30), st.integers(0, 600))
@settings(deadline=None)
def test_finite_numbers_are_never_refused(values: list[float], before: int) -> None:
    line = json.dumps({"pad": "x" * before, "v": values})
    assert parse_line(line) == json.loads(line)
    assert np.isfinite(np.array(parse_line(line)["v"])).all()
