"""The page: inert, self-contained, small, true to its bundle."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import math
import re
import unicodedata
from typing import Any

import pytest

from shortlist.report.html import MOST_BYTES, render
from shortlist.report.view import script_json
from tests.report.bundles import bare, realistic
from tests.report.hostile import PAYLOADS, TERMINAL, everywhere
from tests.report.page import Element, read

TAGS = """html head meta title link style body a svg defs path circle line rect text use g p header nav main
section h1 h2 h3 span dl dt dd div ul li b bdi data article figure figcaption table thead tbody tr th td small
details summary form label input select option output button pre code script"""
KNOWN = frozenset(TAGS.split())


@pytest.fixture(scope="module")
def html() -> str:
    return render(realistic())


@pytest.fixture(scope="module")
def page(html: str) -> Element:
    return read(html)


def test_there_are_300_payloads() -> None:
    assert len(set(PAYLOADS)) == 300


def test_foreign_text_stays_text() -> None:
    # Element by element the page is what harmless words in the same places give.
    words = tuple(f"word {i}" for i in range(len(PAYLOADS)))
    found, want = (shape(read(render(everywhere(p)))) for p in (PAYLOADS, words))
    assert found == want
    assert {tag for tag, _ in found} <= KNOWN
    assert not {name for _, names in found for name in names if name.startswith("on") or name == "style"}


def test_what_is_invisible_is_spelled_out() -> None:
    page = render(everywhere(TERMINAL))
    odd = {c for c in page if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")}
    assert odd <= {"\n"}
    assert "\\u202e" in page


def shape(tree: Element) -> list[tuple[str, tuple[str, ...]]]:
    return [(e.tag, tuple(e.attrs)) for e in tree.walk() if e is not tree]


@pytest.mark.parametrize("payload", PAYLOADS[::5])
def test_data_cannot_leave_its_element(payload: str) -> None:
    text = script_json({"a": payload})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": payload}


def test_hostile_numbers_and_shapes_are_drawn() -> None:
    b = realistic(n=60, k=20)
    values: list[Any] = [
        float("nan"),
        float("inf"),
        -float("inf"),
        10**400,
        None,
        "x",
        True,
        1e308,
        -1e308,
        5e-324,
    ]
    o = b["evidence"]["asked"]["objective"]
    for turn in (1, 4, 7):
        for v, w in zip(values, values[turn:] + values[:turn], strict=True):
            o.update(
                ours=v, bound=w, random={"mean": w, "low": v, "high": w}, signals={"a": v, "b": w}, within=v
            )
            b["rows"][0].update(gain=v, cost=w, rank=v if isinstance(v, int) else None)
            b["evidence"]["asked"]["curve"] = {
                "k": [1, v, 3],
                "ours": [v, w, 1.0],
                "random": {},
                "signals": {"a": [w]},
            }
            b["evidence"]["asked"]["constraints"][0].update(value=v, low=w, high=v, slack=w)
            b["map"].update(
                x=[0.0, v, 1.0], y=[w, 0.0, 1.0], status=[0, 1, 2], rank=[None, 1, None], label="abc"
            )
            out = render(b)
            assert (
                "nan"
                not in re.sub(r"<script.*?</script>|<style.*?</style>", "", out, flags=re.S).lower().split()
            )
            assert read(out).one("h1")


def test_a_bare_bundle_is_a_page() -> None:
    for b in (
        {},
        bare(),
        {
            "evidence": {"asked": {"constraints": [{}], "costs": [{}], "parts": [{}, {}]}, "helps": [{}]},
            "rows": [{}],
            "preview": {"lines": [{}], "signals": [{}]},
        },
    ):
        tree = read(render(b))
        assert "No evidence" in tree.one("h1").text()


def test_nothing_is_asked_of_anyone(html: str, page: Element) -> None:
    for e in page.walk():
        for name in ("src", "href", "action", "data", "xlink:href", "poster", "srcset"):
            assert e.attrs.get(name, "#").startswith("#") or e.attrs[name] == "data:,"
    assert not re.findall(r"(?i)https?://|url\(|@import|//[a-z0-9-]+\.[a-z]", html)


def test_the_policy_lets_in_what_is_written_here_and_nothing_else(page: Element) -> None:
    policy = next(e for e in page.all("meta") if "http-equiv" in e.attrs)
    assert policy.attrs["http-equiv"] == "Content-Security-Policy"
    rules = dict(part.strip().split(" ", 1) for part in policy.attrs["content"].split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy.attrs["content"]
    script = next(e for e in page.all("script") if "type" not in e.attrs)
    for rule, e in (("script-src", script), ("style-src", page.one("style"))):
        digest = base64.b64encode(hashlib.sha256(e.text().encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    head = [e.tag for e in page.one("head").children]
    assert head.index("meta") < head.index("style")
    assert policy is page.one("head").children[1]


def test_small_whatever_stands_in_it() -> None:
    assert len(render(realistic()).encode()) < MOST_BYTES
    b = realistic(n=3000, k=1500)
    nasty = '<\U0001f600"&\u202e' * 300
    for row in b["rows"]:
        row.update(
            id=nasty, text=nasty, group=nasty, reason=nasty, parts={nasty + str(i): 1 / 3 for i in range(9)}
        )
    b["map"]["label"] = [nasty] * 3000
    b["manifest"] = {nasty + str(i): nasty for i in range(50)}
    b["title"] = nasty
    out = render(b)
    assert len(out.encode()) < 2_000_000
    assert len(read(out).one("table", id="table").all("tr")) == 101


def test_at_most_2000_rows_and_it_says_so() -> None:
    b = realistic()
    b["rows"] = b["rows"] + b["rows"]
    tree = read(render(b))
    assert len(data(tree)["rows"]) == 2000
    assert "2,000 of 3,000 rows" in tree.one("section", id="rows").text()


def test_same_bundle_same_bytes(html: str) -> None:
    assert render(realistic()) == html


def test_rendering_leaves_the_bundle_alone() -> None:
    b = realistic(n=300, k=50)
    before = copy.deepcopy(b)
    render(b)
    assert b == before


def test_readable_without_script(page: Element) -> None:
    assert "Strong evidence that this beats random here" in page.one("h1").text()
    assert "95% interval +0.0251 to +0.0384" in page.one("section", id="verdict").text()
    order = [e.attrs["id"] for e in page.all("section")]
    assert order == ["verdict", "asked", "helps", "charts", "rows", "plan", "manifest"]
    assert len(page.one("table", id="table").all("tr")) == 101
    assert page.one("form", id="tools").attrs.get("hidden") == ""
    asked, helps = page.one("section", id="asked"), page.one("section", id="helps")
    assert "held-out" not in asked.text()
    assert "best possible" in asked.text()
    assert "best possible" not in helps.text()


def test_every_number_is_one_of_the_bundle(page: Element) -> None:
    b = realistic()
    known = {float(x) for x in numbers(b)} | {float(len(b["rows"]))}
    status = b["map"]["status"]
    known |= {float(status.count(s)) for s in (0, 1, 2)}
    found = page.all("data")
    assert len(found) > 300
    for e in found:
        value = float(e.attrs["value"])
        assert value in known
        assert reads_as(e.text(), value), (e.text(), value)


def test_every_number_of_the_evidence_is_on_the_page(page: Element) -> None:
    b = realistic()
    shown = {float(e.attrs["value"]) for e in page.all("data")}
    asked, helps = b["evidence"]["asked"], b["evidence"]["helps"]
    told = [asked[k] for k in ("objective", "parts", "size", "costs", "constraints")]
    keys = ("ours", "mean", "value", "difference", "p_adjusted", "bound", "limit")
    want = {float(x) for part in (told, helps) for x in numbers(part, keys)}
    assert want <= shown
    assert set(map(float, numbers(asked["objective"]["signals"]))) <= shown


def test_rows_in_the_data_are_those_of_the_bundle(page: Element) -> None:
    b, rows = realistic(), data(page)["rows"]
    assert [r["g"] for r in rows] == [r["gain"] for r in b["rows"]]
    assert [r["c"] for r in rows] == [r["cost"] for r in b["rows"]]
    assert [r["r"] for r in rows] == [r["rank"] for r in b["rows"]]
    assert [r["i"] for r in rows] == [str(r["id"]) for r in b["rows"]]


def test_evidence_is_told_by_words_and_shape_as_well_as_colour() -> None:
    icons = set()
    for evidence, words in (("strong", "Strong"), ("weak", "Weak"), ("none", "No"), ("nonsense", "No")):
        b = realistic(n=60, k=20)
        b["evidence"]["verdict"]["evidence"] = evidence
        h1 = read(render(b)).one("h1")
        assert h1.text().strip().startswith(words + " evidence")
        icons.add(tuple(e.attrs.get("d", "") for e in h1.walk()))
    assert len(icons) == 3


def test_worse_than_random_is_said() -> None:
    b = realistic(n=60, k=20)
    b["evidence"]["helps"][1]["worse"] = True
    assert "Worse than random" in read(render(b)).one("section", id="helps").text()


def test_colours_can_be_read_in_both_schemes(page: Element) -> None:
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w{6})", block))
        for block in re.findall(r":root \{([^}]*)\}", page.one("style").text())[:2]
    )
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for ground in ("paper", "raised", "wash", "tint"):
            for text in ("ink", "soft"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for ground in ("paper", "raised"):
            for text in ("ours", "weak", "out"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
            for mark in (
                "random",
                "gap",
                "bound",
                "s1",
                "s2",
                "s3",
                "s4",
                "s5",
                "s6",
                "strong",
                "none",
                "rest",
                "edge",
            ):
                assert contrast(colours[mark], colours[ground]) >= 3.0, (mark, ground)
        assert contrast(colours["on"], colours["strong"]) >= 4.5


def data(tree: Element) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tree.one("script", id="data").text())
    return found


def numbers(value: Any, keys: tuple[str, ...] | None = None, key: str = "") -> list[float]:
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in numbers(v, keys, k)]
    if isinstance(value, list):
        return [x for v in value for x in numbers(v, keys, key)]
    wanted = isinstance(value, int | float) and not isinstance(value, bool) and (keys is None or key in keys)
    return [value] if wanted else []


_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def reads_as(text: str, value: float) -> bool:
    """Whether the printed number is the value, rounded as it is printed."""
    mantissa, _, power = text.replace("−", "-").replace(",", "").rstrip("%").partition("×10")
    scale = 10.0 ** int(power.translate(_RAISED) or 0) * (0.01 if text.endswith("%") else 1.0)
    decimals = len(mantissa.partition(".")[2])
    return math.isclose(float(mantissa) * scale, value, rel_tol=5e-3, abs_tol=0.51 * 10.0**-decimals * scale)


def contrast(a: str, b: str) -> float:
    def luminance(c: str) -> float:
        parts = [int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)
