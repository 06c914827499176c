"""The bench harness: what is slower is said, and the page holds what was measured."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    run = import_module("run")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(run, "PAGE", tmp_path / "benchmarks.md")
    return run


def _figure(value: float, **more: Any) -> dict[str, Any]:
    return {"figure": "f", "value": value, "unit": "s", **more}


def test_ten_percent_needs_a_sentence(bench: ModuleType) -> None:
    assert bench.slower([_figure(1.0)], [_figure(1.1)]) == []
    assert bench.slower([_figure(1.0)], [_figure(0.2)]) == []
    assert bench.slower([], [_figure(9.0)]) == []
    assert bench.slower([_figure(1.0)], [_figure(1.2)]) == ["f: 1 s before, 1.2 s now (20% worse)"]
    up = {"better": "higher"}
    assert bench.slower([_figure(1.0, **up)], [_figure(1.2, **up)]) == []
    assert len(bench.slower([_figure(1.0, **up)], [_figure(0.8, **up)])) == 1


def test_goals_and_ratios_know_their_direction(bench: ModuleType) -> None:
    assert bench.reached(_figure(2.0, goal=2.0)) == "yes"
    assert bench.reached(_figure(2.1, goal=2.0)) == "no"
    assert bench.reached(_figure(0.98, goal=0.97, better="higher")) == "yes"
    assert bench.reached(_figure(0.96, goal=0.97, better="higher")) == "no"
    assert bench.reached(_figure(1.0)) == ""
    assert bench.ratio(_figure(2.0, peer_value=8.0)) == "4.0x"
    assert bench.ratio(_figure(8.0, peer_value=2.0, better="higher")) == "4.0x"
    assert bench.ratio(_figure(8.0, peer="p")) == ""


def test_figures_are_kept_unless_slower_without_a_reason(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "toy.py"

    def run(value: float, *options: str) -> int:
        text = f'print(\'{{"figure": "f", "value": {value}, "unit": "s", "peer": "p", "peer_value": 6}}\')'
        program.write_text(f'if __name__ == "__main__":\n    print("warming up")\n    {text}\n')
        monkeypatch.setattr(sys, "argv", ["run.py", *options])
        code = bench.main()
        assert isinstance(code, int)
        return code

    (tmp_path / "library.py").write_text("a = 1\n")
    assert run(2.0) == 0
    assert "| f | 2 s |  |  | p: 6 s | 3.0x |" in bench.PAGE.read_text("utf-8")
    assert run(3.0) == 1
    assert "f: 2 s before, 3 s now (50% worse)" in capsys.readouterr().err
    assert bench.kept()["toy"]["figures"][0]["value"] == 2.0
    assert run(3.0, "--because", "it checks more") == 0
    assert bench.kept()["toy"]["figures"][0]["value"] == 3.0
    assert "because it checks more" in bench.PAGE.read_text("utf-8")


def test_the_page_of_the_house_is_fresh() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        run = import_module("run")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    assert run.page(run.kept()) == run.PAGE.read_text("utf-8"), "run `python benchmarks/run.py --page`"
