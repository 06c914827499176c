"""Run every claim and write docs/claims.md: what a paper says, what is shown here, by how much, what not.

A claim gives margins; it is shown where the 95% interval of their mean lies at or above the stated one, and
fails where the mean lies below. `--write` runs them all (scale 4); `--check` only compares the texts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np

from exports import ROOT, SRC, dotted
from shortlist.core.claim import Claim
from shortlist.core.seeds import generator

PAGE = ROOT / "docs" / "claims.md"
SCALE = 4
RESAMPLES = 2_000
HEAD = """# Claims

<!-- Written by `make claims`. -->

Every method names its paper and carries a claim that can be run. A row is *shown* where the 95% interval
(bootstrap over the runs) of the measured margins lies at or above the margin the claim states, *on average*
where only their mean does, and **fails** otherwise. The last column says what no run here can show.
"""


def claims() -> Iterator[tuple[str, Claim]]:
    """(module, its claim), in order."""
    for path in sorted([*SRC.glob("methods/*/*.py"), *SRC.glob("measures/*.py"), *SRC.glob("adapters/*.py")]):
        module = import_module(dotted(path))
        if isinstance(found := getattr(module, "CLAIM", None), Claim):
            yield module.__name__, found


def interval(margins: np.ndarray, name: str) -> tuple[float, float, float]:
    """Mean of f64[m] and the 95% interval of it, by a seeded bootstrap."""
    rng = generator(0, "claims", "bootstrap", name)
    means = rng.choice(margins, (RESAMPLES, len(margins))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(margins.mean()), float(low), float(high)


def row(name: str, claim: Claim) -> tuple[str, str]:
    """The line of one claim in the table, and its verdict."""
    margins = np.asarray(claim.measure(generator(0, "claims", name), SCALE), np.float64)
    mean, low, high = interval(margins, name)
    slack = 1e-9 * max(1.0, abs(claim.margin))
    verdict = (
        "shown" if low >= claim.margin - slack
        else "on average" if mean >= claim.margin - slack
        else "**fails**"
    )  # fmt: skip
    figures = f"{mean:.4g} [{low:.4g}, {high:.4g}] of {len(margins)} runs; at least {claim.margin:.4g}"
    return texts(name, claim) + " | ".join(
        ("", figures, verdict, _cell(claim.not_shown), "")
    ).rstrip(), verdict


def texts(name: str, claim: Claim) -> str:
    """The part of its line that is known before a claim is run."""
    told = (f"`{name.rpartition('.')[2]}`", claim.paper, claim.says, claim.we_show)
    return "| " + " | ".join(map(_cell, told))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def write() -> int:
    lines = [
        HEAD,
        "| method | paper | says | shown here | margin | verdict | not shown |",
        "| --- " * 7 + "|",
    ]
    failed = []
    for name, claim in claims():
        line, verdict = row(name, claim)
        print(f"{verdict:>10}  {name}")
        lines.append(line)
        if verdict == "**fails**":
            failed.append(name)
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines) - 3} claims run, {len(failed)} fail", *failed)
    return 1 if failed or len(lines) == 3 else 0


def check(page: Path = PAGE) -> int:
    """Whether the page holds every claim as it stands in the code."""
    text = page.read_text("utf-8") if page.exists() else ""
    absent = [name for name, claim in claims() if texts(name, claim) not in text]
    for name in absent:
        print(
            f"docs/claims.md does not hold the claim of {name} as it stands: run `make claims`",
            file=sys.stderr,
        )
    return 1 if absent else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["--write"], ["--check"]):
        raise SystemExit("usage: claims.py --write | --check")
    raise SystemExit(write() if sys.argv[1] == "--write" else check())
