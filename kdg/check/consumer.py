"""Owns what the settings of a consumer cause, as rules. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.check.finding import Finding, Rule
from kdg.check.reading import Reading

_AUTO, _STORE, _EVERY, _GROUP = "enable.auto.commit", "enable.auto.offset.store", "auto.commit.interval.ms", "group.id"
_RESET = "auto.offset.reset"
_AGAIN = "after a crash, the records since the last commit are read again"


def _auto(r: Reading) -> bool:
    return r.value(_AUTO) == "true" and (r.library == "librdkafka" or bool(r.value(_GROUP)))


def _stores(r: Reading) -> bool:
    return r.library == "librdkafka" and r.value(_STORE) == "true"


LOSSES: Sequence[Rule] = (
    (
        lambda r: _auto(r) and _stores(r) and r.number(_EVERY) > 0,
        Finding(
            (_AUTO, _STORE),
            "a record counts as done when the program receives it, and a timer or close() commits it: if the process "
            f"then dies, the record in progress is lost. Also, {_AGAIN}",
            loses=True,
            duplicates=True,
        ),
    ),
    (
        lambda r: _auto(r) and _stores(r),
        Finding(
            (_AUTO, _STORE, _EVERY),
            "no timer commits, but close() commits every record that the program received: if the program calls "
            f"close() after an error, the record in progress is lost. Also, {_AGAIN}",
            loses=True,
            duplicates=True,
        ),
    ),
    (
        _auto,
        Finding((_AUTO,), _AGAIN, duplicates=True),
    ),
    (
        lambda r: r.library == "java" and not r.value(_GROUP),
        Finding(
            (_GROUP,),
            "without a group nothing is committed: after a restart the consumer starts where auto.offset.reset says",
            duplicates=True,
            change=((_GROUP, "one of its own"),),
        ),
    ),
)
"""What the commits of a consumer can lose or duplicate; the first rule that applies counts."""

OVERLAYS: Sequence[Rule] = (
    (
        lambda r: r.value("isolation.level") == "read_uncommitted",
        Finding(
            ("isolation.level",),
            "the consumer sees aborted records, and sees them again if the producer repeats them: this undoes the "
            "exactly-once of the producer",
            duplicates=True,
            of_transactions=True,
            change=(("isolation.level", "read_committed"),),
        ),
    ),
)
"""What counts only for records from transactions, so only against exactly-once; all rules that apply count."""

STARTS: Sequence[Rule] = (
    (
        lambda r: r.value(_RESET) == "latest",
        Finding(
            (_RESET,),
            "if no position is stored, the consumer starts at the end: it skips records that came before the first "
            "commit, or into a new partition",
            loses=True,
            of_starts=True,
        ),
    ),
    (
        lambda r: r.value(_RESET).startswith("by_duration"),
        Finding(
            (_RESET,),
            "if no position is stored, records older than this are skipped",
            loses=True,
            of_starts=True,
        ),
    ),
)
"""What a consumer loses where it has no stored position; the first rule that applies counts."""

REMARKS: Sequence[Rule] = (
    (
        lambda r: r.value(_RESET) == "earliest",
        Finding(
            (_RESET,),
            "this keeps the guarantee, because a new group starts at the first record. If the position expires, all "
            "retained records are read again; records that retention deleted before they were read are skipped "
            "without an error",
        ),
    ),
    (
        lambda r: r.value(_RESET) in ("error", "none") and not r.runs,
        Finding(
            (_RESET,),
            "without a stored position the consumer reports an error, so a new group needs a position before its "
            "first start",
        ),
    ),
    (
        lambda r: r.value("group.instance.id") != "",
        Finding(("group.instance.id",), "two instances with one id fence each other"),
    ),
)
"""What else is good to know about a consumer; all rules that apply count."""
