"""Random: rows in a uniformly random order, taken while the limits allow. The baseline of all evidence.

Source: Fisher and Yates 1938, Statistical Tables, ex. 12; the shuffle is Durstenfeld 1964, Algorithm 235,
doi:10.1145/364520.364540.
Deviates: none. What must be taken comes first. A row that does not fit is passed over and the next is asked,
so under a budget cheap rows go on being taken until the size is reached or nothing fits.
Cost: O(n) a draw.  Memory: O(n).
Guarantee: the same limits, the same rule of size and cost as every solver; without limits but a size each
set of k rows is equally likely.
Use it when something must be compared with chance. Not for sampling with weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.fill import Filler, fill, told
from shortlist.core.limits import BoundLimits, bind
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Random:
    """One random choice; the objective, if there is one, only says what it gained."""

    seed: int = 0

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows at random."""
        return told(built, limits, pool, fill(limits, order(len(pool), self.seed, 0)))


def draws(limits: BoundLimits, r: int, seed: int) -> list[I64]:
    """r random choices as positions in order of choice; draw i is the same whatever r is.

    Positions i64[<= k] each: fewer than k where limits end a draw early.
    """
    if limits.rules:
        return [fill(limits, order(len(limits), seed, i)) for i in range(r)]
    filler = Filler.over(limits)
    return [filler.fill(order(len(limits), seed, i)) for i in range(r)]


def order(n: int, seed: int, i: int) -> I64:
    """i64[n]: the i-th random order of this seed."""
    return generator(seed, "random draw", i).permutation(n)


EXAMPLES = (Random(), Random(seed=7))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: how near the share of each row among draws of 3 of 12 is to 1/4, in standard errors below 4."""
    r, pool = 400 * scale, Pool(np.arange(12), {})
    seen = np.bincount(np.concatenate(draws(bind(pool, (), 3), r, int(rng.integers(1 << 30)))), minlength=12)
    return np.asarray(4 - np.abs(seen / r - 0.25) / np.sqrt(0.25 * 0.75 / r))


CLAIM = Claim(
    paper="Fisher and Yates 1938",
    says="every order of the rows, hence every set of k of them, is equally likely",
    we_show="each of 12 rows is in a quarter of the draws of 3, within four standard errors",
    not_shown="that pairs and triples are",
    measure=claim,
    margin=0.0,
)
