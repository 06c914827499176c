"""Laminar: least and most counts at every level of nested groups.

low_g <= |S and g| <= high_g for groups g of which any two are nested or apart.
Source: Fife and Oxley 2017, Laminar matroids, European J. Combin. 62, 206-216, arXiv:1606.08354.
Deviates: least counts too; shares are of k and rounded as in Quota.
Cost: O(n log n) once, then as Quota.
Memory: 8 bytes a row and level.
Guarantee: groups that cross are refused by name; a finished choice breaks no bound wherever some choice
breaks none.
Use it when groups have groups (domain, site, page) and each level has its bounds. Not when groups overlap
freely: several Quota do that; a partition matroid, one level with most counts, is Quota(by, at_most=m).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from shortlist.core.arrays import F64
from shortlist.core.claim import Claim
from shortlist.core.contracts import Row
from shortlist.core.errors import UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels
from shortlist.methods.constrain.quota import Bounds, Quota


@dataclass(frozen=True, slots=True)
class Laminar:
    """Bounds as in Quota for each of the signals `levels`, whose groups are nested (Labels or Tags).

    >>> Laminar(('domain', 'site'), at_most={'domain': 0.5, 'site': 20})
    Laminar(levels=('domain', 'site'), at_least=None, at_most={'domain': 0.5, 'site': 20})
    """

    levels: tuple[str, ...]
    _: KW_ONLY
    at_least: Mapping[str, Bounds] | None = None
    at_most: Mapping[str, Bounds] | None = None

    def __post_init__(self) -> None:
        levels = (self.levels,) if isinstance(self.levels, str) else tuple(self.levels)
        if not levels or not all(isinstance(x, str) for x in levels) or len(set(levels)) < len(levels):
            raise UsageError(f"Laminar: levels must be different signals by name, found {self.levels!r}")
        object.__setattr__(self, "levels", levels)
        for name in ("at_least", "at_most"):
            given = getattr(self, name)
            if given is None:
                continue
            if not isinstance(given, Mapping) or not set(given) <= set(levels):
                raise UsageError(f"Laminar: {name} must map levels {levels} to bounds, found {given!r:.80}")
            read = {by: getattr(Quota(by, **{name: bound}), name) for by, bound in given.items()}
            object.__setattr__(self, name, read)
        if not self.at_least and not self.at_most:
            raise UsageError("Laminar bounds nothing: give at_least or at_most")

    def rows(self, pool: Pool, k: int) -> list[Row]:
        """One inequality a bound.

        Raises:
            UsageError: two bounded groups cross (named, with how many rows show it), or a group is unknown.
            ContractError: no such signal, or one without groups.
        """
        out: list[Row] = []
        for by in self.levels:
            least, most = (self.at_least or {}).get(by), (self.at_most or {}).get(by)
            if least is not None or most is not None:
                out += Quota(by, at_least=least, at_most=most).rows(pool, k)
        _nested(out, pool)
        return out


def _nested(rows: Sequence[Row], pool: Pool) -> None:
    """Larger groups first: all rows of a group must then lie in one and the same smallest group so far."""
    inside = np.full(len(pool), -1, np.int64)
    order = sorted((i for i, r in enumerate(rows) if r.at is not None), key=lambda i: -_size(rows[i]))
    for place, i in enumerate(order):
        at = rows[i].at
        if at is None or not len(at):
            continue
        around = inside[at]
        if (around != around[0]).any():
            other = rows[order[int(around.max())]]
            assert other.at is not None
            both = len(np.intersect1d(at, other.at))
            raise UsageError(
                f"Laminar: the groups of {rows[i].text} and {other.text} cross: {both:,} rows are in both, "
                f"{len(at) - both:,} only in the first, {len(other.at) - both:,} only in the second; "
                "bound them by Quota instead"
            )
        inside[at] = place


def _size(row: Row) -> int:
    return 0 if row.at is None else len(row.at)


EXAMPLES = (
    Laminar(("label",), at_most={"label": 2}),
    Laminar(("source", "label"), at_least={"source": {"a": 1}}, at_most={"label": {"c": 1}}),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: rows taken by random fills under counts at two levels, as a share of the most that can be."""
    out = np.empty(40 * scale)
    for i in range(len(out)):
        fine = rng.integers(0, 6, 40).astype(np.int32)
        names = tuple("abcdef")
        pool = Pool.of({"fine": Labels(fine, names), "coarse": Labels(fine // 3, ("x", "y"))})
        rule = Laminar(("coarse", "fine"), at_most={"coarse": 7, "fine": 3})
        taken = fill(bind(pool, [rule], 40), rng.permutation(40))
        each = np.minimum(np.bincount(fine, minlength=6), 3)
        out[i] = len(taken) / sum(min(7, int(part.sum())) for part in (each[:3], each[3:]))
    return out


CLAIM = Claim(
    paper="Fife and Oxley 2017",
    says="most counts of nested groups make a matroid, so that all maximal choices are of one size",
    we_show="random choices under counts at two levels are as large as any can be",
    not_shown="least counts, which make no matroid",
    measure=claim,
    margin=1.0,
)
