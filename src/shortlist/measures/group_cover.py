"""How many groups a choice reaches, and how evenly.

Evenness: Hill 1973, "Diversity and Evenness", doi:10.2307/1934352 (effective number of groups, order 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCover:
    """`by` names a Labels or Tags signal; `even` asks how evenly, not only whether, groups are reached."""

    by: str = field(default="group", kw_only=False)
    even: bool = False

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"{'evenness' if self.even else 'share of groups reached'}, {self.by}"

    def __call__(self, pool: Pool, at: I64) -> float:
        """A number in [0, 1] for the rows at positions i64[k]; 0 for none."""
        groups = pool.columns.get(self.by)
        if not isinstance(groups, Labels | Tags):
            raise ContractError(
                f"signal {self.by!r}: Labels or Tags are needed, found {type(groups).__name__}"
            )
        reached = even if self.even else share
        return float(reached(groups, at, np.array([0, len(at)]))[0])


def share(groups: Labels | Tags, flat: I64, offsets: I64) -> F64:
    """f64[s]: groups reached by each of s sets of positions, over all groups that the pool has rows of."""
    there = len(np.unique(groups.codes))
    counts = _counts(groups, flat, offsets)
    reached: F64 = (counts > 0).sum(axis=1) / max(there, 1)
    return reached


def even(groups: Labels | Tags, flat: I64, offsets: I64) -> F64:
    """f64[s]: exp(entropy of the shares of the groups in a set) over all groups the pool has rows of.

    1 where every group has equally many rows, 1/G where one group has all; 0 for the empty set.
    """
    there = len(np.unique(groups.codes))
    counts = _counts(groups, flat, offsets)
    p = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -np.sum(p * np.log(p, out=np.zeros_like(p), where=p > 0), axis=1)
    effective: F64 = np.where(counts.any(axis=1), np.exp(entropy), 0.0) / max(there, 1)
    return effective


def _counts(groups: Labels | Tags, flat: I64, offsets: I64) -> I64:
    """i64[s, G]: rows of each group in each set."""
    sets, width = len(offsets) - 1, max(len(groups.names), 1)
    owner = np.repeat(np.arange(sets), np.diff(offsets))
    taken = groups.take(flat)
    if isinstance(taken, Tags):
        owner = np.repeat(owner, np.diff(taken.indptr))
    return np.bincount(owner * width + taken.codes, minlength=sets * width).reshape(sets, width)
