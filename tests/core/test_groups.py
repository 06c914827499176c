"""Groups of duplicates against a walk over the graph of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.drops import Drops
from shortlist.core.errors import ContractError
from shortlist.core.groups import Groups
from shortlist.kernels.unionfind import unite

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)


def components(pairs: list[tuple[int, int]]) -> dict[int, int]:
    """Row -> smallest row of its component, of components of two rows or more."""
    sets = [{a, b} for a, b in pairs]
    for _ in sets:
        sets = [set().union(*(t for t in sets if t & s)) for s in sets]
    return {row: min(s) for s in sets for row in s if len(s) > 1}


def drops(pairs: list[tuple[int, int]]) -> Drops:
    rows, of = (np.array(x, np.int64) for x in (zip(*pairs, strict=True) if pairs else ((), ())))
    return Drops(rows, of, np.ones(len(rows)), "alike")


@given(PAIRS)
@settings(deadline=None)
def test_components_are_those_of_a_walk(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    found, want = Groups.of(a * 3, b * 3), components(pairs)
    assert dict(zip(found.rows.tolist(), found.leader.tolist(), strict=True)) == {
        3 * row: 3 * lead for row, lead in want.items()
    }
    assert len(found) == len(set(want.values()))
    leads, size = found.sizes()
    assert size.tolist() == sorted(size.tolist(), reverse=True)
    assert [len(found.members(lead)) for lead in leads] == size.tolist()
    parents = []
    for f in (unite, unite.py_func):
        parent = np.arange(10)
        f(parent, a.copy(), b.copy())
        parents.append(parent.tolist())
    assert parents[0] == parents[1] == [want.get(i, i) for i in range(10)]


def test_the_row_that_stays_at_last_leads() -> None:
    first, second = drops([(0, 4), (3, 4), (7, 8)]), drops([(4, 9), (6, 5)])
    found = Groups.of_drops([first, second])
    assert found.rows.tolist() == [0, 3, 4, 5, 6, 7, 8, 9]
    assert found.leader.tolist() == [9, 9, 9, 5, 5, 8, 8, 9]
    assert [x.tolist() for x in found.sizes()] == [[9, 5, 8], [4, 2, 2]]
    assert found.members(9).tolist() == [0, 3, 4, 9]
    for nothing in (Groups.of_drops([]), Groups.of_drops([drops([])])):
        assert len(nothing) == len(nothing.rows) == 0


@pytest.mark.parametrize(
    ("rows", "leader", "says"),
    [
        ([1, 2], [1], "one length"),
        ([2, 1], [1, 1], "increasing"),
        ([1, 2, 3], [1, 1, 3], "two rows"),
        ([1, 2], [5, 5], "leader"),
        ([1, 2, 3, 4], [3, 3, 1, 1], "leader"),
    ],
)
def test_what_is_no_grouping_is_refused(rows: list[int], leader: list[int], says: str) -> None:
    with pytest.raises(ContractError, match=says):
        Groups(np.array(rows), np.array(leader))
