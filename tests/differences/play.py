"""How a comparison is judged: the function first, then the choice, each against the definition.

Two greedy orders may differ and both be right, where rows are tied. So a choice is replayed: at each step the
pick must have the largest gain by the definition. What is not right must have a cause that the case can show;
"?" is a disagreement that nobody has explained, and fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from shortlist.core.effects import alone
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Vectors
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy

#: What counts as equal, of the larger of 1 and the number: peers hold similarities in float32.
NEAR = 2e-5
#: The same of gains that a peer adds up in float32.
TOLD = 1e-3
#: Verdicts that need no explanation.
SAME, TIE, STOPS = "same", "same but for ties", "we stop where nothing is gained"


class Seen(NamedTuple):
    """One comparison: 'values' or 'choice', and the verdict."""

    case: str
    what: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Match:
    """One objective on one pool, and a peer's.

    worth: ours on the peer's scale; value and order: the peer's (or why it has none); told: rows in order
    with the gains the peer reports, where it can be asked for no other; why: the cause of a wrong value of a
    set, or of a wrong step (rows so far, pick), or '?'; apiece: what `worth` has a row beside our gains.
    """

    n: int
    ours: list[int]
    worth: Callable[[Sequence[int]], float]
    value: Callable[[list[int]], float] | None
    order: Callable[[], list[int]] | str | None
    told: tuple[list[int], list[float]] | None = None
    why: Callable[[list[int], int | None], str] = lambda rows, pick: "?"
    apiece: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A comparison with a name, drawn from a seed."""

    name: str
    match: Callable[[np.random.Generator], Match]

    def seen(self, seed: int) -> Iterator[Seen]:
        """The verdicts of one pool."""
        rng = np.random.default_rng(seed)
        match = self.match(rng)
        worth = cache(lambda rows: match.worth(rows))
        if match.value is not None:
            for _ in range(4):
                rows = rng.permutation(match.n)[: rng.integers(1, match.n + 1)].tolist()
                agree = near(worth(tuple(rows)), match.value(rows))
                yield Seen(self.name, "values", SAME if agree else match.why(rows, None))
        if match.told is not None:
            order, gains = match.told
            ours = [worth(tuple(order[: t + 1])) - worth(tuple(order[:t])) for t in range(len(order))]
            agree = all(abs(a - b) <= TOLD * max(1.0, abs(b)) for a, b in zip(ours, gains, strict=True))
            yield Seen(self.name, "gains", SAME if agree else match.why(order, None))
        if isinstance(match.order, str):
            yield Seen(self.name, "choice", match.order)
        elif match.order is not None:
            yield Seen(self.name, "choice", judged(match, match.order(), worth))


def near(a: float, b: float) -> bool:
    return bool(abs(a - b) <= NEAR * max(1.0, abs(a), abs(b)))


def judged(match: Match, theirs: list[int], worth: Callable[[tuple[int, ...]], float]) -> str:
    """The verdict on two orders of choice."""
    first_wrong(match.n, match.ours, worth, "ours")
    wrong = first_wrong(match.n, theirs, worth, "")
    if wrong is not None:
        return match.why(theirs[:wrong], theirs[wrong])
    if len(match.ours) < len(theirs):
        rows = tuple(match.ours)
        rest = [worth((*rows, j)) - worth(rows) for j in range(match.n) if j not in rows]
        assert max(rest) - match.apiece <= NEAR, f"we stopped at {rows}, and there was more to gain"
        return STOPS
    return SAME if theirs == match.ours else TIE


def first_wrong(n: int, order: list[int], worth: Callable[[tuple[int, ...]], float], mine: str) -> int | None:
    """The first step at which another row gains more, or a row is taken again. Ours must have none."""
    for t, pick in enumerate(order):
        rows = tuple(order[:t])
        if pick not in rows:
            gains = {j: worth((*rows, j)) - worth(rows) for j in range(n) if j not in rows}
            if gains[pick] >= max(gains.values()) - NEAR * max(1.0, abs(worth(rows))):
                continue
        assert not mine, f"our pick {pick} after {rows} is not the best"
        return t
    return None


def drawn(rng: np.random.Generator, least: int = 3, positive: bool = False) -> np.ndarray:
    """f32[n, d] of few rows and few values: ties, zero rows, copies, opposites; or of many values."""
    n, d = int(rng.integers(least, 10)), int(rng.integers(1, 5))
    low = 0 if positive else -1
    kinds = (
        lambda: rng.integers(low, 2, (n, d)),
        lambda: rng.integers(low, 2, (max(n // 2, 1), d))[rng.integers(0, max(n // 2, 1), n)],
        lambda: rng.normal(size=(n, d)),
        lambda: np.where(rng.random((n, 1)) < 0.4, 0, rng.normal(size=(n, d))),
    )
    x = np.asarray(kinds[rng.integers(len(kinds))](), np.float32)
    return np.abs(x) if positive else x


def cosines(x: np.ndarray) -> np.ndarray:
    """f64[n, n]; 0 of a zero row, to itself too."""
    rows = x.astype(np.float64)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norm > 0, norm, 1)
    found = unit @ unit.T
    return np.clip(np.where(abs(found) < 1e-12, 0, found), -1, 1)


def pool_of(x: np.ndarray, group: np.ndarray | None = None, **more: Any) -> Pool:
    """Rows with their vectors, and in group 'q' where `group` says so."""
    found = Labels(np.zeros(len(x), np.int32) if group is None else group.astype(np.int32), ("rest", "q"))
    return Pool.of({"vec": Vectors(x), "split": found, **more})


def chosen(objective: Any, pool: Pool, k: int) -> list[int]:
    """What our solver takes, in order."""
    built = alone(objective.build(pool), pool)
    solver = LazyGreedy() if built.submodular else Greedy()
    return solver(built, bind(pool, (), k), pool).rows.tolist()


def valued(objective: Any, pool: Pool, scale: float, apiece: float = 0.0) -> Callable[[Sequence[int]], float]:
    """Ours by its definition, times scale, and so much a row."""

    def worth(rows: Sequence[int]) -> float:
        at = np.array(rows, np.int64)
        return float(objective.value(pool, at).sum()) * scale + apiece * len(at) if len(at) else 0.0

    return worth
