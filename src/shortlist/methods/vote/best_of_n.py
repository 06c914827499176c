"""Best of n: the answer of the highest reward, with what of its lead is expected to be real.

    KL(best of n || one draw) <= log n - (n - 1) / n;   expected real lead = reliability * lead

Source: Gao, Schulman, Hilton 2022, arXiv:2210.10760 (over-optimisation and KL); regression to the mean:
Kelley 1947, sec. "Fundamentals of Statistics", https://en.wikipedia.org/wiki/Regression_toward_the_mean
Deviates: the paper fits how true reward falls off; here one number, `reliability`, discounts the lead.
Cost: one pass.
Memory: 16 bytes a row.
Guarantee: the row of highest reward, ties to the first; the discount is right where worth and error of the
reward are normal, independent and add up.
Use it when the reward can be trusted at its top; not when n is large and the reward is a weak judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.errors import UsageError
from shortlist.core.judgments import Pick
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """All rows by reward, the highest first.

    Args:
        of: the reward; its direction is respected.
        reliability: share of the reward's variance among answers that is real, for the warning.
    """

    of: str = field(default="score", kw_only=False)
    reliability: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.reliability <= 1:
            raise UsageError(f"reliability must lie in [0, 1], found {self.reliability}")

    def __call__(self, pool: Pool) -> Pick:
        """The best by reward, and how far it may be trusted."""
        reward = pool.signal(self.of, Scores).utility()
        pick = Pick.ranked(pool.rows, reward)
        return Pick(pick.rows, pick.scores, notes=warning(reward, self.reliability))


def warning(reward: F64, reliability: float) -> tuple[str, ...]:
    """What choosing the highest of these rewards f64[n] does to its meaning; () for fewer than two."""
    n = len(reward)
    if n < 2:
        return ()
    middle = float(np.mean(reward / n) * n)  # sums of huge rewards stay finite
    lead = float(reward.max()) - middle
    told = (
        f"{reliability * lead:.3g} is expected to be real"
        if reliability < 1
        else "all is taken for real; state the reward's reliability to discount it"
    )
    return (
        f"best of {n}: {drift(n):.2f} nats from one draw; of its lead of {lead:.3g} over the mean {told}",
    )


def drift(n: int) -> float:
    """Upper bound of the KL divergence, in nats, of the best of n draws from one.

    >>> round(drift(64), 2)
    3.17
    """
    return log(n) - (n - 1) / n


def exact(reward: list[float]) -> int:
    """The position of the highest, the first of ties."""
    return max(range(len(reward)), key=lambda i: (reward[i], -i))


EXAMPLES = (BestOfN(), BestOfN("quality", reliability=0.5))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: by how much the reward of the best of 64 overstates its worth, less the same after discount."""
    margin = np.empty(300 * scale)
    for t in range(len(margin)):
        worth = rng.normal(size=64)
        reward = worth + rng.normal(size=64)
        best = BestOfN()(Pool.of({"score": Scores(reward)})).rows[0]
        lead = reward[best] - reward.mean()
        margin[t] = abs(lead - worth[best]) - abs(0.5 * lead - worth[best])
    return margin


CLAIM = Claim(
    paper="Gao, Schulman, Hilton 2022",
    says="the more the best is chosen by a proxy, the more the proxy overstates it",
    we_show="where half of the reward is noise, the lead of the best of 64 misses its worth by at least 0.6 "
    "spreads more than the lead discounted by its reliability",
    not_shown="the fall of true reward at large n, which needs a reward model",
    measure=claim,
    margin=0.6,
)
