"""Settle a recipe: fill in what the user left open, from the signals at hand, and say why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shortlist.core.contracts import Deduper, Encoder, Grapher, Objective, Solver
from shortlist.core.errors import UsageError
from shortlist.core.expression import expression
from shortlist.core.pool import Pool
from shortlist.core.recipe import Recipe
from shortlist.core.signals import Costs, Neighbors, Scores, Vectors
from shortlist.doors.along import parts as parts_of
from shortlist.doors.routing import coverage_for
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.knapsack import Knapsack
from shortlist.methods.constrain.separation import Separation
from shortlist.methods.dedup.exact_text import ExactText
from shortlist.methods.dedup.minhash import MinHash
from shortlist.methods.encode.lsa import LSA
from shortlist.methods.objective.group_coverage import GroupCoverage
from shortlist.methods.objective.modular import Modular
from shortlist.methods.solve.cost_benefit import CostBenefit
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from shortlist.methods.solve.suited_greedy import SuitedGreedy
from shortlist.store.loaded import Loaded

#: Name of the vectors that an encoder makes.
ENCODED = "encoded"
#: Name of the neighbours that a grapher finds.
GRAPH = "graph"
#: Signals that distances are in.
AWAY = Vectors | Scores | Costs | Neighbors
#: Bytes of the interpreter with its libraries and compiled kernels, measured.
BASE = 230 * 2**20
#: Every choice of so few rows is tried.
TINY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A recipe with nothing left open but the weights, which `balance` measures on the pool.

    k: how many rows at most; vectors: name of the vector signal the choice uses, '' if none; parts and
    shares: the default objective's parts and what each is worth, () where the user gave an objective;
    notes: (name, value) lines for the plan, each decision with its reason.
    """

    recipe: Recipe
    k: int
    vectors: str
    parts: tuple[Objective, ...]
    shares: tuple[float, ...]
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def encode(self) -> Encoder | None:
        """What makes vectors of text, None where the pool has vectors or no text."""
        return self.recipe.encode

    @property
    def drop(self) -> tuple[Deduper, ...]:
        """What leaves the pool before choosing, in order."""
        return self.recipe.drop or ()

    @property
    def graph(self) -> Grapher | None:
        """What finds the neighbours of every row, None where nobody asked for them."""
        return self.recipe.graph

    @property
    def solver(self) -> Solver:
        """The optimiser."""
        return self.recipe.solver or LazyGreedy()


def settle(recipe: Recipe, loaded: Loaded, memory: float) -> Settled:
    """Decide what the recipe leaves open.

    Args:
        recipe: as the user gave it.
        loaded: the pool and how its signals came to be.
        memory: bytes the work may take.

    Raises:
        UsageError: there is nothing to choose by, or no size and no budget.
    """
    pool = loaded.pool
    notes: list[tuple[str, str]] = []
    k = _size(recipe, pool)
    encode, vectors = _vectors(recipe, loaded, notes)
    drop = _drop(recipe, loaded, notes)
    _graph(recipe, pool, notes)
    parts: tuple[Objective, ...] = ()
    shares: tuple[float, ...] = ()
    if recipe.objective is not None:
        notes.append(("objective", expression(recipe.objective)))
    else:
        parts, shares = _parts(recipe, loaded, vectors, promised(pool, encode, vectors), k, memory, notes)
    _candidates(replace(recipe, drop=drop), pool, k, notes)
    _apart(recipe, with_neighbors(promised(pool, encode, vectors), recipe.graph))
    solver = recipe.solver or _solver(recipe, pool, notes)
    if recipe.solver is not None:
        notes.append(("solver", expression(recipe.solver)))
    return Settled(
        recipe=replace(recipe, encode=encode, drop=drop, solver=solver),
        k=k,
        vectors=vectors,
        parts=parts,
        shares=shares,
        notes=tuple(notes),
    )


def _candidates(recipe: Recipe, pool: Pool, k: int, notes: list[tuple[str, str]]) -> None:
    """Groups that the choice is measured by, or that duplicates are looked for in, are candidates too."""
    named = [getattr(f, "toward", "") for f in (parts_of(recipe.objective) if recipe.objective else ())]
    named += [getattr(d, "against", "") for d in recipe.drop or ()]
    bounds = [row for c in recipe.within for row in c.rows(pool, k) if row.kind == "quota"]
    for group in dict.fromkeys(n for n in named if n):
        if not any(row.high == 0 and row.text.startswith(f"{group}<") for row in bounds):
            notes.append(
                ("candidates", f"rows of {group!r} may be chosen too; --quota '{group}<=0' keeps them out")
            )


def _apart(recipe: Recipe, pool: Pool) -> None:
    """Signals of distances are looked for before anything is made."""
    for c in recipe.within:
        if isinstance(c, Separation) and c.by not in pool.columns:
            have = [name for name, s in pool.columns.items() if isinstance(s, AWAY)]
            raise UsageError(f"--within Separation: no signal {c.by!r}; distances are in {', '.join(have)}")


def _size(recipe: Recipe, pool: Pool) -> int:
    sizes = [c.k for c in recipe.within if isinstance(c, Cardinality)]
    if sizes:
        return min(*sizes, len(pool)) if len(sizes) > 1 else min(sizes[0], len(pool))
    if not any(row.kind == "knapsack" for c in recipe.within for row in c.rows(pool, len(pool))):
        raise UsageError("how many rows? give -k (a count or a share, 10%) or a --budget (tokens=20000)")
    return len(pool)


def _solver(recipe: Recipe, pool: Pool, notes: list[tuple[str, str]]) -> Solver:
    if len(pool) <= TINY:
        notes.append(("solver", f"Exhaustive(): {len(pool)} rows are few enough to try every choice"))
        return Exhaustive()
    if recipe.objective is not None:
        # Whether gains may be negative is known only when it is built; the default objective's never are.
        notes.append(
            (
                "solver",
                "SuitedGreedy(): greedy in the form that suits your objective; by gain per cost too within a "
                "budget, by random greedy too if gains may be negative, the better of both",
            )
        )
        return SuitedGreedy()
    if any(isinstance(c, Knapsack) for c in recipe.within):
        notes.append(("solver", "CostBenefit(): greedy by gain and by gain per cost, the better of both"))
        return CostBenefit()
    notes.append(("solver", "LazyGreedy(): greedy's own choice, with far fewer evaluations"))
    return LazyGreedy()


def _vectors(recipe: Recipe, loaded: Loaded, notes: list[tuple[str, str]]) -> tuple[Encoder | None, str]:
    given = loaded.named("vector")
    if given and recipe.encode is None:
        return None, given[0]
    texts = loaded.named("text")
    if recipe.encode is None and not texts:
        return None, ""
    encode = recipe.encode or LSA(by=texts[0])
    made = f"made from {encode.by!r} by"
    if recipe.encode is None:
        made += " the built-in encoder (no model):"
    notes.append(("vectors", f"{made} {expression(encode)}; methods call them {ENCODED!r}"))
    return encode, ENCODED


def _drop(recipe: Recipe, loaded: Loaded, notes: list[tuple[str, str]]) -> tuple[Deduper, ...]:
    if recipe.drop is not None:
        told = "; then ".join(expression(d) for d in recipe.drop)
        notes.append(("duplicates", f"dropped by {told}" if told else "stay: nothing is dropped"))
        return recipe.drop
    texts, scores = loaded.named("text"), loaded.named("score")
    if not texts:
        return ()
    keep = scores[0] if scores else ""
    notes.append(
        (
            "duplicates",
            f"equal and near-equal {texts[0]!r} are dropped; the copy "
            + (f"with the best {keep!r} is kept" if keep else "that comes first is kept"),
        )
    )
    return (ExactText(by=texts[0], keep=keep), MinHash(by=texts[0], threshold=0.8, keep=keep))


def _graph(recipe: Recipe, pool: Pool, notes: list[tuple[str, str]]) -> None:
    if recipe.graph is None:
        asks = [
            f
            for f in (parts_of(recipe.objective) if recipe.objective else ())
            if getattr(f, "by", None) == GRAPH
        ]
        if asks and GRAPH not in pool.columns:
            name = type(asks[0]).__name__
            vectors = next((v for v, s in pool.columns.items() if isinstance(s, Vectors)), ENCODED)
            raise UsageError(f'{name} reads a graph and there is none: add --graph "KNN({vectors!r})"')
        return
    if GRAPH in pool.columns:
        raise UsageError(f"the pool has a signal {GRAPH!r} already: rename it, or leave --graph out")
    most = f"up to {recipe.graph.neighbors} neighbours a row by {recipe.graph.by!r}"
    notes.append(("graph", f"{most}, found once, after duplicates have gone; methods call it {GRAPH!r}"))


def _parts(
    recipe: Recipe,
    loaded: Loaded,
    vectors: str,
    pool: Pool,
    k: int,
    memory: float,
    notes: list[tuple[str, str]],
) -> tuple[tuple[Objective, ...], tuple[float, ...]]:
    """Coverage of vectors and tags shares `diversity`; the scores share the rest."""
    cover: list[Objective] = [GroupCoverage(by=t) for t in loaded.named("tags")]
    scores: list[Objective] = [Modular(of=s) for s in loaded.named("score")]
    if vectors:
        # What the pool and the other parts leave: the most faithful form that fits is the one that is run.
        others = sum(f.need(pool, k).bytes for f in (*cover, *scores))
        location, reason = coverage_for(pool, vectors, k, memory - BASE - pool.nbytes - others)
        cover.insert(0, location)
        notes.append(("coverage", reason))
    if not cover and not scores:
        raise UsageError(
            "nothing to choose by: no text, vectors, tags or scores were found; name one with --text, "
            "--vector, --tags or --score"
        )
    diversity = recipe.diversity if cover and scores else float(bool(cover))
    notes.append(("weighing", _weighing(diversity, cover, scores)))
    shares = [diversity / max(len(cover), 1)] * len(cover) + [(1 - diversity) / max(len(scores), 1)] * len(
        scores
    )
    used = [(p, s) for p, s in zip([*cover, *scores], shares, strict=True) if s > 0]
    return tuple(p for p, _ in used), tuple(s for _, s in used)


def _weighing(diversity: float, cover: list[Objective], scores: list[Objective]) -> str:
    if not scores:
        return "coverage alone (no score to weigh it against)"
    if not cover:
        return "scores alone (nothing to cover)"
    return (
        f"diversity {diversity:g}: coverage {diversity:.0%}, scores {1 - diversity:.0%}; a part's unit is "
        "what it alone can gain over random at this size"
    )


def promised(pool: Pool, encode: Encoder | None, vectors: str) -> Pool:
    """The pool as it will be once encoded: zeros that are never touched stand in for the vectors."""
    if encode is None or not vectors:
        return pool
    d = int(getattr(encode, "d", 384))
    return pool.with_signal(vectors, Vectors(np.zeros((len(pool), d), np.float32)))


def with_neighbors(pool: Pool, graph: Grapher | None) -> Pool:
    """The pool as it will be with its graph: as many entries, all of similarity 0."""
    if graph is None:
        return pool
    n, b = len(pool), min(graph.neighbors, max(len(pool) - 1, 0))
    indices = np.broadcast_to(np.arange(b, dtype=np.int32), (n, b)).reshape(-1)
    entries = Neighbors(np.arange(n + 1, dtype=np.int64) * b, indices, np.zeros(n * b, np.float32))
    return pool.with_signal(GRAPH, entries)
