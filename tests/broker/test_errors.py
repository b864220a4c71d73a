"""Wrong input and a cluster that is not ready: one clear message, the right exit code, and nothing created."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import lines, text
from tests.support.waiting import eventually

NOBODY = "127.0.0.1:1"
each_guarantee = pytest.mark.parametrize("row", GUARANTEES, ids=[row.name for row in GUARANTEES])
COMMANDS = {"produce": ["t"], "consume": ["t"], "pipe": ["t", "u", "-G", "g"]}


@pytest.mark.parametrize(("command", "row"), list(zip(COMMANDS, GUARANTEES, strict=True)))
def test_without_a_broker_it_is_exit_8_within_the_timeout(kafka: Kafka, row: Guarantee, command: str) -> None:
    """No broker answers: exit 8 when --timeout is over (hazard 25)."""
    done = kafka.kdg(command, *COMMANDS[command], "-g", row.name, "-b", NOBODY, "--timeout", "1s", input=b"a\n")
    assert done.code == 8
    assert f"no broker reached at {NOBODY}" in done.err
    assert done.seconds < 1 + 2  # and the time to start and end


def test_unknown_host_is_named(kafka: Kafka) -> None:
    """A host that does not exist is exit 8, and is named."""
    done = kafka.kdg("consume", "t", "-b", "no-such-host.invalid:9092", "--timeout", "1s")
    assert done.code == 8
    assert "no-such-host.invalid" in done.err


@each_guarantee
def test_consume_never_makes_a_topic(kafka: Kafka, group: str, row: Guarantee) -> None:
    """Consume of a topic that does not exist is exit 8, and does not make the topic."""
    for options in ([], ["-G", group] if not row.transactional else [], ["-p", "0"]):
        done = kafka.kdg("consume", "absent", "-e", "-g", row.name, *options)
        assert done.code == 8
        assert "no such topic: absent" in done.err
    assert not kafka.exists("absent")


def test_missing_topic_of_two_is_named(kafka: Kafka) -> None:
    """Of two topics the one that does not exist is named."""
    topic = kafka.filled([b"a"])
    done = kafka.kdg("consume", topic, "absent-2", "-e")
    assert done.code == 8
    assert "absent-2" in done.err
    assert not kafka.exists("absent-2")


def test_missing_partition_is_exit_8_and_named(kafka: Kafka) -> None:
    """A partition that the topic does not have is exit 8, and is named."""
    topic = kafka.topic(2)
    for args in (["consume", topic, "-e", "-p", "2"], ["produce", topic, "-p", "2"]):
        done = kafka.kdg(*args, input=b"a\n")
        assert done.code == 8
        assert "partition 2" in done.err


@each_guarantee
def test_invalid_topic_name_is_named(kafka: Kafka, row: Guarantee) -> None:
    """A name that no topic can have is an error that quotes the name."""
    there = kafka.topic()
    for args in (["consume", "no/such"], ["produce", "no/such"], ["pipe", "no/such", there, "-G", "g"]):
        done = kafka.kdg(*args, "-g", row.name, "--timeout", "10s", input=b"a\n")
        assert done.code in (2, 8)
        assert "no/such" in done.err


def test_missing_input_file_is_exit_2(kafka: Kafka, tmp_path: Path) -> None:
    """An input file that does not exist is named, and no topic is made."""
    done = kafka.kdg("produce", "absent-3", str(tmp_path / "absent file"))
    assert done.code == 2
    assert "absent file" in done.err
    assert not kafka.exists("absent-3")


def test_folder_as_input_is_named(kafka: Kafka, tmp_path: Path) -> None:
    """A folder cannot be the input; the message names it."""
    done = kafka.kdg("produce", kafka.topic(), str(tmp_path))
    assert done.code in (1, 2)
    assert str(tmp_path) in done.err


def test_command_that_cannot_start_is_named(kafka: Kafka) -> None:
    """A command that cannot be started is named, and nothing is sent."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "--", "no-such-command-here")
    assert done.code == 2
    assert "no-such-command-here" in done.err
    assert kafka.values(topic) == []


def test_transaction_timeout_above_the_limit_is_exit_2(kafka: Kafka) -> None:
    """A transaction.timeout.ms above the broker's limit is exit 2, and is named."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-g", "eos", "-X", "transaction.timeout.ms=2000000", input=b"a\n")
    assert done.code == 2
    assert "transaction.timeout.ms" in done.err
    assert kafka.values(topic) == []


def test_position_gone_by_retention_is_exit_7(kafka: Kafka, group: str) -> None:
    """A position whose records were deleted is exit 7; no record is skipped silently."""
    from confluent_kafka import TopicPartition

    topic = kafka.filled(lines(10))
    kafka.ok("consume", topic, "-G", group, "-c", "3")
    for future in kafka.admin.delete_records([TopicPartition(topic, 0, 6)]).values():  # as retention does
        future.result(30)
    done = kafka.kdg("consume", topic, "-G", group, "-e", "--timeout", "20s")
    assert done.code == 7
    assert done.out == b""
    assert kafka.committed(group, topic) == {0: 3}
    assert f"the position of group {group} in {topic}[0] is 3, " in done.err
    assert "from 6 on, up to its end at 10" in done.err
    # The advice: another group begins with what is there, and Kafka's own tool moves the group to the same offset.
    assert "-G NAME" in done.err
    assert kafka.ok("consume", topic, "-G", f"{group}-2", "-e").lines == lines(4, 6)
    assert f"--group {group} --topic {topic}:0 --reset-offsets --to-earliest --execute" in done.err
    kafka.consumer(group=group).commit(offsets=[TopicPartition(topic, 0, 6)], asynchronous=False)
    assert kafka.ok("consume", topic, "-G", group, "-e").lines == lines(4, 6)


def test_a_group_of_resume_that_somebody_else_uses_is_refused(kafka: Kafka, group: str) -> None:
    """A group with positions that kdg did not write is refused for --resume, and stays as it is (hazard 12)."""
    from confluent_kafka import TopicPartition

    topic = kafka.filled(lines(3))
    consumer = kafka.consumer(group=f"kdg.produce.{group}")
    consumer.commit(offsets=[TopicPartition(topic, 0, 2)], asynchronous=False)
    consumer.close()
    done = kafka.kdg("produce", topic, "-g", "eos", "--resume", group, input=b"a\n")
    assert done.code == 2
    assert f"kdg.produce.{group}" in done.err
    assert kafka.values(topic) == lines(3)


def test_produce_to_a_topic_the_broker_makes(kafka: Kafka, group: str) -> None:
    """Produce to a topic that the broker makes by itself loses no record."""
    for row in GUARANTEES:
        topic = f"{group}-{row.short}"
        kafka.ok("produce", topic, "-g", row.name, input=text(lines(100)))
        assert kafka.values(topic) == lines(100)


def test_dry_run_connects_to_nothing(kafka: Kafka, tmp_path: Path) -> None:
    """--dry-run connects to no broker, reads no input and creates nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        for command, args in COMMANDS.items():
            done = kafka.kdg(command, *args, "-b", address, "--dry-run", input=b"a\n")
            assert done.code == 0
            assert (" acks " in done.out.decode()) == (command != "consume")
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


# ── --report ──

FIELDS = {
    "guarantee", "command", "outcome", "exit_code", "read", "written", "undelivered", "unconfirmed",
    "duplicates_dropped", "transactions", "positions", "seconds",
}  # fmt: skip


def report_of(text_: str) -> dict[str, object]:
    found = json.loads(text_)
    assert isinstance(found, dict)
    assert set(found) >= FIELDS
    assert isinstance(found["seconds"], int | float)
    return found


@each_guarantee
def test_the_report_of_produce_counts_what_was_sent(kafka: Kafka, tmp_path: Path, row: Guarantee) -> None:
    topic, file = kafka.topic(), tmp_path / "report"
    kafka.ok("produce", topic, "-g", row.name, "--report", str(file), input=text(lines(7)))
    report = report_of(file.read_text())
    assert report["guarantee"] == row.name
    assert (report["command"], report["outcome"], report["exit_code"]) == ("produce", "held", 0)
    assert (report["read"], report["written"], report["undelivered"]) == (7, 7, 0)
    assert report["unconfirmed"] == (7 if row.may_lose else 0)  # hazard 6
    assert report["transactions"] == {"committed": int(row.transactional), "aborted": 0}


@each_guarantee
def test_the_report_of_pipe_has_the_positions(kafka: Kafka, group: str, row: Guarantee) -> None:
    source, target = kafka.filled(lines(7), 2), kafka.topic()
    done = kafka.ok("pipe", source, target, "-g", row.name, "-G", group, "-e", "--report", "-", "-q")
    report = report_of(done.err.splitlines()[-1])
    assert (report["read"], report["written"], report["outcome"]) == (7, 7, "held")
    assert report["positions"] == {source: {"0": 4, "1": 3}}


def test_the_report_of_consume_has_the_positions_of_the_group(kafka: Kafka, group: str) -> None:
    topic = kafka.filled(lines(7))
    done = kafka.ok("consume", topic, "-G", group, "-c", "5", "--report", "-", "-q")
    report = report_of(done.err.splitlines()[-1])
    assert (report["command"], report["read"], report["written"]) == ("consume", 5, 5)
    assert report["positions"] == {topic: {"0": 5}}
    assert done.lines == lines(5)


@pytest.mark.parametrize(
    ("args", "outcome", "code"),
    [
        (["produce", "t", "-b", NOBODY, "--timeout", "500ms"], "unreachable", 8),
        (["consume", "TOPIC", "-c", "5", "--timeout", "1s"], "stop-not-reached", 9),
        (["produce", "TOPIC", "-g", "eos"], "aborted", 4),
    ],
)
def test_the_report_is_written_for_runs_that_fail_too(
    kafka: Kafka, tmp_path: Path, args: list[str], outcome: str, code: int
) -> None:
    file = tmp_path / "report"
    args = [kafka.filled([b"a"]) if arg == "TOPIC" else arg for arg in args]
    done = kafka.kdg(*args, "--report", str(file), input=b"cut off")
    report = report_of(file.read_text())
    assert done.code == code
    assert (report["outcome"], report["exit_code"]) == (outcome, code)


def test_report_of_an_aborted_transaction(kafka: Kafka, tmp_path: Path) -> None:
    """The report of an aborted transaction says that no record was written."""
    file = tmp_path / "report"
    done = kafka.kdg("produce", kafka.topic(), "-g", "eos", "--report", str(file), input=b"a\ncut off")
    report = report_of(file.read_text())
    assert (done.code, report["written"]) == (4, 0)
    assert report["transactions"] == {"committed": 0, "aborted": 1}


def test_the_report_counts_the_undelivered(kafka: Kafka, tmp_path: Path) -> None:
    file = tmp_path / "report"
    done = kafka.kdg("produce", kafka.topic(), "--report", str(file), input=text([b"a", b"x" * 2_000_000, b"b"]))
    report = report_of(file.read_text())
    assert done.code == 3
    assert (report["outcome"], report["read"], report["written"], report["undelivered"]) == ("undelivered", 3, 2, 1)


def test_unwritable_report_is_exit_2(kafka: Kafka, tmp_path: Path) -> None:
    """A report that cannot be written is exit 2, before anything is sent."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "--report", str(tmp_path / "no" / "folder"), input=b"a\n")
    assert done.code == 2
    assert "--report" in done.err
    assert kafka.values(topic) == []


def test_the_summary_is_one_line_on_stderr_and_q_silences_it(kafka: Kafka) -> None:
    topic = kafka.topic()
    done = kafka.ok("produce", topic, input=text(lines(5)))
    assert done.out == b""
    assert done.err.splitlines()[-1].startswith(f"at-least-once: 5 records to {topic}")
    assert kafka.ok("produce", topic, "-q", input=b"a\n").err == ""


def test_a_second_static_member_of_kip_848_is_exit_6(kafka: Kafka, group: str) -> None:
    """Under group.protocol=consumer the broker refuses the newcomer, and the message says what frees the name."""
    topic = kafka.filled(lines(3))
    args = ["consume", topic, "-G", group, "-X", "group.protocol=consumer", "-X", f"group.instance.id={group}"]
    with kafka.start(*args) as run:
        assert eventually(lambda: kafka.committed(group, topic) == {0: 3}), run.err
        done = kafka.kdg(*args, "--timeout", "20s")
        assert run.running
    assert (done.code, "group.instance.id of its own" in done.err) == (6, True), done.err


def test_a_summary_after_an_error_claims_nothing(kafka: Kafka) -> None:
    """Records that were never sent are not called acknowledged."""
    topic = kafka.topic()
    done = kafka.kdg("produce", topic, "-J", input=b"no json\n")
    assert done.code == 2, done.err
    assert f"at-least-once: nothing was sent to {topic}, " in done.err
    assert "acknowledged" not in done.err
