"""Owns saying that a broker acknowledges nothing, while a target waits for its records."""

from __future__ import annotations

from dataclasses import dataclass, field

from kdg.kafka.errors import describe
from kdg.kafka.producer import ProducerHandle
from kdg.runtime.deadline import Deadline
from kdg.text.words import plural_were


@dataclass(slots=True)
class Unacknowledged:
    """The records that the library holds. A wait for them is a silence only while their number stays the same."""

    handle: ProducerHandle
    topic: str
    deadline: Deadline
    _count: int = field(default=-1, init=False)
    _since: float = field(default=0.0, init=False)

    def begin(self) -> None:
        """A wait begins, or more records were handed to the library."""
        self._count = -1

    def look(self) -> None:
        """Report the silence, if it has been long. To be called again and again during the wait."""
        doing, count = f"producing to {self.topic}", len(self.handle.producer)
        if count != self._count:
            self._count, self._since = count, self.deadline.now()
            self.deadline.wait_ended(doing)
            return
        last = self.handle.watch.last
        cause = "" if last is None else f", the last error is {describe(last)}"
        self.deadline.report_wait(
            doing,
            self._since,
            f"{plural_were(count, 'record')} not acknowledged{cause}",
            "a broker that answers ends it, or message.timeout.ms",
        )
