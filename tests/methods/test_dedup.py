"""Dedupers against their definitions, on odd pools, and on real duplicates where they are at hand."""

from __future__ import annotations

import csv
import gzip
import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shortlist.core.contracts import Deduper
from shortlist.core.drops import Drops, best_first, thin
from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Text, Vectors
from shortlist.methods.dedup import cells, exact_text, minhash, shingles
from shortlist.methods.dedup.cosine import Cosine
from shortlist.methods.dedup.exact_text import ExactText
from shortlist.methods.dedup.minhash import MinHash, bands_for
from shortlist.methods.dedup.shingles import shingles_of
from shortlist.run.driver import Local, run

DATA = Path(os.environ.get("SHORTLIST_DATA", Path(__file__).parents[3] / "shared" / "data"))  # not ours
WORDS = ["a", "b", "c", "dd", "E", "e", "é", "e\u0301", " ", "\n", "中文字", "!"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), max_size=10)
SCORES = st.sampled_from([0.0, 1.0, 2.0])


def pool_of(texts: list[str], scores: list[float] | None = None, chunk: int = 1 << 16) -> Pool:
    values = np.array(scores if scores is not None else [0.0] * len(texts))
    return Pool.of({"text": Text.of(texts), "score": Scores(values)}, chunk=chunk)


def drops(method: Deduper, pool: Pool) -> Drops:
    return alone(method.steps(pool), pool)


def sets_of(texts: list[str], ngram: int) -> list[set[int]]:
    indptr, hashes = shingles_of(Text.of(texts), ngram)
    return [set(hashes[a:b].tolist()) for a, b in pairwise(indptr)]


def copies(n: int, seed: int, words: int = 40) -> list[str]:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 2000, (n, words))[rng.integers(0, n // 2, n)]
    changed = rng.random(rows.shape) < rng.choice([0.0, 0.01, 0.03], (n, 1))
    rows[changed] = rng.integers(2000, 4000, changed.sum())
    return [" ".join(f"w{w}" for w in row) for row in rows]


@given(TEXTS, st.data(), st.booleans())
@example(["", "", " "], None, True)
@settings(deadline=None)
def test_equal_texts_are_found_as_by_comparing_all(
    texts: list[str], data: st.DataObject | None, fold: bool
) -> None:
    scores = [data.draw(SCORES) if data else 0.0 for _ in texts]
    found = drops(ExactText(keep="score", fold=fold), pool_of(texts, scores))
    plain = [exact_text.folded(t).decode() for t in texts] if fold else texts
    of = exact_text.exact(plain, np.array(scores))
    assert found.rows.tolist() == np.flatnonzero(of >= 0).tolist()
    assert found.of.tolist() == of[of >= 0].tolist()
    assert (found.similarity == 1).all()


def test_bytes_decide_unless_folded() -> None:
    texts = ["Caf\u00e9  x", "cafe\u0301 X", "Caf\u00e9  x", "\ud800", "\ud800", "STRASSE", "straße"]
    pool = pool_of(texts)
    assert drops(ExactText(), pool).rows.tolist() == [2, 4]
    assert drops(ExactText(fold=True), pool).rows.tolist() == [1, 2, 4, 6]


@given(TEXTS, st.data(), st.sampled_from([0.2, 0.5, 0.8, 1.0]), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_minhash_never_drops_what_is_not_alike(
    texts: list[str], data: st.DataObject, threshold: float, ngram: int
) -> None:
    scores = [data.draw(SCORES) for _ in texts]
    pool = pool_of(texts, scores)
    found = drops(MinHash(threshold=threshold, ngram=ngram, keep="score"), pool)
    sets, place = sets_of(texts, ngram), np.argsort(best_first(pool, "score"))
    for row, of, similarity in zip(found.rows, found.of, found.similarity, strict=True):
        assert len(sets[row] & sets[of]) / len(sets[row] | sets[of]) == similarity >= threshold
        assert place[of] < place[row]
    equal = [i for i, s in enumerate(sets) if s and any(s == t for t in sets[:i])]
    assert len(found) >= len(equal) - len([1 for s in sets if not s])


@pytest.mark.parametrize("threshold", [0.4, 0.7, 0.9])
def test_minhash_finds_what_comparing_all_finds(threshold: float) -> None:
    texts = copies(400, seed=3)
    scores = np.random.default_rng(0).integers(0, 3, 400).astype(float).tolist()
    pool = pool_of(texts, scores)
    order = best_first(pool, "score")
    sets = sets_of(texts, 5)
    of, similarity = minhash.exact([sets[i] for i in order], threshold)
    found = drops(MinHash(threshold=threshold, keep="score"), pool)
    truth = np.sort(order[of >= 0])
    assert len(truth) > 50
    assert np.isin(truth, found.rows).mean() >= 0.99
    assert np.isin(found.rows, truth).mean() >= 0.99  # a missed drop may change a later one
    best = dict(zip(order[of >= 0].tolist(), similarity[of >= 0], strict=True))
    same = [s == best.get(r) for r, s in zip(found.rows.tolist(), found.similarity, strict=True)]
    assert np.mean(same) >= 0.98


def test_chains_do_not_drop_what_is_unlike_the_row_that_stays() -> None:
    words = [f"w{i}" for i in range(60)]
    chain = [" ".join(words[i : i + 30]) for i in range(0, 30, 3)]
    found = drops(MinHash(threshold=0.7, ngram=1), pool_of(chain))
    assert 0 < len(found) < 9
    sets = sets_of(chain, 1)
    for row, of in zip(found.rows, found.of, strict=True):
        assert len(sets[row] & sets[of]) / len(sets[row] | sets[of]) >= 0.7


def test_case_accents_punctuation_and_short_texts() -> None:
    texts = [
        "One two, three four five six.",
        "ONE TWO THREE; four fivé six",
        "yes!",
        "Yes",
        "",
        "!!",
        "中文文本处理",
        "中文文本处理。",
    ]
    found = drops(MinHash(), pool_of(texts))
    assert found.rows.tolist() == [1, 3, 7]
    assert found.of.tolist() == [0, 2, 6]
    near = drops(MinHash(threshold=0.5), pool_of(["near miss text", "near mist text", "something else"]))
    assert len(near) == 0  # 14 letters: one of them changed breaks 5 of 10 shingles
    assert drops(MinHash(threshold=0.3), pool_of(["near miss text", "near mist text"])).rows.tolist() == [1]


@pytest.mark.parametrize("method", [ExactText(), ExactText(fold=True), MinHash(threshold=0.5)])
def test_odd_pools(method: Deduper) -> None:
    for texts in ([], ["a"], [""], ["x y z"] * 50, [chr(97 + i) * 9 for i in range(20)]):
        pool = pool_of(texts)
        found = drops(method, pool)
        assert len(found) == len(texts) - len(set(texts))
        assert (found.of == 0).all()
        assert method.by in found.why
        assert method.need(pool).bytes >= 0


@pytest.mark.parametrize("method", [ExactText(keep="score"), MinHash(threshold=0.6, keep="score", to=250)])
def test_same_drops_for_any_chunk_threads_and_block(method: Deduper, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, answers = copies(500, seed=1), []
    scores = np.random.default_rng(5).integers(0, 4, 500).astype(float).tolist()
    for chunk, workers, block in [(1 << 16, 1, 1 << 12), (13, 2, 64), (100, 3, 7)]:
        monkeypatch.setattr(shingles, "BLOCK", block)
        monkeypatch.setattr(exact_text, "BLOCK", block)
        pool = pool_of(texts, scores, chunk)
        found = run(method.steps(pool), pool, on=Local(workers)).result
        answers.append((found.rows.tobytes(), found.of.tobytes(), found.similarity.tobytes()))
    assert len(answers[0][0]) > 0
    assert answers[0] == answers[1] == answers[2]


def test_a_target_keeps_exactly_so_many_and_drops_the_most_alike() -> None:
    pool = pool_of(copies(400, seed=9))
    floor = drops(MinHash(threshold=0.3), pool)
    assert len(floor) > 200
    for to in (399, 350, 200, 0.75, 400):
        found = drops(MinHash(threshold=0.3, to=to), pool)
        stay = int(to if to >= 1 else to * 400)
        assert len(pool) - len(found) == stay
    assert len(drops(MinHash(threshold=0.3, to=5), pool)) == len(floor)  # the floor stops it
    answers = [drops(MinHash(threshold=0.3, to=to), pool) for to in (390, 300, 200)]
    least = [found.similarity.min() for found in answers]
    assert least == sorted(least, reverse=True)
    assert least[-1] < 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8)), max_size=12), st.integers(0, 12))
@settings(deadline=None)
def test_thinning_leaves_no_fewer_than_asked(rows: list[tuple[int, int]], stay: int) -> None:
    """Rows of a line: alike if in one group and near; greedy by position."""

    def found(threshold: float):  # type: ignore[no-untyped-def]
        yield from ()
        of, similarity = np.full(len(rows), -1, np.int64), np.zeros(len(rows))
        for i, (group, x) in enumerate(rows):
            for j in range(i):
                s = (1 - abs(x - rows[j][1]) / 8) * (group == rows[j][0])
                if of[j] < 0 and s >= threshold and s > similarity[i]:
                    of[i], similarity[i] = j, s
        return of, similarity

    of, similarity = alone(thin(found, 0.3, stay))
    kept, least = int((of < 0).sum()), int((alone(found(0.3))[0] < 0).sum())
    assert kept >= min(stay, len(rows))
    assert kept == max(stay, least) or stay > len(rows) or kept == len(rows)
    assert not np.isin(of[of >= 0], np.flatnonzero(of >= 0)).any()
    assert (similarity[of >= 0] >= 0.3).all()


def test_bands_meet_at_the_threshold() -> None:
    for threshold in np.linspace(0.05, 1, 39):
        bands, r = bands_for(float(threshold))
        assert bands * r <= minhash.HASHES
        assert 1 - (1 - threshold**r) ** bands >= 0.99
    assert bands_for(1.0) == (1, 128)
    assert bands_for(0.8) == (21, 6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.1}, "threshold"),
        ({"ngram": 0}, "ngram"),
        ({"to": -1}, "count of rows"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        MinHash(**options)  # type: ignore[arg-type]


def vectors_of(values: np.ndarray, scores: np.ndarray | None = None) -> Pool:
    score = Scores(np.zeros(len(values)) if scores is None else scores)
    return Pool.of({"vec": Vectors(np.ascontiguousarray(values, np.float32)), "score": score})


def clouds(n: int, d: int, seed: int, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    around = rng.normal(size=(n // 3, d)) * 0.95 ** np.arange(d)
    return around[rng.integers(0, n // 3, n)] + rng.normal(size=(n, d)) * noise * rng.random((n, 1))


@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(
            st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 2.0]), min_size=d, max_size=d), max_size=12
        )
    ),
    st.data(),
    st.sampled_from([0.3, 0.8, 1.0]),
)
@settings(deadline=None, max_examples=60)
def test_cosine_is_its_definition(rows: list[list[float]], data: st.DataObject, threshold: float) -> None:
    values = np.array(rows, np.float32).reshape(len(rows), -1 if rows else 2)
    pool = vectors_of(values, np.array([data.draw(SCORES) for _ in rows], np.float64))
    order = best_first(pool, "score")
    of, similarity = cells.exact(values[order], threshold)
    found = drops(Cosine(threshold=threshold, keep="score"), pool)
    assert found.rows.tolist() == np.sort(order[of >= 0]).tolist()
    expected = dict(zip(order[of >= 0].tolist(), similarity[of >= 0], strict=True))
    np.testing.assert_allclose(found.similarity, [expected[r] for r in found.rows.tolist()], atol=2e-6)
    assert (found.similarity >= threshold - 2e-6).all()


@pytest.mark.parametrize("many", [0.0, 2.0], ids=["by whole tiles", "by single pairs"])
@pytest.mark.parametrize("threshold", [0.5, 0.95])
def test_blocks_tiles_and_the_screen_change_nothing(
    many: float, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = clouds(700, 90, seed=2)
    of, _ = cells.exact(values, threshold)
    small = {
        "BLOCK": 32,
        "TILE": 20,
        "BATCH": 64,
        "STEP": 16,
        "CELL": 9,
        "AXES": 20,
        "SAMPLE": 100,
        "MANY": many,
    }
    for name, value in small.items():
        monkeypatch.setattr(cells, name, value)
    pool = vectors_of(values)
    found = run(Cosine(threshold=threshold).steps(pool), pool, on=Local(2)).result
    assert len(found) > 100
    assert found.rows.tolist() == np.flatnonzero(of >= 0).tolist()
    assert found.of.tolist() == of[of >= 0].tolist()


def test_cosine_same_bytes_for_any_chunk_and_threads() -> None:
    values, answers = clouds(3000, 32, seed=4), []
    for chunk, workers in [(1 << 16, 1), (17, 3)]:
        pool = Pool.of({"vec": Vectors(values.astype(np.float32))}, chunk=chunk)
        found = run(Cosine(threshold=0.9, to=1500).steps(pool), pool, on=Local(workers)).result
        answers.append((found.rows.tobytes(), found.of.tobytes(), found.similarity.tobytes()))
    assert answers[0] == answers[1]


def test_cosine_to_a_target_and_odd_pools() -> None:
    pool = vectors_of(clouds(300, 20, seed=6))
    assert len(drops(Cosine(threshold=0.1, to=250), pool)) == 50
    assert len(drops(Cosine(threshold=0.1, to=0.9), pool)) == 30
    for values in (np.zeros((0, 3)), np.zeros((4, 3)), np.eye(5)):
        assert len(drops(Cosine(), vectors_of(values))) == 0
    same = vectors_of(np.repeat([[1e-20, 3e-20, 0.0]], 5000, axis=0))
    found = drops(Cosine(threshold=1.0), same)
    assert len(found) == 4999
    assert (found.of == 0).all()
    assert Cosine().need(same).bytes > 0
    with pytest.raises(UsageError, match="threshold"):
        Cosine(threshold=0)


@pytest.mark.skipif(
    not (DATA / "plagiarism_articles").is_dir(),
    reason="SHORTLIST_DATA does not name a folder with the plagiarism articles",
)
def test_planted_articles_are_found() -> None:
    folder = DATA / "plagiarism_articles"
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as file:
        articles = [json.loads(line) for line in file]
    place = {a["id"]: i for i, a in enumerate(articles)}
    with open(folder / "duplicate_pairs.tsv", encoding="utf-8") as file:
        truth = {
            tuple(sorted((place[r["id_a"]], place[r["id_b"]]))) for r in csv.DictReader(file, delimiter="\t")
        }
    found = drops(MinHash(threshold=0.5, ngram=3), pool_of([a["text"] for a in articles]))
    assert set(zip(found.of.tolist(), found.rows.tolist(), strict=True)) == truth
