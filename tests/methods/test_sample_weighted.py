"""Draws by weight: the laws against enumeration, chances and what they make of sums."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import ContractError, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.sample import Sample
from shortlist.core.signals import Scores
from shortlist.methods.constrain.include import Include
from shortlist.methods.sample import conditional_poisson, gumbel_top_k
from shortlist.methods.sample.conditional_poisson import ConditionalPoisson, drawn, inclusion, odds
from shortlist.methods.sample.gumbel_top_k import GumbelTopK
from tests.methods.test_sample_dpp import fits

LOG = np.array([0.0, 1.0, -2.0, 0.5, 3.0, 0.0])


def pool(log: np.ndarray = LOG) -> Pool:
    return Pool.of({"score": Scores(log)})


def test_gumbel_keys_follow_the_sequential_law() -> None:
    limits = bind(pool(), [], 3)
    made = [tuple(GumbelTopK(seed=s)(None, limits, pool()).rows.tolist()) for s in range(3000)]
    assert fits(made, gumbel_top_k.exact(np.exp(LOG), 3))
    halved = gumbel_top_k.exact(np.exp(2 * LOG), 3)
    cold = [
        tuple(GumbelTopK(seed=s, temperature=0.5)(None, limits, pool()).rows.tolist()) for s in range(3000)
    ]
    assert fits(cold, halved)
    assert not fits(made, halved)


def test_conditional_poisson_follows_its_law() -> None:
    law, rng = conditional_poisson.exact(np.exp(LOG), 3), np.random.default_rng(0)
    p = odds(LOG, 3)
    assert p.sum() == pytest.approx(3)
    assert fits([tuple(drawn(p, 3, rng).tolist()) for _ in range(3000)], law)
    limits = bind(pool(), [Include([2])], 3)
    given = conditional_poisson.exact(np.exp(np.delete(LOG, 2)), 2)
    names = np.delete(np.arange(6), 2)
    made = [ConditionalPoisson(seed=s)(None, limits, pool()).rows[1:] for s in range(1500)]
    law = {tuple(names[list(s)].tolist()): p for s, p in given.items()}
    assert fits([tuple(sorted(m.tolist())) for m in made], law)


@pytest.mark.parametrize("k", [1, 2, 5, 9, 10])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
def test_chances_are_those_of_enumeration(k: int, spread: float) -> None:
    log = np.random.default_rng(k).normal(size=10) * spread
    want = np.zeros(10)
    for s, p in conditional_poisson.exact(np.exp(log), k).items():
        want[list(s)] += p
    got = inclusion(odds(log, k), k)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-15)
    assert got.sum() == pytest.approx(k)


def test_chances_of_many_rows_add_up() -> None:
    log = np.random.default_rng(0).normal(size=3000) * 2
    for k in (40, 1500, 2900):
        got = inclusion(odds(log, k), k)
        assert got.sum() == pytest.approx(k, rel=1e-9)
        assert (got[np.argsort(log)][1:] >= got[np.argsort(log)][:-1] - 1e-12).all()


def test_scores_far_apart_leave_no_choice() -> None:
    far = pool(np.array([-1e300, 1e300, 0.0, 1.0, 2.0, 3.0, 4.0]))
    for sampler in (GumbelTopK(temperature=1e-9), ConditionalPoisson(temperature=1e-9)):
        got = sampler.sample(far, 3)
        assert sorted(got.rows.tolist()) == [1, 5, 6]
        np.testing.assert_allclose(got.chance, 1.0)


@pytest.mark.parametrize("sampler", [GumbelTopK, ConditionalPoisson])
def test_weighted_sums_are_right_on_average(sampler: type) -> None:
    rng = np.random.default_rng(1)
    log, value = rng.normal(size=30), rng.normal(size=30) + 2
    some = pool(log)
    totals = []
    for seed in range(800):
        got = sampler(seed=seed).sample(some, 8)
        totals.append(got.total(value[got.rows]))
    assert abs(np.mean(totals) - value.sum()) < 4 * np.std(totals) / np.sqrt(800)
    assert len(sampler().sample(some, 99)) == 30
    assert sampler().sample(some, 99).weight.tolist() == [1.0] * 30
    assert len(sampler().sample(some, 0)) == 0


@pytest.mark.parametrize("sampler", [GumbelTopK, ConditionalPoisson])
@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan")])
def test_temperatures_are_above_nought(sampler: type, temperature: float) -> None:
    with pytest.raises(UsageError, match="temperature must be above 0"):
        sampler(temperature=temperature)


def test_a_sample_says_what_is_wrong_with_it() -> None:
    one = np.ones(2)
    with pytest.raises(ContractError, match="no two the same"):
        Sample(np.array([1, 1]), one, one)
    with pytest.raises(ContractError, match="its chance"):
        Sample(np.array([1, 2]), one[:1], one)
    with pytest.raises(ContractError, match="chances must lie"):
        Sample(np.array([1, 2]), one * 0, one)
