"""What kdg inherits from the program that starts it: signals that are ignored or blocked."""

from __future__ import annotations

import signal
import sys

from tests.support.kafka import Kafka
from tests.support.processes import KDG, lines
from tests.support.waiting import eventually


def after(statement: str) -> list[str]:
    """The command kdg, started by a program that has first done this to its signals."""
    code = f"import os, signal, sys; {statement}; os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", code, KDG]


SIGCHLD_IGNORED = after("signal.signal(signal.SIGCHLD, signal.SIG_IGN)")
SIGTERM_BLOCKED = after("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])")


def test_failed_command_counts_although_sigchld_is_ignored(kafka: Kafka, group: str) -> None:
    """Where SIGCHLD is ignored, the system drops the exit status of a child; a failed batch is not committed."""
    topic = kafka.filled(lines(10))
    command = ["--", "sh", "-c", "cat >/dev/null; exit 7"]
    done = kafka.kdg("consume", topic, "-G", group, "-e", *command, argv=SIGCHLD_IGNORED)
    assert done.code == 1
    assert "sh ended with exit status 7" in done.err
    assert kafka.committed(group, topic) == {0: 0}


def test_failed_filter_drops_nothing_although_sigchld_is_ignored(kafka: Kafka, group: str) -> None:
    """Without its exit status, a filter that fails looks like one that has dropped every record."""
    source, target = kafka.filled(lines(10)), kafka.topic()
    command = ["--", "sh", "-c", "cat >/dev/null; exit 7"]
    done = kafka.kdg("pipe", source, target, "-G", group, "-g", "eos", "-e", *command, argv=SIGCHLD_IGNORED)
    assert done.code == 1
    assert kafka.committed(group, source) == {0: 0}


def test_cut_off_input_is_not_visible_although_sigchld_is_ignored(kafka: Kafka) -> None:
    """The output of a command that fails is incomplete: exactly-once aborts it."""
    topic = kafka.topic()
    command = ["--", "sh", "-c", "echo 1; echo 2; exit 7"]
    done = kafka.kdg("produce", topic, "-g", "eos", *command, argv=SIGCHLD_IGNORED)
    assert done.code == 4
    assert kafka.settled_values(topic) == []


def test_blocked_signal_ends_the_run(kafka: Kafka, group: str) -> None:
    """A signal that the parent process has blocked still ends the run, and the run settles first."""
    topic = kafka.filled(lines(10))
    with kafka.start("consume", topic, "-G", group, argv=SIGTERM_BLOCKED) as run:
        assert eventually(lambda: len(run.out.splitlines()) == 10)
        run.signal(signal.SIGTERM)
        assert run.end(10).code == -signal.SIGTERM
    assert kafka.committed(group, topic) == {0: 10}
