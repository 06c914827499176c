"""Draw what each objective chooses from one and the same pool in two dimensions: docs/choosing/gallery.svg.

Run with `--write` after an objective was added; `--check` fails where one is missing from the picture.
"""

from __future__ import annotations

import sys
from html import escape
from importlib import import_module

import numpy as np

from exports import ROOT, described
from shortlist.core.climb import climb
from shortlist.core.contracts import Objective
from shortlist.core.effects import alone
from shortlist.core.expression import expression
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Neighbors, Scores, Tags, Text, Vectors

PICTURE = ROOT / "docs" / "choosing" / "gallery.svg"
N, K, SIDE, ACROSS, HEAD = 360, 12, 150, 4, 34
#: Width of the kernel that stands in for meaning: points so far apart have a cosine of about 0.6.
NEAR = 0.11


def scene() -> tuple[np.ndarray, Pool]:
    """f64[N, 2] in the unit square, four crowds of unequal size and some strays; and the pool they make."""
    rng = np.random.default_rng(7)
    centre = np.array([[0.25, 0.3], [0.72, 0.25], [0.7, 0.75], [0.2, 0.78]])
    crowd = rng.choice(4, N, p=[0.5, 0.25, 0.17, 0.08])
    xy = centre[crowd] + rng.normal(size=(N, 2)) * np.array([0.09, 0.07, 0.06, 0.04])[crowd, None]
    stray = rng.random(N) < 0.07
    xy[stray] = rng.random((int(stray.sum()), 2))
    xy = xy.clip(0.02, 0.98)
    # Random Fourier features: the cosine of two rows is about exp(-distance^2 / 2 NEAR^2).
    wave = rng.normal(size=(2, 64)) / NEAR
    vec = np.concatenate([np.cos(xy @ wave), np.sin(xy @ wave)], axis=1).astype(np.float32)
    cell = (xy * 4).astype(int).clip(0, 3)
    name = [f"cell {a}{b}" for a, b in cell]
    beside = [f"cell {a}{b}" for a, b in (xy * 4 + 0.35).astype(int).clip(0, 3)]
    return xy, Pool.of(
        {
            "vec": Vectors(vec),
            "vec2": Vectors(np.exp(-((xy[:, None] - centre) ** 2).sum(-1) / 0.02).astype(np.float32)),
            "score": Scores(xy[:, 0] + 0.2 * rng.random(N)),
            "quality": Scores(rng.random(N), higher_is_better=False),
            "label": Labels(crowd.astype(np.int32), ("a", "b", "c", "d")),
            "source": Labels((xy[:, 1] > 0.5).astype(np.int32), ("a", "b")),
            "tags": Tags.of(
                [
                    sorted({"abcdefghijklmnop"[a * 4 + b], t[-1]})
                    for (a, b), t in zip(cell, beside, strict=True)
                ]
            ),
            "cost": Costs(1 + 9 * xy[:, 1]),
            "tokens": Costs(rng.integers(1, 9, N).astype(float), "tokens"),
            "text": Text.of(
                [f"{a} {b} {a} word{i % 7}" for i, (a, b) in enumerate(zip(name, beside, strict=True))]
            ),
            "graph": graph(xy),
        }
    )


def graph(xy: np.ndarray) -> Neighbors:
    """Similarities of each point to its 15 nearest, both ways."""
    like = np.exp(-((xy[:, None] - xy) ** 2).sum(-1) / (2 * NEAR**2))
    least = np.sort(like, axis=1)[:, -15][:, None]
    keep = (like >= least) | (like >= least.T)
    row, column = np.nonzero(keep)
    ends = np.searchsorted(row, np.arange(len(xy) + 1)).astype(np.int64)
    return Neighbors(ends, column.astype(np.int32), like[keep].astype(np.float32))


def objectives() -> list[tuple[str, Objective]]:
    """Each objective of the catalogue by its first example, by name."""
    found = []
    for name, path in sorted(described().items()):
        if path.split(".")[1:3] == ["methods", "objective"]:
            module = import_module(path)
            first = next((e for e in module.EXAMPLES if type(e).__name__ == name), None)
            if first is not None and hasattr(first, "build"):  # others are options of objectives
                found.append((name, first))
    return found


def panel(at: int, name: str, objective: Objective, xy: np.ndarray, pool: Pool) -> list[str]:
    """One square: the pool in grey, the choice in order, darkest first."""
    x0, y0 = 8 + (at % ACROSS) * (SIDE + 10), (at // ACROSS) * (SIDE + HEAD + 6)
    chosen = climb(alone(objective.build(pool), pool), K)
    value = float(objective.value(pool, chosen).sum())
    px, py = x0 + xy[:, 0] * SIDE, y0 + HEAD + (1 - xy[:, 1]) * SIDE
    dots = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(px, py, strict=True))
    spot = [f"<g><title>{escape(expression(objective))}</title>"]
    spot.append(f'<text x="{x0}" y="{y0 + 18}" class="name">{name}</text>')
    spot.append(f'<text x="{x0}" y="{y0 + 30}" class="sum">value {value:.2f}</text>')
    spot.append(f'<rect x="{x0}" y="{y0 + HEAD}" width="{SIDE}" height="{SIDE}" class="box"/>')
    spot.append(f'<path d="{dots}" class="pool"/>')
    for i, row in enumerate(chosen.tolist()):
        spot.append(f'<circle cx="{px[row]:.1f}" cy="{py[row]:.1f}" r="{5.2 - 0.22 * i:.2f}" class="took"/>')
    return [*spot, "</g>"]


def picture() -> str:
    """The whole picture."""
    xy, pool = scene()
    found = objectives()
    height = -(-len(found) // ACROSS) * (SIDE + HEAD + 6) + 8
    width = ACROSS * (SIDE + 10) + 6
    style = (
        ".name{font:600 12px sans-serif;fill:#1b1f24}.sum{font:10px sans-serif;fill:#57606a}"
        ".box{fill:#f6f8fa;stroke:#d0d7de}.pool{stroke:#9aa4af;stroke-width:2.2;stroke-linecap:round;fill:none}"
        ".took{fill:#0b57d0;stroke:#fff;stroke-width:1}"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="What each objective chooses from the same pool">',
        f"<style>{style}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for at, (name, objective) in enumerate(found):
        lines += panel(at, name, objective, xy, pool)
    return "\n".join([*lines, "</svg>"]) + "\n"


def main(argument: str) -> int:
    """Write the picture, or say which objectives it lacks."""
    if argument == "--write":
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_text(picture(), "utf-8")
        return 0
    drawn = PICTURE.read_text("utf-8") if PICTURE.exists() else ""
    lacking = [name for name, _ in objectives() if f">{name}<" not in drawn]
    for name in lacking:
        print(
            f"{PICTURE.relative_to(ROOT)} lacks {name}: run `python tools/gallery.py --write`",
            file=sys.stderr,
        )
    return bool(lacking)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else "--check"))
