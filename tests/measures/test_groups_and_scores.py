"""Groups reached, evenness, means with missing values."""

from __future__ import annotations

import numpy as np
import pytest

from shortlist.core.errors import ContractError
from shortlist.core.pool import Pool
from shortlist.core.signals import Labels, Scores, Tags
from shortlist.measures.group_cover import GroupCover, even, share
from shortlist.measures.mean_score import MeanScore, means

LABELS = Labels.of(["a", "a", "b", "c", "c", "c"])
TAGS = Tags.of([["x"], ["x", "y"], [], ["z"], ["y"], ["x"]])


def test_share_and_evenness_of_labels() -> None:
    flat, offsets = np.array([0, 1, 0, 2, 3, 0, 1, 3]), np.array([0, 2, 5, 8, 8])
    assert share(LABELS, flat, offsets).tolist() == pytest.approx([1 / 3, 1, 2 / 3, 0])
    two_one = np.exp(-(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)))
    assert even(LABELS, flat, offsets).tolist() == pytest.approx([1 / 3, 1, two_one / 3, 0])


def test_share_of_tags_counts_each_tag_of_a_row() -> None:
    pool = Pool.of({"tags": TAGS, "label": LABELS, "q": Scores(np.arange(6.0))})
    assert GroupCover("tags")(pool, np.array([1])) == pytest.approx(2 / 3)
    assert GroupCover("tags")(pool, np.array([2])) == 0
    assert GroupCover("tags", even=True)(pool, np.array([1, 3])) == pytest.approx(1)
    assert "evenness" in GroupCover("tags", even=True).name
    assert GroupCover("label").name == "share of groups reached, label"
    with pytest.raises(ContractError, match="Labels or Tags"):
        GroupCover("q")(pool, np.array([1]))


def test_groups_that_no_row_has_do_not_count() -> None:
    thin = Labels(np.array([0, 0, 2], np.int32), ("a", "gone", "c"))
    assert share(thin, np.array([0, 2]), np.array([0, 2])).tolist() == [1.0]


def test_mean_leaves_missing_values_out() -> None:
    scores = Scores(np.array([1.0, 2.0, 9.0, 4.0]), missing=np.array([False, False, True, False]))
    flat, offsets = np.array([0, 2, 2, 1, 3]), np.array([0, 2, 3, 3, 5])
    found = means(scores, flat, offsets)
    assert found[[0, 3]].tolist() == [1.0, 3.0]
    assert np.isnan(found[[1, 2]]).all()
    pool = Pool.of({"q": scores})
    assert MeanScore("q")(pool, np.array([1, 3])) == 3.0
    assert MeanScore("q").name == "mean q"
    assert np.isnan(MeanScore("q")(pool, np.array([2])))


def test_a_small_spread_on_a_large_level_survives() -> None:
    values = 1e12 + np.array([0.0, 1.0, 0.0, 1.0])
    found = means(Scores(values), np.array([0, 2, 1, 3]), np.array([0, 2, 4]))
    assert found[1] - found[0] == pytest.approx(1.0)
