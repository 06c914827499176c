"""Committees: time against abcvoting where it is installed, on the same ballots and for the same committee.

Seconds are of the processor: both sides run on one core, and other work on the machine counts for neither.
"""

from __future__ import annotations

import gc
import importlib
import json
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from shortlist.core import ballots
from shortlist.core.ballots import Approvals
from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.objective.borda import Borda
from shortlist.methods.objective.chamberlin_courant import ChamberlinCourant
from shortlist.methods.objective.proportional_approval import BuiltApproval, ProportionalApproval, falling
from shortlist.methods.solve import equal_shares, greedy_monroe, phragmen
from shortlist.methods.solve.lazy_greedy import LazyGreedy

VOTERS, TOP = 100, 0.05
Rows = list[int]


def figure(name: str, value: float, unit: str = "s", **more: Any) -> None:
    print(json.dumps({"figure": name, "value": float(f"{value:.3g}"), "unit": unit, **more}), flush=True)


def timed(work: Callable[[], Any], repeats: int = 9) -> tuple[float, Any]:
    """Median seconds of the processor, and the last answer."""
    work()  # compiles
    seconds = []
    gc.disable()
    for _ in range(repeats):
        start = time.process_time()
        answer = work()
        seconds.append(time.process_time() - start)
    gc.enable()
    return statistics.median(seconds), answer


def installed(name: str) -> bool:
    try:
        return importlib.import_module(name) is not None
    except ImportError:
        return False


def drawn(n: int) -> Pool:
    """Rankings of n rows that agree in part, and groups of unequal size."""
    rng = np.random.default_rng(n)
    taste = rng.normal(size=(n, 4)) @ rng.normal(size=(4, VOTERS))
    votes = (taste + rng.normal(size=(n, VOTERS))).astype(np.float32)
    group = Labels(np.minimum(rng.geometric(0.5, n) - 1, 4).astype(np.int32), tuple("abcde"))
    return Pool.of({"votes": Vectors(votes), "group": group})


def rules(found: Approvals, pool: Pool, k: int) -> dict[str, Callable[[], Rows]]:
    """Ours by the names of abcvoting; ballots are read and limits bound before, as its profile is."""
    limits = bind(pool, (), k)

    def thiele(points: tuple[float, ...]) -> Callable[[], Rows]:
        built = BuiltApproval.over(found, falling(points, len(found)), ("f",))
        return lambda: LazyGreedy()(built, limits, pool).rows.tolist()

    return {
        "seqpav": thiele(()),
        "seqcc": thiele((1.0, 0.0)),
        "seqphragmen": lambda: phragmen.seats(found, limits).tolist(),
        "equal-shares": lambda: equal_shares.seats(found, limits)[0].tolist(),
        "greedy-monroe": lambda: greedy_monroe.seats(found, limits).tolist(),
    }


def peer(found: Approvals, rule: str, k: int) -> tuple[float, Rows]:
    from abcvoting import abcrules, preferences

    profile, approves = preferences.Profile(len(found)), found.dense()
    profile.add_voters([np.flatnonzero(a).tolist() for a in approves.T])
    start = time.process_time()
    committee = abcrules.compute(rule, profile, k, resolute=True)[0]
    return time.process_time() - start, sorted(committee)


def approvals(n: int, k: int, against: tuple[str, ...]) -> None:
    pool = drawn(n)
    found = ballots.approved(pool, (), "votes", (), TOP)
    for rule, work in rules(found, pool, k).items():
        seconds, rows = timed(work)
        more: dict[str, Any] = {
            "how": f"{VOTERS} voters approving {TOP:.0%}, one core, median of 9, ballots read"
        }
        if rule in against and installed("abcvoting"):
            theirs, committee = peer(found, rule, k)
            more |= {"peer": f"abcvoting {version('abcvoting')}, once", "peer_value": float(f"{theirs:.3g}")}
            more["goal"] = float(f"{theirs / 300:.3g}")
            more["how"] += "; same committee" if committee == sorted(rows) else "; ANOTHER committee"
        figure(f"{rule}, {n:,} rows, k {k}", seconds, **more)


def rankings(n: int, k: int) -> None:
    """What no peer offers: committees of rankings, and group bounds on any of them."""
    pool = drawn(n)
    floors = dict.fromkeys(pool.signal("group", Labels).names, 0.1)
    within = (Quota("group", at_least=floors, at_most=0.4),)
    for rule in (Borda(by="votes"), ChamberlinCourant(by="votes"), ProportionalApproval(by="votes", top=TOP)):
        reading, built = timed(lambda rule=rule: alone(rule.build(pool), pool), 3)
        free, bound = bind(pool, (), k), bind(pool, within, k)
        name, how = type(rule).__name__, f"{n:,} rows, {VOTERS} rankings, k {k}; greedy, median of 9"
        seconds, plain = timed(lambda: LazyGreedy()(built, free, pool))  # noqa: B023
        figure(f"{name} of {n:,} rankings, k {k}", seconds, how=f"{how}; built before, in {reading:.3f} s")
        seconds, kept = timed(lambda: LazyGreedy()(built, bound, pool))  # noqa: B023
        assert not bound.check(kept.rows)
        how += f"; each of 5 groups 10% to 40%; {kept.total / plain.total:.1%} of the score without"
        figure(f"{name} of {n:,} with quotas, k {k}", seconds, how=how)


if __name__ == "__main__":
    every = ("seqpav", "seqcc", "seqphragmen", "equal-shares", "greedy-monroe")
    approvals(1_000, 10, every)
    approvals(1_000, 100, every)
    approvals(10_000, 10, ("seqphragmen", "equal-shares"))
    approvals(10_000, 100, ())
    rankings(10_000, 100)
