"""Owns saying what a run that reads nothing waits for, where that is more than records that nobody has sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.errors import describe
from kdg.kafka.topic_ids import TopicIds


@dataclass(slots=True)
class Silence:
    """A wait of a source, as Deadline.report_wait reports it: for a broker, or for partitions."""

    consumer: KafkaConsumer
    topic_ids: TopicIds
    _unassigned_since: float | None = field(default=None, init=False)

    def look(self, *, quiet: bool, owns: bool) -> None:
        """After a fetch. quiet: it brought nothing. owns: this instance has a partition."""
        if not quiet:
            return
        deadline, last = self.consumer.deadline, self.consumer.watch.last
        if owns:
            self._unassigned_since = None
        elif self._unassigned_since is None:
            self._unassigned_since = deadline.now()
        if (silent_since := self.topic_ids.silent_since) is not None:
            cause = "" if last is None else f": {describe(last)}"
            deadline.report_wait("reading", silent_since, f"no broker answers{cause}", "it goes on when one does")
        elif self._unassigned_since is not None:
            why = f"group {self.consumer.group} has given no partition to this instance"
            end = "it ends when another member leaves, or when all have come back to the group after a change"
            deadline.report_wait("reading", self._unassigned_since, why, end)
        else:
            deadline.wait_ended("reading")
