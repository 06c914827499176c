"""A column while it is read: a list of Arrow chunks, each of one kind.

Text formats may change type from row to row, so a column is not one type but a sequence of chunks:

null    no value at all                 text    large_string
bool    boolean                         floats  lists of numbers
int     any integer type                texts   lists of strings
float   any float or decimal type       cell    cells of a delimited file, large_string
json    one JSON text a cell: mixed types, whole numbers past 64 bits, lone surrogates
other   an Arrow type that plays no role (structs, maps, bytes, times)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from shortlist.core.arrays import Bool

_NONE = type(None)
_TEXT = pa.large_string()
_BIG = 1 << 53


@dataclass(slots=True)
class Column:
    """A named sequence of (kind, Arrow array). Grows while reading, then is only read."""

    name: str
    chunks: list[tuple[str, Any]] = field(default_factory=list)
    length: int = 0

    def append(self, kind: str, data: Any) -> None:
        """Add a chunk."""
        self.chunks.append((kind, data))
        self.length += len(data)

    def pad(self, n: int) -> None:
        """Fill with nulls up to n rows: the column did not occur there."""
        if n > self.length:
            self.append("null", pa.nulls(n - self.length))

    def kinds(self) -> set[str]:
        """What occurs, nulls apart."""
        return {kind for kind, data in self.chunks if kind != "null" and data.null_count < len(data)}

    def filter(self, keep: Bool) -> Column:
        """The rows where keep bool[n]."""
        out = Column(self.name)
        for a, kind, data in self.placed():
            out.append(kind, data.filter(pa.array(keep[a : a + len(data)])))
        return out

    def placed(self) -> Iterator[tuple[int, str, Any]]:
        """(position of its first row, kind, array) of every chunk."""
        a = 0
        for kind, data in self.chunks:
            yield a, kind, data
            a += len(data)


def chunk_of(values: list[Any]) -> tuple[str, Any]:
    """Python values of parsed JSON as one chunk; exact, whatever they are."""
    types = set(map(type, values))
    types.discard(_NONE)
    if not types:
        return "null", pa.nulls(len(values))
    try:
        if types == {str}:
            return "text", pa.array(values, _TEXT)
        if types == {int}:
            return "int", pa.array(values, pa.int64())
        if types == {float} or types == {int, float}:
            return "float", pa.array(values, pa.float64())
        if types == {bool}:
            return "bool", pa.array(values, pa.bool_())
        if types == {list}:
            inner = set(map(type, chain.from_iterable(v for v in values if v is not None))) - {_NONE}
            if inner <= {int, float}:
                return "floats", pa.array(values, pa.list_(pa.int64() if inner == {int} else pa.float32()))
            if inner == {str}:
                return "texts", pa.array(values, pa.list_(_TEXT))
    except (UnicodeEncodeError, OverflowError, pa.ArrowInvalid):
        pass  # a surrogate, or a number Arrow cannot hold exactly: kept as JSON below
    return "json", pa.array([None if v is None else _cell_json(v) for v in values], _TEXT)


def _cell_json(value: Any) -> str:
    """JSON text of a scalar or a flat list; anything deeper is never used, so only its shape is kept."""
    if type(value) is dict:
        return "{}"
    if type(value) is list and any(type(x) in (list, dict) for x in value):
        return "[{}]"
    return json.dumps(value)


def kind_of(type_: Any) -> str:
    """The kind of an Arrow type."""
    t = pa.types
    if t.is_null(type_):
        return "null"
    if t.is_boolean(type_):
        return "bool"
    if t.is_integer(type_):
        return "int"
    if t.is_floating(type_) or t.is_decimal(type_):
        return "float"
    if t.is_string(type_) or t.is_large_string(type_) or t.is_string_view(type_):
        return "text"
    if t.is_list(type_) or t.is_large_list(type_) or t.is_fixed_size_list(type_):
        inner = kind_of(type_.value_type)
        return {"int": "floats", "float": "floats", "text": "texts"}.get(inner, "other")
    if t.is_dictionary(type_):
        return kind_of(type_.value_type)
    return "other"


def append_arrow(column: Column, data: Any) -> None:
    """Add an Arrow array of any type, decoded to the plain types the rest of the store knows."""
    if isinstance(data, pa.ExtensionArray):
        data = data.storage
    if pa.types.is_dictionary(data.type):
        names = data.dictionary.cast(_TEXT) if kind_of(data.dictionary.type) == "text" else data.dictionary
        data = pa.DictionaryArray.from_arrays(data.indices, names).dictionary_decode()
    kind = kind_of(data.type)
    if kind == "text":
        data = data.cast(_TEXT)
    elif kind == "float" and (pa.types.is_decimal(data.type) or pa.types.is_float16(data.type)):
        data = data.cast(pa.float64())
    column.append(kind, data)


def bad_positions(mask: Any, start: int) -> list[int]:
    """Positions (counted from `start`) where a boolean array is true."""
    return (np.flatnonzero(np.asarray(mask)) + start).tolist()
