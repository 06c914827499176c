"""Sum of one score over the chosen rows: every row counts for itself, nothing rewards variety.

Source: Edmonds 1971, "Matroids and the greedy algorithm", doi:10.1007/BF01584082 (what greedy maximises
exactly); midranks: Kendall 1945, doi:10.1093/biomet/33.3.239.
Deviates: scores are brought to [0, 1] first, so that a sum with other objectives weighs like with like.
    `ranks=True`: the share of the pool that a row beats, ties counting half (the midrank, less one half,
    over n). `ranks=False`: (score - lowest) / (highest - lowest), and 1/2 each where all are equal.
Cost: O(n log n) to build, O(1) a gain.
Memory: 8 n bytes.
Guarantee: exact; greedy is optimal under a size limit.
Use it when: a score says how good a row is by itself. Keep `ranks` unless distances between scores mean
    something: one outlier squeezes all others together when they are scaled by range.
Not when: rows repeat each other; the best 500 may be 500 times the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Modular:
    """`of` names a Scores signal, whose direction is respected; `ranks` says how it is brought to [0, 1]."""

    of: str = field(default="score", kw_only=False)
    ranks: bool = True

    @property
    def terms(self) -> tuple[str, ...]:
        """The name of the signal."""
        return (self.of,)

    def need(self, pool: Pool, k: int) -> Need:
        """One number a row, one sort."""
        n = len(pool)
        return Need(bytes=32.0 * n, flops=float(n * math.log2(n + 1) + k))

    def build(self, pool: Pool) -> Plan[BuiltModular]:
        """Normalise over the rows of this pool."""
        yield from ()
        utility = pool.signal(self.of, Scores).utility()
        return BuiltModular(midranks(utility) if self.ranks else by_range(utility), self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[1]: the definition, row by row."""
        return exact(pool.signal(self.of, Scores).utility(), at, self.ranks)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltModular:
    """worth f64[n], in [0, 1]. The state is empty: a gain never depends on what was chosen."""

    worth: F64
    terms: tuple[str, ...]
    submodular: bool = True
    monotone: bool = True
    exact: bool = True

    def __len__(self) -> int:
        return len(self.worth)

    def start(self) -> None:
        """Nothing to remember."""

    def gains(self, state: None, at: I64) -> F64:  # noqa: ARG002 (the contract's)
        """f64[b, 1]: the worth of these rows."""
        return self.worth[at][:, None]

    def add(self, state: None, at: int) -> None:
        """Nothing changes."""


def midranks(utility: F64) -> F64:
    """f64[n]: share of the n entries that each one beats, ties counting half; in (0, 1), mean 1/2."""
    ordered = np.sort(utility)
    below = np.searchsorted(ordered, utility, side="left")
    upto = np.searchsorted(ordered, utility, side="right")
    share: F64 = (below + upto) / (2.0 * max(len(utility), 1))
    return share


def by_range(utility: F64) -> F64:
    """f64[n]: 0 for the lowest, 1 for the highest, 1/2 each where all are equal."""
    if len(utility) == 0:
        return utility.copy()
    # Halves: the range of two finite floats may overflow.
    low, high = utility.min() / 2, utility.max() / 2
    if high <= low:
        return np.full(len(utility), 0.5)
    scaled: F64 = (utility / 2 - low) / (high - low)
    return scaled


def exact(utility: F64, at: I64, ranks: bool = True) -> F64:
    """f64[1]: sum of the normalised scores of rows `at`, read off the definition."""
    total = 0.0
    for u in utility[at]:
        if ranks:
            total += float(np.mean(utility < u) + np.mean(utility == u) / 2)
        elif utility.max() > utility.min():
            total += float((u - utility.min()) / (utility.max() - utility.min()))
        else:
            total += 0.5
    return np.array([total])


EXAMPLES = (Modular("score"), Modular("score", ranks=False))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: for m skewed pools, share of the 20 best ranks kept by the best 20 after an increasing map."""
    kept = np.empty(20 * scale)
    for i in range(len(kept)):
        scores = np.round(rng.lognormal(0, 2, 200), 1)  # rounded: ties
        before, after = (midranks(x) for x in (scores, np.log1p(scores) ** 3))
        best = np.sort(before[np.argsort(-after, kind="stable")[:20]])
        kept[i] = np.mean(best == np.sort(before)[-20:])
    return kept


CLAIM = Claim(
    paper="Kendall 1945",
    says="midranks depend on the order of the scores alone",
    we_show="after an increasing map of heavy-tailed scores with ties the best 20 of 200 are the same",
    not_shown="that ranks are the better scale where distances between scores mean something",
    measure=claim,
    margin=1.0,
)
