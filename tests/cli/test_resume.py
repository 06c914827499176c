"""A run that is killed anywhere leaves the old result or none, and `--resume` ends in the same bytes."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from shortlist.cli.main import run
from tests.cli.pools import rows, write

ASK = ["--text", "text", "--group", "source", "--score", "reward", "-k", "20", "--draws", "40"]
START = [sys.executable, "-c", "from shortlist.cli.main import main; main()", "curate"]


def bytes_of(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder, the request, its uninterrupted result and how long that took."""
    base = tmp_path_factory.mktemp("resume")
    pool = write(base / "pool.jsonl", rows(400))
    ask = [*START, str(pool), *ASK, "-o", str(base / "kept")]
    subprocess.run(ask, check=True, capture_output=True)  # compiles what is not compiled yet
    begun = time.monotonic()
    subprocess.run(ask, check=True, capture_output=True)
    return base, ask, bytes_of(base / "kept"), time.monotonic() - begun


def killed_and_resumed(whole, moments):
    base, ask, want, _ = whole
    out, partial = base / "kept", base / "kept.partial"
    for moment in moments:
        for p in out.iterdir():
            p.unlink()
        out.rmdir()
        process = subprocess.Popen(ask, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not out.exists() or bytes_of(out) == want
        done = subprocess.run([*ask, "--resume"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert bytes_of(out) == want
        assert not partial.exists()


def test_killed_and_resumed(whole):
    took = whole[3]
    killed_and_resumed(whole, np.linspace(0.35, 1.0, 4) * took)


@pytest.mark.long
def test_killed_at_many_moments_and_resumed(whole):
    took = whole[3]
    killed_and_resumed(whole, np.random.default_rng(0).uniform(0.1, 1.05, 200) * took)


@pytest.mark.parametrize("call", ["fsync", "replace", "rename"])
def test_a_disk_that_refuses_leaves_the_old_result(tmp_path, monkeypatch, capsys, call):
    pool = write(tmp_path / "pool.jsonl", rows(120))
    out = tmp_path / "kept"
    ask = ["curate", str(pool), *ASK, "--quiet", "-o", str(out)]
    assert run(ask) == 0
    old = bytes_of(out)
    real, calls = getattr(os, call), [0, -1]

    def failing(*args, **kwargs):
        calls[0] += 1
        if calls[0] == calls[1]:
            raise OSError(28, "No space left on device")
        return real(*args, **kwargs)

    monkeypatch.setattr(os, call, failing)
    assert run([*ask, "--seed", "1"]) == 0
    total, refused = calls[0], 0
    new = bytes_of(out)
    assert new != old
    for at in range(1, total + 1, max(1, total // 5)):
        calls[0], calls[1] = 0, at
        before = bytes_of(out)
        seed, after = ("0", old) if before == new else ("1", new)
        code = run([*ask, "--seed", seed])
        refused += code == 4
        if code == 4:
            assert "No space left" in capsys.readouterr().err
            assert bytes_of(out) in (before, after)
        else:
            assert code == 0
            assert bytes_of(out) == after
    assert refused >= min(total, 1)


def test_a_resume_of_another_request_is_refused(tmp_path, capsys):
    pool = write(tmp_path / "pool.jsonl", rows(120))
    out = tmp_path / "kept"
    (tmp_path / "kept.partial").mkdir()
    (tmp_path / "kept.partial" / "request.json").write_text('{"k": "5"}')
    assert run(["curate", str(pool), *ASK, "--quiet", "-o", str(out), "--resume"]) == 2
    assert "k" in capsys.readouterr().err
