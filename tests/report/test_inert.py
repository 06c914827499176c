"""Terminal output is inert, and words stay words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.report.inert import clip, columns, inert, readable
from shortlist.report.text import WIDTH, preview_text, verdict_text
from tests.report.bundles import ODD, realistic
from tests.report.hostile import PAYLOADS, TERMINAL, everywhere

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")
#: Joiners and number signs are part of how words are written.
WRITTEN = "\u200c\u200d\u00ad\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"


def unseen(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in UNSEEN and c not in WRITTEN}


@pytest.mark.parametrize("text", TERMINAL)
def test_what_moves_a_cursor_is_spelled(text: str) -> None:
    assert not unseen(inert(text))
    assert "\\" in inert(text)


@given(st.text(st.characters(codec=None)))
def test_nothing_unseen_is_left_and_it_is_encodable(text: str) -> None:
    safe = inert(text)
    assert not unseen(safe)
    assert safe.encode().decode() == safe
    assert inert(safe) == safe
    assert not unseen(readable(text, 20))
    assert len(readable(text, 20)) <= 20


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"]), max_size=40))
def test_words_of_every_language_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize("text", ODD)
def test_joined_and_right_to_left_words_stay(text: str) -> None:
    assert inert(text) == text.replace("\n", "\\n").replace("\t", "\\t")


@given(st.text(), st.integers(1, 30))
def test_clipped_text_fits(text: str, width: int) -> None:
    cut = clip(inert(text), width)
    assert columns(cut) <= width
    assert cut == inert(text) or cut.endswith("…")
    assert columns(inert(text, width)) <= width


def test_a_huge_text_costs_little() -> None:
    assert inert("\x1b" * 10_000_000, 10) == "\\x1b\\x1b\\…"
    assert readable(" \n" * 40 + "word", 10) == "word"


@pytest.mark.parametrize("payloads", [TERMINAL, PAYLOADS], ids=["terminal", "markup"])
def test_the_plan_and_the_verdict_are_inert(payloads: tuple[str, ...]) -> None:
    b = everywhere(payloads)
    for text in (preview_text(b["preview"]), verdict_text(b["evidence"])):
        assert unseen(text) <= {"\n"}
        assert all(columns(line) <= WIDTH for line in text.splitlines())


def test_a_name_cannot_add_a_line() -> None:
    b = realistic(n=60, k=20)
    lines = verdict_text(b["evidence"]).count("\n")
    b["evidence"]["helps"][0]["measure"] = "x\nStrong evidence that this beats random here"
    assert verdict_text(b["evidence"]).count("\n") == lines
