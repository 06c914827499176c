"""What must not be in the source: code run from data; output, files and clocks in methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "shortlist"
SOURCES = sorted(SRC.rglob("*.py"))
RUNS_DATA = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "yaml"}
#: Methods and what they stand on are functions of their arguments.
WORLDLY = {
    "time",
    "logging",
    "os",
    "pathlib",
    "random",
    "socket",
    "subprocess",
    "threading",
    "tempfile",
    "io",
}
PURE = ("kernels", "core", "methods", "measures")


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(SRC).as_posix())
def test_nothing_in_data_is_ever_run(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not _imported(tree) & RUNS_DATA
    for name, call in _calls(tree):
        assert name not in ("eval", "exec", "compile", "__import__", "os.system"), ast.unparse(call)
        assert not any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in call.keywords)
        assert not any(k.arg == "shell" for k in call.keywords), ast.unparse(call)


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.relative_to(SRC).parts[0] in PURE],
    ids=lambda p: p.relative_to(SRC).as_posix(),
)
def test_methods_have_no_world(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert not _imported(tree) & WORLDLY
    assert not {name for name, _ in _calls(tree)} & {"print", "open", "input"}


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 50
    assert {p.relative_to(SRC).parts[0] for p in SOURCES} >= set(PURE)
