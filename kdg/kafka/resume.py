"""Owns the position that `kdg produce --resume` stores on the cluster: JSON in the metadata of a committed offset.

The offset is committed for partition 0 of the target topic, by a group named `kdg.*`, in the same transaction as the
records. If the transaction is aborted, the position has no effect either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import Position
from kdg.errors import KdgError, UsageError
from kdg.kafka.errors import error_of, rights, translate
from kdg.kafka.retry import ask_again
from kdg.runtime.deadline import Deadline
from kdg.sources.prefix import InputPosition
from kdg.text.words import plural

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient, ConsumerClient

FORMAT = "kdg.produce/1"
PENDING_SECONDS = 90.0
"""How long to wait for a transaction of an earlier run: more than transaction.timeout.ms, which ends it (60 s)."""


@dataclass(slots=True)
class ResumeStore:
    """An InputPositionStore in the group of a consumer that never subscribes."""

    consumer: ConsumerClient
    admin: AdminClient
    group: str
    topic: str
    deadline: Deadline

    def check(self) -> None:
        """Raises UsageError if the group has members, because then its positions are not kdg's (hazard 12)."""
        future = self.admin.describe_consumer_groups([self.group], request_timeout=30)[self.group]
        try:
            with self.deadline.watched(f"looking up group {self.group}"):
                members = future.result().members
        except KafkaException as exc:
            if error_of(exc).code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise translate(error_of(exc), "--resume", rights(group=self.group)) from exc
            return  # no such group yet; `load` checks the metadata
        if members:
            raise UsageError(
                f"the group {self.group} has {plural(len(members), 'member')}; kdg keeps the position of --resume "
                "there.",
                f"Choose another name than --resume {self.group.removeprefix('kdg.produce.')}.",
            )

    def load(self) -> InputPosition | None:
        """See InputPositionStore. Waits for a transaction of an earlier run that may hold the position (hazard 26).

        Raises UsageError if the metadata are not kdg's.
        """
        found = ask_again(
            lambda: self.consumer.committed([LibraryPartition(self.topic, 0)], timeout=1.0)[0],
            f"looking up the position of {self.group}",
            self.deadline,
            within=PENDING_SECONDS,
            refused=partial(translate, needs=rights(group=self.group)),
        )
        return None if found.offset < 0 else self._parse(found.metadata)

    def _parse(self, metadata: str | None) -> InputPosition:
        try:
            stored = json.loads(metadata or "")
            if stored["format"] != FORMAT:
                raise KeyError(FORMAT)  # noqa: TRY301  # the handler below says what is wrong
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
        """The metadata that the transaction needs to commit the position."""
        return self.consumer.consumer_group_metadata()

    def close(self) -> None:
        """Close the consumer. Raises KdgError if that fails."""
        try:
            self.consumer.close()
        except (KafkaException, RuntimeError) as exc:
            raise KdgError(f"closing the reader of {self.group}: {exc}") from exc
