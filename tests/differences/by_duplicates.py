"""Ours, semhash and datasketch: which rows go, and of which row each is a copy.

All follow one rule: rows in order, each goes if a row that stays is near enough. A row missed or wrongly
dropped changes what follows, so each row is judged by the library's own rows that stay before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasketch import MinHash as Sketch
from datasketch import MinHashLSH
from semhash import SemHash
from vicinity import Backend

from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from shortlist.core.signals import Text, Vectors
from shortlist.methods.dedup.cosine import Cosine
from shortlist.methods.dedup.jaccard import Jaccard
from shortlist.methods.dedup.minhash import MinHash
from tests.differences.play import SAME, Seen, cosines, drawn

#: Causes, told on the page.
MISSED, WRONG = "missed: a row that stays is near enough", "dropped, and no row that stays is near enough"
EDGE = "at the threshold, within 1e-5"
FARTHER = "copy of a row that stays, not of the nearest"
ROUNDING = 1e-5
#: Rows of a pool, and of one on which recall and precision can be told.
SMALL, LARGE = 60, 2000
Rng = np.random.Generator
Found = tuple[np.ndarray, np.ndarray]  # rows dropped, and of which


@dataclass(frozen=True, slots=True)
class Copies:
    """A deduper: `draw` gives similarities f64[n, n], the threshold and what it found."""

    name: str
    draw: Callable[[Rng], tuple[np.ndarray, float, Found]]

    def seen(self, seed: int) -> Iterator[Seen]:
        """A verdict a row, and one a copy of which is said to be a copy."""
        similar, threshold, (rows, of) = self.draw(np.random.default_rng(seed))
        stays = np.ones(len(similar), bool)
        stays[rows] = False
        source = dict(zip(rows.tolist(), of.tolist(), strict=True))
        for i in range(len(similar)):
            before = similar[i, :i][stays[:i]]
            best = before.max(initial=-1.0)
            yield Seen(self.name, "rows", row_verdict(i in source, best, threshold))
            if i in source and source[i] >= 0:
                told = similar[i, source[i]] if stays[source[i]] else -1.0
                yield Seen(self.name, "copies of", SAME if told >= best - ROUNDING else FARTHER)


def rates(case: Copies, seeds: int) -> tuple[int, float, float]:
    """Rows that should go, by the rows that stay before them; which share went; which share of what went."""
    should = went = right = 0
    for seed in range(seeds):
        similar, threshold, (rows, _) = case.draw(np.random.default_rng(seed))
        stays = np.ones(len(similar), bool)
        stays[rows] = False
        best = np.array([similar[i, :i][stays[:i]].max(initial=-1.0) for i in range(len(similar))])
        near = best >= threshold - ROUNDING
        should, went, right = should + near.sum(), went + len(rows), right + near[rows].sum()
    return int(should), float(right / should), float(right / went)


def row_verdict(dropped: bool, best: float, threshold: float) -> str:
    """Whether a row whose nearest before it, of those that stay, is `best` near should be gone."""
    if dropped == (best >= threshold):
        return SAME
    if abs(best - threshold) < ROUNDING:
        return EDGE
    return WRONG if dropped else MISSED


def vectors(rng: Rng, n: int) -> tuple[np.ndarray, float]:
    """Small whole vectors, which meet the threshold exactly (3-4-5), or clouds around some centres."""
    kind = rng.random() if n == SMALL else 1.0
    if kind < 0.3:
        return drawn(rng), 0.5
    if kind < 0.5:
        triples = np.array([[1, 0], [4, 3], [3, 4], [0, 1], [-4, 3]], np.float32)
        return triples[rng.integers(0, 5, 12)], 0.8
    d = int(rng.integers(4, 33))
    x = rng.normal(size=(n // 4, d))[rng.integers(0, n // 4, n)] + rng.normal(size=(n, d)) * rng.choice(
        [0.05, 0.15, 0.3]
    )
    return x.astype(np.float32), float(rng.choice([0.8, 0.9, 0.95]))


def drops(method: Any, pool: Pool) -> Found:
    found = alone(method.steps(pool), pool)
    return found.rows, found.of


def ours_cosine(rng: Rng, n: int) -> tuple[np.ndarray, float, Found]:
    x, threshold = vectors(rng, n)
    return cosines(x), threshold, drops(Cosine(threshold=threshold), Pool.of({"vec": Vectors(x)}))


class Ready:
    """A model that is never asked: the vectors are given."""

    def encode(self, inputs: Any, **keywords: Any) -> np.ndarray:
        raise NotImplementedError


def semhash(rng: Rng, n: int, backend: Backend) -> tuple[np.ndarray, float, Found]:
    x, threshold = vectors(rng, n)
    names = [str(i) for i in range(len(x))]
    index = SemHash.from_embeddings(x, names, Ready(), ann_backend=backend)
    found = index.self_deduplicate(threshold).filtered
    rows = np.array([int(f.record) for f in found], np.int64)
    return cosines(x), threshold, (rows, np.array([int(f.duplicate_of) for f in found], np.int64))


def texts(rng: Rng, n: int) -> tuple[list[set[str]], np.ndarray, float]:
    """Sets of words, some of them copies with changes; their Jaccard indices."""
    words = [f"w{i}" for i in range(400)]
    sets: list[set[str]] = []
    for _ in range(n):
        if sets and rng.random() < 0.6:
            row = set(sets[int(rng.integers(len(sets)))])
            for _ in range(int(rng.integers(0, 8))):
                row ^= {words[int(rng.integers(400))]}
        else:
            row = set(rng.choice(words, int(rng.integers(1, 40)), replace=False).tolist())
        sets.append(row or {"w0"})
    has = np.array([[w in row for w in words] for row in sets], np.float64)
    both, size = has @ has.T, has.sum(axis=1)
    similar = both / (size[:, None] + size - both)
    return sets, similar, float(rng.choice([0.5, 0.7, 0.8]))


def ours_text(rng: Rng, n: int, method: Any) -> tuple[np.ndarray, float, Found]:
    sets, similar, threshold = texts(rng, n)
    pool = Pool.of({"text": Text.of([" ".join(sorted(s)) for s in sets])})
    return similar, threshold, drops(method(threshold=threshold, ngram=1), pool)


def datasketch(rng: Rng, n: int) -> tuple[np.ndarray, float, Found]:
    """Its index as its documentation uses it: a row goes if a query finds any that stays."""
    sets, similar, threshold = texts(rng, n)
    index = MinHashLSH(threshold=threshold, num_perm=128)
    rows: list[int] = []
    for i, sketch in enumerate(Sketch.generator([[w.encode() for w in s] for s in sets], num_perm=128)):
        if index.query(sketch):
            rows.append(i)
        else:
            index.insert(i, sketch)
    return similar, threshold, (np.array(rows, np.int64), np.full(len(rows), -1))


def cases(n: int) -> tuple[Copies, ...]:
    """All of them, on pools of n rows."""
    return (
        Copies("ours, Cosine", lambda rng: ours_cosine(rng, n)),
        Copies("semhash, exact", lambda rng: semhash(rng, n, Backend.BASIC)),
        Copies("semhash, usearch", lambda rng: semhash(rng, n, Backend.USEARCH)),
        Copies("ours, Jaccard", lambda rng: ours_text(rng, n, Jaccard)),
        Copies("ours, MinHash", lambda rng: ours_text(rng, n, MinHash)),
        Copies("datasketch, MinHashLSH", lambda rng: datasketch(rng, n)),
    )


CASES = cases(SMALL)
