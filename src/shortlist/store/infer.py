"""What a column is probably for. Conservative: what is not clear is not used, and the reason is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shortlist.store.column import Column
from shortlist.store.convert import NOTHING, NUMBER
from shortlist.store.roles import Roles

#: Columns of these names are ids, and repeats are an error; others are ids only if nothing repeats.
_ID_NAMES = ("id", "_id", "uuid", "guid")
_LIKELY_IDS = ("docid", "docno")
GROUP_WORDS = frozenset(
    ("source", "lang", "language", "label", "class", "category", "domain", "topic", "cluster", "group")
)
_COST_WORDS = frozenset(
    ("tokens", "token", "cost", "price", "usd", "seconds", "duration", "length", "chars", "words")
)
_HIGHER = frozenset(
    (
        "score",
        "reward",
        "rating",
        "quality",
        "helpfulness",
        "accuracy",
        "acc",
        "confidence",
        "prob",
        "probability",
        "relevance",
        "utility",
        "stars",
        "votes",
        "upvotes",
        "likes",
        "similarity",
        "winrate",
        "helpful",
        "useful",
    )
)
_LOWER = frozenset(
    ("ppl", "perplexity", "loss", "nll", "rank", "error", "err", "wer", "cer", "distance", "toxicity")
)
_TAG_WORDS = frozenset(("tag", "tags", "labels", "topics", "skills"))
_VECTOR_NAME = re.compile("emb|vec", re.IGNORECASE)
#: Shorter strings are names, not text.
_MIN_TEXT = 20
#: Longer strings on average are no names of groups.
_LONGEST_NAME = 60
_STRING = pa.large_string()
MAX_GROUPS = 100
_MIN_DIMENSIONS = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """What a column holds, counted over all its rows.

    holds: 'numbers', 'whole numbers', 'strings', 'flags', 'vectors', 'lists', 'nothing', 'mixed' or
    'nested'; present: rows with a value; distinct: how many different ones (strings and whole numbers; of
    long strings, which are never groups, only the first few thousand are compared).
    """

    holds: str
    present: int
    distinct: int
    mean_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """roles: with every role filled in; inferred: the columns nobody told; ignored: column -> reason."""

    roles: Roles
    inferred: frozenset[str]
    ignored: Mapping[str, str] = field(default_factory=dict)


def direction_of(name: str) -> str:
    """'higher' or 'lower' by a well-known name, '' if the name says nothing."""
    words = set(_words(name))
    return "lower" if words & _LOWER else "higher" if words & _HIGHER else ""


def unit_of(name: str) -> str:
    """The unit a cost column's name gives away: `n_tokens` is in tokens."""
    for word in _words(name):
        if word in ("token", "tokens"):
            return "tokens"
        if word in ("usd", "price"):
            return "usd"
        if word in ("seconds", "duration"):
            return "seconds"
        if word in ("chars", "words"):
            return word
    return name


def facts_of(column: Column) -> Facts:
    """Count what a column holds."""
    kinds = column.kinds()
    present = column.length - sum(data.null_count for _, data in column.chunks)
    if not kinds:
        return Facts("nothing", 0, 0, 0.0)
    if kinds == {"cell"}:
        return _cell_facts(column)
    if kinds <= {"int", "float"}:
        if kinds == {"int"}:
            return Facts("whole numbers", present, _distinct([d for _, d in column.chunks], pa.int64()), 0.0)
        return Facts("numbers", present, 0, 0.0)
    if kinds == {"text"}:
        return _string_facts(pa.chunked_array([d.cast(_STRING) for _, d in column.chunks], _STRING), present)
    if kinds == {"bool"}:
        return Facts("flags", present, 2, 0.0)
    if kinds == {"floats"}:
        return Facts("vectors" if _looks_like_vectors(column) else "lists", present, 0, 0.0)
    if kinds == {"texts"}:
        return Facts("lists", present, 0, 0.0)
    if kinds == {"other"}:
        return Facts("nested", present, 0, 0.0)
    return Facts("mixed", present, 0, 0.0)


def decide(columns: Mapping[str, Column], roles: Roles, n: int) -> Decision:
    """Fill in the roles that were not told. n: rows."""
    told = {name for _, name in roles.told()} | ({roles.id} if roles.id else set())
    free = {name: facts_of(c) for name, c in columns.items() if name not in told}
    inferred: set[str] = set()
    ignored: dict[str, str] = {}

    def give(names: list[str]) -> None:
        for name in names:
            inferred.add(name)
            free.pop(name, None)

    id_ = _infer_id(free, n) if roles.id is None else roles.id
    give([id_] if id_ and roles.id is None else [])
    vector = _infer_vector(free) if roles.vector is None else roles.vector
    give([vector] if vector and roles.vector is None else [])
    text = _infer_text(free) if roles.text is None else roles.text
    give([text] if text and roles.text is None else [])
    found: dict[str, tuple[str, ...]] = {}
    for role, rule in (("cost", _is_cost), ("score", _is_score), ("group", _is_group), ("tags", _is_tags)):
        given = getattr(roles, role)
        if given is None:
            names = [name for name, facts in free.items() if rule(name, facts, n)]
            found[role] = tuple(names)
            give(names)
        else:
            found[role] = given
    for name, facts in free.items():
        ignored[name] = _why_not(facts, n)
    filled = replace(
        roles,
        id=id_ or "",
        vector=vector or "",
        text=text or "",
        cost=found["cost"],
        score=found["score"],
        group=found["group"],
        tags=found["tags"],
    )
    return Decision(roles=filled, inferred=frozenset(inferred), ignored=ignored)


def _infer_id(free: Mapping[str, Facts], n: int) -> str:
    for name in _ID_NAMES:
        for candidate, facts in free.items():
            if candidate.lower() == name and facts.holds in ("strings", "whole numbers", "mixed"):
                return candidate
    for candidate, facts in free.items():
        if candidate.lower().endswith(("_id", "-id", *_LIKELY_IDS)) and facts.present == facts.distinct == n:
            return candidate
    return ""


def _infer_vector(free: Mapping[str, Facts]) -> str:
    names = [name for name, facts in free.items() if facts.holds == "vectors"]
    if len(names) > 1:
        named = [x for x in names if _VECTOR_NAME.search(x)]
        names = named if len(named) == 1 else []
    return names[0] if names else ""


def _infer_text(free: Mapping[str, Facts]) -> str:
    lengths = {name: f.mean_length for name, f in free.items() if f.holds == "strings" and f.distinct > 1}
    longest = max(lengths, key=lambda name: lengths[name], default="")
    return longest if longest and lengths[longest] >= _MIN_TEXT else ""


def _is_cost(name: str, facts: Facts, n: int) -> bool:
    numeric = facts.holds in ("numbers", "whole numbers") and facts.present == n
    return numeric and bool(_COST_WORDS & set(_words(name)))


def _is_score(name: str, facts: Facts, _: int) -> bool:
    return facts.holds in ("numbers", "whole numbers") and facts.distinct != 1 and bool(direction_of(name))


def _is_group(name: str, facts: Facts, n: int) -> bool:
    few = 2 <= facts.distinct <= min(MAX_GROUPS, max(2, n // 5))
    if facts.holds == "strings":
        return few and facts.mean_length < _LONGEST_NAME
    return few and facts.holds == "whole numbers" and names_groups(name)


def _is_tags(name: str, facts: Facts, _: int) -> bool:
    return facts.holds == "lists" and bool(_TAG_WORDS & set(_words(name)))


def _why_not(facts: Facts, n: int) -> str:
    if facts.holds == "nothing":
        return "holds no value"
    if facts.holds in ("numbers", "whole numbers"):
        if facts.distinct == 1:
            return "has one value only"
        return "a number, but nothing says whether higher is better; use --score NAME:higher or NAME:lower"
    if facts.holds == "strings":
        if facts.distinct <= 1:
            return "has one value only"
        if facts.mean_length >= _LONGEST_NAME:
            return "long strings, and another column is the text; use --text NAME to take this one"
        return f"{facts.distinct:,} different strings in {n:,} rows: neither the text nor clearly a group"
    return {
        "flags": "true or false: could be a group or a score; say which",
        "vectors": "one of several columns of vectors; use --vector NAME",
        "lists": "lists; use --tags NAME if they name groups",
        "nested": "nested or of a type that plays no role",
    }.get(facts.holds, "values of different types")


def names_groups(name: str) -> bool:
    """Whether a column of this name holds groups, even if it writes them as numbers.

    >>> names_groups("topic_id"), names_groups("reward")
    (True, False)
    """
    return bool(GROUP_WORDS & set(_words(name)))


def _words(name: str) -> list[str]:
    """`nTokens`, `n_tokens` and `n-tokens` are n, tokens."""
    return re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower())


def _distinct(arrays: list[Any], type_: Any) -> int:
    try:
        return int(pc.count_distinct(pa.chunked_array([a.cast(type_) for a in arrays], type_)).as_py())
    except pa.ArrowInvalid:  # unsigned numbers past 63 bits
        return _distinct(arrays, _STRING)


def _looks_like_vectors(column: Column) -> bool:
    """Of one length, and with fractions: lists of whole numbers are labels or counts unless named so."""
    whole = all(pa.types.is_integer(d.type.value_type) for k, d in column.chunks if k == "floats")
    return _one_length(column) >= _MIN_DIMENSIONS and (not whole or bool(_VECTOR_NAME.search(column.name)))


def _one_length(column: Column) -> int:
    """The length all lists share, 0 if they differ."""
    lengths: set[int] = set()
    for kind, data in column.chunks:
        if kind == "floats":
            found = pc.min_max(pc.list_value_length(data)).as_py()
            lengths |= {v for v in found.values() if v is not None}
    return lengths.pop() if len(lengths) == 1 else 0


def _string_facts(values: Any, present: int) -> Facts:
    length = (pc.sum(pc.binary_length(values)).as_py() or 0) / max(1, present)
    compared = values if length < _LONGEST_NAME else values.slice(0, 4096)
    return Facts("strings", present, int(pc.count_distinct(compared).as_py()), length)


def _cell_facts(column: Column) -> Facts:
    whole = pa.chunked_array([d.cast(_STRING) for _, d in column.chunks], _STRING)
    nothing = pc.fill_null(pc.is_in(whole, value_set=pa.array(NOTHING, _STRING)), True)
    present = whole.filter(pc.invert(nothing))
    if not len(present):
        return Facts("nothing", 0, 0, 0.0)
    if not _all_match(present.slice(0, 64), NUMBER) or not _all_match(present, NUMBER):
        return _string_facts(present, len(present))
    holds = "whole numbers" if _all_match(present, "^-?[0-9]+$") else "numbers"
    return Facts(holds, len(present), int(pc.count_distinct(present).as_py()), 0.0)


def _all_match(values: Any, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())
