"""Expressions read back as they were written, and hostile ones get a UsageError, always and at once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.core.errors import InfeasibleError, UsageError
from shortlist.core.expression import expression, parse
from tests.laws.test_methods import WITH


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    by: str = field(default="vec", kw_only=False)
    power: float = 0.5
    seed: int = 0
    bounds: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    of: tuple[Any, ...] = field(kw_only=False)
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Faulty:
    raises: str

    def __post_init__(self) -> None:
        raise {
            "type": TypeError,
            "value": ValueError,
            "key": KeyError,
            "zero": ZeroDivisionError,
            "attribute": AttributeError,
        }.get(self.raises, lambda _: InfeasibleError(("a",), ("b",)))("no")


NAMES = {c.__name__: c for c in (Leaf, Node, Faulty)}

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(1 << 63), (1 << 63) - 1)
literals = st.recursive(
    st.none() | st.booleans() | whole | finite | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | whole, inner, max_size=3)
    ),
    max_leaves=6,
)
leaves = st.builds(Leaf, st.text(max_size=5), power=finite, seed=whole, bounds=literals)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        Node, st.lists(inner, max_size=3).map(tuple), weights=st.lists(finite, max_size=2).map(tuple)
    ),
    max_leaves=5,
)


@WITH
@given(trees)
def test_what_is_written_reads_back_equal(tree):
    again = parse(expression(tree), NAMES)
    assert again == tree
    assert expression(again) == expression(tree)


@WITH
@given(literals)
def test_literals_keep_their_types(value):
    assert repr(parse(expression(value), NAMES)) == repr(value)


def test_positional_arguments_space_and_lines_are_free():
    assert parse(" Node( (Leaf('a'),\n Leaf(by='b')) , weights=(1, -2.5)) ", NAMES) == Node(
        (Leaf("a"), Leaf("b")), weights=(1, -2.5)
    )


def test_defaults_are_left_out_and_numpy_scalars_are_numbers():
    assert expression(Leaf()) == "Leaf()"
    assert expression(
        Leaf(np.str_("x"), power=np.float64(0.25), seed=np.int64(3), bounds=np.bool_(True))
    ) == ("Leaf(by='x', power=0.25, seed=3, bounds=True)")


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1 << 63, np.zeros(2), Leaf, {1, 2}, b"x", 1j])
def test_what_no_expression_can_say_is_refused(value):
    with pytest.raises(UsageError):
        expression(Leaf(bounds=value))


DEEP = 10_000
HOSTILE = [
    "",
    "Leaf",
    "Leaf(",
    "Leaf)",
    "Leaf();Leaf()",
    "Leaf()\nLeaf()",
    "x = Leaf()",
    "Leaf().by",
    "Leaf.__class__",
    "Leaf.__subclasses__()",
    "().__class__.__bases__[0].__subclasses__()",
    "__import__('os').system('true')",
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd')",
    "globals()",
    "(lambda: Leaf)()",
    "lambda: 1",
    "[x for x in (1, 2)]",
    "{x for x in (1, 2)}",
    "{1, 2}",
    "(x := 1)",
    "f'{Leaf()}'",
    "Leaf(f'{1}')",
    "Leaf(by='a' 'b' + 'c')",
    "Leaf(by=b'a')",
    "Leaf(power=1j)",
    "Leaf(power=...)",
    "Leaf(power=1 + 1)",
    "Leaf(power=2 ** 99)",
    "Leaf(power=10 ** 10 ** 10)",
    "Leaf(power=- -1)",
    "Leaf(power=~1)",
    "Leaf(power=not 1)",
    "Leaf(power=1 if 1 else 2)",
    "Leaf(power=1 < 2)",
    "Leaf(by=by)",
    "Leaf(by=Leaf)",
    "Leaf(*('a',))",
    "Leaf(**{'by': 'a'})",
    "Leaf(bounds={**{}})",
    "Leaf(bounds={[1]: 2})",
    "Leaf(bounds={(1, 2): 2})",
    "Leaf(bounds={Leaf(): 2})",
    "Leaf(bounds={'a': 1, 'a': 2})",
    "Leaf(by='a', by='b')",
    "Leaf('a', by='b')",
    "Leaf(nothing=1)",
    "Leaf('a', 1)",
    "Node()",
    "Leaf[0]",
    "Leaf()[0]",
    "await Leaf()",
    "yield Leaf()",
    "Leaf(power=1e999)",
    "Leaf(power=-1e999)",
    "Leaf(seed=9223372036854775808)",
    "Leaf(seed=-9223372036854775809)",
    "Leaf(seed=" + "9" * 5_000 + ")",
    "Leaf(seed=0x" + "f" * 100_000 + ")",
    "Leaf(by='\\d')",
    "Leaf(by='\\N{nothing}')",
    "Leaf(by='a\x00b')",
    "Leaf(by='\ud800')",
    "L\u0435af()",  # a Cyrillic letter
    "A" * 1_000_000,
    "A" * 1_000_000 + "()",
    "(" * DEEP + ")" * DEEP,
    "[" * DEEP + "]" * DEEP,
    "{1:" * DEEP + "1" + "}" * DEEP,
    "Leaf(" * DEEP + ")" * DEEP,
    "-" * DEEP + "1",
    "not " * DEEP + "1",
    "Leaf" + ".a" * DEEP,
    "Leaf" + "()" * DEEP,
    "Leaf" + "[0]" * DEEP,
    "1" + "+1" * DEEP,
    "lambda: " * DEEP + "1",
    "Faulty('type')",
    "Faulty('value')",
    "Faulty('key')",
    "Faulty('zero')",
    "Faulty('attribute')",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: t[:30].encode("unicode_escape").decode() or "empty")
def test_a_hostile_expression_is_a_usage_error(text):
    with pytest.raises(UsageError) as refusal:
        parse(text, NAMES)
    assert len(str(refusal.value)) < 500
    assert str(refusal.value).isprintable()


@WITH
@given(st.text(alphabet="LeafNod().,=[]{}'\"1-*:_ \\\n", max_size=40))
def test_any_text_is_an_object_or_a_usage_error(text):
    try:
        value = parse(text, NAMES)
    except UsageError:
        return
    assert expression(value)


def test_an_escape_that_python_only_warns_of_is_refused_with_warnings_off():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UsageError):
            parse("Leaf(by='\\d')", NAMES)


def test_errors_of_the_house_pass_as_they_are():
    with pytest.raises(InfeasibleError):
        parse("Faulty('infeasible')", NAMES)


def test_a_misspelt_name_is_told_its_nearest():
    with pytest.raises(UsageError, match="no method is called 'Laef'; did you mean Leaf"):
        parse("Laef()", NAMES)
    with pytest.raises(UsageError, match=r"its options are by, power, seed, bounds"):
        parse("Leaf(pwoer=1)", NAMES)
