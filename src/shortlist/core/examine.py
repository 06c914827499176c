"""Whether a set function seems monotone and submodular: its values on squares S, S + i, S + j, S + i + j.

A function is submodular exactly where no square has f(S + i + j) - f(S + j) > f(S + i) - f(S), and monotone
where no side of any square falls. All squares of a small ground set are looked at, else a seeded sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb, isfinite

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.errors import ContractError

#: Sets of a sample have at most so many rows.
LARGEST = 128
#: Violations up to this share of the largest value met are rounding.
ROUNDING = 1e-9
#: Counterexamples of one kind that are kept: the worst.
KEPT = 3


@dataclass(frozen=True, slots=True)
class Counterexample:
    """What a function may not do. rows: the set; more: the set with another row (submodular); gains of `row`
    in them; for the order of rows, the values of the set as it is and turned round."""

    breaks: str
    rows: tuple[int, ...]
    row: int
    gains: tuple[float, ...]
    more: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.breaks == "monotone":
            return f"row {self.row} adds {self.gains[0]:.6g} to {shown(self.rows)}"
        if self.breaks == "submodular":
            first, second = self.gains
            told = f"row {self.row} adds {first:.6g} to {shown(self.rows)}"
            return f"{told} but {second:.6g} to {shown(self.more)}"
        one, other = self.gains
        return f"{shown(self.rows)} is worth {one:.6g} in one order and {other:.6g} in another"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found: no violation among `squares` is no proof unless `complete`.

    ordered: the value of a set depends on the order of its rows; then it is no set function at all.
    scale: the largest value met.
    """

    monotone: bool
    submodular: bool
    ordered: bool
    squares: int
    complete: bool
    scale: float
    counterexamples: tuple[Counterexample, ...]

    def against(self, property: str) -> str:
        """The worst violation of 'monotone' or 'submodular' in words, '' if none was found."""
        found = [c for c in self.counterexamples if c.breaks in (property, "order")]
        return str(found[0]) if found else ""


def shown(rows: tuple[int, ...]) -> str:
    """A set in few words."""
    few = ", ".join(map(str, rows[:12]))
    return "{" + few + (f", … {len(rows)} rows" if len(rows) > 12 else "") + "}"


def examine(f: Callable[[I64], float], n: int, samples: int, rng: np.random.Generator) -> Examination:
    """Look at squares of f over positions 0..n-1.

    Args:
        f: the value of positions i64[m], in any order.
        n: positions.
        samples: squares to look at; all, where there are no more.
        rng: of the sample.

    Raises:
        ContractError: f gives two values for the same set, or one that is not finite.
    """
    known: dict[tuple[int, ...], float] = {}

    def value(at: tuple[int, ...]) -> float:
        if at not in known:
            known[at] = f(np.array(at, np.int64))
            if not isfinite(known[at]):
                raise ContractError(f"{shown(at)} is worth {known[at]}; a finite number is needed")
        return known[at]

    complete = n < 2 or comb(n, 2) << (n - 2) <= samples
    sides = [(s, i, j) for s, i, j in (_every(n) if complete else _some(n, samples, rng))]
    values = np.array([[value(_with(s, *more)) for more in ((), (i,), (j,), (i, j))] for s, i, j in sides])
    if n == 1:  # no square, one side
        sides, values = [((), 0, 0)], np.array([[value(()), value((0,)), value((0,)), value((0,))]])
    values = values.reshape(len(sides), 4)
    empty = value(())
    scale = float(np.abs(values - empty).max(initial=0.0))
    slack = ROUNDING * scale
    found = [*_falls(sides, values, slack), *_grows(sides, values, slack)]
    largest = max(known, key=len)
    turned = f(np.array(largest[::-1], np.int64))
    again = f(np.array(largest, np.int64))
    if abs(again - known[largest]) > slack:
        raise ContractError(
            f"{shown(largest)} is worth {known[largest]:.6g}, then {again:.6g}: not a function"
        )
    ordered = abs(turned - again) > slack
    if ordered:
        found.insert(0, Counterexample("order", largest, -1, (again, turned)))
    broken = {c.breaks for c in found}
    return Examination(
        monotone=not broken & {"monotone", "order"},
        submodular=not broken & {"submodular", "order"},
        ordered=ordered,
        squares=len(sides),
        complete=complete and not ordered,
        scale=scale,
        counterexamples=tuple(found),
    )


Square = tuple[tuple[int, ...], int, int]


def _with(s: tuple[int, ...], *more: int) -> tuple[int, ...]:
    return tuple(sorted({*s, *more}))


def _every(n: int) -> Iterator[Square]:
    for i, j in combinations(range(n), 2):
        rest = [r for r in range(n) if r not in (i, j)]
        for size in range(n - 1):
            yield from ((s, i, j) for s in combinations(rest, size))


def _some(n: int, samples: int, rng: np.random.Generator) -> Iterator[Square]:
    """Sizes of S are as often from 0 to 1 as from 1 to 3, 3 to 7 and so on."""
    most = min(n - 2, LARGEST)
    for _ in range(samples):
        size = int(np.exp(rng.random() * np.log(most + 1.999))) - 1
        *s, i, j = rng.choice(n, min(size, most) + 2, replace=False).tolist()
        yield tuple(sorted(s)), i, j


def _falls(sides: list[Square], values: F64, slack: float) -> list[Counterexample]:
    """The worst sides along which the value falls."""
    found: dict[tuple[tuple[int, ...], int], float] = {}
    for (s, i, j), (none, with_i, with_j, both) in zip(sides, values.tolist(), strict=True):
        for rows, row, gain in (
            (s, i, with_i - none),
            (s, j, with_j - none),
            (_with(s, i), j, both - with_i),
            (_with(s, j), i, both - with_j),
        ):
            if gain < -slack:
                found[rows, row] = gain
    worst = sorted(found.items(), key=lambda item: (item[1], item[0]))[:KEPT]
    return [Counterexample("monotone", rows, row, (gain,)) for (rows, row), gain in worst]


def _grows(sides: list[Square], values: F64, slack: float) -> list[Counterexample]:
    """The worst squares in which a gain grows."""
    none, with_i, with_j, both = values.T
    growth = (both - with_j) - (with_i - none)
    order = np.argsort(-growth, kind="stable")
    worst = order[growth[order] > slack][:KEPT]
    return [
        Counterexample(
            "submodular",
            sides[w][0],
            sides[w][1],
            (float(with_i[w] - none[w]), float(both[w] - with_j[w])),
            _with(sides[w][0], sides[w][2]),
        )
        for w in worst.tolist()
    ]
