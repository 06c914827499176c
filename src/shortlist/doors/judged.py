"""What the judge door found, as facts for programs; and which methods it takes."""

from __future__ import annotations

from typing import Any

from shortlist.catalogue import methods
from shortlist.core.errors import UsageError
from shortlist.core.expression import parse
from shortlist.doors.judge import Judging, Method
from shortlist.store.loaded import Loaded


def picker(text: str) -> Method:
    """The method that an expression names.

    Raises:
        UsageError: it names none that picks.
    """
    method = parse(text if "(" in text else f"{text}()", methods())
    if not picks_rows(type(method)):
        known = sorted(name for name, cls in methods().items() if picks_rows(cls))
        raise UsageError(f"{text[:80]!r} picks no answer; use one of {', '.join(known)}")
    found: Method = method
    return found


def picks_rows(cls: type) -> bool:
    """Whether what it returns, by its annotations, is a Pick of a pool."""
    for name, kind in (("steps", "Plan[Pick]"), ("__call__", "Pick")):
        told = getattr(getattr(cls, name, None), "__annotations__", {})
        if told.get("return") == kind and told.get("pool") == "Pool":
            return True
    return False


def picks(judged: Judging, loaded: Loaded) -> list[dict[str, Any]]:
    """One entry a question: the row picked, and what its method states about it.

    failure: an upper bound of the chance that it is not the best, null where the method states none. Since no
    call can mend more than that, it bounds what the next one would be worth (`next_call`), too.
    """
    row_at = {row: i for i, row in enumerate(loaded.pool.rows.tolist())}
    out = []
    for question, pick in judged.result.items():
        some = len(pick) > 0
        failure = pick.failure if some and pick.failure < 1 else None
        out.append(
            {
                "question": question,
                "id": loaded.ids[row_at[int(pick.rows[0])]] if some else None,
                "row": int(pick.rows[0]) if some else None,
                "score": float(pick.scores[0]) if some else None,
                "tied": int((pick.scores == pick.scores[0]).sum()) if some else 0,
                "failure": failure,
                "next_call": failure,
                "done": pick.done,
                "calls": pick.calls,
                "notes": list(pick.notes),
            }
        )
    return out
