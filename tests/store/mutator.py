"""Small valid inputs of every kind, and a seeded way to break them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

KINDS = (
    "jsonl",
    "jsonl.gz",
    "jsonl.zst",
    "csv",
    "csv.gz",
    "tsv",
    "parquet",
    "arrow",
    "arrows",
    "npy",
    "npz",
)
ROWS = 24


def table(rng: np.random.Generator) -> pa.Table:
    words = np.array(["alpha", "beta", "γάμμα", "delta", 'say "hi"', "a,b", "line\nbreak", "tab\there", ""])
    return pa.table(
        {
            "id": [f"row-{i}" for i in range(ROWS)],
            "text": [" ".join(rng.choice(words, 6)) for _ in range(ROWS)],
            "source": rng.choice(["web", "code", "math"], ROWS).tolist(),
            "score": [None if rng.random() < 0.1 else float(x) for x in rng.normal(size=ROWS)],
            "tokens": rng.integers(0, 500, ROWS).tolist(),
            "tags": [rng.choice(["x", "y", "z"], 2).tolist() for _ in range(ROWS)],
            "vec": rng.normal(size=(ROWS, 8)).astype(np.float32).tolist(),
        }
    )


def valid(kind: str, rng: np.random.Generator) -> bytes:
    """The bytes of a good file of this kind."""
    t = table(rng)
    head, _, compression = kind.partition(".")
    if head == "jsonl":
        return packed("".join(json.dumps(r) + "\n" for r in t.to_pylist()).encode(), compression)
    if head in ("csv", "tsv"):
        return packed(delimited(t, "," if head == "csv" else "\t"), compression)
    out = io.BytesIO()
    if head == "parquet":
        pq.write_table(
            t,
            out,
            compression=str(rng.choice(["none", "snappy", "zstd", "gzip"])),
            row_group_size=10,
            use_dictionary=bool(rng.integers(2)),
            data_page_version=str(rng.choice(["1.0", "2.0"])),
        )
    elif head in ("arrow", "arrows"):
        options = pa.ipc.IpcWriteOptions(compression=[None, "lz4", "zstd"][rng.integers(3)])
        new = pa.ipc.new_file if head == "arrow" else pa.ipc.new_stream
        with new(out, t.schema, options=options) as w:
            w.write_table(t, max_chunksize=10)
    elif head == "npy":
        np.save(out, rng.normal(size=(ROWS, 8)).astype([np.float16, np.float32, np.float64][rng.integers(3)]))
    else:
        save = np.savez_compressed if rng.integers(2) else np.savez
        save(out, vec=rng.normal(size=(ROWS, 8)).astype(np.float32))
    return out.getvalue()


def delimited(t: pa.Table, delimiter: str) -> bytes:
    import csv

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    names = [n for n in t.column_names if n != "vec"]
    writer.writerow(names)
    for row in t.to_pylist():
        writer.writerow([";".join(row[n]) if n == "tags" else row[n] for n in names])
    return out.getvalue().encode()


def packed(data: bytes, compression: str) -> bytes:
    if compression == "gz":
        return gzip.compress(data, mtime=0)
    return pa.compress(data, "zstd", asbytes=True) if compression == "zst" else data


@dataclass(frozen=True)
class Mutant:
    kind: str
    what: str
    data: bytes


WRONG = (
    *(b"null", b"NaN", b"-Infinity", b"1e999", b'""', b'"\\ud800"', b"[]", b"{}", b"[[[["),
    *(b"18446744073709551621", b"true", b"-0", b"\xff\xfe", b"\x00", b"\xef\xbb\xbf", b'"', b"'", b"\n"),
    *(b"\r", b"\t", b",", b";", b"{", b"}", b"9" * 5000, b"0.1.2", b"\xed\xa0\x80", b"\xc0\xaf"),
    *(b"=cmd()", b"\xe2\x80\xa8"),
)


def mutant(seed: int, kind: str = "") -> Mutant:
    """A broken file, the same for the same seed; of each kind in turn if none is named."""
    rng = np.random.default_rng(seed)
    kind = kind or KINDS[seed % len(KINDS)]
    data = valid(kind, rng)
    done = []
    # The text inside a compressed file is broken as often as the compression around it.
    inner = kind.endswith((".gz", ".zst")) and bool(rng.integers(2))
    if inner:
        data = gzip.decompress(data) if kind.endswith("gz") else zst_open(data)
    for _ in range(1 + int(rng.integers(3))):
        names = TEXT_BREAKS if inner or kind in ("jsonl", "csv", "tsv") else BINARY_BREAKS
        name = str(rng.choice(names))
        data = BREAKS[name](data, rng)
        done.append(name)
    if inner:
        data = packed(data, kind.partition(".")[2])
    return Mutant(kind, "+".join(done), data)


def zst_open(data: bytes) -> bytes:
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(len(data) + 1))]


def _flip(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        if out:
            out[int(rng.integers(len(out)))] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _splice(data: bytes, rng: np.random.Generator) -> bytes:
    a, b, c = sorted(int(x) for x in rng.integers(0, len(data) + 1, 3))
    return data[:b] + data[a:c] + data[b:]


def _delete(data: bytes, rng: np.random.Generator) -> bytes:
    a = int(rng.integers(len(data) + 1))
    return data[:a] + data[a + int(rng.integers(1, 40)) :]


def _wrong(data: bytes, rng: np.random.Generator) -> bytes:
    """A value of the wrong type in the place of some bytes, at a word boundary where there is one."""
    places = [i for i, byte in enumerate(data) if byte in b",:[{\t\n "]
    a = places[int(rng.integers(len(places)))] + 1 if places else int(rng.integers(len(data) + 1))
    return data[:a] + WRONG[int(rng.integers(len(WRONG)))] + data[a + int(rng.integers(0, 12)) :]


def _number(data: bytes, rng: np.random.Generator) -> bytes:
    """A length or offset field with an extreme value."""
    out = bytearray(data)
    size = int(rng.choice([1, 2, 4, 8]))
    if len(out) >= size:
        a = int(rng.integers(len(out) - size + 1))
        value = [b"\xff" * size, b"\x00" * size, b"\xff" * (size - 1) + b"\x7f"][int(rng.integers(3))]
        out[a : a + size] = value
    return bytes(out)


def _encode(data: bytes, rng: np.random.Generator) -> bytes:
    text = data.decode("latin1")
    return text.encode(str(rng.choice(["utf-16", "utf-8", "utf-8-sig", "utf-32"])))


def _archive(data: bytes, rng: np.random.Generator) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("data.bin", data)
    return out.getvalue() if rng.integers(2) else gzip.compress(data)


BREAKS = {
    "cut": _cut,
    "flip": _flip,
    "splice": _splice,
    "delete": _delete,
    "wrong": _wrong,
    "number": _number,
    "encode": _encode,
    "archive": _archive,
}

TEXT_BREAKS = ("cut", "flip", "splice", "delete", "wrong", "wrong", "wrong", "number", "encode", "archive")
BINARY_BREAKS = ("cut", *("flip",) * 4, "splice", "delete", *("number",) * 4, "encode", "archive")
