"""What the user names: globs, links, pipes, wrong endings, and what is never opened."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shortlist.core.errors import InputError, UsageError
from shortlist.store.read import read
from shortlist.store.write import write_rows

ROW = b'{"id": "%s"}\n'


def ids(data: object, **options: str) -> list[str]:
    loaded = read(data, **options)  # type: ignore[arg-type]
    return [loaded.ids[i] for i in range(len(loaded.pool))]


def test_globs_are_sorted_and_each_file_is_read_once(tmp_path: Path) -> None:
    for name in "cab":
        (tmp_path / f"{name}.jsonl").write_bytes(ROW % name.encode())
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "link.jsonl").symlink_to("a.jsonl")
    pattern = str(tmp_path / "*.jsonl")
    assert ids(pattern) == ["a", "b", "c"]
    assert ids([str(tmp_path / "c.jsonl"), pattern]) == ["c", "a", "b"]
    assert ids(tmp_path / "link.jsonl") == ["a"]
    assert read([pattern]).digest == read(pattern).digest


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1].jsonl").write_bytes(ROW % b"x")
    assert ids(str(tmp_path / "a[1].jsonl")) == ["x"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.jsonl", "no such file; check the path"),
        ("*.jsonl", "no file matches; check the pattern"),
        (".", "is a directory; name the files: .*jsonl"),
        ("https://example.org/pool.jsonl", "web addresses are never opened"),
        ("s3://bucket/pool.parquet", "web addresses are never opened"),
        ("a\0b", "a file name cannot hold a NUL"),
        ("/dev/null", "is not a file"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, name: str, reason: str) -> None:
    path = name if name.startswith(("/", "https:", "s3:")) else f"{tmp_path}/{name}"
    with pytest.raises(InputError, match=reason):
        read(path)


def test_nothing_was_named() -> None:
    with pytest.raises(InputError, match="no file was named"):
        read([])


def test_a_loop_of_links_and_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "loop")


def test_a_pipe_is_read_to_its_end_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def feed() -> None:
        path.write_bytes(ROW % b"a" + ROW % b"b")

    thread = threading.Thread(target=feed)
    thread.start()
    loaded = read(path)
    thread.join()
    assert loaded.read == 2
    write_rows(tmp_path / "kept.jsonl", loaded, np.array([1]), {})
    assert (tmp_path / "kept.jsonl").read_bytes() == ROW % b"b"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"FEA1....", "is feather of version 1"),
        (b"\x93NUMPY....", "is a NumPy array; name it with --vector"),
        (b"PK\x03\x04....", "is a zip archive"),
        (b"\xff\xfei\x00d\x00", "is UTF-16 text; convert it"),
        (b"\xfe\xff\x00i\x00d", "is UTF-16 text; convert it"),
        (b"PARE....", "is encrypted Parquet"),
        (b"SQLite format 3\x00", "is an SQLite database"),
    ],
)
@pytest.mark.parametrize("name", ["pool.csv", "pool.parquet", "pool"])
def test_files_of_another_world(tmp_path: Path, start: bytes, reason: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(start)
    with pytest.raises(InputError, match=reason):
        read(path)


@pytest.mark.parametrize("name", ["pool.parquet", "pool.arrow"])
def test_text_that_claims_to_be_a_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"id,text\n")
    with pytest.raises(InputError, match=f"is not {name[5:]}: its first bytes say otherwise"):
        read(tmp_path / name)


def test_an_array_of_objects_is_no_jsonl(tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_bytes(b'\n [{"id": 1}]')
    with pytest.raises(InputError, match=r"row 1: is one JSON array; .* jq -c"):
        read(tmp_path / "pool.json")


def test_the_content_decides_and_surprises_are_noted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(ROW % b"x")
    assert ids(tmp_path / "a.csv") == ["x"]
    assert "the content is jsonl, whatever its name says" in read(tmp_path / "a.csv").notes[0]
    (tmp_path / "b.jsonl").write_bytes(gzip.compress(ROW % b"x"))
    assert "the content is gz, whatever its name says" in read(tmp_path / "b.jsonl").notes[0]
    (tmp_path / "c.jsonl.gz").write_bytes(ROW % b"x")
    assert "the content is not compressed, whatever its name says" in read(tmp_path / "c.jsonl.gz").notes[0]
    (tmp_path / "d").write_bytes(b"id,text\nx,y\n")
    assert ids(tmp_path / "d") == ["x"]
    assert read(tmp_path / "d").notes == ()


def test_the_format_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_bytes(b"id\ta,b\nx\ty,z\n")
    assert read(tmp_path / "pool.txt", format="csv").sources.kinds == {"id\ta": "text", "b": "text"}
    assert read(tmp_path / "pool.txt", format="tsv").sources.kinds == {"id": "text", "a,b": "text"}
    with pytest.raises(InputError, match="cannot be decoded as parquet"):
        read(tmp_path / "pool.txt", format="parquet")
    with pytest.raises(UsageError, match="format 'xml' is not known; use one of jsonl, csv"):
        read(tmp_path / "pool.txt", format="xml")


@pytest.mark.parametrize("name", ["pool.parquet.gz", "pool.arrow.gz"])
def test_tables_inside_a_compressed_file(tmp_path: Path, name: str) -> None:
    head = b"PAR1" if "parquet" in name else b"ARROW1"
    (tmp_path / name).write_bytes(gzip.compress(head + b"x" * 100))
    with pytest.raises(InputError, match=r"unpack it; .* has compression of its own"):
        read(tmp_path / name)


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shortlist.store import load

    path = tmp_path / "pool.jsonl"
    path.write_bytes(ROW % b"x")
    whole = load.read_jsonl

    def and_write(*args: object, **options: object) -> object:
        rows = whole(*args, **options)  # type: ignore[arg-type]
        with path.open("ab") as f:
            f.write(ROW % b"y")
        return rows

    monkeypatch.setattr(load, "read_jsonl", and_write)
    with pytest.raises(InputError, match="was changed while it was read; read it again"):
        read(path)


def test_a_digest_is_of_the_bytes_in_order(tmp_path: Path) -> None:
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    a.write_bytes(ROW % b"x")
    b.write_bytes(ROW % b"y")
    assert read([a, b]).digest != read([b, a]).digest
    assert read([a, b]).bytes == 2 * len(ROW % b"x")
    (tmp_path / "ab.arrow").touch()
    with pa.ipc.new_file(tmp_path / "ab.arrow", pa.schema([("id", pa.string())])) as w:
        w.write_table(pa.table({"id": ["x"]}))
    assert len(read(tmp_path / "ab.arrow").digest) == 64
