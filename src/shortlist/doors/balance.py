"""Weights that make the parts of an objective pull as their shares say.

A coverage lies in [0, 1] and moves by hundredths, a sum of scores by hundreds: weights of 1 and 1 would mean
nothing. So a part is measured in what it alone can gain over random at this size: with weight share / span a
share of one half each gives both parts as much to win.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.contracts import Built, Objective
from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.doors.routing import resized
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy

#: Rows drawn to measure what costs a product a pair of rows; a quarter of them are picked at most.
ROWS = 4096
#: Random choices whose mean a gain is measured from.
DRAWS = 5


def balance(parts: Sequence[Objective], shares: Sequence[float], pool: Pool, k: int, seed: int) -> F64:
    """f64[P]: the weight of each part, its share divided by its span.

    Coverage is measured on a seeded sample of 4,096 rows (at most 1,024 picks), which was within 20% of its
    span over all rows wherever that was tried; all else on all rows. A part that nothing can gain from
    keeps its share.
    """
    return np.array(
        [share / (span(part, pool, k, seed) or 1.0) for part, share in zip(parts, shares, strict=True)]
    )


def span(part: Objective, pool: Pool, k: int, seed: int) -> float:
    """What greedy gains with k rows by this part alone, above the mean of random draws; 0 if nothing."""
    draw = generator(seed, "balance")
    if isinstance(part, FacilityLocation) and len(pool) > ROWS:
        pool = pool.take(np.sort(draw.choice(len(pool), ROWS, replace=False)))
        k = min(k, ROWS // 4)
        part = resized(part, pool, k, np.inf)
    k = min(k, len(pool))
    built = alone(part.build(pool))
    solver = LazyGreedy() if built.submodular else Greedy()
    best = solver(built, bind(pool, [Cardinality(k)]), pool).total
    random = np.mean([_worth(built, draw.choice(len(pool), k, replace=False)) for _ in range(DRAWS)])
    gain = float(best - random)
    return gain if gain > 1e-9 * max(1.0, abs(best)) else 0.0


def _worth(built: Built, at: I64) -> float:
    state, total = built.start(), 0.0
    for i in at.tolist():
        total += float(built.gains(state, np.array([i])).sum())
        state = built.add(state, i)
    return total
