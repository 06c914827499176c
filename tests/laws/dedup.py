"""Laws of deduplication: nothing is dropped without a twin that stays, and once is enough."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from shortlist.core.contracts import Deduper
from shortlist.core.drops import Drops, best_first, left
from shortlist.core.effects import alone
from shortlist.core.members import members
from shortlist.core.pool import Pool
from shortlist.core.signals import Text
from tests.strategies import arrays


def drops(deduper: Deduper, pool: Pool) -> Drops:
    """What it drops of a pool."""
    return alone(deduper.steps(pool), pool)


def what_stays(pool: Pool, found: Drops) -> Pool:
    """The pool without what was dropped."""
    return pool.take(np.flatnonzero(~np.isin(pool.rows, found.rows)))


def every_drop_has_a_twin_that_stays(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    found = drops(deduper, pool)
    assert np.isin(found.rows, pool.rows).all()
    assert np.isin(found.of, what_stays(pool, found).rows).all()
    assert ((found.similarity >= 0) & (found.similarity <= 1 + 1e-6)).all()
    assert found.why


def the_better_copy_stays(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    found = drops(deduper, pool)
    rank = np.empty(len(pool), np.int64)
    order = best_first(pool, getattr(deduper, "keep", ""))
    if against := getattr(deduper, "against", ""):  # rows of that group come before all others
        order = np.concatenate([members(pool, against), np.setdiff1d(order, members(pool, against))])
    rank[order] = np.arange(len(pool))
    gone, stays = (rank[np.searchsorted(pool.rows, rows)] for rows in (found.rows, found.of))
    assert (stays < gone).all()


def once_is_enough(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    assert len(drops(deduper, what_stays(pool, drops(deduper, pool)))) == 0


def no_more_is_dropped_than_asked(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    assert len(pool) - len(drops(deduper, pool)) >= min(len(pool), left(len(pool), getattr(deduper, "to", 0)))


def equal_texts_do_not_both_stay(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    signal = pool.columns[deduper.by]
    if getattr(deduper, "to", 0) or hasattr(deduper, "against") or not isinstance(signal, Text):
        return
    stays = what_stays(pool, drops(deduper, pool)).signal(deduper.by, Text)
    texts = [stays[i] for i in range(len(stays)) if stays[i].strip()]
    assert len(set(texts)) == len(texts)


def a_set_aside_group_stays_and_is_named(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    if not hasattr(deduper, "against"):
        return
    found, few = drops(deduper, pool), pool.rows[members(pool, deduper.against)]
    assert not np.isin(found.rows, few).any()
    assert np.isin(found.of, few).all()
    if isinstance(pool.columns[deduper.by], Text):  # a copy of one of them always goes
        text, at = pool.signal(deduper.by, Text), np.searchsorted(pool.rows, few)
        theirs = {text[i] for i in at if any(c.isalnum() for c in text[i])}
        copies = [i for i in np.setdiff1d(np.arange(len(pool)), at) if text[i] in theirs]
        assert np.isin(pool.rows[copies], found.rows).all()


def the_same_call_gives_the_same_answer(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    before = arrays(pool)
    cuts = (Pool(pool.rows, pool.columns, chunk) for chunk in (pool.chunk, pool.chunk, 1, 2, 1000))
    told = {
        (d.rows.tobytes(), d.of.tobytes(), d.similarity.tobytes()) for d in (drops(deduper, p) for p in cuts)
    }
    assert len(told) == 1
    assert arrays(pool) == before


def work_is_estimated(deduper: Deduper, pool: Pool, rng: Generator) -> None:
    need = deduper.need(pool)
    assert math.isfinite(need.bytes)
    assert math.isfinite(need.flops)
    assert min(need.bytes, need.flops) >= 0


LAWS = (
    every_drop_has_a_twin_that_stays,
    the_better_copy_stays,
    once_is_enough,
    no_more_is_dropped_than_asked,
    equal_texts_do_not_both_stay,
    a_set_aside_group_stays_and_is_named,
    the_same_call_gives_the_same_answer,
    work_is_estimated,
)
