"""Sizes: the whole house keeps them, and the tool sees what breaks them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


def test_the_house_keeps_its_sizes(
    tool: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool("size").main() == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "text", "place", "what"),
    [
        ("src/long.py", "a = 1\n" * 401, "src/long.py", "401 lines, 400 are enough"),
        ("src/utils.py", "", "src/utils.py", "a name that explains nothing"),
        ("src/f.py", "def f():\n" + "    a = 1\n" * 60, "src/f.py:f", "61 lines, 60 are enough"),
        ("src/c.py", "class C:\n" + "    a: int\n" * 9, "src/c.py:C", "9 fields, 8 are enough"),
        (
            "src/i.py",
            "class C:\n    def __init__(self, a, b, c, d, e, *, f, g, h, i): ...\n",
            "src/i.py:C",
            "9 fields, 8 are enough",
        ),
    ],
)
def test_what_is_too_large_is_named(
    tool: Callable[[str], ModuleType], path: str, text: str, place: str, what: str
) -> None:
    assert list(tool("size").smells(Path(path), text)) == [(place, what)]


def test_what_just_fits_is_left_alone(tool: Callable[[str], ModuleType]) -> None:
    text = "class C:\n" + "    a: int\n" * 8 + "def f():\n" + "    a = 1\n" * 59
    text += "\n" * (400 - text.count("\n"))
    assert list(tool("size").smells(Path("src/fits.py"), text)) == []


def test_an_exception_nobody_needs_fails(
    tool: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    size = tool("size")
    monkeypatch.setitem(size.REASONS, "src/gone.py", "it was long once")
    assert size.main() == 1
    assert "src/gone.py: needs no exception any more" in capsys.readouterr().err
