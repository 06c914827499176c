"""Separation: no two chosen rows nearer than a distance.

d(i, j) >= least for all chosen i != j. Over vectors d is 1 - cosine, or Euclidean; over scores and costs the
absolute difference; over a graph of neighbours 1 - similarity, so that rows without a link are 1 apart.
Source: max-sum and max-min dispersion ask for far rows; as a constraint it is an independent set of the graph
of near pairs (a packing): Drosou and Pitoura 2012, DisC diversity, doi:10.14778/2428536.2428538.
Deviates: rows need not be covered; the objective decides which of the near rows is taken.
Cost: up to 32,768 rows, all pairs once, n^2 d / 2 (vectors by cosine); otherwise one pass of n d a pick.
Memory: 30 bytes a near pair where pairs are found beforehand, 2^23 at most; else 24 bytes a row.
Guarantee: no two chosen rows are nearer, to the bit of float64. Together with least counts a choice ends with
all of them or the run is refused; a row may be turned away where only a search could have kept it.
Use it when near rows together are useless (dates a day apart, paraphrases). Not when a row near to another
should only be worth less: that is what the objectives do; nor to drop copies before choosing: use Cosine.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np

from shortlist.core.apart import Angles, Apart, Line, Links, Places, Space, found
from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row, Rule
from shortlist.core.effects import Plan
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs, Neighbors, Scores, Vectors
from shortlist.methods.constrain.reading import separation_text


@dataclass(frozen=True, slots=True)
class Separation:
    """Chosen rows are at least `least` apart by the signal `by` (Vectors, Neighbors, Scores or Costs).

    euclid: vectors are compared by Euclidean distance instead of 1 - cosine.

    >>> Separation('vec', least=0.2)
    Separation(by='vec', least=0.2, euclid=False)
    """

    by: str
    _: KW_ONLY
    least: float
    euclid: bool = False

    def __post_init__(self) -> None:
        try:
            if isinstance(self.least, bool):
                raise TypeError
            value = float(self.least)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"Separation: least must be a number, found {self.least!r}") from None
        if not 0 < value < math.inf:
            raise UsageError(f"Separation: least must be finite and above 0, found {self.least!r}")
        object.__setattr__(self, "least", value)
        if not isinstance(self.euclid, bool):
            raise UsageError(f"Separation: euclid must be True or False, found {self.euclid!r}")

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (no inequality says it)
        """None."""
        return []

    def rules(self, pool: Pool, k: int) -> Plan[list[Rule]]:  # noqa: ARG002  (a distance is no share of k)
        """One rule; its near pairs are found beforehand where that pays.

        Raises:
            ContractError: no such signal, or one without distances.
        """
        rule = yield from found(Apart(separation_text(self.by, self.least), self.least, _signal(pool, self)))
        return [rule]


def exact(pool: Pool, rule: Separation, at: np.ndarray) -> bool:
    """The definition: every two of the rows at positions i64[m] are far enough apart."""
    space = _signal(pool, rule)
    return all(space.between(np.array([i]), np.array([j]))[0] >= rule.least for i in at for j in at if i < j)


def _signal(pool: Pool, rule: Separation) -> Space:
    signal = pool.columns.get(rule.by)
    if rule.euclid and signal is not None and not isinstance(signal, Vectors):
        raise ContractError(f"separation: euclid=True needs vectors, {rule.by!r} is {type(signal).__name__}")
    if isinstance(signal, Vectors):
        return Places(signal.values) if rule.euclid else Angles.of(signal.values)
    if isinstance(signal, Scores | Costs):
        return Line.of(np.asarray(signal.values, np.float64))
    if isinstance(signal, Neighbors):
        return Links.of(signal)
    kinds = Vectors | Scores | Costs | Neighbors
    have = sorted(name for name, s in pool.columns.items() if isinstance(s, kinds))
    what = f"no signal {rule.by!r}" if signal is None else f"{rule.by!r} is {type(signal).__name__}"
    raise ContractError(f"separation: {what}; distances are in {have}")


EXAMPLES = (
    Separation("vec", least=0.3),
    Separation("vec2", least=1.0, euclid=True),
    Separation("score", least=0.5),
    Separation("graph", least=0.6),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the least distance among random choices of up to 20 of 200 points, over the distance asked."""
    out = np.empty(20 * scale)
    for i in range(len(out)):
        pool = Pool.of({"vec": Vectors(rng.normal(size=(200, 3)).astype(np.float32))})
        limits = bind(pool, [Separation("vec", least=0.2)], 20)
        out[i] = limits.rules[0].account(fill(limits, rng.permutation(200)))[0] / 0.2
    return out


CLAIM = Claim(
    paper="Drosou and Pitoura 2012",
    says="a choice may be asked to hold no two rows within a radius of each other",
    we_show="random choices of 200 points on a sphere keep the distance",
    not_shown="that as many rows are taken as could be: the largest such set is hard to find",
    measure=claim,
    margin=1.0,
)
