"""Gather the fragments changelog.d/<issue>.<kind>.md into CHANGELOG.md, under Unreleased.

A change brings its fragment, so that two changes never meet in one file. `--check` reads the fragments,
`--write` moves them into the changelog, `--release VERSION DATE` names what is unreleased.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "CHANGELOG.md"
FRAGMENTS = ROOT / "changelog.d"
KINDS = {
    "added": "Added",
    "changed": "Changed",
    "fixed": "Fixed",
    "removed": "Removed",
    "security": "Security",
}
_NAME = re.compile(r"(?P<issue>\d+)(-[a-z0-9-]+)?\.(?P<kind>[a-z]+)\.md")
UNRELEASED = "## Unreleased"


def fragments(folder: Path = FRAGMENTS) -> tuple[dict[str, list[str]], list[str]]:
    """Kind -> its entries in order of issue, and what is wrong with the files there."""
    found: dict[str, list[str]] = {}
    wrong = []
    names = sorted((p for p in folder.iterdir() if p.name != "README.md"), key=_number)
    for path in names:
        m = _NAME.fullmatch(path.name)
        if not m or m["kind"] not in KINDS:
            wrong.append(f"{path.name}: must be <issue>.<kind>.md with a kind of {', '.join(KINDS)}")
            continue
        entries = re.split(r"\n(?=- )", path.read_text("utf-8").strip())
        if not all(e.startswith("- ") and len(e) > 4 for e in entries):
            wrong.append(f"{path.name}: every entry must start with '- '")
            continue
        found.setdefault(KINDS[m["kind"]], []).extend(f"{e} (#{m['issue']})" for e in entries)
    return found, wrong


def _number(path: Path) -> tuple[int, str]:
    digits = re.match(r"\d+", path.name)
    return (int(digits[0]) if digits else 0, path.name)


def merged(log: str, found: dict[str, list[str]]) -> str:
    """The changelog with these entries under Unreleased, kinds in their order."""
    head, mark, rest = log.partition(UNRELEASED + "\n")
    if not mark:
        raise SystemExit(f"CHANGELOG.md has no line {UNRELEASED!r}")
    body, older, tail = rest.partition("\n## ")
    kinds: dict[str, list[str]] = {}
    for part in re.split(r"\n(?=### )", "\n" + body):
        title, _, lines = part.strip().partition("\n")
        if title:
            kinds[title.removeprefix("### ")] = re.split(r"\n(?=- )", lines.strip())
    for kind, entries in found.items():
        kinds.setdefault(kind, []).extend(entries)
    sections = [f"### {k}\n\n" + "\n".join(kinds[k]) + "\n" for k in KINDS.values() if k in kinds]
    return head + mark + "\n" + "\n".join(sections) + older + tail


def released(log: str, version: str, date: str) -> str:
    """The changelog with what is unreleased under a version."""
    return log.replace(UNRELEASED + "\n", f"{UNRELEASED}\n\n## {version} ({date})\n", 1)


def main(arguments: list[str]) -> int:
    found, wrong = fragments()
    for line in wrong:
        print(f"changelog.d/{line}", file=sys.stderr)
    if wrong or arguments == ["--check"]:
        return 1 if wrong else 0
    LOG.write_text(merged(LOG.read_text("utf-8"), found), "utf-8")
    for path in FRAGMENTS.iterdir():
        if path.name != "README.md":
            path.unlink()
    if arguments[0] == "--release":
        LOG.write_text(released(LOG.read_text("utf-8"), arguments[1], arguments[2]), "utf-8")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["--check"], ["--write"]) and (len(sys.argv) != 4 or sys.argv[1] != "--release"):
        raise SystemExit("usage: changelog.py --check | --write | --release VERSION DATE")
    raise SystemExit(main(sys.argv[1:]))
