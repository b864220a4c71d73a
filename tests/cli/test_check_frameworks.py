"""`kdg check` of the configuration of Spring Boot and of Quarkus, and of a file in which it recognises nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .answers import refused
from .conftest import Kdg

SECRET = "hunter2"  # noqa: S105  # what must not appear anywhere

SPRING_PROPERTIES = """
spring.application.name=orders
spring.kafka.bootstrap-servers=${KAFKA:localhost:9092}
spring.kafka.producer.acks=0
spring.kafka.producer.properties.linger.ms=7
spring.kafka.consumer.groupId=billing
spring.kafka.consumer.isolation-level=read-committed
spring.kafka.consumer.properties[max.poll.interval.ms]=60000
"""
SPRING_YAML = """
spring:
  application: {name: orders}
  kafka:
    bootstrap-servers: [one:9092, two:9092]
    producer:
      acks: 0
      properties:
        "[linger.ms]": 7
    consumer:
      group-id: billing
      isolation-level: read_committed
      properties: {max.poll.interval.ms: 60000}
---
spring:
  config.activate.on-profile: test
  kafka.producer.acks: all
"""


def _readings(kdg: Kdg, file: Path, text: str, *argv: str) -> dict[str, dict[str, Any]]:
    """The readings of a file, by where they stand in it."""
    file.write_text(text)
    _code, out, err = kdg("check", "-F", str(file), "--format", "json", *argv)
    assert err == ""
    return {reading["where"]: reading for reading in json.loads(out)["readings"]}


@pytest.mark.parametrize(("name", "text"), [("a.properties", SPRING_PROPERTIES), ("a.yml", SPRING_YAML)])
def test_spring_is_judged_as_java_with_its_own_defaults(kdg: Kdg, tmp_path: Path, name: str, text: str) -> None:
    """acks=0 is seen; the consumer has enable.auto.commit=false, which Spring sets."""
    found = _readings(kdg, tmp_path / name, text)
    producer, consumer = found["spring.kafka.producer"], found["spring.kafka.consumer"]
    assert (producer["client"], producer["role"], producer["gives"]) == ("java", "producer", "at-most-once")
    assert "acks" in producer["findings"][0]["settings"]
    assert consumer["role"] == "consumer"
    assert any("enable.auto.commit=false" in remark for remark in consumer["remarks"])
    assert kdg("check", "-F", str(tmp_path / name))[0] == 10


def test_spring_with_auto_commit_is_judged_so(kdg: Kdg, tmp_path: Path) -> None:
    text = "spring.kafka.consumer.group-id=g\nspring.kafka.consumer.enable-auto-commit=true\n"
    (consumer,) = _readings(kdg, tmp_path / "a.properties", text).values()
    assert not any("Spring sets" in remark for remark in consumer["remarks"])


def test_quarkus_is_judged_by_channel(kdg: Kdg, tmp_path: Path) -> None:
    """A channel has Quarkus's own defaults; the profile `prod` counts, and other connectors are not Kafka's."""
    text = """
kafka.bootstrap.servers=h:9092
mp.messaging.incoming.orders.connector=smallrye-kafka
mp.messaging.incoming.orders.group.id=billing
mp.messaging.outgoing.bills.topic=bills
mp.messaging.outgoing."audit.log".acks=all
%prod.mp.messaging.outgoing."audit.log".acks=0
%test.mp.messaging.outgoing."audit.log".acks=1
mp.messaging.outgoing.mail.connector=smallrye-amqp
"""
    found = _readings(kdg, tmp_path / "application.properties", text)
    assert set(found) == {"incoming orders", "outgoing bills", 'outgoing "audit.log"'}
    assert found['outgoing "audit.log"']["gives"] == "at-most-once"
    assert any("acks=1" in remark for remark in found["outgoing bills"]["remarks"])
    assert any("enable.auto.commit=false" in remark for remark in found["incoming orders"]["remarks"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.properties", f"server.port=8080\napp.password={SECRET}\n"),
        ("a.properties", ""),
        ("a.properties", "spring.application.name=orders\n"),
        ("a.properties", "spring.kafka.listener.ack-mode=manual\n"),
        ("a.yml", f"server: {{port: 8080, key: {SECRET}}}\n"),
        ("a.yaml", ""),
        ("a.toml", f'password = "{SECRET}"\n'),
        ("a.conf", f"{SECRET}=1\n"),
    ],
)
def test_a_file_without_settings_of_a_client_is_refused(kdg: Kdg, tmp_path: Path, name: str, text: str) -> None:
    """Nothing can be said of a file in which nothing was recognised; that is not "reached"."""
    file = tmp_path / name
    file.write_text(text)
    answer = kdg("check", "-F", str(file))
    refused(answer, str(file))
    assert SECRET not in answer[2]


def test_what_is_not_yaml_is_named_by_its_line(kdg: Kdg, tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text(f"a: 1\nb: [{SECRET}\nc: }}\n")
    answer = kdg("check", "-F", str(file))
    refused(answer, f"{file} line 3")
    assert SECRET not in answer[2]


def test_a_run_says_what_a_file_of_spring_is(kdg: Kdg, tmp_path: Path) -> None:
    file = tmp_path / "a.properties"
    file.write_text("acks=all\nspring.kafka.producer.acks=0\n")
    refused(kdg("produce", "t", "-F", str(file)), f"{file} line 2", "Spring", "kdg check")
