"""What may be spent, and what was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from shortlist.core.errors import BudgetExhausted, ContractError, UsageError

INF = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Ceilings; infinite by default. `usd` is money, `seconds` scorer time."""

    calls: float = INF
    tokens: float = INF
    usd: float = INF
    seconds: float = INF

    def __post_init__(self) -> None:
        for f in fields(self):
            if not getattr(self, f.name) >= 0:
                raise UsageError(f"the budget for {f.name} must be 0 or more, found {getattr(self, f.name)}")


@dataclass(frozen=True, slots=True)
class Line:
    """One charge: n calls of a role and what they cost in all."""

    role: str
    n: int
    tokens: float = 0.0
    usd: float = 0.0
    seconds: float = 0.0
    cached: bool = False

    def __post_init__(self) -> None:
        for cost in (self.n, self.tokens, self.usd, self.seconds):
            if not 0 <= cost < INF:  # a refund or a nan would open the budget
                raise ContractError(f"{self.role}: a cost must be finite and 0 or more, found {cost}")


@dataclass(slots=True)
class Ledger:
    """Append-only. Charged before the call is made, never after; totals never pass the budget.

    repeats: calls of a role that were made again because they failed or hung. Nothing is charged twice, so
    they are not in `spent`; whoever bills for failed calls may ask for that much more.
    """

    budget: Budget
    lines: list[Line] = field(default_factory=list)
    spent: dict[str, float] = field(
        default_factory=lambda: {"calls": 0.0, "tokens": 0.0, "usd": 0.0, "seconds": 0.0}
    )
    repeats: dict[str, int] = field(default_factory=dict)

    def charge(self, line: Line) -> None:
        """Record a charge, or raise BudgetExhausted and record nothing. Cached answers are free."""
        self._add(self.spent, line)
        self.lines.append(line)

    def admit(self, lines: Iterable[Line]) -> None:
        """Charge nothing, but raise BudgetExhausted if these could not be charged, one after the other.

        Sums are made as `charge` makes them: what is admitted is charged, to the last bit.
        """
        spent = dict(self.spent)
        for line in lines:
            self._add(spent, line)

    def _add(self, spent: dict[str, float], line: Line) -> None:
        if line.cached:
            return
        cost = {"calls": float(line.n), "tokens": line.tokens, "usd": line.usd, "seconds": line.seconds}
        for unit, c in cost.items():
            limit = getattr(self.budget, unit)
            if spent[unit] + c > limit:
                raise BudgetExhausted(
                    f"{line.role}: {c:g} more {unit} would pass the budget of {limit:g} "
                    f"({spent[unit]:g} spent)"
                )
        for unit, c in cost.items():
            spent[unit] += c

    def paid(self, role: str) -> int:
        """Calls of this role that were charged."""
        return sum(line.n for line in self.lines if line.role == role and not line.cached)

    def replayed(self, role: str) -> int:
        """Answers of this role that came from a log, for nothing."""
        return sum(line.n for line in self.lines if line.role == role and line.cached)
