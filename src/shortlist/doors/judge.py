"""The judge door: one answer a question, within one budget, with the receipt. Wiring only."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np

from shortlist.adapters.openai import OpenAIJudge
from shortlist.core.arrays import F32, I64, U64
from shortlist.core.budget import INF, Budget, Ledger
from shortlist.core.contracts import Picker, Voter
from shortlist.core.effects import Gather, Plan, Scan, lockstep
from shortlist.core.errors import UsageError
from shortlist.core.heard import Heard, canaries, heard
from shortlist.core.judgments import Pick
from shortlist.core.planted import PLANTED
from shortlist.core.pool import Pool
from shortlist.core.seeds import generator
from shortlist.core.signals import Labels, Text
from shortlist.run.answers import AnswerLog, digests
from shortlist.run.driver import Local, Progress, run
from shortlist.run.scorers import Scorer
from shortlist.store.loaded import Loaded

T = TypeVar("T")

#: What picks, paid for or not.
Method: TypeAlias = Picker | Voter
#: Shares of duels that flip, and of canaries that win, from which on the user is warned.
FLIPS, FOOLED = 0.2, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """One pick a question, and what it took.

    result: question -> Pick, in the order of the labels; ledger: what was charged; heard: verdicts, flips,
    abstentions and canaries; stopped: the first refusal of the budget or of a scorer, '' if there was none;
    torn: bytes of an answer cut short by a crash, which were dropped from the log.
    """

    result: Mapping[str, Pick]
    ledger: Ledger
    heard: Heard
    stopped: str = ""
    torn: int = 0

    @property
    def trusted(self) -> bool:
        """Whether planted answers won at most one in twenty of their duels."""
        return self.heard.fooled <= FOOLED * self.heard.canaries

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user must know before believing the picks."""
        said = []
        if self.stopped:
            late = sum(not pick.done for pick in self.result.values())
            said.append(f"{late} of {len(self.result)} picks are the best so far: {self.stopped}")
        rate = self.heard.flip_rate
        if rate is not None and rate > FLIPS:
            said.append(f"the judge contradicts itself on {rate:.0%} of duels when the sides are swapped")
        if not self.trusted:
            n = f"{self.heard.fooled} of {self.heard.canaries}"
            said.append(f"planted answers won {n} duels: this judge can be talked into a verdict")
        if self.torn:
            said.append(f"the log ended in {self.torn} bytes of an unfinished answer, which were dropped")
        return tuple(said)

    def receipt(self) -> dict[str, Any]:
        """What was spent and what came of it, JSON-able."""
        roles = dict.fromkeys(line.role for line in self.ledger.lines)
        calls = {
            role: {
                "paid": self.ledger.paid(role),
                "replayed": self.ledger.replayed(role),
                "repeated": self.ledger.repeats.get(role, 0),
            }
            for role in roles
        }
        budget = {unit: limit for unit, limit in asdict(self.ledger.budget).items() if limit < INF}
        said = asdict(self.heard) | {"flip_rate": self.heard.flip_rate}
        return {
            "spent": dict(self.ledger.spent),
            "budget": budget,
            "calls": calls,
            "heard": said,
            "stopped": self.stopped,
            "trusted": self.trusted,
            "warnings": list(self.warnings),
        }


def judge(
    answers: Loaded | Pool,
    *,
    by: str,
    method: Method,
    scorers: Mapping[str, Scorer] | None = None,
    budget: Budget | None = None,
    log: str | os.PathLike[str] | None = None,
    both_ways: bool = True,
    planted: int = 5,
    on: Local | None = None,
    progress: Progress | None = None,
) -> Judging:
    """Pick one answer a question.

    Args:
        answers: all answers to all questions.
        by: the Labels signal that says which question each answers.
        method: what picks among the answers to one question.
        scorers: role -> what is paid. A Scorer gets global rows i64[b], or pairs of them i64[b, 2] and gives
            the probability that the left one wins, -1 for no verdict. A Scorer of an OpenAIJudge gets the
            texts of these rows and their question, which is what `by` says.
        budget: one ceiling for all questions and roles. Where it ends a method, its best so far is the pick.
        log: keeps every paid answer by what was asked: a rerun, with more answers or money, replays it.
        both_ways: ask about each pair both ways round, at twice the price; flips are counted.
        planted: duels against planted answers that must lose, asked of an OpenAIJudge where pairs are.

    Raises:
        UsageError: the method picks nothing, or the budget is in a unit that nothing here is priced in.
        ContractError: a scorer is missing or answers nonsense; what was paid for until then is in the log.
    """
    pool = answers.pool if isinstance(answers, Loaded) else answers
    asked, budget = _Asked.of(answers, by, planted), budget or Budget()
    paid = {role: _bound(s, asked) for role, s in (scorers or {}).items()}
    _check_prices(budget, paid)
    plans: list[Plan[Any]] = [
        heard(_within(_plan(method, group), group), both=both_ways) for group in asked.groups
    ]
    talked_to = [role for role, s in (scorers or {}).items() if isinstance(s.call, OpenAIJudge)]
    whole = _with_canaries(plans, dict.fromkeys(talked_to, asked.canaries), both_ways)
    kept = AnswerLog(Path(log), asked.digests(), _context(scorers or {})) if log is not None else None
    try:
        out = run(whole, pool, on=on, budget=budget, scorers=paid, log=kept, progress=progress)
    finally:
        if kept is not None:
            kept.close()
    picks, total = {}, Heard()
    for name, (pick, said) in zip(asked.names, out.result[0], strict=True):
        if not isinstance(pick, Pick):
            raise UsageError(f"{type(method).__name__} picks nothing: it gives {type(pick).__name__}")
        picks[name], total = pick, total + said
    torn = kept.torn if kept is not None else 0
    return Judging(
        result=picks, ledger=out.ledger, heard=total + out.result[1], stopped=out.stopped, torn=torn
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What judging would cost if all had a verdict. `most` counts every question asked twice for want of one,
    and is None where how much is asked depends on the verdicts and no budget bounds it."""

    calls: int
    most: float | None
    spent: Mapping[str, float]


def estimate(
    answers: Loaded | Pool,
    *,
    by: str,
    method: Method,
    scorers: Mapping[str, Scorer],
    budget: Budget | None = None,
    both_ways: bool = True,
    planted: int = 0,
) -> Estimate:
    """Judge with made-up verdicts, three times over, and count; nothing is paid."""
    budget = budget or Budget()
    _check_prices(budget, scorers)
    runs = []
    for seed in range(3):
        rng = generator(seed, "estimate")
        made_up = {
            role: Scorer(partial(_made_up, rng), usd=s.usd, tokens=s.tokens, seconds=s.seconds)
            for role, s in scorers.items()
        }
        runs.append(judge(answers, by=by, method=method, scorers=made_up, budget=budget, both_ways=both_ways))
    spent = {unit: max(r.ledger.spent[unit] for r in runs) for unit in runs[0].ledger.spent}
    calls = int(spent["calls"])
    extra = planted * (2 if both_ways else 1) if any(r.heard.duels for r in runs) else 0
    same = len({r.ledger.spent["calls"] for r in runs}) == 1 and not any(r.stopped for r in runs)
    most = min(2.0 * calls + extra if same else INF, budget.calls, _affordable(budget, scorers))
    return Estimate(calls=calls, most=None if math.isinf(most) else most, spent=spent)


def _made_up(rng: np.random.Generator, items: Any) -> F32:
    return rng.choice(np.array([0.0, 1.0], np.float32), len(items))


def _affordable(budget: Budget, scorers: Mapping[str, Scorer]) -> float:
    """Calls that the budget pays for at the lowest price there is; infinite where a price is a function."""
    most = INF
    for unit in ("usd", "tokens", "seconds"):
        prices = [getattr(s, unit) for s in scorers.values()]
        limit = getattr(budget, unit)
        if limit < INF and not any(map(callable, prices)) and min(prices, default=0) > 0:
            most = min(most, math.floor(limit / min(prices) + 1e-9))
    return most


def _check_prices(budget: Budget, scorers: Mapping[str, Scorer]) -> None:
    for unit in ("usd", "tokens", "seconds"):
        free = all(not callable(getattr(s, unit)) and getattr(s, unit) == 0 for s in scorers.values())
        if getattr(budget, unit) < INF and scorers and free:
            raise UsageError(
                f"the budget is in {unit}, but no scorer has a price in {unit}; give it one, or use calls"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The questions: names, the pool of each; what every row says, planted answers after the last; `canaries`
    i64[c, 2]: a row and the planted answer it must win against; `said`: whether rows say anything."""

    names: tuple[str, ...]
    groups: tuple[Pool, ...]
    questions: tuple[str, ...]
    texts: tuple[str, ...]
    canaries: I64
    said: bool

    @classmethod
    def of(cls, answers: Loaded | Pool, by: str, planted: int) -> _Asked:
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


def _bound(told: Scorer, asked: _Asked) -> Scorer:
    if isinstance(told.call, OpenAIJudge):
        return replace(told, call=told.call.over(asked.questions, asked.texts), batch=1)
    return told


def _context(scorers: Mapping[str, Scorer]) -> bytes:
    """What kept answers depend on beside the texts."""
    told = sorted(scorers.items())
    return b"\0".join(r.encode() + b"\0" + s.call.context for r, s in told if isinstance(s.call, OpenAIJudge))


def _plan(method: Method, group: Pool) -> Plan[Pick]:
    if isinstance(method, Picker):
        return (yield from method.steps(group))
    return method(group)


def _within(plan: Plan[T], group: Pool) -> Plan[T]:
    """The plan over its own group: what it scans or gathers is of that alone."""
    try:
        effect = next(plan)
        while True:
            try:
                match effect:
                    case Scan(part, merge, None, note):
                        answer = yield Scan(part, merge, list(group.shards()), note)
                    case Gather(rows):
                        answer = group.gather(rows)
                    case _:
                        answer = yield effect
            except Exception as refusal:
                effect = plan.throw(refusal)
            else:
                effect = plan.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _with_canaries(
    plans: list[Plan[Any]], foes: Mapping[str, I64], both: bool
) -> Plan[tuple[list[Any], Heard]]:
    """All questions at once; then planted answers for the judges that were asked about pairs."""
    results = yield from lockstep(plans)
    said = Heard()
    if any(h.duels for _, h in results):
        for role, pairs in foes.items():
            said = said + (yield from canaries(role, pairs, both=both))
    return results, said
