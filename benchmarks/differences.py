"""Where other libraries disagree with us, by cause: many pools drawn, the table of docs/differences.

    python benchmarks/differences.py [--pools 500] [--only submodlib]

Runs in an interpreter that has the libraries (`pip install shortlist[bench] pyversity`); what is missing is
said and left out. Prints a table a library, then the shares that optimizers reach, then figures for `run.py`.
`tests/differences` holds the comparisons and runs a few pools of each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (threads are counted when it loads)

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
warnings.simplefilter("ignore")  # theirs

MODULES = {
    "by_submodlib": ("submodlib",),
    "by_apricot": ("apricot",),
    "by_pyversity": ("pyversity",),
    "by_duplicates": ("semhash", "datasketch"),
    "by_sklearn": ("sklearn",),
}


def table(cases: list[Any], pools: int) -> Counter[str]:
    """Prints a line a comparison; what was found, by verdict."""
    everything: Counter[str] = Counter()
    for case in cases:
        # what never ends is waited for
        drawn = pools // 10 if "approximate-lazy" in case.name else pools
        seen: dict[str, Counter[str]] = {}
        for seed in range(drawn):
            for found in case.seen(seed):
                seen.setdefault(found.what, Counter())[found.verdict] += 1
        for what, verdicts in seen.items():
            said = "; ".join(f"{verdict} {count:,}" for verdict, count in verdicts.most_common())
            print(f"| {case.name} | {drawn:,} | {what} | {verdicts.total():,} | {said} |", flush=True)
            everything += verdicts
    return everything


def optimizers(pools: int) -> None:
    """Prints the mean share of exact greedy's gain over random."""
    from tests.differences.by_optimizers import shares

    rows = [shares(seed) for seed in range(pools)]
    print(f"\n| optimizer | share of greedy's gain over random, {pools} pools | least |\n| --- | --- | --- |")
    for name in rows[0]:
        found = np.array([row[name] for row in rows])
        print(f"| {name} | {np.nanmean(found):.3f} | {np.nanmin(found):.3f} |", flush=True)


def recalls(seeds: int = 5) -> None:
    """Prints recall and precision on larger pools."""
    from tests.differences.by_duplicates import LARGE, cases, rates

    print(f"\n| deduper, {seeds} pools of {LARGE:,} | rows to go | recall | precision |")
    print("| --- | --- | --- | --- |")
    for case in cases(LARGE):
        should, recall, precision = rates(case, seeds)
        print(f"| {case.name} | {should:,} | {recall:.4f} | {precision:.4f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=int, default=500, help="pools a comparison")
    parser.add_argument("--only", default="", help="comparisons whose name has this in it")
    asked = parser.parse_args()
    here = [name for needs in MODULES.values() for name in needs if find_spec(name)]
    print(
        json.dumps({"figure": "libraries compared", "value": len(here), "unit": "of 6", "better": "higher"})
    )
    for module, needs in MODULES.items():
        absent = [name for name in needs if find_spec(name) is None]
        if absent:
            print(f"{module}: {' and '.join(absent)} not installed, left out", file=sys.stderr)
            continue
        start = time.process_time()
        cases = import_module(f"tests.differences.{module}").CASES
        cases = [case for case in cases if asked.only in case.name]
        if not cases:
            continue
        print("\n| comparison | pools | of | compared | verdicts |\n| --- | --- | --- | --- | --- |")
        found = table(cases, asked.pools)
        how = f"{found.total():,} comparisons, {time.process_time() - start:.0f} processor seconds"
        line = {"figure": f"{module}: unexplained", "value": found["?"], "unit": "of them", "how": how}
        print(json.dumps(line | {"goal": 0}), flush=True)
    if not asked.only and all(find_spec(name) for name in ("apricot", "submodlib")):
        optimizers(max(asked.pools // 25, 2))
    if not asked.only and all(find_spec(name) for name in MODULES["by_duplicates"]):
        recalls()


if __name__ == "__main__":
    main()
