"""Owns what a run does about a batch that cannot be read: the records before it are settled, then the run ends.

The next run would stop at the same place with all of them in hand again.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from confluent_kafka import Message

from kdg.core.records import TopicPartition
from kdg.errors import KdgError
from kdg.runtime.clock import Clock

QUIET_SECONDS = 2.0
SETTLED_WITHIN = 0.05
"""Seconds between two looks whether the records before it are settled."""


@dataclass(slots=True)
class Unreadable:
    """The batch that cannot be read, once one was found, and the error with which the run ends.

    The library reads on after damaged bytes. What it takes for an offset there can end its fetching without another
    event [seen]: if nothing comes for QUIET_SECONDS after the client went back, the run ends all the same.
    """

    clock: Clock
    partition: TopicPartition | None = None
    _error: KdgError | None = None
    _waited: bool = False
    _quiet_since: float | None = None
    """When the client went back to records before it, or the last one of them came; None if it is to be read next."""

    def found(self, partition: TopicPartition, error: KdgError) -> None:
        """The next thing to read is this batch."""
        self.partition, self._error, self._quiet_since = partition, error, None
        self._waited = False

    def go_back(self) -> None:
        """The records before it are fetched again."""
        self._quiet_since = self.clock.monotonic()

    def look(self, owned: Container[TopicPartition], *, quiet: bool) -> None:
        """Note whether a fetch brought nothing. If the partition is owned no longer, its new owner finds the batch."""
        if self.partition not in owned:
            self.partition = self._error = None
        elif self._quiet_since is not None:
            now = self.clock.monotonic()
            if not quiet:
                self._quiet_since = now
            elif now - self._quiet_since > QUIET_SECONDS:
                self._quiet_since = None

    @property
    def reached(self) -> bool:
        """Whether it is to be read next."""
        return self._error is not None and self._quiet_since is None

    def end(self, timeout: float, *, settled: bool) -> None:
        """Raise its error if everything before it is settled. Otherwise wait a moment, at most `timeout` seconds.

        The first time it waits in any case: what at-most-once has written, it does not wait for again.
        """
        if settled and self._waited and self._error is not None:
            raise self._error
        self._waited = True
        self.clock.sleep(min(timeout, SETTLED_WITHIN))


def unreadable_name(message: Message, group: str | None) -> KdgError:
    """The error for a record with a header whose name is not UTF-8."""
    topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
    after = "start after it (-o)"
    if group is not None:
        after = (
            f"move the group past it: kafka-consumer-groups.sh --bootstrap-server ... --group {group} "
            f"--topic {topic}:{partition} --reset-offsets --to-offset {offset + 1} --execute"
        )
    return KdgError(
        f"{topic}[{partition}]@{offset} has a header whose name is not UTF-8, and the Kafka client cannot return it; "
        "what came before is settled.",
        f"To see its value: kdg consume {topic} -p {partition} -o {offset} -c 1. To go on, {after}.",
    )
