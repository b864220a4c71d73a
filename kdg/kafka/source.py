"""Owns reading from Kafka: partitions, positions, rebalances. It decides nothing about settling; it reports events.

A position is the offset after the last record that was handed out, kept here and never asked of the library: its own
`position()` runs ahead of what was handled (HAZARDS.md 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from kdg.core.cycle import Lost, Revoked
from kdg.core.ports import PositionStore, Rebalance, TryAgain
from kdg.core.records import Batch, Offsets, Position
from kdg.errors import Fenced, KdgError, NoAnswer, OutcomeUnknown, PositionGone, Unreachable
from kdg.kafka.client import Watch
from kdg.kafka.errors import (
    COMMITS,
    NO_SUCH_TOPIC,
    NOT_REACHED,
    describe,
    error_of,
    is_passing,
    rights,
    translate,
)
from kdg.kafka.lookup import Place, committed_of, place_of
from kdg.kafka.patterns import is_pattern
from kdg.kafka.stop_offsets import StopOffsets
from kdg.kafka.topic_ids import FRESH, FRESH_WHEN_IDLE, TopicIds
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import ConsumerClient

MAX_BYTES = 8_000_000
"""What one READ may bring in, so that memory stays bounded (DESIGN.md section 2)."""
MAX_RECORDS = 3_000
"""The same in records: more at a time leave the processor's caches, and take a tenth longer [measured]."""
COMMIT_SECONDS = 75.0
"""More than the 60 s of socket.timeout.ms, after which the library answers by itself."""
LEAST_COMMIT_SECONDS = 3.0
CLOSE_SECONDS = 5.0
SEEK_SECONDS = 10.0
ASK_OTHERS_EVERY = 0.5
SEEK_AGAIN = frozenset({KafkaError._STATE, KafkaError._UNKNOWN_PARTITION, KafkaError._TIMED_OUT, KafkaError._OUTDATED})


@dataclass(slots=True)
class KafkaSource:
    """Records of one or more topics, through a group or from assigned partitions.

    starts: where partitions without a stored position begin; one that is not in it is new and begins at its beginning.
    columns: those of a Batch that somebody will look at. position_store: has the positions, in the place of a group.
    gather: seconds that a READ waits for company, where each batch starts a process.
    renew: a new consumer in the place of one that was fenced; None when another instance has taken over.
    """

    consumer: ConsumerClient
    watch: Watch
    deadline: Deadline
    ends: StopOffsets
    group: str | None
    columns: frozenset[str]
    starts: Mapping[Place, int] = field(default_factory=dict)
    identity: TopicIds | None = None
    note: Callable[[str], None] = lambda _line: None
    rebalance: Rebalance | None = None
    position_store: PositionStore | None = None
    gather: float = 0.0
    renew: Callable[[], ConsumerClient | None] = lambda: None
    _next: dict[Place, int] = field(default_factory=dict)
    _stored: dict[Place, int] = field(default_factory=dict)
    _report: dict[Place, int] = field(default_factory=dict)
    _seeks: dict[Place, int] = field(default_factory=dict)
    _leaving: list[Place] = field(default_factory=list)
    _touched: set[Place] = field(default_factory=set)
    _average: float = 16_000.0
    _others_asked: float = 0.0
    _topics: Sequence[str] = ()
    _topic: str | None = None
    _cooperative: bool = False
    _in_callback: bool = False
    _closing: bool = False

    # ── taking partitions ──

    def begin_at(self, starts: Mapping[Place, int]) -> None:
        """Store where partitions begin that the group has no position in, so that a crash before the first commit skips nothing.

        As a member of the group, when they are assigned: a commit from outside could overwrite what another instance, which
        came and went meanwhile, has done.
        """
        if self.position_store is not None and starts:
            self.position_store.keep([Position(t, p, offset) for (t, p), offset in starts.items()])
        offsets = [TopicPartition(t, p, offset) for (t, p), offset in starts.items()]
        if self.group is None or not offsets:
            return
        try:
            self._commit(offsets)
        except TryAgain:
            return  # the group goes on without this assignment already
        except OutcomeUnknown as exc:
            # Going on, its late arrival would take the position back to the start; a new generation refuses it.
            raise NoAnswer(str(exc), exc.hint) from exc
        self._report.update(starts)

    def subscribe(self, topics: Sequence[str], *, cooperative: bool) -> None:
        """Share the group's work."""
        self._topics, self._cooperative = topics, cooperative
        self._topic = _only(set(topics))
        callbacks = {"on_assign": self._on_assign, "on_revoke": self._on_revoke, "on_lost": self._on_lost}
        try:
            self.consumer.subscribe(list(topics), **callbacks)
        except KafkaException as exc:
            raise translate(error_of(exc), f"subscribing to {' '.join(topics)}") from exc

    def assign(self, starts: Mapping[Place, int]) -> None:
        """Read these partitions, from these offsets, whatever other members a group has."""
        self._topic = _only({topic for topic, _partition in starts})
        self.consumer.assign([TopicPartition(t, p, offset) for (t, p), offset in starts.items()])
        self._own(starts)

    def _own(self, starts: Mapping[Place, int]) -> None:
        self._next.update(starts)
        self._stored.update(starts)
        if self.identity is not None:
            self.identity.watch(topic for topic, _partition in starts)

    def _on_assign(self, consumer: ConsumerClient, partitions: list[TopicPartition]) -> None:
        # An assignment that waited while the last READ ended comes inside the closing. Nobody will read it, and a look at
        # the group's positions has no answer once the group is left [seen]; the wrapper assigns by itself.
        if self._closing or consumer is not self.consumer:
            return
        places = [(tp.topic, tp.partition) for tp in partitions]
        self._touched.update(places)
        stored = self.committed(places)
        new = [place for place in places if place not in stored and place not in self.starts]
        begin = self._beginnings(new)
        starts = {place: stored.get(place, self.starts.get(place, begin.get(place, 0))) for place in places}
        with_offsets = [TopicPartition(t, p, offset) for (t, p), offset in starts.items()]
        # Seeking in here would fail; the offsets go with the assignment (HAZARDS.md 5).
        if self._cooperative:
            consumer.incremental_assign(with_offsets)
        else:
            consumer.assign(with_offsets)
        self._own(starts)
        self._in_callback = True
        try:
            self.begin_at({place: offset for place, offset in starts.items() if place not in stored})
        finally:
            self._in_callback = False

    def _beginnings(self, places: Iterable[Place]) -> dict[Place, int]:
        return {
            (t, p): self.consumer.get_watermark_offsets(TopicPartition(t, p), timeout=10, cached=False)[0]
            for t, p in places
        }

    def stored(self, places: Iterable[Place]) -> Mapping[Place, int]:
        """Where these partitions durably are: as their position_store says, or the group; none where nothing keeps a position."""
        if self.position_store is not None:
            kept = self.position_store.stored()
            return {place: kept[place] for place in places if place in kept}
        return self.committed(places) if self.group is not None else {}

    @property
    def lag(self) -> int:
        """Offsets between where it stands and the ends of the partitions that are its own; 0 without ends."""
        return sum(max(end - self._next.get(place, end), 0) for place, end in self.ends.places.items())

    def committed(self, places: Iterable[Place], within: float = 60.0) -> Mapping[Place, int]:
        """The group's stored positions; waits for a pending transaction, whose offsets they may be (read_committed)."""
        asked = [TopicPartition(t, p) for t, p in places]
        began, rights_asked = self.deadline.now(), False
        while True:
            try:
                return committed_of(self.consumer.committed(asked, timeout=1.0)) if asked else {}
            except KafkaException as exc:
                error = error_of(exc)
                doing = f"looking up the positions of group {self.group}"
                if not is_passing(error):
                    raise translate(error, doing, rights(group=self.group)) from exc
                if not rights_asked:
                    rights_asked = True
                    self.ends.lookup.may_use(self.group or "")
                if self.deadline.over(within, began):
                    raise Unreachable(
                        f"{doing}: no answer within {self.deadline.now() - began:.0f} s: {describe(error)}.",
                        "Check that the brokers run. If they do, a transaction that moves these positions has not ended: kafka-transactions.sh find-hanging names it.",
                    ) from exc

    def _on_revoke(self, consumer: ConsumerClient, partitions: list[TopicPartition]) -> None:
        self._leave(consumer, partitions, Revoked())

    def _on_lost(self, consumer: ConsumerClient, partitions: list[TopicPartition]) -> None:
        self._leave(consumer, partitions, Lost())

    def _leave(self, consumer: ConsumerClient, partitions: list[TopicPartition], event: Revoked | Lost) -> None:
        if consumer is self.consumer:
            self._let_go([(tp.topic, tp.partition) for tp in partitions], event)
        if self._cooperative:
            consumer.incremental_unassign(partitions)
        else:
            consumer.unassign()

    def _let_go(self, places: list[Place], event: Revoked | Lost) -> None:
        self._leaving = places
        self._touched.update(places)
        if isinstance(event, Lost):
            self.release()  # nothing of them may be settled, not even while the rest is
        self._in_callback = True
        try:
            if self.rebalance is not None:
                self.rebalance(event)
        finally:
            self._in_callback = False
        self.release()

    def _renewed(self) -> bool:
        """Whether it goes on with a new consumer.

        The library ends a static member for good when the group has another under its name; that may be this one's own past:
        a session that was over, or a request to join that was sent twice [seen].
        """
        consumer = self.renew()
        if consumer is None:
            return False
        self.note("the group had given this instance up; it joins anew")
        former, self.consumer = self.consumer, consumer
        self._let_go(list(self._next), Lost())
        self.deadline.in_background(former.close)
        self.subscribe(self._topics, cooperative=self._cooperative)
        return True

    def release(self) -> None:
        """Forget the partitions that are leaving."""
        for place in self._leaving:
            for table in (self._next, self._stored, self._seeks):
                table.pop(place, None)
        self._leaving = []

    # ── reading ──

    def read(self, limit: int, timeout: float) -> Batch | None:
        """See Source. None once every partition, of this instance or of another of the group, has reached its end."""
        self._seek_pending()
        self.ends.look_at_clock()
        if self.ends.stops and self._at_ends():
            return None
        self._touched = set(self._seeks)
        messages = self._fetch(max(min(limit, MAX_RECORDS, int(MAX_BYTES / self._average)), 1), timeout)
        self._touched |= self._seeks.keys()  # what a settling inside the fetch has to go back in
        if events := any(map(Message.error, messages)):
            messages = [m for m in messages if not self._is_trouble(m)]
        if self._touched:
            messages = self._untouched(messages)
        if self.identity is not None:
            self.identity.check(FRESH if messages else FRESH_WHEN_IDLE)
        if events:
            messages = [m for m in messages if not self._is_end(m)]
        return self._batch(messages)

    def _fetch(self, count: int, timeout: float) -> list[Message]:
        try:
            # consume() with a timeout would hold a single record back until the timeout is over (HAZARDS.md).
            messages = self.consumer.consume(count, 0)
            if not messages and timeout > 0 and (first := self.consumer.poll(timeout)) is not None:
                messages = [first, *(self.consumer.consume(count - 1, 0) if count > 1 else [])]
            if self.gather and messages and len(messages) < count:
                messages += self.consumer.consume(count - len(messages), self.gather)
        except KafkaException as exc:
            raise translate(error_of(exc), "reading") from exc
        return messages

    def _untouched(self, messages: list[Message]) -> list[Message]:
        """Without what was fetched for partitions that came or went while it was: the new owner, perhaps this one, reads it."""
        touched = self._touched
        for message in messages:
            place = place_of(message)
            if place in touched and place in self._next:  # an event of the end comes once, too
                self._seeks[place] = self._next[place]
        return [m for m in messages if place_of(m) not in touched]

    def _is_trouble(self, message: Message) -> bool:
        """Whether it is an error of the library, which comes once; raises it when it ends the run."""
        error = message.error()
        if error is None or error.code() == KafkaError._PARTITION_EOF:
            return False
        partition = message.partition()
        self._raise_if_final(error, (message.topic() or "", -1 if partition is None else partition))
        return True

    def _is_end(self, message: Message) -> bool:
        """Whether it tells that a partition's end is reached."""
        if message.error() is None:
            return False
        self._reached(place_of(message), message.offset())
        return True

    def _raise_if_final(self, error: KafkaError, place: Place) -> None:
        if self.watch.fault is not None:
            raise translate(self.watch.fault, "reading")
        where = f"reading {place[0]}[{place[1]}]" if place[0] and place[1] >= 0 else f"reading {place[0]}".rstrip()
        if error.code() in NO_SUCH_TOPIC and place[0]:
            raise PositionGone(
                f"{where}: the topic or the partition is gone: {error.str()}.",
                "Was it deleted? A topic made again begins anew.",
            )
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED and self.group is None:
            return  # the library asks for a coordinator that nobody here needs
        translated = translate(error, where, rights(place[0], group=self.group))
        if isinstance(translated, Fenced) and self._renewed():
            return
        ends_the_run = isinstance(translated, PositionGone | Unreachable) and error.code() not in NOT_REACHED
        if error.fatal() or error.code() == KafkaError._FATAL or ends_the_run:
            raise translated

    def _reached(self, place: Place, offset: int | None) -> None:
        """The end of a partition, as far as a read_committed reader may see: markers are behind the position now."""
        if place not in self._next or offset is None or place in self._seeks:
            return
        # Not beyond where reading is to stop: what lies between was fetched and cut off.
        self._next[place] = max(self._next[place], self.ends.cap(place, offset))
        self.ends.stalled(place, offset)

    def _batch(self, messages: list[Message]) -> Batch:
        last = self._last(messages)
        if not last.keys() <= self._next.keys():  # of a partition that is no longer, or not yet, this instance's
            messages = [m for m in messages if place_of(m) in self._next]
            last = self._last(messages)
        messages = self.ends.cut(messages, last)
        for place, offset in last.items():
            self._next[place] = max(self.ends.cap(place, offset + 1), self._next[place])
        return self._columns(messages)

    def _last(self, messages: list[Message]) -> dict[Place, int]:
        """The last offset of each partition. No event is among them any more."""
        if not self._topics and len(self._next) == 1 and messages:  # they can come from nowhere else
            return {place: messages[-1].offset() or 0 for place in self._next}
        numbers = map(Message.partition, messages)
        if self._topic is not None:  # naming it for each record would cost as much as three columns
            of_partition = dict(zip(numbers, messages, strict=True))
            return {(self._topic, number or 0): message.offset() or 0 for number, message in of_partition.items()}
        names = map(Message.topic, messages)
        of_place = dict(zip(cast(Iterable[Place], zip(names, numbers, strict=True)), messages, strict=True))
        return {place: message.offset() or 0 for place, message in of_place.items()}

    def _columns(self, messages: list[Message]) -> Batch:
        values = list(map(Message.value, messages))
        columns: dict[str, Any] = {name: read(messages) for name, read in _READ.items() if name in self.columns}
        batch = Batch(values=values, **columns)
        if messages:
            average = batch.size / len(messages)
            self._average = max(0.5 * self._average + 0.5 * average, average, 1.0)
        return batch

    # ── ends ──

    def _at_ends(self) -> bool:
        """Whether all is read up to the ends; what another instance owns counts when its position is stored."""
        others = self.ends.missing(self._next)
        return others == [] or (others is not None and self._others_done(others))

    def _others_done(self, places: list[Place]) -> bool:
        now = self.deadline.now()
        if self.group is None or now - self._others_asked < ASK_OTHERS_EVERY:
            return False
        self._others_asked = now
        try:
            return self.ends.reached_by(self.committed(places, within=0.0), places)
        except Unreachable:
            return False  # another instance's transaction is pending, or a broker is away: asked again

    # ── positions ──

    @property
    def moved(self) -> bool:
        """See Source."""
        return self._next != self._stored

    def positions(self) -> list[Position]:
        """See Source: only those that have changed. Under its name, they would be stored for a topic made again, too."""
        if self.identity is not None:
            self.identity.check()
        return [Position(t, p, offset) for (t, p), offset in self._next.items() if self._stored.get((t, p)) != offset]

    def offsets(self) -> Offsets:
        """See Source."""
        return self._report

    def commit(self) -> None:
        """Synchronously, each partition's error looked at; nothing to do without a group."""
        offsets = [TopicPartition(p.topic, p.partition, p.offset) for p in self.positions()]
        if self.group is not None and offsets:
            self._commit(offsets)

    def _commit(self, offsets: list[TopicPartition]) -> None:
        doing = f"committing the position of group {self.group}"
        try:
            results = self._commit_in_time(offsets, doing)
        except KafkaException as exc:
            raise translate(error_of(exc), doing, table=COMMITS) from exc
        for result in results or []:
            if result.error is not None:
                raise translate(result.error, f"{doing} in {result.topic}[{result.partition}]", table=COMMITS)

    def _commit_in_time(self, offsets: list[TopicPartition], doing: str) -> list[TopicPartition] | None:
        """The library's commit takes no timeout, so it runs in a thread of its own, and a commit that is given up ends the run.

        Inside a rebalance callback the library lets no other thread through, and a commit that waited there would take effect
        later, for partitions that are no longer owned [seen]: it is called directly.
        """
        commit = partial(self.consumer.commit, offsets=offsets, asynchronous=False)
        if self._in_callback:
            return commit()
        # What was read until --timeout was over still settles.
        limit = min(max(self.deadline.left(COMMIT_SECONDS), LEAST_COMMIT_SECONDS), COMMIT_SECONDS)
        try:
            return self.deadline.bounded(commit, limit)
        except TimeoutError:
            again = "Run it again: with the same group it goes on from what is stored."
            raise NoAnswer(f"{doing}: no answer within {limit:.0f} s.", again) from None

    def settled(self) -> None:
        """See Source."""
        self._report.update(
            {place: offset for place, offset in self._next.items() if self._stored.get(place) != offset}
        )
        self._stored = dict(self._next)

    def rewind(self) -> None:
        """See Source. The seeks are done by the next read: inside a rebalance they would fail."""
        self._seeks.update({place: self._stored[place] for place in self._next})
        self._next = dict(self._stored)

    def reload(self) -> bool:
        """See Source."""
        before = dict(self._next)
        stored = self.stored(self._next)
        self._stored.update(stored)
        self._seeks.update({place: self._stored[place] for place in before})
        self._next = {place: self._stored[place] for place in before}
        return self._next == before

    def _seek_pending(self) -> None:
        """Go back where it is to be gone back; while a rebalance is under way the library refuses, and it is tried again."""
        for (topic, partition), offset in list(self._seeks.items()):
            try:
                self.deadline.bounded(
                    partial(self.consumer.seek, TopicPartition(topic, partition, offset)), SEEK_SECONDS
                )
                del self._seeks[topic, partition]
            except KafkaException as exc:
                if error_of(exc).code() not in SEEK_AGAIN:
                    raise translate(error_of(exc), f"going back to {topic}[{partition}] at {offset}") from exc
            except TimeoutError:
                raise KdgError(f"going back to {topic}[{partition}] at {offset}: the client does not answer.") from None

    def topic_id(self, topic: str) -> str:
        """What tells a topic from one that is made again under its name; empty where this user may not ask."""
        return "" if self.identity is None else self.identity.of(topic)

    def group_metadata(self) -> Any:
        """What a transaction carries so that a former member is fenced (KIP-447)."""
        return self.consumer.consumer_group_metadata()

    def close(self) -> None:
        """Leave the group in order; a close that hangs is left behind (librdkafka #4884)."""
        self.rebalance, self._closing = None, True
        try:
            self.deadline.bounded(self.consumer.close, min(self.deadline.left(CLOSE_SECONDS), CLOSE_SECONDS) + 0.5)
        except TimeoutError:
            self.note("the Kafka client did not close in time; it is left behind")
        except (KafkaException, RuntimeError):
            return  # what was to be settled is settled; the group notices the rest by itself


_READ: dict[str, Callable[[list[Message]], Sequence[Any] | None]] = {
    "keys": lambda messages: _unless_all_null(list(map(Message.key, messages))),
    "headers": lambda messages: _unless_all_null(list(map(Message.headers, messages))),
    "timestamps": lambda messages: list(map(itemgetter(1), map(Message.timestamp, messages))),
    "topics": lambda messages: list(map(Message.topic, messages)),
    "partitions": lambda messages: list(map(Message.partition, messages)),
    "offsets": lambda messages: list(map(Message.offset, messages)),
}


def _only(topics: set[str]) -> str | None:
    """The one topic that records can come from; None where there are several, or a pattern that more may match."""
    return next(iter(topics)) if len(topics) == 1 and not any(map(is_pattern, topics)) else None


def _unless_all_null(column: list[Any]) -> list[Any] | None:
    return None if column.count(None) == len(column) else column
