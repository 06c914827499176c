"""Conditions over columns: what they keep, and what they cannot reach."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from shortlist.core.errors import UsageError
from shortlist.store.read import read
from shortlist.store.roles import Roles

pytestmark = pytest.mark.usefixtures("_one_decoder")

ROWS = """\
{"id": "a", "lang": "de", "score": 0.7, "when": null, "n": 1}
{"id": "b", "lang": "en", "score": 0.9}
{"id": "c", "lang": "de", "score": null, "n": 3}
{"id": "d\\ud800", "lang": "de", "score": 0.2, "n": "x"}
"""


@pytest.fixture(params=["jsonl", "csv", "parquet", "frame"])
def pool(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    t = pa.table(
        {"id": ["a", "b", "c", "d"], "lang": ["de", "en", "de", "de"], "score": [0.7, 0.9, None, 0.2]}
    )
    if request.param == "frame":
        return t
    path = tmp_path / f"pool.{request.param}"
    if request.param == "jsonl":
        path.write_text(ROWS)
    elif request.param == "csv":
        path.write_text("id,lang,score\na,de,0.7\nb,en,0.9\nc,de,\nd,de,0.2\n")
    else:
        import pyarrow.parquet as pq

        pq.write_table(t, path)
    return path


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("lang = 'de' and score > 0.5", "a"),
        ("score is null", "c"),
        ("lang in ('en') or score < 0.3", "bd"),
        ("not (score > 0.5)", "d"),
        ("length(lang) = 2", "abcd"),
        ("false", ""),
        ("LANG = 'en'", "b"),
    ],
)
def test_a_condition_keeps_where_it_is_true(pool: object, where: str, kept: str) -> None:
    loaded = read(pool, Roles(score=("score",)) if kept not in ("c", "") else None, where=where)
    assert "".join(loaded.ids[i][0] for i in range(len(loaded.pool))) == kept
    assert (loaded.read, loaded.filtered) == (4, 4 - len(kept))


@pytest.mark.parametrize(
    "where",
    [
        "",
        "   ",
        "lang =",
        "nope = 1",
        "lang = 'de'; drop table x",
        "1, 2",
        "true) union select 1 --",
        "score > 'x'",
        "exists (select * from read_text('/etc/hostname'))",
        "(select count(*) from 'pool.csv') > 0",
        "exists (select * from duckdb_secrets())  and nope",
        "score > (select count(*) from __import__)",
        "(select count(*) from stolen) > 0",
    ],
)
def test_what_is_no_condition_over_the_columns_is_refused_in_one_line(tmp_path: Path, where: str) -> None:
    stolen = pa.table({"secret": [1]})  # DuckDB looks for Python variables unless told not to
    path = tmp_path / "pool.csv"
    path.write_text("id,lang,score\na,de,0.7\n")
    with pytest.raises(UsageError) as e:
        read(path, where=where or " ")
    assert "\n" not in str(e.value)
    assert "columns: id, lang, score" in str(e.value)
    assert len(stolen) == 1


def test_rows_are_numbered_as_before_the_condition(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("lang\nde\nen\nde\n")
    loaded = read(path, where="lang = 'de'")
    assert [loaded.ids[i] for i in range(2)] == ["1", "3"]
    assert loaded.row_place(1) == f"{path}, row 4"


def test_columns_of_changing_type_are_text_in_a_condition(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(ROWS)
    assert read(path, where="n = '3'").read == 4
    assert len(read(path, where="n = '3'").pool) == 1


def test_a_condition_over_a_column_that_no_role_needs(tmp_path: Path) -> None:
    import datetime

    import pyarrow.parquet as pq

    path = tmp_path / "pool.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], "day": [datetime.date(2024, 1, d) for d in (1, 2)]}), path)
    loaded = read(path, where="day > DATE '2024-01-01'")
    assert loaded.ids[0] == "b"
