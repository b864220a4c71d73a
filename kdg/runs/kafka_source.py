"""Owns opening Kafka as a source, for consume and pipe alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kdg.core.guarantees import Role
from kdg.core.ports import PositionStore
from kdg.core.records import Origin, Position
from kdg.errors import Unreachable, UsageError
from kdg.runs.cluster_check import check_cluster
from kdg.runs.plan import Plan, ReadingPlan
from kdg.runs.session import Frame
from kdg.settings.resolve import Resolved

if TYPE_CHECKING:
    from kdg.kafka.lookup import Place
    from kdg.kafka.source import KafkaSource
    from kdg.kafka.stop_offsets import StopOffsets

ASSIGNED_ONLY = "kdg.none"
"""librdkafka wants a group.id even where partitions are assigned and nothing is committed."""


def with_group(plan: Plan) -> tuple[Plan, str | None]:
    """The plan with a group.id in any case, and the group whose position is moved, if one was named."""
    settings = dict(plan.clients[Role.CONSUMER])
    named = settings.get("group.id")
    if named is not None:
        if not named.value.strip():
            raise UsageError(f"the group of {named.origin} is empty.", "Name a group, or leave it out.")
        return plan, named.value
    settings["group.id"] = Resolved(
        "group.id", ASSIGNED_ONLY, "kdg", "nothing is committed: the library only wants a name"
    )
    return dataclasses.replace(plan, clients={**plan.clients, Role.CONSUMER: settings}), None


def open_source(
    frame: Frame,
    reading: ReadingPlan,
    topics: Sequence[str],
    columns: frozenset[str],
    partitions: Sequence[int],
    *,
    check: bool = False,
    position_store: PositionStore | None = None,
    fenced: Callable[[Position], bool] | None = None,
) -> KafkaSource:
    """Connect, find the partitions, resolve where to start and stop; nothing is subscribed yet: `begin` does it.

    columns: those of a Batch that somebody will look at. check: whether the topics' replication is to be looked at.
    position_store: has the positions, in the place of a group.
    fenced: tells whether another instance with the same identity has taken over, asked when the group says so.
    """
    from kdg.kafka.client import Watch, reach
    from kdg.kafka.lookup import Lookup, partitions_of
    from kdg.kafka.patterns import EXCLUDED, is_pattern, matching
    from kdg.kafka.source import KafkaSource
    from kdg.kafka.stop_offsets import StopOffsets
    from kdg.kafka.topic_ids import TopicIds

    plan = frame.plan
    settings = plan.settings(Role.CONSUMER)
    watch = Watch(verbose=plan.verbose)
    make = partial(frame.surroundings.clients.consumer, {**EXCLUDED, **settings}, watch)
    consumer = make()
    # Both connect at once; a first question on a cold connection can wait out the library's retry of 1 to 3 s.
    admin = frame.surroundings.clients.admin(settings, watch)
    metadata = reach(
        consumer,
        watch,
        frame.deadline,
        plan.brokers,
        topics[0] if len(topics) == 1 and not is_pattern(topics[0]) else None,
    )
    names = matching(metadata, topics, plan.brokers)
    places = [place for topic in names for place in partitions_of(metadata, topic, plan.brokers, partitions)]
    reach(admin, watch, frame.deadline, plan.brokers, names[0])
    if check:
        check_cluster(
            frame, Role.CONSUMER, metadata, names, warn=reading.group is not None or position_store is not None
        )
    lookup = Lookup(admin, frame.deadline)
    ends = StopOffsets(lookup, plan.note, frame.deadline.clock)
    source = KafkaSource(consumer, watch, frame.deadline, ends, reading.group, columns, note=plan.note)
    if fenced is not None:
        source.renew = lambda: None if fenced(Position(names[0], 0, 0)) else make()
    source.identity = TopicIds(admin, set(names), frame.deadline.clock)
    source.identity.check()
    frame.closing.callback(source.close)
    if position_store is not None:
        position_store.open(Origin(str(metadata.cluster_id), {name: _id_of(source, name) for name in names}))
        source.position_store = position_store
    _stop_at(ends, reading, places)
    _start_at(source, reading, places, frame, partitions)
    return source


def _id_of(source: KafkaSource, topic: str) -> str:
    """A sink has to notice that a topic was made again. Raises Unreachable where it could not."""
    found = source.topic_id(topic)
    if not found:
        raise Unreachable(f"topic {topic} cannot be described: its id is kept with the positions.", "It needs the right DESCRIBE on the topic.")  # fmt: skip
    return found


def begin(source: KafkaSource, plan: Plan, topics: Sequence[str], partitions: Sequence[int]) -> None:
    """Subscribe, or assign where there is no group or `-p` chose the partitions."""
    if source.group is not None and not partitions:
        from kdg.kafka.patterns import subscription

        strategy = plan.value(Role.CONSUMER, "partition.assignment.strategy") or ""
        by_broker = plan.value(Role.CONSUMER, "group.protocol") == "consumer"
        source.subscribe(subscription(topics, by_broker=by_broker), cooperative=by_broker or "cooperative" in strategy)


def _stop_at(ends: StopOffsets, reading: ReadingPlan, places: Sequence[Place]) -> None:
    if reading.exit_at_end:
        ends.at_end_now(places)
    elif reading.until is not None:
        ends.at_time(places, reading.until)


def _start_at(
    source: KafkaSource,
    reading: ReadingPlan,
    places: Sequence[Place],
    frame: Frame,
    partitions: Sequence[int],
) -> None:
    stored = dict(source.stored(places))
    known = {topic for topic, _partition in stored}
    fresh = [place for place in places if place[0] not in known]
    starts = source.ends.lookup.starts(fresh, reading.start) if fresh else {}
    source.starts = starts
    if reading.start_given and known:
        who = "the sink" if source.group is None else f"group {source.group}"
        frame.plan.note(f"{who} has positions in {', '.join(sorted(known))}; it goes on from there, not from -o {reading.start.text}")  # fmt: skip
    if source.group is None or partitions:
        from kdg.sources.start_offsets import BEGINNING

        new = [place for place in places if place not in stored and place not in starts]
        starts = {**source.ends.lookup.starts(new, BEGINNING), **starts}
        source.assign({**starts, **stored})
        source.begin_at(starts)
