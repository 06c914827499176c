"""k-means over 100,000 x 384 and k-centre over 50,000 x 384, 1,000 centres each, against scikit-learn.

    python benchmarks/clusters.py [--only k-means|k-centre]

Processor seconds of one core, one run each of what takes half a minute; inertia is worked out in float64 by
one function for all. The vectors are those of the selection benchmark, of length 1, compared by Euclid as the
peer does. k-centre has no peer here but the definition: a NumPy pass over all rows for each centre.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from time import process_time
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (threads are counted when it loads)

from engines import clusters  # noqa: E402

HOW = "processor seconds on one core"


def figure(name: str, value: float, unit: str = "s", **more: Any) -> None:
    print(json.dumps({"figure": name, "value": float(f"{value:.4g}"), "unit": unit, **more}), flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = process_time()
    answer = work()
    return process_time() - start, answer


def inertia(x: np.ndarray, centres: np.ndarray) -> float:
    """Mean squared distance of a row to its nearest centre."""
    c, total = centres.astype(np.float64), 0.0
    square = (c**2).sum(axis=1)
    for a in range(0, len(x), 2048):
        rows = x[a : a + 2048].astype(np.float64)
        total += float((square - 2 * rows @ c.T).min(axis=1).sum() + (rows**2).sum())
    return total / len(x)


def answer(method: Any, x: np.ndarray) -> Any:
    from shortlist.core.effects import alone
    from shortlist.core.pool import Pool
    from shortlist.core.signals import Vectors

    pool = Pool.of({"vec": Vectors(x)})
    return alone(method.steps(pool), pool)


def k_means(m: int) -> None:
    from shortlist.methods.cluster.k_means import KMeans

    x, size = clusters(100_000), f"k-means 100,000 x 384, {m:,} centres"
    answer(KMeans("vec", m=8, spherical=False), x[:2000])  # compiles
    seconds, found = timed(lambda: answer(KMeans("vec", m=m, spherical=False), x))
    ours = inertia(x, found.centres)
    try:
        from sklearn.cluster import KMeans as Whole
        from sklearn.cluster import MiniBatchKMeans
    except ImportError:
        figure(size, seconds, how=f"{HOW}, inertia {ours:.5f}")
        return
    batch = MiniBatchKMeans(m, batch_size=10_240, random_state=0, n_init=1)
    whole = Whole(m, n_init=1, max_iter=10, random_state=0)
    for label, model, goal in (("mini-batch", batch, 1.8), ("k-means++", whole, 6.0)):
        theirs, fitted = timed(lambda model=model: model.fit(x))
        other = inertia(x, fitted.cluster_centers_)
        how = f"{HOW}; inertia {ours:.5f} against {other:.5f}, {100 * (ours / other - 1):+.2f}%"
        peer = {"peer": f"scikit-learn {label}", "peer_value": round(theirs, 3)}
        figure(f"{size}, beside {label}", seconds, how=how, **peer)
        figure(f"{size}: times faster than {label}", theirs / seconds, "ratio", goal=goal, better="higher")


def k_centre(m: int) -> None:
    from shortlist.methods.cluster.farthest_first import FarthestFirst

    x, size = clusters(50_000), f"k-centre 50,000 x 384, {m:,} centres"
    answer(FarthestFirst("vec", m=8), x[:2000])
    seconds, found = timed(lambda: answer(FarthestFirst("vec", m=m), x))
    first = int(np.flatnonzero((x == found.centres[0]).all(axis=1))[0]) if len(found.centres) else 0

    def plain() -> list[int]:
        rows, near = [first], np.full(len(x), np.inf, np.float32)
        for _ in range(m - 1):
            np.minimum(near, 1 - x @ x[rows[-1]], out=near)
            rows.append(int(near.argmax()))
        return rows

    theirs, rows = timed(plain)
    same = len(set(rows) & set(found.rows.tolist()))
    how = f"{HOW}; {same:,} of {m:,} centres the same"
    figure(size, seconds, how=how, peer="a NumPy pass a centre", peer_value=round(theirs, 3))
    figure(
        f"{size}: times faster than a NumPy pass a centre",
        theirs / seconds,
        "ratio",
        goal=3.0,
        better="higher",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", choices=["", "k-means", "k-centre"])
    parser.add_argument("--centres", type=int, default=1000)
    args = parser.parse_args()
    for name, run in (("k-centre", k_centre), ("k-means", k_means)):
        if args.only in ("", name):
            run(args.centres)


if __name__ == "__main__":
    main()
