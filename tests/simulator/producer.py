"""Owns the producer over the model: the transactions of confluent_kafka.Producer above its sending."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from .cluster import OK, Request
from .consumer import _offsets, _shown, failure
from .sending import Sending

_TIMED_OUT = KafkaError._TIMED_OUT  # noqa: SLF001  # the library's own names
_FENCED = KafkaError._FENCED  # noqa: SLF001
_PURGED = KafkaError._PURGE_QUEUE  # noqa: SLF001
_PURGED_IN_FLIGHT = KafkaError._PURGE_INFLIGHT  # noqa: SLF001
_STATE = KafkaError._STATE  # noqa: SLF001


class SimProducer(Sending):
    """See kdg.kafka.library.ProducerClient."""

    def init_transactions(self, _timeout: float) -> None:
        """As Producer.init_transactions."""
        self.world.pass_by(self.process)
        self.pid, self.epoch = self.world.cluster.init(self.name, self.timeout)
        self.world.note(self.process, f"is {self.name} epoch {self.epoch}")

    def begin_transaction(self) -> None:
        """As Producer.begin_transaction. The broker learns of the transaction with its first record."""
        self.world.pass_by(self.process)
        self._raise_fatal()
        self.world.conduct.begun(self.process)
        self.world.note(self.process, "begins a transaction")

    def send_offsets_to_transaction(self, offsets: list[TopicPartition], metadata: Any, _timeout: float) -> None:
        """As Producer.send_offsets_to_transaction."""
        self.world.pass_by(self.process)
        self._raise_fatal()
        self._raise_abortable()
        (group, member, generation), positions = metadata, _offsets(offsets)
        self._known_to_broker = True
        self.world.conduct.settles(self.process, positions)
        self.world.conduct.records(self.process, generation)
        self.world.note(self.process, f"records {_shown(positions)} as {member!r} in {generation}")
        cluster, pid, epoch = self.world.cluster, self.pid, self.epoch
        code = cluster.add_group(pid, epoch, group) or self._resumed(
            "TxnOffsetCommit",
            lambda: cluster.store_in_transaction(pid, epoch, group, member, generation, positions),
        )
        self._judge(code)
        self._raise_fatal()
        self._raise_abortable()

    def commit_transaction(self, timeout: float) -> None:
        """As Producer.commit_transaction: flushes first."""
        self.world.pass_by(self.process)
        self._raise_fatal()
        if self.pending is None:
            self._send()
            self._unstick(timeout)
            self._report()
        if self.stuck:
            raise failure(_TIMED_OUT, retriable=True)
        self._raise_abortable()
        self._end(commit=True)

    def abort_transaction(self, timeout: float) -> None:
        """As Producer.abort_transaction: drops the queue, and waits for the requests in flight."""
        self.world.pass_by(self.process)
        self._raise_fatal()
        self.queue.clear()
        self._unstick(timeout)
        if self.stuck:
            raise failure(_TIMED_OUT, retriable=True)
        self._end(commit=False)

    def _end(self, *, commit: bool) -> None:
        cluster, pid, epoch = self.world.cluster, self.pid, self.epoch
        self.world.note(self.process, "commits" if commit else "aborts")
        if self._known_to_broker:
            self._judge(self._resumed("EndTxn", lambda: cluster.end(pid, epoch, commit)))
        self._raise_fatal()
        self._added.clear()
        self._known_to_broker = False
        self.abortable = OK
        if self.bump:  # KIP-360
            self.bump = False
            self.pid, self.epoch = cluster.init(self.name, self.timeout)
            self._sequences.clear()
        self.world.pass_by(self.process)

    def _resumed(self, name: str, call: Callable[[], int]) -> int:
        """Send a request that may take longer than this call.

        After a timeout, the caller calls the same function again.
        """
        request = self.pending or Request(name, call)
        self.pending = None
        code = self.world.network.send(self.process, name, request.call, request)
        if code == _TIMED_OUT:
            self.pending = request
            raise failure(_TIMED_OUT, retriable=True)
        return code

    def _raise_fatal(self) -> None:
        if self.fatal:
            raise failure(self.fatal, fatal=True)

    def _raise_abortable(self) -> None:
        if self.abortable:
            raise failure(self.abortable, abort=True)
