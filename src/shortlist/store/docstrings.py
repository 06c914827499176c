"""A real pool that every machine has: the docstrings of the standard library and of installed packages.

Sources are parsed, never imported. Which ones are read, and in which order, depends on their paths alone, so
the same installation gives the same pool, byte for byte.
"""

from __future__ import annotations

import ast
import os
import re
import sysconfig
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from shortlist.core.errors import StorageError

if TYPE_CHECKING:
    import pyarrow as pa

#: What bounds the time: at most so many texts from at most so many bytes of source (3 to 5 MB are parsed a
#: second).
TEXTS = 6_000
SOURCE = 4_500_000
#: Files with fewer quotes than one docstring in so many bytes are passed over: parsing them gives little.
SPARSE = 1_500
SHORTEST_TEXT = 24  # characters; less says nothing
STDLIB = "stdlib"
_SKIPPED = re.compile(r"(^|_)tests?(_|$)|^(__pycache__|conftest|idlelib|lib2to3|turtledemo|site-packages)$")
_EXAMPLE = re.compile(r"^\s*(>>> |examples?\s*:*\s*$)", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"\w+")

Documented: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Source:
    package: str
    module: str
    path: Path

    def key(self) -> tuple[int, str]:
        """An order that is the same everywhere and does not follow the alphabet."""
        return zlib.crc32(self.module.encode()), self.module


def gather(texts: int = TEXTS) -> pa.Table:
    """The docstrings of this Python and its installed packages, spread evenly over the packages.

    Returns:
        A table of at most `texts` rows: id (package.module.qualname), text, package, kind (module, class,
        function), tokens (words in the text), lines, depth (dots in the id), has_example (0 or 1), and
        args_documented: the share of a function's parameters that its docstring names, null where there is
        no parameter to name.

    Raises:
        StorageError: no Python source is installed (a frozen or stripped interpreter).
    """
    import pyarrow as pa

    rows = sorted(_spread(_sources(), texts), key=lambda row: row["id"])
    if not rows:
        raise StorageError("no Python sources are installed here, so there are no docstrings to show")
    return pa.Table.from_pylist(_distinct(rows), schema=_schema(pa))


def _schema(pa: Any) -> Any:
    text = ("id", "text", "package", "kind")
    whole = ("tokens", "lines", "depth", "has_example")
    fields = [(name, pa.string()) for name in text] + [(name, pa.int64()) for name in whole]
    return pa.schema([*fields, ("args_documented", pa.float64())])


def _sources() -> dict[str, list[_Source]]:
    """Package -> its sources in reading order, the last first."""
    paths = sysconfig.get_paths()
    found = [_Source(STDLIB, module, path) for module, path in _modules(Path(paths["stdlib"]))]
    for folder in sorted({paths["purelib"], paths["platlib"]}):
        found += [_Source(m.lstrip("_").partition(".")[0], m, path) for m, path in _modules(Path(folder))]
    by_package: dict[str, list[_Source]] = {}
    for source in sorted(found, key=_Source.key, reverse=True):
        # Without ourselves the pool is the same, installed or not; private modules are somebody's plumbing.
        if source.package != "shortlist" and source.module != "_" + source.package:
            by_package.setdefault(source.package, []).append(source)
    return by_package


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for folder, inside, files in os.walk(root):
        inside[:] = sorted(d for d in inside if d.isidentifier() and not _SKIPPED.search(d))
        parts = Path(folder).relative_to(root).parts
        for name in files:
            stem, dot, ending = name.rpartition(".")
            if dot and ending == "py" and stem.isidentifier() and not _SKIPPED.search(stem):
                yield ".".join((*parts, stem)).removesuffix(".__init__"), Path(folder, name)


def _spread(sources: dict[str, list[_Source]], texts: int) -> list[dict[str, Any]]:
    """Read file after file, each time of the package that has given least, until there is enough."""
    given = dict.fromkeys(sorted(sources), 0)
    rows: list[dict[str, Any]] = []
    left = SOURCE
    while given and len(rows) < texts and left > 0:
        package = min(given, key=lambda name: given[name])
        if not sources[package]:
            del given[package]
            continue
        source = sources[package].pop()
        code = _read(source.path)
        if max(code.count(b'"""'), code.count(b"'''")) // 2 * SPARSE < len(code):
            continue
        left -= len(code)
        new = list(_docstrings(source, code))
        given[package] += len(new)
        rows += new
    return rows[:texts]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # not ours to read: another file will do


def _docstrings(source: _Source, code: bytes) -> Iterator[dict[str, Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's escapes are not the user's concern
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # templates and other dialects
    for name, node in _documented(tree, source.module):
        text = ast.get_docstring(node)
        if text is not None and len(text) >= SHORTEST_TEXT:
            # A lone surrogate cannot be written as UTF-8.
            yield _row(name, source.package, node, text.encode("utf-8", "replace").decode("utf-8"))


def _documented(node: Documented, name: str) -> Iterator[tuple[str, Documented]]:
    yield name, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _documented(child, f"{name}.{child.name}")


def _row(name: str, package: str, node: Documented, text: str) -> dict[str, Any]:
    words = _WORD.findall(text)
    return {
        "id": name,
        "text": text,
        "package": package,
        "kind": {ast.Module: "module", ast.ClassDef: "class"}.get(type(node), "function"),
        "tokens": len(words),
        "lines": text.count("\n") + 1,
        "depth": name.count("."),
        "has_example": int(_EXAMPLE.search(text) is not None),
        "args_documented": _share_named(node, frozenset(words)),
    }


def _share_named(node: Documented, words: frozenset[str]) -> float | None:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    a = node.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    names = [p.arg for p in every if p.arg not in ("self", "cls")]
    return sum(n in words for n in names) / len(names) if names else None


def _distinct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Number the later definitions of one name (overloads, setters): ids must be unique."""
    seen: dict[str, int] = {}
    for row in rows:
        nth = seen[row["id"]] = seen.get(row["id"], 0) + 1
        if nth > 1:
            row["id"] = f"{row['id']}#{nth}"
    return rows
