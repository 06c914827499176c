"""Hostile sizes: refused before they are allocated. Each case runs in a process of its own, measured."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shortlist.core.errors import MemoryRefused
from shortlist.store import limits
from shortlist.store.read import read

MIB = 1 << 20

SCRIPT = """
import json, resource, sys, time
from shortlist.core.errors import ShortlistError
from shortlist.store import load  # its imports are not what is measured
from shortlist.store.read import read
from shortlist.store.roles import Roles
args = json.loads(sys.argv[1])
began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    loaded = read(args["data"], Roles(**args["roles"]), drop_bad=True)
    said = f"read {loaded.read}, rejected {len(loaded.rejected)}"
except ShortlistError as e:
    said = f"{type(e).__name__}: {e}"
seconds = time.perf_counter() - began
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"said": said, "seconds": seconds, "grown": grown, "child": children}))
"""


def measure(data: Path, **roles: str) -> dict[str, float | str]:
    """What was said, seconds, and KiB of memory that this process and its decoder took."""
    command = [sys.executable, "-c", SCRIPT, json.dumps({"data": str(data), "roles": roles})]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float | str] = json.loads(out.stdout)
    return found


def npy_header_bomb(folder: Path) -> Path:
    path = folder / "x.npy"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 4_000_000_000) + b"{" * 100)
    return path


def npy_shape_bomb(folder: Path) -> Path:
    path = folder / "x.npy"
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1), }\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
    return path


def npz_bomb(folder: Path) -> Path:
    """A KB that claims to unpack to 4 GB: the directory says so, the data are not even there."""
    path = folder / "x.npz"
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1), }\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as z:
        z.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + b"\0" * MIB)
    data = bytearray(path.read_bytes())
    size = struct.pack("<I", 4_000_000_000 + 10 + len(head))
    at = data.find(b"PK\x01\x02") + 24
    data[at : at + 4] = size
    path.write_bytes(bytes(data))
    return path


def deep_json(folder: Path) -> Path:
    path = folder / "x.jsonl"
    path.write_text('{"a": ' * 100_000 + "\n" + "[" * 100_000)
    return path


def long_line(folder: Path) -> Path:
    path = folder / "x.jsonl"
    with open(path, "wb") as f:
        f.write(b'{"a": "')
        f.truncate(1 << 30)  # a hole: a line of NULs that takes no disk
    return path


def long_cell(folder: Path) -> Path:
    path = folder / "x.csv"
    with open(path, "wb") as f:
        f.write(b'a,b\n"')
        f.truncate(1 << 30)
    return path


def gzip_bomb(folder: Path) -> Path:
    path = folder / "x.jsonl.gz"
    with gzip.open(path, "wb", 9) as f:
        for _ in range(100):
            f.write((b'{"a": "' + b"x" * 1000 + b'"}\n') * (MIB // 1010))
    return path


def zstd_bomb(folder: Path) -> Path:
    path = folder / "x.csv.zst"
    with pa.CompressedOutputStream(str(path), "zstd") as f:
        f.write(b"a\n")
        for _ in range(100):
            f.write((b"x" * 1000 + b"\n") * (MIB // 1001))
    return path


def parquet_rows(folder: Path) -> Path:
    """60 million rows in a few KB: the run-length encoding of one value."""
    path = folder / "x.parquet"
    t = pa.table({"x": pa.array(np.zeros(1_000_000, np.int8))})
    with pq.ParquetWriter(path, t.schema) as w:
        for _ in range(60):
            w.write_table(t, row_group_size=1_000_000)
    return path


CASES: list[tuple[Callable[[Path], Path], str, float]] = [
    (npy_header_bomb, "header claims 4,000,000,000 bytes", 1),
    (npy_shape_bomb, "claims 4,000,000,000,000 bytes of values", 1),
    (npz_bomb, "bytes claim to unpack to 4,000,000,0", 1),
    (deep_json, "read 2, rejected 2", 1),
    (long_line, "a line is longer than 32 MiB", 1),
    (long_cell, "a line is longer than 32 MiB", 1),
    (gzip_bomb, "grow past 64 MiB", 2),
    (zstd_bomb, "grow past 64 MiB", 2),
    (parquet_rows, "declares 60,000,000 rows", 2),
]


@pytest.mark.parametrize(("make", "said", "seconds"), CASES, ids=[c[0].__name__ for c in CASES])
def test_hostile_sizes(tmp_path: Path, make: Callable[[Path], Path], said: str, seconds: float) -> None:
    path = make(tmp_path)
    if path.suffix in (".npy", ".npz"):
        table = tmp_path / "pool.jsonl"
        table.write_text('{"id": 1}\n')
        found = measure(table, vector=str(path))
    else:
        found = measure(path)
    assert said in str(found["said"])
    assert float(found["seconds"]) < 4 * seconds, found  # the figure is for an idle machine
    size = min(path.stat().st_size, limits.MAX_LINE) / 1024
    assert float(found["grown"]) < 2 * size + 256 * 1024, found
    assert float(found["child"]) < 512 * 1024, found


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv", "x.tsv", "x.parquet", "x.arrow"])
def test_more_than_the_memory_allows_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = np.random.default_rng(0).integers(0, 1 << 60, 60_000).astype(str).tolist()
    t = pa.table({"text": text})
    if name.endswith("parquet"):
        pq.write_table(t, path)
    elif name.endswith("arrow"):
        with pa.ipc.new_file(path, t.schema) as w:
            w.write_table(t, max_chunksize=1000)
    else:
        lines = [f'{{"text": "{v}"}}\n' if "jsonl" in name else f"{v}\n" for v in text]
        data = "".join(["" if "jsonl" in name else "text\n", *lines]).encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert read(path, memory=64 * MIB).read == 60_000
    with pytest.raises(MemoryRefused, match=f"{name} needs about .* the limit is 1 MiB"):
        read(path, memory=MIB)
