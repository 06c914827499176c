"""The curate door: from a pool that was read to a choice with its evidence. Wiring only."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from shortlist.core.account import broken_shares
from shortlist.core.arrays import F32, I64
from shortlist.core.choice import Choice, Trace
from shortlist.core.contracts import Approximate, Built, Deduper, Encoder, Grapher, Limits, Objective
from shortlist.core.drops import Drops
from shortlist.core.effects import Plan
from shortlist.core.errors import UsageError
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.recipe import Recipe
from shortlist.core.signals import Neighbors, Text, Vectors
from shortlist.doors.along import in_proportion
from shortlist.doors.asked import ended
from shortlist.doors.balance import balance
from shortlist.doors.evidence import evidence
from shortlist.doors.explain import explain
from shortlist.doors.preview import preview
from shortlist.doors.routing import resized
from shortlist.doors.settle import GRAPH, Settled, settle
from shortlist.doors.why import Facts, why
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.feasible import settle as feasible
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.objective.weighted_sum import Sum
from shortlist.methods.solve.repair import Repair
from shortlist.run.driver import Local, Progress, run, serial_blas
from shortlist.run.stages import Arrays, Stages
from shortlist.store.limits import default_memory
from shortlist.store.loaded import Loaded

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How to work, none of which changes the answer but `seed`.

    memory: bytes that may be used, 0 for most of what is free; draws: random sets the choice is compared
    with.
    """

    seed: int = 0
    draws: int = 200
    memory: float = 0.0
    on: Local = field(default_factory=Local)
    progress: Progress | None = None
    stages: Stages = field(default_factory=lambda: Stages(None, {}))

    @property
    def limit(self) -> float:
        """Bytes that may be used."""
        return self.memory or float(default_memory())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curation:
    """The answer of `curate`. `recipe` has nothing left open: run again, it gives the same rows."""

    loaded: Loaded
    recipe: Recipe
    pool: Pool
    result: Choice
    dropped: tuple[Drops, ...]
    evidence: dict[str, Any]
    preview: dict[str, Any]
    facts: Facts

    def why(self, id: str) -> dict[str, Any]:
        """Why the row with this id was chosen or was not, as `shortlist why --json` prints it."""
        return why(self.facts, id)

    @property
    def ids(self) -> list[str]:
        """Ids of the chosen rows, in order of choice."""
        return [self.loaded.ids[int(r)] for r in self.result.rows]

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write the result folder that `shortlist curate -o` writes; `why` and `verify` read it."""
        from shortlist.doors.result import write  # which knows this class

        write(self, Path(folder), {**self.loaded.request, "seed": self.preview["seed"]})

    def report(self, path: str | os.PathLike[str]) -> None:
        """Write the report alone, one HTML file."""
        from shortlist.doors.result import write_report

        write_report(self, Path(path))


def curate(
    recipe: Recipe,
    loaded: Loaded,
    *,
    seed: int = 0,
    draws: int = 200,
    memory: float = 0.0,
    on: Local | None = None,
    progress: Progress | None = None,
) -> Curation:
    """Choose from a pool by a recipe, and judge the choice.

    Args:
        recipe: what to choose by; open parts are settled from the pool.
        loaded: the answer of `read`.
        seed: of everything random.
        draws: random sets the choice is compared with.
        memory: bytes that may be used, 0 for most of what is free.
        on: where to run; never changes the answer.
        progress: told of each scan's advance.

    Raises:
        InfeasibleError: the constraints cannot hold together.
        MemoryRefused: no method fits the memory.
        UsageError: there is nothing to choose by.
    """
    work = Work(seed=seed, draws=draws, memory=memory, on=on or Local(), progress=progress)
    settled = settle(recipe, loaded, work.limit)
    return carry_out(settled, loaded, preview(settled, loaded, work.limit, seed), work)


def carry_out(settled: Settled, loaded: Loaded, plan: dict[str, Any], work: Work) -> Curation:
    """Everything after the plan: encode, drop, choose, judge, gather the reasons."""
    with serial_blas():
        pool, dropped = prepare(settled, loaded, work)
        plan = _with_recall(plan, settled, pool, work)
        objective = objective_of(settled, pool, work)
        built = _run(objective.build(pool), pool, work)
        limits, choice = chosen(settled, built, pool, loaded, work)
        judged = _judge(settled, objective, built, pool, limits, choice, loaded, work)
        facts = _facts(settled, loaded, pool, built, limits, choice, dropped, work)
        left = facts.arrays["gain_last"][pool.rows].sum(axis=1)
        if any(isinstance(c, Cardinality) for c in settled.recipe.within):
            wanted = min(settled.k, len(pool))
            reason = ended(limits, wanted, np.searchsorted(pool.rows, choice.rows), left)
            judged["asked"]["size"] |= {"asked": wanted, "ended": reason}
    return Curation(
        loaded=loaded,
        recipe=replace(settled.recipe, objective=objective),
        pool=pool,
        result=choice,
        dropped=dropped,
        evidence=judged,
        preview=plan,
        facts=facts,
    )


def prepare(settled: Settled, loaded: Loaded, work: Work) -> tuple[Pool, tuple[Drops, ...]]:
    """The candidates: encoded, without what the droppers drop, with their graph. Rows the user named stay."""
    pool = loaded.pool
    if settled.encode is not None and settled.vectors:
        encode = settled.encode
        encoded = work.stages.do("encode", lambda: {"values": _encoded(encode, pool, work)})
        pool = pool.with_signal(settled.vectors, Vectors(np.ascontiguousarray(encoded["values"])))
    named = [c.of for c in settled.recipe.within if isinstance(c, Include | Exclude | Shown)]
    stay = np.array(sorted({r for rows in named for r in rows}), np.int64)
    dropped: list[Drops] = []
    for i, method in enumerate(settled.drop):
        found = _dropped(i, method, pool, work).without(stay)
        dropped.append(found)
        if len(found):
            pool = pool.take(np.flatnonzero(~np.isin(pool.rows, found.rows)))
    if settled.graph is not None:
        pool = pool.with_signal(GRAPH, _neighbors(settled.graph, pool, work))
    return pool, tuple(dropped)


def _encoded(encode: Encoder, pool: Pool, work: Work) -> F32:
    made = _run(encode.steps(pool), pool, work)
    if not isinstance(made, Vectors):
        raise UsageError(f"{type(encode).__name__} makes {type(made).__name__}; vectors are needed: use LSA")
    return made.values


def _neighbors(graph: Grapher, pool: Pool, work: Work) -> Neighbors:
    def search() -> Arrays:
        made = _run(graph.steps(pool), pool, work)
        if not isinstance(made, Neighbors):
            name = type(graph).__name__
            raise UsageError(f"{name} makes {type(made).__name__}; a graph is needed: use KNN")
        return {"indptr": made.indptr, "indices": made.indices, "data": made.data}

    kept = work.stages.do("graph", search)
    return Neighbors(kept["indptr"], kept["indices"], kept["data"])


def _with_recall(plan: dict[str, Any], settled: Settled, pool: Pool, work: Work) -> dict[str, Any]:
    """The plan, with how good an approximate graph turned out to be."""
    graph = settled.graph
    if not isinstance(graph, Approximate):
        return plan
    found = pool.signal(GRAPH, Neighbors)
    kept = work.stages.do("recall", lambda: {"recall": np.array(graph.recall(pool, found))})
    line = {"name": "graph recall", "value": f"{float(kept['recall']):.1%} of true neighbours, on a sample"}
    return plan | {"lines": [*plan["lines"], line]}


def _run(plan: Plan[T], pool: Pool, work: Work) -> T:
    return run(plan, pool, on=work.on, progress=work.progress).result


def _dropped(i: int, method: Deduper, pool: Pool, work: Work) -> Drops:
    def search() -> Arrays:
        d = _run(method.steps(pool), pool, work)
        if not isinstance(d, Drops):
            name = type(method).__name__
            raise UsageError(
                f"--drop: {name} finds {type(d).__name__}, not duplicates: use ExactText or Cosine"
            )
        return {"rows": d.rows, "of": d.of, "similarity": d.similarity, "why": np.array(d.why)}

    kept = work.stages.do(f"drop-{i}", search)
    return Drops(kept["rows"], kept["of"], kept["similarity"], str(kept["why"]))


def chosen(
    settled: Settled, built: Built, pool: Pool, loaded: Loaded, work: Work
) -> tuple[BoundLimits, Choice]:
    """The choice and the limits it keeps.

    Shares are of the size asked for. Where the choice ends early they are brought to its own size, if that
    costs a tenth of its rows at most: where quotas alone end it (ten groups of 5% each), no size would do.

    Raises:
        InfeasibleError: the constraints cannot hold together; rows are named by the ids of the user.
    """
    within = settled.recipe.within

    def of_size(k: int) -> tuple[BoundLimits, Choice]:
        limits = feasible(
            pool, within, k, call=lambda r: loaded.ids[r], run=lambda plan, over: _run(plan, over, work)
        )
        choice = _choice(settled, built, limits, pool, work)
        broken = limits.check(np.searchsorted(pool.rows, choice.rows))
        if broken:
            name = type(settled.solver).__name__
            raise UsageError(f"--solver {name} does not keep {broken[0]}: use LazyGreedy() or Greedy()")
        return limits, choice

    first = limits, choice = of_size(min(settled.k, len(pool)))
    least = 0.9 * len(choice)
    while len(choice) < limits.k and broken_shares(pool, within, np.searchsorted(pool.rows, choice.rows)):
        limits, choice = of_size(len(choice))
        if len(choice) < least:
            return first
    return limits, choice


def objective_of(settled: Settled, pool: Pool, work: Work) -> Objective:
    """The user's objective, or the default parts at weights measured on the pool."""
    if settled.recipe.objective is not None:
        return settled.recipe.objective
    if len(settled.parts) == 1:
        return settled.parts[0]
    weights = work.stages.do(
        "weigh",
        lambda: {"w": balance(settled.parts, settled.shares, pool, min(settled.k, len(pool)), work.seed)},
    )
    # Only their ratios matter: the first part, which is coverage if there is any, keeps its own unit.
    scaled = weights["w"] / weights["w"][0]
    return Sum(settled.parts, weights=tuple(float(f"{w:.6g}") for w in scaled))


def _choice(settled: Settled, built: Built, limits: Limits, pool: Pool, work: Work) -> Choice:
    def choose() -> Arrays:
        c = settled.solver(built, limits, pool)
        arrays: dict[str, np.ndarray] = {"rows": c.rows, "gains": c.gains, "parts": c.parts}
        if c.bound is not None:
            arrays["bound"] = np.array(c.bound)
        if c.trace is not None:
            arrays |= {f.name: getattr(c.trace, f.name) for f in fields(Trace)}
        return arrays

    kept = work.stages.do(f"choose-{limits.k}", choose)
    bound = (float(kept["bound"][0]), float(kept["bound"][1])) if "bound" in kept else None
    trace = Trace(**{f.name: kept[f.name] for f in fields(Trace)}) if "refused" in kept else None
    return Choice(kept["rows"], kept["gains"], built.terms, kept["parts"], bound, trace)


def _judge(
    settled: Settled,
    objective: Objective,
    built: Built,
    pool: Pool,
    limits: BoundLimits,
    choice: Choice,
    loaded: Loaded,
    work: Work,
) -> dict[str, Any]:
    # A choice that goes on from one made before has seen the rows held out: it is the recipe that is judged.
    solver = settled.solver.solver if isinstance(settled.solver, Repair) else settled.solver

    def again(part: Pool, within: BoundLimits) -> I64:
        """The recipe over other rows: the same parts and weights, coverage at the size of that pool."""
        part_of = in_proportion(objective, within.k / max(limits.k, 1))
        inner = resized(part_of, part, within.k, work.limit)
        chosen = solver(_run(inner.build(part), part, work), within, part)
        return np.searchsorted(part.rows, chosen.rows)

    def judge() -> Arrays:
        set_aside = {name: s.take(pool.rows) for name, s in loaded.set_aside.items()}
        found = evidence(
            pool,
            choice,
            objective,
            limits,
            again,
            set_aside=set_aside,
            seed=work.seed,
            draws=work.draws,
            built=built,
        )
        return {"json": np.frombuffer(json.dumps(found, ensure_ascii=False).encode(), np.uint8)}

    found: dict[str, Any] = json.loads(work.stages.do("judge", judge)["json"].tobytes())
    return found


def _facts(
    settled: Settled,
    loaded: Loaded,
    pool: Pool,
    built: Built,
    limits: Limits,
    choice: Choice,
    dropped: tuple[Drops, ...],
    work: Work,
) -> Facts:
    text = next((loaded.pool.signal(t, Text) for t in loaded.named("text")), None)
    vectors = pool.signal(settled.vectors, Vectors) if settled.vectors else None
    never = {r for c in settled.recipe.within if isinstance(c, Exclude) for r in c.of}
    excluded = np.flatnonzero(np.isin(pool.rows, np.array(sorted(never), np.int64)))
    leaks = [hasattr(method, "against") for method in settled.drop]
    gathered = work.stages.do(
        "explain",
        lambda: explain(loaded.ids, text, pool, built, limits, choice, dropped, vectors, excluded, leaks),
    )
    return Facts.of(dict(gathered))


def choose(recipe: Recipe, loaded: Loaded, work: Work) -> Choice:
    """The choice alone, without its evidence: what `verify` compares."""
    settled = settle(recipe, loaded, work.limit)
    with serial_blas():
        pool, _ = prepare(settled, loaded, work)
        objective = objective_of(settled, pool, work)
        return chosen(settled, _run(objective.build(pool), pool, work), pool, loaded, work)[1]
