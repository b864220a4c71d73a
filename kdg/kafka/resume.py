"""Owns the position of an input that is not Kafka's: JSON metadata on partition 0 of the target, in a group named `kdg.*`.

It travels in the same transaction as the records (HAZARDS.md, produce exactly-once resumable).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from kdg.core.records import Position
from kdg.errors import KdgError, UsageError
from kdg.kafka.errors import error_of, is_passing, rights, translate
from kdg.runtime.deadline import Deadline
from kdg.sources.descriptor import InputPosition

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient, ConsumerClient

FORMAT = "kdg.produce/1"


@dataclass(slots=True)
class ResumeStore:
    """An InputPositionStore in the group of a Consumer that never subscribes."""

    consumer: ConsumerClient
    admin: AdminClient
    group: str
    topic: str
    deadline: Deadline

    def check(self) -> None:
        """Raises UsageError when somebody is a member of the group: its positions are somebody else's."""
        future = self.admin.describe_consumer_groups([self.group], request_timeout=30)[self.group]
        try:
            members = future.result().members
        except KafkaException as exc:
            if error_of(exc).code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise translate(error_of(exc), "--resume", rights(group=self.group)) from exc
            return  # no such group yet: the metadata tells
        if members:
            raise UsageError(
                f"the group {self.group} has {len(members)} members; kdg keeps the position of --resume there.",
                "Choose another --resume name.",
            )

    def load(self) -> InputPosition | None:
        """See InputPositionStore. Waits for a pending transaction of an earlier run. Raises UsageError for metadata that is not kdg's."""
        began = self.deadline.now()
        while True:
            try:
                found = self.consumer.committed([TopicPartition(self.topic, 0)], timeout=1.0)[0]
                break
            except KafkaException as exc:
                error = error_of(exc)
                if not is_passing(error) or self.deadline.over(90.0, began):
                    raise translate(
                        error, f"looking up the position of {self.group}", rights(group=self.group)
                    ) from exc
        return None if found.offset < 0 else self._parse(found.metadata)

    def _parse(self, metadata: str | None) -> InputPosition:
        try:
            stored = json.loads(metadata or "")
            if stored["format"] != FORMAT:
                raise KeyError(FORMAT)  # noqa: TRY301  # one place says what is wrong with the metadata
            return InputPosition(
                int(stored["bytes"]), int(stored["records"]), str(stored["sha256"]), bool(stored.get("unterminated"))
            )
        except (ValueError, KeyError, TypeError) as exc:
            raise UsageError(
                f"the group {self.group} holds a position in {self.topic} that kdg did not write.",
                "Choose another --resume name, or begin anew with --restart.",
            ) from exc

    def position(self, reached: InputPosition) -> Position:
        """See InputPositionStore."""
        stored = {"format": FORMAT, "bytes": reached.size, "records": reached.records, "sha256": reached.sha256}
        if reached.unterminated:
            stored["unterminated"] = True
        return Position(self.topic, 0, reached.size, json.dumps(stored, separators=(",", ":")))

    def group_metadata(self) -> Any:
        """What the transaction carries along with the position."""
        return self.consumer.consumer_group_metadata()

    def close(self) -> None:
        """The consumer holds nothing that must be given back."""
        try:
            self.consumer.close()
        except (KafkaException, RuntimeError) as exc:
            raise KdgError(f"closing the reader of {self.group}: {exc}") from exc
