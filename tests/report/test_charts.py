"""Positions: order kept, within the frame, nothing on top of another, for any numbers."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shortlist.report.charts import MOST_SIGNALS, Axis, bars, difference, looks, panel, spread
from shortlist.report.curve import LABEL_GAP, curve
from shortlist.report.groups import MOST_GROUPS, groups
from shortlist.report.numerals import aligned, figure, percent, signed, typeset
from shortlist.report.scatter import POINTS, scatter

ANY = st.floats(allow_nan=False, allow_infinity=False)
MODEST = st.floats(-1e6, 1e6)
ODD = st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=2), st.booleans())


@given(st.lists(ANY, min_size=1, max_size=8))
def test_an_axis_keeps_the_order_and_holds_all(values: list[float]) -> None:
    axis = Axis.over(values)
    at = [axis.at(v) for v in sorted(values)]
    assert at == sorted(at)
    assert all(0 <= a <= 100 for a in at)
    assert all(
        axis.low <= t <= axis.high or math.isclose(t, axis.low) or math.isclose(t, axis.high)
        for t in axis.ticks()
    )
    assert len(axis.ticks()) <= 6


@given(st.lists(MODEST, min_size=2, max_size=6, unique=True))
def test_ticks_are_round_and_evenly_apart(values: list[float]) -> None:
    ticks = Axis.over(values).ticks()
    if len(ticks) > 2:
        steps = [b - a for a, b in pairwise(ticks)]
        assert max(steps) - min(steps) < 1e-6 * max(steps) + 1e-9 * max(map(abs, ticks))
        digits = f"{steps[0]:.2e}"[0]
        assert digits in "1259"  # 9 from rounding of the difference


@given(st.lists(st.floats(0, 100), max_size=12), st.floats(0, 30))
def test_spread_keeps_apart_within_the_room(wanted: list[float], gap: float) -> None:
    at = spread(wanted, gap, 0.0, 100.0)
    assert len(at) == len(wanted)
    assert all(-0.01 <= a <= 100.01 for a in at)
    order = sorted(range(len(at)), key=lambda i: (wanted[i], i))
    room = min(gap, 100 / max(1, len(at) - 1))
    for i, j in pairwise(order):
        assert at[j] - at[i] >= room - 0.02
    apart = [b - a for a, b in pairwise(sorted(wanted))]
    if all(g >= gap for g in apart):
        assert all(abs(a - w) < 0.011 for a, w in zip(at, wanted, strict=True))


@given(st.dictionaries(st.text(max_size=3), ODD, max_size=12), ODD, ODD, ODD, ODD, ODD, st.booleans())
def test_a_panel_of_anything(
    signals: dict[str, Any], ours: Any, mean: Any, low: Any, high: Any, bound: Any, descending: bool
) -> None:
    measured = {
        "ours": ours,
        "random": {"mean": mean, "low": low, "high": high},
        "signals": signals,
        "bound": bound,
    }
    p = panel("x", measured, looks(list(signals)), descending=descending)
    assert p.marks[0].look == "ours"
    for m in p.marks:
        assert (m.at is None) == (m.value is None) == (m.text == "–")
        assert m.at is None or 0 <= m.at <= 100
        assert m.span is None or all(0 <= s <= 100 for s in m.span)
    shown = [m.value for m in p.marks if m.label.startswith("top by")]
    assert shown == sorted(shown, key=lambda v: v or 0.0, reverse=descending)
    assert len(shown) <= MOST_SIGNALS
    good = sum(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < math.inf for v in signals.values()
    )
    assert len(shown) + p.more == good


def test_a_difference_is_held_against_zero() -> None:
    p = difference("d", 0.5, [0.1, 0.9])
    assert p is not None
    (m,) = p.marks
    assert p.zero is not None
    assert m.at is not None
    assert m.span is not None
    assert p.zero < m.span[0] < m.at < m.span[1]
    assert difference("d", None, None) is None
    bare = difference("d", -1.0, [None, 2.0])
    assert bare is not None
    assert bare.marks[0].span is None


LIMIT = st.fixed_dictionaries(dict.fromkeys(("text", "kind", "value", "low", "high", "slack", "tight"), ODD))


@given(st.lists(LIMIT, max_size=5))
def test_bars_of_anything(constraints: list[dict[str, Any]]) -> None:
    for b in bars(constraints):
        assert 0 <= b.fill <= 100
        for end in (b.low, b.high):
            assert end is None or 0 <= end[0] <= 100


def test_a_bar_says_how_much_room_there_is() -> None:
    wide, tight, short = bars(
        [
            {"value": 5, "low": 2, "high": 9, "slack": 3, "tight": False},
            {"value": 9, "high": 9, "slack": 0, "tight": True},
            {"value": 1, "low": 2, "slack": -1, "tight": True},
        ]
    )
    assert (wide.room, tight.room, short.room) == ("3 to spare", "tight", "short by 1")
    assert wide.low is not None
    assert wide.high is not None
    assert wide.low[0] < wide.fill < wide.high[0]
    assert tight.high is not None
    assert tight.fill == tight.high[0]


@given(st.integers(2, 6), st.data())
def test_curves_stay_in_the_frame_and_labels_apart(points: int, data: st.DataObject) -> None:
    some = st.lists(ODD, min_size=points, max_size=points)
    d = {
        "k": list(range(1, points + 1)),
        "ours": data.draw(some),
        "random": {key: data.draw(some) for key in ("mean", "low", "high")},
        "signals": {name: data.draw(some) for name in "abcdefghij"},
    }
    for width, height in ((560.0, 400.0), (342.0, 340.0)):
        c = curve(d, looks(list("abcdefghij")), width, height, 110.0)
        if c is None:
            continue
        for line in c.lines:
            assert all(0 <= x <= c.right and 0 <= y <= height for x, y in [*line.marks, line.end])
            assert 0 <= line.label_y <= height
        at = sorted(line.label_y for line in c.lines)
        assert all(b - a >= LABEL_GAP - 0.1 for a, b in pairwise(at))


def test_no_curve_without_two_points() -> None:
    assert curve({}, {}, 500, 400, 100) is None
    assert curve({"k": [3], "ours": [1.0]}, {}, 500, 400, 100) is None
    assert curve({"k": [1, 2], "ours": [None, None]}, {}, 500, 400, 100) is None


def test_points_are_told_apart_by_shape_and_cost_few_bytes() -> None:
    n = 5000
    places = {"x": list(range(n)), "y": [0.5] * n}
    c = scatter(places | {"status": [i % 3 for i in range(n)], "rank": [None] * n, "label": ["a"] * n})
    assert c is not None
    assert len(c.points) == POINTS
    forms = {name: re.sub(r"\d+", "0", path).split("M")[1] for name, path in c.paths.items()}
    assert forms == {"not chosen": "0 0h0", "chosen": "0 0l.0 .0", "dropped": "0 0l0 0m0-0l-0 0"}
    assert sum(map(len, c.paths.values())) < 25 * POINTS
    assert sum(c.counts.values()) == POINTS
    assert scatter({}) is None


def test_groups_largest_first_and_none_is_lost() -> None:
    names = [f"g{i}" for i in range(40)]
    found = groups({"names": names, "pool": list(range(40)), "chosen": [1] * 40})
    assert len(found) == MOST_GROUPS + 1
    assert found[-1].name == "28 other groups"
    assert sum(g.pool for g in found) == sum(range(40))
    assert sum(g.chosen for g in found) == 40
    assert max(max(g.pool_at, g.chosen_at) for g in found) == 100
    assert groups({}) == []
    assert groups({"names": ["a"], "pool": [0], "chosen": [0]})[0].chosen_share == 0


@given(ANY)
def test_figures_read_back(x: float) -> None:
    text = figure(x).replace(",", "")
    assert abs(x) > 1e308 or math.isclose(float(text), x, rel_tol=6e-4)
    assert typeset(figure(x)).replace("−", "").strip("0123456789.,×⁰¹²³⁴⁵⁶⁷⁸⁹⁻") == ""


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6))
def test_compared_numbers_keep_their_order(values: list[float]) -> None:
    read = [float(t.replace(",", "")) for t in aligned(values)]
    order = sorted(range(len(values)), key=values.__getitem__)
    assert [read[i] for i in order] == sorted(read)
    spread_ = max(values) - min(values)
    if len(set(values)) > 1 and spread_ > 1e-5 * max(map(abs, values)):
        assert max(read) > min(read)


def test_small_words() -> None:
    assert [signed(t) for t in ("0.5", "-0.5", "0.00", "–")] == ["+0.5", "-0.5", "0.00", "–"]
    assert [percent(x) for x in (0.12345, 1.0, None, math.nan)] == ["12%", "100%", "–", "–"]
    assert [figure(x) for x in (True, "3", math.inf, 10**400)] == ["–"] * 4
