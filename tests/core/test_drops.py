"""The noun Drops and the order in which copies are preferred."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.drops import Drops, best_first, left
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_rows_come_with_the_row_that_stays() -> None:
    pool = Pool(ints(10, 20, 30, 40), {})
    found = Drops.at(pool, ints(-1, 0, -1, 0), np.array([0, 0.9, 0, 1.0]), "x")
    assert len(found) == 2
    assert found.rows.tolist() == [20, 40]
    assert found.of.tolist() == [10, 10]
    assert found.similarity.tolist() == [0.9, 1.0]
    assert found.without(ints(40, 99)).rows.tolist() == [20]


@pytest.mark.parametrize(
    ("rows", "of", "similarity", "says"),
    [
        ((1, 2), (0,), (1.0, 1.0), "one length"),
        ((2, 1), (0, 0), (1.0, 1.0), "increasing"),
        ((1, 1), (0, 0), (1.0, 1.0), "increasing"),
        ((1, 2), (0, 1), (1.0, 1.0), "dropped itself"),
        ((1,), (1,), (1.0,), "dropped itself"),
        ((1,), (0,), (float("nan"),), "finite"),
    ],
)
def test_broken_drops_are_refused(rows: tuple, of: tuple, similarity: tuple, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        Drops(ints(*rows), ints(*of), np.array(similarity), "x")


def test_the_best_copy_comes_first_then_the_lowest_row() -> None:
    values = np.array([1.0, 3.0, 3.0, 2.0])
    pool = Pool.of({"s": Scores(values), "ppl": Scores(values, higher_is_better=False)})
    assert best_first(pool, "").tolist() == [0, 1, 2, 3]
    assert best_first(pool, "s").tolist() == [1, 2, 3, 0]
    assert best_first(pool, "ppl").tolist() == [0, 3, 1, 2]


def test_a_target_is_a_count_or_a_share() -> None:
    assert [left(10, to) for to in (0, 3, 99, 0.25, 1, 1.0)] == [0, 3, 10, 3, 1, 1]
    for to in (-1, 2.5, -0.1):
        with pytest.raises(UsageError, match="count of rows or a share"):
            left(10, to)
