"""Functions of the user's own: what examination finds, what it cannot, and what text may not do."""

from __future__ import annotations

import json

import numpy as np
import pytest

import shortlist as sl
from shortlist.core.effects import alone
from shortlist.core.errors import ContractError, UsageError
from shortlist.core.examine import Counterexample
from shortlist.core.expression import expression, parse
from shortlist.core.limits import bind
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels
from shortlist.methods.objective.checked import Checked
from shortlist.methods.objective.mmr import MMR
from shortlist.methods.solve.greedy import Greedy
from shortlist.methods.solve.lazy_greedy import LazyGreedy
from tests.cli.pools import rows, write
from tests.strategies import crowd, names


def plain(n: int) -> Pool:
    """Rows without signals."""
    return Pool(np.arange(n), {})


def spread(at: np.ndarray) -> float:
    """Submodular and monotone: remainders by three that are met."""
    return float(len(set((at % 3).tolist())))


def squared(at: np.ndarray) -> float:
    """Monotone, and every gain grows."""
    return float(len(at) ** 2)


def paid(at: np.ndarray) -> float:
    """Submodular, and falls."""
    return spread(at) - 0.5 * len(at)


def pair(at: np.ndarray) -> float:
    """Rows count one each; 3 and 4 together count one more."""
    return len(at) + float({3, 4} <= set(at.tolist()))


@pytest.mark.parametrize(
    ("f", "monotone", "submodular"), [(spread, True, True), (squared, True, False), (paid, False, True)]
)
@pytest.mark.parametrize(("n", "samples"), [(5, 200), (40, 300)])
def test_functions_are_told_for_what_they_are(f, monotone, submodular, n, samples):
    found = Checked(f, samples=samples).examine(plain(n))
    assert (found.monotone, found.submodular, found.ordered) == (monotone, submodular, False)
    assert found.complete == (n == 5)
    built = alone(Checked(f, samples=samples).build(plain(n)))
    assert (built.monotone, built.submodular, built.exact) == (monotone, submodular, True)


@pytest.mark.parametrize("worth", [(0, 1, 2, 1.5), (0, 2, 1, 1.5), (0, -1, 1, 1), (0, 1, -1, 1)])
def test_a_fall_along_any_side_of_a_square_is_found(worth):
    found = Checked(lambda at: worth[sum(1 << i for i in at.tolist())]).examine(plain(2))
    assert not found.monotone
    (fall,) = found.counterexamples[:1]
    assert fall.gains[0] == min(worth[1], worth[2], worth[3] - worth[1], worth[3] - worth[2]) < 0


def test_counterexamples_are_what_they_say_in_rows_of_the_file():
    pool = Pool(np.array([2, 3, 4, 9, 30]), {})
    for f in (squared, paid, pair):
        for c in Checked(f, samples=500).examine(pool).counterexamples:
            small, more = np.array(c.rows, np.int64), np.array(c.more, np.int64)
            assert f(np.append(small, c.row)) - f(small) == pytest.approx(c.gains[0])
            if c.breaks == "submodular":
                assert set(c.rows) < set(c.more)
                assert f(np.append(more, c.row)) - f(more) == pytest.approx(c.gains[1])
                assert c.gains[1] > c.gains[0]
            assert {*c.rows, *c.more, c.row} <= set(pool.rows.tolist())
    found = Checked(pair, samples=500).examine(pool)
    assert found.against("submodular") == "row 3 adds 1 to {} but 2 to {4}"
    assert found.against("monotone") == ""
    assert len(str(Counterexample("monotone", tuple(range(500)), 7, (-1.0,)))) < 100


def test_what_is_trusted_and_wrong_is_an_error_that_shows_it():
    with pytest.raises(
        ContractError, match=r"'checked' is not submodular: row 3 adds 1 to \{\} but 2 to \{4\}"
    ):
        alone(Checked(pair, samples=700, trust="submodular").build(plain(6)))
    with pytest.raises(ContractError, match=r"'mine' is not monotone: row \d adds -0.5 to \{"):
        alone(Checked(paid, trust="submodular monotone", name="mine").build(plain(5)))
    assert alone(Checked(paid, trust="submodular").build(plain(5))).terms == ("checked",)


def test_a_violation_that_samples_missed_ends_the_run_when_it_is_met():
    pool = plain(60)
    for f, law in ((pair, "submodular"), (lambda at: len(at) - 5.0 * (7 in at) * (1 in at), "monotone")):
        built = alone(Checked(f, samples=3).build(pool))
        assert built.submodular or law == "monotone"
        for solver in (Greedy(), LazyGreedy()) if law == "submodular" else (Greedy(),):
            with pytest.raises(ContractError, match=f"is not {law}: .* 3 samples did not show it"):
                solver(alone(Checked(f, samples=3).build(pool)), bind(pool, (), 60), pool)


def test_gains_are_remembered_within_a_state_and_rows_are_global():
    asked: list[tuple[int, ...]] = []

    def f(at: np.ndarray) -> float:
        asked.append(tuple(at.tolist()))
        return spread(at)

    pool = Pool(np.arange(10, 400, 3), {})
    built = alone(Checked(f, samples=1).build(pool))
    state, every = built.add(built.start(), 4), np.arange(len(pool))
    asked.clear()
    first = built.gains(state, every)
    assert len(asked) == len(pool) - 1  # row 22 itself gains nothing, unasked
    assert asked[0] == (22, 10)
    assert (built.gains(state, every) == first).all()
    assert len(asked) == len(pool) - 1
    assert built.gains(state, np.array([4])).tolist() == [[0.0]]


def test_functions_whose_value_depends_on_the_order_are_found():
    pool = crowd(30)
    found = Checked(MMR("vec"), samples=50).examine(pool)
    assert found.ordered
    assert (found.monotone, found.submodular, found.complete) == (False, False, False)
    assert "in one order and" in found.against("submodular")
    choice = Greedy()(alone(Checked(MMR("vec"), samples=50).build(pool)), bind(pool, (), 5), pool)
    assert choice.total == pytest.approx(MMR("vec").value(pool, np.searchsorted(pool.rows, choice.rows))[0])


def test_pools_of_no_row_and_of_one():
    for n in (0, 1):
        found = Checked(spread).examine(plain(n))
        assert (found.monotone, found.submodular, found.complete) == (True, True, True)
        built = alone(Checked(spread).build(plain(n)))
        assert built.gains(built.start(), np.arange(n)).shape == (n, 1)
    assert not Checked(lambda at: -float(len(at))).examine(plain(1)).monotone


@pytest.mark.parametrize("answer", [np.nan, np.inf, "seven", None, [1.0, np.nan], object()])
def test_answers_that_are_no_number_are_errors(answer):
    with pytest.raises(ContractError, match="a finite number is needed"):
        alone(Checked(lambda at: answer if len(at) > 1 else 0.0).build(plain(4)))


def test_an_answer_may_have_parts_and_an_empty_set_a_value():
    f = Checked(lambda at: np.array([len(at), 7.0]))
    assert f.value(plain(3), np.arange(2)).tolist() == [2.0]
    built = alone(f.build(plain(3)))
    assert built.gains(built.start(), np.arange(3)).tolist() == [[1.0]] * 3


def test_what_is_no_function_of_the_set_is_found_out():
    draw = np.random.default_rng(0)
    with pytest.raises(ContractError, match="not a function"):
        Checked(lambda at: draw.random()).examine(plain(5))


@pytest.mark.parametrize(
    "bad",
    [
        "Checked()",
        "Checked(3)",
        "Checked(Cardinality(3))",
        "Checked(MMR(), samples=0)",
        "Checked(MMR(), trust='blindly')",
    ],
)
def test_impossible_hyperparameters_are_refused(bad):
    with pytest.raises(UsageError):
        parse(bad, names())


def test_text_names_no_function():
    for text in ("Checked('os:system')", "Sum((Checked('tests.methods.test_checked:spread'),))"):
        with pytest.raises(UsageError, match="names in text are never imported; pass the function itself"):
            parse(text, names())


def test_a_recipe_with_a_function_is_written_down_and_cannot_be_read_back():
    written = expression(Checked(spread, samples=9))
    assert written == f"Checked(of='{__name__}:spread', samples=9)"
    with pytest.raises(UsageError, match="only names a function"):
        parse(written, names())
    assert expression(len) == "'builtins:len'"
    with pytest.raises(UsageError, match="no constructor expression"):
        expression(Labels.of)  # a method of a class


def test_the_curate_door_takes_a_function(tmp_path):
    loaded = sl.read(
        write(tmp_path / "pool.jsonl", rows()), id="id", text="text", scores="reward", labels="source"
    )
    recipe = sl.Recipe(objective=Checked(spread, samples=20), within=(sl.Cardinality(4),), drop=())
    kept = sl.curate(recipe, loaded, draws=60)
    kept.write(tmp_path / "kept")
    made = json.loads((tmp_path / "kept" / "manifest.json").read_text())
    assert made["recipe"]["objective"] == f"Checked(of='{__name__}:spread', samples=20)"
    assert kept.result.total == 3
