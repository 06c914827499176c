"""Stratified: each group has its share of the choice, to the nearest row; within a group rows are random.

    k_g = floor(k n_g / n), and one more for the groups with the largest remainders

Source: Neyman 1934, doi:10.2307/2342192; largest remainders: Hamilton 1792, as in Balinski and Young 2001,
Fair representation, https://www.brookings.edu/books/fair-representation/, ch. 2.
Deviates: equal remainders go to the larger group, then to the lower code. Under limits the shares are those
    of the rows open to choice, and what a group cannot give is shared out again among the others. Rows come
    in random order, so that a beginning of the choice is a random part of it.
Cost: O(n).  Memory: 24 n bytes.
Guarantee: under a size alone no group is a row or more from its exact share; each row of a group is equally
    likely, at k_g / n_g.
Use it when: a random choice should have the make-up of the pool. Not when: groups must be equal or at least
    so large (Quota).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from shortlist.core.arrays import F64, I32, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.fill import told
from shortlist.core.pool import Pool
from shortlist.core.sample import Sample
from shortlist.core.seeds import generator
from shortlist.core.signals import Labels
from shortlist.core.topped import topped


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratified:
    """Random rows by group; the objective, if there is one, only says what it gained.

    Args:
        by: a Labels signal.
        seed: of the draw.
    """

    by: str = field(default="label", kw_only=False)
    seed: int = 0

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows."""
        codes, rng = pool.signal(self.by, Labels).codes, generator(self.seed, "stratified")

        def draw(_: I64, left: I64, m: int) -> I64:
            of = codes[left]
            return left[within(of, largest_remainders(np.bincount(of), m), rng)]

        return told(built, limits, pool, topped(limits, len(pool), draw))

    def sample(self, pool: Pool, k: int) -> Sample:
        """min(k, n) rows with their chances k_g / n_g, and weights 1 / chance."""
        codes = pool.signal(self.by, Labels).codes
        sizes = np.bincount(codes)
        quota = largest_remainders(sizes, min(k, len(pool)))
        at = within(codes, quota, generator(self.seed, "stratified"))
        chance = quota[codes[at]] / sizes[codes[at]]
        return Sample(pool.rows[at], chance, 1.0 / chance)


def largest_remainders(sizes: I64, m: int) -> I64:
    """i64[g]: m <= sum of sizes i64[g] shared out in proportion, in whole numbers throughout."""
    n = max(int(sizes.sum()), 1)
    quota, rest = np.divmod(sizes * m, n)
    order = np.lexsort((np.arange(len(sizes)), -sizes, -rest))
    quota[order[: m - int(quota.sum())]] += 1
    return quota


def within(codes: I32, quota: I64, draw: np.random.Generator) -> I64:
    """Positions in random order: of the rows with code g quota[g] drawn at random."""
    order = draw.permutation(len(codes))
    by = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes, minlength=len(quota))
    rank = np.arange(len(by)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return draw.permutation(by[rank < quota[codes[by]]])


def exact(sizes: list[int], m: int) -> list[int]:
    """`largest_remainders` by fractions."""
    share = [Fraction(m * s, sum(sizes)) for s in sizes]
    quota = [int(s) for s in share]
    order = sorted(range(len(sizes)), key=lambda g: (quota[g] - share[g], -sizes[g], g))
    for g in order[: m - sum(quota)]:
        quota[g] += 1
    return quota


EXAMPLES = (Stratified(), Stratified("source", seed=4))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: variance of the mean of 30 of 600 rows by simple random draws over that by strata, less 1."""
    ratios = np.empty(8 * scale)
    for i in range(len(ratios)):
        codes = rng.integers(0, 5, 600).astype(np.int32)
        value = rng.normal(size=5)[codes] * 2 + rng.normal(size=600)
        pool = Pool.of({"label": Labels(codes, tuple("abcde"))})
        ours, theirs = [], []
        for seed in range(150):
            got = Stratified(seed=seed).sample(pool, 30)
            ours.append(got.total(value[got.rows]) / 600)
            theirs.append(value[rng.choice(600, 30, replace=False)].mean())
        ratios[i] = np.var(theirs) / np.mean((np.array(ours) - value.mean()) ** 2) - 1
    return ratios


CLAIM = Claim(
    paper="Neyman 1934",
    says="estimates by proportional strata vary less than those by simple random draws",
    we_show="where groups differ, means of 30 of 600 rows vary less over seeds",
    not_shown="pools whose groups are alike, where nothing is won",
    measure=claim,
    margin=0.0,
)
