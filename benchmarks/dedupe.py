"""Near-duplicates: time against datasketch and semhash where they are installed, recall against all pairs.

`python benchmarks/dedupe.py` measures everything, `python benchmarks/dedupe.py vectors memory` some parts.
"""

from __future__ import annotations

import csv
import ctypes
import gzip
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.drops import Drops
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Text, Vectors
from shortlist.methods.dedup.cosine import Cosine
from shortlist.methods.dedup.cosine_leakage import CosineLeakage
from shortlist.methods.dedup.exact_text import ExactText
from shortlist.methods.dedup.jaccard import Jaccard
from shortlist.methods.dedup.leakage import Leakage
from shortlist.methods.dedup.minhash import MinHash
from shortlist.methods.dedup.sem_dedup import SemDedup, recall
from shortlist.methods.dedup.simhash import SimHash
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


def datasketch_drops(texts: list[str], threshold: float) -> np.ndarray:
    """Rows that a first-come greedy rule drops by datasketch's candidates."""
    from datasketch import MinHash as Sketch
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=128)
    dropped = []
    sets = []
    for text in texts:
        words = text.lower().split()
        count = max(len(words) - 4, 1)
        sets.append({" ".join(words[i : i + 5]).encode() for i in range(count)})
    for i, sketch in enumerate(Sketch.generator(sets, num_perm=128)):
        if index.query(sketch):
            dropped.append(i)
        else:
            index.insert(str(i), sketch, check_duplication=False)
    return np.array(dropped, np.int64)


def semhash_drops(values: np.ndarray, threshold: float) -> int:
    from semhash import SemHash

    class Given:
        def encode(self, rows: list[str], **_: Any) -> np.ndarray:
            return values[np.array([int(r) for r in rows])]

    records = [str(i) for i in range(len(values))]
    return len(SemHash.from_records(records, model=Given()).self_deduplicate(threshold).filtered)


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


def multiplied(base: list[str], n: int) -> list[str]:
    """n texts, words parted by spaces: 11 in 20 are put together of runs of 5 to 29 words out of the base,
    as long as one of it; the others are copies of those with 0, 1, 3 or 10% of their words changed."""
    rng = np.random.default_rng(7)
    words = [w for w in (text.split() for text in base) if len(w) >= 5]
    lengths = np.array([len(w) for w in words])
    vocabulary = sorted({x for w in words for x in w})
    fresh = n - n * 9 // 20
    rows: list[list[str]] = []
    for size in np.minimum(lengths[rng.integers(0, len(words), fresh)], 300):
        row: list[str] = []
        while len(row) < size:
            w = words[rng.integers(0, len(words))]
            a = int(rng.integers(0, len(w)))
            row += w[a : a + int(rng.integers(5, 30))]
        rows.append(row[:size])
    rates = rng.choice([0, 0.01, 0.03, 0.1], n - fresh)
    for source, rate in zip(rng.integers(0, fresh, n - fresh), rates, strict=True):
        row = list(rows[source])
        for i in np.flatnonzero(rng.random(len(row)) < rate):
            row[i] = vocabulary[rng.integers(0, len(vocabulary))]
        rows.append(row)
    return [" ".join(rows[i]) for i in rng.permutation(n)]


def docs(n: int) -> list[str]:
    """Docstrings of what is installed here, multiplied to n."""
    docstrings.SOURCE = SOURCE
    return multiplied(docstrings.gather(TEXTS)["text"].to_pylist(), n)


def texts() -> None:
    """Docstrings as they are, by every deduper of texts; recall of MinHash against the exact join."""
    docstrings.SOURCE = SOURCE
    words = docstrings.gather(TEXTS)["text"].to_pylist()
    pool = Pool.of({"text": Text.of(words)})
    how = f"{len(words):,} docstrings, {pool.nbytes / 1e6:.0f} MB, one core, median of 3"
    for name, method in (
        ("equal texts", ExactText()),
        ("near-equal texts, exact", Jaccard(threshold=0.7)),
        ("near-equal texts, MinHash", MinHash(threshold=0.7)),
        ("near-equal texts, SimHash", SimHash()),
        ("three quarters left, the most alike dropped first", Jaccard(threshold=0.3, to=0.75)),
    ):
        answer_of(method, pool)  # compiles
        seconds, found = timed(lambda method=method: answer_of(method, pool))
        figure(name, seconds, how=f"{how}; {method}, {len(found):,} dropped")
    for threshold in (0.5, 0.8):
        truth = answer_of(Jaccard(threshold=threshold), pool).rows
        rows = answer_of(MinHash(threshold=threshold), pool).rows
        how = f"{len(words):,} docstrings, rows that Jaccard drops ({len(truth):,}), index >= {threshold}"
        share = float(np.isin(truth, rows).mean())
        figure(f"MinHash recall at {threshold}", share, "of 1", goal=0.99, better="higher", how=how)


def texts_100k() -> None:
    """The exact join against datasketch's approximate answer."""
    words = docs(100_000)
    pool = Pool.of({"text": Text.of(words)})
    answer_of(Jaccard(threshold=0.7), pool.take(np.arange(1000)))  # compiles
    seconds, found = timed(lambda: answer_of(Jaccard(threshold=0.7), pool))
    more: dict[str, Any] = {
        "how": f"{len(words):,} texts of docstrings, {pool.nbytes / 1e6:.0f} MB, 5-word shingles, "
        f"Jaccard >= 0.7, exact, {len(found):,} dropped; one core, median of 3"
    }
    if installed("datasketch"):
        peer, rows = timed(lambda: datasketch_drops(words, 0.7), 1)
        share, right = np.isin(found.rows, rows).mean(), np.isin(rows, found.rows).mean()
        more |= {
            "peer": f"datasketch {version('datasketch')}, 128 permutations",
            "peer_value": round(peer, 3),
        }
        more["how"] += f" (datasketch, words cut at spaces: recall {share:.4f}, precision {right:.4f} by row)"
    figure("near-equal texts, 100,000", seconds, **more)


def texts_1m() -> None:
    words = docs(1_000_000)
    pool = Pool.of({"text": Text.of(words)})
    del words
    answer_of(Jaccard(threshold=0.7), pool.take(np.arange(1000)))  # compiles
    seconds, found = timed(lambda: answer_of(Jaccard(threshold=0.7), pool), 1)
    how = (
        f"{pool.nbytes / 1e6:.0f} MB, 5-word shingles, index >= 0.7, exact, {len(found):,} dropped; one core"
    )
    figure("near-equal texts, 1,000,000", seconds, goal=120, how=how)


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


def vectors_400k() -> None:
    pool = Pool.of({"vec": Vectors(clouds(400_000, 384))})
    for name, method, goal in (("exact", Cosine(), 120), ("4 cells a row", SemDedup(), 30)):
        seconds, found = timed(lambda method=method: answer_of(method, pool), 1)
        how = f"cosine >= 0.95, {len(found):,} dropped; one core"
        figure(f"near-equal vectors, 400,000 x 384, {name}", seconds, goal=goal, how=how)
        share = recall(pool, found, "vec", 0.95, 4_000, 0)
        how = "4,000 rows drawn: those that went, of those and any with a better row at 0.95 that stays"
        figure(f"recall of {name}", share, "of 1", goal=0.95, better="higher", how=how)


def unclustered() -> None:
    """The worst case of Cosine: directions drawn evenly in 128 dimensions: every cell must be met."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal((50_000, 128)).astype(np.float32)
    values[40_000:] = values[:10_000] + 0.2 * rng.standard_normal((10_000, 128)).astype(np.float32)
    pool = Pool.of({"vec": Vectors(values)})
    for method in (Cosine(), SemDedup(), SemDedup(probes=16)):
        seconds, found = timed(lambda method=method: answer_of(method, pool), 1)
        share = recall(pool, found, "vec", 0.95, 4_000, 0)
        how = f"no clusters, {len(found):,} dropped, recall {share:.4f} on a sample; one core"
        figure(f"50,000 x 128 without clusters, {method}", seconds, how=how)


def leaks() -> None:
    """1,000 rows set aside, a hundredth of the pool holds a passage of one of them."""
    words = docs(100_000)
    rng = np.random.default_rng(3)
    long = [i for i, w in enumerate(words) if w.count(" ") >= 40]
    planted = rng.choice(long[1_000:], 1_000, replace=False)
    for i in planted:
        test = words[long[rng.integers(0, 1_000)]].split()
        words[i] += " " + " ".join(test[5:25])
    split = ["pool"] * len(words)
    for i in long[:1_000]:
        split[i] = "test"
    pool = Pool.of(
        {"text": Text.of(words), "split": Labels.of(split), "vec": Vectors(clouds(len(words), 384))}
    )
    for method in (Leakage(), CosineLeakage(threshold=0.95)):
        answer_of(method, pool)  # compiles
        seconds, found = timed(lambda method=method: answer_of(method, pool))
        how = f"100,000 rows against 1,000 set aside, {len(found):,} dropped; one core, median of 3"
        if method.by == "text":
            share = np.isin(planted, found.rows).mean()
            how += f"; {share:.4f} of the 1,000 planted passages found (copies leak as well)"
        figure(f"leakage, {method}", seconds, how=how)


#: What `memory` runs, each in a process of its own: rows, and the method over what `_measured` loads.
HELD = (
    (100_000, Jaccard(threshold=0.7)),
    (1_000_000, Jaccard(threshold=0.7)),
    (100_000, MinHash(threshold=0.7)),
    (1_000_000, MinHash(threshold=0.7)),
    (100_000, SimHash()),
    (1_000_000, SimHash()),
    (1_000_000, ExactText()),
    (100_000, Cosine()),
    (1_000_000, Cosine()),
    (1_000_000, SemDedup()),
    (1_000_000, Leakage()),
    (1_000_000, CosineLeakage()),
)


def memory() -> None:
    """Peak memory against what `need` says. Vectors are 64 wide here, so that a million of them fit."""
    with tempfile.TemporaryDirectory() as folder:
        for n in sorted({n for n, _ in HELD}):
            text = Text.of(docs(n))
            np.savez(Path(folder, f"{n}.npz"), offsets=text.offsets, utf8=text.utf8, vec=clouds(n, 64))
        for i, (n, method) in enumerate(HELD):
            command = [sys.executable, __file__, "measured", str(i), folder]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            held, need = map(float, told.split()[-2:])
            how = f"{n:,} rows, beyond the pool; `need` says {need / 2**20:.0f} MiB ({need / held:.2f} of it)"
            figure(f"peak memory, {n:,} rows, {method}", held / 2**20, "MiB", how=how)


def measured(which: int, folder: str) -> None:
    """Print the peak bytes of one of HELD beyond what stood before, and what `need` says."""
    n, method = HELD[which]
    with np.load(Path(folder, f"{n}.npz")) as kept:
        split = Labels(np.repeat(np.array([0, 1], np.int32), [n - n // 100, n // 100]), ("train", "test"))
        signals = {"text": Text(kept["offsets"], kept["utf8"]), "vec": Vectors(kept["vec"]), "split": split}
    pool = Pool.of(signals)
    answer_of(method, pool.take(np.arange(n - 3000, n)))  # compiles, and loads the libraries
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    answer_of(method, pool)
    print(_status("VmHWM") - before, method.need(pool).bytes)


def _status(what: str) -> float:
    """Bytes by the kernel's account of this process."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return float(lines[what].split()[0]) * 1024


def articles() -> None:
    folder = DATA / "plagiarism_articles"
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with open(folder / "duplicate_pairs.tsv", encoding="utf-8") as file:
        truth = {frozenset((r["id_a"], r["id_b"])) for r in csv.DictReader(file, delimiter="\t")}
    pool = Pool.of({"text": Text.of([r["text"] for r in rows])})
    pool = pool.with_signal("vec", answer_of(LSA(), pool))
    for method in (Jaccard(threshold=0.5, ngram=3), Cosine(threshold=0.9)):
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
    for method in (ExactText(fold=True), Jaccard(threshold=0.5, ngram=1), Jaccard(threshold=0.7, ngram=1)):
        found: Drops = answer_of(method, pool)
        right = sum(
            rows[a]["true_id"] == rows[b]["true_id"] for a, b in zip(found.rows, found.of, strict=True)
        )
        surplus = len(rows) - len({r["true_id"] for r in rows})
        for name, whole in (("precision", len(found)), ("recall", surplus)):
            how = f"{len(rows):,} child care records, {surplus:,} of them copies; drops for the right place"
            figure(f"records, {method} {name}", right / max(whole, 1), "of 1", better="higher", how=how)


PARTS = (
    texts,
    texts_100k,
    texts_1m,
    vectors,
    vectors_400k,
    unclustered,
    leaks,
    memory,
    articles,
    records,
)
#: Folder of the data that a part cannot do without.
READS = {articles: "plagiarism_articles", records: "childcare_dedupe"}

if __name__ == "__main__":
    if sys.argv[1:2] == ["measured"]:
        measured(int(sys.argv[2]), sys.argv[3])
    else:
        for part in PARTS:
            asked = part.__name__ in sys.argv[1:] or len(sys.argv) == 1
            if asked and (part not in READS or (DATA / READS[part]).is_dir()):
                part()
