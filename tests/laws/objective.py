"""Laws of objectives: what solvers, reports and bounds take for granted."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shortlist.core.contracts import Built, Objective
from shortlist.core.effects import alone
from shortlist.core.pool import Pool
from tests.strategies import arrays

#: Rounding of float32 cosines, over a handful of picks.
CLOSE = {"rtol": 1e-4, "atol": 2e-5}


def walk(built: Built, order: np.ndarray) -> tuple[np.ndarray, list]:
    """f64[len, T]: the gains along an order, and the states it passed, first to last."""
    states, parts = [built.start()], np.zeros((len(order), len(built.terms)))
    for i, at in enumerate(order):
        parts[i] = built.gains(states[-1], np.array([at]))[0]
        states.append(built.add(states[-1], int(at)))
    return parts, states


def some(pool: Pool, rng: Generator) -> np.ndarray:
    """i64: some rows of the pool in some order."""
    return rng.permutation(len(pool))[: rng.integers(0, len(pool) + 1)]


def shapes_and_terms_are_stated(f: Objective, pool: Pool, rng: Generator) -> None:
    built, at = alone(f.build(pool), pool), some(pool, rng)
    assert len(built) == len(pool)
    assert isinstance(f.terms, tuple)
    assert built.terms == f.terms
    assert len(set(f.terms)) == len(f.terms) > 0
    assert all(isinstance(t, str) and t for t in f.terms)
    gains, value = built.gains(built.start(), at), f.value(pool, at)
    assert gains.shape == (len(at), len(f.terms))
    assert value.shape == (len(f.terms),)
    assert gains.dtype == value.dtype == np.float64
    assert np.isfinite(gains).all()
    assert np.isfinite(value).all()


def the_empty_set_is_worth_nothing(f: Objective, pool: Pool, rng: Generator) -> None:
    assert (f.value(pool, np.zeros(0, np.int64)) == 0).all()


def gains_add_up_to_the_value(f: Objective, pool: Pool, rng: Generator) -> None:
    built, order = alone(f.build(pool), pool), some(pool, rng)
    parts, _ = walk(built, order)
    if built.exact:
        np.testing.assert_allclose(parts.sum(axis=0), f.value(pool, order), **CLOSE)


def gains_never_grow_if_submodular(f: Objective, pool: Pool, rng: Generator) -> None:
    built, order = alone(f.build(pool), pool), rng.permutation(len(pool))
    if not built.submodular:
        return
    _, states = walk(built, order)
    for i in range(1, len(order)):
        rest = np.sort(order[i:])
        before, after = built.gains(states[i - 1], rest), built.gains(states[i], rest)
        # To the last bit: a lazy solver trusts an old gain as a bound.
        assert (after.sum(axis=1) <= before.sum(axis=1)).all(), (before, after)


def gains_are_never_negative_if_monotone(f: Objective, pool: Pool, rng: Generator) -> None:
    built, order = alone(f.build(pool), pool), rng.permutation(len(pool))
    if built.monotone:
        parts, _ = walk(built, order)
        assert (parts.sum(axis=1) >= 0).all()


def old_states_stay_as_they_were(f: Objective, pool: Pool, rng: Generator) -> None:
    built, order = alone(f.build(pool), pool), rng.permutation(len(pool))
    everyone = np.arange(len(pool))
    state, told, states = built.start(), [], []
    for at in order:
        states.append(state)
        told.append(built.gains(state, everyone).tobytes())
        built.add(state, int(order[0]))  # a branch that nobody follows
        state = built.add(state, int(at))
        built.gains(state, everyone)
    for old, then in zip(states, told, strict=True):
        assert built.gains(old, everyone).tobytes() == then


def a_gain_does_not_depend_on_the_company(f: Objective, pool: Pool, rng: Generator) -> None:
    built, n = alone(f.build(pool), pool), len(pool)
    order = some(pool, rng)
    # Two walks to the same state, the second never asked on the way: what is remembered must not show.
    asked, fresh = walk(built, order)[1][-1], built.start()
    for at in order:
        fresh = built.add(fresh, int(at))
    gains, mixed = built.gains(asked, np.arange(n)), rng.permutation(n)
    assert built.gains(fresh, mixed).tobytes() == gains[mixed].tobytes()
    for at in mixed:
        assert built.gains(asked, np.array([at])).tobytes() == gains[[at]].tobytes()


def twins_gain_the_same(f: Objective, pool: Pool, rng: Generator) -> None:
    if not len(pool):
        return
    twice = pool.take(np.sort(rng.integers(0, len(pool), 1)).repeat(1))
    pair = Pool.of({k: v.take(np.array([0, 0])) for k, v in twice.columns.items()})
    gains = alone(f.build(pair), pair).gains(alone(f.build(pair), pair).start(), np.arange(2))
    np.testing.assert_allclose(gains[0], gains[1], **CLOSE)


def building_twice_gives_the_same_bytes(f: Objective, pool: Pool, rng: Generator) -> None:
    order, before = some(pool, rng), arrays(pool)
    first, again = (walk(alone(f.build(pool), pool), order)[0].tobytes() for _ in range(2))
    assert first == again
    assert arrays(pool) == before


def cuts_of_the_pool_do_not_show(f: Objective, pool: Pool, rng: Generator) -> None:
    order = some(pool, rng)
    cut = [Pool(pool.rows, pool.columns, chunk) for chunk in (1, 2, 1000)]
    told = {walk(alone(f.build(p), p), order)[0].tobytes() for p in cut}
    assert len(told) == 1


def work_is_estimated(f: Objective, pool: Pool, rng: Generator) -> None:
    for k in (0, 1, len(pool)):
        need = f.need(pool, k)
        assert 0 <= need.bytes < 1e9
        assert 0 <= need.flops < 1e9


LAWS = (
    shapes_and_terms_are_stated,
    the_empty_set_is_worth_nothing,
    gains_add_up_to_the_value,
    gains_never_grow_if_submodular,
    gains_are_never_negative_if_monotone,
    old_states_stay_as_they_were,
    a_gain_does_not_depend_on_the_company,
    twins_gain_the_same,
    building_twice_gives_the_same_bytes,
    cuts_of_the_pool_do_not_show,
    work_is_estimated,
)
