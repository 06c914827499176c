"""The plan and the verdict as text: eighty columns, two parts, one last line."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from shortlist.report.inert import columns
from shortlist.report.text import WIDTH, preview_text, verdict_text
from tests.report.bundles import realistic


@pytest.mark.parametrize("signals", [0, 1, 4, 12])
@pytest.mark.parametrize("scale", [1.0, 1e-9, 123456.7, 1e200])
def test_eighty_columns_whatever_the_numbers(signals: int, scale: float) -> None:
    b = realistic(n=60, k=20, signals=signals)
    asked = b["evidence"]["asked"]
    for part in (asked["objective"], *asked["parts"], *b["evidence"]["helps"]):
        grown(part, scale)
    text = preview_text(b["preview"]) + verdict_text(b["evidence"])
    assert max(map(columns, text.splitlines())) <= WIDTH
    assert all(line == line.rstrip() for line in text.splitlines())


def grown(part: dict[str, Any], scale: float) -> None:
    for key, v in part.items():
        if key in ("ours", "bound", "difference"):
            part[key] = v * scale
        elif key in ("random", "signals"):
            part[key] = {k: x * scale for k, x in v.items()}


def test_two_parts_and_a_last_line() -> None:
    text = verdict_text(realistic()["evidence"])
    asked, helps = text.split("Whether it helps")
    assert asked.startswith("What was asked (200 random draws, 95% interval; all 3,000 rows)")
    assert "best possible" in asked
    assert "evidence" not in asked
    assert "best possible" not in helps
    last = " ".join(helps.rsplit("\n\n", 1)[1].split())
    assert last == realistic()["evidence"]["verdict"]["line"].replace("strong", "Strong", 1)


def test_every_line_says_what_it_should() -> None:
    lines = verdict_text(realistic()["evidence"]).splitlines()
    assert "  this choice                         1.040           0.8172           0.2224" in lines
    assert "    95% interval             0.925 to 0.939 0.7310 to 0.7540 0.1790 to 0.2020" in lines
    assert "  best possible                       1.064" in lines
    assert "  within 2.4% of the best possible for this run" in lines
    assert "  tokens: 19,987, random 19,871, at most 20,000" in lines
    assert "  lang:de >= 10%              53        50           3 to spare" in lines
    assert "    difference                 +0.0319   +0.0251 to +0.0384, p 0.01 adjusted" in lines
    assert "  mean of toxicity (lower is better)                               weak evidence" in lines


def test_signals_are_listed_best_first_and_the_rest_is_counted() -> None:
    b = realistic(n=60, k=20, signals=12)
    text = verdict_text(b["evidence"])
    assert "  and 6 more signals that come after these" in text
    helps = text.split("mean of toxicity")[1]
    names = [line.split()[2] for line in helps.splitlines() if "top by" in line]
    worst_last = sorted(b["evidence"]["helps"][2]["signals"].items(), key=lambda nv: nv[1])
    assert names == [n for n, _ in itertools.islice(worst_last, 3)]


def test_what_went_wrong_is_said() -> None:
    b = realistic(n=60, k=20)
    b["evidence"]["asked"]["constraints"][2].update(slack=-4, tight=True)
    b["evidence"]["helps"][0]["worse"] = True
    b["evidence"]["helps"][1]["ours"] = None
    text = verdict_text(b["evidence"])
    assert "short by 4" in text
    assert "worse than random" in text
    assert "this choice                      –" in text


def test_nothing_judged_is_no_evidence() -> None:
    for evidence in ({}, {"asked": {}, "helps": [], "verdict": {}}):
        assert verdict_text(evidence).endswith("No evidence this beats random here: nothing was judged\n")


def test_the_plan_names_what_was_found_and_what_was_not_used() -> None:
    b = realistic()
    b["preview"] |= {"ignored": {"meta": "holds objects"}, "notes": ["2 texts are empty"]}
    lines = preview_text(b["preview"]).splitlines()
    assert lines[0] == "The plan"
    assert "  input       prompts.jsonl, 3,000 rows, 4.2 MB" in lines
    assert "  signal  role    direction  present  range           known by" in lines
    assert "  ppl     score   lower          98%  0.01 to 0.99    told" in lines
    assert "    ppl: 54 missing, the median, 0.52" in lines
    assert "    meta: holds objects" in lines
    assert "  2 texts are empty" in lines
    assert preview_text({}) == "The plan\n\n"
