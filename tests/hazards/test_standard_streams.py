"""Runs whose standard descriptors are closed: no record goes where nobody reads it, and nothing hangs."""

from __future__ import annotations

import shlex

from tests.support.hazards import Hazards
from tests.support.processes import KDG, QUICK_GROUP, Done, lines, text


def shell(kafka: Hazards, redirected: str, *args: str, input: bytes = b"") -> Done:  # noqa: A002  # as in Kafka.kdg
    """Run kdg through a shell, with these redirections."""
    return kafka.kdg(f"{shlex.join([KDG, *args])} {redirected}", input=input, argv=("bash", "-c"))


def test_closed_stdout_takes_no_record(kafka: Hazards, group: str, repetition: int) -> None:
    del repetition
    topic = kafka.filled(lines(25))
    args = ("consume", topic, "-G", group, "-e", *QUICK_GROUP)
    for closed in (">&-", "<&- >&-", "<&- >&- 2>&-"):
        assert shell(kafka, closed, *args).code == 2
    assert kafka.committed(group, topic) == {}
    assert kafka.ok(*args).lines == lines(25)


def test_command_with_closed_stdout_prints_nowhere(kafka: Hazards, group: str) -> None:
    """A command that prints the batch fails, as it does without kdg; one that does not need stdout works."""
    topic = kafka.filled(lines(25))
    args = ("consume", topic, "-G", group, "-e", *QUICK_GROUP, "--")
    assert shell(kafka, "<&- >&-", *args, "cat").code == 1
    assert kafka.committed(group, topic).get(0, 0) == 0
    assert shell(kafka, "<&- >&-", *args, "grep", "-q", "record").code == 0
    assert kafka.committed(group, topic) == {0: 25}


def test_closed_stdin_is_an_empty_input(kafka: Hazards) -> None:
    topic = kafka.topic()
    done = shell(kafka, "<&-", "produce", topic)
    assert done.code == 0
    assert "stdin is closed" in done.err
    assert kafka.values(topic) == []


def test_closed_stderr_changes_no_exit_code(kafka: Hazards, group: str) -> None:
    topic = kafka.topic()
    assert shell(kafka, ">&- 2>&-", "produce", topic, input=text(lines(25))).code == 0
    assert kafka.values(topic) == lines(25)
    done = shell(kafka, "2>&-", "consume", topic, "-G", group, "-e", *QUICK_GROUP)
    assert (done.code, done.lines) == (0, lines(25))
