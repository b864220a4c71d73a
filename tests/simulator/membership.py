"""Owns the membership of a consumer in a group: what librdkafka does in the background, and its callbacks.

The library notices a rebalance by its heartbeat, reports it inside `consume` or `poll`, and joins again only after the
application has answered (rdkafka_cgrp.c). Until then it keeps its partitions, and its commits carry the generation that
it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from confluent_kafka import TopicPartition as LibraryPartition

from kdg.core.records import TopicPartition

from .cluster import NEVER
from .groups import Group, Protocol
from .process import Process
from .world import World

SESSION_SECONDS = 2.0
MOST_POLL_SECONDS = 6.0
"""max.poll.interval.ms: a member that does not poll for longer leaves the group by itself, even if its heart beats."""


class Membership:
    """The membership of one consumer.

    owned: the fetch position of each partition that it owns. queued: callbacks that the application has not answered
    yet. losing: the partitions of the callback that is being answered, which another member may own by now.
    """

    def __init__(self, world: World, process: Process, group: Group) -> None:
        self.world = world
        self.process = process
        self.group = group
        self.member = ""
        self.generation = -1
        self.owned: dict[TopicPartition, int] = {}
        self.queued: list[tuple[str, list[TopicPartition]]] = []
        self.callbacks: dict[str, Callable[[list[LibraryPartition]], None]] = {}
        self.closed = False
        self.losing: list[TopicPartition] = []
        self.polled = 0.0
        self._answering = False
        self._seen = 0
        self._later: list[TopicPartition] = []

    def leave_if_silent(self) -> None:
        """What the library does in the background when the application has not polled for too long."""
        if self.world.cluster.clock.now - self.polled > MOST_POLL_SECONDS:
            self.group.leave(self.member)

    def tick(self) -> None:
        """A heartbeat. A rebalance that it notices is queued for the application."""
        if self._seen == self.group.version or not self.callbacks or self.closed:
            return
        if self.member and self.member not in self.group.members:
            # The member id is reset at once; the application learns of it inside its next poll.
            self.member = ""
            self.queued.clear()
        if self.queued or self._answering:
            return
        if not self.member and self.owned:
            self.queued.append(("lost", list(self.owned)))
            return
        self._seen = self.group.version
        self._heartbeat()

    def _heartbeat(self) -> None:
        group = self.group
        if not self.member:
            self._join()
        elif group.protocol is Protocol.CONSUMER:
            self._reconcile(group.heartbeat(self.member, self.owned))
        elif group.preparing and not group.members[self.member].joined:
            self._rejoin()
        elif not group.preparing and self.generation != group.generation:
            self._assigned(list(group.members[self.member].target))

    def _rejoin(self) -> None:
        """Join again. Under the eager protocol, give back all partitions first."""
        if self.owned and self.group.protocol is Protocol.EAGER:
            self.queued.append(("revoke", list(self.owned)))
        else:
            self._join()

    def _join(self) -> None:
        self.member = self.group.join(self.member, self.owned)
        self._seen = 0
        self.tick_joined()

    def tick_joined(self) -> None:
        """Take the assignment after JoinGroup, if the rebalance is over already."""
        if self.group.protocol is Protocol.CONSUMER or not self.group.preparing:
            self.tick()

    def _reconcile(self, target: list[TopicPartition]) -> None:
        self.generation = self.group.members[self.member].epoch
        self._give_and_take(target, rejoin=False)
        self._seen = self.group.version

    def _assigned(self, target: list[TopicPartition]) -> None:
        self.generation = self.group.generation
        if self.group.protocol is Protocol.EAGER:
            self.queued.append(("assign", target))
        else:
            self._give_and_take(target, rejoin=True)

    def _give_and_take(self, target: list[TopicPartition], *, rejoin: bool) -> None:
        gone = [place for place in self.owned if place not in target]
        new = [place for place in target if place not in self.owned]
        if gone:
            self.queued.append(("revoke", gone))
            self._later = new
        elif new or rejoin:
            self.queued.append(("assign", new))

    def _answer(self) -> None:
        """Call the application back for each queued rebalance, in order, until none is left."""
        self.tick()
        while self.queued:
            kind, places = self.queued.pop(0)
            self.world.note(self.process, f"{kind} {_names(places)}")
            self.losing = places if kind == "lost" else []
            self._answering = True
            self.callbacks[kind]([LibraryPartition(*place) for place in places])
            self._answering = False
            self.losing = []
            self.world.conduct.answered(self.process, kind, places)
            self._answered(kind)
            self.tick()

    def _answered(self, kind: str) -> None:
        if kind == "assign" or self.member not in self.group.members:
            return
        if self.group.protocol is Protocol.CONSUMER:
            self._seen = 0
            return
        if self._later:
            self.queued.append(("assign", self._later))
            self._later = []
        self._join()

    def vanish(self) -> None:
        """Send no heartbeat any more: the process is dead or frozen."""
        deadline = self.world.cluster.clock.now + SESSION_SECONDS if self.member else NEVER
        self.group.silent(self.member, deadline)
        self.world.cluster.watch(deadline)


def _names(places: Iterable[TopicPartition]) -> str:
    return " ".join(f"{topic}[{number}]" for topic, number in places) or "nothing"
