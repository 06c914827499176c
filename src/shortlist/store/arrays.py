"""Vectors in .npy and .npz files. The header is read here and compared with the file before any allocation;
objects (pickles) are refused, and a plain float32 file stays on disk, memory-mapped.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from shortlist.core.arrays import F32, I64
from shortlist.core.errors import InputError
from shortlist.store.limits import BLOCK, MAX_NPY_HEADER, need

#: Values checked or converted at a time.
_TILE = 1 << 21
# The header as the format's text defines it; anything else is refused unread.
_FIELDS = re.compile(
    r"\{\s*'descr'\s*:\s*(.{1,200}?)\s*,\s*'fortran_order'\s*:\s*(True|False)\s*,"
    r"\s*'shape'\s*:\s*\(([0-9, ]{0,60})\)\s*,?\s*\}"
)
_SAVE = "write it with numpy.save"
_NUMBERS = re.compile(r"'[<>=|]?[fiu][1248]'")


@dataclass(frozen=True, slots=True, eq=False)
class VectorFile:
    """values f32[m, d], on disk where it may be; bytes of the file; note: what was converted, or ''."""

    name: str
    path: Path
    values: F32
    note: str


@dataclass(frozen=True, slots=True)
class _Header:
    dtype: Any
    fortran: bool
    shape: tuple[int, int]
    offset: int

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * int(self.dtype.itemsize)


def open_vectors(told: str, memory: int) -> VectorFile:
    """Vectors of `emb.npy`, `emb.npz` (its only matrix) or `emb.npz:key`. Values are not yet checked.

    Raises:
        InputError: not an array file, pickled objects, a shape that its size belies, not a matrix.
        MemoryRefused: the array must be converted or unpacked and would not fit.
    """
    file, _, key = told.partition(".npz:")
    name = file + ".npz" if key else told
    try:
        with open(name, "rb") as f:
            magic = f.read(6)
            f.seek(0)
            if magic.startswith(b"PK"):
                return _zipped(name, f, key, memory)
            if magic != b"\x93NUMPY":
                raise InputError("is not a NumPy array file", file=name, fix=_SAVE)
            if key:
                raise InputError("is a single array, not an archive", file=name, fix=f"drop ':{key}'")
            return _plain(name, f, memory)
    except FileNotFoundError:
        raise InputError("no such file", file=name, fix="check the path") from None
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror or e})", file=name) from None


def bad_vectors(values: F32, rows: I64 | None = None) -> list[tuple[int, str]]:
    """(position, reason) of vectors that are not finite or have no direction; looked at in tiles."""
    n, d = values.shape
    bad: list[tuple[int, str]] = []
    step = max(1, _TILE // max(1, d))
    total = n if rows is None else len(rows)
    for a in range(0, total, step):
        tile = values[a : a + step] if rows is None else values[rows[a : a + step]]
        if d == 0:
            bad += [(a + i, "an empty vector") for i in range(len(tile))]
            continue
        high, low = tile.max(axis=1), tile.min(axis=1)
        with np.errstate(invalid="ignore"):
            ok = np.isfinite(high) & np.isfinite(low) & ((high != 0) | (low != 0))
        for i in np.flatnonzero(~ok).tolist():
            bad.append((a + i, _reason(tile[i])))
    return bad


def _reason(vector: F32) -> str:
    wrong = np.flatnonzero(~np.isfinite(vector))
    if not len(wrong):
        return "a vector of zeros has no direction"
    value = vector[wrong[0]]
    what = "NaN" if np.isnan(value) else "infinity" if value > 0 else "-infinity"
    return f"{what} at place {wrong[0] + 1} of the vector"


def _plain(name: str, f: IO[bytes], memory: int) -> VectorFile:
    size = f.seek(0, 2)
    f.seek(0)
    header = _header(name, f, size)
    n, d = header.shape
    order: Any = "F" if header.fortran else "C"
    if n * d == 0:
        return VectorFile(name, Path(name), np.zeros((n, d), np.float32), "")
    raw = np.memmap(name, header.dtype, "r", header.offset, header.shape, order)
    if header.dtype == np.dtype("<f4") and not header.fortran and header.dtype.isnative:
        return VectorFile(name, Path(name), raw.view(np.ndarray), "")
    need(name, n * d * 4, memory)
    return VectorFile(name, Path(name), *_converted(name, raw))


def _converted(name: str, raw: Any) -> tuple[F32, str]:
    """float32, C order, in tiles. What float32 cannot hold becomes infinite and is reported so."""
    n, d = raw.shape
    out = np.empty((n, d), np.float32)
    step = max(1, _TILE // d)
    for a in range(0, n, step):
        with np.errstate(over="ignore", invalid="ignore"):
            out[a : a + step] = raw[a : a + step]
    return out, f"{name}: {raw.dtype.name} was converted to float32"


def _zipped(name: str, f: IO[bytes], key: str, memory: int) -> VectorFile:
    try:
        with zipfile.ZipFile(f) as z:
            return _member(name, z, key, memory)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        KeyError,
    ) as e:
        text = str(e).splitlines()[0][:200] if str(e) else type(e).__name__
        raise InputError(
            f"the archive is damaged ({text})", file=name, fix="write it again with numpy.savez"
        ) from None


def _member(name: str, z: zipfile.ZipFile, key: str, memory: int) -> VectorFile:
    members = {i.filename.removesuffix(".npy"): i for i in z.infolist() if i.filename.endswith(".npy")}
    if not key and len(members) == 1:
        key = next(iter(members))  # whatever is wrong with it is better said than that it is no matrix
    if not key:
        matrices = [k for k, i in members.items() if _is_matrix(name, z, i)]
        if len(matrices) != 1:
            raise InputError(
                f"holds {len(matrices)} matrices" if members else "holds no arrays",
                file=name,
                fix=f"name one: {name}:KEY with KEY of {', '.join(sorted(members)[:8])}" if members else "",
            )
        key = matrices[0]
    if key not in members:
        raise InputError(f"no array {key!r}; it has {sorted(members)[:8]}", file=name)
    info = members[key]
    with z.open(info) as f:
        header = _header(name, f, info.file_size)
        n, d = header.shape
        need(name, header.nbytes + n * d * 4, memory)
        # Deflate shrinks at most 1032 times: a larger claim is a lie, told before anything is allocated.
        if info.file_size > 1040 * (info.compress_size + 64):
            raise InputError(
                f"{info.compress_size:,} bytes claim to unpack to {info.file_size:,}", file=name, column=key
            )
        data = bytearray(header.nbytes)
        view, got = memoryview(data), 0
        while got < len(data):
            block = f.read(min(BLOCK, len(data) - got))
            if not block:
                raise InputError("the array is cut short", file=name, column=key, fix="write it again")
            view[got : got + len(block)] = block
            got += len(block)
        if f.read(1):
            raise InputError("the array is longer than its header says", file=name, column=key)
    order: Any = "F" if header.fortran else "C"
    raw = np.frombuffer(data, header.dtype).reshape(header.shape, order=order)
    if raw.dtype == np.dtype("<f4") and raw.flags.c_contiguous:
        return VectorFile(key, Path(name), raw, "")
    values, note = _converted(f"{name}:{key}", raw)
    return VectorFile(key, Path(name), values, note)


def _is_matrix(name: str, z: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        with z.open(info) as f:
            _header(name, f, info.file_size)
    except InputError:
        return False
    return True


def _header(name: str, f: IO[bytes], size: int) -> _Header:
    """Parse and check an .npy header against the bytes that follow it."""
    start = f.read(12)
    if start[:6] != b"\x93NUMPY" or len(start) < 12 or start[6] not in (1, 2, 3):
        raise InputError("the .npy header is damaged", file=name, fix=_SAVE)
    wide = start[6] > 1
    length = int.from_bytes(start[8:12] if wide else start[8:10], "little")
    offset = (12 if wide else 10) + length
    if length > MAX_NPY_HEADER or offset > size:
        raise InputError(f"the .npy header claims {length:,} bytes", file=name, fix=_SAVE)
    text = (b"" if wide else start[10:]) + f.read(length - (0 if wide else 2))
    dtype, fortran, shape = _fields(name, text)
    if len(shape) != 2:
        raise InputError(f"has shape {shape}, a matrix (rows, dimensions) is needed", file=name)
    header = _Header(dtype, fortran, (shape[0], shape[1]), offset)
    if header.nbytes != size - offset:
        raise InputError(
            f"its header claims {header.nbytes:,} bytes of values, it has {size - offset:,}",
            file=name,
            fix="the file is cut short or damaged; write it again",
        )
    return header


def _fields(name: str, text: bytes) -> tuple[Any, bool, tuple[int, ...]]:
    found = _FIELDS.fullmatch(text.decode("latin1").strip())
    if not found:
        raise InputError("the .npy header is damaged", file=name, fix=_SAVE)
    descr, fortran, shape = found.groups()
    if "O" in descr:
        raise InputError(
            "holds Python objects, which are never unpickled", file=name, fix="save plain numbers"
        )
    if not _NUMBERS.fullmatch(descr):
        raise InputError(f"holds values of type {descr}, not numbers", file=name, fix="save float32")
    return (
        np.dtype(descr.strip("'")),
        fortran == "True",
        tuple(int(s) for s in shape.replace(" ", "").split(",") if s),
    )
