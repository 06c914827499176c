"""Top: the rows of the highest score while the limits allow. The baseline of every signal.

Source: the definition; ranking as selection is what Carbonell and Goldstein 1998, doi:10.1145/290941.291025,
set diversity against.
Deviates: none. What must be taken comes first; a row that does not fit is passed over and the next is asked.
Ties go to the lowest position.
Cost: O(n log n).  Memory: O(n).
Guarantee: the best sum of the score under a size and most counts of groups that do not overlap (a matroid);
none under budgets.
Use it when one signal says all and repeats do no harm. Not when near-duplicates score alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.choice import Choice
from shortlist.core.claim import Claim
from shortlist.core.contracts import Built, Limits, Row
from shortlist.core.fill import fill, told
from shortlist.core.limits import bind_rows
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


@dataclass(frozen=True, slots=True)
class Top:
    """The highest `of` first; the objective, if there is one, only says what it gained.

    >>> Top('reward')
    Top(of='reward')
    """

    of: str = "score"

    def __call__(self, built: Built | None, limits: Limits, pool: Pool) -> Choice:
        """Choose up to `limits.k` rows by one signal.

        Raises:
            ContractError: the pool has no scores of that name.
        """
        best = np.argsort(-pool.signal(self.of, Scores).utility(), kind="stable")
        return told(built, limits, pool, fill(limits, best))


EXAMPLES = (Top(), Top("quality"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the sum reached as a share of the best of 4 of 9 rows with at most 2 of a group of 5."""
    shares = np.empty(40 * scale)
    size, most = Row("size=4", "size", None, None, -np.inf, 4), Row("a<=2", "quota", np.arange(5), None, 0, 2)
    limits = bind_rows([size, most], 9)
    for i in range(len(shares)):
        score = rng.random(9)
        pool = Pool.of({"score": Scores(score)})
        every = [list(c) for c in combinations(range(9), 4) if not limits.check(np.array(c))]
        shares[i] = score[Top()(None, limits, pool).rows].sum() / max(score[c].sum() for c in every)
    return shares


CLAIM = Claim(
    paper="Edmonds 1971, doi:10.1007/BF01584082",
    says="greedy finds the best sum of weights over a matroid",
    we_show="under a size and a most count it does, against all choices of 4 of 9 rows",
    not_shown="anything under budgets, where it can be far off",
    measure=claim,
    margin=1 - 1e-12,
)
