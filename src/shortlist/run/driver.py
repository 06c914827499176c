"""Interpret a plan: the one place that scans, gathers, pays and counts."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from shortlist.core.arrays import F32
from shortlist.core.budget import Budget, Ledger, Line
from shortlist.core.effects import Ask, Effect, Gather, Make, Plan, Scan
from shortlist.core.errors import BudgetExhausted, ContractError
from shortlist.core.pool import Pool

T = TypeVar("T")


class Progress(Protocol):
    """Told how far work has come; `total` is 0 where it is not known."""

    def __call__(self, note: str, done: int, total: int) -> None:
        """`done` of `total` parts of `note` are finished."""
        ...


class Log(Protocol):
    """Where paid answers are kept, so that a rerun replays them (see run.answers)."""

    def replay(self, role: str, items: Any) -> F32 | None:
        """The next kept answer for these items, or None."""
        ...

    def keep(self, role: str, items: Any, answer: F32) -> None:
        """Keep an answer before it is used."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """A scorer and what each of its calls costs."""

    call: Callable[[Any], Any]
    tokens: float = 0.0
    usd: float = 0.0
    seconds: float = 0.0


def cores() -> int:
    """Cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this platform
        return os.cpu_count() or 1


def serial_blas() -> AbstractContextManager[object]:
    """One BLAS thread while this holds: how BLAS shares out a product changes its last bits, we do not."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


@dataclass(frozen=True, slots=True)
class Local:
    """Run here. workers: threads, 0 for every core. The answer never depends on how many."""

    workers: int = 0

    @property
    def threads(self) -> int:
        """How many threads this machine will use."""
        return self.workers or cores()


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a plan returned and what it spent."""

    result: T
    ledger: Ledger


def run(
    plan: Plan[T],
    pool: Pool | None = None,
    *,
    on: Local | None = None,
    budget: Budget | None = None,
    scorers: Mapping[str, Price] | None = None,
    log: Log | None = None,
    progress: Progress | None = None,
) -> Outcome[T]:
    """Carry out a plan.

    Args:
        plan: a generator of effects.
        pool: what Scan (without items) and Gather read.
        on: where to run.
        budget: ceilings for paid calls; each is charged before it is made.
        scorers: role -> Price, for Ask and Make.
        log: keeps paid answers of Ask; what it replays is charged as cached (free).
        progress: told of each scan's advance.

    Raises:
        ContractError: a scorer is missing or answers with the wrong shape.
    """
    on, ledger = on or Local(), Ledger(budget or Budget())
    with serial_blas():
        try:
            effect = next(plan)
            while True:
                try:
                    answer = _answer(effect, pool, on, ledger, scorers or {}, log, progress)
                except BudgetExhausted as refusal:
                    effect = plan.throw(refusal)
                else:
                    effect = plan.send(answer)
        except StopIteration as stop:
            return Outcome(stop.value, ledger)


def _answer(
    effect: Effect,
    pool: Pool | None,
    on: Local,
    ledger: Ledger,
    scorers: Mapping[str, Price],
    log: Log | None,
    progress: Progress | None,
) -> Any:
    match effect:
        case Scan():
            return _scan(effect, pool, on, progress)
        case Gather(rows):
            if pool is None:
                raise ContractError("the plan gathers rows but no pool was given")
            return pool.gather(rows)
        case Ask(role, items):
            return _ask(role, items, ledger, _priced(scorers, role), log)
        case Make(role, parents):
            price = _priced(scorers, role)
            ledger.charge(_line(role, len(parents), price))
            return price.call(parents)


def _priced(scorers: Mapping[str, Price], role: str) -> Price:
    if role not in scorers:
        raise ContractError(f"the plan asks for {role!r}; scorers are given for {sorted(scorers)}")
    return scorers[role]


def _line(role: str, n: int, price: Price, *, cached: bool = False) -> Line:
    return Line(role, n, price.tokens * n, price.usd * n, price.seconds * n, cached)


def _ask(role: str, items: Any, ledger: Ledger, price: Price, log: Log | None) -> F32:
    kept = log.replay(role, items) if log is not None else None
    if kept is not None:
        ledger.charge(_line(role, len(items), price, cached=True))
        return kept
    ledger.charge(_line(role, len(items), price))
    answer = np.asarray(price.call(items), np.float32)
    if answer.shape != (len(items),):
        raise ContractError(f"scorer {role!r} gave shape {answer.shape} for {len(items)} items")
    if not np.isfinite(answer).all():
        raise ContractError(f"scorer {role!r} gave a number that is not finite")
    if log is not None:
        log.keep(role, items, answer)
    return answer


def _scan(effect: Scan, pool: Pool | None, on: Local, progress: Progress | None) -> Any:
    items: Iterator[Any]
    if effect.over is not None:
        items, total = iter(effect.over), len(effect.over)
    elif pool is not None:
        items, total = pool.shards(), -(-len(pool) // pool.chunk)
    else:
        raise ContractError("the plan scans a pool but none was given")
    done, merged, first = 0, None, True
    for piece in _ordered(effect.part, items, min(on.threads, max(total, 1))):
        merged = piece if first else effect.merge(merged, piece)
        first, done = False, done + 1
        if progress is not None:
            progress(effect.note, done, total)
    return merged


def _ordered(part: Callable[[Any], Any], items: Iterator[Any], workers: int) -> Iterator[Any]:
    """`map(part, items)` on threads: results in order, at most two pieces a worker held at a time."""
    if workers <= 1:
        yield from map(part, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(part, x) for x in islice(items, 2 * workers))
        try:
            while waiting:
                piece = waiting.popleft().result()
                waiting.extend(pool.submit(part, x) for x in islice(items, 1))
                yield piece
        finally:
            for future in waiting:
                future.cancel()
