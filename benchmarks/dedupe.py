"""Near-duplicates: time against datasketch and semhash where they are installed, recall against all pairs."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import os
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.drops import Drops
from shortlist.core.pool import Pool
from shortlist.core.signals import Text, Vectors
from shortlist.methods.dedup import minhash
from shortlist.methods.dedup.cosine import Cosine
from shortlist.methods.dedup.exact_text import ExactText
from shortlist.methods.dedup.minhash import MinHash
from shortlist.methods.encode.lsa import LSA
from shortlist.run.driver import Local, run
from shortlist.store import docstrings

DATA = Path(os.environ.get("SHORTLIST_DATA", Path(__file__).parents[2] / "shared" / "data"))  # not ours
TEXTS, SOURCE = 50_000, 400_000_000


def figure(name: str, value: float, unit: str = "s", **more: Any) -> None:
    print(json.dumps({"figure": name, "value": round(value, 4), "unit": unit, **more}), flush=True)


def timed(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Median seconds, and the last answer."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), answer


def answer_of(method: Any, pool: Pool) -> Any:
    return run(method.steps(pool), pool, on=Local(1)).result


def installed(*names: str) -> bool:
    try:
        return all(importlib.import_module(n) is not None for n in names)
    except ImportError:
        return False


def datasketch_drops(texts: list[str], threshold: float) -> int:
    """Rows that a first-come greedy rule drops by datasketch's candidates."""
    from datasketch import MinHash as Sketch
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=128)
    dropped = 0
    sets = []
    for text in texts:
        words = text.lower().split()
        count = max(len(words) - 4, 1)
        sets.append({" ".join(words[i : i + 5]).encode() for i in range(count)})
    for i, sketch in enumerate(Sketch.generator(sets, num_perm=128)):
        if index.query(sketch):
            dropped += 1
        else:
            index.insert(str(i), sketch, check_duplication=False)
    return dropped


def semhash_drops(values: np.ndarray, threshold: float) -> int:
    from semhash import SemHash

    class Given:
        def encode(self, rows: list[str], **_: Any) -> np.ndarray:
            return values[np.array([int(r) for r in rows])]

    records = [str(i) for i in range(len(values))]
    return len(SemHash.from_records(records, model=Given()).self_deduplicate(threshold).filtered)


def brute(texts: Text, threshold: float) -> np.ndarray:
    """Rows dropped when every pair is compared: one bucket for all."""
    indptr, sets = minhash.shingles_of(texts, 5)
    out = np.zeros(len(indptr), np.int64)
    minhash.sort_rows(indptr, sets, out)
    some = np.flatnonzero(np.diff(out) > 0)
    pieces = [sets[out[i] : out[i + 1]] for i in some]
    ends = np.cumsum([0, *map(len, pieces)])
    ((of, _),) = minhash._join(ends, np.concatenate(pieces), np.zeros((len(some), 1), np.int32), threshold)
    return some[of >= 0]


def clouds(n: int, d: int) -> np.ndarray:
    """Unit vectors in 200 clusters of unequal size, a fifth of them noisy copies of others."""
    rng = np.random.default_rng(20260)
    axes = np.linalg.qr(rng.standard_normal((d, 48)))[0].T * (0.95 ** np.arange(48))[:, None]
    share = 1 / np.arange(1, 201)
    centre = rng.standard_normal((200, 48))[rng.choice(200, n, p=share / share.sum())]
    x = (0.9 * centre + 0.45 * rng.standard_normal((n, 48))) @ axes + 1.2 * axes[0]
    x += 0.06 * rng.standard_normal((n, d))
    copies, sources = np.arange(n - n // 5, n), rng.integers(0, n - n // 5, n // 5)
    noise = rng.standard_normal((len(copies), d)) * rng.random((len(copies), 1)) * 0.3 / np.sqrt(d)
    x[copies] = x[sources] + noise * np.linalg.norm(x[sources], axis=1, keepdims=True)
    x = x[rng.permutation(n)].astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def texts() -> None:
    docstrings.SOURCE = SOURCE
    words = docstrings.gather(TEXTS)["text"].to_pylist()
    pool = Pool.of({"text": Text.of(words)})
    how = f"{len(words):,} docstrings, {pool.nbytes / 1e6:.0f} MB, one core, median of 3"
    seconds, _ = timed(lambda: answer_of(ExactText(), pool))
    figure("equal texts", seconds, how=how)
    answer_of(MinHash(threshold=0.7), pool)  # compiles
    seconds, found = timed(lambda: answer_of(MinHash(threshold=0.7), pool))
    more: dict[str, Any] = {"how": f"{how}; 5-word shingles, Jaccard >= 0.7, {len(found):,} dropped"}
    if installed("datasketch"):
        peer, dropped = timed(lambda: datasketch_drops(words, 0.7), 1)
        more |= {
            "peer": f"datasketch {version('datasketch')}, 128 permutations",
            "peer_value": round(peer, 3),
        }
        more["how"] += f" (datasketch {dropped:,}, words cut at spaces)"
    figure("near-equal texts", seconds, **more)
    seconds, _ = timed(lambda: answer_of(MinHash(threshold=0.3, to=0.75), pool))
    figure("three quarters left, the most alike dropped first", seconds, how=how)
    some = Text.of(words[:10_000])
    for threshold in (0.5, 0.8):
        truth, small = brute(some, threshold), Pool.of({"text": some})
        rows = answer_of(MinHash(threshold=threshold), small).rows
        how = (
            f"10,000 docstrings, rows that comparing all pairs drops ({len(truth):,}), Jaccard >= {threshold}"
        )
        share = float(np.isin(truth, rows).mean())
        figure(f"recall at {threshold}", share, "of 1", goal=0.99, better="higher", how=how)


def vectors() -> None:
    for n in (10_000, 50_000):
        values = clouds(n, 384)
        pool = Pool.of({"vec": Vectors(values)})
        seconds, found = timed(lambda pool=pool: answer_of(Cosine(), pool))
        more: dict[str, Any] = {
            "how": f"cosine >= 0.95, exact, {len(found):,} dropped; one core, median of 3"
        }
        if installed("semhash"):
            peer, dropped = timed(lambda values=values: semhash_drops(values, 0.95), 1)
            more |= {"peer": f"semhash {version('semhash')}, approximate", "peer_value": round(peer, 3)}
            more["how"] += f" (semhash {dropped:,})"
        figure(f"near-equal vectors, {n:,} x 384", seconds, **more)


def articles() -> None:
    folder = DATA / "plagiarism_articles"
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with open(folder / "duplicate_pairs.tsv", encoding="utf-8") as file:
        truth = {frozenset((r["id_a"], r["id_b"])) for r in csv.DictReader(file, delimiter="\t")}
    pool = Pool.of({"text": Text.of([r["text"] for r in rows])})
    pool = pool.with_signal("vec", answer_of(LSA(), pool))
    for method in (MinHash(threshold=0.5, ngram=3), Cosine(threshold=0.9)):
        found: Drops = answer_of(method, pool)
        pairs = {frozenset((rows[a]["id"], rows[b]["id"])) for a, b in zip(found.rows, found.of, strict=True)}
        for name, whole in (("precision", pairs), ("recall", truth)):
            how = f"{len(rows):,} articles, {len(truth)} planted copies, {method}"
            share = len(pairs & truth) / max(len(whole), 1)
            figure(
                f"plagiarised articles, {type(method).__name__} {name}",
                share,
                "of 1",
                better="higher",
                how=how,
            )


def records() -> None:
    with gzip.open(DATA / "childcare_dedupe" / "records.tsv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    lines = [" ".join((r["site_name"], r["address"], r["phone"])) for r in rows]
    pool = Pool.of({"text": Text.of(lines)})
    for method in (ExactText(fold=True), MinHash(threshold=0.5, ngram=1), MinHash(threshold=0.7, ngram=1)):
        found: Drops = answer_of(method, pool)
        right = sum(
            rows[a]["true_id"] == rows[b]["true_id"] for a, b in zip(found.rows, found.of, strict=True)
        )
        surplus = len(rows) - len({r["true_id"] for r in rows})
        for name, whole in (("precision", len(found)), ("recall", surplus)):
            how = f"{len(rows):,} child care records, {surplus:,} of them copies; drops for the right place"
            figure(f"records, {method} {name}", right / max(whole, 1), "of 1", better="higher", how=how)


if __name__ == "__main__":
    texts()
    vectors()
    for part, folder in ((articles, "plagiarism_articles"), (records, "childcare_dedupe")):
        if (DATA / folder).is_dir():
            part()
