"""`kdg check --topic` looks at a topic and at the transaction log of a real broker."""

from __future__ import annotations

import json
from pathlib import Path

from kdg.core.guarantees import AT_MOST_ONCE, GUARANTEES
from tests.support.kafka import Kafka


def test_a_live_topic_is_looked_at(kafka: Kafka) -> None:
    topic = kafka.topic(cleanup_policy="compact", min_insync_replicas="1")
    done = kafka.kdg("check", "--topic", topic, "--format", "json")
    assert done.code == 10
    answer = json.loads(done.out)
    (log, transactions) = answer["topics"]
    assert (log["name"], log["replication_factor"], log["min_insync_replicas"], log["in_sync"]) == (topic, 1, 1, 1)
    assert log["carries"] == {row.name: not row.needs_durable_cluster for row in GUARANTEES}
    assert any("compact" in finding["setting"] for finding in log["findings"])
    assert transactions["carries"][AT_MOST_ONCE.name]
    assert kafka.kdg("check", "--topic", topic, "-g", "amo").code == 0


def test_the_brokers_come_from_the_file_that_is_checked(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.topic()
    for name, text in {
        "client.properties": f"buffer.memory=40000000\nbootstrap.servers={kafka.bootstrap}\nacks=0\n",
        "client.json": json.dumps({"BootstrapServers": kafka.bootstrap, "Acks": "None"}),
        "client.toml": f'brokers = "{kafka.bootstrap}"\nacks = 0\n',
    }.items():
        (tmp_path / name).write_text(text)
        options = ["-F", str(tmp_path / name), "--topic", topic, "-g", "amo", "--role", "producer"]
        done = kafka.kdg("check", *options, env={"KDG_BROKERS": ""})
        assert (done.code, done.err) == (0, ""), done


def test_an_unknown_topic_and_an_unreachable_broker_are_exit_8(kafka: Kafka) -> None:
    done = kafka.kdg("check", "--topic", "no-such-topic")
    assert done.code == 8
    assert "no-such-topic" in done.err
    assert not kafka.exists("no-such-topic")
