"""Owns where reading stops: `-e`, `--until`. An end is an offset in a partition; what lies at or beyond it is not handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from kdg.kafka.lookup import Lookup, Place, place_of
from kdg.runtime.clock import SYSTEM_CLOCK, Clock

_NO_END = 1 << 63
TELL_AFTER = 1.0
"""Seconds of waiting behind an open transaction before the user is told."""


@dataclass(slots=True)
class StopOffsets:
    """The ends of a run's partitions. stops: the run is over when all are reached. until: a time to come, in ms, that sets them."""

    lookup: Lookup
    note: Callable[[str], None]
    clock: Clock = SYSTEM_CLOCK
    places: dict[Place, int] = field(default_factory=dict)
    stops: bool = False
    until: int | None = None
    _watched: list[Place] = field(default_factory=list)
    _behind: dict[Place, float] = field(default_factory=dict)

    def at_end_now(self, places: Iterable[Place]) -> None:
        """`-e`: the ends as they are, as a read_uncommitted reader sees them."""
        self.places, self.stops = self.lookup.ends(places), True

    def at_time(self, places: Iterable[Place], milliseconds: int) -> None:
        """`--until`: at once for a time that is past, else when it has come."""
        if milliseconds > self.clock.time() * 1000:
            self.until, self._watched = milliseconds, list(places)
        else:
            self.places = {**self.lookup.ends_at(places, milliseconds), **self.places}
            self.stops, self.until = True, None

    def look_at_clock(self) -> None:
        """The time of `--until` may have come."""
        if self.until is not None:
            self.at_time(self._watched, self.until)

    def cap(self, place: Place, offset: int) -> int:
        """The offset, or the partition's end where that comes first."""
        return min(offset, self.places.get(place, offset))

    def cut(self, messages: list[Message], last: Mapping[Place, int]) -> list[Message]:
        """The messages before their partitions' ends. last: the last offset of each partition among them."""
        if self.until is not None:
            self._end_by_time(messages)
        ending = {place: end for place, end in self.places.items() if last.get(place, -1) >= end}
        if not ending:  # each batch but a partition's last: no record is looked at
            return messages
        return [m for m in messages if (m.offset() or 0) < ending.get(place_of(m), _NO_END)]

    def _end_by_time(self, messages: Sequence[Message]) -> None:
        """The first record at or after `until` ends its partition."""
        for message in messages:
            if message.timestamp()[1] >= (self.until or 0):
                self.places.setdefault(place_of(message), message.offset() or 0)

    def missing(self, position: Mapping[Place, int]) -> list[Place] | None:
        """The partitions that are not this instance's; None while one that is has not reached its end."""
        self._tell_who_is_behind(position)
        if any(position[place] < end for place, end in self.places.items() if place in position):
            return None
        return [place for place in self.places if place not in position]

    def reached_by(self, position: Mapping[Place, int], places: Iterable[Place]) -> bool:
        """Whether these partitions are read up to their ends."""
        return all(position.get(place, -1) >= self.places[place] for place in places)

    def stalled(self, place: Place, offset: int) -> None:
        """No more can be read now, and this is before the end: an open transaction."""
        if offset < self.places.get(place, 0):
            self._behind.setdefault(place, self.clock.monotonic())

    def _tell_who_is_behind(self, position: Mapping[Place, int]) -> None:
        for place, since in list(self._behind.items()):
            topic, partition = place
            if position.get(place, 0) >= self.places.get(place, 0):
                del self._behind[place]
            elif self.clock.monotonic() - since > TELL_AFTER:
                self._behind[place] = float("inf")  # told once
                where = (
                    f"{topic}[{partition}]: readable up to {position.get(place, 0)}, the end is {self.places[place]}"
                )
                self.note(f"waiting for an open transaction in {where}")
