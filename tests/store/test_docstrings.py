"""The demo's pool: what is read, what each column says, and that it is the same every time."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from shortlist.core.errors import StorageError
from shortlist.store import docstrings

SOURCE = '''"""What the module of this test is for."""


class Box:
    """A box that holds a number of things."""

    def put(self, thing, *, twice=False):
        """Put a thing into the box.

        >>> Box().put(3)
        """

        def inner():
            """Nested functions are nobody's documentation."""

    @property
    def full(self):
        """Whether the box is full by now."""

    @full.setter
    def full(self, value):
        """Say that the box is full, or not, by value."""


def short(x):
    """Too short."""
'''


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of our own: returns its site-packages; the standard library is empty."""
    (tmp_path / "lib").mkdir()
    site = tmp_path / "site"
    site.mkdir()
    paths = {"stdlib": str(tmp_path / "lib"), "purelib": str(site), "platlib": str(site)}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
    return site


def _add(site: Path, name: str, text: str = SOURCE) -> None:
    path = site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_columns_say_what_the_source_says(installation: Path) -> None:
    _add(installation, "things/__init__.py")
    rows = {r["id"]: r for r in docstrings.gather().to_pylist()}
    assert list(rows) == [
        "things", "things.Box", "things.Box.full", "things.Box.full#2", "things.Box.put",
    ]  # fmt: skip
    put = rows["things.Box.put"]
    assert put["text"] == "Put a thing into the box.\n\n>>> Box().put(3)"
    assert put | {"id": "", "text": ""} == {
        "id": "", "text": "", "package": "things", "kind": "function", "tokens": 9, "lines": 3, "depth": 2,
        "has_example": 1, "args_documented": 0.5,
    }  # fmt: skip
    assert rows["things"]["kind"] == "module"
    assert rows["things.Box"]["kind"] == "class"
    assert rows["things.Box"]["args_documented"] is None
    assert rows["things.Box.full"]["args_documented"] is None
    assert rows["things.Box.full#2"]["args_documented"] == 1.0


def test_tests_dialects_and_broken_files_are_passed_over(installation: Path) -> None:
    _add(installation, "things/good.py")
    for name in ("tests/a.py", "test_b.py", "c_test.py", "testing/../conftest.py", "__pycache__/d.py"):
        _add(installation, f"things/{name}")
    _add(installation, "things/not-a-module.py")
    _add(installation, "things/broken.py", SOURCE + "print 'two'\n")
    _add(installation, "things/nul.py", SOURCE + "\0")
    _add(installation, "shortlist/__init__.py")
    _add(installation, "_plumbing.py")
    _add(installation, "things/escape.py", '"""A module with \\d, an escape of its own."""\n')
    ids = docstrings.gather().column("id").to_pylist()
    assert {i.split(".")[1] for i in ids} == {"good", "escape"}
    assert {i.split(".")[0] for i in ids} == {"things"}


def test_no_package_crowds_out_the_others(installation: Path) -> None:
    for i in range(40):
        _add(installation, f"big/m{i}.py")
    for name in ("a", "b"):
        for i in range(5):
            _add(installation, f"{name}/m{i}.py")
    few = docstrings.gather(60).column("package").to_pylist()
    assert len(few) == 60
    assert min(few.count(p) for p in ("a", "b", "big")) >= 15


def test_lone_surrogates_can_be_written(installation: Path) -> None:
    _add(installation, "things.py", '"""A text with a lone \\ud800 surrogate in it."""\n')
    assert docstrings.gather().column("text").to_pylist() == ["A text with a lone ? surrogate in it."]


def test_nothing_installed_is_said(installation: Path) -> None:
    assert not list(installation.iterdir())
    with pytest.raises(StorageError, match="no Python sources"):
        docstrings.gather()


def test_this_machine_gives_thousands_and_the_same_ones_to_every_process() -> None:
    code = (
        "from hashlib import sha256; from shortlist.store.docstrings import gather; t = gather(); "
        "print(len(t), len(set(t['id'].to_pylist())), sha256(repr(t.to_pylist()).encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert 2000 <= int(runs[0][0]) <= docstrings.TEXTS
    assert runs[0][0] == runs[0][1]
