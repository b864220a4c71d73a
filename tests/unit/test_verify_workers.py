"""The workers of a fault run: their commands and environment, and their processes."""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from kdg.core.guarantees import EXACTLY_ONCE
from kdg.verify.setup import Names, Setup, commands, environment
from kdg.verify.workers import FILES_FOLDER, WorkerPool
from tests.support.machine import needs_proc
from tests.support.waiting import eventually

NAMES = Names("kdg-verify-1-source", "kdg-verify-1-target", "kdg-verify-1-group")

# ── the workers' commands ──


def test_secret_file_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A secret is never in a command; the file that holds it is in a folder that only this user can read."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    setup = Setup(EXACTLY_ONCE, connection={"sasl.password": "hidden"})
    argv = commands(setup, NAMES)
    assert len(argv) == 3
    assert "hidden" not in str(argv)
    with WorkerPool(argv, {}, files=setup.connection) as pool:
        given = [word for word in pool.workers[0].argv if word.startswith("sasl.password=@")]
        file = Path(given[0].partition("@")[2])
        assert file.read_text() == "hidden"
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert FILES_FOLDER not in str(pool.workers[0].argv)
    assert list(tmp_path.iterdir()) == []


def test_another_program_gets_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Another program finds the topics, the group and the brokers in its environment."""
    monkeypatch.setenv("KDG_GUARANTEE", "eos")
    setup = Setup(EXACTLY_ONCE, command=("copy", "it"), workers=2)
    assert commands(setup, NAMES) == [["copy", "it"], ["copy", "it"]]
    given = {name: value for name, value in environment(setup, NAMES, "h:1").items() if name.startswith("KDG_")}
    assert given == {
        "KDG_BROKERS": "h:1",
        "KDG_SOURCE": NAMES.source,
        "KDG_TARGET": NAMES.target,
        "KDG_GROUP": NAMES.group,
    }


def test_workers_ignore_the_configuration_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KDG_PROFILE", "production")
    given = environment(Setup(EXACTLY_ONCE), NAMES, "h:1")
    assert "KDG_PROFILE" not in given
    assert given["KDG_CONFIG"] == "/dev/null"


@pytest.fixture
def pipeline(tmp_path: Path) -> WorkerPool:
    """A command with two processes; each writes its pid to a file."""
    code = f'import os, time; print(os.getpid(), file=open("{tmp_path}/pid-%s", "w")); time.sleep(60)'
    part = f"{sys.executable} -S -c '{code}'"
    return WorkerPool([["sh", "-c", f"{part % 'a'} | {part % 'b'}; true"]], {}, tmp_path / "logs")


def pids(folder: Path) -> list[int]:
    return [int(text) for file in folder.glob("pid-*") if (text := file.read_text().strip())]


def lives(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@needs_proc
@pytest.mark.parametrize("killed", [True, False], ids=["killed", "first one ended"])
def test_no_process_of_a_command_outlives_it(pipeline: WorkerPool, tmp_path: Path, killed: bool) -> None:
    with pipeline:
        worker = pipeline.workers[0]
        worker.start()
        assert eventually(lambda: len(pids(tmp_path)) == 2)
        if killed:
            worker.kill()
        else:
            os.kill(int((worker.folder / "pid").read_text()), signal.SIGKILL)
            assert eventually(lambda: worker.reap() is not None or not worker.alive)
        assert eventually(lambda: not any(map(lives, pids(tmp_path))))


# ── processes ──


@pytest.fixture
def pool(tmp_path: Path) -> WorkerPool:
    script = "import sys, time; print('hello', file=sys.stderr, flush=True); time.sleep(60)"
    return WorkerPool([[sys.executable, "-S", "-c", script]] * 2, {}, tmp_path / "logs")


def test_killed_worker_starts_again(pool: WorkerPool) -> None:
    """A worker that was killed is started again, and its stderr is kept."""
    with pool:
        worker = pool.workers[0]
        for _ in range(2):
            worker.start()
            assert eventually(lambda: "hello" in worker.last_words())
            assert worker.kill() == -signal.SIGKILL
        assert not worker.alive
        assert worker.log.read_text() == "== start 1\nhello\n== start 2\nhello\n"


def test_frozen_worker_is_not_at_work(pool: WorkerPool) -> None:
    """A frozen worker is not at work. The end of a worker is reported once."""
    with pool:
        worker = pool.workers[1]
        worker.start()
        worker.pause()
        assert worker.alive
        assert not worker.at_work
        assert worker.reap() is None
        worker.resume()
        worker.send(signal.SIGTERM)
        assert worker.reap(10.0) == -signal.SIGTERM
        assert worker.reap() is None


def test_the_reaper_knows_a_worker_that_was_frozen_at_once(pool: WorkerPool) -> None:
    """A worker may be frozen before its shell has written its pid; the reaper knows its pid all the same."""
    with pool:
        worker = pool.workers[0]
        for _ in range(20):
            worker.start()
            worker.pause()
            assert os.getsid(int((worker.folder / "pid").read_text())) != os.getsid(0)
            worker.kill()


def test_no_process_and_no_file_is_left_after_the_pool(pool: WorkerPool) -> None:
    with pool:
        for worker in pool.workers:
            worker.start()
        pool.workers[0].pause()
        folder = pool.workers[0].folder.parent
    assert not any(worker.alive for worker in pool.workers)
    assert not folder.exists()
