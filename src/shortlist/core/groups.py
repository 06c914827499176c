"""Rows that hang together as duplicates: the connected components of who is whose copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.drops import Drops
from shortlist.core.errors import ContractError
from shortlist.kernels.unionfind import unite


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of two rows or more.

    rows i64[m]: global rows that are in a group, strictly increasing; leader i64[m]: the row of its group
    that stands for it, the same for all of the group.
    """

    rows: I64
    leader: I64

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.leader):
            raise ContractError("rows and leader must be of one length")
        if (np.diff(self.rows) <= 0).any():
            raise ContractError("rows of groups must be strictly increasing")
        leads, size = np.unique(self.leader, return_counts=True)
        if (size < 2).any():
            raise ContractError("a group must have two rows or more")
        if not np.isin(leads, self.rows[self.rows == self.leader]).all():
            raise ContractError("a leader must be a row of the group that it leads")

    @classmethod
    def of(cls, a: I64, b: I64) -> Groups:
        """The components of pairs of global rows a i64[e], b i64[e]; the smallest row leads each.

        >>> Groups.of(np.array([7, 2, 9]), np.array([2, 5, 9])).leader.tolist()
        [2, 2, 2]
        """
        rows, place = np.unique(np.concatenate([a, b]).astype(np.int64), return_inverse=True)
        parent = np.arange(len(rows))
        unite(parent, place[: len(a)], place[len(a) :])
        held = np.bincount(parent, minlength=len(rows))[parent] > 1
        return cls(rows[held], rows[parent[held]])

    @classmethod
    def of_drops(cls, drops: Sequence[Drops]) -> Groups:
        """The groups of dedupers that ran one after the other; the row that stays at last leads each.

        Rows of one group are not all alike: the first may be a copy of the second, and that of the third.
        """
        gone = np.concatenate([d.rows for d in drops] or [np.empty(0, np.int64)])
        stays = np.concatenate([d.of for d in drops] or [np.empty(0, np.int64)])
        groups = cls.of(gone, stays)
        last = groups.rows[~np.isin(groups.rows, gone)]  # each row goes once, for a row that is there
        at = np.searchsorted(groups.rows, last)
        by = np.argsort(groups.leader[at])
        place = np.searchsorted(groups.leader[at][by], groups.leader)
        return cls(groups.rows, last[by][place])

    def __len__(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.leader))

    def sizes(self) -> tuple[I64, I64]:
        """leader i64[g] and size i64[g] of each group, the largest first, then by leader."""
        leads, size = np.unique(self.leader, return_counts=True)
        by = np.argsort(-size, kind="stable")
        return leads[by], size[by].astype(np.int64)

    def members(self, leader: int) -> I64:
        """The rows of the group that this row leads, increasing."""
        held: I64 = self.rows[self.leader == leader]
        return held
