"""Runs kdg with one of its protections taken out: `mutants.py NAME ARGUMENTS...`. The tests show that each is missed.

PROTECTIONS says for each protection of HAZARDS.md which test fails without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any


def no_recycle() -> None:
    """A transaction begins with the old producer, although the last one's end was cut off (HAZARDS.md 1)."""
    from kdg.kafka.transaction import KafkaTransaction

    setattr(KafkaTransaction, "_look_for_doubt", lambda _self: None)  # noqa: B010  # its own methods, replaced


def late_metadata() -> None:
    """The group's metadata are taken when the position is recorded, not when the transaction began (HAZARDS.md 4)."""
    from kdg.kafka.transaction import KafkaTransaction
    from kdg.records import Position

    record = KafkaTransaction.record

    def late(self: KafkaTransaction, positions: Sequence[Position]) -> None:
        self._metadata = self.group_metadata() if self.group_metadata is not None else None
        record(self, positions)

    setattr(KafkaTransaction, "record", late)  # noqa: B010


def unsettled_on_revoke() -> None:
    """Partitions leave although records of theirs are in an open transaction (HAZARDS.md 4)."""
    from kdg.kafka.source import KafkaSource

    def leave(self: KafkaSource, consumer: Any, partitions: Any, _event: object) -> None:
        (consumer.incremental_unassign if self._cooperative else lambda _gone: consumer.unassign())(partitions)

    setattr(KafkaSource, "_leave", leave)  # noqa: B010


def unsettled_and_late() -> None:
    """Both: what one alone lets through, the other stops."""
    unsettled_on_revoke()
    late_metadata()


MUTANTS: dict[str, Callable[[], None]] = {
    "no-recycle": no_recycle,
    "late-metadata": late_metadata,
    "unsettled-on-revoke": unsettled_on_revoke,
    "unsettled-and-late": unsettled_and_late,
}

PROTECTIONS = {
    "1  recycle the producer after a cut-off end": "test_delayed: a_delayed_end_txn, a_delayed_txn_offset_commit; mutant no-recycle",
    "2  signal handlers only set a flag": "tests/broker/test_signals: interrupted_in_full_flow; test_signals here",
    "3  commit kdg's own offsets": "tests/broker/test_consume: c_5_prints_exactly_five_and_commits_exactly_five",
    "4  metadata at begin, settled on revoke": "test_groups: a_transaction_that_is_open_when_partitions_leave; mutant unsettled-and-late",
    "5  rewind after an abort": "test_frozen: a_pipe_whose_transaction_timed_out, a_pipe_whose_partitions_were_taken_over",
    "   lost partitions are dropped": "test_groups: what_a_pipe_still_holds_when_another_has_taken_over",
    "   fenced is final, timed out is not": "test_fencing: whichever_step; test_frozen: transaction_timed_out",
    "   a fatal error raised by poll or flush": "test_fencing: whichever_step[PRODUCE]; test_frozen: a_pipe_whose_transaction_timed_out",
    "   a call of the library that hangs": "test_broker_away: a_broker_killed_and_started_again",
    "   undelivered records are kept": "test_broker_away: not_acknowledged_in_time, lost_with_their_broker",
    "   a position that is gone, a topic made again": "test_positions",
    "   new partitions from their beginning": "test_positions: a_partition_added",
    "   what the cluster lacks": "test_output: one_replica",
    "   write errors commit nothing more": "test_output: at_most_once; tests/broker/test_consume: when stdout fails",
}
"""Each protection of HAZARDS.md, and the tests that fail without it."""


if __name__ == "__main__":
    from kdg.__main__ import main

    MUTANTS[sys.argv.pop(1)]()
    main()
