"""Rows that the choice did not see: the recipe is run again on some folds of the pool and judged on the rest.

Cross-fitting: Chernozhukov et al. 2018, doi:10.1111/ectj.12097, section 3 (every row is held out once).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf, isfinite
from typing import TypeAlias

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.contracts import Row, Rule
from shortlist.core.effects import Plan
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.methods.constrain.feasible import settle

#: Larger pools are judged on a seeded sample of so many rows.
SAMPLE = 10_000
#: A rerun chooses no fewer rows than this (or k), however large the pool.
LEAST = 50

#: Runs the recipe on a pool under limits bound to it; returns positions in order of choice.
Choose: TypeAlias = Callable[[Pool, BoundLimits], I64]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One rerun. Positions count the rows of the whole pool.

    held i64[m]: rows neither candidates nor represented; ours, draws, tops: choices among the other rows.
    """

    held: I64
    ours: I64
    draws: tuple[I64, ...]
    tops: Mapping[str, I64]


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A rule of a whole pool over some of its rows, its bounds in proportion.

    size and quotas: least counts rounded down and no more than there are rows, most counts up; budgets
    exactly; included and shown rows as far as they are there; a share of k stays that share.
    """

    whole: tuple[Row, ...]
    at: I64
    share: float
    beside: tuple[Rule, ...] = ()

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (bound to `at` already)
        """The rules over `pool`, which holds the rows at positions `at` of the whole, for k rows."""
        return [r for row in self.whole for r in _scaled(row, self.at, self.share, k)]

    def rules(self, pool: Pool, k: int) -> Plan[list[Rule]]:  # noqa: ARG002
        """The rules beside them over the same rows."""
        yield from ()  # nothing to wait for
        return [rule.take(self.at, k) for rule in self.beside]


def _scaled(row: Row, at: I64, share: float, k: int) -> Iterable[Row]:
    inside = np.arange(len(at), dtype=np.int64)
    weight = row.weight
    if row.at is not None:
        place = np.searchsorted(row.at, at)
        here = place < len(row.at)
        here[here] = row.at[place[here]] == at[here]
        inside, place = inside[here], place[here]
        weight = None if weight is None else weight[place]
    elif weight is not None:
        weight = weight[at]
    low, high = row.low, row.high
    match row.kind:
        case "size":
            low, high = float(floor(low * share)) if isfinite(low) else low, min(high, float(k))
        case "include":
            low = float(len(inside))
        case "knapsack":
            low, high = low * share, high * share
        case "quota":
            low = float(min(floor(low * share + 1e-9), len(inside))) if isfinite(low) else low
            high = float(ceil(high * share - 1e-9)) if isfinite(high) else high
    if row.at is None:
        yield replace(row, weight=weight, low=low, high=high)
    elif len(inside) or low > 0:
        yield replace(row, at=inside, weight=weight, low=low, high=high)


def cross_fit(
    pool: Pool,
    limits: BoundLimits,
    choose: Choose,
    *,
    draw: Callable[[BoundLimits], Sequence[I64]],
    top: Callable[[BoundLimits, Pool], Mapping[str, I64]],
    seed: int,
) -> tuple[list[Fold], str]:
    """Rerun the recipe once a fold; the folds and a sentence that says how.

    Raises:
        InfeasibleError: the constraints cannot hold within a fold.
    """
    n, k, whole = len(pool), limits.k, limits.rows
    mixed = generator(seed, "evidence", "folds").permutation(n)[:SAMPLE]
    folds = 2 if len(mixed) >= 1000 else min(4, len(mixed))
    out: list[Fold] = []
    for f in range(folds):
        held = np.sort(mixed[f::folds])
        at = np.sort(np.delete(mixed, np.s_[f::folds]))
        size = min(len(at), k, max(round(k * len(at) / n), min(k, LEAST)))
        candidates = pool.take(at)
        inner = settle(candidates, [Scaled(whole, at, size / max(k, 1), limits.rules)], size)
        out.append(
            Fold(
                held,
                at[choose(candidates, inner)],
                tuple(at[d] for d in draw(inner)),
                {name: at[t] for name, t in top(inner, candidates).items()},
            )
        )
    rows = f"{len(mixed):,} rows" if len(mixed) == n else f"a seeded sample of {len(mixed):,} of {n:,} rows"
    few, many = min(len(f.ours) for f in out), max(len(f.ours) for f in out)
    took = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    how = f"{folds} folds of {rows}; each time the recipe chose {took} of the other folds' rows"
    if any(isfinite(r.low) or r.high < inf for r in whole if r.kind in ("quota", "knapsack")):
        how += ", quotas and budgets in proportion"
    return out, how
