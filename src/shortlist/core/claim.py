"""An executable statement of what a paper says and what we show of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`measure(rng, scale)` returns f64[m]: margins that should be >= `margin` (mean, with interval).

    scale 1 is a test of seconds; `make claims` may use more. `not_shown` says what this run cannot show.
    """

    paper: str
    says: str
    we_show: str
    not_shown: str
    measure: Callable[[np.random.Generator, int], np.ndarray]
    margin: float
