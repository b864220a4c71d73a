"""Owns the protections of kdg, each taken out by itself, and the test that has to fail without it.

`make mutants` runs each test with its mutant in place of kdg and expects it to fail; `MUTANT=NAME` in front of a pytest does it for
one. The cheapest are part of every run: tests/broker/test_mutants.py, tests/hazards, tests/torture, and tests/simulator/mutants.py for
what only an interleaving shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KDG = str(Path(__file__).with_name("kdg"))
"""The command that MUTANT in the environment makes a mutant of."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A protection against a hazard of kdg/kafka/__init__.py, how it is taken out, and the test that fails then."""

    protects: str
    missed_by: str
    apply: Callable[[], None]


def _replace(owner: Any, name: str, change: Any) -> None:
    assert hasattr(owner, name), name  # a protection that has moved is no longer taken out
    setattr(owner, name, change)


# ── the five that decide the design ──


def no_recycle() -> None:
    """A transaction begins with the old producer, although the last one's end was cut off."""
    from kdg.kafka.transaction import KafkaTransaction

    _replace(KafkaTransaction, "_look_for_doubt", lambda _self: None)


def raising_handler() -> None:
    """A signal is Python's own KeyboardInterrupt, wherever it comes."""
    from kdg.runtime.signals import Signals

    def handle(self: Signals, signum: int, _frame: object) -> None:
        self.received = signum
        raise KeyboardInterrupt

    _replace(Signals, "_handle", handle)


def library_position() -> None:
    """What is committed is where the library stands."""
    from confluent_kafka import TopicPartition

    from kdg.core.records import Position
    from kdg.kafka.source import KafkaSource

    def positions(self: KafkaSource) -> list[Position]:
        client: Any = self.consumer.client
        asked = client.position([TopicPartition(*place) for place in self._positions.next])
        return [Position(tp.topic, tp.partition, tp.offset) for tp in asked if tp.offset >= 0]

    _replace(KafkaSource, "positions", positions)


def late_metadata() -> None:
    """The group's metadata are taken when the position is recorded, not when the transaction began."""
    from kdg.core.records import Position
    from kdg.kafka.transaction import KafkaTransaction

    record = KafkaTransaction.record

    def late(self: KafkaTransaction, positions: Sequence[Position]) -> None:
        self._metadata = self.group_metadata() if self.group_metadata is not None else None
        record(self, positions)

    _replace(KafkaTransaction, "record", late)


def unsettled_on_revoke() -> None:
    """Partitions leave although records of theirs are in an open transaction."""
    from kdg.kafka.membership import Membership

    def leave(self: Membership, consumer: Any, partitions: Any, _event: object) -> None:
        (consumer.incremental_unassign if self._cooperative else lambda _gone: consumer.unassign())(partitions)

    _replace(Membership, "_leave", leave)


def unsettled_and_late() -> None:
    """Both: what one alone lets through, the other stops."""
    unsettled_on_revoke()
    late_metadata()


def no_rewind() -> None:
    """After an abort it reads on."""
    from kdg.kafka.source import KafkaSource

    _replace(KafkaSource, "rewind", lambda _self: None)
    _replace(KafkaSource, "reload", lambda _self: False)


# ── settings and order ──


def start_at_the_end_of_new_partitions() -> None:
    """A partition that is added begins where it ends when it is noticed."""
    from confluent_kafka import TopicPartition

    from kdg.kafka.consumer import KafkaConsumer

    def ends(self: KafkaConsumer, places: Any) -> dict[Any, int]:
        ask = self.client.get_watermark_offsets
        return {place: ask(TopicPartition(*place), timeout=10, cached=False)[1] for place in places}

    _replace(KafkaConsumer, "beginnings", ends)


def ids_not_compared() -> None:
    """A topic that was made again is read on."""
    from kdg.kafka.topic_ids import TopicIds

    _replace(TopicIds, "check", lambda _self, _fresh=0.0: None)


def others_group_taken() -> None:
    """--resume takes a position that somebody else wrote for no position."""
    from kdg.kafka.resume import ResumeStore

    _replace(ResumeStore, "check", lambda _self: None)
    _replace(ResumeStore, "_parse", lambda _self, _metadata: None)


def nothing_asked_of_the_cluster() -> None:
    """What the cluster lacks is not looked at."""
    from kdg.settings import requirements as durability

    _replace(durability, "shortfalls", lambda _logs, _guarantee: [])


def unknown_is_fine() -> None:
    """What the user may not look at is taken for good."""
    from kdg.core.guarantees import Guarantee
    from kdg.settings import requirements as durability

    lacks = durability.shortfalls

    def judged(logs: Iterable[durability.LogFacts], guarantee: Guarantee) -> list[str]:
        return [lack for lack in lacks(logs, guarantee) if "unknown" not in lack]

    _replace(durability, "shortfalls", judged)


def write_errors_ignored() -> None:
    """A full disk is taken for a write that succeeded."""
    from kdg.sinks.stdout import Stdout

    write = Stdout.write

    def ignoring(self: Stdout, batch: Any) -> None:
        from kdg.errors import KdgError

        try:
            write(self, batch)
        except KdgError:
            return

    _replace(Stdout, "write", ignoring)


def deaf_while_reading() -> None:
    """Stdin is waited on without the descriptor that a signal makes readable."""
    import select

    from kdg.runtime.signals import Signals

    def wait_for(_self: Signals, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(max(timeout, 600.0) * 1000))

    _replace(Signals, "wait_for", wait_for)


def lost_is_kept() -> None:
    """What a former member had in hand is written and settled as if it still were one."""
    from kdg.core.cycle import Revoked
    from kdg.kafka.membership import Membership
    from kdg.kafka.source import KafkaSource

    _replace(Membership, "_on_lost", lambda self, consumer, gone: self._leave(consumer, gone, Revoked()))
    _replace(KafkaSource, "group_metadata", lambda self: None)  # positions go in by no member at all
    from kdg.kafka.transaction import KafkaTransaction

    _replace(KafkaTransaction, "record", lambda _self, _positions: None)


# ── errors ──


def fenced_goes_on() -> None:
    """Who was fenced takes a new epoch, and fences the newcomer in turn."""
    from kdg.errors import Fenced, OutcomeUnknown
    from kdg.kafka import errors, transaction

    translate = errors.translate

    def unknown(*args: Any, **named: Any) -> Any:
        found = translate(*args, **named)
        return OutcomeUnknown(str(found)) if isinstance(found, Fenced) else found

    _replace(transaction, "translate", unknown)


def expired_is_fenced() -> None:
    """Who was too slow for its transaction takes itself for fenced."""
    from kdg.kafka.transaction import KafkaTransaction

    _replace(KafkaTransaction, "_expired", lambda _self: False)


def fenced_for_good() -> None:
    """A static member that the group has given up takes itself for fenced."""
    from kdg.kafka.membership import Membership

    _replace(Membership, "renew", lambda _self: False)


def takeover_not_asked() -> None:
    """Whoever is fenced by the group joins again, although another instance has taken over."""
    from kdg.kafka.transaction import KafkaTransaction

    _replace(KafkaTransaction, "taken_over", lambda _self, _position: False)


def poll_raises() -> None:
    """What poll and flush raise on a fatal error comes through."""
    from kdg.kafka.producer import PollGuard

    _replace(PollGuard, "__exit__", lambda _self, *_exc: False)


def calls_without_end() -> None:
    """Calls of the library are waited for as long as they take, and nobody ends the run meanwhile."""
    from kdg.kafka.transaction import KafkaTransaction
    from kdg.runs import session
    from kdg.runtime.deadline import Deadline

    _replace(Deadline, "bounded", lambda _self, call, _seconds: call())
    _replace(KafkaTransaction, "_wait_out", lambda _self, call, _doing: call())
    _replace(session, "GIVE_UP_SECONDS", 600.0)


def undelivered_forgotten() -> None:
    """Delivery reports that tell of a failure are dropped."""
    from kdg.kafka.producer import ProducerHandle
    from kdg.kafka.target import KafkaTarget

    _replace(ProducerHandle, "on_delivery", lambda _self, _error, _message, _headers=None: None)
    _replace(KafkaTarget, "give_up", lambda _self: None)


def elections_not_waited_for() -> None:
    """A leader that has only just been elected is a failure."""
    from kdg.kafka import errors

    _replace(errors, "PASSING", errors.PASSING - errors.ELECTING)


B, H = "tests/broker/", "tests/hazards/"

MUTANTS: dict[str, Mutant] = {
    "no-recycle": Mutant("hazard 1", H + "test_delayed.py::test_delayed_end_txn_commits_nothing[0]", no_recycle),
    "no-recycle-positions": Mutant("hazard 1", H + "test_delayed.py::test_delayed_txn_offset_commit_moves_nothing[0]", no_recycle),
    "raising-handler": Mutant("hazard 2", B + "test_signals.py::test_consume_interrupted_commits_what_it_printed", raising_handler),
    "library-position": Mutant("hazard 3", B + "test_consume_stop.py::test_until_a_past_time", library_position),
    "unsettled-and-late": Mutant("hazard 4", H + "test_groups.py::test_open_transaction_is_settled_on_revoke[eager]", unsettled_and_late),
    "no-rewind": Mutant("hazard 5", H + "test_frozen.py::test_frozen_pipe_outlives_its_transaction", no_rewind),
    "start-at-the-end-of-new-partitions": Mutant("hazard 11", H + "test_positions.py::test_partition_added_while_reading[consume]", start_at_the_end_of_new_partitions),
    "ids-not-compared": Mutant("hazard 13", H + "test_positions.py::test_a_topic_made_again_while_it_is_read_is_exit_7[pipe-alo-longer]", ids_not_compared),
    "others-group-taken": Mutant("hazard 12", B + "test_errors.py::test_a_group_of_resume_that_somebody_else_uses_is_refused", others_group_taken),
    "nothing-asked-of-the-cluster": Mutant("hazard 8", H + "test_output.py::test_one_replica_is_exit_10_with_strict[alo-produce]", nothing_asked_of_the_cluster),
    "unknown-is-fine": Mutant("hazard 8", H + "test_output.py::test_unreadable_cluster_is_exit_10_with_strict", unknown_is_fine),
    "write-errors-ignored": Mutant("hazard 18", B + "test_consume.py::test_full_disk_is_exit_1", write_errors_ignored),
    "deaf-while-reading": Mutant("hazard 16", B + "test_signals.py::test_produce_on_stdin_ends_by_the_signal", deaf_while_reading),
    "lost-is-kept": Mutant("hazard 4", H + "test_groups.py::test_what_another_took_over_is_dropped", lost_is_kept),
    "fenced-goes-on": Mutant("hazard 19", H + "test_fencing.py::test_older_of_two_instances_exits_6_at_any_step", fenced_goes_on),
    "expired-is-fenced": Mutant("hazard 19", H + "test_frozen.py::test_frozen_pipe_outlives_its_transaction", expired_is_fenced),
    "fenced-for-good": Mutant("hazard 23", H + "test_delayed.py::test_delayed_join_group_of_a_named_pipe", fenced_for_good),
    "takeover-not-asked": Mutant("hazard 23", B + "test_pipe.py::test_second_instance_fences_an_idle_first", takeover_not_asked),
    "poll-raises": Mutant("hazard 20", H + "test_fencing.py::test_older_of_two_instances_exits_6_at_any_step[PRODUCE]", poll_raises),
    "calls-without-end": Mutant("hazards 9 and 21", H + "test_signals.py::test_while_a_commit_is_not_answered_it_ends_by_the_signal[SIGTERM]", calls_without_end),
    "undelivered-forgotten": Mutant("hazard 7", H + "test_broker_away.py::test_unacknowledged_records_are_kept", undelivered_forgotten),
}  # fmt: skip
"""By name. Caught elsewhere in every run: tests/broker/test_mutants.py (order of the steps, the flush, the digest, the committed start, the
ends behind an open transaction) and tests/simulator/mutants.py."""
