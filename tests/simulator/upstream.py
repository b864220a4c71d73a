"""Owns what others do to the source topic: new records, new partitions, retention, a topic made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdg.core.records import TopicPartition
from kdg.kafka.topic_ids import FRESH

from .cluster import NEVER, Transaction

if TYPE_CHECKING:
    from .world import World

MOST_PARTITIONS = 4


class Upstream:
    """The other users of the source topic.

    sent: every record that kdg has to handle. gone: records that were deleted with their topic. retained: whether
    retention has deleted records.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random
        self.sent: list[bytes] = []
        self.gone: set[bytes] = set()
        self.retained = False
        self._open: list[tuple[TopicPartition, Transaction]] = []

    def feed(self) -> None:
        """Write records; four times of ten in a transaction, which may be aborted, and may stay open for a while."""
        places = self.world.cluster.places("source")
        place = places[int(self.random.random() * len(places))]
        fate, count = self.random.random(), 1 + self.random.getrandbits(1)
        transaction = Transaction(NEVER) if fate < 0.4 else None
        prefix = b"x" if fate < 0.2 else b""
        values = [b"%s%d:%d" % (prefix, place[1], len(self.sent) + i) for i in range(count)]
        self.world.cluster.append(place, values, transaction)
        if not prefix:
            self.sent += values
        if transaction is not None:
            transaction.places.add(place)
            transaction.committed = not prefix
            self._open.append((place, transaction))
            if fate < 0.15 or fate > 0.25:
                self.end_transactions()

    def end_transactions(self) -> None:
        """Commit or abort every open transaction."""
        for place, transaction in self._open:
            transaction.open = False
            log = self.world.cluster.logs[place]
            log.unstable.pop(transaction, None)
            log.entries.append((None, transaction))
        self._open.clear()

    def grow(self) -> None:
        """Add a partition."""
        number = len(self.world.cluster.places("source"))
        if number < MOST_PARTITIONS:
            self.world.cluster.make_topic("source", number + 1)
            for group in self.world.cluster.groups.values():
                group.grow(("source", number))

    def retain(self) -> None:
        """Delete the oldest record of each partition."""
        for place in self.world.cluster.places("source"):
            log = self.world.cluster.logs[place]
            if log.stable > log.start:
                log.start += 1
                self.retained = True

    def remake(self) -> None:
        """Delete the topic and make it again, with new records. Records that nobody had read are gone."""
        self.gone.update(self.sent)
        self._open.clear()
        self.world.cluster.advance(FRESH)  # making a topic takes at least as long
        self.world.cluster.remake_topic("source")
        for _ in range(1 + self.random.getrandbits(2)):
            self.feed()
