"""Owns the positions that a sink stores together with its records under exactly-once: of which topics, and how far.

A run may continue from stored positions only if they belong to the topics that it reads: the same cluster, and topics
that were not deleted and created again since (hazard 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kdg.core.ports import Transaction
from kdg.core.records import Origin, Position, TopicPartition
from kdg.errors import PositionGone


@dataclass(slots=True)
class KeptPositions:
    """stored: the committed positions, the next offset by partition. recorded: those of the open transaction.

    cluster, topic_ids: whose positions they are; topic ids by the topic's name. epochs, recorded_epochs: the leader
    epochs of the positions, None where it is unknown.
    """

    cluster: str = ""
    topic_ids: dict[str, str] = field(default_factory=dict)
    stored: dict[TopicPartition, int] = field(default_factory=dict)
    recorded: dict[TopicPartition, int] = field(default_factory=dict)
    epochs: dict[TopicPartition, int | None] = field(default_factory=dict)
    recorded_epochs: dict[TopicPartition, int | None] = field(default_factory=dict)

    @property
    def after_commit(self) -> dict[TopicPartition, int]:
        """The positions that a commit of the open transaction makes durable."""
        return {**self.stored, **self.recorded}

    @property
    def epochs_after_commit(self) -> dict[TopicPartition, int]:
        """The leader epochs of `after_commit`; a position without one is left out."""
        epochs = {**self.epochs, **self.recorded_epochs}
        return {partition: epoch for partition, epoch in epochs.items() if epoch is not None}

    def record(self, positions: Sequence[Position]) -> None:
        """Add positions to the open transaction."""
        self.recorded.update({(p.topic, p.partition): p.offset for p in positions})
        self.recorded_epochs.update({(p.topic, p.partition): p.leader_epoch for p in positions})

    def forget(self) -> None:
        """The open transaction has been aborted, or has not begun."""
        self.recorded, self.recorded_epochs = {}, {}

    def committed(self) -> None:
        """The open transaction has been committed."""
        self.stored, self.epochs = self.after_commit, {**self.epochs, **self.recorded_epochs}
        self.forget()


def refuse_other_topics(sink: str, held: Origin, origin: Origin) -> None:
    """Raises PositionGone if the positions in a sink are not positions in the topics that are read now.

    sink: as the user named it, `--sqlite orders.db`. held: whose positions the sink has. origin: what is read now.
    """
    if held.cluster != origin.cluster:
        raise PositionGone(
            f"{sink} holds positions in cluster {held.cluster}, but this is cluster {origin.cluster}.",
            "Check -b, or choose a new file.",
        )
    for topic, found in origin.topics.items():
        known = held.topics.get(topic, found)
        if known != found:
            raise PositionGone(
                f"topic {topic} was deleted and created again since {sink} took its records: "
                f"its id is {found}, and was {known}.",
                "Choose a new file; the run then starts with the records that the topic has now.",
            )


def commit_alone(transaction: Transaction, positions: Sequence[Position]) -> None:
    """Make positions durable without a record."""
    transaction.begin()
    transaction.record(positions)
    transaction.commit()
