"""Relevance against repetition: MMR and greedy DPP over 100,000 x 384 against pyversity, same choice checked.

    python benchmarks/diversify.py [--peers PYTHON]

The peer runs in an interpreter of its own (it may want other versions), paired with ours on the same arrays,
one thread each. A DPP of fixed size with quality exp(b z), z the standardised relevance, is log-det and a
modular part: log det(L_S) = 2 b sum(z) + log det(C_S), C the cosines with pyversity's ridge.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from math import log1p
from pathlib import Path
from time import process_time
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for name in THREADS:
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (threads are counted when it loads)

from engines import clusters  # noqa: E402

K, ROUNDS = 100, 3
PEER = """
import sys, json, numpy as np
from time import process_time
from pyversity import Strategy, diversify
x, s = np.load(sys.argv[1]), np.load(sys.argv[2])
for strategy, diversity in json.loads(sys.argv[3]):
    start = process_time()
    found = diversify(x, s, 100, strategy=Strategy(strategy), diversity=diversity)
    print(json.dumps({"seconds": process_time() - start, "rows": found.indices.tolist()}))
"""
#: Name, pyversity's strategy and its weight of diversity, whether relevance differs, the ratio to reach.
CASES = (
    ("MMR", "mmr", 0.5, True, 8.0),
    ("MMR, mostly diversity", "mmr", 0.9, True, 8.0),
    ("greedy DPP", "dpp", 0.5, True, 35.0),
    ("greedy DPP, relevance is flat", "dpp", 0.5, False, 1.0),
)


def objective(strategy: str, diversity: float, scores: np.ndarray) -> Any:
    """Ours for what the peer maximises."""
    from shortlist.methods.objective.log_det import LogDet
    from shortlist.methods.objective.mmr import MMR
    from shortlist.methods.objective.modular import Modular
    from shortlist.methods.objective.weighted_sum import Sum

    span = float(np.ptp(scores))
    if strategy == "mmr":
        return Sum((Modular("score", ranks=False), MMR("vec")), weights=((1 - diversity) * span, diversity))
    volume = LogDet("vec", ridge=1e-3)
    if not span:
        return volume
    quality = 2 * (1 - diversity) * span / float(scores.std())
    return Sum((Modular("score", ranks=False), volume), weights=(quality, log1p(1 / volume.ridge)))


def ours(x: np.ndarray, scores: np.ndarray, strategy: str, diversity: float) -> tuple[float, list[int]]:
    from shortlist.core.effects import alone
    from shortlist.core.limits import bind
    from shortlist.core.pool import Pool
    from shortlist.core.signals import Scores, Vectors
    from shortlist.methods.solve.lazy_greedy import LazyGreedy

    start = process_time()
    pool = Pool.of({"vec": Vectors(x), "score": Scores(scores.astype(np.float64))})
    f = objective(strategy, diversity, scores)
    choice = LazyGreedy()(alone(f.build(pool)), bind(pool, (), K), pool)
    return process_time() - start, choice.rows.tolist()


def peer(
    python: str, folder: Path, cases: list[tuple[str, float]], scores: np.ndarray
) -> list[dict[str, Any]]:
    np.save(folder / "s.npy", scores)
    command = [python, "-c", PEER, str(folder / "x.npy"), str(folder / "s.npy"), json.dumps(cases)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def volume(x: np.ndarray, rows: list[int]) -> float:
    return float(np.linalg.slogdet(x[rows].astype(float) @ x[rows].T + 1e-6 * np.eye(len(rows)))[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = sys.executable if find_spec("pyversity") else ""
    parser.add_argument("--peers", default=here, help="interpreter that has pyversity")
    parser.add_argument("--rows", type=int, default=100_000)
    args = parser.parse_args()
    x, rng = clusters(args.rows), np.random.default_rng(0)
    relevance = rng.random(len(x)).astype(np.float32)
    ours(x[:2000], relevance[:2000], "mmr", 0.5)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "x.npy", x)
        for label, strategy, diversity, differs, goal in CASES:
            scores = relevance if differs else np.zeros_like(relevance)
            mine, theirs, rows, found = [], [], [], {}
            for _ in range(ROUNDS):
                seconds, rows = ours(x, scores, strategy, diversity)
                mine.append(seconds)
                if args.peers:
                    found = peer(args.peers, Path(folder), [(strategy, diversity)], scores)[0]
                    theirs.append(found["seconds"])
            size = f"{len(x):,} x 384, k={K}: {label}"
            how = "median of paired runs, processor seconds on one core"
            line = {"figure": size, "value": round(statistics.median(mine), 4), "unit": "s", "how": how}
            if theirs:
                median = statistics.median(theirs)
                line |= {"peer": "pyversity", "peer_value": round(median, 4)}
                if found["rows"] == rows:
                    line["how"] += ", same choice"
                else:
                    same = len(set(found["rows"]) & set(rows))
                    line["how"] += (
                        f", {same} of {K} rows the same, log det {volume(x, rows):.2f} "
                        f"against {volume(x, found['rows']):.2f}"
                    )
                faster = {
                    "figure": f"{size}: times faster",
                    "unit": "ratio",
                    "goal": goal,
                    "better": "higher",
                }
                print(json.dumps(faster | {"value": round(median / statistics.median(mine), 2)}), flush=True)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
