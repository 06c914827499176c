"""Paid functions: what a call costs, how many items it takes, and how it may be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.budget import INF, Line
from shortlist.core.errors import ContractError, UsageError

#: A price of one item, or a function of items that gives the price of each, f64[b].
Cost: TypeAlias = float | Callable[[Any], F64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a scorer may be called.

    Args:
        timeout: seconds after which a call counts as failed. Its thread is left behind, what it may still
            answer is not used.
        tries: how often a call is made before its scorer is given up; nothing is charged twice.
        wait: seconds before the second try, doubled for each further one, at most `longest`. An error that
            carries `retry_after` (seconds) is waited for instead, if that is longer.
        longest: seconds between two tries, at most.
        per_minute: calls started in any minute, at most.
        at_once: calls under way at one time, at most. The answers never depend on it.
    """

    timeout: float = 300.0
    tries: int = 4
    wait: float = 0.5
    longest: float = 30.0
    per_minute: float = INF
    at_once: int = 1

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and self.per_minute > 0 and self.wait >= 0 and self.longest >= 0):
            raise UsageError("a pace needs timeout and per_minute above 0, wait and longest of 0 or more")
        if self.tries < 1 or self.at_once < 1:
            raise UsageError(
                f"a pace needs tries and at_once of 1 or more, found {self.tries}, {self.at_once}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A function that is paid, items -> one number an item, and its prices.

    >>> Scorer(len, usd=0.002, batch=16).line("judge", [1, 2, 3])
    Line(role='judge', n=3, tokens=0.0, usd=0.006, seconds=0.0, cached=False)

    Args:
        call: gets the items a plan asks about: rows i64[b], pairs of rows i64[b, 2], a Pool or a list.
        usd, tokens, seconds: what an item costs, or a function of items that says it for each, f64[b].
        batch: items a call, at most; 0: all that are asked about.
        pace: timeouts, retries, rate and how many calls at once.
    """

    call: Callable[[Any], Any] = field(kw_only=False)
    usd: Cost = 0.0
    tokens: Cost = 0.0
    seconds: Cost = 0.0
    batch: int = 0
    pace: Pace = Pace()

    def __post_init__(self) -> None:
        if not callable(self.call):
            raise UsageError(f"a scorer must be callable, found {type(self.call).__name__}")
        if self.batch < 0:
            raise UsageError(f"a batch must be 0 (all) or more, found {self.batch}")
        for unit in ("usd", "tokens", "seconds"):
            price = getattr(self, unit)
            if not callable(price) and not 0 <= price < INF:
                raise UsageError(f"a price in {unit} must be finite and 0 or more, found {price}")

    def line(self, role: str, items: Any, *, cached: bool = False) -> Line:
        """The charge for these items."""
        return Line(
            role,
            len(items),
            self._cost("tokens", role, items),
            self._cost("usd", role, items),
            self._cost("seconds", role, items),
            cached,
        )

    def _cost(self, unit: str, role: str, items: Any) -> float:
        price: Cost = getattr(self, unit)
        if not callable(price):
            return price * len(items)
        each = np.asarray(price(items), np.float64)
        if each.shape != (len(items),) or not (each >= 0).all():
            raise ContractError(f"the {unit} of {role!r} must be {len(items)} numbers of 0 or more")
        return float(each.sum())
