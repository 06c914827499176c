"""Entropy of group counts: the groups of the chosen rows, over one signal or several, should be met evenly.

    f(S) = sum over signals j of H(c_j(S)), H(c) = -sum over groups g of (c_g / N) log(c_g / N), N = sum of c;
    with `utopia`: |U| - |U - (H(c_1(S)), ..., H(c_J(S)))|, U_j = log of the groups of signal j in the pool

Source: Delmas, Wysocka & Freitas 2023, "Relation Extraction in underexplored biomedical domains: A
diversity-optimised sampling and synthetic data generation approach", arXiv:2311.06364 (the greedy maximum
entropy sampler); public code: https://github.com/idiap/gme-sampler.
Deviates: distance to the utopia point is turned into what has been gained on it. The public code rounds
    entropies to five digits; ties are the house's here. A candidate sample is a solver's business
    (StochasticGreedy). Natural logarithms, as theirs.
Cost: O(nnz) for the gains of all rows, O(groups) an added row.
Memory: 24 bytes an entry of the signals, 8 bytes a group and a state.
Guarantee: exact; not monotone and not submodular (a row of a group that is there already lowers the entropy,
    and may be worth more later), so greedy has no guarantee, lazy solvers refuse it, and greedy stops before
    a pick that does harm.
Use it when: chosen rows should be balanced over many groups of several kinds at once, rare ones included.
Not when: a guarantee or exactly k rows are wanted (GroupCoverage), or the shares are fixed (Quota).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np

from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.climb import climb
from shortlist.core.contracts import Need
from shortlist.core.effects import Plan, alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Tags, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class CountEntropy:
    """Shannon entropy of group counts, in nats.

    Args:
        of: names of signals: Labels and Tags count rows, Terms count by their weights. One name will do.
        utopia: pull all entropies to their largest values together instead of adding them up: a signal
            that is far behind then counts more.
        binarised: Terms count rows too, whatever their weights.
    """

    of: Sequence[str] = field(default=("label",), kw_only=False)
    utopia: bool = False
    binarised: bool = False

    def __post_init__(self) -> None:
        of = (self.of,) if isinstance(self.of, str) else self.of
        if not isinstance(of, Sequence) or not of or not all(isinstance(name, str) for name in of):
            raise UsageError(f"CountEntropy: of must list signals: ('label', 'source'), found {self.of!r}")
        if len(set(of)) < len(of):
            raise UsageError(f"CountEntropy: a signal is listed twice in {tuple(of)}")
        object.__setattr__(self, "of", tuple(of))

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the signals, or of the one distance."""
        return ("utopia",) if self.utopia else tuple(self.of)

    def need(self, pool: Pool, k: int) -> Need:
        """The entries of all signals with weights, a pass over them a step, counts for two states."""
        held = [_held(pool, name, self.binarised) for name in self.of]
        entries, groups = sum(len(h.codes) for h in held), sum(h.groups for h in held)
        return Need(
            bytes=100.0 * entries + 60.0 * groups + (100.0 + 24.0 * len(held)) * len(pool),
            flops=60.0 * (entries + groups) * (k + 1.0),
        )

    def build(self, pool: Pool) -> Plan[BuiltEntropy]:
        """Bind to the groups of this pool."""
        yield from ()
        held = tuple(_held(pool, name, self.binarised) for name in self.of)
        return BuiltEntropy(held, most(held) if self.utopia else None, self.terms)

    def value(self, pool: Pool, at: I64) -> F64:
        """f64[T]: the definition, from counts."""
        held = tuple(_held(pool, name, self.binarised) for name in self.of)
        return exact(held, at, self.utopia)


class Held(NamedTuple):
    """Groups of rows, CSR: indptr i64[n+1], codes i64[z], weight f64[z] >= 0; the number of groups; ones: all
    weights are 1."""

    indptr: I64
    codes: I64
    weight: F64
    groups: int
    ones: bool


class State(NamedTuple):
    """For each signal: counts f64[g], their sum, and the sum of c log c."""

    counts: tuple[F64, ...]
    total: tuple[float, ...]
    folded: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BuiltEntropy:
    """Bound to the signals; utopia f64[J], the largest entropies, or None to add them up."""

    held: tuple[Held, ...]
    utopia: F64 | None
    terms: tuple[str, ...]
    submodular: bool = False
    monotone: bool = False
    exact: bool = True

    def __len__(self) -> int:
        return len(self.held[0].indptr) - 1

    def start(self) -> State:
        """Nobody in any group."""
        return _state(tuple(np.zeros(h.groups) for h in self.held))

    def gains(self, state: State, at: I64) -> F64:
        """f64[b, T]: entropies with each row less those without, or what is gained on the utopia point."""
        now = np.array([_entropy(t, f) for t, f in zip(state.total, state.folded, strict=True)])
        after = np.stack([self._with(state, j, at) for j in range(len(self.held))], axis=1)
        if self.utopia is None:
            more: F64 = after - now
            return more
        return (_length(self.utopia - now) - _length(self.utopia - after))[:, None]

    def _with(self, state: State, j: int, at: I64) -> F64:
        """f64[b]: the entropy of signal j with each row: only the groups it holds change."""
        held, counts = self.held[j], state.counts[j]
        size = held.indptr[at + 1] - held.indptr[at]
        owner = np.repeat(np.arange(len(at)), size)
        entry = np.arange(len(owner)) + np.repeat(held.indptr[at] - (np.cumsum(size) - size), size)
        codes, more = held.codes[entry], held.weight[entry]
        if held.ones and held.groups < len(entry):  # a logarithm a group, not one an entry: the same bits
            grown = (_clogc(counts + 1.0) - _clogc(counts))[codes]
        else:
            grown = _clogc(counts[codes] + more) - _clogc(counts[codes])
        # bincount adds in entry order, so that no row depends on the others
        new = np.bincount(owner, more, len(at)).astype(np.float64, copy=False) + state.total[j]
        change = np.bincount(owner, grown, len(at))
        return _entropy(new, change.astype(np.float64, copy=False) + state.folded[j])

    def add(self, state: State, at: int) -> State:
        """One row more in its groups. Sums are taken afresh: they do not depend on the order of choice."""
        counts = []
        for held, before in zip(self.held, state.counts, strict=True):
            entries, after = slice(*held.indptr[at : at + 2]), before.copy()
            after[held.codes[entries]] += held.weight[entries]
            counts.append(after)
        return _state(tuple(counts))


def _state(counts: tuple[F64, ...]) -> State:
    folded = tuple(float(_clogc(c).sum()) for c in counts)
    return State(counts, tuple(float(c.sum()) for c in counts), folded)


def _clogc(c: F64) -> F64:
    """c log c, 0 for 0."""
    return c * np.log(np.where(c > 0, c, 1.0))


def _entropy(total: F64 | float, folded: F64 | float) -> F64:
    """log N - (sum of c log c) / N, 0 at least and for N = 0."""
    n = np.where(np.asarray(total) > 0, total, 1.0)
    return np.maximum(np.log(n) - np.where(np.asarray(total) > 0, folded, 0.0) / n, 0.0)


def _length(x: F64) -> F64:
    """Euclidean length along the last axis, column by column."""
    total = np.zeros(x.shape[:-1])
    for j in range(x.shape[-1]):
        total = total + x[..., j] ** 2
    return np.sqrt(total)


def most(held: Sequence[Held]) -> F64:
    """f64[J]: log of how many groups of each signal any row holds."""
    return np.log([max(1, len(np.unique(h.codes[h.weight > 0]))) for h in held])


def _held(pool: Pool, name: str, binarised: bool) -> Held:
    found = pool.columns.get(name)
    match found:
        case Labels(codes=codes, names=names):
            return Held(
                np.arange(len(codes) + 1), codes.astype(np.int64), np.ones(len(codes)), len(names), True
            )
        case Tags(indptr=indptr, codes=codes, names=names):
            return Held(indptr, codes.astype(np.int64), np.ones(len(codes)), len(names), True)
        case Terms(indptr=indptr, indices=indices, data=data, width=width):
            weight = (data > 0).astype(np.float64) if binarised else data.astype(np.float64)
            return Held(indptr, indices.astype(np.int64), weight, width, binarised and bool((data > 0).all()))
    if found is None:
        raise ContractError(f"no signal {name!r}; this pool has {sorted(pool.columns)}")
    raise ContractError(f"signal {name!r} is {type(found).__name__}; Labels, Tags or Terms are needed")


def exact(held: Sequence[Held], at: I64, utopia: bool) -> F64:
    """f64[T]: the definition, from the counts of rows `at`."""
    entropies = np.zeros(len(held))
    for j, h in enumerate(held):
        counts = np.zeros(h.groups)
        for row in at:
            for e in range(h.indptr[row], h.indptr[row + 1]):
                counts[h.codes[e]] += h.weight[e]
        share = counts[counts > 0] / (counts.sum() or 1.0)
        entropies[j] = -(share * np.log(share)).sum() + 0.0
    if not utopia:
        return entropies
    best = most(held)
    return np.array([np.linalg.norm(best) - np.linalg.norm(best - entropies)])


EXAMPLES = (
    CountEntropy("label"),
    CountEntropy(("tags", "source")),
    CountEntropy(("label", "tags"), utopia=True),
)


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: for 4 of 12 rows with Zipf labels of two kinds, greedy's share of the largest entropy over 0.9;
    at most the standard errors by which greedy is above random fours on the whole, over 3."""
    margins = np.empty(200 * scale)
    sets = np.array(list(combinations(range(12), 4)))
    above = np.empty(len(margins))
    for i in range(len(margins)):
        codes = np.minimum(rng.zipf(1.6, (2, 12)) - 1, 7).astype(np.int32)
        a, b = (Labels(c, tuple(map(str, range(8)))) for c in codes)
        pool = Pool.of({"a": a, "b": b})
        counts = np.stack([(c[sets][:, :, None] == np.arange(8)).sum(axis=1) for c in codes])
        every = (np.log(4) - _clogc(counts.astype(np.float64)).sum(axis=2) / 4).sum(axis=0)
        f = CountEntropy(("a", "b"))
        ours = float(f.value(pool, climb(alone(f.build(pool)), 4)).sum())
        margins[i] = ours / every.max() / 0.9 if every.max() > 0 else 1 / 0.9
        above[i] = ours - every.mean()
    z = float(above.mean() / (above.std() / np.sqrt(len(above)) + 1e-12))
    return np.minimum(margins, z / 3).astype(np.float64)


CLAIM = Claim(
    paper="Delmas, Wysocka & Freitas 2023",
    says="greedy choice of the largest entropy makes a sample diverse in all its attributes",
    we_show="of 200 choices of 4 of 12: nine tenths of the best on average, over 3 sigma above random",
    not_shown="that models trained on the sample extract relations better",
    measure=claim,
    margin=1.0,
)
