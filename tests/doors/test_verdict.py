"""The one line: strong, weak, none; worse than random and worse than one signal are said plainly."""

from __future__ import annotations

from typing import Any

from shortlist.doors.verdict import judged, verdict


def line(measure: str = "mean q", *, p: float, worse: float = 1.0, aside: bool = True, **more: Any) -> dict:
    return {
        "measure": measure,
        "column": "q" if aside else None,
        "set_aside": aside,
        "how": "",
        "ours": 1.0,
        "random": {"mean": 0.5, "low": 0.4, "high": 0.6},
        "signals": {},
        "best_signal": None,
        "difference": 0.5,
        "interval": [0.4, 0.6],
        "p": p,
        "p_worse": worse,
        "better": "higher",
    } | more


def words(*lines: dict) -> dict[str, Any]:
    return verdict(judged(lines))


def test_levels() -> None:
    assert words(line(p=0.025))["evidence"] == "strong"
    assert words(line(p=0.026))["evidence"] == "weak"
    assert words(line(p=0.051))["evidence"] == "none"
    assert words(line(p=0.01))["line"] == (
        "strong evidence that this beats random here: mean q 1 against 0.5, difference +0.5, "
        "95% interval +0.4 to +0.6"
    )
    assert words(line(p=0.5))["line"].startswith("no evidence this beats random here: mean q")


def test_set_aside_signals_judge_and_held_out_coverage_only_without_them() -> None:
    cover = line("coverage of held-out rows", p=0.005, aside=False)
    alone, beside = words(cover), words(cover, line(p=0.4))
    assert alone["evidence"] == "strong"
    assert alone["judged_by"] == ["coverage of held-out rows"]
    assert beside["evidence"] == "none"
    assert beside["judged_by"] == ["mean q"]


def test_holm_over_the_set_aside_only() -> None:
    lines = judged([line("a", p=0.01), line("b", p=0.02), line("c", p=0.02, aside=False)])
    assert [h["p_adjusted"] for h in lines] == [0.02, 0.02, 0.02]
    lines = judged([line("a", p=0.02), line("b", p=0.2), line("c", p=0.02, aside=False)])
    assert [h["p_adjusted"] for h in lines] == [0.04, 0.2, 0.02]
    found = verdict(lines)
    assert found["evidence"] == "weak"
    assert "0 of 2 set-aside measures strong after Holm's correction" in found["line"]


def test_worse_than_random_is_said_and_spoils_a_strong_claim() -> None:
    bad = line("bad", p=1.0, worse=0.005, ours=0.1, difference=-0.4, interval=[-0.5, -0.3])
    assert "it is worse than random: bad 0.1 against 0.5" in words(bad)["line"]
    assert words(bad)["evidence"] == "none"
    mixed = words(line("good", p=0.005), bad)
    assert mixed["evidence"] == "weak"
    assert "worse than random: bad" in mixed["line"]
    two = words(bad, bad | {"measure": "bad too"})
    assert two["evidence"] == "none"
    assert "bad 0.1" in two["line"]
    assert "worse than random: bad too" in two["line"]


def test_a_better_single_signal_is_named() -> None:
    better = line(p=0.01, best_signal={"name": "len", "value": 2.0})
    assert "top-k by 'len' alone does better on mean q (2)" in words(better)["line"]
    same = line(p=0.01, best_signal={"name": "len", "value": 1.05})
    assert "does as well" in words(same)["line"]
    assert "len" not in words(line(p=0.5, best_signal={"name": "len", "value": 1.05}))["line"]
    assert "len" not in words(line(p=0.01, best_signal={"name": "len", "value": 0.9}))["line"]
    lower = line(p=0.01, better="lower", best_signal={"name": "len", "value": 0.2})
    assert "does better" in words(lower)["line"]
    assert "(lower is better)" in words(lower)["line"]


def test_what_could_not_be_judged_is_said() -> None:
    nothing = verdict([])
    assert nothing["evidence"] == "none"
    assert "nothing was set aside" in nothing["line"]
    assert verdict([], ["held-out rows: no"])["line"].endswith(": held-out rows: no")
    assert words(line(p=1.0, ours=None))["line"].endswith("no chosen row has a value")
    assert verdict(judged([line(p=0.01)]), ["but this was not"])["line"].endswith("; but this was not")
