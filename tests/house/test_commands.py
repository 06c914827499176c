"""The README's commands are the Makefile's, and landing runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import shortlist

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_every_make_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, re.MULTILINE))
    assert {"demo", "test", "check", "long", "bench", "claims"} <= named
    assert named <= TARGETS


def test_landing_calls_the_readme_s_test_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").splitlines()[-1] == "exec make test"
    assert "make test" in README


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert shortlist.__version__ == project["version"]
    assert f"version: {project['version']}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_the_command_line_starts_without_the_engine() -> None:
    code = (
        "import sys\nfrom shortlist.cli.main import run\ncode = run(['--version'])\n"
        "heavy = {'numba', 'pyarrow', 'duckdb', 'highspy', 'jinja2'} & set(sys.modules)\n"
        "print(code, *sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"shortlist {shortlist.__version__}", "0"]
