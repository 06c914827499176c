"""Prefix: shares of groups that hold in every prefix of the choice's order.

floor(low_g t) <= rows of group g among the first t <= ceil(high_g t), for every t up to the choice's size.
Source: Celis, Straszak and Vishnoi 2018, Ranking with fairness constraints, ICALP, arXiv:1704.06840, sec. 2;
shares rounded towards what can be kept: Geyik, Ambler and Kenthapadi 2019, KDD, arXiv:1905.01989, sec. 3.
Deviates: rows are taken in order of gain; a row that would break a share now waits and may come later.
Cost: O(patterns of groups) a pick, O(1) a question.
Memory: 16 bytes a place and bounded group.
Guarantee: no prefix breaks a share. Where the next place can be filled by no row that is left the choice ends
there. With least counts a choice ends with all of them, or the run is refused.
Use it when the choice is read from the top and any first few must be mixed. Not when only the whole must be:
use Quota, which turns away less.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction

import numpy as np

from shortlist.core.arrays import F64, I64, Bool
from shortlist.core.claim import Claim
from shortlist.core.contracts import Cut, Order, Row
from shortlist.core.effects import Plan
from shortlist.core.errors import UsageError
from shortlist.core.fill import fill
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels
from shortlist.methods.constrain.quota import Bounds, Quota
from shortlist.methods.constrain.reading import number_text

#: No bound.
FREE = 1 << 60


@dataclass(frozen=True, slots=True)
class Prefix:
    """Shares of each group of `by` (Labels or Tags) in every prefix: numbers in [0, 1], one for all groups or
    one a group.

    >>> Prefix('source', at_most=0.5)
    Prefix(by='source', at_least=None, at_most=0.5)
    """

    by: str
    _: KW_ONLY
    at_least: Bounds | None = None
    at_most: Bounds | None = None

    def __post_init__(self) -> None:
        read = Quota(self.by, at_least=self.at_least, at_most=self.at_most)
        for name in ("at_least", "at_most"):
            bounds = getattr(read, name)
            given = bounds.values() if isinstance(bounds, dict) else [bounds]
            if any(isinstance(b, int) for b in given):
                raise UsageError(f"Prefix({self.by!r}): {name} must be shares (0.4, 1.0), found {bounds!r}")
            object.__setattr__(self, name, bounds)

    def rows(self, pool: Pool, k: int) -> list[Row]:  # noqa: ARG002  (no inequality says it)
        """None."""
        return []

    def rules(self, pool: Pool, k: int) -> Plan[list[Order]]:
        """One rule of order.

        Raises:
            UsageError: a group that the signal does not have.
            ContractError: no such signal, or one without groups.
        """
        yield from ()  # nothing to wait for
        shares: dict[str, list[Fraction | None]] = {}
        members: dict[str, I64] = {}
        for side, bounds in enumerate((self.at_least, self.at_most)):
            if bounds is None:
                continue
            one = Quota(self.by, at_least=bounds) if side == 0 else Quota(self.by, at_most=bounds)
            for row, share in zip(one.rows(pool, k), _each(one, bounds, pool), strict=True):
                name = row.text.rpartition(">=" if side == 0 else "<=")[0]
                shares.setdefault(name, [None, None])[side] = _simple(share)
                assert row.at is not None
                members[name] = row.at
        held = np.zeros((len(pool), len(members)), bool)
        for g, at in enumerate(members.values()):
            held[at, g] = True
        return [_bound(_text(self), held, tuple((a, b) for a, b in shares.values()), k)]


def exact(pool: Pool, rule: Prefix, at: I64) -> bool:
    """The definition, prefix by prefix, for one number a side over Labels."""
    signal, t = pool.signal(rule.by, Labels), 0
    low, high = (b if isinstance(b, float) else None for b in (rule.at_least, rule.at_most))
    for t in range(1, len(at) + 1):
        count = np.bincount(signal.codes[at[:t]], minlength=len(signal.names))
        if low is not None and (count < _simple(low) * t // 1).any():
            return False
        if high is not None and (count > -(-_simple(high) * t // 1)).any():
            return False
    return True


def _simple(share: float) -> Fraction:
    """1/3 means a third, 0.1 a tenth: the simplest fraction that is this float, where a simple one is."""
    exact_ = Fraction(repr(share))
    simple = exact_.limit_denominator(10_000)
    return simple if float(simple) == share else exact_


def _each(rule: Quota, bounds: Bounds, pool: Pool) -> list[float]:
    if isinstance(bounds, int | float):
        return [float(bounds)] * len(pool.columns[rule.by].names)  # type: ignore[attr-defined]
    return [float(b) for b in bounds.values()]


def _text(rule: Prefix) -> str:
    parts = []
    for sign, bounds in ((">=", rule.at_least), ("<=", rule.at_most)):
        if isinstance(bounds, float):
            parts.append(f"{sign}{number_text(bounds)}")
        elif bounds is not None and not isinstance(bounds, int):
            parts += [f":{g}{sign}{number_text(b)}" for g, b in bounds.items()]
    return f"every prefix {rule.by}" + ",".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """The rule bound.

    of i64[n]: the pattern of each row; held bool[P, G]: whether rows of a pattern are in a group; low, high
    i64[k + 1, G]: bounds of each prefix; shares: what they were made of.
    """

    text: str
    of: I64
    held: Bool
    low: I64
    high: I64
    shares: tuple[tuple[Fraction | None, Fraction | None], ...]
    kind: str = field(default="prefix", init=False)
    ordered: bool = field(default=True, init=False)

    @property
    def alike(self) -> I64:
        """Rows of one pattern."""
        return self.of

    def tied(self, at: int) -> I64:
        """This row alone: only counts matter."""
        return np.array([at])

    def start(self, had: I64) -> tuple[int, I64]:  # noqa: ARG002  (what was shown stands in no order)
        """No row, and none of each group."""
        return 0, np.zeros(self.held.shape[1], np.int64)

    def allows(self, state: tuple[int, I64], at: I64) -> Bool:
        """bool[m]: rows of patterns that leave every group within its bounds at the next place."""
        t, count = state
        if t + 1 >= len(self.low):
            return np.zeros(len(at), bool)
        lacks, full = count < self.low[t + 1], count >= self.high[t + 1]
        if len(at) < len(self.held):  # patterns of these rows alone
            held = self.held[self.of[at]]
            return np.array(~((full & held) | (lacks & ~held)).any(axis=1))
        fine = np.array(self.held[:, lacks].all(axis=1) & ~self.held[:, full].any(axis=1))
        ok: Bool = fine[self.of[at]]
        return ok

    def add(self, state: tuple[int, I64], at: int) -> tuple[int, I64]:
        """One place on."""
        return state[0] + 1, state[1] + self.held[self.of[at]]

    def shuts(self, at: int) -> I64:  # noqa: ARG002
        """None: rows only wait."""
        return np.empty(0, np.int64)

    def _room(self, at: I64) -> I64:
        """i64[m]: for each prefix how far the group nearest to a bound is from it, below 0 if past."""
        count = np.cumsum(self.held[self.of[at]], axis=0)
        t = np.arange(1, len(at) + 1)
        low = np.stack([_floor(a, t) for a, _ in self.shares], axis=1)
        high = np.stack([_ceil(b, t) for _, b in self.shares], axis=1)
        room: I64 = np.minimum(count - low, high - count).min(axis=1)
        return room

    def breaks(self, at: I64, had: I64) -> str:  # noqa: ARG002
        """Which prefix is the first to break a share."""
        if not len(at) or not self.shares:
            return ""
        bad = np.flatnonzero(self._room(at) < 0)
        return f"the first {int(bad[0]) + 1} rows break it" if len(bad) else ""

    def account(self, at: I64) -> tuple[float, float, float, bool]:
        """The least room that any prefix leaves to any group, in rows."""
        if not len(at) or not self.shares:
            return 0.0, 0.0, np.inf, False
        room = int(self._room(at).min())
        return float(room), 0.0, np.inf, room <= 0

    def cuts(self, at: I64, had: I64) -> list[Cut]:  # noqa: ARG002
        """None: it is no rule about sets."""
        return []

    def relaxed(self, at: I64, had: I64) -> str:  # noqa: ARG002
        """Nothing is said."""
        return ""

    def take(self, at: I64, k: int) -> Shares:
        """The same shares over rows at i64[b], for a choice of at most k."""
        return _bound(self.text, self.held[self.of[at]], self.shares, k)


def _bound(
    text: str, held: Bool, shares: tuple[tuple[Fraction | None, Fraction | None], ...], k: int
) -> Shares:
    t = np.arange(k + 1)
    if shares:
        low = np.stack([_floor(a, t) for a, _ in shares], axis=1)
        high = np.stack([_ceil(b, t) for _, b in shares], axis=1)
        kinds, of = np.unique(held, axis=0, return_inverse=True)
    else:
        low = high = np.zeros((k + 1, 0), np.int64)
        kinds, of = np.zeros((1, 0), bool), np.zeros(len(held), np.int64)
    return Shares(text, of.reshape(-1).astype(np.int64), kinds, low, high, shares)


def _floor(share: Fraction | None, t: I64) -> I64:
    if share is None:
        return np.zeros(len(t), np.int64)
    return np.array([int(share * int(x)) for x in t], np.int64)


def _ceil(share: Fraction | None, t: I64) -> I64:
    if share is None:
        return np.full(len(t), FREE)
    return np.array([-int(-share * int(x) // 1) for x in t], np.int64)


EXAMPLES = (Prefix("label", at_most=0.5), Prefix("tags", at_least={"a": 0.25}, at_most={"b": 0.5}))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: the least room that any prefix of a random choice of 24 of 60 rows leaves to a group."""
    out = np.empty(20 * scale)
    rule = Prefix("label", at_least={"a": 0.3}, at_most=0.5)
    for i in range(len(out)):
        pool = Pool.of({"label": Labels(rng.integers(0, 3, 60).astype(np.int32), tuple("abc"))})
        limits = bind(pool, [rule], 24)
        out[i] = limits.rules[0].account(fill(limits, rng.permutation(60)))[0]
    return out


CLAIM = Claim(
    paper="Celis, Straszak and Vishnoi 2018",
    says="rankings can be held to bounds on groups in every prefix",
    we_show="no prefix of random choices passes a bound",
    not_shown="that the best such ranking is found",
    measure=claim,
    margin=0.0,
)
