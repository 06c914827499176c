"""What each column is for: told by the user or inferred, and always shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from shortlist.core.errors import UsageError

#: Column name -> 'median', 'worst', 'drop', or the number to put in.
MissingRules: TypeAlias = Mapping[str, str | float]

DIRECTIONS = ("higher", "lower")
#: The suffix of a holdout whose numbers are names (`topic:label`).
LABEL = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Columns by role. None: infer this role. An empty string or tuple: none, and do not infer.

    score and holdout entries may end in `:higher` or `:lower` (`ppl:lower`), holdout ones in `:label` too;
    cost entries may end in a unit (`price:usd`). vector is a list column, or a file beside the table:
    `emb.npy`, `emb.npz:key`. holdout columns are kept out of the pool: choosing never sees them.
    One name may stand for a tuple of one.
    """

    text: str | None = None
    id: str | None = None
    vector: str | None = None
    score: tuple[str, ...] | None = None
    group: tuple[str, ...] | None = None
    cost: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    holdout: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for role in ("score", "group", "cost", "tags", "holdout"):
            object.__setattr__(self, role, columns_of(getattr(self, role)))
        taken: dict[str, str] = {}
        for role, name in self.told():
            if name in taken:
                raise UsageError(f"column {name!r} is told as {taken[name]} and as {role}; give it one role")
            taken[name] = role

    def told(self) -> list[tuple[str, str]]:
        """(role, column) for every column named by the user, without the id and without suffixes."""
        named: list[tuple[str, str]] = []
        if self.text:
            named.append(("text", self.text))
        if self.vector and not is_vector_file(self.vector):
            named.append(("vector", self.vector))
        for role, several in (("score", self.score), ("group", self.group), ("cost", self.cost)):
            named += [(role, split_suffix(role, c)[0]) for c in several or ()]
        named += [("tags", c) for c in self.tags or ()]
        named += [("holdout", split_suffix("holdout", c)[0]) for c in self.holdout]
        return named


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalInfo:
    """How one signal came to be, for the plan and the report.

    direction: 'higher' or 'lower' is better, '' where it has no meaning; origin: 'told' or 'inferred';
    coverage: share of rows with a value; missing: rows without; fill: what stands there instead, a
    sentence; range: the values in words.
    """

    name: str
    role: str
    direction: str
    origin: str
    coverage: float
    missing: int
    fill: str
    range: str


def is_vector_file(vector: str) -> bool:
    """Whether `--vector` names a file (`emb.npy`, `emb.npz`, `emb.npz:key`) and not a column."""
    return vector.endswith((".npy", ".npz")) or ".npz:" in vector


def split_suffix(role: str, column: str) -> tuple[str, str]:
    """`('ppl', 'lower')` of `ppl:lower`; ('a:b', '') where the part behind the colon is no suffix.

    Raises:
        UsageError: a score or holdout ends in a misspelt direction.
    """
    name, colon, suffix = column.rpartition(":")
    if not colon or not name:
        return column, ""
    if role == "cost":
        return (name, suffix) if suffix.isidentifier() else (column, "")
    if suffix in DIRECTIONS or (role == "holdout" and suffix == LABEL):
        return name, suffix
    if suffix in ("high", "low", "up", "down", "min", "max", "asc", "desc", "higher_is_better"):
        raise UsageError(f"{role} {column!r}: write {name}:higher or {name}:lower")
    return column, ""


def columns_of(columns: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """One name, several names, or None, as a tuple or None."""
    if columns is None:
        return None
    return (columns,) if isinstance(columns, str) else tuple(columns)
