"""ConditionalPoisson: a random set of k rows, each set as likely as the product of its rows' weights.

    P(S) = prod over i in S of w_i / sum over all T of k rows of prod over T of w,  w = exp(score /
    temperature)

Source: Hajek 1964, doi:10.1214/aoms/1177700375; Chen, Dempster and Liu 1994, Weighted finite population
sampling to maximize entropy, doi:10.1093/biomet/81.3.457; Meister, Amini, Vieira and Cotterell 2021,
Conditional Poisson stochastic beam search, arXiv:2109.11034.
Deviates: a set is drawn by tossing a coin a row until k come up, at odds times one factor that makes k the
    mean (the law does not depend on it): no table of n k sums, some 2.5 sqrt(k) tries. Inclusion
    probabilities are those of the law, from the distribution of the number of heads with each row left out.
    Weights more than e^700 from the k-th largest count as that. Where limits turn rows away, the rest is
    drawn the same way among rows still open. The order of choice is random.
Cost: some 2.5 n sqrt(k) coins; chances: some 24 n sqrt(k) operations, twice.
Memory: 80 n bytes.
Guarantee: the law above up to rounding; among all laws with its chances the one of largest entropy.
Use it when: sums over the pool are estimated from k rows by 1 / chance. Not when: n is many millions and k of
    the order of n (GumbelTopK sorts once).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits
from shortlist.core.fill import told
from shortlist.core.pool import Pool
from shortlist.core.sample import Sample, logits, warm
from shortlist.core.seeds import generator
from shortlist.core.topped import topped

#: Logarithms of weights farther apart than this cannot be told from certainty.
FAR = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalPoisson:
    """Rows at random by weight; the objective, if there is one, only says what it gained.

    Args:
        of: a Scores signal; what is better is likelier.
        temperature: above 0; low: the best rows, high: nearly any.
        seed: of the draw.
    """

    of: str = field(default="score", kw_only=False)
    temperature: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        warm("ConditionalPoisson", self.temperature)

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows."""
        log, rng = logits(pool, self.of, self.temperature), self._rng()

        def draw(_: I64, left: I64, m: int) -> I64:
            return rng.permutation(left[drawn(odds(log[left], m), m, rng)])

        return told(built, limits, pool, topped(limits, len(pool), draw))

    def sample(self, pool: Pool, k: int) -> Sample:
        """min(k, n) rows with their exact chances to be drawn, and weights 1 / chance."""
        k, rng = min(k, len(pool)), self._rng()
        p = odds(logits(pool, self.of, self.temperature), k)
        at = rng.permutation(drawn(p, k, rng))
        chance = np.clip(inclusion(p, k)[at], np.finfo(np.float64).tiny, 1.0)
        return Sample(pool.rows[at], chance, 1.0 / chance)

    def _rng(self) -> np.random.Generator:
        return generator(self.seed, "conditional poisson")


def odds(log: F64, k: int) -> F64:
    """f64[n]: probabilities p with sum k and p / (1 - p) in proportion to exp(log f64[n]); all 1 if k >=
    n."""
    n = len(log)
    if k >= n or k <= 0:
        return np.full(n, float(k > 0))
    kth = np.partition(log, n - k)[n - k]
    log = np.clip(log - kth, -FAR, FAR)
    low, high = -FAR - np.log(n) - 9, FAR + np.log(n) + 9
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(log + middle).sum() < k else (low, middle)
    return _sigmoid(log + high)


def _sigmoid(x: F64) -> F64:
    small = np.exp(-np.abs(x))
    out: F64 = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return out


def drawn(p: F64, k: int, draw: np.random.Generator) -> I64:
    """i64[k], increasing: coins at p f64[n], tossed until k come up."""
    while True:
        heads = np.flatnonzero(draw.random(len(p)) < p)
        if len(heads) == k:
            return heads


def inclusion(p: F64, k: int) -> F64:
    """f64[n]: P(row i is in | k heads) = p_i P(k - 1 heads without i) / P(k heads), where sum p = k.

    The distribution with all rows is a sum, row by row; one row is taken out of it by the recursion that
    shrinks errors: upwards if p <= 1/2, downwards else. Counts 12 deviations from the mean are left out.
    """
    n = len(p)
    if k >= n or k <= 0:
        return np.full(n, float(k > 0))
    wide = int(12 * np.sqrt((p * (1 - p)).sum())) + 30
    heads, mean = np.zeros(k + wide + 2), np.cumsum(p).astype(np.int64)
    heads[0] = 1.0
    for x, m in zip(p.tolist(), mean.tolist(), strict=True):
        a, b = max(m - wide, 1), m + wide + 1
        more = heads[a - 1 : b - 1] * x
        heads[a:b] *= 1 - x
        heads[a:b] += more
        if a == 1:
            heads[0] *= 1 - x
    without = np.zeros(n)
    few, many = np.flatnonzero(p <= 0.5), np.flatnonzero(p > 0.5)
    g = np.zeros(len(few))
    for j in range(max(k - wide, 0), k):
        g = (heads[j] - p[few] * g) / (1 - p[few])
    without[few] = g
    g = np.zeros(len(many))
    for j in range(min(k + wide, n), k - 1, -1):
        g = (heads[j] - (1 - p[many]) * g) / p[many]
    without[many] = g
    chance: F64 = p * without / heads[k]
    return chance


def exact(weights: F64, k: int) -> dict[tuple[int, ...], float]:
    """The probability of every set of k rows by weights f64[n] > 0."""
    sets = list(combinations(range(len(weights)), k))
    product = np.array([weights[list(s)].prod() for s in sets])
    return dict(zip(sets, (product / product.sum()).tolist(), strict=True))


EXAMPLES = (ConditionalPoisson(), ConditionalPoisson("quality", temperature=0.25, seed=9))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: 1 where every chance of 3 of 8 rows is the enumerated one to 1e-10 and the estimate of a sum by
    1 / chance, averaged over the law, is that sum to 1e-10."""
    held = np.empty(20 * scale)
    for i in range(len(held)):
        log, value = rng.normal(size=8) * 2, rng.normal(size=8)
        law = exact(np.exp(log), 3)
        want = np.array([sum(p for s, p in law.items() if j in s) for j in range(8)])
        got = inclusion(odds(log, 3), 3)
        mean = sum(p * (value[list(s)] / got[list(s)]).sum() for s, p in law.items())
        held[i] = np.abs(got / want - 1).max() < 1e-10 and abs(mean - value.sum()) < 1e-10 * len(law)
    return held


CLAIM = Claim(
    paper="Meister et al. 2021",
    says="inclusion probabilities of conditional Poisson sampling are exact and make estimates unbiased",
    we_show="on 8 rows they equal enumeration to ten digits, and so does the mean estimate of a sum",
    not_shown="beam search",
    measure=claim,
    margin=1.0,
)
