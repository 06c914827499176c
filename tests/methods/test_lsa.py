"""LSA and TF-IDF against their dense definitions, on odd pools, and on real text where it is at hand."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Terms, Text
from shortlist.methods.encode import lsa, tfidf
from shortlist.methods.encode.lsa import LSA
from shortlist.methods.encode.tfidf import TFIDF
from shortlist.run.driver import Local, run

DATA = Path(os.environ.get("SHORTLIST_DATA", Path(__file__).parents[3] / "shared" / "data"))  # not ours
WORDS = ["a", "b", "bb", "c", "dd", "e", "f1", "中文", "é", "!"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=12)


def pool_of(texts: list[str]) -> Pool:
    return Pool.of({"text": Text.of(texts)})


def encode(method: LSA, texts: list[str]) -> np.ndarray:
    pool = pool_of(texts)
    return alone(method.steps(pool), pool).values


def topics(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, 8, n)
    rows = np.hstack([topic[:, None] * 20 + rng.integers(0, 20, (n, 6)), rng.integers(160, 400, (n, 4))])
    return [" ".join(f"w{w}" for w in row) for row in rows]


@given(TEXTS, st.sampled_from([1, 3, 20]))
@example([""] * 3, 3)
@example(["a"], 3)
@example(["a", "b", "c"], 3)
@example(["a b"] * 5, 3)
@settings(deadline=None, max_examples=30)
def test_rows_are_unit_or_zero_and_equal_texts_are_equal_rows(texts: list[str], d: int) -> None:
    values = encode(LSA(d=d), texts)
    assert values.dtype == np.float32
    assert values.shape[0] == len(texts)
    assert 1 <= values.shape[1] <= d
    norm = np.linalg.norm(values, axis=1)
    assert (np.isclose(norm, 1, atol=1e-5) | (norm == 0)).all()
    for i, text in enumerate(texts):
        assert values[i].tobytes() == values[texts.index(text)].tobytes()
        if not any(ch.isalnum() for ch in text):
            assert not values[i].any()


def test_matches_a_full_decomposition() -> None:
    texts = topics(300)
    ours, truth = encode(LSA(d=8), texts), lsa.exact(Text.of(texts), 8)
    assert np.corrcoef((ours @ ours.T).ravel(), (truth @ truth.T).ravel())[0, 1] > 0.97
    texts = [t for t in topics(40) for _ in range(3)]  # rank 40, so 64 directions lose nothing
    ours, truth = encode(LSA(d=64), texts), lsa.exact(Text.of(texts), 64)
    assert ours.shape[1] <= 40
    np.testing.assert_allclose(ours @ ours.T, truth @ truth.T, atol=2e-4)


def test_same_bytes_for_any_threads_chunk_and_block(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = topics(500)
    seen = set()
    for chunk, workers, rows, blas in [(1 << 16, 1, 1 << 13, 1), (17, 2, 100, 2), (64, 3, 1, 2)]:
        monkeypatch.setattr(tfidf, "BLOCK_ROWS", rows)
        pool = Pool.of({"text": Text.of(texts)}, chunk=chunk)
        with threadpool_limits(blas):
            values = run(LSA(d=16).steps(pool), pool, on=Local(workers)).result.values
        seen.add(hashlib.sha256(values.tobytes()).hexdigest())
    assert len(seen) == 1
    assert encode(LSA(d=16, seed=1), texts).tobytes() != encode(LSA(d=16), texts).tobytes()


def test_blocks_cover_every_row_once_and_keep_to_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfidf, "BLOCK_ROWS", 4)
    monkeypatch.setattr(tfidf, "BLOCK_BYTES", 10)
    text = Text.of(["x" * n for n in (3, 3, 3, 30, 0, 0, 0, 0, 0, 11, 5, 5)])
    spans = tfidf.blocks(text)
    assert [i for a, b in spans for i in range(a, b)] == list(range(12))
    for a, b in spans:
        assert b - a <= 4
        assert b - a == 1 or text.offsets[b] - text.offsets[a] <= 10


def test_a_sample_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = topics(900)
    whole = encode(LSA(d=8), texts)
    monkeypatch.setattr(lsa, "SAMPLE_ROWS", 600)
    part = encode(LSA(d=8), texts)
    assert part.shape == whole.shape
    assert part.tobytes() != whole.tobytes()
    assert np.corrcoef((part @ part.T).ravel(), (whole @ whole.T).ravel())[0, 1] > 0.8
    monkeypatch.setattr(lsa, "SAMPLE_BYTES", 0)
    assert encode(LSA(d=8), texts).shape[0] == 900


def test_only_the_most_frequent_words_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsa, "WORDS", 2)
    values = encode(LSA(d=4), ["a b", "a b", "a c", "a b c"])
    assert values.shape == (4, 2)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(UsageError, match="d must be"):
        LSA(d=0)
    with pytest.raises(UsageError, match="bits must"):
        TFIDF(bits=0)


@given(TEXTS, st.sampled_from([3, 9]))
@settings(deadline=None, max_examples=60)
def test_tfidf_is_its_definition(texts: list[str], bits: int) -> None:
    pool = pool_of(texts)
    found = alone(TFIDF(bits=bits).steps(pool), pool)
    assert isinstance(found, Terms)
    assert found.width == 1 << bits
    dense = np.zeros((len(texts), 1 << bits))
    dense[np.repeat(np.arange(len(texts)), np.diff(found.indptr)), found.indices] = found.data
    np.testing.assert_allclose(dense, tfidf.exact(pool.signal("text", Text), bits), rtol=1e-6, atol=1e-7)


def test_tfidf_does_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = pool_of(topics(200))
    one = alone(TFIDF().steps(pool), pool)
    monkeypatch.setattr(tfidf, "BLOCK_ROWS", 7)
    other = run(TFIDF().steps(pool), pool, on=Local(2)).result
    assert one.data.tobytes() == other.data.tobytes()
    assert one.indices.tobytes() == other.indices.tobytes()


def test_need_is_near_what_is_held() -> None:
    pool = pool_of(topics(3000))
    assert LSA().need(pool).bytes > 4 * 3000 * 256
    assert TFIDF().need(pool).bytes > alone(TFIDF().steps(pool), pool).nbytes
    assert LSA().need(pool_of([])).bytes == 0


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.skipif(
    not (DATA / "ag_news_test").is_dir(), reason="SHORTLIST_DATA does not name a folder with the AG news set"
)
def test_neighbours_on_real_news_share_their_class() -> None:
    rows = rows_of(DATA / "ag_news_test" / "docs.tsv.gz")
    values = encode(LSA(), [f"{r['title']}. {r['text']}" for r in rows])
    label = np.array([r["label"] for r in rows])
    some = np.arange(0, len(rows), 5)
    near = values[some] @ values.T
    near[np.arange(len(some)), some] = -1
    assert np.mean(label[near.argmax(axis=1)] == label[some]) > 0.80
