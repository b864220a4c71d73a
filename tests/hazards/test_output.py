"""At-most-once when stdout fails, and clusters that cannot keep what a guarantee asks for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its __all__
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE, Guarantee
from tests.support.hazards import Hazards
from tests.support.machine import needs_dev_full
from tests.support.processes import QUICK_GROUP, lines, text
from tests.support.waiting import eventually


@needs_dev_full
def test_at_most_once_full_disk_is_exit_1(kafka: Hazards, group: str) -> None:
    """At-most-once: a full disk is exit 1, and the batch that failed is not printed later."""
    topic = kafka.filled(lines(20))
    args = ["consume", topic, "-g", "amo", "-G", group, "-e", "--batch-records", "5", *QUICK_GROUP]
    with Path("/dev/full").open("wb") as full, kafka.start(*args, stdout=full.fileno()) as run:
        done = run.end()
    assert done.code == 1
    assert "stdout" in done.err
    assert kafka.ok(*args).lines == lines(15, 5)


def test_at_most_once_reader_gone_is_exit_141(kafka: Hazards, group: str) -> None:
    """At-most-once: a reader that goes away is exit 141, and no record that it took comes again."""
    topic = kafka.filled(lines(30_000))
    args = ["consume", topic, "-g", "amo", "-G", group, "-e", *QUICK_GROUP]
    with kafka.start(*args, stdout=subprocess.PIPE) as run:
        assert run.process.stdout
        assert run.process.stdout.read(14) == lines(1)[0] + b"\n"
        run.process.stdout.close()
        assert run.end().code == 141
    position = kafka.committed(group, topic)[0]
    assert position * 14 > 14
    assert kafka.ok(*args).lines == lines(30_000)[position:]


@pytest.mark.parametrize("command", ["produce", "consume", "pipe"])
@pytest.mark.parametrize("row", [AT_MOST_ONCE, AT_LEAST_ONCE, EXACTLY_ONCE], ids=lambda row: row.short)
def test_one_replica_is_exit_10_with_strict(kafka: Hazards, group: str, row: Guarantee, command: str) -> None:
    """A topic with one replica is exit 10 with --strict, before a record is sent, and one line without it."""
    source, target = kafka.filled(lines(3)), kafka.topic()
    with_group = () if row.transactional else ("-G", group)
    args = {
        "produce": ["produce", target],
        "consume": ["consume", source, "-e", *with_group],
        "pipe": ["pipe", source, target, "-e", "-G", group],
    }[command]
    strict = kafka.kdg(*args, "-g", row.name, "--strict", input=text(lines(3)))
    if row.needs_durable_cluster:
        assert strict.code == 10
        assert "replication factor 1" in strict.err
        assert strict.out == b""
        assert kafka.values(target) == []
        assert kafka.committed(group, source) == {}
    else:
        assert strict.code == 0
    done = kafka.ok(*args, "-g", row.name, input=text(lines(3)))
    noted = [line for line in done.err.splitlines() if "replication factor 1" in line]
    nothing_outlives = command == "consume" and row.transactional
    assert len(noted) == (1 if row.needs_durable_cluster and not nothing_outlives else 0)
    assert "replication factor 1" not in kafka.ok(*args, "-g", row.name, input=text(lines(3))).err  # once a day


def _may_not_look_at(kafka: Hazards, topic: str) -> None:
    everything, looking = AclOperation.ALL, AclOperation.DESCRIBE_CONFIGS
    for operation, permission in ((everything, AclPermissionType.ALLOW), (looking, AclPermissionType.DENY)):
        acl = AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*", operation, permission)
        for made in kafka.admin.create_acls([acl], request_timeout=30).values():
            made.result(30)


def test_unreadable_cluster_is_exit_10_with_strict(kafka: Hazards, group: str) -> None:
    """Settings that the user may not see are called unknown, and are exit 10 with --strict."""
    topic = kafka.topic(min_insync_replicas="2")
    _may_not_look_at(kafka, topic)
    assert eventually(lambda: "unknown" in kafka.kdg("produce", topic, "--strict", input=b"").err)
    strict = kafka.kdg("produce", topic, "--strict", input=text(lines(3)))
    assert strict.code == 10
    assert "min.insync.replicas unknown" in strict.err
    assert "unclean.leader.election.enable unknown" in strict.err
    assert kafka.values(topic) == []
    done = kafka.ok("produce", topic, "--acks", "leader", input=text(lines(3)))
    assert len([line for line in done.err.splitlines() if "unknown" in line]) == 1
    assert kafka.values(topic) == lines(3)
