"""Owns Kafka's transactions: each call bounded and repeated, each error classified, the producer replaced when in doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from kdg.core.ports import TryAgain
from kdg.core.records import Position
from kdg.errors import Fenced, KdgError, OutcomeUnknown
from kdg.kafka.errors import FENCED, TRANSACTIONS, describe, error_of, rights, translate
from kdg.kafka.target import ProducerHandle, RaisedByPoll
from kdg.runtime.deadline import Deadline

WAIT_SECONDS = 0.25
CALL_SECONDS = 1.0
"""One transactional call: none of them looks at signals (HAZARDS.md)."""
BEGIN_SECONDS = 5.0


@dataclass(slots=True)
class KafkaTransaction:
    """A transaction of the run's producer. group_metadata is asked when one begins, never later (HAZARDS.md 4).

    timeout: transaction.timeout.ms in seconds.
    """

    handle: ProducerHandle
    deadline: Deadline
    timeout: float
    group_metadata: Callable[[], Any] | None = None
    _metadata: Any = None
    _began: float = 0.0
    _in_doubt: bool = False
    _abandoned: bool = False
    """A call never returned: this producer takes no other."""
    _used: bool = False
    _open: bool = False

    def start(self) -> None:
        """Fence older instances of the transactional id and finish what they left. Before any position is looked up."""
        self._call(
            lambda: self.handle.producer.init_transactions(CALL_SECONDS), "starting transactions", self.timeout + 30
        )
        self._used = False

    def begin(self) -> None:
        """See Transaction. Raises OutcomeUnknown when a request of an earlier transaction may still be under way: recycle first."""
        self._look_for_doubt()
        if self._in_doubt:
            raise OutcomeUnknown("a request of the transaction before was cut off.", "Run it again.")
        self._used = True
        self._metadata = self.group_metadata() if self.group_metadata is not None else None
        self._began = self.deadline.now()
        # It takes no timeout, and has been seen to hang (librdkafka #4420).
        try:
            self._call(
                lambda: self.deadline.bounded(self.handle.producer.begin_transaction, BEGIN_SECONDS),
                "beginning a transaction",
            )
        except TimeoutError:
            self._in_doubt = True
            raise OutcomeUnknown(
                "beginning a transaction: the Kafka client does not answer.", "Run it again."
            ) from None
        self._open = True

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction; nothing to do for an input without a position."""
        if self._metadata is None or not positions:
            return
        offsets = [_as_offset(position) for position in positions]
        doing = "adding the input's position to the transaction"
        send = self.handle.producer.send_offsets_to_transaction
        self._call(lambda: self._wait_out(lambda: send(offsets, self._metadata, CALL_SECONDS), doing), doing)

    def commit(self) -> None:
        """See Transaction. A request that was cut off is noticed in the library's log, and the producer replaced before the next."""
        self._call(lambda: self.handle.producer.commit_transaction(CALL_SECONDS), "committing the transaction")
        self._open = False

    def abort(self) -> None:
        """See Transaction. What cannot be aborted any more is finished by the broker without effect, or by the next producer."""
        self._open = False
        try:
            # What is in flight is waited for: without it, its late request could land in the next transaction.
            self.handle.producer.purge(in_flight=False)
            if self._abandoned:
                raise OutcomeUnknown("the Kafka client does not answer.")  # as if the abort had not
            self._call(lambda: self.handle.producer.abort_transaction(CALL_SECONDS), "aborting the transaction", 10.0)
        except Fenced:
            raise  # another instance goes on: a new producer of this one would fence it in turn
        except KdgError:
            self._in_doubt = True
        self.handle.failed.clear()

    def taken_over(self, position: Position) -> bool:
        """Whether another instance has started with this id. Asked in a transaction that is aborted, open or made for it.

        A new epoch would tell, too, and fence the other one in turn. position: of any partition; it is not stored.
        """
        made = not self._open
        try:
            if made:
                self.begin()
            self.record([position])
        except Fenced:
            return True
        except KdgError:
            return False  # the group refuses its former member, and looks at that after the epoch
        finally:
            if made:
                self.abort()
        return False

    def recycle(self) -> None:
        """See Transaction: a late request of the old producer meets a newer epoch and does nothing."""
        self.handle.replace()
        self._in_doubt = self._abandoned = self._open = False
        self.start()

    def _look_for_doubt(self) -> None:
        with RaisedByPoll() as poll:
            self.handle.producer.poll(0)  # serves the log
        self._in_doubt = self._in_doubt or poll.raised  # a fatal error, such as the abort may have met
        if not self._used:  # what failed while connecting is over: no transaction was open
            self.handle.watch.suspicious = False
        self._in_doubt = self._in_doubt or self.handle.watch.suspicious

    def _call(self, call: Callable[[], object], doing: str, limit: float | None = None) -> None:
        began = self.deadline.now()
        while True:
            try:
                call()
            except KafkaException as exc:
                error = error_of(exc)
                self._raise_unless_retriable(error, doing, exc)
                if self.deadline.over(self.timeout if limit is None else limit, began):
                    raise OutcomeUnknown(
                        f"{doing}: no answer within {self.deadline.now() - began:.0f} s: {describe(error)}.",
                        "With --resume or a group, run it again: it finds out. Otherwise look at the topic first.",
                    ) from exc
            else:
                return

    def _wait_out(self, call: Callable[[], object], doing: str) -> None:
        """For a call that does not keep to its timeout: 2.16 waits here for up to transaction.timeout.ms, and no signal is noticed.

        Raises TryAgain when it is given up: a transaction whose end nobody asked for has no effect.
        """
        outcome = self.deadline.in_background(call)
        began = self.deadline.now()
        while True:
            try:
                outcome.result(WAIT_SECONDS)
            except TimeoutError:
                if self.deadline.over(self.timeout + 1.0, began):
                    self._abandoned = True
                    raise TryAgain(f"{doing}: no answer within {self.deadline.now() - began:.0f} s.") from None
            else:
                return

    def _raise_unless_retriable(self, error: KafkaError, doing: str, cause: BaseException) -> None:
        # Calling the same function again is the only thing the library allows after a retriable error (HAZARDS.md, Errors).
        if error.retriable() or error.code() == KafkaError._TIMED_OUT:
            return
        translated = translate(error, doing, rights(identity=self.handle.transactional_id), table=TRANSACTIONS)
        expired = error.code() in FENCED and self._began and self.deadline.now() - self._began > self.timeout
        if isinstance(translated, Fenced) and expired:
            # The coordinator timed the transaction out; nobody else needs to exist. Replaced once, by the caller.
            translated = OutcomeUnknown(f"{doing}: the transaction was older than its timeout of {self.timeout:g} s.", "Raise -X transaction.timeout.ms, or lower --batch-interval.")  # fmt: skip
        # After an error that asks for an abort, the abort is the answer; anything else leaves this producer in doubt.
        self._in_doubt = self._in_doubt or not isinstance(translated, TryAgain)
        raise translated from cause


def _as_offset(position: Position) -> TopicPartition:
    if position.metadata:
        return TopicPartition(position.topic, position.partition, position.offset, metadata=position.metadata)
    return TopicPartition(position.topic, position.partition, position.offset)
