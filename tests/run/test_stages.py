"""Stages are whole or absent."""

import numpy as np
import pytest

from shortlist.core.errors import UsageError
from shortlist.run.stages import Stages


def test_a_finished_stage_is_not_done_again(tmp_path):
    done = []

    def work():
        done.append(1)
        return {"a": np.arange(5), "b": np.array([["x"]])}

    for resume in (False, True, True):
        got = Stages(tmp_path / "s", {"k": 1}, resume=resume).do("one", work)
        assert got["a"].tolist() == [0, 1, 2, 3, 4]
        assert got["b"].tolist() == [["x"]]
    assert len(done) == 1
    Stages(tmp_path / "s", {"k": 1}).do("one", work)
    assert len(done) == 2


def test_a_damaged_or_half_written_stage_is_done_again(tmp_path):
    folder = tmp_path / "s"
    Stages(folder, {}).do("one", lambda: {"a": np.arange(50)})
    data, seal = folder / "one.npz", folder / "one.json"
    whole, sealed = data.read_bytes(), seal.read_bytes()
    for cut in range(0, len(whole), 7):
        data.write_bytes(whole[:cut])
        assert Stages(folder, {}, resume=True).do("one", lambda: {"a": np.arange(50)})["a"][-1] == 49
        assert data.read_bytes() == whole
    for at in range(0, len(whole), 5):
        data.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert Stages(folder, {}, resume=True).do("one", lambda: {"a": np.arange(50)})["a"][-1] == 49
    for cut in range(len(sealed)):
        seal.write_bytes(sealed[:cut])
        assert Stages(folder, {}, resume=True).do("one", lambda: {"a": np.arange(50)})["a"][-1] == 49


def test_a_resume_that_asks_something_else_says_what(tmp_path):
    Stages(tmp_path / "s", {"k": 1, "seed": 0})
    with pytest.raises(UsageError, match=r"k changed"):
        Stages(tmp_path / "s", {"k": 2, "seed": 0}, resume=True)


def test_no_folder_keeps_nothing(tmp_path):
    assert Stages(None, {}).do("one", lambda: {"a": np.zeros(1)})["a"].tolist() == [0]
    Stages(None, {}).clear()
    s = Stages(tmp_path / "s", {})
    s.clear()
    assert not (tmp_path / "s").exists()
