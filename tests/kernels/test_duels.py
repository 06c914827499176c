"""The duel kernels three ways: the definition, plain Python, compiled; and the NumPy forms."""

from __future__ import annotations

import numpy as np
import pytest

import shortlist.core.record as record_module
from shortlist.core.judgments import Duels
from shortlist.core.record import Record, merged_plain, reached
from shortlist.core.standing import Information, times_plain
from shortlist.kernels import duels as kernels
from shortlist.methods.compare.bradley_terry import slope_plain

SEEDS = range(25)


def some(rng: np.random.Generator) -> Duels:
    n, m = int(rng.integers(1, 7)), int(rng.integers(0, 25))
    pairs = rng.integers(0, n, (m, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    wins, weights = rng.choice([0.0, 0.5, 1.0, 0.1], len(pairs)), rng.choice([0.0, 1.0, 0.3], len(pairs))
    return Duels(pairs, wins, weights, tuple(map(str, range(n))))


def built(duels: Duels, plain: bool) -> Record:
    n, m = len(duels.names), len(duels)
    ends, other, out = np.zeros(n + 2, np.int64), np.empty(2 * m, np.int32), np.empty(n + 1, np.int64)
    won, met, slot = np.empty(2 * m), np.empty(2 * m), np.full(n, -1, np.int64)
    f, g = (kernels.by_item, kernels.merge)
    (f.py_func if plain else f)(duels.pairs, duels.wins, duels.weights, ends, other, won, met)
    (g.py_func if plain else g)(ends, other, won, met, slot, out)
    return Record(out, other[: out[-1]], won[: out[-1]], met[: out[-1]])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_record_is_the_definition(seed):
    duels = some(np.random.default_rng(seed))
    n = len(duels.names)
    won = np.zeros((n, n))
    np.add.at(won, tuple(duels.pairs.T), duels.weights * duels.wins)
    np.add.at(won, tuple(duels.pairs.T[::-1]), duels.weights * (1 - duels.wins))
    for r in (built(duels, True), built(duels, False), Record.of(duels), Record(*merged_plain(duels))):
        found, met = np.zeros((n, n)), np.zeros((n, n))
        found[r.item, r.other], met[r.item, r.other] = r.won, r.met
        np.testing.assert_allclose(found, won, atol=1e-12)
        np.testing.assert_allclose(met, won + won.T, atol=1e-12)
        assert len({*zip(r.item.tolist(), r.other.tolist(), strict=True)}) == len(r.other)
    a, b = built(duels, False), Record(*merged_plain(duels))
    assert a.other.tobytes() == b.other.tobytes()


@pytest.mark.parametrize("seed", SEEDS)
def test_reach_slope_and_products(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    r = Record.of(some(rng))
    n, pi = len(r), np.exp(rng.normal(size=len(r)))
    beats = np.eye(n, dtype=bool)
    beats[r.item[r.won > 0], r.other[r.won > 0]] = True
    closure = np.linalg.matrix_power(beats.astype(float), n)[0] > 0
    seen = np.zeros(n, bool)
    kernels.reach.py_func(r.indptr, r.other, r.won, 0, seen, np.empty(n, np.int64))
    assert seen.tolist() == reached(r, r.won, 0).tolist() == closure.tolist()
    monkeypatch.setattr(record_module, "have_numba", lambda: False)
    assert reached(r, r.won, 0).tolist() == closure.tolist()
    sums = r.sums(r.met)
    monkeypatch.undo()
    np.testing.assert_allclose(sums, r.sums(r.met))
    out = [np.empty(n), np.empty(len(r.met)), np.empty(n)]
    want = slope_plain(r, pi, 0.3)
    for f in (kernels.slope, kernels.slope.py_func):
        f(r.indptr, r.other, r.won, r.met, 0.3, pi, *out)
        for x, y in zip(out, want, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-12)
    information = Information(r, want[1], want[2], free=False)
    whole = np.diag(want[2])
    whole[r.item, r.other] -= want[1]
    four = rng.normal(size=(n, 4))
    for v in (four, four[:, 0].copy()):
        np.testing.assert_allclose(times_plain(information, v), whole @ v, atol=1e-12)
        np.testing.assert_allclose(information.times(v), whole @ v, atol=1e-12)
    result = np.empty(n)
    kernels.laplacian_one.py_func(r.indptr, r.other, want[1], want[2], four[:, 1].copy(), result)
    np.testing.assert_allclose(result, whole @ four[:, 1], atol=1e-12)


def test_sweeps_say_when_they_do_not_settle():
    r = Record.of(Duels.of(["a", "b"], ["b", "a"], [0.9, 0.3]))
    for f in (kernels.newman_sweeps, kernels.newman_sweeps.py_func):
        assert f(r.indptr, r.other, r.won, r.met, 0.0, 1e-12, 1, np.ones(2)) == -1
        pi = np.ones(2)
        assert f(r.indptr, r.other, r.won, r.met, 0.0, 1e-12, 100, pi) > 0
        np.testing.assert_allclose(pi[0] / pi[1], 1.6 / 0.4)
