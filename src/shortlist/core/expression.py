"""Methods as constructor expressions: `FacilityLocation(by='vec')`, `Sum(of=(Modular('q'),), weights=(2,))`.

`parse` walks the syntax tree and builds only from the names it is given; nothing is ever evaluated. It is
the only place where a name becomes a class.
"""

from __future__ import annotations

import ast
import dataclasses
import math
import warnings
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from shortlist.core.errors import ShortlistError, UsageError

#: What a constructor may raise on arguments it was not made for.
_WRONG = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
#: So many names are all listed where none is near.
FEW = 12
_SHOWN = 80  # characters of a bad expression that its error repeats


def parse(text: str, names: Mapping[str, type]) -> Any:
    """Build the object a constructor expression describes.

    Args:
        text: the expression; positional and keyword arguments, literals, lists, tuples, dicts, nested calls.
            Numbers are finite and whole numbers fit 64 bits.
        names: the classes that may be named.

    Raises:
        UsageError: not such an expression, an unknown name (the nearest are listed) or wrong arguments.
    """
    source = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an unknown escape is a mistake, today and tomorrow
            tree = ast.parse(source, mode="eval")
        return _build(tree.body, names, source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise UsageError(
            f"cannot read {source[:_SHOWN]!r} as a method: write it as Name(option=value)"
        ) from e


def _build(node: ast.expr, names: Mapping[str, type], source: str) -> Any:
    match node:
        case ast.Constant(value=bool() | str() | None as value):
            return value
        case ast.Constant(value=int() | float() as value):
            return _number(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return _number(-value)
        case ast.Tuple(elts=elts):
            return tuple(_build(e, names, source) for e in elts)
        case ast.List(elts=elts):
            return [_build(e, names, source) for e in elts]
        case ast.Dict(keys=keys, values=values) if all(
            isinstance(k, ast.Constant | ast.UnaryOp) for k in keys
        ):
            answers = [_build(v, names, source) for v in values]
            return _once([_build(k, names, source) for k in keys if k is not None], answers)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if all(k.arg for k in keywords):
            positional = [_build(a, names, source) for a in args]
            given = [_build(k.value, names, source) for k in keywords]
            return _call(name, positional, _once([k.arg for k in keywords], given), names)
    found = ast.get_source_segment(source, node) or source
    raise UsageError(
        f"cannot read {found[:_SHOWN]!r} in {source[:_SHOWN]!r}: only Name(option=value) and literals"
    )


def _number(value: int | float) -> int | float:
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise UsageError("a whole number in an expression must fit 64 bits")
    if not math.isfinite(value):
        raise UsageError("a number in an expression must be finite")
    return value


def _once(keys: list[Any], values: list[Any]) -> dict[Any, Any]:
    pairs = dict(zip(keys, values, strict=True))
    if len(pairs) < len(keys):
        twice = next(k for i, k in enumerate(keys) if k in keys[:i])
        raise UsageError(f"{str(twice)[:_SHOWN]!r} is given twice")
    return pairs


def _call(name: str, positional: list[Any], named: dict[str, Any], names: Mapping[str, type]) -> Any:
    if name not in names:
        from difflib import get_close_matches

        name = name[:_SHOWN]
        near = get_close_matches(name, names, n=3) or sorted(names)[: FEW if len(names) <= FEW else 0]
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"no method is called {name!r}{meant} (`shortlist methods` lists all)")
    try:
        return names[name](*positional, **named)
    except ShortlistError:
        raise
    except _WRONG as e:
        fields = (
            ", ".join(f.name for f in dataclasses.fields(names[name]))
            if dataclasses.is_dataclass(names[name])
            else ""
        )
        said = str(e).removeprefix(f"{names[name].__name__}.__init__() ")
        raise UsageError(f"{name}: {said}" + (f"; its options are {fields}" if fields else "")) from e


def expression(value: Any) -> str:
    """The constructor expression of a frozen dataclass (defaults left out); `parse` gives it back equal.

    A function is written as 'module:name', which tells a reader what it was. That text is not read back as
    the function: a method that takes one refuses it.

    Raises:
        UsageError: a field holds what no expression can say: an array, an infinity, an object of no name.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown: list[str] = []
        for f in dataclasses.fields(value):
            v = getattr(value, f.name)
            said = expression(v)
            default = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            if default is dataclasses.MISSING or v != default:
                shown.append(f"{f.name}={said}")
        return f"{type(value).__name__}({', '.join(shown)})"
    if isinstance(value, tuple):
        inner = ", ".join(expression(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return "[" + ", ".join(expression(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{expression(k)}: {expression(v)}" for k, v in value.items()) + "}"
    if isinstance(value, np.bool_ | np.integer | np.floating):
        value = value.item()
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return repr(str(value))  # subclasses say more
    if isinstance(value, int | float):
        return repr(_number(value))
    if isinstance(value, FunctionType | BuiltinFunctionType):
        # What a manifest can say of a function. It is not read back: text runs no code.
        return repr(f"{value.__module__}:{value.__qualname__}")
    raise UsageError(f"{type(value).__name__} has no constructor expression")
