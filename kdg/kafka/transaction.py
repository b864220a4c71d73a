"""Owns Kafka's transactions: each call is bounded and repeated, each error has a meaning, and the producer is replaced.

After a commit or an abort that timed out, or whose request was cut off, its producer takes no other transaction:
`begin` raises OutcomeUnknown, the cycle answers with `recycle`, and that replaces the producer (hazards 1 and 22).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError

from kdg.core.ports import TryAgain
from kdg.core.records import Position
from kdg.errors import Fenced, KdgError, OutcomeUnknown
from kdg.kafka.errors import LOOK_UP_OUTCOME, TRANSACTIONS, rights, translate
from kdg.kafka.partitions import position_to_library
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.retry import ask_again, wait_out
from kdg.kafka.topic_ids import TargetTopic
from kdg.runtime.deadline import Deadline

CALL_SECONDS = 1.0
"""The timeout of one transactional call: a call does not notice signals, so it is short and repeated (hazard 9)."""
BEGIN_SECONDS = 5.0
ABORT_SECONDS = 10.0


@dataclass(slots=True)
class KafkaTransaction:
    """The transactions of the run's producer, one after the other.

    timeout: transaction.timeout.ms, in seconds.
    own_id: the transactional id is random: whatever the broker says, no other instance has taken it over.
    group_metadata: asked when a transaction begins, never later (hazard 4); None if the input has no position in Kafka.
    target: the topic that is written to; it has to be the same one until the commit. None if nobody looks.
    """

    handle: ProducerHandle
    deadline: Deadline
    timeout: float
    own_id: bool = False
    group_metadata: Callable[[], Any] | None = None
    target: TargetTopic | None = None
    _metadata: Any = None
    _began: float = 0.0
    _in_doubt: bool = False
    """A request of an earlier transaction may still be on its way."""
    _abandoned: bool = False
    """A call has not returned: this producer takes no other call."""
    _used: bool = False
    _open: bool = False

    def start(self) -> None:
        """Fence older instances of the transactional id and end their transactions. Positions are looked up later."""
        self._call(
            lambda: self.handle.producer.init_transactions(CALL_SECONDS), "starting transactions", self.timeout + 30
        )
        self._used = False

    def begin(self) -> None:
        """See Transaction. Raises OutcomeUnknown if a request of an earlier transaction may still be on its way."""
        self._look_for_doubt()
        if self._in_doubt:
            raise OutcomeUnknown("a request of the previous transaction was cut off.", "Run it again.")
        self._used = True
        self._metadata = self.group_metadata() if self.group_metadata is not None else None
        self._began = self.deadline.now()
        doing = "beginning a transaction"
        try:
            # begin_transaction() takes no timeout and can hang (hazard 21).
            self._call(lambda: self.deadline.bounded(self.handle.producer.begin_transaction, BEGIN_SECONDS), doing)
        except TimeoutError:
            self._in_doubt = True
            raise OutcomeUnknown(f"{doing}: the Kafka client does not answer.", "Run it again.") from None
        self._open = True

    def record(self, positions: Sequence[Position]) -> None:
        """See Transaction. Without `group_metadata` there is nothing to record."""
        if self.target is not None:
            self.target.ask()  # the answer comes while the positions are added
        if self._metadata is None or not positions:
            return
        offsets = list(map(position_to_library, positions))
        doing = "adding the input's position to the transaction"
        send = self.handle.producer.send_offsets_to_transaction
        self._call(lambda: self._wait_out(lambda: send(offsets, self._metadata, CALL_SECONDS), doing), doing)

    def commit(self) -> None:
        """See Transaction. If a request of it was cut off, `begin` notices that in the library's log.

        Raises PositionGone, before anything is committed, if the topic was made again (hazard 13).
        """
        if self.target is not None:
            self.target.check()
        self._call(lambda: self.handle.producer.commit_transaction(CALL_SECONDS), "committing the transaction")
        self._open = False

    def abort(self) -> None:
        """See Transaction. If the abort fails, the broker or the next producer ends the transaction without effect."""
        self._open = False
        try:
            # Records in flight are waited for: a late request could act on the next transaction (hazard 1).
            self.handle.producer.purge(in_flight=False)
            if self._abandoned:
                raise OutcomeUnknown("the Kafka client does not answer.")
            self._call(
                lambda: self.handle.producer.abort_transaction(CALL_SECONDS), "aborting the transaction", ABORT_SECONDS
            )
        except Fenced:
            raise  # another instance has taken over; a new producer here would fence that instance
        except KdgError:
            self._in_doubt = True
        self.handle.failed.clear()

    def taken_over(self, position: Position) -> bool:
        """Whether another instance has started with this transactional id (hazard 23).

        A position is added to the open transaction, or to one that is begun for this and aborted: the broker refuses
        it if the epoch is old. A new producer could ask as well, but it would fence the other instance.
        position: of any partition; it is not committed.
        """
        made = not self._open
        try:
            if made:
                self.begin()
            self.record([position])
        except Fenced:
            return True
        except KdgError:
            return False  # the group refuses its former member; the broker has looked at the epoch before that
        finally:
            if made:
                self.abort()
        return False

    def recycle(self) -> None:
        """See Transaction. Replace the producer: late requests of the old one have no effect (hazard 1)."""
        self.handle.replace()
        self._in_doubt = self._abandoned = self._open = False
        self.start()

    def _look_for_doubt(self) -> None:
        fatal = self.handle.serve(0)  # also brings the library's log to `watch`
        if not self._used:  # errors from connecting do not count: no transaction was open
            self.handle.watch.suspicious = False
        self._in_doubt = self._in_doubt or fatal or self.handle.watch.suspicious

    # ── calls ──

    def _call(self, call: Callable[[], object], doing: str, limit: float | None = None) -> None:
        """Call until the library answers. After a retriable error it allows only the same call again [seen]."""
        ask_again(
            call,
            doing,
            self.deadline,
            within=self.timeout if limit is None else limit,
            passing=lambda error: error.retriable() or error.code() == KafkaError._TIMED_OUT,
            refused=self._refused,
            too_late=lambda text: OutcomeUnknown(text, LOOK_UP_OUTCOME),
        )

    def _wait_out(self, call: Callable[[], object], doing: str) -> None:
        """For a call that does not keep to its timeout and may take up to transaction.timeout.ms (hazard 21).

        Raises TryAgain when the time is over: without a commit the transaction has no effect.
        """
        began = self.deadline.now()
        try:
            wait_out(call, doing, self.deadline, self.timeout + 1.0)
        except TimeoutError:
            self._abandoned = True
            raise TryAgain(f"{doing}: no answer within {self.deadline.now() - began:.0f} s.") from None

    def _refused(self, error: KafkaError, doing: str) -> KdgError:
        refused = translate(error, doing, rights(identity=self.handle.transactional_id), table=TRANSACTIONS)
        if isinstance(refused, Fenced) and (self._expired() or self.own_id):
            # The coordinator has timed the transaction out; there need not be another instance (hazard 19).
            refused = OutcomeUnknown(
                f"{doing}: the broker ended the transaction, because it was open for longer than its timeout of "
                f"{self.timeout:g} s.",
                "Raise -X transaction.timeout.ms, or lower --batch-interval.",
            )
        # If the error asks for an abort, the abort settles it. After any other error this producer is in doubt.
        self._in_doubt = self._in_doubt or not isinstance(refused, TryAgain)
        return refused

    def _expired(self) -> bool:
        """Whether the transaction has been open for longer than the coordinator allows."""
        return bool(self._began) and self.deadline.now() - self._began > self.timeout
