"""What a plan returns does not depend on how many threads carry it out, with enough rows for many pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from shortlist.core.effects import Plan, alone
from shortlist.core.expression import expression
from shortlist.core.signals import Vectors
from shortlist.run.driver import Local, run
from tests.strategies import crowd, examples

POOL = crowd(3000)


def told(kind: str, method: Any, answer: Any) -> list[bytes]:
    """The bytes of an answer."""
    match kind:
        case "objective":
            state = answer.start()
            for at in (5, 2999, 1024):
                state = answer.add(state, at)
            return [answer.gains(state, np.arange(len(POOL))).tobytes()]
        case "clusterer":
            numbers = np.array([answer.inertia, answer.radius])
            return [x.tobytes() for x in (answer.centres, answer.codes, answer.rows, numbers)]
        case "deduper":
            return [answer.rows.tobytes(), answer.of.tobytes(), answer.similarity.tobytes()]
    if isinstance(answer, Vectors):
        return [answer.values.tobytes()]
    return [answer.indptr.tobytes(), answer.indices.tobytes(), answer.data.tobytes()]


def plan(kind: str, method: Any) -> Plan[Any]:
    """The long work of a method."""
    return method.build(POOL) if kind == "objective" else method.steps(POOL)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        (kind, m)
        for kind in ("objective", "encoder", "deduper", "clusterer", "grapher")
        for m in examples(kind)
    ],
    ids=lambda x: x if isinstance(x, str) else expression(x),
)
def test_threads_do_not_show(kind, method):
    with threadpool_limits(limits=1, user_api="blas"):  # as any driver does: BLAS sums differ by its threads
        want = told(kind, method, alone(plan(kind, method), POOL))
    for workers in (1, 3):
        assert told(kind, method, run(plan(kind, method), POOL, on=Local(workers)).result) == want
