"""What columns are for: told, inferred, ignored with a reason; what stands in for missing values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import ContractError, InputError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Scores, Tags, Text
from shortlist.store.loaded import Loaded
from shortlist.store.read import read
from shortlist.store.roles import Roles, split_suffix

LONG = [f"a sentence that is long enough to be taken for the text, number {i}" for i in range(20)]


def frame(**columns: Any) -> pa.Table:
    return pa.table(columns)


def inferred(t: pa.Table) -> tuple[dict[str, str], dict[str, str]]:
    loaded = read(t)
    assert all(s.origin == "inferred" for s in loaded.signals)
    return {s.name: s.role for s in loaded.signals}, dict(loaded.ignored)


def test_what_names_and_values_give_away() -> None:
    t = frame(
        id=list(range(20)),
        prompt=LONG,
        response=[x + x for x in LONG],
        source=["web", "code"] * 10,
        reward=np.linspace(0, 1, 20),
        ppl=np.linspace(5, 9, 20),
        n_tokens=list(range(20)),
        tags=[["a"], ["b", "c"]] * 10,
        emb=np.random.default_rng(0).normal(size=(20, 8)).tolist(),
        x=np.linspace(0, 1, 20),
        ok=[True, False] * 10,
        same=["x"] * 20,
        flat=[1.0] * 20,
        nothing=pa.nulls(20),
        nested=[{"a": 1}] * 20,
        messages=[["hi"], ["you"]] * 10,
        short=[[1.0], [2.0]] * 10,
        name=[f"n{i}" for i in range(20)],
        constant_score=[1] * 20,
    )
    roles, ignored = inferred(t)
    assert roles == {
        "response": "text",
        "emb": "vector",
        "reward": "score",
        "ppl": "score",
        "source": "group",
        "n_tokens": "cost",
        "tags": "tags",
    }
    directions = {s.name: s.direction for s in read(t).signals}
    assert (directions["reward"], directions["ppl"], directions["n_tokens"]) == ("higher", "lower", "lower")
    assert "another column is the text" in ignored["prompt"]
    assert "whether higher is better" in ignored["x"]
    assert "whether higher is better" in ignored["flat"]
    assert ignored["constant_score"] == "has one value only"
    assert "say which" in ignored["ok"]
    assert ignored["same"] == "has one value only"
    assert ignored["name"] == "20 different strings in 20 rows: neither the text nor clearly a group"
    assert "--tags" in ignored["messages"]
    assert "lists" in ignored["short"]
    assert set(roles) | set(ignored) | {"id"} == set(t.column_names)


@pytest.mark.parametrize("how", ["frame", "jsonl", "csv"])
def test_every_format_is_read_alike(tmp_path: Path, how: str) -> None:
    rows = [
        {"id": f"r{i}", "text": LONG[i], "lang": "de" if i % 2 else "en", "score": i / 3} for i in range(20)
    ]
    path = tmp_path / f"pool.{how}"
    if how == "jsonl":
        path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    elif how == "csv":
        path.write_text(
            "id,text,lang,score\n"
            + "".join(f'{r["id"]},"{r["text"]}",{r["lang"]},{r["score"]}\n' for r in rows)
        )
    loaded = read(pa.Table.from_pylist(rows) if how == "frame" else path)
    assert [(s.name, s.role, s.direction) for s in loaded.signals] == [
        ("text", "text", ""),
        ("score", "score", "higher"),
        ("lang", "group", ""),
    ]
    assert loaded.ids[3] == "r3"
    assert (loaded.named("text"), loaded.named("group"), loaded.named("vector")) == (("text",), ("lang",), ())


def test_two_columns_of_vectors_are_ambiguous_unless_one_is_named_so() -> None:
    v = np.random.default_rng(0).normal(size=(20, 8)).tolist()
    assert inferred(frame(a=v, b=v)) == (
        {},
        dict.fromkeys("ab", "one of several columns of vectors; use --vector NAME"),
    )
    assert inferred(frame(a=v, my_embedding=v))[0] == {"my_embedding": "vector"}


def test_an_id_column_that_repeats_is_an_error_and_can_be_waived() -> None:
    t = frame(id=["a", "a"], text=LONG[:2])
    with pytest.raises(InputError, match=r"row 2, column 'id': the id 'a' stands already in .*, row 1"):
        read(t)
    loaded = read(t, Roles(id=""))
    assert [loaded.ids[0], loaded.ids[1]] == ["1", "2"]
    other = frame(question_id=["a", "a"], doc_key=["x", "y"])
    assert read(other).ids[1] == "2"
    assert read(frame(question_id=["a", "b"])).ids[1] == "b"


def test_an_inferred_column_that_fails_says_how_to_leave_it_out() -> None:
    v = np.random.default_rng(0).normal(size=(3, 8))
    v[1] = 0
    with pytest.raises(InputError, match=r"row 2, column 'e': a vector of zeros .*--vector '' leaves it out"):
        read(frame(e=v.tolist()))
    assert read(frame(e=v.tolist()), Roles(vector="")).read == 3
    with pytest.raises(InputError, match=r"column 'e': a vector of zeros has no direction; .*bad rows$"):
        read(frame(e=v.tolist()), Roles(vector="e"))


def test_lists_of_whole_numbers_are_vectors_only_by_name() -> None:
    t = frame(correct=[[0] * 8, [1] * 8])
    assert read(t).ignored == {"correct": "lists; use --tags NAME if they name groups"}
    assert read(frame(emb=[[1] * 8, [2] * 8])).named("vector") == ("emb",)


def test_nothing_is_inferred_for_a_role_that_is_told_to_be_empty() -> None:
    t = frame(
        id=["a", "b"], text=LONG[:2], score=[1.0, 2], lang=["x", "y"], tokens=[1, 2], tags=[["x"], ["y"]]
    )
    loaded = read(t, Roles(text="", vector="", score=(), group=(), cost=(), tags=()))
    assert loaded.pool.columns == {}
    assert (len(loaded.pool), loaded.signals) == (2, ())


def test_holdout_columns_are_set_aside_in_the_kind_of_their_values(tmp_path: Path) -> None:
    t = frame(
        score=[1.0, None, 3], grade=["x", "y", None], tags=[["a"], [], ["b"]], loss=[1, 2, 3], text=LONG[:3]
    )
    loaded = read(t, Roles(holdout=("score", "grade", "tags", "loss")))
    assert list(loaded.pool.columns) == ["text"]
    aside = loaded.set_aside
    assert isinstance(aside["score"], Scores)
    assert aside["score"].missing is not None
    assert aside["score"].values.tolist() == [1, 2, 3]  # the median for what is missing, and the mask says so
    assert aside["score"].missing.tolist() == [False, True, False]
    assert isinstance(aside["grade"], Labels)
    assert isinstance(aside["tags"], Tags)
    assert isinstance(aside["loss"], Scores)
    assert not aside["loss"].higher_is_better
    assert [s.role for s in loaded.signals] == ["text", *["holdout"] * 4]
    path = tmp_path / "pool.csv"
    path.write_text("a,b\n1,x\n2,3\n")
    kinds = read(path, Roles(holdout=("a", "b"))).set_aside
    assert (type(kinds["a"]), type(kinds["b"])) == (Scores, Labels)


@pytest.mark.parametrize(
    ("rule", "direction", "values", "fill"),
    [
        (None, "higher", [1, 1, 3, 9], "missing is the worst value seen (lowest), 1"),
        (None, "lower", [1, 9, 3, 9], "missing is the worst value seen (highest), 9"),
        ("worst", "lower", [1, 9, 3, 9], "missing is the worst value seen (highest), 9"),
        ("median", "higher", [1, 3, 3, 9], "missing is the median, 3"),
        ("-2.5", "higher", [1, -2.5, 3, 9], "missing is the number told, -2.5"),
        (7, "higher", [1, 7, 3, 9], "missing is the number told, 7"),
        ("drop", "higher", [1, 3, 9], ""),
    ],
)
def test_missing_scores(rule: Any, direction: str, values: list[float], fill: str) -> None:
    t = frame(s=[1.0, None, 3, 9])
    loaded = read(t, Roles(score=(f"s:{direction}",)), missing={} if rule is None else {"s": rule})
    signal = loaded.pool.signal("s", Scores)
    assert signal.values.tolist() == values
    assert signal.higher_is_better == (direction == "higher")
    (info,) = loaded.signals
    assert info.fill == signal.fill == fill
    if rule == "drop":
        assert [(r.row, r.column, r.reason) for r in loaded.rejected] == [(2, "s", "no value (told to drop)")]
        assert info.missing == 0
    else:
        assert signal.missing is not None
        assert signal.missing.tolist() == [False, True, False, False]
        assert (info.missing, info.coverage) == (1, 0.75)


@pytest.mark.parametrize(("rule", "value"), [("median", 2), ("worst", 3), (0, 0), ("1.5", 1.5)])
def test_missing_costs_are_refused_unless_told(rule: Any, value: float) -> None:
    t = frame(tokens=[1, None, 3])
    with pytest.raises(InputError, match=r"row 2, column 'tokens': no cost; .*--missing tokens=median"):
        read(t, Roles(cost=("tokens",)))
    assert (
        read(t, Roles(cost=("tokens",)), missing={"tokens": rule}).pool.signal("tokens", Costs).values[1]
        == value
    )
    assert len(read(t, Roles(cost=("tokens",)), missing={"tokens": "drop"}).pool) == 2
    # A column with gaps is not inferred to be a cost, so nobody meets that error unasked.
    assert read(t).named("cost") == ()
    with pytest.raises(InputError, match=r"row 2, column 'tokens': -1 is below 0"):
        read(frame(tokens=[1, -1]), Roles(cost=("tokens",)))


def test_missing_names_text_tags_and_vectors() -> None:
    t = frame(
        g=["x", None, "x"],
        text=["a", None, ""],
        t=[["x"], None, []],
        v=[[1.0, 2], None, [3.0, 4]],
    )
    loaded = read(t, Roles(group=("g",), text="text", tags=("t",), vector=""))
    assert {s.name: (s.missing, s.fill) for s in loaded.signals} == {
        "text": (1, "missing is the empty text"),
        "g": (1, "missing is a group of its own, (missing)"),
        "t": (1, "missing is no tag"),
    }
    assert loaded.pool.signal("text", Text)[1] == ""
    for name, roles in (("g", Roles(group=("g",))), ("text", Roles(text="text")), ("t", Roles(tags=("t",)))):
        assert len(read(t, roles, missing={name: "drop"}).pool) == 2
        with pytest.raises(UsageError, match="only drop has a meaning"):
            read(t, roles, missing={name: "median"})
    with pytest.raises(InputError, match=r"no vector; .*--missing v=drop"):
        read(t, Roles(vector="v"))
    assert len(read(t, Roles(vector="v"), missing={"v": "drop"}).pool) == 2


def test_a_score_without_any_value_is_refused() -> None:
    t = frame(s=pa.nulls(3, pa.float64()), text=LONG[:3])
    with pytest.raises(InputError, match=r"row 1, column 's': no row has a value; leave this score out"):
        read(t, Roles(score=("s",)))
    assert read(t, Roles(score=("s",)), missing={"s": 0}).pool.signal("s", Scores).values.tolist() == [
        0,
        0,
        0,
    ]
    dropped = read(t, Roles(score=("s",)), missing={"s": "drop"})
    assert (len(dropped.pool), len(dropped.rejected)) == (0, 3)


@pytest.mark.parametrize("rule", ["mean", "nan", "inf", ""])
def test_a_rule_that_is_none(rule: str) -> None:
    with pytest.raises(UsageError, match="write median, worst, drop or a number"):
        read(frame(s=[1.0, None]), Roles(score=("s",)), missing={"s": rule})


def test_a_rule_for_a_column_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"missing x=...: no such column"):
        read(frame(s=[1.0]), missing={"x": 1})
    with pytest.raises(UsageError, match="a cost is a number from 0 up"):
        read(frame(c=[1.0, None]), Roles(cost=("c",)), missing={"c": -1})


def test_a_column_that_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(
        InputError,
        match=r"column 'rewrad': no such column \(told as score\); there are text, reward; did you mean 'r",
    ):
        read(frame(text=["a"], reward=[1.0]), Roles(score=("rewrad",)))


def test_one_column_has_one_role() -> None:
    with pytest.raises(UsageError, match=r"column 'x' is told as score and as holdout; give it one role"):
        Roles(score=("x:lower",), holdout=("x",))
    assert Roles(score="x").score == ("x",)  # type: ignore[arg-type]
    assert Roles(score=["x", "y"]).score == ("x", "y")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "told", "split"),
    [
        ("score", "ppl:lower", ("ppl", "lower")),
        ("score", "a:b:higher", ("a:b", "higher")),
        ("score", "a:b", ("a:b", "")),
        ("score", ":lower", (":lower", "")),
        ("cost", "price:usd", ("price", "usd")),
        ("cost", "a:b c", ("a:b c", "")),
        ("holdout", "label", ("label", "")),
    ],
)
def test_suffixes(role: str, told: str, split: tuple[str, str]) -> None:
    assert split_suffix(role, told) == split


def test_a_misspelt_direction_is_refused() -> None:
    with pytest.raises(UsageError, match="write ppl:higher or ppl:lower"):
        Roles(score=("ppl:low",))


def test_units_of_costs() -> None:
    t = frame(n_tokens=[1], price=[2], latencySeconds=[3], words=[4], length=[5], c=[6])
    loaded = read(t, Roles(cost=("n_tokens", "price", "latencySeconds", "words", "length", "c:usd")))
    units = {name: signal.unit for name, signal in loaded.pool.columns.items() if isinstance(signal, Costs)}
    assert units == {
        "n_tokens": "tokens",
        "price": "usd",
        "latencySeconds": "seconds",
        "words": "words",
        "length": "length",
        "c": "usd",
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x", "a string 'x', not a number"),
        ([1], "a list"),
        ({"a": 1}, "an object, not a number"),
        (10**400, "a number past 1.8e308"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_in_its_row(tmp_path: Path, value: Any, said: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"s": v}) + "\n" for v in (1, True, None, value, 2.5)))
    with pytest.raises(InputError, match=f"row 4, column 's': {said}"):
        read(path, Roles(score=("s",)))
    loaded = read(path, Roles(score=("s",)), drop_bad=True)
    assert loaded.pool.signal("s", Scores).values.tolist() == [1, 1, 1, 2.5]


def test_an_account_that_does_not_add_up_cannot_be_made() -> None:
    loaded = read(frame(id=["a"]))
    parts = {f: getattr(loaded, f) for f in loaded.__slots__}
    with pytest.raises(ContractError, match="2 rows read, but 1 accepted"):
        Loaded(**{**parts, "read": 2})
    with pytest.raises(ContractError, match="one entry a row"):
        Loaded(**{**parts, "pool": Pool(np.zeros(0, np.int64), {}), "filtered": 1})


scores = st.one_of(st.none(), st.sampled_from([0, 1, 0.5, -1, True, "x", [], 2**70]))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None, 1, "1"]), scores, scores), max_size=10))
@settings(deadline=None, max_examples=150)
def test_every_row_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, Any, Any]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "pool.jsonl"
    path.write_text("".join(json.dumps({"id": i, "s": s, "c": c}) + "\n" for i, s, c in rows))
    roles = Roles(id="id", score=("s",), cost=("c",))
    if not rows:
        return
    loaded = read(path, roles, drop_bad=True, missing={"s": "drop"})
    places = [int(x) for x in loaded.sources.line] + [r.row for r in loaded.rejected]
    assert sorted(places) == list(range(1, len(rows) + 1))
    first_error: InputError | None = None
    try:
        read(path, roles, missing={"s": "drop"})
    except InputError as e:
        first_error = e
    unasked = [r.row for r in loaded.rejected if "told to drop" not in r.reason]
    assert (first_error is not None) == bool(unasked)
    if first_error is not None:
        assert first_error.row in unasked


def test_whole_numbers_set_aside_are_groups_where_they_name_them(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        "".join(f'{{"text": "row {i}", "label": {i % 4}, "grade": {i % 4}}}\n' for i in range(20))
    )

    def kinds(*holdout: str) -> list[str]:
        aside = read(path, Roles(text="text", holdout=holdout)).set_aside
        return [type(s).__name__ for s in aside.values()]

    assert kinds("label", "grade") == ["Labels", "Scores"]
    assert kinds("label:higher", "grade:label") == ["Scores", "Labels"]


@pytest.mark.parametrize(
    ("role", "bad", "said"),
    [
        ("group", [1], "a list, not text"),
        ("group", {"a": 1}, "an object, not text"),
        ("text", [1.5], "a list, not text"),
        ("text", {}, "an object, not text"),
        ("tags", {"a": 1}, "no list of names"),
        ("tags", [["x"]], "no list of names"),
        ("tags", 1.5, "no list of names"),
        ("vector", "x", "no vector"),
        ("vector", {}, "no vector"),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_a_value_that_cannot_play_its_role(
    tmp_path: Path, role: str, bad: Any, said: str, alone: bool
) -> None:
    """The bad value among good ones, and with nothing else in its column."""
    good = {"group": "x", "text": "x", "tags": ["x"], "vector": [1.0, 2.0]}[role]
    values = [bad] if alone else [good, bad, good]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"c": v}) + "\n" for v in values))
    told = "c" if role in ("text", "vector") else ("c",)
    with pytest.raises(InputError, match=f"row {len(values) // 2 + 1}, column 'c': {said}"):
        read(path, Roles(**{role: told}))  # type: ignore[arg-type]
    loaded = read(path, Roles(**{role: told}), drop_bad=True)  # type: ignore[arg-type]
    assert (len(loaded.pool), len(loaded.rejected)) == (len(values) - 1, 1)


@pytest.mark.parametrize("role", ["group", "text", "score", "tags", "vector", "id"])
def test_types_that_play_no_role_are_refused_by_name(role: str) -> None:
    t = frame(c=[{"a": 1}, {"a": 2}])
    told = "c" if role in ("text", "vector", "id") else ("c",)
    with pytest.raises(InputError, match="row 1, column 'c'"):
        read(t, Roles(**{role: told}))  # type: ignore[arg-type]


def test_scalars_of_other_types_as_names_and_text(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"c": v}) + "\n" for v in ("x", 1, True, 1.5, "\ud800")))
    loaded = read(path, Roles(group=("c",)))
    assert loaded.pool.signal("c", Labels).names == ("x", "1", "true", "1.5", "\\ud800")
    text = read(path, Roles(text="c")).pool.signal("c", Text)
    assert [text[i] for i in range(5)] == ["x", "1", "true", "1.5", "\ud800"]
    tags = read(path, Roles(tags=("c",)), drop_bad=True)
    assert tags.pool.signal("c", Tags).names == ("x", "1", "true", "\\ud800")


def test_unsigned_numbers_past_63_bits_are_counted() -> None:
    t = frame(key=pa.array([2**64 - 1, 1], pa.uint64()), text=LONG[:2])
    assert "whether higher is better" in read(t).ignored["key"]


def test_extension_types_are_what_they_are_stored_as() -> None:
    t = frame(id=["a", "b"], u=pa.array([b"0" * 16, b"1" * 16], pa.binary(16)).cast(pa.uuid()))
    assert read(t).ids[1] == "b"
    half = frame(s=pa.array(np.array([1.5, 2.5], np.float16)))
    assert read(half, Roles(score=("s",))).pool.signal("s", Scores).values.tolist() == [1.5, 2.5]
