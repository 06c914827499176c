"""Answer `why` and `why-not` from a result folder alone: no pool, no engine, well under a second."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.errors import InputError
from shortlist.core.signals import Text
from shortlist.doors.explain import Status

#: How many neighbours and dropped copies are named.
SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What `explain` gathered, opened from disk."""

    arrays: dict[str, np.ndarray]
    ids: Text
    excerpts: Text | None
    terms: list[str]
    constraints: list[str]
    droppers: list[str]
    leaks: list[bool]

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Facts:
        """Facts over the arrays of `explain`."""
        words = json.loads(arrays["words"].tobytes())
        excerpts = (
            Text(arrays["excerpt_offsets"], arrays["excerpt_bytes"]) if "excerpt_offsets" in arrays else None
        )
        ids = Text(arrays["id_offsets"], arrays["id_bytes"])
        leaks = words.get("leaks") or [False] * len(words["droppers"])
        return cls(arrays, ids, excerpts, words["terms"], words["constraints"], words["droppers"], leaks)

    @classmethod
    def open(cls, folder: Path) -> Facts:
        """Read `explain.npz` of a result folder.

        Raises:
            InputError: the folder is not a result of `shortlist curate`, or is damaged.
        """
        path = folder / "explain.npz"
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls.of({k: kept[k] for k in kept.files})
        except FileNotFoundError:
            fix = "give the folder that `shortlist curate -o` wrote"
            raise InputError("no explain.npz here", fix=fix, file=str(folder)) from None
        except (OSError, ValueError, KeyError, EOFError) as e:
            raise InputError(f"cannot be read ({e})", fix="write the result again", file=str(path)) from None

    def find(self, name: str) -> int:
        """Position of the row with this id.

        Raises:
            InputError: no such id; the nearest ones are listed.
        """
        at = self.ids.find(name)
        if at is not None:
            return at
        from difflib import get_close_matches

        some = [self.ids[i] for i in range(min(len(self.ids), 5000))]
        alike = get_close_matches(name, some, n=3, cutoff=0.5) or some[:3]
        raise InputError(f"no row has the id {name!r}", fix=f"ids look like {', '.join(map(repr, alike))}")

    def leaked(self, at: int) -> bool:
        """Whether the row was dropped because it gives a set-aside group away, not as a copy."""
        by = int(self.arrays["dropped_by"][at])
        return by >= 0 and self.leaks[by]

    def named(self, at: int) -> dict[str, Any]:
        """Id and excerpt of a row."""
        out: dict[str, Any] = {"id": self.ids[at]}
        if self.excerpts is not None:
            out["text"] = self.excerpts[at]
        return out

    def parts(self, values: np.ndarray) -> dict[str, float]:
        """f[T] by term."""
        return {t: float(v) for t, v in zip(self.terms, values, strict=True)}


def why(facts: Facts, name: str) -> dict[str, Any]:
    """Why a row was chosen, or, if it was not, why not. JSON-able."""
    at = facts.find(name)
    status = Status(int(facts.arrays["status"][at]))
    head = {**facts.named(at), "status": status.name.lower().replace("_", " ")}
    match status:
        case Status.CHOSEN:
            return head | _chosen(facts, at)
        case Status.DROPPED:
            return head | _dropped(facts, at)
        case Status.NOT_CHOSEN:
            return head | _not_chosen(facts, at)
    return head


def _chosen(facts: Facts, at: int) -> dict[str, Any]:
    a = facts.arrays
    rank = int(a["rank"][at])
    gain = float(a["gains"][rank])
    total = float(a["gains"].sum())
    others = np.flatnonzero((a["stand_in"] == at) & (a["status"] != Status.CHOSEN))
    near = others[np.lexsort((others, -a["cosine"][others]))]
    copies = np.flatnonzero(a["copy_of"] == at)
    copies = copies[np.lexsort((copies, -a["alike"][copies]))]
    out: dict[str, Any] = {
        "rank": rank + 1,
        "of": len(a["gains"]),
        "gain": gain,
        "share_of_total": gain / total if total > 0 else None,
        "parts": facts.parts(a["parts"][rank]),
        "stands_for": {
            "count": len(others),
            "nearest": [facts.named(int(i)) | {"cosine": float(a["cosine"][i])} for i in near[:SHOWN]],
        },
        "copies_dropped": {
            "count": len(copies),
            "most_alike": [facts.named(int(i)) | _copy(facts, int(i)) for i in copies[:SHOWN]],
        },
        "displaced": None,
    }
    rival = int(a["runner_up"][rank])
    if rival >= 0:
        later = int(a["rank"][rival])
        out["displaced"] = facts.named(rival) | {
            "gain": float(a["runner_up_gain"][rank]),
            "chosen_later_at": later + 1 if later >= 0 else None,
        }
    return out


def _copy(facts: Facts, at: int) -> dict[str, Any]:
    a = facts.arrays
    return {"similarity": float(a["alike"][at]), "by": facts.droppers[int(a["dropped_by"][at])]}


def _dropped(facts: Facts, at: int) -> dict[str, Any]:
    kept = int(facts.arrays["copy_of"][at])
    rank = int(facts.arrays["rank"][kept])
    original = facts.named(kept) | {"chosen_at": rank + 1 if rank >= 0 else None}
    return {"duplicate_of": original, "leaked": facts.leaked(at), **_copy(facts, at)}


def _not_chosen(facts: Facts, at: int) -> dict[str, Any]:
    a = facts.arrays
    refused = int(a["refused_by"][at])
    stand_in = int(a["stand_in"][at])
    out: dict[str, Any] = {
        "gain_first": float(a["gain_first"][at].sum()),
        "gain_last": float(a["gain_last"][at].sum()),
        "parts_last": facts.parts(a["gain_last"][at]),
        "smallest_chosen_gain": float(a["gains"].min()) if len(a["gains"]) else None,
        "last_chosen_gain": float(a["gains"][-1]) if len(a["gains"]) else None,
        "refused": None,
        "covered_by": None,
        "runner_up_at": [int(r) + 1 for r in np.flatnonzero(a["runner_up"] == at)[:SHOWN]],
    }
    if refused >= 0:
        out["refused"] = {"by": facts.constraints[refused], "after": int(a["refused_step"][at])}
    if stand_in >= 0:
        out["covered_by"] = facts.named(stand_in) | {
            "cosine": float(a["cosine"][at]),
            "rank": int(a["rank"][stand_in]) + 1,
        }
    return out
