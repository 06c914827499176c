"""The encoder that needs no model: time cold and warm, and what its neighbours are worth on real sets."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.pool import Pool
from shortlist.core.signals import Text
from shortlist.methods.encode.lsa import LSA
from shortlist.methods.encode.tfidf import TFIDF
from shortlist.run.driver import Local, run
from shortlist.store import docstrings

DATA = Path(os.environ.get("SHORTLIST_DATA", Path(__file__).parents[2] / "shared" / "data"))  # not ours
COLD = """
import json, sys, time
from shortlist.core.pool import Pool
from shortlist.core.signals import Text
from shortlist.methods.encode.lsa import LSA
from shortlist.run.driver import Local, run
words = json.load(open(sys.argv[1]))
pool = Pool.of({"text": Text.of(words)})
start = time.perf_counter()
run(LSA().steps(pool), pool, on=Local(1))
print(time.perf_counter() - start)
"""
Encode = Callable[[Text, Text], np.ndarray]


def figure(name: str, value: float, unit: str = "s", **more: Any) -> None:
    print(json.dumps({"figure": name, "value": round(float(value), 4), "unit": unit, **more}), flush=True)


def times() -> None:
    docstrings.SOURCE = 200_000_000
    words = docstrings.gather(10_000)["text"].to_pylist()
    many = f"{len(words):,} docstrings, {sum(map(len, words)) / 1e6:.1f} MB"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.json"
        path.write_text(json.dumps(words), "utf-8")
        env = os.environ | {"NUMBA_CACHE_DIR": folder}
        for name, goal in (("empty cache", 5.0), ("warm cache", 1.5)):
            command = [sys.executable, "-c", COLD, str(path)]
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
            figure(f"LSA, {name}", float(done.stdout), goal=goal, how=f"{many}, d = 256, one core, once")
    pool = Pool.of({"text": Text.of((words * 10)[:100_000])})
    start = time.perf_counter()
    run(LSA().steps(pool), pool, on=Local(1))
    how = f"{len(pool):,} texts ({many}, repeated), d = 256, one core, once"
    figure("LSA, 100,000 texts", time.perf_counter() - start, goal=15.0, how=how)


def lsa(fitted: Text, asked: Text) -> np.ndarray:
    """Vectors of `asked` by what is learned from `fitted`: both are encoded, `fitted` alone is learned."""
    from shortlist.methods.encode import lsa as module

    (basis,) = module._fit(LSA(), fitted)
    return np.concatenate([x for s in module.blocks(asked) for x in module._project(asked, basis, s)])


def sparse(fitted: Text, asked: Text) -> np.ndarray:
    """TF-IDF rows, dense; document frequencies of `fitted`."""
    from shortlist.methods.encode import tfidf as module

    method, n = TFIDF(bits=16), (0, len(asked))
    terms = module.counted(fitted, method.bits, (0, len(fitted)))[1]
    idf = module.rarity(np.bincount(terms, minlength=1 << method.bits), len(fitted))
    indptr, columns, counts = module.counted(asked, method.bits, n)
    out = np.zeros((len(asked), 1 << method.bits), np.float32)
    out[np.repeat(np.arange(len(asked)), np.diff(indptr)), columns] = module.weigh(
        indptr, columns, counts, idf
    )
    return out


def projected(fitted: Text, asked: Text) -> np.ndarray:
    """TF-IDF rows through a random projection to 256."""
    turn = np.random.default_rng(0).standard_normal((1 << 16, 256), np.float32)
    rows = sparse(fitted, asked) @ turn
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def accuracy(encode: Encode, words: list[str], label: np.ndarray, k: int = 5) -> float:
    """Share of rows whose class has most similarity among the k nearest others."""
    rows = encode(Text.of(words), Text.of(words))
    codes, right = np.unique(label, return_inverse=True)[1], 0
    for a in range(0, len(rows), 500):
        near = rows[a : a + 500] @ rows.T
        near[np.arange(len(near)), np.arange(a, a + len(near))] = -9
        at = np.argpartition(-near, k, axis=1)[:, :k]
        votes = np.zeros((len(near), codes.max() + 1))
        np.add.at(votes, (np.arange(len(near))[:, None], codes[at]), np.take_along_axis(near, at, 1) + 1)
        right += int((votes.argmax(axis=1) == codes[a : a + 500]).sum())
    return right / len(rows)


def gain(encode: Encode, folder: Path) -> float:
    """Mean nDCG@10 of a retrieval set."""
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        corpus = [json.loads(line) for line in file]
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    grades: dict[str, dict[str, int]] = {}
    with open(folder / "qrels.tsv", encoding="utf-8") as file:
        for r in csv.DictReader(file, delimiter="\t"):
            grades.setdefault(r["query_id"], {})[r["doc_id"]] = max(int(r["relevance"]), 0)
    text = Text.of([f"{c['title']}. {c['text']}" for c in corpus])
    near = encode(text, Text.of([q["text"] for q in queries])) @ encode(text, text).T
    found, discount = [], 1 / np.log2(np.arange(2, 12))
    for q, row in zip(queries, near, strict=True):
        wanted = grades.get(q["id"], {})
        best = np.array(sorted(wanted.values(), reverse=True)[:10])
        if best.sum():
            got = [wanted.get(corpus[i]["id"], 0) for i in np.argsort(-row, kind="stable")[:10]]
            ideal = (2.0**best - 1) @ discount[: len(best)]
            found.append((2.0 ** np.array(got) - 1) @ discount / ideal)
    return float(np.mean(found))


def table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def sets() -> Iterator[tuple[str, Callable[[Encode], float]]]:
    if (DATA / "ag_news_test").is_dir():
        news = table(DATA / "ag_news_test" / "docs.tsv.gz")
        words, label = [f"{r['title']}. {r['text']}" for r in news], np.array([r["label"] for r in news])
        yield "AG news, accuracy by 5 neighbours", lambda e: accuracy(e, words, label)
    if (DATA / "banking77").is_dir():
        bank = table(DATA / "banking77" / "train.tsv.gz")
        asked, intent = [r["text"] for r in bank], np.array([r["label"] for r in bank])
        yield "Banking77, accuracy by 5 neighbours", lambda e: accuracy(e, asked, intent)
    for name in ("cranfield", "nfcorpus"):
        if (DATA / name).is_dir():
            yield f"{name.title()}, nDCG@10", lambda e, name=name: gain(e, DATA / name)


def main() -> None:
    times()
    for name, measure in sets():
        ours, plain, turned = (measure(e) for e in (lsa, sparse, projected))
        how = f"LSA d = 256; a random projection of TF-IDF to 256 has {turned:.3f}"
        more = {"better": "higher", "peer": "TF-IDF cosine", "peer_value": round(plain, 4), "how": how}
        figure(name, ours, "of 1", **more)


if __name__ == "__main__":
    main()
