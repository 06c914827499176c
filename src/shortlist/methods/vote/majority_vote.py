"""Majority vote: the answer that most rows give, or that rows of most weight give.

Equal answers are put together first: one spelling and one value of a number always, and with `same` < 1
also answers whose words overlap that much (token F1), closed over chains.
Source: Li, Zhang, Yu, Fu, Ye 2024, arXiv:2402.05120 (the vote); Wu et al. 2024, arXiv:2408.00724 (weights);
Li et al. 2024, arXiv:2401.13170 (equivalence of answers).
Deviates: the trained classifier of equivalence is left outside; weights are added as they are.
Cost: linear in the text; below `same` = 1 every two different answers are compared.
Memory: the different answers, 16 bytes a row.
Guarantee: the group of the largest total; ties go to the group that appears first, and are said.
Use it when right answers agree and wrong ones scatter; not when one wrong answer is popular (BestOfN).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shortlist.core.answers import alike
from shortlist.core.arrays import F64, I64
from shortlist.core.claim import Claim
from shortlist.core.errors import UsageError
from shortlist.core.judgments import Pick
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorityVote:
    """One row for every different answer, the most frequent first.

    Args:
        by: the answers: Text, or Labels, which are compared as they are.
        weight: a score that says how much each row counts; '' counts rows.
        same: overlap of words from which two answers are the same; 1 asks for one spelling.
    """

    by: str = field(default="text", kw_only=False)
    weight: str = ""
    same: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.same <= 1:
            raise UsageError(f"same must lie in (0, 1], found {self.same}")

    def __call__(self, pool: Pool) -> Pick:
        """Each group is shown by its row of most weight."""
        group = groups(pool, self.by, self.same)
        weight = pool.signal(self.weight, Scores).utility() if self.weight else np.ones(len(pool))
        total = exact(group, weight)
        order = np.lexsort((-weight, group))
        first = order[np.searchsorted(group[order], np.arange(len(total)))]
        pick = Pick.ranked(pool.rows[first], total)
        tied = int((total == total.max()).sum()) if len(total) else 0
        notes = (f"{tied} answers are tied for the most votes",) if tied > 1 else ()
        return Pick(pick.rows, pick.scores, notes=notes)


def groups(pool: Pool, by: str, same: float) -> I64:
    """i64[n]: the answer each row gives, numbered by first appearance."""
    signal = pool.columns.get(by)
    if not isinstance(signal, Labels):
        text = pool.signal(by, Text)
        return alike([text[i] for i in range(len(text))], same)
    _, first, of = np.unique(signal.codes, return_index=True, return_inverse=True)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return place[of.reshape(-1)]


def exact(group: I64, weight: F64) -> F64:
    """f64[g]: the sum of weights of each group, in order of rows."""
    return np.bincount(group, weight).astype(np.float64)


EXAMPLES = (MajorityVote(), MajorityVote("label", weight="score"), MajorityVote(same=0.6, weight="quality"))


def claim(rng: np.random.Generator, scale: int) -> F64:
    """f64[m]: whether the vote of 40 answers is right, when 0.4 of them are and six others share the rest."""
    right = np.empty(150 * scale)
    for t in range(len(right)):
        answers = np.where(rng.random(40) < 0.4, 0, rng.integers(1, 7, 40)).astype(np.int32)
        pool = Pool.of({"answer": Labels(answers, tuple("abcdefg"))})
        right[t] = answers[MajorityVote("answer")(pool).rows[0]] == 0
    return right


CLAIM = Claim(
    paper="P494, More Agents Is All You Need",
    says="accuracy rises with the number of answers drawn and put to a vote",
    we_show="from 0.4 for one answer to at least 0.95 for the vote of 40, against six wrong answers",
    not_shown="language models, whose wrong answers agree with each other",
    measure=claim,
    margin=0.95,
)
