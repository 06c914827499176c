"""What the laws cannot say of FacilityLocation: its two parts, its tiles, its memory."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.effects import alone
from shortlist.core.errors import UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.objective import facility_location as fl
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.run.driver import Local, run


def pool_of(values):
    return Pool.of({"vec": Vectors(np.ascontiguousarray(values, np.float32))})


def clustered(n, d=16, seed=0, groups=40):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(groups, d))[rng.integers(0, groups, n)] + 0.5 * rng.normal(size=(n, d))
    return x.astype(np.float32)


def total(built, at):
    state, gains = built.start(), []
    for i in at:
        gains.append(built.gains(state, np.array([i]))[0].sum())
        state = built.add(state, i)
    return sum(gains)


few = st.lists(
    st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, 3.0]), min_size=2, max_size=2),
    min_size=1,
    max_size=9,
)


@given(few, st.integers(0, 5), st.integers(0, 4), st.data())
@settings(deadline=None, max_examples=150)
def test_gains_add_up_to_value(rows, neighbors, represent, data):
    pool = pool_of(rows)
    at = data.draw(st.lists(st.integers(0, len(pool) - 1), unique=True))
    f = FacilityLocation(neighbors=neighbors, represent=represent)
    built = alone(f.build(pool))
    assert built.terms == f.terms
    assert len(built) == len(pool)
    np.testing.assert_allclose(total(built, at), f.value(pool, np.array(at, np.int64))[0], atol=2e-6)


@given(few, st.data())
@settings(deadline=None, max_examples=80)
def test_plain_form_is_the_definition(rows, data):
    at = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True)), np.int64)
    x = np.array(rows, np.float32)
    assert FacilityLocation().value(pool_of(x), at)[0] == pytest.approx(fl.exact(x, at), abs=1e-6)


def test_parts_below_and_above_the_floor_add_up_to_the_plain_form():
    # Up to 1,024 rows all are sampled, so nothing is estimated and any neighbours give the plain function.
    x, rng = clustered(900), np.random.default_rng(1)
    pool = pool_of(x)
    for neighbors in (1, 7, 100, 900, 5000):
        at = rng.choice(900, 12, replace=False)
        f = FacilityLocation(neighbors=neighbors)
        assert f.value(pool, at)[0] == pytest.approx(fl.exact(x, at), abs=1e-6)
        assert total(alone(f.build(pool)), at) == pytest.approx(fl.exact(x, at), abs=1e-6)


def test_above_1024_rows_it_is_an_estimate_of_it():
    x = clustered(3000)
    at = np.random.default_rng(0).choice(3000, 40, replace=False)
    got = [FacilityLocation(neighbors=100, seed=s).value(pool_of(x), at)[0] for s in range(8)]
    assert np.mean(got) == pytest.approx(fl.exact(x, at), abs=0.004)
    assert np.std(got) > 0


def test_entries_are_the_cosines_above_the_floor():
    x = clustered(2500)
    built = alone(FacilityLocation(neighbors=60).build(pool_of(x)))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = unit @ unit.T
    want = cosines > built.floor  # row: candidate, column: represented
    got = np.zeros_like(want)
    for j, (a, b) in enumerate(pairwise(built.near.indptr)):
        row = built.near.indices[a:b]
        assert (np.diff(row) > 0).all()
        got[j, row] = True
        np.testing.assert_allclose(built.near.data[a:b], cosines[j, row], atol=1e-5)
    # Tiles round otherwise than one big product, so entries at the floor itself may differ.
    assert (got != want)[np.abs(cosines - built.floor) > 1e-5].sum() == 0
    assert 40 < len(built.near.data) / 2500 < 80


def test_represent_samples_rows_and_keeps_all_candidates():
    x = clustered(3000)
    pool = pool_of(x)
    built = alone(FacilityLocation(neighbors=150, represent=500).build(pool))
    assert len(built) == 3000
    assert len(built.floor) == 500
    assert built.near.indices.max() < 500
    everyone = alone(FacilityLocation(neighbors=150).build(pool))
    as_many = alone(FacilityLocation(neighbors=150, represent=9999).build(pool))
    np.testing.assert_array_equal(everyone.near.data, as_many.near.data)
    plain = FacilityLocation(represent=500)
    at = np.arange(0, 3000, 100)
    assert plain.value(pool, at)[0] == pytest.approx(fl.exact(x, at), abs=0.03)


@pytest.mark.parametrize(
    "f", [FacilityLocation(), FacilityLocation(neighbors=50), FacilityLocation(neighbors=50, represent=700)]
)
def test_threads_give_the_same_bytes(f):
    pool = pool_of(clustered(2600))
    one, three = (run(f.build(pool), pool, on=Local(workers=w)).result for w in (1, 3))
    for a, b in zip((one.rough, one.floor, *one.near), (three.rough, three.floor, *three.near), strict=True):
        assert a.tobytes() == b.tobytes()


def test_memory_mapped_vectors_give_the_same_bytes(tmp_path):
    x = clustered(1500)
    np.save(tmp_path / "x.npy", x)
    mapped = Pool.of({"vec": Vectors(np.load(tmp_path / "x.npy", mmap_mode="r"))})
    f = FacilityLocation(neighbors=40, represent=600)
    a, b = alone(f.build(pool_of(x))), alone(f.build(mapped))
    assert a.near.data.tobytes() == b.near.data.tobytes()
    assert a.rough.tobytes() == b.rough.tobytes()


def test_lengths_do_not_matter_and_zero_rows_cover_nothing():
    x = clustered(300)
    x[::7] = 0
    scaled = x * np.exp(np.random.default_rng(0).normal(size=(300, 1), scale=3)).astype(np.float32)
    f, at = FacilityLocation(neighbors=20), np.arange(5, 300, 30)
    np.testing.assert_allclose(f.value(pool_of(x), at), f.value(pool_of(scaled), at), atol=1e-6)
    built = alone(f.build(pool_of(x)))
    assert (built.gains(built.start(), np.arange(0, 300, 7)) == 0).all()


def test_a_tight_cluster_bigger_than_the_neighbours_is_not_forgotten():
    # All of a cluster's cosines are at its floor: only the part below the floor can see it.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 32)).astype(np.float32)
    x[1000:2200] = x[1000]
    built = alone(FacilityLocation(neighbors=100).build(pool_of(x)))
    gains = built.gains(built.start(), np.arange(4000))[:, 0]
    assert 1000 <= int(np.argmax(gains)) < 2200
    assert gains.max() > 0.25


def test_empty_pool_and_empty_choice():
    for f in (FacilityLocation(), FacilityLocation(neighbors=3), FacilityLocation(neighbors=3, represent=2)):
        empty = pool_of(np.zeros((0, 4)))
        built = alone(f.build(empty))
        assert len(built) == 0
        assert built.gains(built.start(), np.zeros(0, np.int64)).shape == (0, 1)
        assert f.value(empty, np.zeros(0, np.int64))[0] == 0
        assert f.value(pool_of(clustered(50)), np.zeros(0, np.int64))[0] == 0


def test_states_are_not_changed_in_place():
    built = alone(FacilityLocation(neighbors=30).build(pool_of(clustered(1400))))
    before = built.start()
    kept = [a.copy() for a in before]
    built.add(before, 3)
    built.add(before, 4)
    assert all((a == b).all() for a, b in zip(before, kept, strict=True))


PEAK = """
import re, sys
from pathlib import Path
import numpy as np
from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Vectors
from shortlist.methods.objective.facility_location import FacilityLocation
from shortlist.methods.solve.lazy_greedy import LazyGreedy
x = np.random.default_rng(0).normal(size=(int(sys.argv[2]), 16)).astype(np.float32)
pool = Pool.of({"vec": Vectors(x)})
f = FacilityLocation(**eval(sys.argv[1]))
def status(key):
    return 1024 * int(re.search(key + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
few = pool.take(np.arange(1100))  # libraries take theirs
LazyGreedy()(alone(f.build(few)), bind(few, (), 9), few)
before = status("VmRSS")
built = alone(f.build(pool))
LazyGreedy()(built, bind(pool, (), 100), pool)
print(f.need(pool, 100).bytes / (status("VmHWM") - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
@pytest.mark.parametrize(
    ("f", "n"),
    [
        ({}, 8000),
        ({"represent": 3000}, 14000),
        ({"neighbors": 900}, 14000),
        ({"neighbors": 2000, "represent": 4000}, 14000),
        ({"neighbors": 900, "cells": 270, "probes": 200}, 14000),
    ],
)
def test_need_is_within_a_quarter_of_the_peak(f, n):
    command = [sys.executable, "-c", PEAK, repr(f), str(n)]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 0.75 < float(out.stdout) < 1.25


def test_negative_numbers_are_refused():
    with pytest.raises(UsageError, match="0 or more"):
        FacilityLocation(neighbors=-1)
    with pytest.raises(UsageError, match="0 or more"):
        FacilityLocation(represent=-1)
