"""Run the benchmarks, keep their figures, and say what became slower.

Every other `benchmarks/<name>.py` is a program that prints one JSON object a figure on stdout:

    {"figure": "10k x 384, k 1,000", "value": 0.9, "unit": "s", "goal": 1.0, "better": "lower",
     "peer": "apricot 0.6.1", "peer_value": 3.4, "how": "median of 5 paired runs, one core"}

`value` and `unit` are needed, the rest is left out where there is none. Figures are kept in
`benchmarks/results/<name>.json`; docs/benchmarks.md is written from those. A figure that is more than 10%
worse than the kept one needs a sentence: `run.py --because "..."`, kept beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "benchmarks.md"
WORSE = 1.10
LIBRARIES = ("numpy", "numba", "pyarrow", "duckdb")
TIMEOUT = 3_600
Figure = dict[str, Any]


def names() -> list[str]:
    """Every benchmark there is: the programs of this folder."""
    programs = (p for p in HERE.glob("*.py") if "__main__" in p.read_text("utf-8"))
    return sorted(p.stem for p in programs if p.stem != "run")


def measure(name: str) -> list[Figure]:
    """The figures of one benchmark, run in a process of its own with one BLAS thread."""
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, HERE / f"{name}.py"], stdout=subprocess.PIPE, text=True, env=env, timeout=TIMEOUT,
        check=True,
    )  # fmt: skip
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not figures:
        raise SystemExit(f"{name} printed no figure")
    return figures


def machine() -> dict[str, str]:
    """What the figures depend on besides the code."""
    said = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    said["cores"] = str(os.cpu_count())
    for library in LIBRARIES:
        try:
            said[library] = version(library)
        except PackageNotFoundError:
            continue
    return said


def slower(old: list[Figure], new: list[Figure]) -> list[str]:
    """Figures that are more than 10% worse than before, one sentence each."""
    before = {f["figure"]: f for f in old}
    found = []
    for f in new:
        was = before.get(f["figure"])
        if was is None or was["unit"] != f["unit"] or not was["value"] or not f["value"]:
            continue
        ratio = f["value"] / was["value"]
        if f.get("better", "lower") == "higher":
            ratio = 1 / ratio
        if ratio > WORSE:
            found.append(f"{f['figure']}: {number(was)} before, {number(f)} now ({ratio - 1:.0%} worse)")
    return found


def number(f: Figure, key: str = "value") -> str:
    """A figure with its unit; '' where there is none."""
    value = f.get(key)
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {f['unit']}"


def ratio(f: Figure) -> str:
    """How many times better than the peer."""
    if not f.get("peer_value") or not f["value"]:
        return ""
    times = f["peer_value"] / f["value"]
    return f"{times if f.get('better', 'lower') == 'lower' else 1 / times:.1f}x"


def reached(f: Figure) -> str:
    """Whether the goal is reached: yes, no, or '' without one."""
    if f.get("goal") is None:
        return ""
    below = f["value"] <= f["goal"]
    return "yes" if below == (f.get("better", "lower") == "lower") or f["value"] == f["goal"] else "no"


def page(results: dict[str, Figure]) -> str:
    """docs/benchmarks.md."""
    parts = [
        "# Benchmarks",
        "<!-- Written by benchmarks/run.py from benchmarks/results. -->",
        "Measured with `make bench`. Seconds move with the machine, ratios in one row are of runs made back\n"
        "to back. Quality is the share of exact greedy's *gain over random*: the raw objective flatters.",
    ]
    for name, result in results.items():
        rows = [("figure", "ours", "goal", "reached", "peer", "ratio", "how"), ("---",) * 7]
        for f in result["figures"]:
            peer = f"{f['peer']}: {number(f, 'peer_value') or 'no answer'}" if f.get("peer") else ""
            cells = (f["figure"], number(f), number(f, "goal"), reached(f), peer, ratio(f), f.get("how", ""))
            rows.append(cells)
        parts += [f"## {name}", "\n".join("| " + " | ".join(r) + " |" for r in rows)]
        parts += [f"Slower than before, because {result['because']}"] if result.get("because") else []
        on = ", ".join(f"{k} {v}" for k, v in result["machine"].items())
        parts.append(f"{result['date']}; {on}")
    return "\n\n".join(parts) + "\n"


def kept() -> dict[str, Figure]:
    """Name -> the kept result of every benchmark. A benchmark may keep raw numbers beside its figures."""
    found = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(RESULTS.glob("*.json"))}
    return {name: result for name, result in found.items() if "figures" in result}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", help="benchmarks to run; all if none is named")
    parser.add_argument("--because", default="", help="why something became slower, one sentence")
    parser.add_argument("--page", action="store_true", help="only write docs/benchmarks.md from what is kept")
    asked = parser.parse_args()
    worse: list[str] = []
    RESULTS.mkdir(exist_ok=True)
    for name in [] if asked.page else asked.name or names():
        figures = measure(name)
        for f in figures:
            print(f"{name}: {f['figure']}: {number(f)}  {ratio(f)}  {f.get('how', '')}")
        found = slower(kept().get(name, {}).get("figures", []), figures)
        worse += found
        if found and not asked.because:
            continue
        told = {"because": asked.because} if found else {}
        result = {"date": date.today().isoformat(), "machine": machine(), "figures": figures, **told}
        (RESULTS / f"{name}.json").write_text(
            json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8"
        )
    PAGE.write_text(page(kept()), "utf-8")
    for line in worse:
        print(f"slower: {line}", file=sys.stderr)
    if worse and not asked.because:
        print("nothing was kept of those; say why with --because, or mend it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
