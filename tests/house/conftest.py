"""The tools of the house as modules."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """`tool("size")` is tools/size.py."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return import_module
