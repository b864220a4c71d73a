"""Batches that take longer than max.poll.interval.ms: the group keeps the instance, and each batch is settled once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import KDG, lines, text

pytestmark = pytest.mark.timeout(180)
each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=[each.short for each in GUARANTEES])
IMPATIENT = ("-X", "session.timeout.ms=6000", "-X", "max.poll.interval.ms=8000")
SECONDS = 12
"""How long a batch takes: longer than max.poll.interval.ms."""


@pytest.mark.parametrize("guarantee", GUARANTEES[:2], ids=["amo", "alo"])
def test_a_slow_command_settles_each_batch_once(kafka: Kafka, group: str, guarantee: Guarantee, tmp_path: Path) -> None:
    sent = lines(6)
    topic = kafka.filled(sent)
    script = f'cat >>"$0"; sleep {SECONDS}'
    args = ["consume", topic, "-G", group, "-g", guarantee.name, "-e", "--batch-records", "3", *IMPATIENT]
    done = kafka.kdg(*args, "--", "sh", "-c", script, str(tmp_path / "out"), timeout=120)
    assert done.code == 0, done.err
    assert (tmp_path / "out").read_bytes() == text(sent)
    assert kafka.committed(group, topic) == {0: 6}
    assert "max.poll.interval.ms" not in done.err


@each_guarantee
def test_a_slow_filter_settles_each_batch_once(kafka: Kafka, group: str, guarantee: Guarantee, tmp_path: Path) -> None:
    sent = lines(6)
    source, target = kafka.filled(sent), kafka.topic()
    script = f'echo >>"$0"; cat; sleep {SECONDS}'
    args = ["pipe", source, target, "-G", group, "-g", guarantee.name, "-e", "--batch-records", "3", *IMPATIENT]
    done = kafka.kdg(*args, "--", "sh", "-c", script, str(tmp_path / "runs"), timeout=120)
    assert done.code == 0, done.err
    assert kafka.settled_values(target) == sent
    assert (tmp_path / "runs").read_bytes() == b"\n\n"


def test_a_slow_reader_of_stdout_gets_each_record_once(kafka: Kafka, group: str) -> None:
    sent = [b"%07d" % number * 30 for number in range(5000)]
    topic = kafka.filled(sent)
    kdg = [KDG, "consume", topic, "-G", group, "-e", "--batch-records", "2000", *IMPATIENT]
    reader = ["sh", "-c", f"sleep {SECONDS}; head -c 300000; sleep {SECONDS}; cat"]
    with subprocess.Popen(kdg, env=kafka.environment(), stdout=subprocess.PIPE) as run:
        read = subprocess.run(reader, stdin=run.stdout, capture_output=True, check=True, timeout=120)
    assert run.returncode == 0
    assert read.stdout == text(sent)
    assert kafka.committed(group, topic) == {0: 5000}


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
@pytest.mark.parametrize("guarantee", GUARANTEES[1:], ids=["alo", "eos"])
def test_partitions_move_while_commands_work(kafka: Kafka, group: str, guarantee: Guarantee, strategy: str) -> None:
    """Three instances, started one after the other while the others work: exactly-once settles each batch once."""
    sent = lines(12)
    source, target = kafka.filled(sent, 3), kafka.topic()
    args = ["pipe", source, target, "-G", group, "-g", guarantee.name, "-e", "--batch-records", "2", *IMPATIENT]
    args += ["-X", f"partition.assignment.strategy={strategy}"]
    script = f"sleep $0; exec {KDG} {' '.join(args)} -- sh -c 'cat; sleep {SECONDS}'"
    runs = [
        subprocess.Popen(["sh", "-c", script, str(4 * number)], env=kafka.environment(), stderr=subprocess.PIPE)
        for number in range(3)
    ]
    ends = [run.communicate(timeout=150)[1].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], ends
    found = [value for value in kafka.settled_values(target) if value is not None]
    assert set(found) == set(sent)
    if not guarantee.may_duplicate:
        assert len(found) == len(sent)
    assert kafka.committed(group, source).keys() == {0, 1, 2}
