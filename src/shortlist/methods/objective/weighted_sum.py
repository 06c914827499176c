"""Weighted sum of objectives whose parts stay apart, so that every gain can be explained.

Source: Krause & Golovin 2014, "Submodular Function Maximization", doi:10.1017/CBO9781139177801.004
(submodular functions are closed under non-negative combination).
Deviates: none.
Cost: the sum of its parts.
Memory: the sum of its parts.
Guarantee: submodular, monotone and exact where all parts are.
Use it when: a choice should be good in several ways at once and you can say what each is worth.
Not when: one of them is a hard rule: that is a constraint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Need, Objective
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores, Tags
from shortlist.methods.objective.group_coverage import GroupCoverage
from shortlist.methods.objective.modular import Modular


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """sum_i weights[i] * of[i](S). Weights are finite and >= 0; none given: 1 each. Lists become tuples."""

    of: tuple[Objective, ...] = field(kw_only=False)
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.of, Sequence) or not all(isinstance(f, Objective) for f in self.of):
            raise UsageError("Sum: of must list objectives: Sum((Modular('score'), GroupCoverage('tags')))")
        weights = tuple(self.weights) or (1.0,) * len(self.of)
        if len(self.of) == 0 or len(weights) != len(self.of):
            raise UsageError(f"Sum: {len(self.of)} objectives and {len(weights)} weights; one each is needed")
        if not all(isinstance(w, int | float) and math.isfinite(w) and w >= 0 for w in weights):
            raise UsageError(f"Sum: weights must be finite and >= 0, found {weights}")
        object.__setattr__(self, "of", tuple(self.of))
        object.__setattr__(self, "weights", tuple(map(float, weights)))

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of the parts in order; a name met again gets a number: coverage, coverage_2."""
        return distinct([t for f in self.of for t in f.terms])

    def need(self, pool: Pool, k: int) -> Need:
        """All parts are held at once."""
        needs = [f.need(pool, k) for f in self.of]
        return Need(bytes=sum(x.bytes for x in needs), flops=sum(x.flops for x in needs))

    def build(self, pool: Pool) -> Plan[BuiltSum]:
        """Build the parts, one after the other."""
        parts: list[Built] = []
        for f in self.of:
            parts.append((yield from f.build(pool)))
        return BuiltSum(tuple(parts), self.weights, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[T]: the weighted values of the parts, side by side."""
        return exact(self, pool, at)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltSum:
    """The built parts and their weights. State: one state a part."""

    parts: tuple[Built, ...]
    weights: tuple[float, ...]
    terms: tuple[str, ...]

    @property
    def submodular(self) -> bool:
        """Whether every part is."""
        return all(p.submodular for p in self.parts)

    @property
    def monotone(self) -> bool:
        """Whether every part is."""
        return all(p.monotone for p in self.parts)

    @property
    def exact(self) -> bool:
        """Whether every part is."""
        return all(p.exact for p in self.parts)

    def __len__(self) -> int:
        return len(self.parts[0])

    def start(self) -> tuple[Any, ...]:
        """Every part from its start."""
        return tuple(p.start() for p in self.parts)

    def gains(self, state: tuple[Any, ...], at: I64) -> F64:
        """f64[b, T]: the weighted gains of the parts, side by side."""
        out = np.empty((len(at), len(self.terms)))
        column = 0
        for part, weight, s in zip(self.parts, self.weights, state, strict=True):
            until = column + len(part.terms)
            np.multiply(part.gains(s, at), weight, out=out[:, column:until])
            column = until
        return out

    def add(self, state: tuple[Any, ...], at: int) -> tuple[Any, ...]:
        """Every part takes the row."""
        return tuple(p.add(s, at) for p, s in zip(self.parts, state, strict=True))

    def summands(self) -> tuple[tuple[float, Built], ...]:
        """Weights and parts, for bounds that treat each part in its own way."""
        return tuple(zip(self.weights, self.parts, strict=True))


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The same names in order; one met before gets the first number that makes it new."""
    given: list[str] = []
    for name in names:
        fresh, i = name, 2
        while fresh in given:
            fresh, i = f"{name}_{i}", i + 1
        given.append(fresh)
    return tuple(given)


def exact(objective: Sum, pool: Pool, at: I64) -> F64:
    """f64[T]: weight times value, part by part."""
    parts = zip(objective.of, objective.weights, strict=True)
    return np.concatenate([weight * f.value(pool, at) for f, weight in parts])


EXAMPLES = (
    Sum((Modular("score"), GroupCoverage("tags")), weights=(1.0, 0.3)),
    Sum((GroupCoverage("source"), GroupCoverage("source", power=1.0), Modular("score"))),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: least of f(S + v) - f(S) - (f(T + v) - f(T)) over the rows v outside T, for m random S in T."""
    margins = np.empty(50 * scale)
    for i in range(len(margins)):
        tags = Tags.of([[str(t) for t in rng.integers(0, 6, rng.integers(0, 4))] for _ in range(30)])
        pool = Pool.of({"q": Scores(rng.normal(size=30)), "tags": tags})
        f = Sum((Modular("q"), GroupCoverage("tags")), weights=tuple(rng.random(2)))
        built = alone(f.build(pool))
        order = rng.permutation(30)
        small = state = built.start()
        for step, row in enumerate(order[:10]):
            state = built.add(state, int(row))
            small = state if step == 4 else small
        rest = np.sort(order[10:])
        drop = built.gains(small, rest).sum(axis=1) - built.gains(state, rest).sum(axis=1)
        margins[i] = drop.min()
    return margins


CLAIM = Claim(
    paper="Krause & Golovin 2014",
    says="a non-negative combination of submodular functions is submodular",
    we_show="on random pools and weights no gain grows from a set to a larger one",
    not_shown="that the weights say what a user wants",
    measure=claim,
    margin=0.0,
)
