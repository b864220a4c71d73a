"""Owns the mutants of the simulator: each takes out one protection of kdg, and the simulator has to notice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from kdg.core.actions import PERFORM
from kdg.core.cycle import Control, Cycle, Did, Event, Revoked, State, advance
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, Guarantee, Step
from kdg.core.ports import Rebalance
from kdg.core.pump import Pump
from kdg.core.records import Position
from kdg.kafka.membership import Membership
from kdg.kafka.source import KafkaSource
from kdg.kafka.target import KafkaTarget
from kdg.kafka.topic_ids import TopicIds
from kdg.kafka.transaction import KafkaTransaction
from kdg.sources.descriptor import Input

from .consumer import SimConsumer
from .history import CASES, Case

Patch = contextlib.AbstractContextManager[Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change to kdg.

    case: the schedules that are run. shows: words that begin, or are in, what the simulator reports.
    """

    name: str
    case: Case
    shows: tuple[str, ...]
    patches: tuple[Callable[[], Patch], ...]

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Inside `with`, kdg has the change."""
        with contextlib.ExitStack() as stack:
            for patch in self.patches:
                stack.enter_context(patch())
            yield


def _method(owner: type, name: str, change: Callable[..., Any]) -> Callable[[], Patch]:
    return lambda: mock.patch.object(owner, name, change)


def _performs(action: Control, change: Callable[[Pump], Event | None]) -> Callable[[], Patch]:
    return lambda: mock.patch.dict(PERFORM, {action: change})


def _decides(change: Callable[[Cycle, State, Event], State]) -> Callable[[], Patch]:
    return lambda: mock.patch("kdg.core.pump.advance", change)


def _changed(guarantee: Guarantee, command: str, chunk: Sequence[Step], interval: Sequence[Step] = ()) -> Case:
    case = CASES[f"{guarantee.short} {command}"]
    return replace(case, guarantee=replace(guarantee, chunk=tuple(chunk), interval=tuple(interval)))


def _no_rewind(_pump: Pump) -> Event:
    return Did(Control.REWIND)


def _rewind_for_reload(pump: Pump) -> Event:
    """A commit that failed is taken for one without effect (hazard 22)."""
    pump.source.rewind()
    return Did(Control.RELOAD)


def _only_release(cycle: Cycle, state: State, event: Event) -> State:
    if isinstance(event, Revoked) and state.todo[:1] == (Step.READ,):
        return replace(state, todo=(Control.RELEASE, *state.todo))
    return advance(cycle, state, event)


def _lost_is_revoked(membership: Membership, consumer: Any, partitions: Any) -> None:
    membership._leave(consumer, partitions, Revoked())  # noqa: SLF001  # the method that is changed


def _late_metadata(transaction: KafkaTransaction, positions: Sequence[Position]) -> None:
    if transaction.group_metadata is not None:
        transaction._metadata = transaction.group_metadata()  # noqa: SLF001  # the field that is changed
    _RECORD(transaction, positions)


def _never_in_doubt(transaction: KafkaTransaction) -> None:
    transaction.handle.producer.poll(0)


def _without_pending(consumer: SimConsumer, partitions: Any, timeout: float) -> Any:
    with mock.patch.dict(consumer.group.pending, clear=True):
        return _COMMITTED(consumer, partitions, timeout)


def _kept(_source: KafkaSource, messages: Any, _touched: Any) -> Any:
    return messages


def _batch_of_all(source: KafkaSource, messages: Any) -> Any:
    for message in messages:
        place = (message.topic(), message.partition())
        if place in source._positions.next:  # noqa: SLF001  # the method that is changed
            source._positions.advance(place, message.offset() + 1)  # noqa: SLF001
    return source._columns.batch(messages)  # noqa: SLF001


def _without_callback(source: KafkaSource, _rebalance: Rebalance) -> None:
    _BEGIN(source, lambda _event: None)


_BEGIN = KafkaSource.begin
_RECORD = KafkaTransaction.record
_COMMITTED = SimConsumer.committed
_HARM = ("lost", "doubled")
S = Step

MUTANTS = (
    Mutant("no rewind after an abort", CASES["eos pipe"], ("lost",), (_performs(Control.REWIND, _no_rewind),)),
    Mutant("no settling on revoke", CASES["eos pipe"], (*_HARM, "keeps its transaction"), (_decides(_only_release),)),
    Mutant(
        "metadata taken late",
        CASES["eos pipe"],
        (*_HARM, "records positions as"),
        (_method(KafkaTransaction, "record", _late_metadata),),
    ),
    Mutant(
        "metadata taken late, no settling on revoke",
        CASES["eos pipe"],
        _HARM,
        (_method(KafkaTransaction, "record", _late_metadata), _decides(_only_release)),
    ),
    Mutant(
        "no recycling in doubt: pipe",
        CASES["eos pipe"],
        _HARM,
        (_method(KafkaTransaction, "_look_for_doubt", _never_in_doubt),),
    ),
    Mutant(
        "no recycling in doubt: produce --resume",
        CASES["eos produce --resume"],
        _HARM,
        (_method(KafkaTransaction, "_look_for_doubt", _never_in_doubt),),
    ),
    Mutant(
        "no flush before the commit",
        CASES["alo pipe"],
        ("lost",),
        (_method(KafkaTarget, "flush", lambda _target: None),),
    ),
    Mutant(
        "at-least-once commits before it writes",
        _changed(AT_LEAST_ONCE, "consume", (S.READ, S.FILTER, S.COMMIT, S.WRITE), (S.FLUSH,)),
        ("lost",),
        (),
    ),
    Mutant(
        "at-most-once writes before it commits",
        _changed(AT_MOST_ONCE, "consume", (S.READ, S.FILTER, S.WRITE, S.COMMIT)),
        ("doubled",),
        (),
    ),
    Mutant(
        "lost is treated like revoked",
        CASES["eos pipe"],
        (*_HARM, "settles"),
        (_method(Membership, "_on_lost", _lost_is_revoked),),
    ),
    Mutant(
        "a pending transaction is not waited for",
        CASES["eos pipe"],
        _HARM,
        (_method(SimConsumer, "committed", _without_pending),),
    ),
    Mutant(
        "rewind instead of reload", CASES["eos pipe"], ("doubled",), (_performs(Control.RELOAD, _rewind_for_reload),)
    ),
    Mutant(
        "rewind instead of reload: produce --resume",
        CASES["eos produce --resume"],
        ("doubled",),
        (_performs(Control.RELOAD, _rewind_for_reload),),
    ),
    Mutant(
        "messages of a revoked partition are kept",
        CASES["eos pipe"],
        _HARM,
        (_method(KafkaSource, "_untouched", _kept), _method(KafkaSource, "_batch", _batch_of_all)),
    ),
    Mutant(
        "a topic made again is not noticed",
        CASES["alo consume"],
        ("lost",),
        (_method(TopicIds, "check", lambda _ids, _fresh=0: None),),
    ),
    Mutant(
        "at-most-once reads its input again",
        replace(CASES["amo produce"], guarantee=replace(AT_MOST_ONCE, reads_again=True)),
        ("doubled",),
        (),
    ),
    Mutant(
        "at-least-once does not read its input again",
        replace(CASES["alo produce"], guarantee=replace(AT_LEAST_ONCE, reads_again=False)),
        ("lost",),
        (),
    ),
    Mutant(
        "the source gets no rebalance callback",
        CASES["eos pipe"],
        (*_HARM, "keeps its transaction"),
        (_method(KafkaSource, "begin", _without_callback),),
    ),
    Mutant(
        "the transaction gets no group metadata",
        CASES["eos pipe"],
        (*_HARM, "it does not come to an end"),
        (_method(KafkaSource, "group_metadata", lambda _source: None),),
    ),
    Mutant(
        "the input is not skipped up to its position",
        CASES["eos produce --resume"],
        ("doubled",),
        (_method(Input, "skip", lambda _input, _position: None),),
    ),
)
