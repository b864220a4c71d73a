"""Owns how a producer sends over the model: its queue, sequence numbers, delivery reports, and its log.

If a connection drops with a request on it, the library writes a line FAIL to its log before it sends the request again
(hazard 1). Purging records in flight writes no line: the library only stops waiting for the answer (rdkafka_request.c).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaError, Message
from confluent_kafka.admin import ClusterMetadata  # type: ignore[attr-defined]  # not in its __all__

from kdg.core.records import TopicPartition
from kdg.kafka.client import Watch
from kdg.kafka.library import OnDelivery

from .admin import metadata_of
from .cluster import FENCED, OK, OUT_OF_ORDER, WRONG_STATE, Request
from .consumer import failure
from .process import Process
from .world import World

_TIMED_OUT = KafkaError._TIMED_OUT  # noqa: SLF001  # the library's own names
_MSG_TIMED_OUT = KafkaError._MSG_TIMED_OUT  # noqa: SLF001
_FENCED = KafkaError._FENCED  # noqa: SLF001
_PURGED = KafkaError._PURGE_QUEUE  # noqa: SLF001
_PURGED_IN_FLIGHT = KafkaError._PURGE_INFLIGHT  # noqa: SLF001
_STATE = KafkaError._STATE  # noqa: SLF001


class Sending:
    """The sending of one producer.

    queue: records not yet sent. stuck: requests that get no answer. ghosts: purged requests that are still on their
    connection. fatal, abortable: error codes, as the library keeps them.
    """

    def __init__(
        self, world: World, process: Process, settings: Mapping[str, str], watch: Watch, on_delivery: OnDelivery
    ) -> None:
        self.world = world
        self.process = process
        self.watch = watch
        self.on_delivery = on_delivery
        self.name = settings.get("transactional.id", "")
        self.waits = settings["acks"] != "0"
        self.timeout = float(settings.get("transaction.timeout.ms", "3000")) / 1000
        self.pid, self.epoch = (world.cluster.new_pid(), 0) if not self.name else (-1, -1)
        self.fatal: int = OK
        self.abortable: int = OK
        self.bump = False
        self.queue: list[tuple[TopicPartition, bytes]] = []
        self.stuck: list[tuple[Request, list[bytes]]] = []
        self.ghosts: list[Request] = []
        self.pending: Request | None = None
        self._sequences: dict[TopicPartition, int] = {}
        self._added: set[TopicPartition] = set()
        self._known_to_broker = False
        self._failed: list[tuple[int, bytes]] = []
        process.producers.append(self)

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> ClusterMetadata:
        """As Producer.list_topics, of all topics."""
        return metadata_of(self.world.cluster)

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        on_delivery: OnDelivery | None = None,
        callback: None = None,
        timestamp: int = 0,
        headers: list[tuple[str, str | bytes | None]] | None = None,
        /,
    ) -> None:
        """As Producer.produce. A record goes to the partition that its value names."""
        if self.fatal or self.abortable:
            raise failure(_STATE)
        if value is None:
            raise ValueError("the model's records have values")
        self.queue.append(((topic, self.world.target_partition(value)), value))

    def _send(self) -> None:
        """Send all records of the queue, one batch for each partition."""
        queue, self.queue = self.queue, []
        batches: dict[TopicPartition, list[bytes]] = {}
        for place, value in queue:
            batches.setdefault(place, []).append(value)
        for place, values in batches.items():
            self.send_batch(place, values)

    def send_batch(self, place: TopicPartition, values: list[bytes]) -> None:
        """Send one Produce request, after AddPartitionsToTxn if it is the first to this partition."""
        if self.name and not self._add(place):
            self._failed += [(self.fatal or self.abortable, value) for value in values]
            return
        self._ghosts_arrive()
        request = Request(f"Produce {b' '.join(values).decode()}", self._call(place, values))
        self.world.note(self.process, f"sends {request.name}")
        if not self.waits:
            self.world.network.send_blindly(self.process, request)
        elif self.stuck or self.world.network.sticks(self.process):
            self.stuck.append((request, values))
            self.world.network.late.append(request)
        else:
            self._delivered(self.world.network.send(self.process, request.name, request.call), values)

    def _ghosts_arrive(self) -> None:
        """Deliver purged requests first: there is one connection to a leader, so requests arrive in order."""
        ghosts, self.ghosts = self.ghosts, []
        for ghost in ghosts:
            if ghost in self.world.network.late:
                self.world.network.late.remove(ghost)
                self.world.note(self.process, f"purged {ghost.name} arrives: {ghost.deliver()}")

    def abandon(self) -> None:
        """The process was killed while it sent, so the records of the queue may be on their way."""
        queue, self.queue = self.queue, []
        for place, value in queue:
            if not self.name or (place in self._added and not self.fatal):
                self.world.network.late.append(Request(f"Produce {value.decode()}", self._call(place, [value])))

    def _call(self, place: TopicPartition, values: list[bytes]) -> Callable[[], int]:
        cluster, pid, epoch = self.world.cluster, self.pid, self.epoch
        if not self.waits:
            return lambda: cluster.append(place, values)
        sequence = self._sequences.get(place, 0)
        self._sequences[place] = sequence + len(values)
        return lambda: cluster.produce(place, pid, epoch, sequence, values)

    def _add(self, place: TopicPartition) -> bool:
        if self.fatal or self.abortable:
            return False
        if place not in self._added:
            self._judge(self.world.cluster.add(self.pid, self.epoch, place))
            self._added.add(place)
            self._known_to_broker = True
        return not (self.fatal or self.abortable)

    def _delivered(self, code: int, values: Sequence[bytes]) -> None:
        if code and code != _TIMED_OUT:
            self._judge(code)
        if code:
            reported = _MSG_TIMED_OUT if code == _TIMED_OUT else code
            self._failed += [(reported, value) for value in values]
            self.abortable = self.abortable or (code if self.name else OK)

    def _judge(self, code: int) -> None:
        """Note an error code.

        Fencing and a wrong state are fatal; after any other error the transaction can be aborted.
        """
        if code == FENCED:
            self.fatal = _FENCED
        elif code == WRONG_STATE:
            self.fatal = WRONG_STATE
        elif code:
            self.abortable = code
            self.bump = self.bump or code == OUT_OF_ORDER

    def __len__(self) -> int:
        return len(self.queue) + sum(len(values) for _request, values in self.stuck)

    def poll(self, _timeout: float = 0) -> int:
        """As Producer.poll: delivers reports. The queue may be sent meanwhile."""
        self.world.pass_by(self.process)
        if self.queue and self.world.coin():
            self._send()
        self._report()
        return 0

    def _report(self) -> None:
        if self.process.cut:
            self.process.cut = False
            self.watch.log(3, "", "FAIL", "sim", "disconnected with a request in flight")
        failed, self._failed = self._failed, []
        for code, value in failed:
            self.on_delivery(KafkaError(code or _STATE), Message(topic="target", partition=0, value=value))

    def flush(self, timeout: float) -> int:
        """As Producer.flush: sends, waits, and returns the number of records without a report."""
        self.world.pass_by(self.process)
        if self.queue:
            self._send()
        self._unstick(timeout)
        self._report()
        self.world.pass_by(self.process)
        return len(self)

    def _unstick(self, timeout: float) -> None:
        """During a wait, stuck requests may get their answer, in order."""
        while self.stuck and self.world.random.random() < 0.2:
            request, values = self.stuck.pop(0)
            if request in self.world.network.late:
                self.world.network.late.remove(request)
                request.deliver()
            self._delivered(request.code or OK, values)
        if self.stuck:
            self.world.cluster.advance(timeout)

    def purge(self, in_queue: bool = True, in_flight: bool = True) -> None:  # as the library has it
        """As Producer.purge. Requests in flight stay on their connection, and arrive before later ones."""
        if in_queue:
            self._failed += [(_PURGED, value) for _place, value in self.queue]
            self.queue.clear()
        if in_flight and self.stuck:
            self.world.note(self.process, "purges what is in flight")
            self._failed += [(_PURGED_IN_FLIGHT, value) for _request, values in self.stuck for value in values]
            self.ghosts += [request for request, _values in self.stuck]
            self.stuck.clear()
            self.abortable = self.abortable or (_PURGED_IN_FLIGHT if self.name else OK)
