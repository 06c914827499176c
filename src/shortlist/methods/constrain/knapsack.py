"""Budget: the costs of the chosen rows add up to at most a limit.

Source: Sviridenko 2004, Oper. Res. Lett. 32, 41-43, doi:10.1016/S0167-6377(03)00062-2 (maximising a
submodular function under a knapsack); several knapsacks: Lin and Bilmes 2010, NAACL, sec. 3.
Deviates: none. Sums are float64; a sum may pass the limit by rounding only (1e-9 of it).
Cost: O(1) a question.  Memory: none beyond the pool.
Guarantee: the cost of a choice never passes the limit. A row that does not fit is turned away for good and
cheaper ones go on being taken.
Use it when rows cost differently (tokens, money, seconds). Not for counting rows: use Cardinality.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.errors import UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Costs
from shortlist.methods.constrain.reading import budget_text, read_budget


@dataclass(frozen=True, slots=True)
class Knapsack:
    """The sum of costs `by` over the choice is at most `at_most`, in the unit of that signal.

    >>> Knapsack('tokens', at_most=20000)
    Knapsack(by='tokens', at_most=20000)
    """

    by: str
    _: KW_ONLY
    at_most: int | float

    def __post_init__(self) -> None:
        given = self.at_most
        if isinstance(given, bool):
            raise UsageError(f"Knapsack: at_most must be a number, found {given!r}")
        try:
            value = float(given)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"Knapsack: at_most must be a number, found {given!r}") from None
        if not 0 <= value < math.inf:
            raise UsageError(f"Knapsack: at_most must be finite and at least 0, found {given!r}")
        object.__setattr__(self, "at_most", int(value) if value == int(value) else value)

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (a budget is no share of k)
        """One inequality over all rows.

        Raises:
            ContractError: the pool has no costs of that name.
        """
        costs = pool.signal(self.by, Costs)
        text = budget_text(self.by, self.at_most)
        return [Row(text, "knapsack", None, costs.values, -math.inf, float(self.at_most))]


def budget_from_text(text: str, signals: Collection[str] = ()) -> Knapsack:
    """The budget as it is written on a command line; see `reading.read_budget`.

    >>> budget_from_text('tokens=20k')
    Knapsack(by='tokens', at_most=20000)
    """
    by, most = read_budget(text, signals)
    return Knapsack(by, at_most=most)


EXAMPLES = (Knapsack("cost", at_most=10), Knapsack("cost", at_most=2.5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: our upper bound over the best sum of gains within a budget, among all sets of 8 rows."""
    sets = (np.arange(256)[:, None] >> np.arange(8)) & 1
    ratio = np.empty(40 * scale)
    for i in range(len(ratio)):
        cost, gain = rng.integers(1, 9, 8).astype(np.float64), rng.random(8)
        limits = bind(Pool.of({"cost": Costs(cost)}), [Knapsack("cost", at_most=12)])
        ratio[i] = limits.upper(gain, limits.start()) / (sets @ gain)[sets @ cost <= 12].max()
    return ratio


CLAIM = Claim(
    paper="Dantzig 1957, doi:10.1287/opre.5.2.266",
    says="pricing the budget bounds the best sum of gains from above",
    we_show="our bound is never below the best of all sets of 8 rows",
    not_shown="how near it is where few rows fit",
    measure=claim,
    margin=1.0 - 1e-9,
)
