"""Exact joins, codes, cells and leakage against their definitions."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.contracts import Deduper
from shortlist.core.cosine import Directions
from shortlist.core.drops import Drops, best_first
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.members import members
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags, Text, Vectors
from shortlist.methods.dedup import cells, cosine_leakage, jaccard, leakage, shingles, simhash
from shortlist.methods.dedup.cosine import Cosine
from shortlist.methods.dedup.cosine_leakage import CosineLeakage
from shortlist.methods.dedup.exact_text import ExactText
from shortlist.methods.dedup.jaccard import Jaccard
from shortlist.methods.dedup.leakage import Leakage, grams_of
from shortlist.methods.dedup.minhash import MinHash
from shortlist.methods.dedup.sem_dedup import SemDedup, recall
from shortlist.methods.dedup.simhash import SimHash, masks_for
from shortlist.run.driver import Local, run
from tests.laws import dedup
from tests.laws.test_methods import on_pools
from tests.laws.test_mutants import FIND

WORDS = ["a", "b", "c", "dd", "E", "e", "é", " ", "中文字", "!"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), max_size=10)


def drops(method: Deduper, pool: Pool) -> Drops:
    return alone(method.steps(pool), pool)


def sets_of(text: Text, ngram: int) -> list[set[int]]:
    indptr, hashes = shingles.shingles_of(text, ngram)
    return [set(hashes[a:b].tolist()) for a, b in pairwise(indptr)]


def copies(n: int, seed: int, words: int = 40) -> list[str]:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 400, (n, words))[rng.integers(0, n // 2, n)]
    changed = rng.random(rows.shape) < rng.choice([0.0, 0.01, 0.03, 0.1], (n, 1))
    rows[changed] = rng.integers(400, 800, changed.sum())
    return [" ".join(f"w{w}" for w in row) for row in rows]


def clouds(n: int, d: int, seed: int, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    around = (
        rng.normal(size=(n // 3, d)) * 0.95 ** np.arange(d)
        + 2 * rng.normal(size=(9, d))[rng.integers(0, 9, n // 3)]
    )
    rows = around[rng.integers(0, n // 3, n)] + rng.normal(size=(n, d)) * noise * rng.random((n, 1))
    return rows.astype(np.float32)


def assert_same(found: Drops, order: np.ndarray, of: np.ndarray, similarity: np.ndarray) -> None:
    """What a definition says of rows in order is what was found."""
    gone = order[of >= 0]
    assert found.rows.tolist() == sorted(gone.tolist())
    want = dict(zip(gone.tolist(), zip(order[of[of >= 0]], similarity[of >= 0], strict=True), strict=True))
    assert [want[r] for r in found.rows.tolist()] == list(zip(found.of, found.similarity, strict=True))


@given(TEXTS, st.data(), st.sampled_from([0.2, 0.5, 2 / 3, 1.0]), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_jaccard_is_its_definition(
    texts: list[str], data: st.DataObject, threshold: float, ngram: int
) -> None:
    scores = Scores(np.array([data.draw(st.sampled_from([0.0, 1.0])) for _ in texts]))
    pool = Pool.of({"text": Text.of(texts), "score": scores})
    order = best_first(pool, "score")
    sets = sets_of(Text.of(texts), ngram)
    want = jaccard.exact([sets[i] for i in order], threshold)
    assert_same(drops(Jaccard(threshold=threshold, ngram=ngram, keep="score"), pool), order, *want)


@pytest.mark.parametrize("ngram", [1, 5])
@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_jaccard_misses_nothing_in_a_pool_of_copies(threshold: float, ngram: int) -> None:
    text = Text.of(copies(400, seed=3))
    scores = Scores(np.random.default_rng(0).integers(0, 3, 400).astype(float))
    pool = Pool.of({"text": text, "score": scores})
    order = best_first(pool, "score")
    sets = sets_of(text, ngram)
    want = jaccard.exact([sets[i] for i in order], threshold)
    assert (want[0] >= 0).sum() > 50
    assert_same(drops(Jaccard(threshold=threshold, ngram=ngram, keep="score"), pool), order, *want)


@given(TEXTS, st.integers(0, 16), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_simhash_is_its_definition(texts: list[str], bits: int, ngram: int) -> None:
    pool = Pool.of({"text": Text.of(texts)})
    indptr, hashes = shingles.shingles_of(Text.of(texts), ngram)
    order = np.flatnonzero(np.diff(indptr) > 0)
    codes = [
        sum(1 << b for b in range(64) if 2 * sum(int(x) >> b & 1 for x in hashes[s:e]) > e - s)
        for s, e in pairwise(indptr)
    ]
    want = simhash.exact([codes[i] for i in order], bits)
    assert_same(drops(SimHash(bits=bits, ngram=ngram), pool), order, *want)


@pytest.mark.parametrize("n", [0, 1, 1000, 10**6, 10**9])
@pytest.mark.parametrize("bits", [0, 1, 3, 6, 16])
def test_tables_meet_every_pair_within_the_bits(bits: int, n: int) -> None:
    masks = masks_for(bits, n)
    assert len(masks) <= simhash.TABLES
    rng = np.random.default_rng(bits)
    for _ in range(300):
        turned = sum(1 << int(b) for b in rng.choice(64, bits, replace=False))
        assert any(mask and not turned & mask for mask in masks)


def test_simhash_finds_long_texts_with_a_changed_word_and_no_others() -> None:
    rng = np.random.default_rng(0)
    rows = [[f"w{w}" for w in rng.integers(0, 9000, 400)] for _ in range(20)]
    texts = [" ".join(r) for r in rows] + [" ".join([*r[:200], "changed", *r[201:]]) for r in rows]
    found = drops(SimHash(bits=8), Pool.of({"text": Text.of(texts)}))
    assert found.rows.tolist() == list(range(20, 40))
    assert found.of.tolist() == list(range(20))
    assert (found.similarity >= 1 - 8 / 64).all()


@pytest.mark.parametrize(
    "method", [Jaccard(threshold=0.6, keep="score"), SimHash(bits=6, keep="score", to=250)]
)
def test_same_drops_for_any_chunk_threads_and_block(method: Deduper, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, answers = copies(500, seed=1), []
    scores = np.random.default_rng(5).integers(0, 4, 500).astype(float)
    for chunk, workers, block in [(1 << 16, 1, 1 << 12), (13, 2, 64), (100, 3, 7)]:
        monkeypatch.setattr(shingles, "BLOCK", block)
        pool = Pool.of({"text": Text.of(texts), "score": Scores(scores)}, chunk=chunk)
        found = run(method.steps(pool), pool, on=Local(workers)).result
        answers.append((found.rows.tobytes(), found.of.tobytes(), found.similarity.tobytes()))
    assert len(answers[0][0]) > 0
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("method", [Jaccard(threshold=0.3), SimHash(bits=16), MinHash(threshold=0.3)])
def test_a_target_keeps_exactly_so_many(method: Deduper) -> None:
    pool = Pool.of({"text": Text.of(copies(300, seed=9))})
    kind, floor = type(method), drops(method, pool)
    some = {f: getattr(method, f) for f in ("threshold", "bits") if hasattr(method, f)}
    for to in (299, 270, 0.9, 1, 300):
        found = drops(kind(**some, to=to), pool)
        stay = int(np.ceil(to * 300)) if to < 1 else to
        assert len(pool) - len(found) == max(stay, 300 - len(floor))


def test_equal_texts_to_a_target() -> None:
    pool = Pool.of({"text": Text.of(["a"] * 6 + ["b"] * 4)})
    assert drops(ExactText(to=5), pool).rows.tolist() == [4, 5, 7, 8, 9]
    assert len(drops(ExactText(to=0.4), pool)) == 6
    assert len(drops(ExactText(to=1), pool)) == 8
    with pytest.raises(UsageError, match="count of rows"):
        ExactText(to=-1)


def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BLOCK": 32, "TILE": 20, "BATCH": 64, "STEP": 16, "CELL": 15, "AXES": 12}.items():
        monkeypatch.setattr(cells, name, value)


@pytest.mark.parametrize("threshold", [0.5, 0.95, 1.0])
def test_no_cell_out_of_reach_holds_a_near_row(threshold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    small_cells(monkeypatch)
    values = clouds(600, 24, seed=3)
    values[:3] = 0
    sorted_ = alone(cells.sorted_rows(Directions.of(values), np.arange(600), 0))
    assert len(sorted_.centres) == 40
    near = cells.within_reach(sorted_, sorted_.screen, threshold)
    unit = Directions.of(values).unit(slice(None)).astype(np.float64)
    row, other = np.nonzero(unit @ unit.T >= threshold - cells.ROUNDING)
    assert len(row) >= 597
    assert near[row, sorted_.home[other]].all()
    if threshold > 0.9:
        assert near.mean() < 0.7  # and most need not be met
    probed = cells.nearest_cells(3, sorted_, sorted_.screen, threshold)
    assert (probed.sum(axis=1) == 3).all()
    assert probed[np.arange(600), sorted_.home].all()
    assert cells.nearest_cells(40, sorted_, sorted_.screen, threshold).all()


def test_probing_all_cells_is_exact_and_fewer_miss_some(monkeypatch: pytest.MonkeyPatch) -> None:
    small_cells(monkeypatch)
    pool = Pool.of({"vec": Vectors(clouds(900, 40, seed=5))})
    whole = drops(Cosine(threshold=0.9), pool)
    for method in (SemDedup(threshold=0.9, probes=60), SemDedup(threshold=0.9, cells=5, probes=5)):
        found = drops(method, pool)
        assert (found.rows.tolist(), found.of.tolist()) == (whole.rows.tolist(), whole.of.tolist())
    assert recall(pool, whole, "vec", 0.9, 900, 0) == 1
    few = drops(SemDedup(threshold=0.9, cells=300, probes=1), pool)
    assert np.isin(few.rows, whole.rows).mean() > 0.9
    assert recall(pool, few, "vec", 0.9, 900, 0) < 1
    half = whole.without(whole.rows[::2])
    assert recall(pool, half, "vec", 0.9, 900, 0) == pytest.approx(0.5, abs=0.1)


@given(TEXTS, st.data(), st.sampled_from([0.0, 0.3, 0.5, 0.9]), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_leakage_is_its_definition(
    texts: list[str], data: st.DataObject, threshold: float, ngram: int
) -> None:
    split = [data.draw(st.sampled_from(["train", "test"])) for _ in texts]
    pool = Pool.of({"text": Text.of(texts), "split": Labels.of([*split])})
    if "test" not in split:
        return
    indptr, grams = grams_of(Text.of(texts), ngram)
    rows = [set(grams[a:b].tolist()) for a, b in pairwise(indptr)]
    few = [i for i, s in enumerate(split) if s == "test"]
    of, share = leakage.exact(rows, few, threshold)
    found = drops(Leakage(threshold=threshold, ngram=ngram), pool)
    assert_same(found, np.arange(len(texts)), of, share)


def test_a_passage_leaks_a_short_text_only_as_a_whole() -> None:
    passage = " ".join(f"w{i}" for i in range(13))
    texts = [passage, f"before {passage} after", passage.rsplit(" ", 1)[0], "Yes!", "yes", "yes indeed", ""]
    pool = Pool.of({"text": Text.of(texts), "kind": Tags.of([["t"], [], [], ["t", "u"], [], [], []])})
    found = drops(Leakage(against="kind:t"), pool)
    assert found.rows.tolist() == [1, 4]
    assert found.of.tolist() == [0, 3]
    assert found.similarity.tolist() == [1, 1]
    assert "kind:t" in found.why
    with pytest.raises(UsageError, match="no group"):
        drops(Leakage(against="kind:x"), pool)
    with pytest.raises(ContractError, match="no signal"):
        drops(Leakage(), pool)


@pytest.mark.parametrize("many", [0.0, 2.0], ids=["by whole tiles", "by single pairs"])
def test_leaking_vectors_are_those_of_the_definition(many: float, monkeypatch: pytest.MonkeyPatch) -> None:
    small_cells(monkeypatch)
    monkeypatch.setattr(cells, "MANY", many)
    values = clouds(500, 30, seed=8)
    values[5] = 0
    few = [3, 5, *range(100, 180)]
    split = Labels.of(["test" if i in few else "train" for i in range(500)])
    pool = Pool.of({"vec": Vectors(values), "split": split})
    found = run(CosineLeakage(threshold=0.95).steps(pool), pool, on=Local(2)).result
    truth = cosine_leakage.exact(values, few, 0.95)
    assert len(truth) > 30
    assert list(zip(found.rows.tolist(), found.of.tolist(), strict=True)) == truth
    everything = Pool.of({"vec": Vectors(values), "split": Labels.of(["test"] * 500)})
    assert len(drops(CosineLeakage(), everything)) == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Jaccard(threshold=0), "threshold"),
        (lambda: Jaccard(ngram=0), "ngram"),
        (lambda: Jaccard(to=1.5), "count of rows"),
        (lambda: SimHash(bits=17), "bits"),
        (lambda: SimHash(ngram=0), "ngram"),
        (lambda: SemDedup(probes=0), "probes"),
        (lambda: SemDedup(threshold=2), "threshold"),
        (lambda: Leakage(threshold=1), "threshold"),
        (lambda: Leakage(ngram=0), "ngram"),
        (lambda: Leakage(against="test"), "signal:group"),
        (lambda: CosineLeakage(threshold=0), "threshold"),
        (lambda: CosineLeakage(against=":"), "signal:group"),
    ],
)
def test_wrong_options_are_refused(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=says):
        make()


class BrokenLeakage:
    """Drops copies of the rows labelled a, with one fault."""

    by, against = "text", "label:a"

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def steps(self, pool: Pool):  # type: ignore[no-untyped-def]
        yield from ()
        text, few, first = pool.signal("text", Text), members(pool, self.against), {}
        of = np.full(len(pool), -1, np.int64)
        for i in [*few[::-1], *np.setdiff1d(np.arange(len(pool)), few)]:
            if i in few:
                first[text[i]] = i
            elif self.fault != "misses a copy" or i % 2:
                of[i] = first.get(text[i], -1)
        if self.fault == "the group goes" and len(few) > 1:
            of[few[1:]] = few[0]
            of[np.isin(of, few[1:])] = few[0]
        if self.fault == "another row is named":
            others = np.setdiff1d(np.flatnonzero(of < 0), few)
            of = np.where((of >= 0) & bool(len(others)), others[:1].sum(), of)
        return Drops.at(pool, of, np.ones(len(pool)), "copies")


@pytest.mark.parametrize("fault", ["the group goes", "another row is named", "misses a copy", ""])
def test_a_broken_leakage_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError) if fault else nullcontext():
        on_pools(dedup.a_set_aside_group_stays_and_is_named, (BrokenLeakage(fault),), 300, FIND)
