"""Owns opening a KafkaSource for consume and pipe: connect, find the partitions, find out where to start and stop.

It loads the client library, so commands import it when a run begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kdg.core.guarantees import Role
from kdg.core.ports import PositionStore
from kdg.core.records import Offsets, Origin, Position, TopicPartition
from kdg.errors import Unreachable
from kdg.kafka.client import Watch
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.leader_epochs import LeaderEpochs
from kdg.kafka.lookup import Lookup, partitions_of
from kdg.kafka.membership import Assignment, Selection, Subscription
from kdg.kafka.patterns import exclusion, is_pattern, matching, subscription
from kdg.kafka.reach import reach
from kdg.kafka.source import KafkaSource
from kdg.kafka.stop_offsets import StopOffsets
from kdg.kafka.topic_ids import TopicIds
from kdg.runs.cluster_check import check_cluster
from kdg.runs.plan import Plan, ReadingPlan
from kdg.runs.session import Frame
from kdg.sources.start_offsets import BEGINNING

if TYPE_CHECKING:
    from kdg.kafka.library import AdminClient, ConsumerClient

PROBE = {"fetch.message.max.bytes": "1", "isolation.level": "read_uncommitted"}
"""A consumer that asks one question fetches as little as it can, and does not wait for open transactions."""
REVOKE_SHARE = 0.8
"""The part of max.poll.interval.ms that work may use; the rest is for settling and for joining again."""
_WAITING = (("max.poll.interval.ms", 300_000), ("heartbeat.interval.ms", 3_000))
"""What a revoke waits for, with librdkafka's defaults."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command reads from Kafka, and how.

    topics: names or patterns. columns: the columns of a Batch that somebody looks at. partitions: `-p`.
    checks_topics: judge the replication of the topics (`--strict`).
    position_store: holds the positions instead of a group. gather: see KafkaSource.
    fenced: whether another instance with the same identity has taken over; asked when the group has fenced this one.
    """

    topics: Sequence[str]
    columns: frozenset[str]
    partitions: Sequence[int] = ()
    checks_topics: bool = False
    position_store: PositionStore | None = None
    gather: float = 0.0
    fenced: Callable[[Position], bool] | None = None


def open_source(frame: Frame, reading: ReadingPlan, wanted: Wanted) -> KafkaSource:
    """A source that is connected and knows where to start and stop. It reads from `KafkaSource.begin` on."""
    clients = _connect(frame, wanted)
    keeps_positions = reading.group is not None or wanted.position_store is not None
    if wanted.checks_topics:
        check_cluster(frame, Role.CONSUMER, clients.metadata, clients.topics, warn=keeps_positions)
    lookup = Lookup(clients.admin, frame.deadline, epochs=LeaderEpochs())
    topic_ids = TopicIds(clients.admin, set(clients.topics), frame.deadline.clock)
    topic_ids.check()
    consumer = _consumer(frame, reading, wanted, clients, lookup)
    frame.closing.callback(consumer.close)
    if wanted.position_store is not None:
        wanted.position_store.open(_origin(clients, topic_ids))
    stop_offsets = StopOffsets(lookup, frame.plan.note, frame.deadline.clock)
    _stop_at(stop_offsets, reading, clients.partitions)
    selection = _select(frame.plan, reading, wanted, clients.partitions, consumer)
    return KafkaSource(consumer, selection, stop_offsets, topic_ids, wanted.columns, wanted.gather)


@dataclass(frozen=True, slots=True)
class _Clients:
    """Two clients that are connected, and what the cluster said. topics: names, each pattern replaced by its topics."""

    consumer: ConsumerClient
    another: Callable[[], ConsumerClient]
    probe: Callable[[], ConsumerClient]
    watch: Watch
    admin: AdminClient
    metadata: Any
    topics: Sequence[str]
    partitions: Sequence[TopicPartition]


def _connect(frame: Frame, wanted: Wanted) -> _Clients:
    plan, make = frame.plan, frame.surroundings.clients
    settings = plan.settings(Role.CONSUMER)
    watch = Watch(verbose=plan.verbose, note=plan.note, settings=settings)

    def another() -> ConsumerClient:
        return make.consumer({**exclusion(wanted.topics), **settings}, watch)

    def probe() -> ConsumerClient:
        return make.consumer({**exclusion(wanted.topics), **settings, **PROBE}, Watch(settings=settings))

    consumer = another()
    # Both connect at once. The first question on a cold connection can wait for a retry of 1 to 3 s (hazard 25).
    admin = make.admin(settings, watch)
    only = wanted.topics[0] if len(wanted.topics) == 1 and not is_pattern(wanted.topics[0]) else None
    metadata = reach(consumer, watch, frame.deadline, plan.brokers, only)
    topics = matching(metadata, wanted.topics, plan.brokers)
    partitions = [
        partition for topic in topics for partition in partitions_of(metadata, topic, plan.brokers, wanted.partitions)
    ]
    reach(admin, watch, frame.deadline, plan.brokers, topics[0])
    return _Clients(consumer, another, probe, watch, admin, metadata, topics, partitions)


def _consumer(frame: Frame, reading: ReadingPlan, wanted: Wanted, clients: _Clients, lookup: Lookup) -> KafkaConsumer:
    fenced = wanted.fenced

    def make_another() -> ConsumerClient | None:
        return None if fenced is None or fenced(Position(clients.topics[0], 0, 0)) else clients.another()

    return KafkaConsumer(
        clients.consumer,
        clients.watch,
        frame.deadline,
        lookup,
        reading.group,
        frame.plan.note,
        position_store=wanted.position_store,
        epochs=lookup.epochs,
        make_another=make_another,
        make_probe=clients.probe,
        revoke_seconds=_revoke_seconds(frame.plan),
    )


def _revoke_seconds(plan: Plan) -> float:
    """How long work may still go on when the group takes its partitions away.

    The group waits for max.poll.interval.ms. This instance notices that one heartbeat later, and has to settle.
    """
    interval, heartbeat = (float(plan.value(Role.CONSUMER, name) or default) / 1000 for name, default in _WAITING)
    return max(REVOKE_SHARE * interval - heartbeat, 0.0)


def _origin(clients: _Clients, topic_ids: TopicIds) -> Origin:
    """The cluster and the topics that a sink's positions belong to. Raises Unreachable for a topic without an id.

    The sink has to notice that a topic was made again (hazard 13).
    """
    for topic in clients.topics:
        if not topic_ids.of(topic):
            raise Unreachable(
                f"kdg cannot read the id of topic {topic}, which it stores with the positions.",
                "Ask for the DESCRIBE right on the topic, or use another identity.",
            )
    return Origin(str(clients.metadata.cluster_id), {topic: topic_ids.of(topic) for topic in clients.topics})


def _stop_at(stop_offsets: StopOffsets, reading: ReadingPlan, partitions: Sequence[TopicPartition]) -> None:
    if reading.exit_at_end:
        stop_offsets.at_end_now(partitions)
    elif reading.until is not None:
        stop_offsets.at_time(partitions, reading.until)


def _select(
    plan: Plan,
    reading: ReadingPlan,
    wanted: Wanted,
    partitions: Sequence[TopicPartition],
    consumer: KafkaConsumer,
) -> Selection:
    """A subscription, or an assignment if there is no group or `-p` chose the partitions; with start offsets."""
    stored = consumer.stored(partitions)
    known = {topic for topic, _partition in stored}
    fresh = [partition for partition in partitions if partition[0] not in known]
    starts = consumer.lookup.starts(fresh, reading.start) if fresh else {}
    if reading.start_given and known:
        who = "the sink" if consumer.group is None else f"group {consumer.group}"
        where = ", ".join(sorted(known))
        plan.note(f"{who} has positions in {where}; it goes on from there, not from -o {reading.start.text}")
    if consumer.group is not None and not wanted.partitions:
        return _subscription(plan, wanted, starts)
    # A partition without a position in a topic with positions was added later: read it from its beginning (hazard 11).
    added = [partition for partition in partitions if partition not in stored and partition not in starts]
    starts = {**consumer.lookup.starts(added, BEGINNING), **starts}
    return Assignment(stored, starts, grows=not wanted.partitions)


def _subscription(plan: Plan, wanted: Wanted, starts: Offsets) -> Subscription:
    strategy = plan.value(Role.CONSUMER, "partition.assignment.strategy") or ""
    by_broker = plan.value(Role.CONSUMER, "group.protocol") == "consumer"
    topics = subscription(wanted.topics, by_broker=by_broker)
    return Subscription(topics, starts, cooperative=by_broker or "cooperative" in strategy)
