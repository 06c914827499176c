"""Whether it helps: judged only by what the choice did not see.

Two ways a choice may be nothing better than chance are held apart, and a claim is made only against both.
(1) It could have been one of the random draws under the same limits: its rank among them.
(2) The set-aside column could have been shuffled over the rows: under a budget ours may be few dear rows and
draws many cheap ones, and a mean of few strays further, on pure noise too; shuffling shows how far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeAlias

import numpy as np

from shortlist.core.arrays import F32, F64, I32, I64
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Labels, Scores, Tags, Vectors
from shortlist.doors.asked import summary
from shortlist.doors.folds import Fold
from shortlist.measures.coverage import reach
from shortlist.measures.group_cover import even, share
from shortlist.measures.mean_score import means
from shortlist.measures.nearest import unit
from shortlist.measures.probe import axes, balance, predict
from shortlist.measures.significance import Contrast, both, contrast

#: Draws that stand for random under shuffling, and their members in all: the mean of 32 is as good as any.
DRAWS, MEMBERS = 32, 20_000
#: Members of shuffled choices that are looked up at once.
BATCH = 1 << 20
#: Shuffles of a column for a mean or a count, and for a probe, which is trained anew each time.
SHUFFLES, REFITS = 499, 199
#: A label of more groups than this is not probed but covered; so is one with fewer kept rows a group.
GROUPS, ROWS_A_GROUP = 50, 5
#: A probe has learned something where a shuffled label does as well no more often than this.
LEARNED = 0.025
#: The name that missing labels go by.
MISSING = "(missing)"

#: f64[s]: one number for each of s sets of positions, set i being flat[offsets[i] : offsets[i + 1]].
Values: TypeAlias = Callable[[I64, I64], F64]


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Ours, what it is compared with (positions of one pool), and which rows could have been taken."""

    ours: I64
    draws: tuple[I64, ...]
    tops: Mapping[str, I64]
    eligible: I64

    def flat(self) -> tuple[I64, I64]:
        """Ours, the tops and the draws end to end, each sorted, and where each begins."""
        sets = [np.sort(s) for s in (self.ours, *self.tops.values(), *self.draws)]
        offsets = np.zeros(len(sets) + 1, np.int64)
        np.cumsum([len(s) for s in sets], out=offsets[1:])
        return np.concatenate(sets), offsets


def score_help(name: str, scores: Scores, choices: Choices, seed: int, more: int) -> dict[str, Any]:
    """Mean of a set-aside score over the chosen rows. `more` multiplies the shuffles."""
    how = "mean over the chosen rows"
    if scores.missing is not None and scores.missing.any():
        without = int(scores.missing[choices.ours].sum())
        how += f"; {without:,} of {len(choices.ours):,} have no value and are left out"
    sign = 1.0 if scores.higher_is_better else -1.0
    return _on_the_pool(
        {"measure": f"mean {name}", "column": name, "how": how},
        lambda flat, offsets: means(scores, flat, offsets),
        choices,
        sign,
        generator(seed, "evidence", "shuffle", name),
        more,
    )


def group_help(name: str, groups: Labels | Tags, choices: Choices, seed: int, more: int) -> dict[str, Any]:
    """How many groups of a set-aside column are reached; how evenly, where k is ample to reach them all."""
    count = len(np.unique(groups.codes))
    ample = len(choices.ours) >= 10 * count
    measure = "evenness over the groups" if ample else "share of the groups reached"
    return _on_the_pool(
        {
            "measure": f"{measure} of {name}",
            "column": name,
            "how": f"{count:,} groups, {len(choices.ours):,} rows: "
            + (
                "effective number of groups (exp of the entropy of the shares) over their number"
                if ample
                else "groups with at least one chosen row over all groups"
            )
            + f" (a probe takes at most {GROUPS} groups, {ROWS_A_GROUP} kept rows each, and vectors)",
        },
        lambda flat, offsets: (even if ample else share)(groups, flat, offsets),
        choices,
        1.0,
        generator(seed, "evidence", "shuffle", name),
        more,
    )


def _on_the_pool(
    named: dict[str, Any], values: Values, choices: Choices, sign: float, rng: np.random.Generator, more: int
) -> dict[str, Any]:
    """A measure of the choice itself, which needs no rerun: the column was not seen."""
    found = values(*choices.flat())
    tops = dict(zip(choices.tops, found[1:].tolist(), strict=False))
    drawn = found[1 + len(tops) :]
    seen = contrast(sign * found[0], sign * drawn)
    times = (SHUFFLES + 1) * more - 1
    shuffled = _shuffled(lambda *sets: sign * values(*sets), choices, rng, times)
    named["how"] += f"; p is the larger of the ranks among {len(drawn):,} draws and {times:,} shuffles of it"
    return _record(named, found[0], drawn, tops, both(seen, shuffled), sign)


def _shuffled(values: Values, choices: Choices, rng: np.random.Generator, times: int) -> Contrast:
    """Ours less the mean of some draws, against the same with the column shuffled over the eligible rows.

    Shuffling the column is moving the choices: a shuffle needs no more than where their members land.
    """
    some = int(np.clip(MEMBERS // max(len(choices.ours), 1), 8, DRAWS))
    flat, offsets = Choices(choices.ours, choices.draws[:some], {}, choices.eligible).flat()
    members, member = np.unique(flat, return_inverse=True)
    null: list[F64] = []
    batch = max(1, BATCH // max(len(flat), 1))
    for a in range(0, times, batch):
        landed = [
            rng.choice(choices.eligible, len(members), replace=False)[member]
            for _ in range(min(batch, times - a))
        ]
        null.append(_ahead(values, np.concatenate(landed), offsets, len(landed)))
    return contrast(float(_ahead(values, flat, offsets, 1)[0]), np.concatenate(null))


def _ahead(values: Values, flat: I64, offsets: I64, times: int) -> F64:
    """f64[times]: the first of the sets less the mean of the others, `times` families of sets end to end."""
    starts = np.arange(times)[:, None] * offsets[-1] + offsets[:-1]
    found = values(flat, np.append(starts.ravel(), len(flat))).reshape(times, -1)
    return np.array([family[0] - _mean(family[1:]) for family in found])


def _mean(x: F64) -> float:
    there = x[~np.isnan(x)]
    return float(there.mean()) if len(there) else float("nan")


def cover_help(pool: Pool, by: str, folds: Sequence[Fold], how: str) -> dict[str, Any]:
    """Coverage of held-out rows, over all folds; every row counts alike."""
    vectors = pool.signal(by, Vectors)
    blocks = []
    for fold in folds:
        sets = [fold.ours, *fold.tops.values(), *fold.draws]
        best = reach(unit(vectors.values[fold.held]), vectors, sets, [np.array([len(s)]) for s in sets])
        blocks.append(np.concatenate(best))
    names = list(folds[0].tops)
    weight = np.array([len(f.held) for f in folds]) / sum(len(f.held) for f in folds)
    found = sum(w * b.mean(axis=1, dtype=np.float64) for w, b in zip(weight, blocks, strict=True))
    first = 1 + len(names)
    # Ours less the mean draw, row by row: how far would it differ on other held-out rows?
    variance = sum(
        w**2 * _variance(b[0] - b[first:].mean(axis=0)) / b.shape[1]
        for w, b in zip(weight, blocks, strict=True)
    )
    return _record(
        {
            "measure": "coverage of held-out rows",
            "column": None,
            "how": f"{how}; mean over the held-out rows of the largest cosine ({by}) to a chosen row",
        },
        float(found[0]),
        found[first:],
        dict(zip(names, found[1:].tolist(), strict=False)),
        contrast(float(found[0]), found[first:], sqrt(variance * _unjudged(pool, folds))),
        1.0,
    )


def _variance(x: F32) -> float:
    return float(np.var(x, ddof=1, dtype=np.float64)) if len(x) > 1 else 0.0


def _unjudged(pool: Pool, folds: Sequence[Fold]) -> float:
    """Share of the pool that was never held out: the finite population correction (Cochran 1977, eq. 2.8).

    Where every row was held out once there is no sampling of rows left, and the rank among draws is exact.
    """
    return 1.0 - sum(len(f.held) for f in folds) / len(pool)


def probed(labels: Labels, folds: Sequence[Fold]) -> bool:
    """Whether a label is judged by a probe: few groups, and enough kept rows in each rerun to learn them."""
    count = len(np.unique(labels.codes[labels.codes != _missing(labels)]))
    kept = min((len(f.ours) for f in folds), default=0)
    return 2 <= count <= GROUPS and kept >= ROWS_A_GROUP * count


def _missing(labels: Labels) -> int:
    return labels.names.index(MISSING) if MISSING in labels.names else -1


def probe_help(
    pool: Pool, by: str, name: str, labels: Labels, folds: Sequence[Fold], how: str, seed: int, more: int
) -> dict[str, Any]:
    """Balanced accuracy on held-out rows of a probe trained on the kept rows."""
    rows = np.sort(np.concatenate([f.held for f in folds]))
    x = axes(pool.signal(by, Vectors).take(rows), 64)
    task = _Task.of(x, labels, folds, rows)
    codes = labels.codes[rows]
    found, variance = task.scores(codes)
    first = 1 + len(folds[0].tops)
    rng = generator(seed, "evidence", "shuffle", name)
    null = np.array([task.ours(rng.permutation(codes)) for _ in range((REFITS + 1) * more - 1)])
    seen = contrast(found[0], found[first:], sqrt(variance * _unjudged(pool, folds)))
    # The second question here is whether the better of the two learned anything that a shuffled label
    # does not teach: on noise one choice may well be steadily right by luck.
    ours, random = contrast(found[0], null).better, contrast(_mean(found[first:]), null).better
    held = Contrast(
        difference=seen.difference,
        low=seen.low if ours <= LEARNED else min(seen.low, 0.0),
        high=seen.high if random <= LEARNED else max(seen.high, 0.0),
        better=max(seen.better, ours),
        worse=max(seen.worse, random),
    )
    return _record(
        {
            "measure": f"accuracy of a probe for {name}",
            "column": name,
            "how": f"{how}; ridge probe on p = {x.shape[1]} principal axes of {by}, shrunk by p / (p + kept "
            "rows), trained on the kept rows, balanced accuracy on the held-out rows"
            + (", rows without a label left out" if _missing(labels) >= 0 else "")
            + f"; p is the larger of the ranks among {len(folds[0].draws):,} draws and, of the probe itself, "
            f"among {len(null):,} shuffles of the label",
        },
        float(found[0]),
        found[first:],
        dict(zip(folds[0].tops, found[1:].tolist(), strict=False)),
        held,
        1.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Train and test positions (of x f64[n, p]) of every fold and choice: ours, tops, from `first` draws."""

    x: F64
    groups: int
    missing: int
    first: int
    test: tuple[I64, ...]
    tested: tuple[F64, ...]
    train: tuple[tuple[I64, ...], ...]

    @classmethod
    def of(cls, x: F64, labels: Labels, folds: Sequence[Fold], rows: I64) -> _Task:
        """`rows`: the positions, increasing, that the entries of x stand for."""
        train = tuple(
            tuple(np.sort(np.searchsorted(rows, s)) for s in (f.ours, *f.tops.values(), *f.draws))
            for f in folds
        )
        test = tuple(np.searchsorted(rows, f.held) for f in folds)
        return cls(
            x,
            len(labels.names),
            _missing(labels),
            1 + len(folds[0].tops),
            test,
            tuple(x[t] for t in test),
            train,
        )

    def ours(self, codes: I32) -> float:
        """Accuracy of ours alone, these being the labels."""
        return float(np.mean([self._right(codes, f, 0).sum() for f in range(len(self.test))]))

    def scores(self, codes: I32) -> tuple[F64, float]:
        """f64[choices] accuracies, and the variance over test rows of ours less the mean draw's."""
        folds = len(self.test)
        value, variance = np.zeros(len(self.train[0])), 0.0
        for f in range(folds):
            right = np.array([self._right(codes, f, c) for c in range(len(value))])
            value += right.sum(axis=1) / folds
            ahead = right[0] - right[self.first :].mean(axis=0)
            variance += _spread(ahead, codes[self.test[f]]) / folds**2
        return value, variance

    def _right(self, codes: I32, fold: int, choice: int) -> F64:
        """f64[t]: what each held-out row adds to the balanced accuracy."""
        train, test = self.train[fold][choice], self.test[fold]
        train = train[codes[train] != self.missing]
        kinds = codes[test]
        there = kinds != self.missing
        right = predict(self.x[train], codes[train], self.tested[fold], self.groups) == kinds
        weight = np.zeros(len(test))
        weight[there] = balance(kinds[there], self.groups)
        added: F64 = weight * right
        return added


def _spread(difference: F64, kinds: I32) -> float:
    """Variance of the sum of differences f64[t] over rows drawn anew within each kind."""
    count = np.bincount(kinds)
    total = np.bincount(kinds, difference)
    mean = total / np.maximum(count, 1)
    square = np.bincount(kinds, (difference - mean[kinds]) ** 2)
    return float(np.sum(square * count / np.maximum(count - 1, 1)))


def _record(
    named: dict[str, Any], ours: float, drawn: F64, tops: Mapping[str, float], seen: Contrast, sign: float
) -> dict[str, Any]:
    """One line of evidence in the unit of the measure; without its adjusted p and its verdict."""
    there = {name: float(v) for name, v in tops.items() if np.isfinite(v)}
    best = max(there, key=lambda name: sign * there[name], default=None)
    edges = sorted((sign * seen.low, sign * seen.high))
    return named | {
        "set_aside": named["column"] is not None,
        "ours": float(ours) if np.isfinite(ours) else None,
        "random": summary(drawn),
        "signals": there,
        "best_signal": None if best is None else {"name": best, "value": there[best]},
        "difference": sign * seen.difference,
        "interval": edges,
        "p": seen.better,
        "p_worse": seen.worse,
        "better": "higher" if sign > 0 else "lower",
    }
