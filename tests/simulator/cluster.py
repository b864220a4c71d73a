"""Owns the model of a Kafka cluster: logs, transactions, time.

Groups are in groups.py, clients in consumer.py and producer.py.

Requests are methods that return an error code (0 for none) and take effect at once. A late request is a `Request` that
is delivered late. No threads, no I/O. test_against_broker.py compares the rules with a real broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError

from kdg.core.records import TopicPartition

from .groups import Group, Stored

OK = 0
FENCED = KafkaError.INVALID_PRODUCER_EPOCH
WRONG_STATE = KafkaError.INVALID_TXN_STATE
OUT_OF_ORDER = KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
NEVER = float("inf")


class Clock:
    """The time of a history, in seconds: the Clock of every run in it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """As time.monotonic."""
        return self.now

    def time(self) -> float:
        """As time.time."""
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """As time.sleep."""
        self.now += seconds


class Transaction:
    """One transaction. It is open at first, then committed or aborted."""

    __slots__ = ("committed", "deadline", "offsets", "open", "places")

    def __init__(self, deadline: float) -> None:
        self.open = True
        self.committed = False
        self.deadline = deadline
        self.places: set[TopicPartition] = set()
        self.offsets: dict[Group, dict[TopicPartition, Stored]] = {}


class Log:
    """A partition.

    An entry is a value and its transaction; a marker has no value. unstable: the first offset of each open transaction.
    """

    __slots__ = ("entries", "sequences", "start", "unstable")

    def __init__(self) -> None:
        self.entries: list[tuple[bytes | None, Transaction | None]] = []
        self.start = 0
        self.unstable: dict[Transaction, int] = {}
        self.sequences: dict[int, tuple[int, int]] = {}

    @property
    def stable(self) -> int:
        """The last stable offset: a read_committed reader goes no further."""
        return min(self.unstable.values()) if self.unstable else len(self.entries)

    def committed(self) -> list[bytes]:
        """The values that a read_committed reader sees."""
        seen = self.entries[self.start : self.stable]
        return [value for value, tx in seen if value is not None and (tx is None or tx.committed)]


class Identity:
    """What the coordinator knows of a transactional id.

    last: whether its last transaction was committed; None without one.
    """

    __slots__ = ("epoch", "last", "pid", "timeout", "transaction")

    def __init__(self, pid: int, timeout: float) -> None:
        self.pid = pid
        self.epoch = -1
        self.timeout = timeout
        self.transaction: Transaction | None = None
        self.last: bool | None = None


class Request:
    """A request on its way. code: the answer. mute: how many more times the client gets no answer when it asks."""

    __slots__ = ("call", "code", "mute", "name")

    def __init__(self, name: str, call: Callable[[], int]) -> None:
        self.name = name
        self.call = call
        self.code: int | None = None
        self.mute = 0

    def deliver(self) -> int:
        """The broker handles it now."""
        self.code = self.call()
        return self.code


class Cluster:
    """Topics, transactional ids and groups, and the clock by which they expire."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.logs: dict[TopicPartition, Log] = {}
        self.topics: dict[str, int] = {}
        self.identities: dict[str, Identity] = {}
        self.by_pid: dict[int, Identity] = {}
        self.groups: dict[str, Group] = {}
        self.deadline = NEVER
        self._pids = 0
        self._topic_ids = 0

    def make_topic(self, name: str, partitions: int) -> None:
        """Create a topic, or add partitions to it."""
        if name not in self.topics:
            self._topic_ids += 1
            self.topics[name] = self._topic_ids
        for number in range(partitions):
            self.logs.setdefault((name, number), Log())

    def remake_topic(self, name: str) -> None:
        """Delete a topic and the groups' positions in it, and create it again: with another id and empty logs."""
        places = self.places(name)
        del self.topics[name]
        for place in places:
            del self.logs[place]
        for group in self.groups.values():
            group.forget(places)
        self.make_topic(name, len(places))

    def places(self, topic: str) -> list[TopicPartition]:
        """The partitions of a topic."""
        return [place for place in self.logs if place[0] == topic]

    # ── time ──

    def advance(self, seconds: float) -> None:
        """Let time pass. Transactions and members whose time is over expire."""
        self.clock.now += seconds
        if self.clock.now >= self.deadline:
            self._expire()

    def watch(self, deadline: float) -> None:
        """Note that something may expire at this time."""
        self.deadline = min(self.deadline, deadline)

    def _expire(self) -> None:
        now, self.deadline = self.clock.now, NEVER
        for identity in self.identities.values():
            transaction = identity.transaction
            if transaction is None:
                continue
            if transaction.deadline <= now:
                self._end(identity, commit=False)
                identity.epoch += 1  # whoever began it is fenced
            else:
                self.watch(transaction.deadline)
        for group in self.groups.values():
            self.watch(group.expire(now))

    # ── producers ──

    def new_pid(self) -> int:
        """A producer id for an idempotent producer without a transactional id."""
        self._pids += 1
        return self._pids

    def init(self, name: str, timeout: float) -> tuple[int, int]:
        """InitProducerId: an open transaction is aborted, the epoch moves on. Returns producer id and epoch."""
        identity = self.identities.get(name)
        if identity is None:
            identity = self.identities[name] = Identity(self.new_pid(), timeout)
            self.by_pid[identity.pid] = identity
        if identity.transaction is not None:
            self._end(identity, commit=False)
        identity.epoch += 1
        identity.last = None
        return identity.pid, identity.epoch

    def produce(self, place: TopicPartition, pid: int, epoch: int, sequence: int, values: Iterable[bytes]) -> int:
        """Produce of an idempotent producer; transactional if the producer id belongs to a transactional id."""
        identity, transaction = self.by_pid.get(pid), None
        log = self.logs[place]
        if identity is not None:
            if epoch != identity.epoch:
                return FENCED
            transaction = identity.transaction
            if transaction is None or place not in transaction.places:
                return WRONG_STATE  # KIP-890: the leader of the partition asks the coordinator
        known_epoch, expected = log.sequences.get(pid, (epoch, 0))
        if known_epoch != epoch:
            expected = 0
        if sequence != expected:
            return OK if sequence < expected else OUT_OF_ORDER
        values = list(values)
        log.sequences[pid] = epoch, expected + len(values)
        self.append(place, values, transaction)
        return OK

    def append(self, place: TopicPartition, values: Iterable[bytes], transaction: Transaction | None = None) -> int:
        """Append records to a log without any check (for acks=0, and for the input of a history)."""
        log = self.logs[place]
        if transaction is not None:
            log.unstable.setdefault(transaction, len(log.entries))
        log.entries.extend((value, transaction) for value in values)
        return OK

    # ── transactions ──

    def add(self, pid: int, epoch: int, place: TopicPartition | None = None) -> int:
        """AddPartitionsToTxn and AddOffsetsToTxn: the first one opens the transaction."""
        identity = self.by_pid[pid]
        if epoch != identity.epoch:
            return FENCED
        transaction = identity.transaction
        if transaction is None:
            deadline = self.clock.now + identity.timeout
            transaction = identity.transaction = Transaction(deadline)
            self.watch(deadline)
        if place is not None:
            transaction.places.add(place)
        return OK

    def store_in_transaction(
        self, pid: int, epoch: int, group: Group, member: str, generation: int, offsets: Mapping[TopicPartition, Stored]
    ) -> int:
        """TxnOffsetCommit."""
        identity = self.by_pid[pid]
        if epoch != identity.epoch:
            return FENCED
        transaction = identity.transaction
        if transaction is None or group not in transaction.offsets:
            return WRONG_STATE
        refused = group.fence(member, generation, offsets, transactional=True)
        if not refused:
            transaction.offsets[group].update(offsets)
            group.pending.setdefault(transaction, set()).update(offsets)
        return refused

    def add_group(self, pid: int, epoch: int, group: Group) -> int:
        """AddOffsetsToTxn."""
        refused = self.add(pid, epoch)
        if not refused and (transaction := self.by_pid[pid].transaction) is not None:
            transaction.offsets.setdefault(group, {})
        return refused

    def end(self, pid: int, epoch: int, commit: bool) -> int:  # a field of the request
        """EndTxn v1. It names no transaction, so it ends any that is open under this id and epoch (hazard 1)."""
        identity = self.by_pid[pid]
        if epoch != identity.epoch:
            return FENCED
        if identity.transaction is None:
            return OK if identity.last is commit else WRONG_STATE
        self._end(identity, commit=commit)
        return OK

    def _end(self, identity: Identity, *, commit: bool) -> None:
        transaction = identity.transaction
        if transaction is None:
            return
        identity.transaction, identity.last = None, commit
        transaction.open, transaction.committed = False, commit
        for place in transaction.places:
            log = self.logs[place]
            log.unstable.pop(transaction, None)
            log.entries.append((None, transaction))
        for group, offsets in transaction.offsets.items():
            group.pending.pop(transaction, None)
            if commit:
                group.store(offsets)

    def group(self, name: str, **settings: Any) -> Group:
        """The group of that name."""
        if name not in self.groups:
            self.groups[name] = Group(name, **settings)
        return self.groups[name]
