"""Changelog fragments: well-formed here, and gathered in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

LOG = "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- An old wound (#1)\n\n## 0.1.0 (2026-01-01)\n\n- First\n"


def test_our_fragments_can_be_gathered(
    tool: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool("changelog").main(["--check"]) == 0, capsys.readouterr().err


def test_entries_come_by_kind_then_issue(tool: Callable[[str], ModuleType], tmp_path: Path) -> None:
    changelog = tool("changelog")
    (tmp_path / "10.fixed.md").write_text("- Ten\n")
    (tmp_path / "9.fixed.md").write_text("- Nine,\n  on two lines\n- Nine again\n")
    (tmp_path / "3-more.added.md").write_text("- Three\n")
    found, wrong = changelog.fragments(tmp_path)
    assert wrong == []
    log = changelog.merged(LOG, found)
    assert log == (
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- Three (#3)\n\n### Fixed\n\n- An old wound (#1)\n"
        "- Nine,\n  on two lines (#9)\n- Nine again (#9)\n- Ten (#10)\n\n## 0.1.0 (2026-01-01)\n\n- First\n"
    )
    assert changelog.merged(log, {}) == log
    assert "## Unreleased\n\n## 0.2.0 (2026-12-01)\n" in changelog.released(log, "0.2.0", "2026-12-01")


@pytest.mark.parametrize(
    ("name", "text"),
    [("added.md", "- A\n"), ("2.novel.md", "- A\n"), ("2.added.md", "A\n"), ("2.added.txt", "- A\n")],
)
def test_odd_fragments_are_refused(
    tool: Callable[[str], ModuleType], tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    found, wrong = tool("changelog").fragments(tmp_path)
    assert found == {}
    assert len(wrong) == 1
    assert name in wrong[0]
