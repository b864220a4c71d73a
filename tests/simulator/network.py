"""Owns the network of a history: requests that are held up, sent twice, lost, or not answered."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError

from .cluster import Cluster, Request

if TYPE_CHECKING:
    from .process import Process

_TIMED_OUT = KafkaError._TIMED_OUT  # noqa: SLF001  # the library's own name


class Net(Enum):
    """What the network does to the next request of a process."""

    HOLD = "is cut off and sent again; the first copy arrives later"
    TWICE = "is answered, the answer is cut off, and it is sent again"
    SLOW = "is on its way for long"
    MUTE = "takes effect, and no answer comes"


class Network:
    """The network between the processes and the cluster.

    late: requests that are still on their way. note: writes a line of the history. hasten: called when a copy of a
    request is held up.
    """

    def __init__(
        self,
        random: Random,
        cluster: Cluster,
        note: Callable[[Process | None, str], None],
        hasten: Callable[[], None],
    ) -> None:
        self.random = random
        self.cluster = cluster
        self.note = note
        self.hasten = hasten
        self.late: list[Request] = []

    def send(self, process: Process, name: str, call: Callable[[], int], request: Request | None = None) -> int:
        """Send a request.

        Returns its answer, or `_TIMED_OUT` if there is none yet. request: the same one if it was sent before.
        """
        net, process.net = process.net, None
        if request is not None and (request.mute or request.code is not None):
            return self._answer(request)
        if request is not None and request in self.late:
            self.late.remove(request)
        if net is None:
            return call()
        self.note(process, f"{name} {net.value}")
        return self._disturb(net, process, request or Request(name, call))

    def _answer(self, request: Request) -> int:
        if request.mute or request.code is None:
            request.mute -= 1
            self.cluster.advance(1.0)
            return _TIMED_OUT
        return request.code

    def _disturb(self, net: Net, process: Process, request: Request) -> int:
        if net is Net.SLOW:
            process.cut = process.cut or request.name.startswith("Produce")
            self.late.append(request)
            process.net = Net.SLOW if self.random.random() < 0.5 else None
            self.cluster.advance(1.0)
            return _TIMED_OUT
        if net is Net.MUTE:
            request.deliver()
            request.mute = 1 + self.random.getrandbits(3)
            return self._answer(request)
        process.cut = True
        if net is Net.TWICE:
            request.call()
        elif request.name != "OffsetCommit":
            self.late.append(Request(request.name, request.call))
            self.hasten()
        return request.call()

    def send_blindly(self, process: Process, request: Request) -> None:
        """Send a request whose answer nobody waits for (acks=0). It may be lost or late, and is never sent again."""
        net, process.net = process.net, None
        if net is None or net is Net.MUTE:
            request.deliver()
            return
        self.note(process, f"{request.name} {'is lost' if net is Net.TWICE else net.value}")
        if net is not Net.TWICE:
            self.late.append(request)

    def sticks(self, process: Process) -> bool:
        """Whether the next Produce request of the process gets no answer."""
        stick, process.stick = process.stick, False
        if stick:
            self.note(process, "gets no answer")
        return stick

    def deliver_late(self) -> None:
        """Let one late request arrive."""
        if self.late:
            request = self.late.pop(self.random.randrange(len(self.late)))
            code = request.deliver()
            self.note(None, f"late {request.name}: {KafkaError(code).name() if code else 'ok'}")
