"""Bundles to draw: a realistic one of any size, and the bare least."""

from __future__ import annotations

from typing import Any

import numpy as np

TEXT = """explain derive compare the a of in how why matrix river contract verb enzyme budget proof loop
cache history energy theorem market cell syntax orbit violin treaty glacier index novel protein harbour"""
WORDS = tuple(TEXT.split())
ODD = (
    "اشرح لماذا السماء زرقاء مع مثال 123 (abc)",
    "שלום עולם, מהו מספר ראשוני?",
    "東京の天気を説明してください。" * 6,
    "👩‍👩‍👧‍👦 emoji family and e\u0301 combining",
    "supercalifragilistic" * 20,
    "line one\nline two\n\tindented",
    "Ünïcödé ßharp Ǆ ﬁ ligature",
)
GROUPS = (
    "web",
    "code",
    "de",
    "math",
    "dialog",
    "news",
    "law",
    "medicine",
    "fiction",
    "qa",
    "العربية",
    "long-group-name/with/path",
)


def realistic(n: int = 3000, k: int = 500, signals: int = 3, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    names = ["reward", "ppl", "length", *(f"judge_{i}" for i in range(9))][:signals]
    ks = sorted({1, 2, 5, 10, 20, 50, 100, 200, k})
    ours = [float(0.86 * (1 - np.exp(-((i / k) ** 0.55) * 3))) for i in ks]
    mean = [o * 0.91 for o in ours]
    by = {name: [o * (0.93 - 0.028 * j) for o in ours] for j, name in enumerate(names)}
    evidence = {
        "asked": {
            "draws": 200,
            "measured_on": f"all {n:,} rows",
            "objective": {
                "ours": 0.8172 + 0.3 * 0.7412,
                "random": {"mean": 0.9321, "low": 0.9251, "high": 0.9388},
                "signals": {s: 0.9512 - 0.02 * j for j, s in enumerate(names)},
                "bound": 1.0643,
                "within": 0.0237,
            },
            "parts": [
                _part("coverage", 1.0, 0.8172, 0.742, names),
                _part("reward", 0.3, 0.2224, 0.19, names),
            ],
            "size": {"ours": k, "random": float(k)},
            "costs": [
                {
                    "name": "tokens",
                    "unit": "tokens",
                    "ours": 19987.0,
                    "random": {"mean": 19871.4, "low": 19512.0, "high": 19999.0},
                    "limit": 20000,
                }
            ],
            "constraints": [
                _limit("size <= 500", "size", k, None, k, 0, True),
                _limit("tokens <= 20000", "knapsack", 19987.0, None, 20000.0, 13.0, True),
                _limit("lang:de >= 10%", "quota", 53, 50, None, 3, False),
                _limit("source:web <= 200", "quota", 141, None, 200, 59, False),
                _limit("source:code 20% to 40%", "quota", 127, 100, 200, 27, False),
            ],
            "curve": {
                "k": ks,
                "ours": ours,
                "random": {"mean": mean, "low": [m * 0.985 for m in mean], "high": [m * 1.015 for m in mean]},
                "signals": by,
            },
        },
        "helps": [
            _help(
                "coverage of held-out rows",
                None,
                False,
                0.7931,
                0.7612,
                names,
                (0.0319, 0.0251, 0.0384),
                0.005,
                "strong",
            ),
            _help(
                "accuracy of a probe for",
                "label",
                True,
                0.6812,
                0.6744,
                names,
                (0.0068, -0.0019, 0.0151),
                0.13,
                "none",
            ),
            _help(
                "mean of",
                "toxicity",
                True,
                0.1021,
                0.1184,
                names,
                (-0.0163, -0.0312, -0.0011),
                0.041,
                "weak",
                "lower",
            ),
        ],
        "verdict": {
            "evidence": "strong",
            "judged_by": ["coverage of held-out rows", "label", "toxicity"],
            "line": "strong evidence that this beats random here: coverage of held-out rows "
            "0.793 against 0.761, difference +0.0319, 95% interval +0.0251 to +0.0384; "
            "1 of 3 set-aside measures strong after Holm's correction; "
            "top-k by 'ppl' alone does as well on mean of toxicity (0.119)",
        },
    }
    return {
        "title": "prompts.jsonl, 500 of 3,000",
        "preview": _preview(n, k, names),
        "evidence": evidence,
        "rows": [_row(rng, i, k) for i in range(min(n, 2000))],
        "map": _map(rng, n, k),
        "groups": {
            "column": "source",
            "names": list(GROUPS),
            "pool": [max(3, n // 4 - 60 * i) for i in range(12)],
            "chosen": [max(1, k // 9 - 3 * i) for i in range(12)],
        },
        "manifest": {
            "shortlist": "0.1.0",
            "python": "3.11.7",
            "numpy": "2.1.0",
            "input": [{"file": "prompts.jsonl", "bytes": 4218831, "sha256": "9f2b" * 16}],
            "objective": "Sum(of=(FacilityLocation(by='vec'), Modular(of='reward')), weights=(1.0, 0.3))",
            "solver": "LazyGreedy()",
            "seed": 0,
            "chunk": 65536,
        },
        "counts": {
            "read": n,
            "chosen": k,
            "not_chosen": n - k - 64,
            "dropped": 64,
            "duplicates": 61,
            "excluded": 0,
            "rejected": 3,
            "filtered": 0,
        },
    }


def bare() -> dict[str, Any]:
    return {"title": "bare", "rows": [], "evidence": {}, "counts": {"read": 0}}


def _part(term: str, weight: float, ours: float, mean: float, names: list[str]) -> dict[str, Any]:
    return {
        "term": term,
        "weight": weight,
        "ours": ours,
        "random": {"mean": mean, "low": mean - 0.011, "high": mean + 0.012},
        "signals": {s: mean + 0.021 - 0.014 * j for j, s in enumerate(names)},
    }


def _limit(
    text: str, kind: str, value: float, low: float | None, high: float | None, slack: float, tight: bool
) -> dict[str, Any]:
    return {
        "text": text,
        "kind": kind,
        "value": value,
        "low": low,
        "high": high,
        "slack": slack,
        "tight": tight,
    }


def _help(
    measure: str,
    column: str | None,
    aside: bool,
    ours: float,
    mean: float,
    names: list[str],
    gap: tuple[float, float, float],
    p: float,
    evidence: str,
    better: str = "higher",
) -> dict[str, Any]:
    values = {s: mean + 0.006 - 0.005 * j for j, s in enumerate(names)}
    best = (min if better == "lower" else max)(values, key=values.__getitem__) if values else None
    return {
        "measure": f"{measure} {column}" if column else measure,
        "column": column,
        "set_aside": aside,
        "how": "2 folds of 1,500 rows; each fold is judged by a choice that did not see it",
        "ours": ours,
        "random": {"mean": mean, "low": mean - 0.009, "high": mean + 0.009},
        "signals": values,
        "best_signal": None if best is None else {"name": best, "value": values[best]},
        "difference": gap[0],
        "interval": [gap[1], gap[2]],
        "p": p,
        "p_adjusted": min(1.0, 2 * p),
        "better": better,
        "evidence": evidence,
    }


def _preview(n: int, k: int, names: list[str]) -> dict[str, Any]:
    lines = {
        "input": f"prompts.jsonl, {n:,} rows, 4.2 MB",
        "choose": f"{k} rows, at most 20,000 tokens, lang:de >= 10%",
        "objective": "Sum(of=(FacilityLocation(by='vec'), Modular('reward')), weights=(1.0, 0.3))",
        "solver": "LazyGreedy(), because n is small enough for all gains to be kept",
        "memory": "212 MB at most of 8 GiB allowed",
        "time": "about 3 s",
    }
    signals = [
        {
            "name": s,
            "role": "score",
            "direction": "lower" if s == "ppl" else "higher",
            "coverage": 0.982 if j else 1.0,
            "missing": 54 if j else 0,
            "fill": "the median, 0.52" if j else "",
            "origin": "told" if j < 2 else "inferred",
            "range": "0.01 to 0.99",
        }
        for j, s in enumerate(names)
    ]
    signals.append(
        {
            "name": "vec",
            "role": "vector",
            "direction": None,
            "coverage": 1.0,
            "missing": 0,
            "fill": "",
            "origin": "inferred",
            "range": "384 dimensions",
        }
    )
    return {"lines": [{"name": a, "value": b} for a, b in lines.items()], "signals": signals}


def _row(rng: np.random.Generator, i: int, k: int) -> dict[str, Any]:
    status = "chosen" if i < k else "dropped" if i % 23 == 0 else "not chosen"
    text = ODD[i % len(ODD)] if i % 17 == 3 else " ".join(rng.choice(WORDS, size=int(rng.integers(4, 60))))
    gain = float(0.02 / (1 + i) + 1e-6)
    reasons = {
        "chosen": f"stands for {int(rng.integers(2, 40))} rows nobody else covers",
        "dropped": f"near-duplicate of row-{i // 2} (0.97)",
        "not chosen": "",
    }
    return {
        "rank": i + 1 if status == "chosen" else None,
        "id": f"row-{i}" if i % 31 else 2**63 + i,
        "text": text,
        "gain": gain if status == "chosen" else None,
        "parts": {"coverage": gain * 0.7, "reward": gain * 0.3} if status == "chosen" else {},
        "group": GROUPS[int(rng.integers(len(GROUPS)))],
        "cost": float(rng.integers(5, 4000)),
        "reason": reasons[status],
        "status": status,
    }


def _map(rng: np.random.Generator, n: int, k: int) -> dict[str, Any]:
    centre = rng.normal(size=(24, 2)) * 3
    at = centre[rng.integers(24, size=n)] + rng.normal(size=(n, 2)) * 0.5
    order = rng.permutation(n)
    status = np.zeros(n, int)
    status[order[:k]] = 1
    status[order[k : k + 64]] = 2
    rank: list[int | None] = [None] * n
    for r, i in enumerate(order[:k]):
        rank[i] = r + 1
    return {
        "x": at[:, 0].tolist(),
        "y": at[:, 1].tolist(),
        "status": status.tolist(),
        "rank": rank,
        "label": [" ".join(rng.choice(WORDS, size=8)) for _ in range(n)],
        "how": "neighbour embedding (15 nearest by cosine, started from two principal axes, seed 0); "
        "near points are alike, distances between far groups mean little; 3,000 of 3,000 rows by 'vec'",
    }
