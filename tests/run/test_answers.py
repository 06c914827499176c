"""The answer log: what is kept is replayed in order, by what rows say; a torn end is dropped and said."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.core.errors import InputError, StorageError
from shortlist.core.pool import Pool
from shortlist.core.signals import Scores
from shortlist.run.answers import HEADER, RECORD, AnswerLog, digests


def asked(path: Path, *asks, of=None, context=b"", duel=False):
    """Ask a log; what it does not know is answered by the running number of the question, and kept."""
    log, said, paid = AnswerLog(path, of, context), [], 0
    for role, items in asks:
        answers, known = log.look(role, items, duel=duel)
        todo = np.flatnonzero(~known)
        if len(todo):
            new = (
                np.array([items[i] for i in todo])
                if isinstance(items, np.ndarray)
                else [items[i] for i in todo]
            )
            fresh = np.arange(len(log) + paid, len(log) + paid + len(todo), dtype=np.float32)
            log.keep(role, new, fresh, duel=duel)
            answers[todo] = fresh
            paid += len(todo)
        log.use()
        said += answers.tolist()
    log.close()
    return said, paid


def naive(asks):
    """The slow definition: a queue of answers by (role, item)."""
    return [(role, tuple(np.atleast_1d(i).tolist())) for role, items in asks for i in items]


few = st.lists(st.tuples(st.integers(0, 2), st.integers(3, 5)), min_size=0, max_size=6)
script = st.lists(st.tuples(st.sampled_from(["judge", "grader"]), few), max_size=5)


@given(script, st.randoms(use_true_random=False), st.booleans())
@settings(deadline=None, max_examples=80, derandomize=True, database=None)
def test_any_rerun_gets_each_answer_once_and_in_order(tmp_path_factory, asks, random, shuffled):
    path = tmp_path_factory.mktemp("log") / "a.log"
    asks = [(role, np.array(p, np.int64).reshape(-1, 2)) for role, p in asks]
    first, paid = asked(path, *asks)
    assert paid == len(first)
    again = list(asks)
    if shuffled:
        random.shuffle(again)
    second, paid = asked(path, *again)
    assert paid == 0
    queues: dict = {}
    for what, answer in zip(naive(asks), first, strict=True):
        queues.setdefault(what, []).append(answer)
    assert second == [queues[what].pop(0) for what in naive(again)]


def test_more_questions_pay_for_the_new_ones_only(tmp_path):
    path = tmp_path / "a.log"
    pairs = np.array([[0, 1], [2, 3], [0, 1]])
    assert asked(path, ("judge", pairs)) == ([0, 1, 2], 3)
    more = np.array([[2, 3], [4, 5], [0, 1], [0, 1], [0, 1], [1, 0]])
    assert asked(path, ("judge", more)) == ([1, 3, 0, 2, 4, 5], 3)
    assert asked(path, ("grader", pairs))[1] == 3
    assert asked(path, ("judge", pairs), context=b"another model")[1] == 3
    assert asked(path, ("judge", pairs.astype(np.int32)))[1] == 0


def test_what_was_looked_up_but_not_used_stays(tmp_path):
    path, pairs = tmp_path / "a.log", np.array([[0, 1], [2, 3]])
    asked(path, ("judge", pairs))
    for first in (pairs, pairs[::-1]):  # by the cursor and by the index
        log = AnswerLog(path)
        log.look("judge", first)
        answers, known = log.look("judge", pairs)
        assert (answers.tolist(), known.all()) == ([0, 1], True)
        log.use()
        assert not log.look("judge", pairs)[1].any()
        log.close()


def test_answers_belong_to_what_rows_say_not_to_their_numbers(tmp_path):
    path = tmp_path / "a.log"
    of = digests([b"apple", b"pear", b"fig"])
    assert asked(path, ("judge", np.array([[0, 1], [1, 2]])), of=of, duel=True) == ([0, 1], 2)
    moved = digests([b"new", b"fig", b"pear", b"apple"])
    assert asked(path, ("judge", np.array([[2, 1], [3, 2], [0, 1]])), of=moved, duel=True) == ([1, 0, 2], 1)


def test_what_is_asked_about_a_row_is_a_number_of_its_own(tmp_path):
    path, of = tmp_path / "a.log", digests([b"apple", b"pear"])
    tasks = np.array([[0, 7], [1, 7], [0, 900]])  # row and task: there are more tasks than rows
    assert asked(path, ("judge", tasks), of=of) == ([0, 1, 2], 3)
    moved = digests([b"pear", b"fig", b"apple"])
    assert asked(path, ("judge", np.array([[2, 900], [0, 7], [1, 7]])), of=moved) == ([2, 1, 3], 1)


def test_every_kind_of_items_has_keys(tmp_path):
    pool = Pool.of({"q": Scores(np.zeros(3))})
    kinds = [pool, np.arange(3), np.arange(6).reshape(3, 2), np.eye(3), ["a", "b", "\ud800"], ("a", 1, None)]
    for i, items in enumerate(kinds):
        log = AnswerLog(tmp_path / f"{i}.log")
        log.keep("r", items, np.array([1, 2, 3], np.float32))
        log.close()
        log = AnswerLog(tmp_path / f"{i}.log")
        assert log.look("r", items)[0].tolist() == [1, 2, 3]
        log.close()
    log = AnswerLog(tmp_path / "none.log")
    assert len(log.look("r", [])[0]) == 0
    log.close()


def test_a_torn_end_is_dropped_and_said_at_every_cut(tmp_path):
    path = tmp_path / "a.log"
    asked(path, ("judge", np.arange(5)))
    whole = path.read_bytes()
    assert len(whole) == len(HEADER) + 5 * RECORD.itemsize
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        log = AnswerLog(path)
        kept = max(cut - len(HEADER), 0) // RECORD.itemsize
        assert len(log) == kept
        left = cut - len(HEADER) - kept * RECORD.itemsize if cut >= len(HEADER) else 0
        assert log.torn == left
        log.keep("judge", np.arange(kept, 5), np.arange(kept, 5).astype(np.float32))
        log.close()
        assert path.read_bytes() == whole


def test_a_tail_that_was_never_written_is_torn_and_other_damage_is_named(tmp_path):
    path = tmp_path / "a.log"
    asked(path, ("judge", np.arange(3)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + bytes(43))
    log = AnswerLog(path)
    assert (len(log), log.torn) == (2, 43)
    log.close()
    path.write_bytes(whole[:-25] + bytes(25))
    with pytest.raises(InputError, match=r"damaged at byte 40: kept answer 2 does not match its checksum"):
        AnswerLog(path)
    path.write_bytes(HEADER.replace(b"1", b"2") + whole[20:])
    with pytest.raises(InputError, match="is no answer log of format 1"):
        AnswerLog(path)
    path.write_text('{"id": 1}\n')
    with pytest.raises(InputError, match="is no answer log"):
        AnswerLog(path)
    assert path.read_text() == '{"id": 1}\n'


def test_the_checksum_is_that_of_zlib(tmp_path):
    path = tmp_path / "a.log"
    asked(path, ("judge", np.arange(70_000)))
    log = AnswerLog(path)
    assert len(log) == 70_000
    log.close()
    record = path.read_bytes()[20:40]
    assert int.from_bytes(record[16:], "little") == zlib.crc32(record[:16])


def test_one_run_writes_a_log(tmp_path):
    pytest.importorskip("fcntl")
    log = AnswerLog(tmp_path / "a.log")
    with pytest.raises(StorageError, match="another run is writing this log"):
        AnswerLog(tmp_path / "a.log")
    log.close()
    AnswerLog(tmp_path / "a.log").close()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot keep answers here"):
        AnswerLog(tmp_path / "file" / "a.log")
    with pytest.raises(StorageError, match="cannot keep answers here"):
        AnswerLog(tmp_path)
