"""Small pools with rules, and what the rules mean, read off their sentences over all 2^n sets of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Labels, Tags
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown

GROUPS = ("a", "b", "c")
SETS = {n: (np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1 for n in range(11)}


@dataclass(frozen=True)
class Case:
    pool: Pool
    rules: list[Any]
    k: int

    def feasible(self) -> np.ndarray:
        """The sets that keep every rule, as bool[m, n]."""
        n = len(self.pool)
        sets, held = SETS[n], np.ones(1 << n, bool)
        lists = [c for c in self.rules if isinstance(c, Exclude | Shown)]
        out = {r for c in lists for r in c.of}
        k = min([self.k, n - len(out), *(c.k for c in self.rules if isinstance(c, Cardinality))])
        count = sets.sum(axis=1)
        held &= count <= k
        for c in self.rules:
            match c:
                case Cardinality(at_least=least):
                    held &= count >= least
                case Knapsack(by=by, at_most=most):
                    held &= sets @ self.pool.columns[by].values <= most + 1e-9
                case Include(of=rows):
                    held &= sets[:, list(rows)].all(axis=1)
                case Exclude(of=rows) | Shown(of=rows):
                    held &= ~sets[:, list(rows)].any(axis=1)
                case Quota(by=by, at_least=least, at_most=most):
                    for name in self.pool.columns[by].names:
                        inside = (sets & self._members(by, name)).sum(axis=1)
                        low, high = _of(least, name, k, math.ceil), _of(most, name, k, math.floor)
                        held &= (low is None) | (inside >= (low or 0))
                        held &= (high is None) | (inside <= (high if high is not None else n))
        return sets[held]

    def _members(self, by: str, name: str) -> np.ndarray:
        signal = self.pool.columns[by]
        code = signal.names.index(name)
        if isinstance(signal, Labels):
            return signal.codes == code
        return np.array([code in signal.codes[a:b] for a, b in pairwise(signal.indptr)], bool)


def _of(bounds: Any, name: str, k: int, round_: Any) -> int | None:
    bound = bounds.get(name) if isinstance(bounds, dict) else bounds
    return bound if bound is None or isinstance(bound, int) else round_(Fraction(str(bound)) * k)


def drawn(rng: np.random.Generator, n_most: int = 8) -> Case:
    """Few distinct values: ties, zeros, empty groups and empty pools come often."""
    n = int(rng.integers(0, n_most + 1))
    words = [[g for g in GROUPS if rng.random() < 0.4] for _ in range(n)]
    pool = Pool.of(
        {
            "label": Labels(rng.integers(0, 3, n).astype(np.int32), GROUPS),
            "tags": Tags.of([*words, list(GROUPS)]).take(np.arange(n)),
            "cost": Costs(rng.integers(0, 4, n).astype(float)),
            "usd": Costs(rng.choice([0.0, 0.1, 0.2, 0.3], n)),
        }
    )
    k = int(rng.integers(0, n + 3))
    some = [Quota(by, **_bounds(rng)) for by in ("label", "tags") if rng.random() < 0.7]
    if rng.random() < 0.6:
        some.append(Knapsack("cost", at_most=int(rng.integers(0, 14))))
    if rng.random() < 0.3:
        some.append(Knapsack("usd", at_most=float(rng.choice([0.0, 0.3, 0.6, 1.1]))))
    if rng.random() < 0.6:
        most = int(rng.integers(0, n + 2))
        some.append(Cardinality(most, at_least=int(rng.integers(0, min(most, 2) + 1))))
    for kind, chance in ((Include, 0.55), (Exclude, 0.55), (Shown, 0.55)):
        if rng.random() < chance:
            some.append(kind(rng.permutation(n)[: rng.integers(0, 3)].tolist()))
    return Case(pool, [some[i] for i in rng.permutation(len(some))], k)


def _bounds(rng: np.random.Generator) -> dict[str, Any]:
    least = {g: _bound(rng, (0, 1, 1, 2, 0.1, 0.2, 0.34)) for g in GROUPS if rng.random() < 0.4}
    most = {g: _bound(rng, (0, 1, 2, 3, 3, 0.5, 0.7)) for g in GROUPS if rng.random() < 0.4}
    one = rng.random() < 0.1
    return {"at_least": 1 if one else least, "at_most": most if rng.random() < 0.9 else 2}


def _bound(rng: np.random.Generator, choices: tuple[Any, ...]) -> Any:
    return choices[rng.integers(len(choices))]
