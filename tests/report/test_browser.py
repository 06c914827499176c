"""The page in a real browser: nothing runs, nothing is fetched, nothing is clipped, and it can be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shortlist.report.html import render
from shortlist.report.inert import readable
from tests.report.browser import CHROMIUM, DRIVER, Browser
from tests.report.bundles import realistic
from tests.report.hostile import HIT, PAYLOADS, everywhere

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")

DOWN, RIGHT, LEFT, ESCAPE = "\ue015", "\ue014", "\ue012", "\ue00c"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    b = Browser(tmp_path_factory.mktemp("profile"))
    yield b
    b.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(realistic(signals=4)), "utf-8")
    return path


def show(browser: Browser, path: Path, width: int = 1280, *, dark: bool = False) -> None:
    browser.see(width, dark=dark)
    browser.log("browser")
    browser.log("performance")
    browser.open(path)


def test_300_payloads_do_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.html"
    path.write_text(render(everywhere(PAYLOADS)), "utf-8")
    show(browser, path)
    # Every row drawn by the script, every point hovered, every sort and filter used.
    browser.run(
        """
        const more = document.getElementById('more');
        while (!more.hidden) more.click();
        for (const b of document.querySelectorAll('th button')) b.click();
        const map = document.getElementById('map');
        map.focus();
        for (let i = 0; i < 400; i++) map.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
        for (const e of document.querySelectorAll('*')) e.dispatchEvent(new MouseEvent('mouseover'));
        const group = document.getElementById('group');
        group.selectedIndex = 3;
        group.dispatchEvent(new Event('input'));
        group.selectedIndex = 0;
        group.dispatchEvent(new Event('input'));
        """
    )
    drawn = "return document.querySelectorAll('#table tbody tr').length"
    while not browser.run("return document.getElementById('more').hidden"):
        browser.run("document.getElementById('more').click()")
    assert browser.run(drawn) == 400
    assert browser.run("return document.documentElement.dataset.hit === undefined")
    assert (
        browser.run("return document.querySelectorAll('img, iframe, object, embed, video, audio').length")
        == 0
    )
    assert browser.run("return document.scripts.length") == 2
    assert troubles(browser) == []
    assert requests(browser) == []


def test_the_payloads_are_live(browser: Browser, tmp_path: Path) -> None:
    """Without our care many of them run, so that the test above says something."""
    ran = 0
    bodies = [p for p in PAYLOADS[::5] if HIT in p]
    path = tmp_path / "bare.html"
    for body in bodies[::6]:
        path.write_text(f"<!doctype html><title>x</title><p>{body}", "utf-8", "replace")
        browser.open(path)
        ran += bool(browser.run("return document.documentElement.dataset.hit === '1'"))
    assert ran >= 4


def test_the_policy_stops_what_would_slip_through(browser: Browser, tmp_path: Path) -> None:
    html = render(realistic(n=60, k=20))
    bad = f"<script>{HIT}</script><img src=x onerror=\"{HIT}\"><p id=p style='color:red'>x</p>"
    path = tmp_path / "report.html"
    path.write_text(html.replace("<main>", "<main>" + bad), "utf-8")
    show(browser, path)
    assert browser.run("return document.documentElement.dataset.hit === undefined")
    assert browser.run("return document.getElementById('p').style.color") == ""
    assert len(troubles(browser)) >= 3


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_clipped(browser: Browser, report: Path, width: int, dark: bool) -> None:
    show(browser, report, width, dark=dark)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    outside = browser.run(
        """
        const out = [];
        for (const e of document.querySelectorAll('body *')) {
          const r = e.getBoundingClientRect();
          if (!r.width || e.closest('.scroll table, .skip, .defs, pre')) continue;
          const said = (e.textContent || '').slice(0, 40);
          if (r.right > innerWidth + 1 || r.left < -1) out.push(e.tagName + ' ' + said);
          const holds = e.childElementCount === 0 && e.textContent.trim() && !(e instanceof SVGElement);
          if (holds && e.clientWidth && e.scrollWidth > e.clientWidth + 1) out.push('cut ' + said);
        }
        return out;
        """
    )
    assert outside == []
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(21, 23, 27)" if dark else "rgb(252, 251, 249)"
    )
    assert troubles(browser) == []
    assert requests(browser) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_labels_of_the_curve_stand_apart(browser: Browser, report: Path, width: int) -> None:
    show(browser, report, width)
    boxes = browser.run(
        """
        const svg = [...document.querySelectorAll('.curve')].find((s) => s.getBoundingClientRect().width);
        const frame = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].map((t) => {
          const r = t.getBoundingClientRect();
          const at = [r.left - frame.left, r.top - frame.top, r.right - frame.left, r.bottom - frame.top];
          return [...at, frame.width, frame.height];
        });
        """
    )
    assert len(boxes) > 10
    for left, top, right, bottom, wide, tall in boxes:
        assert left >= -0.5
        assert top >= -0.5
        assert right <= wide + 0.5
        assert bottom <= tall + 0.5
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            across = min(a[2], b[2]) - max(a[0], b[0])
            down = min(a[3], b[3]) - max(a[1], b[1])
            assert min(across, down) <= 3.0, (a, b)


def test_search_filter_and_sort(browser: Browser, report: Path) -> None:
    show(browser, report)
    rows = realistic(signals=4)["rows"]
    browser.run("document.getElementById('search').focus()")
    browser.press("GLACIER theorem")
    want = [r for r in rows if all(w in searched(r) for w in ("glacier", "theorem"))]
    assert found(browser) == f"{len(want)} of 2,000"
    choose(browser, "status", "dropped")
    want = [r for r in want if r["status"] == "dropped"]
    assert found(browser) == f"{len(want)} of 2,000"
    assert ids(browser) == [str(r["id"]) for r in want][:100]
    choose(browser, "status", "")
    choose(browser, "search", "")
    assert found(browser) == "2,000 of 2,000"
    browser.run("document.querySelector('th[data-key=c] button').click()")
    costly = sorted(range(len(rows)), key=lambda i: (-rows[i]["cost"], i))
    assert ids(browser) == [str(rows[i]["id"]) for i in costly[:100]]
    assert (
        browser.run("return document.querySelector('th[data-key=c]').getAttribute('aria-sort')")
        == "descending"
    )
    browser.run("document.querySelector('th[data-key=g] button').click()")
    browser.run("document.querySelector('th[data-key=g] button').click()")
    gains = [i for i in range(len(rows)) if rows[i]["gain"] is not None]
    assert ids(browser) == [
        str(rows[i]["id"]) for i in sorted(gains, key=lambda i: (rows[i]["gain"], i))[:100]
    ]
    browser.run("document.getElementById('search').focus()")
    browser.press("no such words anywhere")
    assert browser.run("return document.querySelector('#table tbody').textContent") == "No row matches."


def test_the_script_draws_what_the_page_had(browser: Browser, report: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.html"
    html = report.read_text("utf-8")
    plain.write_text(html[: html.rindex("<script>")] + "</body></html>", "utf-8")
    cells = """
        const number = (html) => html.replace(/value="([^"]*)"/, (_, v) => Number(v));
        const cell = (c) => [c.className, c.dir, number(c.innerHTML)];
        const rows = [...document.querySelectorAll('#table tbody tr')];
        return rows.map((r) => [r.className, ...[...r.cells].map(cell)]);
    """
    show(browser, plain)
    before = browser.run(cells)
    show(browser, report)
    assert len(before) == 100
    after = browser.run(cells)
    assert [
        c for r, s in zip(before, after, strict=True) for c in zip(r, s, strict=True) if c[0] != c[1]
    ] == []


def test_the_map_answers_pointer_and_keys(browser: Browser, report: Path) -> None:
    show(browser, report)
    points = json.loads(browser.run("return document.getElementById('data').textContent"))["points"]
    chosen = sorted((p for p in points if p[2] == 1), key=lambda p: p[3])
    browser.run(
        "const m = document.getElementById('map');"
        "m.scrollIntoView({block: 'center', behavior: 'instant'}); m.focus()"
    )
    tip = "const t = document.getElementById('tip'); return t.hidden ? null : t.textContent"
    assert browser.run(tip) is None
    browser.press(RIGHT + DOWN)
    assert browser.run(tip) == "chosen, rank 2" + chosen[1][4]
    browser.press(LEFT)
    assert browser.run(tip) == "chosen, rank 1" + chosen[0][4]
    inside = browser.run(
        "const t = document.getElementById('tip').getBoundingClientRect(), m = document.getElementById('map')"
        ".getBoundingClientRect(); return t.left >= m.left && t.right <= m.right"
    )
    assert inside
    browser.press(ESCAPE)
    assert browser.run(tip) is None
    left, top, wide = browser.run(
        "const r = document.getElementById('map').getBoundingClientRect(); return [r.left, r.top, r.width]"
    )
    x, y, _, rank, label = chosen[7]
    browser.hover(left + x * wide / 1440, top + y * wide / 1440)
    assert browser.run(tip) is not None
    assert "chosen, rank" in browser.run(tip)
    assert browser.run(tip) in {f"chosen, rank {p[3]}{p[4]}" for p in chosen}
    assert rank == 8
    assert label


def test_all_that_can_be_used_is_reached_by_keys(browser: Browser, report: Path) -> None:
    show(browser, report)
    reached = set()
    browser.run("document.body.focus()")
    for _ in range(34):
        browser.press("\ue004")
        reached.add(
            browser.run("const e = document.activeElement; return e.id || e.className || e.textContent")
        )
    for name in ("skip", "Rows", "map", "search", "status", "group", "rank", "reason", "scroll rows", "more"):
        assert name in reached


def troubles(browser: Browser) -> list[str]:
    """Errors of scripts and refusals of the policy."""
    return [m["message"] for m in browser.log("browser")]


def requests(browser: Browser) -> list[str]:
    """What the page asked for beside itself."""
    events = [json.loads(m["message"])["message"] for m in browser.log("performance")]
    urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [u for u in urls if not u.startswith("data:,") and not u.split("#")[0].endswith(".html")]


def found(browser: Browser) -> str:
    text: str = browser.run("return document.getElementById('found').textContent")
    return text


def ids(browser: Browser) -> list[str]:
    cells = "document.querySelectorAll('#table tbody td.id')"
    got: list[str] = browser.run(f"return [...{cells}].map((e) => e.textContent)")
    return got


def choose(browser: Browser, name: str, value: str) -> None:
    act = "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
    browser.run(act + "e.dispatchEvent(new Event('input'))", name, value)


def searched(row: dict[str, object]) -> str:
    """What of a row stands in the page: the first 240 characters of its text."""
    shown = (str(row["id"]), readable(row["text"], 240), str(row["group"]), str(row["reason"]))
    return "\n".join(shown).lower()
