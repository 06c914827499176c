"""Every error the library raises.

ShortlistError
├── InputError       bad data: says file, row (1-based), column, what was found, what to do      exit 2
├── UsageError       bad request: an option, a method expression, a budget that cannot be read   exit 2
├── ContractError    an array or a method broke its contract                                     exit 2
├── MemoryRefused    the work would need more memory than is allowed, said before allocation     exit 2
├── InfeasibleError  the constraints cannot all hold; names the conflict and a relaxation        exit 3
├── StorageError     the disk refused: full, read-only, locked                                   exit 4
├── CheckFailed      a check ran and its answer is no (verify)                                   exit 1
└── BudgetExhausted  thrown into a plan that asks for more than may be spent                     exit 1
    └── ScorerFailed a scorer failed or hung as often as it may: no more can be bought from it   exit 1
"""

from __future__ import annotations


class ShortlistError(Exception):
    """Base of all; `exit_code` is what the command line returns."""

    exit_code = 2


class InputError(ShortlistError):
    """Bad data. `str()` is one line: place, what was found, what to do.

    Args:
        found: what is wrong.
        fix: what the user can do about it.
        file: the file as the user named it.
        row: 1-based line (text formats) or row (tables).
        column: the column as the user named it.
    """

    def __init__(
        self, found: str, *, fix: str = "", file: str = "", row: int | None = None, column: str = ""
    ) -> None:
        place = [file] if file else []
        if row is not None:
            place.append(f"row {row}")
        if column:
            place.append(f"column {column!r}")
        text = (", ".join(place) + ": " if place else "") + found + (f"; {fix}" if fix else "")
        super().__init__(text)
        self.found, self.fix, self.file, self.row, self.column = found, fix, file, row, column


class UsageError(ShortlistError):
    """The request itself cannot be carried out as written."""


class ContractError(ShortlistError):
    """An array, noun or method broke what its type promises."""


class MemoryRefused(ShortlistError):
    """The plan needs more memory than the limit; nothing was allocated."""


class InfeasibleError(ShortlistError):
    """No choice satisfies every constraint.

    Args:
        conflict: the constraints, as the user wrote them, that cannot hold together (irreducible).
        relaxation: the smallest change that would do, one sentence each.
    """

    exit_code = 3

    def __init__(self, conflict: tuple[str, ...], relaxation: tuple[str, ...]) -> None:
        super().__init__(
            "these constraints cannot hold together: "
            + "; ".join(conflict)
            + ". Smallest relaxation that would do: "
            + "; ".join(relaxation)
        )
        self.conflict, self.relaxation = conflict, relaxation


class StorageError(ShortlistError):
    """The storage refused; what was there before is still there."""

    exit_code = 4


class CheckFailed(ShortlistError):
    """A check ran to its end and the answer is no."""

    exit_code = 1


class BudgetExhausted(ShortlistError):
    """The next call would overspend; a plan catches it and returns its best so far."""

    exit_code = 1


class ScorerFailed(BudgetExhausted):
    """A scorer failed or hung as often as its pace allows; a plan returns its best so far."""
