"""One decoder for many reads: starting a process for each small file would be most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shortlist.store import fetch, load
from shortlist.store.columnar import Decoder


@pytest.fixture(scope="module")
def _decoder() -> Iterator[Decoder]:
    with Decoder(1 << 30) as decoder:
        yield decoder


@pytest.fixture
def _one_decoder(_decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        def __init__(self, memory: int) -> None:
            pass

        def __enter__(self) -> Decoder:
            return _decoder

        def __exit__(self, *_: Any) -> None:
            pass

    monkeypatch.setattr(load, "Decoder", Kept)
    monkeypatch.setattr(fetch, "Decoder", Kept)
