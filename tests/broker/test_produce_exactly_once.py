"""`kdg produce -g exactly-once` on a real broker: the whole input or nothing, and `--resume`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.waiting import eventually

# ── exactly-once: the whole input or nothing ──


def test_exactly_once_refuses_a_cut_off_input(kafka: Kafka) -> None:
    """An input without its last delimiter is refused, unless --allow-unterminated is given."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-g", "eos", input=b"a\nb")
    assert done.code == 4
    assert "--allow-unterminated" in done.err
    assert kafka.values(topic) == []
    kafka.ok("produce", topic, "-g", "eos", "--allow-unterminated", input=b"a\nb")
    assert kafka.values(topic) == [b"a", b"b"]


def test_exactly_once_slow_input_is_exit_4(kafka: Kafka) -> None:
    """An input that takes longer than the transaction may last is exit 4; the message names --resume."""
    topic = kafka.topic()
    with kafka.start("produce", topic, "-g", "eos", "-X", "transaction.timeout.ms=2000", stdin=subprocess.PIPE) as run:
        assert run.process.stdin
        run.process.stdin.write(b"a\nb\n")
        run.process.stdin.flush()
        done = run.end(10)
    assert done.code == 4
    assert "--resume" in done.err
    assert kafka.settled_values(topic) == []


@pytest.mark.parametrize(("status", "code", "seen"), [(0, 0, [b"a", b"b"]), (3, 4, [])])
def test_exactly_once_command_must_exit_0(kafka: Kafka, status: int, code: int, seen: list[bytes]) -> None:
    """The output of a command is committed only if the command exits with 0."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-g", "eos", "--", "sh", "-c", f"echo a; echo b; exit {status}")
    assert done.code == code
    assert kafka.values(topic) == seen
    assert status == 0 or f"status {status}" in done.err


@pytest.mark.parametrize("row", [AT_MOST_ONCE, AT_LEAST_ONCE], ids=lambda row: row.name)
def test_failed_command_is_named(kafka: Kafka, row: Guarantee) -> None:
    """A failed command is named under the other guarantees as well."""
    done = kafka.kdg("produce", kafka.topic(), "-g", row.name, "--", "sh", "-c", "echo a; exit 3")
    assert done.code != 0
    assert "status 3" in done.err


# ── exactly-once: --resume ──


@pytest.mark.parametrize("by_file", [True, False], ids=["file", "stdin"])
def test_resume_sends_only_the_tail(kafka: Kafka, group: str, tmp_path: Path, by_file: bool) -> None:
    """--resume sends the same input once; of a longer input it sends only the new records."""
    topic, file = kafka.topic(), tmp_path / "f"

    def produce(values: list[bytes]) -> None:
        file.write_bytes(text(values))
        args = ["produce", topic, "-g", "eos", "--resume", group, "--batch-records", "10"]
        kafka.ok(*args, *([str(file)] if by_file else []), input=b"" if by_file else text(values))

    produce(lines(25))
    produce(lines(25))
    assert kafka.values(topic) == lines(25)
    produce(lines(40))
    assert kafka.values(topic) == lines(40)


@pytest.mark.parametrize("by_file", [True, False], ids=["file", "stdin"])
@pytest.mark.parametrize("other", [lines(20), [*lines(24), b"record 999999"]], ids=["shorter", "another"])
def test_resume_refuses_another_input(
    kafka: Kafka, group: str, tmp_path: Path, by_file: bool, other: list[bytes]
) -> None:
    """--resume refuses another or a shorter input and names --restart."""
    topic, file = kafka.topic(), tmp_path / "f"
    args = ["produce", topic, "-g", "eos", "--resume", group]
    kafka.ok(*args, input=text(lines(25)))
    file.write_bytes(text(other))
    done = kafka.kdg(*args, *([str(file)] if by_file else []), input=b"" if by_file else text(other))
    assert done.code == 2
    assert "--restart" in done.err
    assert kafka.values(topic) == lines(25)
    kafka.ok(*args, "--restart", input=text(other))
    assert kafka.values(topic) == [*lines(25), *other]
    kafka.ok(*args, input=text([*other, b"more"]))
    assert kafka.values(topic) == [*lines(25), *other, b"more"]


def test_resume_after_an_unterminated_record(kafka: Kafka, group: str) -> None:
    """--resume goes on after a last record without its delimiter, if that was allowed."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group, "--allow-unterminated"]
    kafka.ok(*args, input=b"a\nb")
    kafka.ok(*args, input=b"a\nb\nc\n")
    assert kafka.values(topic) == [b"a", b"b", b"c"]
    assert kafka.kdg(*args, input=b"a\nbc\n").code == 2


def test_resume_keeps_a_cut_off_tail_for_the_next_run(kafka: Kafka, group: str) -> None:
    """A last record that is cut off is not sent; the next run sends it whole."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group, "--batch-records", "1"]
    assert kafka.kdg(*args, input=b"a\nb\nhal").code == 4
    kafka.ok(*args, input=b"a\nb\nhalf\n")
    assert kafka.values(topic) == [b"a", b"b", b"half"]


def test_resume_commits_each_interval(kafka: Kafka, group: str) -> None:
    """--resume commits each interval, so that readers see the records of a slow input while kdg runs."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    with kafka.start(*args, stdin=subprocess.PIPE) as run:
        assert run.process.stdin
        for number in (1, 2):
            run.process.stdin.write(b"line %d\n" % number)
            run.process.stdin.flush()
            assert eventually(lambda: len(kafka.values(topic)) == number, 10)  # noqa: B023  # called at once
        run.process.stdin.close()
        run.process.stdin = None
        assert run.end().code == 0


def test_second_run_of_a_resume_name_fences_the_first(kafka: Kafka, group: str) -> None:
    """The second run with the same --resume name takes over, and the first exits with 6."""
    topic = kafka.topic()
    args = ["produce", topic, "-g", "eos", "--resume", group]
    with kafka.start(*args, stdin=subprocess.PIPE) as first:
        assert first.process.stdin
        first.process.stdin.write(b"a\n")
        first.process.stdin.flush()
        assert eventually(lambda: kafka.values(topic) == [b"a"])
        kafka.ok(*args, input=b"a\nb\n")
        first.process.stdin.write(b"from the first\n")
        first.process.stdin.flush()
        assert first.end(15).code == 6
    assert kafka.settled_values(topic) == [b"a", b"b"]


def test_resume_with_several_partitions(kafka: Kafka, group: str) -> None:
    """--resume neither loses nor duplicates records of a topic with several partitions."""
    topic = kafka.topic(4)
    args = ["produce", topic, "-g", EXACTLY_ONCE.name, "--resume", group, "--batch-records", "7", "-K", " "]
    kafka.kdg(*args, "--crash-at", "record-position:3", input=text(lines(50)))
    kafka.ok(*args, input=text(lines(50)))
    assert sorted(record.value or b"" for record in kafka.records(topic)) == [b"%06d" % n for n in range(50)]
