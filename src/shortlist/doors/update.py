"""The update door: a choice kept right when rows come and go. Wiring only; `Repair` does the work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.arrays import I64
from shortlist.core.contracts import Built, Constraint, Limits
from shortlist.core.errors import InputError
from shortlist.core.fill import told
from shortlist.core.limits import BoundLimits
from shortlist.core.pool import Pool
from shortlist.core.recipe import Recipe
from shortlist.core.signals import Text
from shortlist.doors.curate import Curation, Work, carry_out, chosen
from shortlist.doors.explain import Status
from shortlist.doors.manifest import open_manifest, recipe_in
from shortlist.doors.preview import preview
from shortlist.doors.request import size
from shortlist.doors.settle import TINY, settle
from shortlist.doors.why import Facts
from shortlist.methods.constrain.cardinality import Cardinality
from shortlist.methods.constrain.exclude import Exclude
from shortlist.methods.constrain.include import Include
from shortlist.methods.constrain.shown import Shown
from shortlist.methods.solve.exhaustive import Exhaustive
from shortlist.methods.solve.random_draw import draws as drawn_at_random
from shortlist.methods.solve.repair import Repair, Repaired
from shortlist.run.driver import Local, Progress, run, serial_blas
from shortlist.store.loaded import Loaded

#: Random choices that the unit of gain is taken from.
DRAWS = 40
#: Rows named in an error.
NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Previous:
    """What a choice made before was: its recipe, the request behind it, all ids then, and those chosen."""

    recipe: Recipe
    request: Mapping[str, Any]
    ids: Text
    chosen: tuple[str, ...]

    @classmethod
    def of(cls, previous: Curation | str | os.PathLike[str]) -> Previous:
        """From the answer of `curate` or `update`, or a result folder.

        Raises:
            InputError: the folder holds no readable result.
        """
        if isinstance(previous, Curation):
            ids, request = previous.loaded.ids, previous.loaded.request
            facts, recipe = previous.facts, previous.recipe
            request = {**request, "seed": previous.preview["seed"]}
        else:
            kept, facts = open_manifest(Path(previous)), Facts.open(Path(previous))
            ids, request, recipe = facts.ids, kept["request"], recipe_in(kept)
        rows = facts.arrays["rows"]
        if isinstance(recipe.solver, Repair):
            recipe = replace(recipe, solver=recipe.solver.solver)
        taken = tuple(ids[int(r)] for r in rows)
        return cls(recipe=recipe, request=request, ids=ids, chosen=taken)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Update:
    """The answer of `update`.

    curation: the new choice with its evidence, as `curate` gives it; account: what became of every row chosen
    before, who came, and what that is worth beside a choice made anew. Plain JSON.
    """

    curation: Curation
    account: dict[str, Any]
    request: Mapping[str, Any]

    @property
    def ids(self) -> list[str]:
        """Ids of the rows chosen now: those that stayed, in their order, then others; swaps in place."""
        return self.curation.ids

    def write(self, folder: str | os.PathLike[str], write_as: str = "auto") -> None:
        """Write a result folder as `curate` does, and `update.json` in it."""
        from shortlist.doors.result import write  # which knows this class's parts

        write(self.curation, Path(folder), self.request, write_as, {"update.json": self.account})


def update(
    previous: Curation | str | os.PathLike[str],
    loaded: Loaded,
    *,
    least: float = 0.001,
    draws: int = 200,
    memory: float = 0.0,
    on: Local | None = None,
    progress: Progress | None = None,
) -> Update:
    """Keep a choice right over a pool whose rows have come and gone, with few changes. Rows are told by id.

    Chosen rows that are still there stay as the constraints allow; gaps are filled by the recipe's solver on
    top of them; then rows are swapped where that raises the objective by `least` of its value each.

    Args:
        previous: the answer of `curate` or `update`, or the folder one was written to.
        loaded: the pool as it is now, read with the same roles.
        least: in [0, 1]: what a swap has to be worth; 1: no swaps.
        draws: random sets the choice is compared with.
        memory: bytes that may be used, 0 for most of what is free.
        on: where to run; never changes the answer.
        progress: told of each scan's advance.

    Raises:
        InputError: a row that must be taken is gone, or the rows have no ids.
        InfeasibleError: the constraints cannot hold together any more.
    """
    before = Previous.of(previous)
    work = Work(
        seed=int(before.request.get("seed", 0)),
        draws=draws,
        memory=memory,
        on=on or Local(),
        progress=progress,
    )
    return carried_on(before, loaded, least, work)


def carried_on(before: Previous, loaded: Loaded, least: float, work: Work) -> Update:
    """`update` with a choice and a way to work at hand."""
    _with_ids(before, loaded)
    at = {loaded.ids[i]: i for i in range(len(loaded.ids))}
    recipe = replace(before.recipe, within=_within(before, at, len(loaded.pool)))
    if isinstance(recipe.solver, Exhaustive) and len(loaded.pool) > TINY:
        recipe = replace(recipe, solver=None)
    anew = settle(recipe, loaded, work.limit)
    rows = tuple(at[i] for i in before.chosen if i in at)
    holds = replace(anew, recipe=replace(anew.recipe, solver=Repair(rows, solver=anew.solver, least=least)))
    curation = carry_out(holds, loaded, preview(holds, loaded, work.limit, work.seed), work)
    with serial_blas():
        pool = curation.pool
        assert curation.recipe.objective is not None
        built = run(curation.recipe.objective.build(pool), pool, on=work.on).result
        limits, other = chosen(anew, built, pool, loaded, work)
        repair = holds.solver
        assert isinstance(repair, Repair)
        account = _account(before, at, curation, repair.repaired(built, limits, pool))
        worth = _worth(before, at, curation, built, limits, work.seed)
        account["objective"] = worth | _shares(worth, other.total)
        ids = {loaded.ids[int(r)] for r in other.rows}
        account["anew_keeps"] = len(ids & set(before.chosen))
    account["least"] = least
    names = ("exclude", "shown")
    listed = {n: [i for i in before.request[n] if i in at] for n in names if n in before.request}
    request = {**before.request, **loaded.request, **listed, "draws": work.draws, "seed": work.seed}
    return Update(curation=curation, account=account, request=request)


def _with_ids(before: Previous, loaded: Loaded) -> None:
    """Row numbers say nothing about a pool that has changed.

    Raises:
        InputError: neither a column was named for ids, nor is there one of such a name.
    """
    named = loaded.request.get("id", before.request.get("id"))
    usual = ("id", "_id", "uuid", "guid", "docid", "docno")
    if named or (named is None and any(c.lower().endswith(usual) for c in loaded.sources.kinds)):
        return
    raise InputError("the rows have no ids to tell them by", fix="curate with --id COLUMN, then update")


def _within(before: Previous, at: Mapping[str, int], n: int) -> tuple[Constraint, ...]:
    """The constraints over the rows as they are numbered now; a size asked for as a share is taken anew.

    Raises:
        InputError: rows that must be taken are gone.
    """
    out: list[Constraint] = []
    asked = str(before.request.get("k", ""))
    for c in before.recipe.within:
        if isinstance(c, Cardinality) and asked.endswith("%"):
            out.append(Cardinality(size(asked, n)))
            asked = ""
        elif isinstance(c, Include | Exclude | Shown):
            ids = [before.ids[r] for r in c.of]
            gone = [repr(i) for i in ids if i not in at]
            if gone and isinstance(c, Include):
                more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
                raise InputError(
                    f"--include: {', '.join(gone[:NAMED])}{more} must be taken and is gone from the pool",
                    fix="put it back, or curate anew without it",
                )
            out.append(type(c)(tuple(at[i] for i in ids if i in at)))
        else:
            out.append(c)
    return tuple(out)


def _account(before: Previous, at: Mapping[str, int], curation: Curation, done: Repaired) -> dict[str, Any]:
    """What became of the rows chosen before, and who came."""
    loaded, pool, arrays = curation.loaded, curation.pool, curation.facts.arrays
    now, had = curation.ids, set(before.chosen)

    def called(position: int) -> str:
        return loaded.ids[int(pool.rows[position])]

    swapped = {called(out): (called(came), gain) for out, came, gain in done.swaps}
    refused = {called(x): by for x, by in done.refused.items()}
    names = curation.facts.constraints
    left: list[dict[str, Any]] = []
    for id in before.chosen:
        if id in set(now):
            continue
        row = at.get(id)
        if row is None:
            left.append({"id": id, "why": "gone"})
        elif arrays["status"][row] == Status.DROPPED:
            left.append({"id": id, "why": "duplicate", "of": loaded.ids[int(arrays["copy_of"][row])]})
        elif id in swapped:
            left.append({"id": id, "why": "swapped", "by": swapped[id][0], "gain": swapped[id][1]})
        else:
            by = refused.get(id, -1)
            left.append({"id": id, "why": "refused", "by": names[by] if 0 <= by < len(names) else "size"})
    came = [i for i in now if i not in had]
    by_swap = {i for i, _ in swapped.values()}
    return {
        "before": len(before.chosen),
        "after": len(now),
        "kept": [i for i in now if i in had],
        "left": left,
        "filled": [i for i in came if i not in by_swap],
        "swapped_in": [i for i in came if i in by_swap],
    }


def _worth(
    before: Previous, at: Mapping[str, int], curation: Curation, built: Built, limits: BoundLimits, seed: int
) -> dict[str, float]:
    """The objective on the pool as it is now: of what is left of the old choice, of the new, of chance."""
    pool = curation.pool
    rows = np.array([at[i] for i in before.chosen if i in at], np.int64)
    left = np.searchsorted(pool.rows, rows[np.isin(rows, pool.rows)])
    random = [_total(built, limits, pool, d) for d in drawn_at_random(limits, DRAWS, seed)]
    return {
        "before": _total(built, limits, pool, left),
        "after": curation.result.total,
        "random": float(np.mean(random)) if random else 0.0,
    }


def _total(built: Built, limits: Limits, pool: Pool, at: I64) -> float:
    return told(built, limits, pool, at).total


def _shares(worth: Mapping[str, float], anew: float) -> dict[str, float | None]:
    """What a choice made anew gains over random is 1."""
    unit = anew - worth["random"]

    def share(value: float) -> float | None:
        return (value - worth["random"]) / unit if unit > 0 else None

    return {"anew": anew, "before_share": share(worth["before"]), "after_share": share(worth["after"])}
