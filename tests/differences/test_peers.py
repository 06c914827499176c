"""Differential runs, where the other libraries are installed: no disagreement without a cause.

A few pools a comparison; `benchmarks/differences.py` draws many. Causes are told on docs/differences.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.differences.play import SAME

#: Module -> what it needs, pools of a quick run.
MODULES = {
    "by_submodlib": (("submodlib",), 8),
    "by_apricot": (("apricot",), 5),
    "by_pyversity": (("pyversity",), 40),
    "by_duplicates": (("semhash", "datasketch"), 6),
    "by_sklearn": (("sklearn",), 8),
}


def parameters() -> list[Any]:
    """All comparisons of installed libraries; one that is skipped for each that is missing."""
    found = []
    for module, (needs, pools) in MODULES.items():
        absent = [name for name in needs if find_spec(name) is None]
        if absent:
            skip = pytest.mark.skip(reason=f"{' and '.join(absent)} not installed")
            found.append(pytest.param(None, 0, id=module, marks=skip))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # theirs
                cases = import_module(f"tests.differences.{module}").CASES
            found += [pytest.param(case, pools, id=case.name) for case in cases]
    return found


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize(("case", "pools"), parameters())
def test_every_disagreement_has_a_cause(case, pools):
    seen = [(seed, found) for seed in range(pools) for found in case.seen(seed)]
    assert seen
    assert [(seed, found) for seed, found in seen if found.verdict == "?"] == []
    if case.name.startswith("ours"):
        allowed = {SAME, "at the threshold, within 1e-5"}
        assert {found.verdict for _, found in seen} <= allowed, "ours is exact, or nearly"


@pytest.mark.filterwarnings("ignore")
def test_optimizers_that_draw_stream_or_split():
    for name in ("apricot", "submodlib"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    from tests.differences.by_optimizers import shares

    found = shares(0, n=100, k=8)  # fails where one takes a row twice
    assert found["ours, TwoRound(parts=8)"] > 0.95
    assert found["apricot, two-stage"] > 0.999
