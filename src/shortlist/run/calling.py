"""Calls that may fail, hang or come too fast: one caller a role and run.

A call runs on a daemon thread, so that one which hangs keeps neither the run nor the exit of the process
waiting. Errors of programming are raised as they are; all others count as the scorer's, and are tried again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from shortlist.core.budget import INF
from shortlist.core.errors import ScorerFailed, ShortlistError
from shortlist.run.scorers import Pace

#: Errors that no second try mends: they are raised at once, and as they are.
MISTAKES = (ShortlistError, TypeError, AttributeError, NameError, LookupError, AssertionError, ImportError)


class Later:
    """A call on a thread that nothing waits for at exit."""

    def __init__(self, call: Callable[[Any], Any], items: Any) -> None:
        self._done: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        threading.Thread(target=self._work, args=(call, items), daemon=True).start()

    def _work(self, call: Callable[[Any], Any], items: Any) -> None:
        try:
            self._done.put((call(items), None))
        except BaseException as e:
            self._done.put((None, e))

    def get(self, timeout: float = INF) -> Any:
        """What the call returned or raised; TimeoutError if it takes longer than this many seconds."""
        try:
            answer, error = self._done.get(timeout=None if timeout == INF else timeout)
        except Empty:
            raise TimeoutError(f"no answer within {timeout:g} s") from None
        if error is not None:
            raise error
        return answer


class Caller:
    """Calls `call` at this pace. Once it is given up, it is not called again: `failure` says why."""

    def __init__(self, role: str, call: Callable[[Any], Any], pace: Pace) -> None:
        self.role, self.pace, self.repeats = role, pace, 0
        self.failure: ScorerFailed | None = None
        self._call, self._lock, self._next = call, threading.Lock(), 0.0

    def __call__(self, items: Any) -> Any:
        """One answer, after as many tries as the pace allows.

        Raises:
            ScorerFailed: the last of them failed too, or the scorer was given up before.
        """
        for n in range(1, self.pace.tries + 1):
            if self.failure is not None:
                raise self.failure
            self._turn()
            try:
                return Later(self._call, items).get(self.pace.timeout)
            except MISTAKES:
                raise
            except Exception as e:
                if n == self.pace.tries:
                    self.failure = ScorerFailed(
                        f"{self.role}: the scorer was given up after {n} {_tries(n)}; at last {_said(e)}"
                    )
                    raise self.failure from e
                with self._lock:
                    self.repeats += 1
                time.sleep(self._pause(n, e))
        raise AssertionError("unreachable: tries are 1 or more")

    def each(self, pieces: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """(piece, answer) in order, at most `at_once` under way. A piece is drawn just before its call.

        After a failure nothing more is drawn; what was under way is waited for and given, then it is raised.
        """
        waiting: deque[tuple[Any, Later]] = deque()
        failure: Exception | None = None
        while True:
            while failure is None and len(waiting) < self.pace.at_once:
                try:
                    piece = next(pieces)
                except StopIteration:
                    break
                if self.pace.at_once == 1:
                    yield piece, self(piece[1])
                else:
                    waiting.append((piece, Later(self, piece[1])))
            if not waiting:
                break
            piece, later = waiting.popleft()
            try:
                answer = later.get()
            except Exception as e:
                failure = failure or e
                continue
            yield piece, answer
        if failure is not None:
            raise failure

    def _turn(self) -> None:
        if self.pace.per_minute == INF:
            return
        with self._lock:  # calls start evenly: no minute holds more than it may
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + 60.0 / self.pace.per_minute
        time.sleep(start - now)

    def _pause(self, n: int, error: Exception) -> float:
        own = self.pace.wait * 2.0 ** (n - 1)
        asked = getattr(error, "retry_after", 0.0)
        told = float(asked) if isinstance(asked, int | float) and asked >= 0 else 0.0
        return min(max(own, told), self.pace.longest)


def _tries(n: int) -> str:
    return "try" if n == 1 else "tries"


def _said(error: Exception) -> str:
    """The error in a line; what a service said may be long, and is not ours."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
