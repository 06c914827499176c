"""Quota: least and most rows of a group, as counts or as shares of k; groups may overlap.

Source: group bounds of a fair choice: Celis, Straszak and Vishnoi 2018, ICALP, arXiv:1704.06840, sec. 2
(upper bounds, overlapping groups); El Halabi et al. 2020, NeurIPS, arXiv:2006.07905 (lower bounds).
Deviates: none. A share is of k, the size asked for: a least count is rounded up, a most count down, both
over exact fractions, so 10% of 500 is 50.
Cost: O(n log n) once, then O(1) a question and O(groups of the row) a pick.
Memory: 8 bytes a row and bounded group.
Guarantee: a finished choice breaks no bound wherever some choice breaks none. Over groups that do not
overlap, without budgets, a row is turned away only if no feasible choice could hold it; otherwise it may
also be turned away where only a rebuilt reserve could have saved it.
Use it when a group must be present or must not take over; `Quota(by, at_most=m)` is the partition matroid.
Not for nearness to target shares: use GroupCoverage.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from difflib import get_close_matches
from fractions import Fraction
from operator import index

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import NoWitness, bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags
from shortlist.methods.constrain.reading import quota_text, read_quota

#: One number for every group of the signal, or a number a group.
Bounds = int | float | Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class Quota:
    """Least and most rows of each group of the signal `by` (Labels or Tags).

    An int is a count, a float in [0, 1] a share of k; a plain number stands for every group.

    >>> Quota('source', at_least={'de': 0.1}, at_most={'web': 200})
    Quota(by='source', at_least={'de': 0.1}, at_most={'web': 200})
    """

    by: str
    _: KW_ONLY
    at_least: Bounds | None = None
    at_most: Bounds | None = None

    def __post_init__(self) -> None:
        for name in ("at_least", "at_most"):
            given = getattr(self, name)
            if isinstance(given, Mapping):
                read: Bounds | None = {_group(g): _bound(v, self.by, name) for g, v in given.items()}
            else:
                read = None if given is None else _bound(given, self.by, name)
            object.__setattr__(self, name, read)
        if self.at_least is None and self.at_most is None:
            raise UsageError(f"Quota({self.by!r}) bounds nothing: give at_least or at_most")

    def rows(self, pool: Pool, k: int) -> list[Row]:
        """One inequality a bound; the two bounds of a group share their positions.

        Raises:
            UsageError: a group that the signal does not have (the nearest are named).
            ContractError: no such signal, or one without groups.
        """
        signal = _groups_of(pool, self.by)
        members = _Members(signal)
        out: list[Row] = []
        for bounds, least in ((self.at_least, True), (self.at_most, False)):
            sign = ">=" if least else "<="
            rule = quota_text(self.by, None, sign, bounds) if isinstance(bounds, int | float) else ""
            for group, bound in _each(bounds, self.by, signal.names):
                text = quota_text(self.by, signal.names[group], sign, bound)
                count = count_of(bound, k, least=least)
                low, high = (count, math.inf) if least else (-math.inf, count)
                out.append(Row(text, "quota", members[group], None, low, high, rule))
        return out


def quota_from_text(text: str, signals: Collection[str] = ()) -> Quota:
    """The quota as it is written on a command line; see `reading.read_quota`.

    >>> quota_from_text('lang:de>=10%'), quota_from_text('source<=200')
    (Quota(by='lang', at_least={'de': 0.1}, at_most=None), Quota(by='source', at_least=None, at_most=200))
    """
    by, group, operator, bound = read_quota(text, signals)
    bounds: Bounds = bound if group is None else {group: bound}
    least, most = operator in (">=", "="), operator in ("<=", "=")
    return Quota(by, at_least=bounds if least else None, at_most=bounds if most else None)


def count_of(bound: int | float, k: int, *, least: bool) -> int:
    """The count a bound stands for: shares of k are rounded up for a least, down for a most.

    >>> count_of(0.1, 500, least=True), count_of(1 / 3, 300, least=False), count_of(7, 500, least=True)
    (50, 100, 7)
    """
    if isinstance(bound, int):
        return bound
    share = Fraction(repr(bound))
    # 1/3 means a third: the simplest fraction that is this float, where a simple one is.
    simple = share.limit_denominator(10_000)
    exact = (simple if float(simple) == bound else share) * k
    return math.ceil(exact) if least else math.floor(exact)


class _Members:
    """Positions of each group, i64 increasing, from one sort."""

    def __init__(self, signal: Labels | Tags) -> None:
        codes = signal.codes
        if isinstance(signal, Tags):
            self.row: I64 | None = np.repeat(np.arange(len(signal)), np.diff(signal.indptr))
        else:
            self.row = None
        small = np.int16 if len(signal.names) < 2**15 else np.int32  # int16 is sorted by radix
        self.order = np.argsort(codes.astype(small), kind="stable")
        self.cuts = np.zeros(len(signal.names) + 1, np.int64)
        np.cumsum(np.bincount(codes, minlength=len(signal.names)), out=self.cuts[1:])

    def __getitem__(self, group: int) -> I64:
        entries = self.order[self.cuts[group] : self.cuts[group + 1]]
        return entries if self.row is None else self.row[entries]


def _groups_of(pool: Pool, by: str) -> Labels | Tags:
    found = pool.columns.get(by)
    if isinstance(found, Labels | Tags):
        return found
    have = sorted(name for name, s in pool.columns.items() if isinstance(s, Labels | Tags))
    what = f"no signal {by!r}" if found is None else f"signal {by!r} is {type(found).__name__}, not groups"
    raise ContractError(f"quota: {what}; the groups of this pool are in {have}")


def _each(bounds: Bounds | None, by: str, names: tuple[str, ...]) -> Iterator[tuple[int, int | float]]:
    if bounds is None:
        return
    if not isinstance(bounds, Mapping):
        yield from ((g, bounds) for g in range(len(names)))
        return
    code = {name: g for g, name in enumerate(names)}
    for name, bound in bounds.items():
        if name not in code:
            near = get_close_matches(name, names, n=3) or sorted(names)[:5]
            raise UsageError(
                f"quota: {by!r} has no group {name!r}; did you mean {', '.join(map(repr, near))}?"
                if near
                else f"quota: {by!r} has no group {name!r}; it has no groups at all"
            )
        yield code[name], bound


def _group(name: object) -> str:
    if not isinstance(name, str):
        raise UsageError(f"quota: groups are named by strings, found {name!r}")
    return str(name)


def _bound(given: object, by: str, side: str) -> int | float:
    where = f"Quota({by!r}): {side}"
    if isinstance(given, bool | np.bool_):
        raise UsageError(f"{where} must be a count (200) or a share (0.1), found {given!r}")
    if isinstance(given, float | np.floating):
        share = float(given)
        if not 0 <= share <= 1:
            raise UsageError(f"{where} {share:g} is no share: a float lies in [0, 1]; a count is an int")
        return share
    try:
        count = index(given)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"{where} must be a count (200) or a share (0.1), found {given!r}") from None
    if not 0 <= count <= 1 << 53:
        raise UsageError(f"{where} must lie between 0 and 2^53, found {count:.6g}")
    return count


EXAMPLES = (
    Quota("label", at_most=2),
    Quota("label", at_least={"a": 1}, at_most={"b": 0.5}),
    Quota("tags", at_least=0.1, at_most=3),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the share of bounds kept by random choices of 6 of 24 rows under overlapping tags."""
    kept = np.empty(40 * scale)
    rules = [Quota("tags", at_least={"a": 2, "b": 1}, at_most={"a": 3, "c": 2}), Quota("tags", at_least=1)]
    for i in range(len(kept)):
        held = rng.random((24, 4)) < 0.3
        held[:4] |= np.eye(4, dtype=bool)  # no tag is empty
        tags = Tags.of([[t for t, h in zip("abcd", row, strict=True) if h] for row in held])
        try:
            limits = bind(Pool.of({"tags": tags}), rules, 6)
        except NoWitness:
            kept[i] = 1.0
            continue
        kept[i] = 1 - len(limits.check(fill(limits, rng.permutation(24)))) / len(limits.rows)
    return kept


CLAIM = Claim(
    paper="El Halabi et al. 2020",
    says="taking only what can be completed ends in a choice that keeps least and most counts",
    we_show="random choices under overlapping tags keep all of them",
    not_shown="the value lost to the bounds",
    measure=claim,
    margin=1.0,
)
