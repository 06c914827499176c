"""The bias simulator: nothing where there is no bias, the same every time, and what the paper found."""

from __future__ import annotations

import pytest

from shortlist.core.errors import ContractError, UsageError
from shortlist.doors.bias import Bias, bias
from shortlist.methods.objective.borda import Borda
from shortlist.methods.objective.positional_score import PositionalScore
from shortlist.methods.solve.phragmen import Phragmen

SMALL = Bias(rows=40, k=8, strength=1.5)


def test_counts_help_borda_with_few_judges_and_plurality_not():
    borda, plurality = (
        bias(f, judges=(16, 6), runs=12) for f in (Borda(by="votes"), PositionalScore(by="votes"))
    )
    assert borda.judges == (6, 16)
    assert borda.helps[1]
    assert not any(plurality.helps)
    assert borda.enough(0.5) == 6
    assert plurality.enough(0.5) is None
    for study in (borda, plurality):
        assert study.score is not None
        for effect in (study.utility, study.score):
            for few, many in zip(effect.plain, effect.bounded, strict=True):
                assert few.low <= few.mean <= few.high
                assert max(few.mean, many.mean) <= 1.01
            for i, change in enumerate(effect.change):
                assert change.mean == pytest.approx(effect.bounded[i].mean - effect.plain[i].mean)


def test_without_bias_counts_do_not_help():
    study = bias(Borda(by="votes"), Bias(rows=40, k=8, strength=0.0), judges=(5,), runs=10)
    assert study.helps == (False,)
    assert abs(study.utility.change[0].mean) < 0.03
    assert study.score is not None
    assert study.score.plain[0].mean == 1.0


def test_a_count_of_nothing_changes_nothing():
    study = bias(Borda(by="votes"), Bias(rows=40, k=8, at_least=0), judges=(2,), runs=4)
    assert study.utility.change[0].mean == study.utility.change[0].high == 0.0


def test_one_seed_one_answer():
    one, again, other = (bias(Borda(by="votes"), SMALL, judges=(2, 4), runs=4, seed=s) for s in (0, 0, 1))
    assert one == again != other
    assert one.rule == "Borda(by='votes')"


def test_a_solver_has_no_score_of_its_own():
    study = bias(Phragmen(by="votes", top=0.2), SMALL, judges=(10,), runs=6)
    assert study.score is None
    assert study.utility.bounded[0].mean > 0.3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Bias(rows=5, k=5),
        lambda: Bias(share=0.001),
        lambda: Bias(strength=-1.0),
        lambda: Bias(noise=float("inf")),
        lambda: Bias(at_least=21),
        lambda: bias(Borda(by="votes"), judges=()),
        lambda: bias(Borda(by="votes"), judges=(0,)),
        lambda: bias(Borda(by="votes"), runs=1),
    ],
)
def test_bad_requests_are_refused(wrong):
    with pytest.raises(UsageError):
        wrong()


def test_a_rule_over_other_signals_is_refused():
    with pytest.raises(ContractError, match="no signal 'score'"):
        bias(Borda(("score",)), SMALL, judges=(1,), runs=2)
