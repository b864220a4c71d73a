"""What bash, zsh and fish offer after Tab. A cluster that is away causes no delay and no message."""

from __future__ import annotations

import time

import pytest

from tests.support.kafka import Kafka
from tests.support.processes import Done, lines

SHELLS = {
    "bash": lambda words, last: {
        "_KDG_COMPLETE": "complete_bash",
        "COMP_WORDS": f"{words} {last}",
        "COMP_CWORD": str(len(words.split())),
    },
    "zsh": lambda words, last: {"_KDG_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": f"{words} {last}"},
    "fish": lambda words, last: {
        "_KDG_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_ARGS": f"{words} {last}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    },
}  # fmt: skip


def complete(kafka: Kafka, shell: str, words: str, last: str, **env: str) -> Done:
    return kafka.kdg(env=SHELLS[shell](words, last) | env)


@pytest.mark.parametrize("shell", SHELLS)
def test_topics_and_groups_of_the_cluster_are_offered(kafka: Kafka, group: str, shell: str) -> None:
    topic = kafka.filled(lines(1))
    kafka.ok("consume", topic, "-G", group, "-e")
    for words, last, offered in (
        ("kdg consume", topic[:4], topic),
        ("kdg produce", topic[:4], topic),
        (f"kdg pipe {topic}", topic[:4], topic),
        (f"kdg consume {topic} -G", group[:4], group),
        (f"kdg consume -b {kafka.bootstrap}", topic[:4], topic),
        ("kdg consume -g", "exa", "exactly-once"),
        ("kdg explain", "isol", "isolation.level"),
    ):
        done = complete(kafka, shell, words, last)
        assert offered.encode() in done.out, (words, done)
        assert done.err == ""
    assert b"__consumer_offsets" not in complete(kafka, shell, "kdg consume", "__c").out


@pytest.mark.parametrize("shell", SHELLS)
def test_cluster_away_is_passed_over(kafka: Kafka, shell: str) -> None:
    """If the cluster is away, completion ends quickly and prints nothing."""
    for env in ({"KDG_BROKERS": "127.0.0.1:1"}, {"KDG_BROKERS": ""}, {"KDG_CONFIG": "/absent.toml"}):
        began = time.monotonic()
        done = complete(kafka, shell, "kdg consume", "t", **env)
        assert (b"t-" not in done.out, done.err) == (True, "")
        assert time.monotonic() - began < 5
