"""Random numbers by name: the same seed and path give the same stream on any machine and thread count."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """A generator of its own for each (seed, path): `generator(0, "kmeans", 3)`.

    Names are mixed by CRC-32, which no hash randomisation touches.
    """
    key = tuple(zlib.crc32(p.encode()) if isinstance(p, str) else p for p in path)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
