"""The rank door: duels in, a board out, with what a program and a person need to read it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.contracts import Ranker
from shortlist.core.errors import UsageError
from shortlist.core.expression import expression, parse
from shortlist.core.judgments import Board, Duels
from shortlist.methods.compare.bradley_terry import BradleyTerry
from shortlist.methods.compare.elo import Elo
from shortlist.methods.compare.rank_centrality import RankCentrality

#: What `--method` may name.
RANKERS: dict[str, type] = {c.__name__: c for c in (BradleyTerry, Elo, RankCentrality)}


def rank(duels: Duels, method: Ranker | None = None) -> Board:
    """Rank the items of duels; Bradley-Terry by default.

    >>> board = rank(Duels.of(["a", "b", "a", "c", "a"], ["b", "c", "c", "a", "b"], [1, 1, 1, 1, 0.5]))
    >>> [board.names[i] for i in board.order]
    ['a', 'b', 'c']
    """
    return (method or BradleyTerry())(duels)


def read_duels(
    data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Any,
    *,
    x: str = "",
    y: str = "",
    winner: str = "",
    weight: str = "",
    format: str = "",
) -> Duels:
    """Read duels from CSV, TSV, JSON lines, Parquet, Arrow or a frame; `-` is standard input.

    Args:
        data: file names, globs or `-`, or one frame with an Arrow interface.
        x, y: columns of the two items; '' looks for item_x and item_y, left and right, model_a and model_b.
        winner: column of results: x, y or tie (left, right, a, b, draw), the winner's own name, or the
            probability in [0, 1] that x wins.
        weight: column of weights, 0 or more; '' takes a column called weight or count if there is one.
        format: 'jsonl', 'csv', 'tsv', 'parquet' or 'arrow' where name and content do not tell.

    Raises:
        InputError: the input is bad: file, row, column, what was found, what to do.
    """
    from shortlist.store.duels import read  # pyarrow is imported when something is read, not before

    return read(data, {"x": x, "y": y, "winner": winner, "weight": weight}, format)


def ranker(text: str) -> Ranker:
    """The method that an expression names.

    Raises:
        UsageError: it names none that ranks.
    """
    method = parse(text if "(" in text else f"{text}()", RANKERS)
    if type(method) not in RANKERS.values():
        raise UsageError(f"{text!r} ranks nothing; use one of {', '.join(RANKERS)}")
    found: Ranker = method
    return found


def facts(board: Board, duels: Duels, method: Ranker) -> dict[str, Any]:
    """The board as JSON: items best first; an interval that is not stated is null."""
    met = _met(duels)
    stated = board.level > 0
    items = [
        {
            "rank": place,
            "item": board.names[i],
            "score": float(board.scores[i]),
            "low": float(board.low[i]) if stated else None,
            "high": float(board.high[i]) if stated else None,
            "rank_low": int(board.ranks[i, 0]) if stated else None,
            "rank_high": int(board.ranks[i, 1]) if stated else None,
            "tied_with_first": bool(board.first[i]) if stated else None,
            "duels": float(met[i]),
        }
        for place, i in enumerate(board.order.tolist(), 1)
    ]
    return {
        "method": expression(method),
        "unit": board.unit,
        "level": board.level if stated else None,
        "width_error": board.error if stated else None,
        "duels": len(duels),
        "tied_with_first": list(board.tied) if stated else None,
        "items": items,
    }


def _met(duels: Duels) -> F64:
    sides = (np.bincount(duels.pairs[:, c], duels.weights, len(duels.names)) for c in (0, 1))
    return np.add(*sides)
