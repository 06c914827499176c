"""Gather, once, what `why` and `why-not` need about every row: plain arrays beside the result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.choice import Choice
from shortlist.core.contracts import Built, Limits
from shortlist.core.drops import Drops
from shortlist.core.pool import Pool
from shortlist.core.signals import Text, Vectors
from shortlist.measures.nearest import nearest

#: Excerpts are kept for pools up to this size; a longer one is read from the user's own file.
EXCERPT_ROWS, EXCERPT_BYTES = 200_000, 160
#: Rows whose gains are asked for in one call.
BLOCK = 65_536


class Status(IntEnum):
    """What became of a row that was read."""

    NOT_CHOSEN = 0
    CHOSEN = 1
    DROPPED = 2
    EXCLUDED = 3
    SHOWN = 4


def explain(
    ids: Text,
    text: Text | None,
    pool: Pool,
    built: Built,
    limits: Limits,
    choice: Choice,
    drops: Sequence[Drops],
    vectors: Vectors | None,
    excluded: I64,
    leaks: Sequence[bool] = (),
) -> dict[str, np.ndarray]:
    """Everything `shortlist why` can say, as arrays over the n rows that were read.

    Args:
        ids: of all n rows read; pool.rows are positions in it.
        text: shown as an excerpt; None shows ids alone.
        pool: the candidates, after dropping.
        built: the objective over the pool; its gains at the start and at the end are kept.
        limits: the constraints over the pool.
        choice: what was taken, in global rows.
        drops: what each deduper dropped, in global rows.
        vectors: of the pool, for neighbours; None keeps none.
        excluded: positions of the pool that were never candidates.
        leaks: for each of `drops` whether its rows went because they give a set-aside group away.
    """
    words = {
        "terms": list(choice.terms),
        "constraints": list(limits.names),
        "droppers": [d.why for d in drops],
        "leaks": list(leaks) or [False] * len(drops),
    }
    arrays: dict[str, np.ndarray] = {
        "id_offsets": ids.offsets,
        "id_bytes": ids.utf8,
        **_fates(len(ids), pool, limits, choice, drops, excluded),
        **_standing(len(ids), pool, built, limits, choice, vectors),
        **_rivals(len(ids), choice),
        "rows": choice.rows,
        "gains": choice.gains,
        "parts": choice.parts,
        "words": np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8),
    }
    if text is not None and len(ids) <= EXCERPT_ROWS:
        arrays |= _excerpts(text)
    return arrays


def _fates(
    n: int, pool: Pool, limits: Limits, choice: Choice, drops: Sequence[Drops], excluded: I64
) -> dict[str, np.ndarray]:
    """What became of each row, its rank, and whose copy it is."""
    status, rank = np.zeros(n, np.uint8), np.full(n, -1, np.int32)
    copy_of, alike, dropped_by = np.full(n, -1, np.int64), np.zeros(n, np.float32), np.full(n, -1, np.int16)
    for i, d in enumerate(drops):
        status[d.rows] = Status.DROPPED
        copy_of[d.rows], alike[d.rows], dropped_by[d.rows] = d.of, d.similarity, i
    status[pool.rows[excluded]] = Status.EXCLUDED
    status[pool.rows[limits.shown]] = Status.SHOWN
    status[choice.rows], rank[choice.rows] = Status.CHOSEN, np.arange(len(choice))
    return {"status": status, "rank": rank, "copy_of": copy_of, "alike": alike, "dropped_by": dropped_by}


def _standing(
    n: int, pool: Pool, built: Built, limits: Limits, choice: Choice, vectors: Vectors | None
) -> dict[str, np.ndarray]:
    """Each row's nearest chosen row, and its gains before the first pick and after the last."""
    at = np.searchsorted(pool.rows, choice.rows)
    stand_in, cosine = np.full(n, -1, np.int64), np.zeros(n, np.float32)
    if vectors is not None and len(choice):
        which, near = nearest(vectors, at)
        stand_in[pool.rows], cosine[pool.rows] = choice.rows[which], near
    first, last = np.zeros((2, n, len(choice.terms)), np.float32)
    first[pool.rows], last[pool.rows] = _ends(built, limits, at)
    return {"stand_in": stand_in, "cosine": cosine, "gain_first": first, "gain_last": last}


def _rivals(n: int, choice: Choice) -> dict[str, np.ndarray]:
    """Who would have come instead of each pick, and who was turned away by which constraint."""
    by, step = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    rival, gain = np.full(len(choice), -1, np.int64), np.zeros(len(choice))
    if choice.trace is not None:
        rival, gain = choice.trace.runner_up, choice.trace.runner_up_gain
        by[choice.trace.refused], step[choice.trace.refused] = (
            choice.trace.refused_by,
            choice.trace.refused_step,
        )
    return {"runner_up": rival, "runner_up_gain": gain, "refused_by": by, "refused_step": step}


def _ends(built: Built, limits: Limits, chosen: I64) -> tuple[F64, F64]:
    """Gains f64[n, T] of every row before the first pick and after the last."""
    state = built.start()
    for at in limits.shown:
        state = built.add(state, int(at))
    first = _gains(built, state)
    for at in chosen:
        state = built.add(state, int(at))
    return first, _gains(built, state)


def _gains(built: Built, state: object) -> F64:
    n = len(built)
    blocks = [built.gains(state, np.arange(a, min(a + BLOCK, n), dtype=np.int64)) for a in range(0, n, BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(built.terms)))


def _excerpts(text: Text) -> Mapping[str, np.ndarray]:
    """The first bytes of every text, cut at a character."""
    start, end = text.offsets[:-1], text.offsets[1:]
    cut = np.minimum(end, start + EXCERPT_BYTES)
    for _ in range(3):  # a UTF-8 character has at most three bytes that continue it
        inside = (cut < end) & (cut > start)
        inside[inside] = (text.utf8[cut[inside]] & 0xC0) == 0x80
        cut = cut - inside
    offsets = np.zeros(len(text) + 1, np.int64)
    np.cumsum(cut - start, out=offsets[1:])
    take = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - start, cut - start)
    return {"excerpt_offsets": offsets, "excerpt_bytes": text.utf8[take]}
