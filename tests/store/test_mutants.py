"""Seeded broken files of every kind: never a traceback, never a hang, never a row that goes unsaid."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from shortlist.core.errors import ShortlistError
from shortlist.store.loaded import Loaded
from shortlist.store.read import read
from shortlist.store.roles import Roles
from shortlist.store.write import write_rows
from tests.store.mutator import KINDS, ROWS, Mutant, mutant, valid

HANG = 10.0


def load_mutant(folder: Path, m: Mutant, drop_bad: bool) -> Loaded:
    path = folder / f"pool.{m.kind}"
    path.write_bytes(m.data)
    if m.kind in ("npy", "npz"):
        table = folder / "base.jsonl"
        if not table.exists():
            table.write_text("".join(f'{{"id": {i}}}\n' for i in range(ROWS)))
        return read(table, Roles(vector=str(path)), drop_bad=drop_bad)
    return read(path, drop_bad=drop_bad)


def check(folder: Path, seed: int) -> str:
    """Read one broken file both ways. What came of it: its kind and 'read', 'partly' or 'refused'."""
    m = mutant(seed)
    about = f"seed {seed}: {m.kind}, {m.what}"
    refusal = ""
    outcomes = []
    for drop_bad in (False, True):
        began = time.perf_counter()
        try:
            loaded = load_mutant(folder, m, drop_bad)
        except ShortlistError as e:
            refusal = str(e)
            assert str(folder) in refusal, about
            assert "\n" not in refusal, about
            assert len(refusal) < 1200, about
            outcomes.append("refused")
            if "cannot be decoded" in refusal:  # of the file as a whole: dropping rows cannot help
                return f"{m.kind} refused"
        else:
            outcomes.append("partly" if loaded.rejected else "read")
            account(loaded, m, about)
        assert time.perf_counter() - began < HANG, about
    strict, tolerant = outcomes
    assert strict in ("read", "refused"), about
    if strict == "read":
        assert tolerant == "read", about
    return f"{m.kind} {tolerant}"


def account(loaded: Loaded, m: Mutant, about: str) -> None:
    """Every row is somewhere, once, and what is said about it is complete."""
    assert loaded.read == len(loaded.pool) + len(loaded.rejected), about
    places = [(int(f), int(r)) for f, r in zip(loaded.sources.file, loaded.sources.line, strict=True)]
    assert len(set(places)) == len(places), about
    assert not {p[1] for p in places} & {r.row for r in loaded.rejected}, about
    assert all(r.reason and r.file and r.row >= 1 for r in loaded.rejected), about
    assert len({loaded.ids[i] for i in range(len(loaded.pool))}) == len(loaded.pool), about
    text = m.data.removeprefix(b"\xef\xbb\xbf")
    if (
        m.kind == "jsonl"
        and loaded.sources.files[0].format == "jsonl"
        and not loaded.sources.files[0].compression
    ):
        lines = [line for line in text.split(b"\n") if line.strip(b" \t\r")]
        assert loaded.read == len(lines), about


@pytest.mark.parametrize("part", range(10))
@pytest.mark.usefixtures("_one_decoder")
def test_500_broken_files(tmp_path: Path, part: int) -> None:
    came = Counter(check(tmp_path, seed) for seed in range(part * 50, part * 50 + 50))
    assert sum(came.values()) == 50
    assert {k.split()[1] for k in came} >= {"read", "refused"}


@pytest.mark.long
@pytest.mark.parametrize("part", range(100))
@pytest.mark.usefixtures("_one_decoder")
def test_10_000_broken_files(tmp_path: Path, part: int) -> None:
    came = Counter(check(tmp_path, seed) for seed in range(500 + part * 100, 600 + part * 100))
    assert sum(came.values()) == 100


@pytest.mark.usefixtures("_one_decoder")
def test_the_unbroken_files_are_read_whole(tmp_path: Path) -> None:
    for kind in KINDS:
        for seed in range(3):
            data = valid(kind, np.random.default_rng(seed))
            loaded = load_mutant(tmp_path, Mutant(kind, "", data), False)
            assert (loaded.read, len(loaded.pool), loaded.notes) == (ROWS, ROWS, loaded.notes), kind


@pytest.mark.parametrize("seed", range(60))
def test_the_rows_that_got_in_are_written_back_as_they_were(tmp_path: Path, seed: int) -> None:
    m = mutant(seed, ("jsonl", "csv", "tsv")[seed % 3])
    try:
        loaded = load_mutant(tmp_path, m, True)
    except ShortlistError:
        return
    out = tmp_path / f"out.{m.kind}"
    write_rows(out, loaded, np.arange(len(loaded.pool)), {})
    if m.kind == "jsonl":
        lines = (gzip.decompress(m.data) if m.data[:2] == b"\x1f\x8b" else m.data).split(b"\n")
        kept = [lines[int(i) - 1].removeprefix(b"\xef\xbb\xbf").strip(b" \t\r") for i in loaded.sources.line]
        assert out.read_bytes() == b"".join(line + b"\n" for line in kept)
        assert all(json.loads(line) is not None for line in kept)
    else:
        again = read(out, Roles(id=""), drop_bad=True)
        assert (again.read, len(again.rejected)) == (len(loaded.pool), 0)
