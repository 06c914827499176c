"""Resumable stages: what a run has finished is kept beside its result until the result is whole.

Each stage is one `.npz` of plain arrays and one `.json` that names its checksum; the json is renamed into
place last, so a stage either is whole or is not there. A deterministic run fed its finished stages ends in
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.errors import StorageError, UsageError

Arrays = Mapping[str, np.ndarray]


class Stages:
    """Finished stages of one request, in a folder of their own.

    Args:
        folder: where they are kept; None keeps nothing.
        request: what was asked, JSON-able; a resume must ask the same.
        resume: use what is there; otherwise start afresh.
    """

    def __init__(self, folder: Path | None, request: Mapping[str, Any], *, resume: bool = False) -> None:
        self.folder = folder
        if folder is None:
            return
        asked = json.dumps(request, sort_keys=True, ensure_ascii=False)
        note = folder / "request.json"
        try:
            if resume and note.exists():
                self._must_match(note.read_text("utf-8"), asked)
                return
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _write(note, asked.encode())
        except OSError as e:
            raise StorageError(f"{folder}: cannot keep stages here: {e.strerror}") from e

    def _must_match(self, kept: str, asked: str) -> None:
        if kept == asked:
            return
        old, new = json.loads(kept), json.loads(asked)
        changed = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        raise UsageError(
            f"cannot resume: the stopped run asked something else ({', '.join(changed)} changed); "
            "repeat its command, or leave out --resume to start afresh"
        )

    def do(self, name: str, work: Callable[[], Arrays]) -> Arrays:
        """The arrays of stage `name`: kept ones if whole, else `work()`, kept before it returns."""
        if self.folder is None:
            return work()
        data, seal = self.folder / f"{name}.npz", self.folder / f"{name}.json"
        try:
            if data.exists() and seal.exists() and json.loads(seal.read_text())["sha256"] == _digest(data):
                with np.load(data, allow_pickle=False) as kept:
                    return {k: kept[k] for k in kept.files}
        except (OSError, ValueError, KeyError):
            pass  # a stage that cannot be read is done again
        arrays = work()
        try:
            part = data.with_suffix(".part")
            with part.open("wb") as f:
                np.savez(f, **arrays)  # type: ignore[arg-type]
                f.flush()
                os.fsync(f.fileno())
            os.replace(part, data)
            _write(seal, json.dumps({"sha256": _digest(data)}).encode())
        except OSError as e:
            raise StorageError(f"{data}: cannot keep a finished stage: {e.strerror}") from e
        return arrays

    def clear(self) -> None:
        """The result is whole: the stages are not needed any more."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as f:
        f.write(content)
        f.flush()
        os.fsync(f.fileno())
    os.replace(part, path)
