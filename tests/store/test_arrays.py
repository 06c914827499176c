"""Vectors in .npy and .npz files: headers that lie, values that are none, pickles that never run."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shortlist.core.errors import InputError, MemoryRefused
from shortlist.core.signals import Vectors
from shortlist.store.arrays import open_vectors
from shortlist.store.read import read
from shortlist.store.roles import Roles

GIB = 1 << 30


def put(folder: Path, data: bytes, name: str = "emb.npy") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def npy(array: np.ndarray, **kwargs: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **kwargs)
    return out.getvalue()


def header(descr: str = "'<f4'", fortran: str = "False", shape: str = "(2, 3)", version: int = 1) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text


def table(folder: Path, n: int) -> str:
    path = folder / "pool.jsonl"
    path.write_text("".join(f'{{"id": "r{i}"}}\n' for i in range(n)))
    return str(path)


def test_float32_stays_on_disk(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.float32).reshape(4, 3) + 1
    path = put(tmp_path, npy(x))
    loaded = read(table(tmp_path, 4), Roles(vector=path))
    values = loaded.pool.signal("emb", Vectors).values
    assert np.array_equal(values, x)
    assert not values.flags.writeable
    assert isinstance(values.base, np.memmap)
    (info,) = loaded.signals
    assert (info.name, info.role, info.origin) == ("emb", "vector", "told")
    assert loaded.bytes == Path(path).stat().st_size + (tmp_path / "pool.jsonl").stat().st_size


@pytest.mark.parametrize("dtype", ["<f2", "<f8", ">f4", ">f8", "<i1", "<u2", "<i4", "<i8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("archive", [False, True])
def test_other_numbers_are_converted_and_it_is_said(
    tmp_path: Path, dtype: str, order: Any, archive: bool
) -> None:
    x = np.asarray(np.arange(12).reshape(4, 3) + 1, dtype, order=order)
    if archive:
        path = put(tmp_path, archive_of(a=x), "emb.npz")
    else:
        path = put(tmp_path, npy(x))
    loaded = read(table(tmp_path, 4), Roles(vector=path))
    signal = loaded.pool.signal(loaded.named("vector")[0], Vectors)
    assert np.array_equal(signal.values, x.astype(np.float32))
    assert signal.values.dtype == np.float32
    assert any(f"{x.dtype.name} was converted to float32" in note for note in loaded.notes)


def archive_of(*, deflate: bool = True, **arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if deflate else np.savez)(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_of_the_header(tmp_path: Path, version: int) -> None:
    path = put(tmp_path, header(version=version) + np.ones(6, np.float32).tobytes())
    assert np.array_equal(open_vectors(path, GIB).values, np.ones((2, 3), np.float32))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not a NumPy array file"),
        (b"\x93NUMPY", "the .npy header is damaged"),
        (b"\x93NUMPY\x04\x00" + b"\x00" * 20, "the .npy header is damaged"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 4_000_000_000) + b"{}" * 50, "claims 4,000,000,000 bytes"),
        (
            header(shape="(1000000000000, 1)") + b"\0" * 8,
            "claims 4,000,000,000,000 bytes of values, it has 8",
        ),
        (header(shape="(" + "9" * 50 + ", 1)"), "bytes of values, it has 0"),
        (header(shape="(2, 3)") + b"\0" * 23, "claims 24 bytes of values, it has 23"),
        (header(shape="(2, 3)") + b"\0" * 25, "claims 24 bytes of values, it has 25"),
        (header(shape="(6,)") + b"\0" * 24, r"has shape \(6,\), a matrix"),
        (header(shape="()") + b"\0" * 4, r"has shape \(\), a matrix"),
        (header(shape="(1, 2, 3)") + b"\0" * 24, "a matrix"),
        (header(shape="(-1, 3)"), "the .npy header is damaged"),
        (header(shape="(2, 3" + " " * 5000 + ")"), "header claims"),
        (header(descr="'|O'"), "Python objects, which are never unpickled"),
        (header(descr="'<U3'") + b"\0" * 72, "holds values of type '<U3', not numbers"),
        (header(descr="'<c8'") + b"\0" * 48, "not numbers"),
        (header(descr="[('x', '<f4')]") + b"\0" * 24, "not numbers"),
        (header(descr="__import__('os').system('false')"), "not numbers"),
        (header(fortran="1"), "the .npy header is damaged"),
    ],
)
def test_a_header_that_lies_is_refused_before_allocation(tmp_path: Path, data: bytes, reason: str) -> None:
    for name, body in (("emb.npy", data), ("emb.npz", zipped({"vec.npy": data}))):
        path = put(tmp_path, body, name)
        with pytest.raises(InputError, match=reason if name == "emb.npy" else None) as e:
            open_vectors(path + (":vec" if name == "emb.npz" else ""), GIB)
        assert e.value.file == path


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        for name, data in members.items():
            z.writestr(name, data)
    return out.getvalue()


def test_the_key_of_an_archive(tmp_path: Path) -> None:
    x, y = np.ones((2, 3), np.float32), np.full((2, 3), 2, np.float32)
    labels = np.array([1, 2])
    one = put(tmp_path, archive_of(a=x, labels=labels), "one.npz")
    two = put(tmp_path, archive_of(a=x, b=y, deflate=False), "two.npz")
    assert np.array_equal(open_vectors(one, GIB).values, x)
    assert np.array_equal(open_vectors(two + ":b", GIB).values, y)
    with pytest.raises(InputError, match=r"holds 2 matrices; name one: .*two.npz:KEY with KEY of a, b"):
        open_vectors(two, GIB)
    with pytest.raises(InputError, match=r"no array 'c'; it has \['a', 'b'\]"):
        open_vectors(two + ":c", GIB)
    with pytest.raises(InputError, match="holds no arrays"):
        open_vectors(put(tmp_path, zipped({"x.txt": b"hi"}), "none.npz"), GIB)
    with pytest.raises(InputError, match="is a single array, not an archive"):
        open_vectors(put(tmp_path, npy(x), "flat.npz") + ":a", GIB)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    n = 40_000_000
    data = header(shape=f"({n}, 1)") + b"\0" * (4 * n)
    path = put(tmp_path, zipped({"vec.npy": data}), "bomb.npz")
    assert Path(path).stat().st_size < 400_000
    with pytest.raises(MemoryRefused, match=r"bomb.npz needs about 305 MiB, the limit is 100 MiB"):
        open_vectors(path, 100 << 20)


def test_an_archive_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"vec.npy": header(shape="(100000000, 1)") + b"\0" * 400}))
    for field in (data.find(b"PK\x01\x02") + 24, data.find(b"PK\x03\x04") + 22):
        data[field : field + 4] = struct.pack("<I", 400_000_000 + len(header(shape="(100000000, 1)")))
    with pytest.raises(InputError, match="bytes claim to unpack to"):
        open_vectors(put(tmp_path, bytes(data), "lie.npz") + ":vec", 8 * GIB)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("at", [0, 7])
def test_a_vector_that_is_none_is_named(tmp_path: Path, bad: float, dtype: Any, at: int) -> None:
    x = np.ones((8, 3), dtype)
    x[at, 1:] = bad
    x[at, 0] = 0 if bad == 0 else 1
    path = put(tmp_path, npy(x))
    said = {"nan": "NaN at place 2", "inf": "infinity at place 2", "-inf": "-infinity at place 2"}
    with pytest.raises(InputError, match=said.get(str(bad), "a vector of zeros has no direction")) as e:
        read(table(tmp_path, 8), Roles(vector=path))
    assert (e.value.row, e.value.column) == (at + 1, "emb")
    loaded = read(table(tmp_path, 8), Roles(vector=path), drop_bad=True)
    assert [r.row for r in loaded.rejected] == [at + 1]
    assert (len(loaded.pool), loaded.read) == (7, 8)
    assert len(loaded.pool.signal("emb", Vectors)) == 7


def test_what_float32_cannot_hold_is_infinite_and_named(tmp_path: Path) -> None:
    x = np.ones((2, 2))
    x[1, 0] = 1e39
    with pytest.raises(InputError, match="row 2, column 'emb': infinity at place 1"):
        read(table(tmp_path, 2), Roles(vector=put(tmp_path, npy(x))))


def test_vectors_must_be_one_a_row_of_the_file_bad_rows_included(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text('{"id": 1}\nbad\n\n{"id": 3}\n')
    x = np.array([[1, 1], [2, 2], [3, 3]], np.float32)
    path = put(tmp_path, npy(x))
    loaded = read(str(tmp_path / "pool.jsonl"), Roles(vector=path), drop_bad=True)
    assert loaded.pool.signal("emb", Vectors).values[:, 0].tolist() == [1, 3]
    with pytest.raises(InputError, match="3 vectors for 4 rows"):
        read(table(tmp_path, 4), Roles(vector=path))


def test_an_empty_matrix_is_for_an_empty_pool(tmp_path: Path) -> None:
    path = put(tmp_path, npy(np.zeros((0, 4), np.float32)))
    loaded = read(table(tmp_path, 0), Roles(vector=path))
    assert loaded.pool.signal("emb", Vectors).values.shape == (0, 4)
    wide = put(tmp_path, npy(np.zeros((3, 0), np.float32)))
    with pytest.raises(InputError, match="an empty vector"):
        read(table(tmp_path, 3), Roles(vector=wide))


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("seed", range(20))
def test_pickles_never_run(tmp_path: Path, seed: int) -> None:
    """200 payloads, ten a seed: in the array, in its header, as the whole file, inside archives."""
    rng = np.random.default_rng(seed)
    proof = tmp_path / "executed"
    payload = pickle.dumps(Bomb(proof), protocol=int(rng.integers(6)))
    pickle.loads(payload)
    assert proof.exists()
    proof.unlink()
    objects = np.empty(2, object)
    objects[:] = [Bomb(proof), 1]
    planted = [
        npy(objects, allow_pickle=True),
        npy(objects.reshape(1, 2), allow_pickle=True),
        payload,
        header(descr="'|O'", shape="(1, 1)") + payload,
        header(shape=f"(1, {len(payload) // 4})") + payload,
    ]
    payloads = [("emb.npy", p, "") for p in planted]
    payloads += [
        ("emb.npz", zipped({"vec.npy": p}), key) for p, key in zip(planted, ["", ":vec"] * 3, strict=False)
    ]
    for name, data, key in payloads:
        path = put(tmp_path, data, name) + key
        for drop in (False, True):
            with contextlib.suppress(InputError):
                read(table(tmp_path, 1), Roles(vector=path), drop_bad=drop)
    for format in ("jsonl", "csv", "parquet", "arrow")[: 4 if seed == 0 else 2]:
        with pytest.raises(InputError):
            read(put(tmp_path, payload + b"\n", "x.bin"), Roles(score=("s",)), format=format)
    assert not proof.exists()


@pytest.mark.parametrize(("name", "reason"), [("absent.npy", "no such file"), (".", "cannot be read")])
def test_a_file_that_is_not_there(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        open_vectors(str(tmp_path / name), GIB)
