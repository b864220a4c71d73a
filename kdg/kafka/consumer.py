"""Owns the calls of the library's consumer, with a limit of time and errors translated, and the stored positions.

It knows partitions and offsets, and nothing of records that were handed out: see kdg/kafka/source.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.ports import PositionStore
from kdg.core.records import Offsets, Position, TopicPartition
from kdg.errors import KdgError, NoAnswer, Unreachable
from kdg.kafka.client import Watch
from kdg.kafka.errors import COMMITS, error_of, rights, translate
from kdg.kafka.leader_epochs import LeaderEpochs
from kdg.kafka.lookup import Lookup
from kdg.kafka.partitions import stored_offsets, to_library
from kdg.kafka.retry import ask_again
from kdg.runtime.deadline import Deadline
from kdg.text.words import plural

if TYPE_CHECKING:
    from kdg.kafka.library import ConsumerClient, OnRebalance

COMMIT_SECONDS = 75.0
"""More than the 60 s of socket.timeout.ms, after which the library answers by itself."""
LEAST_COMMIT_SECONDS = 3.0
CLOSE_SECONDS = 5.0
HANGING_TRANSACTION = (
    "Check that the brokers run. If they do, a transaction that moves these positions has not ended: "
    "kafka-transactions.sh find-hanging names it."
)
SEEK_SECONDS = 10.0
SEEK_AGAIN = frozenset({KafkaError._STATE, KafkaError._UNKNOWN_PARTITION, KafkaError._TIMED_OUT, KafkaError._OUTDATED})
"""The library's answers to a seek while a rebalance is under way."""


@dataclass(slots=True)
class KafkaConsumer:
    """The consumer of one run, and the place where its positions are stored: a group, a PositionStore, or none.

    client: the library's consumer; `replace` puts a new one in its place.
    group: the group whose positions are read and committed; None if no position is stored in Kafka.
    position_store: holds the positions instead of a group.
    epochs: the leader epochs of the positions.
    make_another: a new client after the group has fenced this one; None if another instance has taken over.
    make_probe: a consumer of its own for a single question; None where no log can be cut off.
    revoke_seconds: how long the group waits for this instance when it takes partitions away.
    """

    client: ConsumerClient
    watch: Watch
    deadline: Deadline
    lookup: Lookup
    group: str | None
    note: Callable[[str], None]
    position_store: PositionStore | None = None
    epochs: LeaderEpochs = field(default_factory=LeaderEpochs)
    make_another: Callable[[], ConsumerClient | None] = lambda: None
    make_probe: Callable[[], ConsumerClient] | None = None
    revoke_seconds: float = math.inf
    in_callback: bool = field(default=False, init=False)
    """Whether a rebalance callback is running; see `commit`."""
    closing: bool = field(default=False, init=False)

    # ── reading ──

    def subscribe(
        self, topics: Sequence[str], on_assign: OnRebalance, on_revoke: OnRebalance, on_lost: OnRebalance
    ) -> None:
        """Join the group. The callbacks come inside `fetch` and `close`."""
        try:
            self.client.subscribe(list(topics), on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)
        except KafkaException as exc:
            raise translate(error_of(exc), f"subscribing to {' '.join(topics)}") from exc

    def fetch(self, count: int, timeout: float, gather: float) -> list[Message]:
        """At most `count` records and events. Seconds: `timeout` to wait for the first, `gather` for more after it."""
        try:
            # consume() with a timeout would hold a single record back until the timeout is over (hazard 14).
            messages = self.client.consume(count, 0)
            if not messages and timeout > 0 and (first := self.client.poll(timeout)) is not None:
                messages = [first, *(self.client.consume(count - 1, 0) if count > 1 else [])]
            if gather and messages and len(messages) < count:
                messages += self.client.consume(count - len(messages), gather)
        except KafkaException as exc:
            raise translate(error_of(exc), "reading") from exc
        return messages

    def serve(self) -> Message | None:
        """One poll without waiting: it serves the callbacks, and the library sees that this instance is alive."""
        try:
            return self.client.poll(0)
        except KafkaException as exc:
            raise translate(error_of(exc), "reading") from exc

    def seek(self, partition: TopicPartition, offset: int) -> bool:
        """Go back to an offset; False while a rebalance is under way, when the library refuses: try again later."""
        topic, number = partition
        doing = f"going back to {topic}[{number}] at {offset}"
        place = LibraryPartition(*partition, offset)
        try:
            self.deadline.bounded(partial(self.client.seek, place), SEEK_SECONDS, doing)
        except KafkaException as exc:
            if error_of(exc).code() not in SEEK_AGAIN:
                raise translate(error_of(exc), doing) from exc
            return False
        except TimeoutError:
            raise KdgError(f"{doing}: the client does not answer.") from None
        return True

    def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset of each partition. It may be asked inside a rebalance callback."""
        ask, wanted = self.client.get_watermark_offsets, list(partitions)
        for partition in wanted:
            self.epochs.note(partition, None)
        with self.deadline.watched(f"looking up the beginning of {plural(len(wanted), 'new partition')}"):
            return {found: ask(LibraryPartition(*found), timeout=10, cached=False)[0] for found in wanted}

    def replace(self) -> bool:
        """Go on with a new client; False if another instance has taken over. The caller closes the former client."""
        client = self.make_another()
        if client is None:
            return False
        self.client = client
        return True

    def close(self) -> None:
        """Leave the group in order. A close that hangs is given up (hazard 21, #4884)."""
        self.closing = True
        limit = min(self.deadline.left(CLOSE_SECONDS), CLOSE_SECONDS) + 0.5
        try:
            self.deadline.bounded(self.client.close, limit)
        except TimeoutError:
            self.note("the Kafka client did not close in time; kdg ends without it")
        except (KafkaException, RuntimeError):
            return  # everything that had to be settled is settled; the group notices a missing member by itself

    # ── stored positions ──

    @property
    def keeps_positions(self) -> bool:
        """Whether positions are stored, in a group or elsewhere."""
        return self.group is not None or self.position_store is not None

    def stored(self, partitions: Iterable[TopicPartition]) -> Offsets:
        """The stored positions of these partitions; a partition without one is left out."""
        if self.position_store is not None:
            kept, epochs = self.position_store.stored(), self.position_store.epochs()
            found = {partition: kept[partition] for partition in partitions if partition in kept}
            for partition in found:
                self.epochs.note(partition, epochs.get(partition))
            return found
        return self.committed(partitions) if self.group is not None else {}

    def committed(self, partitions: Iterable[TopicPartition], within: float = 60.0) -> Offsets:
        """The group's stored positions. Waits `within` seconds for a transaction that holds some of them (hazard 26).

        Raises Unreachable when the time is over.
        """
        asked = [LibraryPartition(*partition) for partition in partitions]
        if not asked:
            return {}
        rights_to_ask_for = [self.group or ""]

        def ask_for_rights() -> None:
            if rights_to_ask_for:  # once: without the right to the group the library does not answer at all
                self.lookup.may_use(rights_to_ask_for.pop())

        def ask() -> Offsets:
            found = self.client.committed(asked, timeout=1.0)
            for place in found:
                if place.offset >= 0:
                    self.epochs.note((place.topic, place.partition), place.leader_epoch)
            return stored_offsets(found)

        return ask_again(
            ask,
            f"looking up the positions of group {self.group}",
            self.deadline,
            within=within,
            refused=partial(translate, needs=rights(group=self.group)),
            too_late=partial(Unreachable, hint=HANGING_TRANSACTION),
            after_each=ask_for_rights,
        )

    def commit(self, offsets: Offsets) -> None:
        """Store positions in the group and wait for the answer of each partition.

        Raises TryAgain if the group went on without this instance, OutcomeUnknown or NoAnswer if they may be stored.
        """
        doing = f"committing the position of group {self.group}"
        try:
            results = self._commit_in_time(to_library(offsets, self.epochs), doing)
        except KafkaException as exc:
            raise translate(error_of(exc), doing, table=COMMITS) from exc
        for result in results or []:
            if result.error is not None:
                raise translate(result.error, f"{doing} in {result.topic}[{result.partition}]", table=COMMITS)

    def _commit_in_time(self, offsets: list[LibraryPartition], doing: str) -> list[LibraryPartition] | None:
        """The library's commit takes no timeout: it runs in another thread, and the run ends if it is not answered.

        Inside a rebalance callback the library lets no other thread through. A commit that waited there would act
        later, on partitions that have a new owner: there the commit is called directly (hazard 24).
        """
        commit = partial(self.client.commit, offsets=offsets, asynchronous=False)
        if self.in_callback:
            with self.deadline.watched(doing):
                return commit()
        # Records that were read until --timeout was over are still settled.
        limit = min(max(self.deadline.left(COMMIT_SECONDS), LEAST_COMMIT_SECONDS), COMMIT_SECONDS)
        try:
            return self.deadline.bounded(commit, limit, doing)
        except TimeoutError:
            again = "Run it again: with the same group it goes on from what is stored."
            raise NoAnswer(f"{doing}: no answer within {limit:.0f} s.", again) from None

    def with_epochs(self, positions: Sequence[Position]) -> list[Position]:
        """The positions with their leader epochs, which are looked up for those that have gone over commit markers.

        If no broker answers at once, these positions are stored without an epoch.
        """
        offsets = {(p.topic, p.partition): p.offset for p in positions if (p.topic, p.partition) in self.epochs.passed}
        for partition, (end, epoch) in self.lookup.leader_epochs(offsets).items():
            if end >= offsets[partition]:  # otherwise this leader may not have all that was read
                self.epochs.note(partition, epoch)
        return [replace(p, leader_epoch=self.epochs.of((p.topic, p.partition))) for p in positions]

    def group_metadata(self) -> Any:
        """What a transaction carries so that the group refuses a former member (KIP-447, hazard 4)."""
        return self.client.consumer_group_metadata()
