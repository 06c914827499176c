"""Answers by question: what the judge door asks about, and what each row says to a judge and to the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.core.arrays import I64, U64
from shortlist.core.planted import PLANTED
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Text
from shortlist.run.answers import digests
from shortlist.store.loaded import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The questions: names, the pool of each; what every row says, planted answers after the last; `canaries`
    i64[c, 2]: a row and the planted answer it must win against; `said`: whether rows say anything."""

    names: tuple[str, ...]
    groups: tuple[Pool, ...]
    questions: tuple[str, ...]
    texts: tuple[str, ...]
    canaries: I64
    said: bool

    @classmethod
    def of(cls, answers: Loaded | Pool, by: str, planted: int) -> Questions:
        """Group these answers; a row says all of its texts, or its id where it has none."""
        pool = answers.pool if isinstance(answers, Loaded) else answers
        labels = pool.signal(by, Labels)
        order = np.argsort(labels.codes, kind="stable")
        ends = np.cumsum(np.bincount(labels.codes, minlength=len(labels.names)))
        members = np.split(order, ends[:-1]) if len(labels.names) else []
        names = [n for n, s in pool.columns.items() if isinstance(s, Text)]
        told = [pool.signal(n, Text) for n in names]
        if not told and isinstance(answers, Loaded):
            told = [answers.ids]
        size = int(pool.rows[-1]) + 1 if len(pool) else 0
        questions, texts = [""] * size, [""] * size
        for i, row in enumerate(pool.rows.tolist()):
            questions[row] = labels.names[labels.codes[i]]
            texts[row] = "\n\n".join(t[i] for t in told)
        some = pool.rows[[int(m[0]) for m in members if len(m)]][:planted]
        foes = np.stack([some, size + np.arange(len(some))], axis=1).astype(np.int64)
        return cls(
            names=labels.names,
            groups=tuple(pool.take(m) for m in members),
            questions=(*questions, *[questions[row] for row in some.tolist()]),
            texts=(*texts, *[PLANTED[i % len(PLANTED)] for i in range(len(some))]),
            canaries=foes,
            said=bool(told),
        )

    def digests(self) -> U64 | None:
        """What every row says, for the log; None where rows say nothing and their numbers must do."""
        if not self.said:
            return None
        pairs = zip(self.questions, self.texts, strict=True)
        return digests([f"{len(q)}\0{q}\0{t}".encode("utf-8", "surrogatepass") for q, t in pairs])
