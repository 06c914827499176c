"""Sums above a dense cover: compiled, plain and by a loop, over few values, ties and every rest of eight."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.tabled import over, over_plain
from shortlist.kernels.tabled import over_rows

FEW = np.array([-1.0, -0.0, 0.0, 0.5, 1.0, 1 + 2**-23], np.float32)


@pytest.mark.parametrize("m", [0, 1, 7, 8, 9, 16, 31, 200])
@pytest.mark.parametrize("values", ["few", "any"])
def test_three_ways_are_one(m, values):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(0, 9))
        table, cover = (
            (rng.choice(FEW, size) if values == "few" else rng.normal(size=size).astype(np.float32))
            for size in ((n, m), m)
        )
        table.flags.writeable = cover.flags.writeable = False
        at = rng.integers(0, max(n, 1), n + 3 if n else 0)
        interpreted = np.empty(len(at))
        over_rows.py_func(table, cover, at, interpreted)
        compiled, plain = over(table, cover, at), over_plain(table, cover, at)
        assert compiled.tobytes() == plain.tobytes() == interpreted.tobytes()
        more = np.maximum(table[at].astype(np.float64) - cover, 0)
        np.testing.assert_allclose(plain, [sum(row.tolist()) for row in more], rtol=1e-12)


def test_a_gain_does_not_depend_on_its_company_in_either_way():
    rng = np.random.default_rng(0)
    table, cover = rng.random((3000, 77), np.float32), rng.random(77, np.float32)
    for f in (over, over_plain):
        every = f(table, cover, np.arange(3000))
        some = rng.permutation(3000)[:50]
        assert f(table, cover, some).tobytes() == every[some].tobytes()
