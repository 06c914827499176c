"""What each objective costs under LazyGreedy (Greedy where lazy bounds do not hold) as n and k grow.

    python benchmarks/curves.py [--write]

One figure an objective: the seconds of its largest run. `--write` also draws docs/choosing/curves.png from
every run (needs matplotlib). A run that would take more than 2 minutes by the growth seen so far is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (threads are counted when it loads)

from engines import clusters  # noqa: E402

HERE = Path(__file__).resolve().parent
RUNS = HERE / "results" / "runs" / "curves.json"
PICTURE = HERE.parent / "docs" / "choosing" / "curves.png"
SIZES, PICKS, D, LONGEST = (1000, 4000, 16_000, 64_000), (10, 100, 1000), 64, 120.0


def pool_of(n: int) -> Any:
    """A pool with every signal that the examples of the catalogue name."""
    from shortlist.core.pool import Pool
    from shortlist.core.signals import Costs, Labels, Neighbors, Scores, Tags, Text, Vectors

    rng = np.random.default_rng(n)
    words = np.array([f"word{i}" for i in range(2000)])
    zipf = np.minimum(rng.zipf(1.4, (n, 12)), 2000) - 1
    to = np.sort((np.arange(n)[:, None] + 1 + np.arange(16) * 7) % n, axis=1)
    return Pool.of(
        {
            "vec": Vectors(clusters(n, D)),
            "vec2": Vectors(rng.random((n, 16)).astype(np.float32)),
            "score": Scores(rng.random(n)),
            "quality": Scores(rng.random(n), higher_is_better=False),
            "label": Labels(rng.integers(0, 3, n).astype(np.int32), ("a", "b", "c")),
            "source": Labels(rng.integers(0, 2, n).astype(np.int32), ("a", "b")),
            "tags": Tags.of(
                [sorted({f"t{t}" for t in row[:4]} | {"abc"[row[4] % 3]}) for row in zipf.tolist()]
            ),
            "cost": Costs(rng.random(n) + 0.5),
            "tokens": Costs(rng.integers(5, 90, n).astype(np.float64), "tokens"),
            "text": Text.of([" ".join(row) for row in words[zipf]]),
            "graph": Neighbors(
                np.arange(0, 16 * n + 1, 16), to.astype(np.int32).ravel(), np.full(16 * n, 0.5, np.float32)
            ),
        }
    )


def objectives() -> list[Any]:
    """The first example of each objective; facility location in the form its size calls for."""
    from shortlist.catalogue import MODULES

    found = []
    for name, module in sorted(MODULES.items()):
        if module.split(".")[1:3] == ["methods", "objective"]:
            of_name = (e for e in import_module(module).EXAMPLES if type(e).__name__ == name)
            found += [e for e in of_name if hasattr(e, "build")][:1]
    return found


def seconds(objective: Any, pool: Any, k: int) -> float:
    from shortlist.core.effects import alone
    from shortlist.core.limits import bind
    from shortlist.doors.routing import resized
    from shortlist.methods.solve.greedy import Greedy
    from shortlist.methods.solve.lazy_greedy import LazyGreedy

    start = process_time()
    built = alone(resized(objective, pool, k, 6e9).build(pool), pool)
    (LazyGreedy() if built.submodular else Greedy())(built, bind(pool, (), k), pool)
    return process_time() - start


def measured() -> dict[str, dict[str, float]]:
    """{objective: {"n k": seconds}}; sizes that promise to take too long are left out."""
    pools = {n: pool_of(n) for n in SIZES}
    out: dict[str, dict[str, float]] = {}
    for objective in objectives():
        name = type(objective).__name__
        seconds(objective, pools[1000], 10)  # compiles
        runs: dict[str, float] = {}
        for n, k in [(n, 100) for n in SIZES] + [(16_000, k) for k in PICKS if k != 100]:
            grown = (n / 4, k) if n != 16_000 or k == 100 else (n, k / 10)
            before = runs.get(f"{int(grown[0])} {int(grown[1])}", 0.0)
            if before * 16 > LONGEST:
                continue
            runs[f"{n} {k}"] = round(seconds(objective, pools[n], k), 4)
            print(name, n, k, runs[f"{n} {k}"], file=sys.stderr, flush=True)
        out[name] = runs
    return out


def draw(runs: dict[str, dict[str, float]]) -> None:
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["font.size"] = 8
    from matplotlib import pyplot

    across = 4
    figure, axes = pyplot.subplots(
        -(-len(runs) // across), across, figsize=(11, 2.1 * -(-len(runs) // across))
    )
    for ax, (name, found) in zip(axes.flat, runs.items(), strict=False):
        points = {tuple(map(int, key.split())): s for key, s in found.items()}
        by_n = [(n, s) for (n, k), s in sorted(points.items()) if k == 100]
        by_k = [(k, s) for (n, k), s in sorted(points.items()) if n == 16_000]
        ax.loglog(*zip(*by_n, strict=True), "o-", color="#0b57d0", label="n, k = 100", markersize=3)
        ax.loglog(*zip(*by_k, strict=True), "s--", color="#b3541e", label="k, n = 16,000", markersize=3)
        ax.set_title(name, fontsize=8, fontweight="bold")
        ax.grid(alpha=0.3)
    for ax in axes.flat[len(runs) :]:
        ax.axis("off")
    axes.flat[0].legend(fontsize=7, frameon=False)
    figure.supylabel("seconds, one core")
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"draw {PICTURE.name} too")
    args = parser.parse_args()
    runs = measured()
    RUNS.parent.mkdir(parents=True, exist_ok=True)
    RUNS.write_text(json.dumps(runs, indent=1) + "\n")
    if args.write:
        draw(runs)
    for name, found in runs.items():
        key = max(found, key=lambda s: tuple(map(int, s.split())))
        n, k = key.split()
        line = {"figure": f"{name}, n={int(n):,}, k={k}", "value": found[key], "unit": "s"}
        print(
            json.dumps(line | {"how": "build and choose, processor seconds on one core, d = 64"}), flush=True
        )


if __name__ == "__main__":
    main()
