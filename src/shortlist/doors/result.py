"""Write a result folder: chosen rows, dropped rows, evidence, reasons, report, manifest. All or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shortlist.core.drops import Drops
from shortlist.core.groups import Groups
from shortlist.doors.curate import Curation
from shortlist.doors.explain import Status
from shortlist.doors.manifest import manifest, relative
from shortlist.doors.page import bundle
from shortlist.doors.preview import lasting
from shortlist.report.html import render
from shortlist.run.driver import serial_blas
from shortlist.store.folder import replacing, replacing_file
from shortlist.store.write import natural_format, write_rejected, write_rows


def counts(curation: Curation) -> dict[str, int]:
    """An account of every row: read = chosen + not chosen + dropped, always.

    dropped = duplicates + leaked (gave a set-aside group away) + excluded (by --exclude, --shown) + rejected
    (could not be read) + filtered (by --where). duplicate_groups and largest_group count the kept row of
    each group too.
    """
    status = curation.facts.arrays["status"]
    loaded = curation.loaded
    facts = curation.facts
    gone = np.flatnonzero(status == Status.DROPPED)
    leaked = sum(facts.leaked(int(at)) for at in gone) if any(facts.leaks) else 0
    parts = {
        "duplicates": len(gone) - leaked,
        **({"leaked": leaked} if any(facts.leaks) else {}),
        "excluded": int(np.isin(status, (Status.EXCLUDED, Status.SHOWN)).sum()),
        "rejected": len(loaded.rejected),
        "filtered": loaded.filtered,
    }
    return {
        "read": loaded.read,
        "chosen": len(curation.result),
        "not_chosen": int((status == Status.NOT_CHOSEN).sum()),
        "dropped": sum(parts.values()),
        **parts,
        **_alike([d for d, leak in zip(curation.dropped, facts.leaks, strict=True) if not leak]),
    }


def _alike(dropped: Sequence[Drops]) -> dict[str, int]:
    """How many groups of duplicates there are and the rows of the largest; {} where none was dropped."""
    _, size = Groups.of_drops(dropped).sizes()
    return {"duplicate_groups": len(size), "largest_group": int(size[0])} if len(size) else {}


def write(
    curation: Curation,
    folder: Path,
    request: Mapping[str, Any],
    write_as: str = "auto",
    beside: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the result folder; what stood there before stays until the new one is whole.

    Args:
        curation: the answer of `curate`.
        folder: the target; replaced only if it is a result of ours.
        request: as asked, for the manifest.
        write_as: format of the rows; 'auto' keeps that of the input.
        beside: more JSON files by their names (`update.json`).

    Returns:
        The manifest.

    Raises:
        StorageError: the disk refused, another run is writing, or the folder is not ours.
    """
    kind = natural_format(curation.loaded) if write_as == "auto" else write_as
    account = counts(curation)
    made = manifest(relative(request, folder), curation.recipe, curation.loaded, curation.ids, account)
    with replacing(folder) as staging:
        write_kept(curation, staging / f"kept.{kind}", kind)
        _write_dropped(curation, staging / f"dropped.{kind}")
        if curation.loaded.rejected:
            write_rejected(staging / "rejected.jsonl", curation.loaded)
        _json(staging / "evidence.json", curation.evidence)
        _json(staging / "plan.json", lasting(curation.preview))
        for name, told in (beside or {}).items():
            _json(staging / name, told)
        with (staging / "explain.npz").open("wb") as f:
            np.savez(f, **curation.facts.arrays)  # type: ignore[arg-type]
        (staging / "report.html").write_text(page(curation, made), "utf-8")
        made["files"] = {p.name: _digest(p) for p in sorted(staging.iterdir())}
        _json(staging / "manifest.json", made)
    return made


def write_report(curation: Curation, path: Path) -> None:
    """The report of a result that is not written.

    Raises:
        StorageError: the disk refused; what stood there before still stands there.
    """
    request = {**curation.loaded.request, "seed": curation.preview["seed"]}
    made = manifest(request, curation.recipe, curation.loaded, curation.ids, counts(curation))
    with replacing_file(path) as staging:
        staging.write_text(page(curation, made), "utf-8")


def page(curation: Curation, made: Mapping[str, Any]) -> str:
    """The report as HTML."""
    with serial_blas():  # the map's products must not depend on threads either
        return render(bundle(curation, made))


def write_kept(curation: Curation, path: str | Path, kind: str) -> None:
    """The chosen rows, unchanged, with rank, gain and reason behind."""
    c = curation.result
    write_rows(
        path,
        curation.loaded,
        c.rows,
        {
            "rank": list(range(1, len(c) + 1)),
            "gain": c.gains.tolist(),
            "reason": [reason(curation, int(r)) for r in c.rows],
        },
        format=kind,
    )


def _write_dropped(curation: Curation, path: Path) -> None:
    a = curation.facts.arrays
    at = np.flatnonzero(np.isin(a["status"], (Status.DROPPED, Status.EXCLUDED, Status.SHOWN)))
    copy_of = a["copy_of"][at]
    write_rows(
        path,
        curation.loaded,
        at,
        {
            "reason": [reason(curation, int(r)) for r in at],
            "duplicate_of": [curation.loaded.ids[int(o)] if o >= 0 else None for o in copy_of],
            "similarity": [
                float(s) if o >= 0 else None for s, o in zip(a["alike"][at], copy_of, strict=True)
            ],
        },
    )


def reason(curation: Curation, row: int) -> str:
    """Why this row is where it is, in a few words."""
    facts = curation.facts
    a = facts.arrays
    match Status(int(a["status"][row])):
        case Status.CHOSEN:
            parts = facts.parts(a["parts"][int(a["rank"][row])])
            total = float(a["gains"].sum())
            share = f"{a['gains'][int(a['rank'][row])] / total:.2%} of the total: " if total > 0 else ""
            return share + " + ".join(f"{t} {v:.4g}" for t, v in parts.items())
        case Status.DROPPED:
            kept = facts.ids[int(a["copy_of"][row])]
            how = "gives away" if facts.leaked(row) else "duplicate of"
            return f"{how} {kept} ({a['alike'][row]:.3f} by {facts.droppers[int(a['dropped_by'][row])]})"
        case Status.EXCLUDED:
            return "excluded by request"
        case Status.SHOWN:
            return "already shown"
        case Status.NOT_CHOSEN if a["refused_by"][row] >= 0:
            return f"refused by {facts.constraints[int(a['refused_by'][row])]}"
        case Status.NOT_CHOSEN if a["stand_in"][row] >= 0:
            return f"covered by {facts.ids[int(a['stand_in'][row])]} (cosine {a['cosine'][row]:.3f})"
    return f"would add {float(a['gain_last'][row].sum()):.4g}"


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=True) + "\n", "ascii")


def _digest(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
