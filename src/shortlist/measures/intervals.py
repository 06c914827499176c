"""Intervals of shares and of means of numbers in [0, 1].

Wilson 1927, doi:10.1080/01621459.1927.10502953; Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8
(difference of two shares); Hoeffding 1963, doi:10.1080/01621459.1963.10500830.
"""

from __future__ import annotations

from math import log, sqrt
from statistics import NormalDist

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.errors import UsageError


def wilson(share: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """The shares that n trials with `share` of successes leave plausible; (0, 1) for no trial.

    >>> [round(x, 4) for x in wilson(0.5, 100)]
    [0.4038, 0.5962]
    """
    if n <= 0:
        return 0.0, 1.0
    z = quantile(level)
    middle, half = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = (middle - half) / scale if share > 0 else 0.0  # exactly, not but for rounding
    return max(0.0, low), min(1.0, (middle + half) / scale if share < 1 else 1.0)


def of_mean(values: F64, *, level: float = 0.95) -> tuple[float, float]:
    """Of the mean of numbers f64[t] in [0, 1], one an independent case.

    Wilson's with as many trials as a share of this variance would have: never empty, and no wider than for
    yes and no answers.
    """
    t = len(values)
    if t == 0:
        return 0.0, 1.0
    mean = min(1.0, max(0.0, float(values.mean())))
    spread = float(values.var(ddof=1)) if t > 1 else 0.0
    trials = t * mean * (1 - mean) / spread if spread > 0 else t
    return wilson(mean, max(t, trials) if t > 1 else t, level=level)


def of_difference(a: float, n: float, b: float, m: float, *, level: float = 0.95) -> tuple[float, float]:
    """Of share a of n less share b of m."""
    (la, ua), (lb, ub) = wilson(a, n, level=level), wilson(b, m, level=level)
    return a - b - sqrt((a - la) ** 2 + (ub - b) ** 2), a - b + sqrt((ua - a) ** 2 + (b - lb) ** 2)


def hoeffding(n: int, *, width: float = 1.0, level: float = 0.95) -> float:
    """Half the width of an interval of the mean of n numbers in a range of `width`, whatever they are."""
    return width * sqrt(log(2 / (1 - level)) / (2 * n)) if n else width


def quantile(level: float) -> float:
    """How many standard errors on both sides hold `level`.

    Raises:
        UsageError: the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"level must lie between 0 and 1, found {level}")
    return NormalDist().inv_cdf((1 + level) / 2)


def basic(draws: F64, value: float, *, level: float = 0.95) -> tuple[float, float]:
    """Basic bootstrap: the draws f64[B] mirrored at the value, which turns their bias around."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return 2 * value - float(high), 2 * value - float(low)
