"""The evidence of a choice: what was asked, whether it helps, and one line that says so. Plain JSON.

`asked` compares the objective and its parts with random at equal size and cost, with top-k by every signal
and with the bound. `helps` is judged only by what the choice did not see. The two are never mixed: any
optimiser beats random at its own objective.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.choice import Choice
from shortlist.core.contracts import Built, Objective
from shortlist.core.counts import CLOSED, NoWitness
from shortlist.core.effects import alone
from shortlist.core.errors import InfeasibleError, UsageError
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Signal, Tags, Vectors
from shortlist.doors import helps
from shortlist.doors.along import parts
from shortlist.doors.asked import asked
from shortlist.doors.folds import Choose, Fold, cross_fit
from shortlist.doors.verdict import judged, verdict
from shortlist.methods.objective.modular import Modular
from shortlist.methods.solve.random_draw import draws as drawn_at_random
from shortlist.methods.solve.top import Top

#: Fewer draws cannot carry a 95% interval.
FEWEST = 39


def evidence(
    pool: Pool,
    choice: Choice,
    objective: Objective,
    limits: BoundLimits,
    choose: Choose,
    *,
    set_aside: Mapping[str, Signal],
    seed: int,
    draws: int = 200,
    built: Built | None = None,
) -> dict[str, Any]:
    """What there is to say for a choice, in plain numbers.

    Args:
        pool: the candidates, with what the choice could see and nothing else.
        choice: rows of this pool.
        objective: what was optimised.
        limits: what held, bound to this pool.
        choose: runs the recipe on another pool under other limits, for the held-out rows.
        set_aside: signals the choice did not see, one entry a row of `pool`: Scores, Labels or Tags.
        seed: of draws, folds and shuffles.
        draws: random choices to compare with, at least 39; more are made where many columns are set aside.
        built: the objective over this pool, if it is there; it saves work.

    Raises:
        UsageError: too few draws, or a set-aside signal that cannot be judged.
    """
    _check(pool, set_aside, draws)
    # Holm multiplies the smallest p by the number of measures: resolution has to keep up.
    more = -(-len(set_aside) // 5) or 1
    ours = np.searchsorted(pool.rows, choice.rows)
    drawn = _draws(limits, draws * more, seed)
    tops = _tops(limits, pool)
    candidates = limits.allows(limits.start(), np.arange(len(pool), dtype=np.int64))
    if limits.ordered:  # nearly all rows wait at the start
        candidates = limits.first.status != CLOSED
    candidates[np.concatenate([ours, *drawn, *tops.values()])] = True
    choices = helps.Choices(ours, drawn, tops, np.flatnonzero(candidates))
    by, how = _vectors(objective, pool), ""
    folds: list[Fold] = []
    unmeasured: list[str] = []
    if by and len(pool) >= 4 and len(ours):
        try:
            folds, how = cross_fit(
                pool, limits, choose, draw=lambda f: _draws(f, draws * more, seed), top=_tops, seed=seed
            )
        except (InfeasibleError, NoWitness) as e:
            unmeasured.append(f"held-out rows were not judged: in proportion, {e}")
    lines = [_line(pool, by, name, s, choices, folds, how, seed, more) for name, s in set_aside.items()]
    if folds:
        lines.append(helps.cover_help(pool, by, folds, how))
    found = judged(lines)
    return {
        "asked": asked(
            pool, choice, objective, limits, draws=drawn[:draws], tops=tops, seed=seed, built=built
        ),
        "helps": found,
        "verdict": verdict(found, unmeasured),
    }


def _check(pool: Pool, set_aside: Mapping[str, Signal], draws: int) -> None:
    if draws < FEWEST:
        raise UsageError(f"evidence needs at least {FEWEST} draws for a 95% interval, found {draws}")
    for name, signal in set_aside.items():
        if not isinstance(signal, Scores | Labels | Tags) or len(signal) != len(pool):
            raise UsageError(
                f"holdout {name!r}: a score, a label or tags for each of {len(pool):,} rows are needed"
            )


def _draws(limits: BoundLimits, count: int, seed: int) -> tuple[I64, ...]:
    return tuple(drawn_at_random(limits, count, seed))


def _tops(limits: BoundLimits, pool: Pool) -> dict[str, I64]:
    """Top-k by every score the choice could see, under the same limits; positions in order."""
    return {
        name: np.searchsorted(pool.rows, Top(of=name)(alone(Modular(of=name).build(pool)), limits, pool).rows)
        for name, signal in pool.columns.items()
        if isinstance(signal, Scores)
    }


def _vectors(objective: Objective, pool: Pool) -> str:
    """The vectors that held-out rows are judged by: those of the objective, else the first of the pool."""
    names = [getattr(f, "by", "") for f in parts(objective)]
    names += [name for name, s in pool.columns.items() if isinstance(s, Vectors)]
    return next((n for n in names if isinstance(pool.columns.get(n), Vectors)), "")


def _line(
    pool: Pool,
    by: str,
    name: str,
    signal: Signal,
    choices: helps.Choices,
    folds: list[Fold],
    how: str,
    seed: int,
    more: int,
) -> dict[str, Any]:
    if isinstance(signal, Scores):
        return helps.score_help(name, signal, choices, seed, more)
    if isinstance(signal, Labels) and folds and helps.probed(signal, folds):
        return helps.probe_help(pool, by, name, signal, folds, how, seed, more)
    assert isinstance(signal, Labels | Tags)
    return helps.group_help(name, signal, choices, seed, more)
