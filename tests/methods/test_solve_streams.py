"""A sieve is its definition and may be fed in blocks, two rounds are GreeDi, what is kept has no history."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.climb import climb
from shortlist.core.covers import RandomCover
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels
from shortlist.core.within import SomeBuilt
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.quota import Quota
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.log_det import LogDet
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.objective.modular import Modular
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve import dynamic, sieve, two_round
from shortlist.methods.solve.dynamic import Dynamic
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.sieve import Sieve
from shortlist.methods.solve.two_round import TwoRound
from shortlist.run.driver import Local, run
from tests.strategies import crowd


class Counted(RandomCover):
    """A set cover that counts the gains it is asked for."""

    def gains(self, state, at):
        self.asked[0] += len(at)
        return super().gains(state, at)


def covers(seed, n, m=60):
    rng = np.random.default_rng(seed)
    return RandomCover.drawn(rng, n, m), Pool(
        np.arange(n), {"label": Labels(np.arange(n, dtype=np.int32) % 3, ("a", "b", "c"))}
    )


def same(a, b):
    assert a.rows.tolist() == b.rows.tolist()
    assert a.parts.tobytes() == b.parts.tobytes()


# --- sieve --------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**16), st.integers(1, 8), st.sampled_from([0.5, 1.0, 3.0, 9.0]), st.booleans())
def test_a_sieve_is_its_definition(seed, k, t, quota):
    built, pool = covers(seed, 50)
    rules = [Include((7,)), Shown((2,)), *([Quota("label", at_most=3)] if quota else [])]
    limits = bind(pool, rules, k)
    order = Sieve(shuffle=True, seed=seed).order(50, limits)
    start = sieve.begun(built, limits, limits.k)
    kept = sieve.sifted(start, built, limits, t, order)
    assert kept.taken == sieve.exact(built, limits, limits.k, t, order)


def test_half_of_the_best_in_the_worst_order():
    # a thousand rows that each repeat half of what the last ones bring
    k, m = 10, 400
    covers = np.zeros((1000 + k, m), bool)
    covers[:1000, : m // 2] = np.random.default_rng(0).random((1000, m // 2)) < 0.1
    for i in range(k):
        covers[1000 + i, i * m // k : (i + 1) * m // k] = True
    pool = Pool(np.arange(len(covers)), {})
    for again in (False, True):
        choice = Sieve(eps=0.1, again=again)(RandomCover(covers), bind(pool, (), k), pool)
        assert choice.total >= 0.4 * m
        assert choice.bound[1] >= m
    assert choice.total >= 0.99 * m  # the last rows were kept by a sieve


@pytest.mark.parametrize(("block", "shuffle"), [(1, False), (7, True), (64, False), (1000, True)])
def test_blocks_do_not_show(block, shuffle):
    pool, f = crowd(120), LogDet("vec")
    rules = (Quota("label", at_least={"a": 5}, at_most={"b": 4}), Shown((3, 30)), Include((9,)))
    limits = bind(pool, rules, 12)
    solver = Sieve(eps=0.3, block=block, shuffle=shuffle, seed=4)
    fed = alone(solver.steps(f, limits, pool), pool)
    called = solver(alone(f.build(pool), pool), limits, pool)
    same(fed, called)
    assert fed.bound[1] >= called.total
    assert limits.check(np.searchsorted(pool.rows, fed.rows)) == []


def test_a_short_stream_is_filled_and_an_empty_one_is_empty():
    for n in (0, 1, 3):
        pool = crowd(400).take(np.arange(n))
        for f in (LogDet("vec"), MMR("vec")):
            fed = alone(Sieve(block=2).steps(f, bind(pool, (), 3), pool), pool)
            assert len(fed) == n if f != MMR("vec") else len(fed) <= n


@pytest.mark.parametrize(
    "f",
    [FacilityLocation("vec"), Modular("score"), Sum((LogDet("vec"), Modular("quality")), weights=(1.0, 1.0))],
)
def test_what_needs_the_whole_pool_is_refused(f):
    pool = crowd(100)
    with pytest.raises(ContractError, match="were not chosen"):
        alone(Sieve(block=30).steps(f, bind(pool, (), 5), pool), pool)


def test_least_counts_hold_from_a_stream():
    pool = crowd(300)
    limits = bind(pool, (Quota("label", at_least={"a": 6, "b": 6, "c": 6}),), 18)
    for solver in (Sieve(block=50, again=False), Sieve(block=50)):
        fed = alone(solver.steps(LogDet("vec"), limits, pool), pool)
        assert len(fed) == 18
        assert limits.check(np.searchsorted(pool.rows, fed.rows)) == []


# --- two rounds ---------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**16), st.integers(1, 8), st.integers(0, 6))
def test_two_rounds_are_their_definition(seed, k, parts):
    built, pool = covers(seed, 60)
    limits, solver = bind(pool, (), k), TwoRound(parts=parts, seed=seed)
    choice = solver(built, limits, pool)
    order = two_round.exact(built, limits, pool, solver)
    assert choice.rows[: len(order)].tolist() == order.tolist()


def test_parts_depend_on_global_rows_alone():
    pool, solver = Pool(np.arange(1000), {}), TwoRound(parts=5, seed=1)
    some = pool.take(np.arange(0, 1000, 3))
    whole = {r: i for i, at in enumerate(solver.cut(pool, 10)) for r in pool.rows[at].tolist()}
    for at in solver.cut(some, 10):
        assert len({whole[r] for r in some.rows[at].tolist()}) == 1
    sizes = [len(at) for at in solver.cut(pool, 10)]
    assert min(sizes) > 150
    assert sorted(np.concatenate(solver.cut(pool, 10)).tolist()) == list(range(1000))


def test_neither_threads_nor_chunks_show_and_least_counts_hold():
    base = crowd(600)
    rules = (Quota("label", at_least={"a": 9}, at_most={"b": 5}), Shown((3, 30)), Include((9,)))
    told = []
    for chunk, workers in ((1 << 16, 1), (7, 3)):
        pool = Pool(base.rows, base.columns, chunk)
        limits = bind(pool, rules, 20)
        plan = TwoRound(parts=4, seed=2).steps(FacilityLocation("vec"), limits, pool)
        told.append(run(plan, pool, on=Local(workers)).result)
        assert len(told[-1]) == 20
        assert limits.check(np.searchsorted(pool.rows, told[-1].rows)) == []
    same(*told)


def test_parts_lose_little():
    pool, f = crowd(900), FacilityLocation("vec")
    built, limits = alone(f.build(pool), pool), bind(pool, (), 25)
    best = LazyGreedy()(built, limits, pool)
    called = TwoRound(parts=6)(built, limits, pool)
    plan = alone(TwoRound(parts=6).steps(f, limits, pool), pool)
    assert called.total >= 0.99 * best.total
    assert f.value(pool, np.searchsorted(pool.rows, plan.rows)).sum() >= 0.97 * best.total
    assert plan.bound is None
    assert called.bound[1] >= best.total


@pytest.mark.parametrize("n", [0, 1, 2])
def test_plans_on_next_to_nothing(n):
    pool = crowd(40).take(np.arange(n))
    for solver in (TwoRound(), TwoRound(parts=5), Sieve(block=1)):
        for k in (0, 1, 3):
            choice = alone(solver.steps(LogDet("vec"), bind(pool, (), k), pool), pool)
            assert len(choice) == min(n, k)


def test_a_pool_read_again_keeps_most_of_its_choice():
    built, pool = covers(4, 500, 300)
    limits, rng, stay = bind(pool, (), 20), np.random.default_rng(0), []
    before = set(Dynamic()(built, limits, pool).rows)
    for _ in range(20):
        at = np.sort(rng.permutation(500)[:495])
        some = pool.take(at)
        after = Dynamic()(SomeBuilt(built, at), bind(some, (), 20), some)
        stay.append(len(before & set(after.rows)) / 20)
    assert np.mean(stay) >= 0.7


# --- a choice that is kept ----------------------------------------------------------------------------------


def streamed(solver, built, pool, k, changes, rng):
    """After each change: what is kept, and which rows are there."""
    kept, there = solver.start(built, k, pool), np.zeros(len(built), bool)
    for _ in range(changes):
        here, gone = np.flatnonzero(there), np.flatnonzero(~there)
        if len(here) and (not len(gone) or rng.random() < 0.5):
            chosen = kept.taken
            at = int(rng.choice(chosen if len(chosen) and rng.random() < 0.3 else here))
            kept = solver.delete(kept, at)
            assert at not in kept.taken
        else:
            at = int(rng.choice(gone))
            kept = solver.insert(kept, at)
        there[at] = ~there[at]
        yield kept, np.flatnonzero(there)


def test_half_of_greedy_after_each_of_2000_changes():
    solver, k = Dynamic(eps=0.2, seed=5), 8
    built, pool = covers(1, 300, 200)
    for step, (kept, there) in enumerate(streamed(solver, built, pool, k, 2000, np.random.default_rng(2))):
        some = SomeBuilt(built, there)
        greedy = int(built.covers[there[climb(some, k)]].any(axis=0).sum())
        assert kept.value >= 0.4 * greedy
        assert len(kept.taken) <= k
        assert set(kept.taken) <= set(there)
        if step % 100 == 0 or step == 1999:
            assert kept.value == int(built.covers[kept.taken].any(axis=0).sum())
            here = Pool(there, {})
            called = solver(some, bind(here, (), k), here)  # no history shows
            same(solver.choice(kept), called)
            assert called.rows[: len(kept.taken)].tolist() == kept.taken.tolist()
            for tower in kept.towers.values():
                order = there[np.argsort(kept.rank[there], kind="stable")]
                near = kept.single[order] <= 2 * k * 1.2 * tower.t
                assert list(tower.taken) == dynamic.exact(built, k, tower.t, order[near])


def test_gains_asked_a_change_do_not_grow_with_the_pool():
    """Expected over which row goes and comes again: most ask next to nothing, the taken ones much."""
    asked = {}
    for n in (400, 3200):
        rng = np.random.default_rng(n)
        built = Counted(RandomCover.drawn(rng, n, 300).covers)
        object.__setattr__(built, "asked", [0])
        solver, pool = Dynamic(eps=0.3, seed=1), Pool(np.arange(n), {})
        kept = solver.start(built, 8, pool)
        for at in range(n):
            kept = solver.insert(kept, at)
        mean = {}
        taken = np.unique([at for tower in kept.towers.values() for at in tower.taken])
        others = rng.permutation(np.setdiff1d(np.arange(n), taken))[:50]
        for rows in (taken, others):
            before = built.asked[0]
            for at in rows.tolist():
                solver.insert(solver.delete(kept, at), at)
            mean[len(rows)] = (built.asked[0] - before) / len(rows)
        asked[n] = (mean[len(taken)] * len(taken) + mean[len(others)] * (n - len(taken))) / n
        assert mean[len(others)] <= 100
    assert asked[3200] <= 2 * asked[400]  # eight times the rows


def test_little_changes_when_one_row_goes():
    built, pool = covers(3, 400, 300)
    solver, k = Dynamic(eps=0.2), 20
    kept = solver.start(built, k, pool)
    for at in range(400):
        kept = solver.insert(kept, at)
    left = [solver.delete(kept, at).taken for at in range(0, 400, 5)]
    stay = [len(np.intersect1d(taken, kept.taken)) / len(kept.taken) for taken in left]
    assert np.median(stay) == 1
    assert np.mean(stay) >= 0.95
    with pytest.raises(UsageError, match="already"):
        solver.insert(kept, 3)
    with pytest.raises(UsageError, match="not there"):
        solver.delete(solver.delete(kept, 3), 3)
    with pytest.raises(ContractError, match="monotone"):
        solver.start(alone(MMR("vec").build(crowd(9))), 3, crowd(9))
