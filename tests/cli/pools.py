"""Small pools on disk, with planted clusters, duplicates and groups."""

import json
from pathlib import Path

import numpy as np

TOPICS = (
    "invoice payment overdue reminder account bank",
    "goal match striker league penalty referee",
    "protein enzyme molecule reaction catalyst lab",
    "guitar chord melody concert rhythm drummer",
    "router packet latency switch firewall subnet",
    "recipe butter oven flour sugar knead",
)


def rows(n: int = 240, seed: int = 0) -> list[dict]:
    """Texts of six topics of very unequal size; every 20th is a copy of the row before it."""
    draw = np.random.default_rng(seed)
    shares = np.array([40, 25, 15, 10, 6, 4]) / 100
    out: list[dict] = []
    for i in range(n):
        topic = int(draw.choice(6, p=shares))
        words = draw.choice(TOPICS[topic].split(), 9)
        extra = draw.choice(["alpha", "beta", "gamma", "delta", "epsilon"], 4)
        text = " ".join([*words, *extra, f"item{i}"])
        if i and i % 20 == 0:
            text = out[-1]["text"]
        out.append(
            {
                "id": f"row-{i}",
                "text": text,
                "source": ("web", "code", "books")[int(draw.integers(3))],
                "topic": f"t{topic}",
                "reward": round(float(draw.normal()), 3),
                "tokens": int(draw.integers(5, 60)),
                "noise": round(float(draw.random()), 4),
            }
        )
    return out


def write(path: Path, many: list[dict]) -> Path:
    """As JSON lines."""
    path.write_text("".join(json.dumps(r) + "\n" for r in many), "utf-8")
    return path
