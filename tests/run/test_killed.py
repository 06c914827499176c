"""Killed at any call, a run that goes on pays at most for what was under way again, and ends the same."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from shortlist.core.effects import ask
from shortlist.run.answers import AnswerLog
from shortlist.run.driver import run
from shortlist.run.scorers import Pace, Scorer

BATCH, ROUNDS = 3, 6


def plan():
    """Asks about what it was told; repeats some questions."""
    at, got = np.arange(5), []
    for _ in range(ROUNDS):
        said = yield from ask("judge", at)
        got += said.tolist()
        at = np.append((at + said.astype(np.int64)) % 7, at[0])
    return got


def once(folder: Path, die_at: int, at_once: int) -> list[float]:
    """Run to the end, or to the death of this process in call `die_at`; calls are counted in a file."""
    calls = itertools.count(1)

    def call(items):
        mine = next(calls)
        with (folder / "paid").open("ab") as f:
            f.write(bytes(len(items)))
        if mine == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return (items * 3) % 4

    log = AnswerLog(folder / "a.log")
    scorer = Scorer(call, batch=BATCH, pace=Pace(at_once=at_once))
    try:
        return run(plan(), scorers={"judge": scorer}, log=log).result
    finally:
        log.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("at_once", [1, 2])
def test_killed_at_every_call(tmp_path, at_once):
    (tmp_path / "whole").mkdir()
    want = once(tmp_path / "whole", 0, at_once)
    paid = len((tmp_path / "whole" / "paid").read_bytes())
    calls = sum(-(-n // BATCH) for n in range(5, 5 + ROUNDS))
    assert paid == sum(range(5, 5 + ROUNDS))
    for die_at in range(1, calls + 1):
        folder = tmp_path / str(die_at)
        folder.mkdir()
        child = os.fork()
        if child == 0:
            once(folder, die_at, at_once)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert once(folder, 0, at_once) == want
        assert paid <= len((folder / "paid").read_bytes()) <= paid + at_once * BATCH
