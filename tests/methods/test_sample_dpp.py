"""k-DPP and DPP: the law against enumeration, also when some rows are there already."""

from __future__ import annotations

from collections import Counter
from itertools import chain, combinations

import numpy as np
import pytest

from shortlist.core.cosine import Directions
from shortlist.core.errors import UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.core.volumes import Volumes, log_sums
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.sample.k_dpp import KDPP, exact


def chi_square(drawn: list, law: dict) -> tuple[float, int]:
    """The statistic and its degrees of freedom, rare sets counted as one; what cannot be drawn must not
    be."""
    seen, r = Counter(drawn), len(drawn)
    assert all(law[s] > 1e-12 for s in seen)
    often = {s: r * p for s, p in law.items() if r * p >= 5}
    cells = [(seen[s], e) for s, e in often.items()]
    rare = (r - sum(seen[s] for s in often), r - sum(often.values()))
    cells += [rare] if rare[1] >= 2 else []
    return sum((o - e) ** 2 / e for o, e in cells), len(cells) - 1


def fits(drawn: list, law: dict) -> bool:
    """Not rejected at one in some thousand (Wilson and Hilferty)."""
    value, df = chi_square(drawn, law)
    return ((value / df) ** (1 / 3) - (1 - 2 / (9 * df))) / np.sqrt(2 / (9 * df)) < 3.2


def matrix(seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(7, 4)).astype(np.float32)
    rows[5] = rows[2]  # a copy
    rows[6] *= 2.5
    return rows


def plain(rows: np.ndarray) -> Directions:
    return Directions(rows, np.ones(len(rows), np.float32))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_law_is_that_of_enumeration(k: int) -> None:
    law, rng = Volumes.of(plain(matrix()), np.arange(7)), np.random.default_rng(k)
    drawn = [tuple(sorted(law.k_dpp(k, rng).tolist())) for _ in range(5000)]
    assert fits(drawn, exact(matrix(), k))
    wrong = dict.fromkeys(combinations(range(7), k), 1 / 35) if k == 3 else None
    assert wrong is None or not fits(drawn, {s: p for s, p in wrong.items() if not {2, 5} <= set(s)})


def test_sets_of_any_size() -> None:
    rows = matrix(1).astype(np.float64)
    kernel = rows @ rows.T
    every = list(chain.from_iterable(combinations(range(7), m) for m in range(5)))
    volume = {s: max(np.linalg.det(kernel[np.ix_(s, s)]), 0.0) if s else 1.0 for s in every}
    total = sum(volume.values())
    assert total == pytest.approx(np.linalg.det(kernel + np.eye(7)))
    law, rng = Volumes.of(plain(matrix(1)), np.arange(7)), np.random.default_rng(0)
    drawn = [tuple(sorted(law.dpp(rng).tolist())) for _ in range(5000)]
    likely = {s: v / total for s, v in volume.items() if v / total > 1e-3}
    drawn = [s for s in drawn if s in likely]
    assert fits(drawn, {s: p / sum(likely.values()) for s, p in likely.items()})


def test_what_is_there_is_conditioned_on() -> None:
    whole = exact(matrix(), 3)
    given = {s: p for s, p in whole.items() if 1 in s}
    pool = Pool.of({"vec": Vectors(matrix())})
    for rules, k in (([Include([1])], 3), ([Shown([1])], 2)):
        limits = bind(pool, rules, k)
        rows = [KDPP(spherical=False, seed=s)(None, limits, pool).rows.tolist() for s in range(800)]
        drawn = [tuple(sorted({1, *r})) for r in rows]
        assert fits(drawn, {s: p / sum(given.values()) for s, p in given.items()})


@pytest.mark.parametrize("k", [1, 3, 4])
def test_chances_are_exact(k: int) -> None:
    want = np.zeros(7)
    for s, p in exact(matrix(), k).items():
        want[list(s)] += p
    law = Volumes.of(plain(matrix()), np.arange(7))
    np.testing.assert_allclose(law.inclusion(k), want, rtol=1e-5)
    pool = Pool.of({"vec": Vectors(matrix())})
    got = KDPP(spherical=False).sample(pool, k)
    np.testing.assert_allclose(got.chance, want[got.rows], rtol=1e-5)
    assert law.inclusion(0).tolist() == [0.0] * 7


def test_there_is_no_law_beyond_the_rank() -> None:
    pool = Pool.of({"vec": Vectors(matrix())})
    with pytest.raises(UsageError, match="spans 4 dimensions"):
        KDPP().sample(pool, 5)
    choice = KDPP()(None, bind(pool, [], 6), pool)
    assert len(choice) == 6
    kernel = matrix()[choice.rows[:4]].astype(np.float64)
    assert np.linalg.det(kernel @ kernel.T) > 1e-6  # the first four span all there is


def test_quotas_are_topped_up_with_what_is_new() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 8)).astype(np.float32)
    group = Labels(np.repeat([0, 1, 2], 20).astype(np.int32), ("a", "b", "c"))
    pool = Pool.of({"vec": Vectors(rows), "g": group})
    limits = bind(pool, [Quota("g", at_most={"a": 1, "b": 2})], 8)
    for seed in range(5):
        at = KDPP(seed=seed)(None, limits, pool).rows
        assert len(at) == 8
        assert limits.check(at) == []
        assert np.linalg.matrix_rank(rows[at]) == 8


def test_sums_over_sets_in_logarithms() -> None:
    values = np.array([3.0, 1e-200, 5.0, 1e200])
    want = np.poly(-values)  # coefficients of prod (x + v)
    np.testing.assert_allclose(np.exp(log_sums(np.log(values), 2)[-1]), want[:3], rtol=1e-12)


def test_one_seed_one_set() -> None:
    pool = Pool.of({"vec": Vectors(np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32))})
    one, two = (KDPP(seed=3)(None, bind(pool, [], 5), pool).rows.tolist() for _ in range(2))
    assert one == two
    assert one != KDPP(seed=4)(None, bind(pool, [], 5), pool).rows.tolist()
    assert KDPP().dpp(pool).tolist() == KDPP().dpp(pool).tolist()
