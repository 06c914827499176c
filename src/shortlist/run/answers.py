"""The answer log: every paid answer, kept before it is used, so that a rerun pays nothing twice.

A file of records `[u32 length][u32 crc32][payload]`, payload = UTF-8 key, NUL, float32 numbers. A record cut
short by a crash is dropped at opening and asked again; a record whose checksum fails is refused by name.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.arrays import F32
from shortlist.core.errors import InputError, StorageError

_HEAD = struct.Struct("<II")


class AnswerLog:
    """Answers by (role, digest of the items), in the order they were asked; repeats are replayed in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, list[F32]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            end = self._load(path.read_bytes()) if path.exists() else 0
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._file.truncate(end)
            self._file.seek(end)
        except OSError as e:
            raise StorageError(f"{path}: cannot keep answers here: {e.strerror}") from e

    def _load(self, raw: bytes) -> int:
        at = 0
        while at + _HEAD.size <= len(raw):
            length, crc = _HEAD.unpack_from(raw, at)
            body = raw[at + _HEAD.size : at + _HEAD.size + length]
            if len(body) < length:
                break  # cut short by a crash: this answer was not used yet
            if zlib.crc32(body) != crc:
                raise InputError(
                    f"damaged at byte {at}: a kept answer does not match its checksum",
                    fix="delete the file to ask again",
                    file=str(self.path),
                )
            key, numbers = body.split(b"\0", 1)
            self._kept.setdefault(key.decode(), []).append(np.frombuffer(numbers, np.float32))
            at += _HEAD.size + length
        return at

    def replay(self, role: str, items: Any) -> F32 | None:
        """The next kept answer for these items f32[b], or None."""
        waiting = self._kept.get(_key(role, items))
        return waiting.pop(0) if waiting else None

    def keep(self, role: str, items: Any, answer: F32) -> None:
        """Append and flush to disk before returning."""
        body = _key(role, items).encode() + b"\0" + np.ascontiguousarray(answer, np.float32).tobytes()
        try:
            self._file.write(_HEAD.pack(len(body), zlib.crc32(body)) + body)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as e:
            raise StorageError(f"{self.path}: cannot keep an answer: {e.strerror}") from e

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _key(role: str, items: Any) -> str:
    if isinstance(items, np.ndarray):
        what = str((items.dtype.str, items.shape)).encode() + np.ascontiguousarray(items).tobytes()
    else:
        what = repr(list(items)).encode("utf-8", "surrogatepass")
    return f"{role}:{hashlib.sha256(what).hexdigest()}"
