"""The first minute: install into a new environment, import, and the demo with empty and with warm caches."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The verdict's last line is the first that says how strong the evidence is.
VERDICT = re.compile(rb"strong|weak|no evidence", re.IGNORECASE)
MIB = 1 << 20


def figure(name: str, value: float, unit: str, goal: float | None, how: str) -> None:
    print(json.dumps({"figure": name, "value": value, "unit": unit, "goal": goal, "how": how}), flush=True)


def timed(command: list[str | Path], **options: object) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=sys.stderr, **options)  # type: ignore[call-overload]
    return time.perf_counter() - start


def demo(python: Path, folder: Path, env: dict[str, str]) -> tuple[float, float, float, float]:
    """Seconds to the verdict, seconds in all, peak MiB, processor seconds."""
    start = time.perf_counter()
    run = subprocess.Popen(
        [python.with_name("shortlist"), "demo"], cwd=folder, env=env, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    verdict = None
    assert run.stdout is not None
    for line in run.stdout:
        if verdict is None and VERDICT.search(line):
            verdict = time.perf_counter() - start
    _, status, used = os.wait4(run.pid, 0)
    total = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) or verdict is None:
        raise SystemExit(f"the demo gave no verdict (exit {os.waitstatus_to_exitcode(status)})")
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MIB
    return verdict, total, peak, used.ru_utime + used.ru_stime


def imports(python: Path) -> float:
    """Seconds from the interpreter's start to its end, less those of an empty program."""

    def once(code: str) -> float:
        return statistics.median(timed([python, "-c", code]) for _ in range(7))

    return once("import shortlist") - once("pass")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        venv, numba, work = (Path(scratch, name) for name in ("venv", "numba", "work"))
        work.mkdir()
        made = timed([sys.executable, "-m", "venv", venv])
        python = venv / "bin" / "python"
        pip = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-cache-dir",
            "--disable-pip-version-check",
            ROOT,
        ]
        installed = timed(pip)
        figure("install", made + installed, "s", 60, "new environment and `pip install .`, no package cache")
        figure("import shortlist", imports(python), "s", 0.3, "median of 7, less an empty program")
        env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        env |= {"NUMBA_CACHE_DIR": str(numba), "PYTHONUNBUFFERED": "1"}
        cold = demo(python, work, env)
        figure("demo to the verdict, empty caches", cold[0], "s", 15, "one run, no compiled kernel cached")
        figure(
            "demo, processor time, empty caches", cold[3], "s", None, "the same run, steady on a busy machine"
        )
        figure("demo in all, empty caches", cold[1], "s", None, "the same run, report written")
        figure("demo, peak memory", cold[2], "MiB", None, "the same run, resident")
        warm = [demo(python, work, env) for _ in range(3)]
        figure("demo to the verdict, warm", statistics.median(w[0] for w in warm), "s", 6, "median of 3")
        figure("demo, processor time, warm", statistics.median(w[3] for w in warm), "s", None, "median of 3")
        figure("demo in all, warm", statistics.median(w[1] for w in warm), "s", None, "median of 3")


if __name__ == "__main__":
    main()
