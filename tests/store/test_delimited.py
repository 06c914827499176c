"""CSV and TSV: quotes, widths, headers, encodings; what a cell means in each role."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import InputError
from shortlist.core.signals import Costs, Labels, Scores, Tags, Text
from shortlist.store.read import read
from shortlist.store.roles import Roles


def put(folder: Path, data: bytes | str, name: str = "pool.csv") -> str:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


BAD = [
    ("c\n", "1 cells, the header has 2"),
    ("c,d,e\n", "3 cells, the header has 2"),
    ('"c"x,d\n', "bad quoting (',' expected after '\"')"),
    ("c\rc,d\n", "a lone carriage return outside quotes"),
    (b"\xff,d\n", "the row is not UTF-8"),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=range(len(BAD)))
def test_a_bad_row_is_refused_with_its_line_or_counted(
    tmp_path: Path, line: str | bytes, reason: str
) -> None:
    raw = line.encode() if isinstance(line, str) else line
    path = put(tmp_path, b'id,text\na,"two\nlines"\n\n' + raw + b"z,end\n")
    with pytest.raises(InputError) as e:
        read(path)
    assert reason in str(e.value)
    assert (e.value.file, e.value.row) == (path, 5)
    assert e.value.fix
    loaded = read(path, drop_bad=True)
    assert [loaded.ids[i] for i in range(2)] == ["a", "z"]
    assert [r.row for r in loaded.rejected] == [5]
    assert loaded.read == 3
    assert loaded.row_place(1) == f"{path}, row 6"


def test_an_open_quote_swallows_the_rest_and_says_so(tmp_path: Path) -> None:
    path = put(tmp_path, 'id,text\na,b\nc,"d\ne,f\n')
    with pytest.raises(InputError, match="row 3: a quote opened here is not closed by line 4"):
        read(path)
    loaded = read(path, drop_bad=True)
    assert (loaded.read, len(loaded.pool)) == (2, 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("a,b,a\n1,2,3\n", "two columns are named 'a'"),
        (b"a,\xff\n1,2\n", "the header is not UTF-8"),
        ('"a"b,c\n1,2\n', "the header has bad quoting"),
        (",".join(f"c{i}" for i in range(2001)) + "\n", "2,001 columns"),
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text"),
        (b"a\0b,c\n1,2\n", "is of no known format"),
    ],
)
def test_a_bad_header_is_refused(tmp_path: Path, data: str | bytes, reason: str) -> None:
    path = put(
        tmp_path, data, "pool.txt" if b"\0" in (data if isinstance(data, bytes) else b"") else "pool.csv"
    )
    for drop in (False, True):
        with pytest.raises(InputError, match=reason):
            read(path, drop_bad=drop)


@pytest.mark.parametrize("data", ["", "id,text\n", "id,text", "\ufeffid,text\r\n\r\n"])
def test_a_header_alone_is_an_empty_pool(tmp_path: Path, data: str) -> None:
    loaded = read(put(tmp_path, data))
    assert (len(loaded.pool), loaded.read) == (0, 0)


def test_cells_by_role(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "key;text;reward;tokens;lang;tags\n007;; +1.5 ;3;;x;\n8;b;NA;4;de;\n9;c;-2e1;0;de;x\n".replace(
            ";;x;", ';;"x;y"'
        ),
    )
    roles = Roles(id="key", text="text", score=("reward",), cost=("tokens",), group=("lang",), tags=("tags",))
    loaded = read(path, roles)
    pool = loaded.pool
    assert [loaded.ids[i] for i in range(3)] == ["007", "8", "9"]
    assert [pool.signal("text", Text)[i] for i in range(3)] == ["", "b", "c"]
    reward = pool.signal("reward", Scores)
    assert reward.values.tolist() == [1.5, -20.0, -20.0]
    assert reward.missing is not None
    assert reward.missing.tolist() == [False, True, False]
    assert "worst value seen (lowest), -20" in reward.fill
    assert pool.signal("tokens", Costs).values.tolist() == [3, 4, 0]
    assert pool.signal("lang", Labels).names == ("(missing)", "de")
    tags = pool.signal("tags", Tags)
    assert tags.names == ("x", "y")
    assert tags.indptr.tolist() == [0, 2, 2, 3]


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "-Infinity", "1_000", "0x10", "1,5", "١", "1e999", "--1", "1.2.3"]
)
def test_a_cell_that_is_no_finite_number_is_named(tmp_path: Path, cell: str) -> None:
    path = put(tmp_path, f'id,s\na,1\nb,"{cell}"\n')
    with pytest.raises(InputError, match="row 3, column 's': ") as e:
        read(path, Roles(score="s"))  # type: ignore[arg-type]
    assert e.value.fix
    assert len(read(path, Roles(score="s"), drop_bad=True).pool) == 1  # type: ignore[arg-type]


def test_tags_may_be_a_json_list_in_a_cell(tmp_path: Path) -> None:
    path = put(tmp_path, 'id,t\na,"[""x"", ""y""]"\nb,"[1, {}]"\nc,[\n')
    with pytest.raises(InputError, match=r"row 3, column 't': .* is no list of names"):
        read(path, Roles(tags=("t",)))
    loaded = read(path, Roles(tags=("t",)), drop_bad=True)
    assert loaded.pool.signal("t", Tags).names == ("x", "y")
    assert len(loaded.rejected) == 2


@pytest.mark.parametrize("name", ["pool.csv", "pool.tsv", "pool.txt"])
def test_the_delimiter_is_found(tmp_path: Path, name: str) -> None:
    for delimiter in {"pool.csv": ",;", "pool.tsv": "\t", "pool.txt": ",\t"}[name]:
        path = put(tmp_path, f"id{delimiter}lang\n1{delimiter}de\n2{delimiter}en\n", name)
        assert read(path, Roles(group=("lang",))).pool.signal("lang", Labels).names == ("de", "en")


def test_tsv_without_the_notion_of_quotes(tmp_path: Path) -> None:
    plain = put(tmp_path, 'id\ttext\n1\t"Hello" he said\n2\t"\n3\t"all"\n', "plain.tsv")
    quoted = put(tmp_path, 'id\ttext\n1\t"two\nlines"\n2\t"say ""hi"""\n', "quoted.tsv")
    closed = put(tmp_path, 'id\ttext\n1\t"say ""hi"""\n2\t"a"\n', "closed.tsv")
    texts = {
        path: [signal[i] for i in range(len(signal))]
        for path in (plain, quoted, closed)
        for signal in [read(path, Roles(text="text")).pool.signal("text", Text)]
    }
    assert texts[plain] == ['"Hello" he said', '"', '"all"']
    assert texts[quoted] == ["two\nlines", 'say "hi"']
    assert texts[closed] == ['say "hi"', "a"]


def test_a_column_without_a_name_plays_no_role(tmp_path: Path) -> None:
    loaded = read(put(tmp_path, ",id,\n0,a,x\n1,b,y\n"))
    assert [loaded.ids[i] for i in range(2)] == ["a", "b"]


cells = st.text(alphabet=st.sampled_from('ab",;\n\t é\0=\r'), max_size=6)


@given(
    st.lists(st.tuples(cells, cells), max_size=8),
    st.sampled_from([",", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(deadline=None, max_examples=150)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, end: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "text", "other"])
    writer.writerows([(f"r{i}", *row) for i, row in enumerate(rows)])
    path = put(tmp_path_factory.mktemp("csv"), out.getvalue(), "pool.csv" if delimiter == "," else "pool.tsv")
    loaded = read(path, Roles(id="id", text="text"))
    text = loaded.pool.signal("text", Text)
    assert [text[i] for i in range(len(rows))] == [row[0] for row in rows]
    assert np.array_equal(loaded.sources.size > 0, np.ones(len(rows), bool))
