"""Rows named by a group: `split:dev` is the rows in group dev of the Labels or Tags signal split."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags


def named(text: object, what: str) -> tuple[str, str]:
    """Signal and group of `signal:group`; the first colon parts them, so groups may hold others.

    Args:
        text: as the user wrote it. what: the option it was given for.

    >>> named('split:dev', 'toward'), named('site:a:b', 'toward')
    (('split', 'dev'), ('site', 'a:b'))

    Raises:
        UsageError: it names no group.
    """
    signal, colon, group = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not signal or not colon:
        raise UsageError(f"{what} must name a group as signal:group ('split:dev'), found {text!r}")
    return signal, group


def members(pool: Pool, text: str) -> I64:
    """Increasing positions of the rows in the group that `text` names; none is an answer too.

    Raises:
        UsageError: no group is named, or the signal has no such group (the nearest are listed).
        ContractError: no such signal, or one without groups.
    """
    by, group = named(text, "a set of rows")
    found = pool.columns.get(by)
    if not isinstance(found, Labels | Tags):
        have = sorted(name for name, s in pool.columns.items() if isinstance(s, Labels | Tags))
        what = (
            f"no signal {by!r}" if found is None else f"signal {by!r} is {type(found).__name__}, not groups"
        )
        raise ContractError(f"{text!r}: {what}; the groups of this pool are in {have}")
    if group not in found.names:
        near = get_close_matches(group, found.names, n=3) or sorted(found.names)[:5]
        raise UsageError(
            f"{by!r} has no group {group!r}; did you mean {', '.join(map(repr, near))}?"
            if near
            else f"{by!r} has no group {group!r}; it has no groups at all"
        )
    held = np.flatnonzero(found.codes == found.names.index(group))
    if isinstance(found, Labels):
        return held
    rows: I64 = np.searchsorted(found.indptr, held, side="right") - 1
    return rows
