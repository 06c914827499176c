"""Progress on stderr: a bar a stage, only on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from tqdm import tqdm


class Bars:
    """One tqdm bar a note; silent when `quiet` or when stderr is not a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = not quiet and sys.stderr.isatty()
        self._bar: tqdm[None] | None = None
        self._note = ""

    def __call__(self, note: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts of `note` are finished."""
        if not self._on:
            return
        if note != self._note or self._bar is None:
            self.close()
            self._note = note
            self._bar = tqdm(total=total or None, desc=note, file=sys.stderr, leave=False, ncols=80)
        self._bar.n = done
        self._bar.refresh()

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
