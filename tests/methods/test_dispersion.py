"""What the laws cannot say of dispersion, soft suppression and count entropy: references, values by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from shortlist.core.climb import climb
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.expression import parse
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags, Terms, Vectors
from shortlist.methods.objective.count_entropy import CountEntropy
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.objective.max_min_dispersion import MaxMinDispersion, distances
from shortlist.methods.objective.max_sum_dispersion import MaxSumDispersion
from shortlist.methods.objective.soft_suppression import SoftSuppression, hard
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy


def vectors(rows) -> Pool:
    return Pool.of({"vec": Vectors(np.array(rows, np.float32))})


@pytest.mark.parametrize(
    "bad",
    [
        "SoftSuppression(threshold=-0.1)",
        "SoftSuppression(threshold=1.1)",
        "SoftSuppression(sigma=0)",
        "CountEntropy(())",
        "CountEntropy(3)",
        "CountEntropy((1, 2))",
        "CountEntropy(('a', 'a'))",
    ],
)
def test_impossible_hyperparameters_are_refused(bad):
    with pytest.raises(UsageError):
        parse(bad, {c.__name__: c for c in (SoftSuppression, CountEntropy)})


# --- dispersion ---------------------------------------------------------------------------------------------


def test_farthest_first_by_its_definition():
    for seed in range(20):
        rows = np.random.default_rng(seed).normal(size=(30, 4)).astype(np.float32)
        pool, far = vectors(rows), distances(rows)
        chosen = [0]
        while len(chosen) < 12:
            left = far[:, chosen].min(axis=1)
            left[chosen] = -1
            chosen.append(int(left.argmax()))
        choice = LazyGreedy()(alone(MaxMinDispersion().build(pool)), bind(pool, (), 12), pool)
        assert choice.rows.tolist() == chosen
        least = min(far[a, b] for a, b in combinations(chosen, 2))
        assert choice.gains[-1] == pytest.approx(least, abs=1e-6)
        assert (np.diff(choice.gains) <= 0).all()


def test_distances_of_copies_opposites_and_zeros():
    pool = vectors([[2, 0], [1, 0], [-1, 0], [0, 0], [0, 0]])
    f, at = MaxMinDispersion(), np.array
    assert f.value(pool, at([0])).tolist() == [2]
    assert f.value(pool, at([0, 1])).tolist() == [2]
    assert f.value(pool, at([0, 2])).tolist() == [4]
    assert f.value(pool, at([3, 4, 0])).tolist() == [4]
    assert MaxSumDispersion().value(pool, at([0, 1, 2])).tolist() == [4]
    assert MaxSumDispersion().value(pool, at([0, 3, 4])).tolist() == [3]


def test_no_instance_falls_below_the_guarantees():
    sets = np.array(list(combinations(range(11), 4)))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = (rng.normal(size=(11, 3)) + rng.normal(size=3) * rng.integers(0, 3)).astype(np.float32)
        pool, far = vectors(rows), distances(rows)
        pairs = np.stack([far[sets[:, a], sets[:, b]] for a, b in combinations(range(4), 2)])
        spread = climb(alone(MaxMinDispersion().build(pool)), 4)
        least = min(far[a, b] for a, b in combinations(spread, 2))
        assert math.sqrt(least) >= math.sqrt(pairs.min(axis=0).max()) / 2 - 1e-6
        summed = climb(alone(MaxSumDispersion().build(pool)), 4)
        assert MaxSumDispersion().value(pool, summed)[0] >= pairs.sum(axis=0).max() / 4 - 1e-6
        both = Sum((FacilityLocation(), MaxSumDispersion()), weights=(1.0, 0.3))
        halved = Sum((FacilityLocation(), MaxSumDispersion()), weights=(0.5, 0.3))
        reached = both.value(pool, climb(alone(halved.build(pool), pool), 4)).sum()
        assert reached >= max(both.value(pool, s).sum() for s in sets[:: 1 + seed]) / 4


def test_the_sum_of_distances_is_refused_by_lazy_solvers():
    pool = vectors(np.eye(4))
    with pytest.raises(ContractError, match="use Greedy"):
        LazyGreedy()(alone(MaxSumDispersion().build(pool)), bind(pool, (), 2), pool)
    choice = Greedy()(alone(MaxSumDispersion().build(pool)), bind(pool, (), 4), pool)
    assert choice.gains.tolist() == [0, 1, 2, 3]
    assert choice.bound is None


# --- soft suppression ---------------------------------------------------------------------------------------


def reference(rows, score, threshold, sigma) -> tuple[list[int], list[float]]:
    """The paper's figure 2, over cosines: everything, in order, with its final score."""
    x = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    left, now, order, final = list(range(len(x))), score.astype(np.float64).copy(), [], []
    while left:
        best = max(left, key=lambda i: (now[i], -i))
        left.remove(best)
        order.append(best)
        final.append(float(now[best]))
        for i in left:
            overlap = min(1.0, max(0.0, float(x[best] @ x[i])))
            if sigma is not None:
                now[i] *= math.exp(-(overlap**2) / sigma)
            elif overlap >= threshold:
                now[i] *= 1 - overlap
    return order, final


@pytest.mark.parametrize(("threshold", "sigma"), [(0.3, None), (0.7, None), (0.3, 0.5)])
def test_soft_suppression_is_the_papers_loop(threshold, sigma):
    for seed in range(340):
        rng = np.random.default_rng(seed)
        rows = (rng.normal(size=(7, 3)) + rng.normal(size=3)).astype(np.float64)
        score = rng.random(7)
        score[[2, 5]] = 0.0, 1.0  # so that the range leaves the scores as they are
        pool = Pool.of({"vec": Vectors(rows.astype(np.float32)), "score": Scores(score)})
        f = SoftSuppression(threshold=threshold, sigma=sigma, ranks=False)
        built = alone(f.build(pool))
        order, final = reference(rows, score, threshold, sigma)
        chosen = climb(built, 7)
        assert chosen.tolist() == order
        assert f.value(pool, chosen)[0] == pytest.approx(sum(final), abs=1e-5)


def test_a_sigma_near_zero_is_hard_suppression():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows = rng.integers(0, 2, (12, 6)).astype(np.float32)
        rows = rows[rows.any(axis=1)]
        score = rng.permutation(len(rows)) / (len(rows) - 1.0)
        pool = Pool.of({"vec": Vectors(rows), "score": Scores(score)})
        choice = LazyGreedy()(
            alone(SoftSuppression(sigma=1e-9, ranks=False).build(pool)), bind(pool, (), len(rows)), pool
        )
        kept = hard(rows, score, 1e-6)
        assert choice.rows[choice.gains > 0].tolist() == [i for i in kept.tolist() if score[i] > 0]


# --- count entropy ------------------------------------------------------------------------------------------


def test_entropy_by_hand():
    terms = Terms(np.array([0, 2, 3, 3]), np.array([0, 1, 1], np.int32), np.array([3, 1, 2], np.float32), 3)
    tags = Tags.of([["x", "y"], ["x"], []])
    pool = Pool.of({"l": Labels.of(["a", "b", "a"]), "t": tags, "w": terms})
    every = np.arange(3)
    thirds = math.log(3) - 2 * math.log(2) / 3
    assert CountEntropy("l").value(pool, every)[0] == pytest.approx(thirds)
    assert CountEntropy("t").value(pool, every)[0] == pytest.approx(thirds)
    assert CountEntropy("w").value(pool, every)[0] == pytest.approx(math.log(2))
    assert CountEntropy("w", binarised=True).value(pool, every)[0] == pytest.approx(thirds)
    assert CountEntropy(("l", "t")).value(pool, every).tolist() == pytest.approx([thirds, thirds])
    both = math.sqrt(2) * (math.log(2) - (math.log(2) - thirds))
    assert CountEntropy(("l", "t"), utopia=True).value(pool, every)[0] == pytest.approx(both)
    for f in (CountEntropy("w"), CountEntropy("w", binarised=True), CountEntropy(("l", "w"), utopia=True)):
        built, parts = alone(f.build(pool)), []
        state = built.start()
        for at in every:
            parts.append(built.gains(state, np.array([at]))[0])
            state = built.add(state, int(at))
        assert np.sum(parts, axis=0) == pytest.approx(f.value(pool, every))


@pytest.mark.parametrize("utopia", [False, True])
def test_greedy_is_the_maximum_entropy_sampler(utopia):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        a = Labels(np.minimum(rng.zipf(1.5, 60) - 1, 9).astype(np.int32), tuple("abcdefghij"))
        b = Tags.of(
            [[str(t) for t in set(rng.integers(0, 6, rng.integers(1, 4)).tolist())] for _ in range(60)]
        )
        pool = Pool.of({"a": a, "b": b})
        held = np.zeros((60, 2, 10))
        held[np.arange(60), 0, a.codes] = 1
        held[np.repeat(np.arange(60), np.diff(b.indptr)), 1, b.codes] = 1
        best = np.log([len(np.unique(a.codes)), len(b.names)])
        counts, left, order = np.zeros((2, 10)), list(range(60)), []
        for _ in range(15):
            p = (counts + held[left]) / (counts + held[left]).sum(axis=2, keepdims=True)
            h = -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=2)
            merit = -np.linalg.norm(h - best, axis=1) if utopia else h.sum(axis=1)
            order.append(left[int(np.round(merit, 9).argmax())])
            left.remove(order[-1])
            counts = counts + held[order[-1]]
        f = CountEntropy(("a", "b"), utopia=utopia)
        ours = climb(alone(f.build(pool)), 15)
        # ties may fall either way in the last bits: what was reached is compared, then the order up to there
        assert f.value(pool, ours).sum() == pytest.approx(f.value(pool, np.array(order)).sum(), abs=0.02)
        assert ours[:4].tolist() == order[:4]


def test_entropy_is_neither_monotone_nor_submodular():
    pool = Pool.of({"l": Labels.of(["a", "b", "b", "a", "c"])})
    built = alone(CountEntropy("l").build(pool))
    assert (built.monotone, built.submodular) == (False, False)
    one = built.add(built.start(), 0)
    two = built.add(one, 1)
    assert built.gains(two, np.array([2]))[0, 0] < 0
    assert built.gains(one, np.array([1]))[0, 0] > built.gains(built.start(), np.array([1]))[0, 0] == 0
    choice = Greedy()(built, bind(pool, (), 5), pool)
    assert choice.rows.tolist() == [0, 1, 4]
    with pytest.raises(ContractError, match="use Greedy"):
        LazyGreedy()(built, bind(pool, (), 2), pool)


def test_groups_that_nobody_is_in_do_not_move_the_utopia_point():
    names = ("a", "b", "nobody", "no one")
    one, two = (Labels(np.array(c, np.int32), names) for c in ([0, 1, 0], [0, 0, 1]))
    pool = Pool.of({"one": one, "two": two})
    f = CountEntropy(("one", "two"), utopia=True)
    # one is balanced and two is not, both could be: the square root of 2 log 2 less one log 2
    assert f.value(pool, np.array([0, 1]))[0] == pytest.approx((math.sqrt(2) - 1) * math.log(2))


def test_entropy_names_what_is_wrong():
    pool = vectors([[1.0]])
    with pytest.raises(ContractError, match=r"no signal 'label'; this pool has \['vec'\]"):
        alone(CountEntropy().build(pool))
    with pytest.raises(ContractError, match="'vec' is Vectors; Labels, Tags or Terms"):
        CountEntropy("vec").value(pool, np.arange(1))
