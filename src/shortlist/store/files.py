"""From what the user named to open files: globs, stdin, format and compression by what the bytes say."""

from __future__ import annotations

import glob
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import IO

from shortlist.core.errors import InputError, StorageError, UsageError
from shortlist.store.limits import BLOCK
from shortlist.store.loaded import Source
from shortlist.store.stream import open_text

FORMATS = ("jsonl", "csv", "tsv", "parquet", "arrow")
_BY_ENDING = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow",
}
_COMPRESSED = {".gz": "gz", ".zst": "zst"}


def named_format(name: str) -> tuple[str, str]:
    """(format, compression) that a file name announces; '' where it says nothing."""
    stem, ending = os.path.splitext(name.lower())
    compression = _COMPRESSED.get(ending, "")
    if compression:
        ending = os.path.splitext(stem)[1]
    return _BY_ENDING.get(ending, ""), compression


def expand(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """Names of the files meant, globs sorted and replaced by what they match; each file once.

    Raises:
        InputError: nothing matches, or a directory or a web address is named.
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    names: dict[str, str] = {}
    for name in (os.fspath(p) for p in several):
        if "://" in name:
            raise InputError(
                "web addresses are never opened", file=name, fix="download the file and name the copy"
            )
        if "\0" in name:
            raise InputError("a file name cannot hold a NUL", file=name.replace("\0", "\\0"))
        found = [name]
        if name != "-" and not os.path.lexists(name) and glob.has_magic(name):
            found = sorted(f for f in glob.glob(name, recursive=True) if not os.path.isdir(f))
            if not found:
                raise InputError("no file matches", file=name, fix="check the pattern")
        for f in found:
            names.setdefault(f if f == "-" else os.path.realpath(f), f)
    if not names:
        raise InputError("no file was named", fix="name at least one, or - for standard input")
    return list(names.values())


def locate(name: str, format: str, work: Path | None) -> tuple[Source, list[str]]:
    """The source behind a name, with its real format, and notes about surprises.

    Standard input and pipes are spooled to a temporary file in `work`, because rows are read twice: once
    to choose, once to write them back unchanged.

    Raises:
        InputError: no such file, unreadable, or of no known format.
    """
    if format and format not in FORMATS:
        raise UsageError(f"format {format!r} is not known; use one of {', '.join(FORMATS)}")
    source = _regular(name, work)
    assert source.path is not None
    try:
        with open(source.path, "rb") as f:
            start = f.read(512)
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror})", file=name) from None
    told, told_compression = named_format(name)
    notes = []
    compression = _compression(start)
    if compression != told_compression and name != "-":
        found = compression or "not compressed"
        notes.append(f"{name}: the content is {found}, whatever its name says")
    source = replace(source, compression=compression)
    if compression:
        with open_text(source) as stream:
            start = stream.read(512)
    actual = format or _sniff(start, told, name)
    if told and actual != told and not format:
        notes.append(f"{name}: the content is {actual}, whatever its name says")
    if compression and actual in ("parquet", "arrow"):
        raise InputError(
            f"{actual} inside {compression}", file=name, fix=f"unpack it; {actual} has compression of its own"
        )
    return replace(source, format=actual), notes


def stamp_of(path: Path) -> tuple[int, int]:
    """(size, mtime in ns): changes when a file is written to."""
    s = os.stat(path)
    return s.st_size, s.st_mtime_ns


def is_unchanged(source: Source) -> bool:
    """Whether the file is still there as it was read."""
    assert source.path is not None
    try:
        return stamp_of(source.path) == source.stamp
    except OSError:
        return False


def _regular(name: str, work: Path | None) -> Source:
    if name == "-":
        return _spool(name, sys.stdin.buffer, work)
    try:
        mode = os.stat(name).st_mode
    except OSError as e:
        raise InputError(
            "no such file" if isinstance(e, FileNotFoundError) else f"cannot be read ({e.strerror})",
            file=name,
            fix="check the path",
        ) from None
    if stat.S_ISFIFO(mode):
        with open(name, "rb") as f:
            return _spool(name, f, work)
    if stat.S_ISDIR(mode):
        raise InputError("is a directory", file=name, fix=f"name the files: {name.rstrip('/')}/*.jsonl")
    if not stat.S_ISREG(mode):
        raise InputError("is not a file", file=name, fix="name a file, or - for standard input")
    path = Path(name)
    return Source(name=name, path=path, format="", stamp=stamp_of(path))


def _spool(name: str, stream: IO[bytes], work: Path | None) -> Source:
    try:
        # In a folder of the caller's the copy is the caller's to remove; elsewhere it lives with the Source.
        spool: IO[bytes] = (
            tempfile.NamedTemporaryFile(prefix="shortlist-")  # noqa: SIM115
            if work is None
            else (work / "input").open("xb")
        )
        while block := stream.read(BLOCK):
            spool.write(block)
        spool.flush()
        if work is not None:
            spool.close()
    except OSError as e:
        raise StorageError(f"{name}: cannot keep a copy of the input: {e}") from None
    path = Path(spool.name)
    return Source(
        name=name, path=path, format="", stamp=stamp_of(path), handle=spool if work is None else None
    )


def _compression(start: bytes) -> str:
    if start.startswith(b"\x1f\x8b"):
        return "gz"
    return "zst" if start.startswith(b"\x28\xb5\x2f\xfd") else ""


def _sniff(start: bytes, told: str, name: str) -> str:
    """The format by its first bytes; the name decides only between kinds of text."""
    for magic, format in ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow")):
        if start.startswith(magic):
            return format
    for magic, what, fix in (
        (b"FEA1", "feather of version 1", "write it again with a current Arrow"),
        (b"\x93NUMPY", "a NumPy array", "name it with --vector beside a table"),
        (b"PK\x03\x04", "a zip archive", "unpack it; vectors (.npz) go with --vector"),
        (b"\xff\xfe", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"),
        (b"\xfe\xff", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"),
        (b"PARE", "encrypted Parquet", "decrypt it first"),
        (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    ):
        if start.startswith(magic):
            raise InputError(f"is {what}", file=name, fix=fix)
    if told in ("parquet", "arrow"):
        raise InputError(f"is not {told}: its first bytes say otherwise", file=name, fix="write it again")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return told or "jsonl"
    if text.startswith(b"{"):
        return "jsonl"
    if told == "jsonl" and text.startswith(b"["):
        raise InputError(
            "is one JSON array", file=name, row=1, fix="write one object per line: jq -c '.[]' in.json"
        )
    if told:
        return told
    if b"\0" in text:
        raise InputError(
            "is of no known format", file=name, fix=f"name its format: --format {'|'.join(FORMATS)}"
        )
    head = text.split(b"\n", 1)[0]
    return "tsv" if head.count(b"\t") > head.count(b",") else "csv"
