"""Every claim holds at scale 1: the mean margin is what the claim says it is, or more."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest

import shortlist.measures
from shortlist.core.claim import Claim
from shortlist.core.seeds import generator
from tests.strategies import modules


def claims() -> list[Any]:
    """(module name, its claim) of every method and measure."""
    measures = (m.name for m in pkgutil.iter_modules(shortlist.measures.__path__, "shortlist.measures."))
    found = [*modules(), *map(importlib.import_module, sorted(measures))]
    return [
        pytest.param(m.__name__, m.CLAIM, id=m.__name__.removeprefix("shortlist."))
        for m in found
        if isinstance(getattr(m, "CLAIM", None), Claim)
    ]


def margins(name: str, claim: Claim, scale: int = 1) -> np.ndarray:
    """f64[m]: one run of a claim, the same every day."""
    return np.asarray(claim.measure(generator(0, "claims", name), scale), np.float64)


@pytest.mark.parametrize(("name", "claim"), claims())
def test_a_claim_holds(name: str, claim: Claim) -> None:
    shown = margins(name, claim)
    assert shown.ndim == 1
    assert len(shown) >= 2, "one run shows nothing"
    assert np.isfinite(shown).all()
    assert shown.mean() >= claim.margin - 1e-9 * max(1.0, abs(claim.margin))


def test_claims_are_found() -> None:
    assert len(claims()) >= 10
