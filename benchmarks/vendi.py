"""Vendi scores: rows on disk beside the peer's dual form, and an RBF similarity beside all eigenvalues.

Seconds are of the processor, medians of runs in processes of their own that load the rows too; memory is the
most that such a process held, mapped pages included. The peer, vendi-score, is run where it is installed.
"""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.measures.vendi import BLOCK, spectrum
from shortlist.measures.vendi_similarity import vendi_similarity

ROWS, WIDTH, RUNS = 500_000, 384, 3


def figure(name: str, value: float, unit: str = "s", **more: Any) -> None:
    print(json.dumps({"figure": name, "value": float(f"{value:.3g}"), "unit": unit, **more}), flush=True)


def write_rows(path: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(300, WIDTH)).astype(np.float32)
    out = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, WIDTH))
    for a in range(0, ROWS, 50_000):
        noise = rng.normal(size=(50_000, WIDTH)).astype(np.float32)
        out[a : a + 50_000] = centres[rng.integers(0, 300, 50_000)] + noise
    out.flush()


def read(path: Path) -> Iterator[np.ndarray]:
    with path.open("rb") as f:
        np.lib.format.read_magic(f)
        np.lib.format.read_array_header_1_0(f)
        while len(block := np.fromfile(f, np.float32, BLOCK * WIDTH)):
            yield block.reshape(-1, WIDTH)


def similarity(n: int) -> Any:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, WIDTH))[rng.integers(0, 200, n)] + 0.5 * rng.normal(size=(n, WIDTH))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)

    def rbf(a: slice, b: slice) -> np.ndarray:
        tile = x[a] @ x[b].T
        tile -= 1
        tile *= 10
        return np.exp(tile, out=tile)

    return rbf


def child(how: str, what: str, order: float) -> None:
    """One run: its value, seconds and memory on stdout. `what` is a file of rows, or a number of them."""
    rbf = similarity(int(what)) if what.isdigit() else None
    peer = importlib.import_module("vendi_score.vendi") if how == "peer" else None
    start, error = time.process_time(), 0.0
    if rbf is None:
        if peer is not None:
            value = peer.score_dual(np.load(what), q=order)
        else:
            value = spectrum(read(Path(what)) if how == "pieces" else np.load(what, mmap_mode="r")).score(
                order
            )
    elif peer is not None:
        whole = slice(0, int(what))
        value = peer.score_K(rbf(whole, whole).astype(np.float64), q=order)
    else:
        seen = vendi_similarity(rbf, int(what), (order,))[0]
        value, error = seen.value, seen.error
    seconds = time.process_time() - start
    held = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(json.dumps([float(value), error, seconds, int(held.split()[1]) / 1024]))


def runs(how: str, what: str, order: float, times: int = RUNS) -> tuple[float, float, float, float]:
    """Value, error, median seconds, most memory in MB."""
    words = [sys.executable, __file__, how, what, str(order)]
    each = [
        json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout) for _ in range(times)
    ]
    return each[0][0], each[0][1], statistics.median(e[2] for e in each), max(e[3] for e in each)


def main() -> None:
    try:
        peer = {"peer": f"vendi-score {version('vendi-score')}"}
    except ImportError:
        peer = {}

    def beside(name: str, value: float, theirs: float | None, unit: str = "s", **more: Any) -> None:
        also = {} if theirs is None else peer | {"peer_value": float(f"{theirs:.3g}")}
        figure(name, value, unit, better="lower", **also, **more)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        write_rows(path)
        for order in (1.0, 0.5):
            ours, pieces = runs("mapped", str(path), order), runs("pieces", str(path), order)
            theirs = runs("peer", str(path), order) if peer else None
            name = f"vectors, 500k x 384, order {order:g}"
            beside(name, ours[2], theirs and theirs[2], how=f"mapped rows; score {ours[0]:.6g}")
            beside(f"{name}, memory", pieces[3], theirs and theirs[3], "MB", how="rows read in pieces")
    for n, order in ((5_000, 1.0), (5_000, 2.0), (20_000, 1.0), (20_000, 2.0)):
        value, error, seconds, held = runs("ours", str(n), order, 1)
        theirs = runs("peer", str(n), order, 1) if peer and n <= 5_000 else None
        said = f"score {value:.6g}, stated error {error / value:.1e}" + (
            f", off by {abs(value / theirs[0] - 1):.1e}" if theirs else ""
        )
        beside(f"RBF of 384 dimensions, {n:,} rows, order {order:g}", seconds, theirs and theirs[2], how=said)
        beside(f"RBF, {n:,} rows, order {order:g}, memory", held, theirs and theirs[3], "MB")


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], float(sys.argv[3])) if len(sys.argv) > 1 else main()
