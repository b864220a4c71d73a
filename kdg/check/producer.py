"""Owns what the settings of a producer cause, as rules. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kdg.check.finding import Finding, Rule
from kdg.check.reading import Reading
from kdg.settings.conflicts import idempotent

QUICK_TIMEOUT_MS, FEW_RETRIES = 30_000, 5
"""Below these, a producer may give up while a partition changes its leader."""

_ACKS, _ID, _ONCE = "acks", "transactional.id", "enable.idempotence"
_RETRIES, _IN_FLIGHT, _TIMEOUT = (
    "message.send.max.retries",
    "max.in.flight.requests.per.connection",
    "message.timeout.ms",
)
_LEADER_ALONE = (
    "the leader answers before a follower has the record; if the leader then dies, the acknowledged record is lost"
)


def _acks(r: Reading) -> str:
    """0, 1 or all; librdkafka takes other spellings of a number, such as 0x1."""
    value = r.value(_ACKS)
    return value if value == "all" else {-1: "all", 0: "0", 1: "1"}.get(int(r.number(_ACKS)), value)


def _never_retries(r: Reading) -> bool:
    return r.number(_RETRIES) == 0


def works_idempotent(r: Reading) -> bool:
    """Whether idempotence is really on: Java switches a default idempotence off if acks or retries exclude it."""
    return idempotent(r) and _acks(r) == "all" and not _never_retries(r)


def _dropped(r: Reading) -> bool:
    alone = r.library == "java" and not r.written(_ONCE) and not r.value(_ID)
    return alone and _acks(r) in ("0", "1", "all") and idempotent(r) and not works_idempotent(r)


def _may_reorder(r: Reading) -> bool:
    return not works_idempotent(r) and r.number(_IN_FLIGHT) > 1 and not _never_retries(r) and _acks(r) != "0"


LOSSES: Sequence[Rule] = (
    (
        lambda r: r.library == "librdkafka" and r.number(_ACKS) not in (-1, 0, 1),
        Finding(
            (_ACKS,),
            "the client starts, but the broker refuses every record: it accepts only 0, 1 and all",
            loses=True,
            refused=True,
            change=((_ACKS, "all"),),
        ),
    ),
    (
        lambda r: _acks(r) == "0",
        Finding(
            (_ACKS,),
            "the broker sends no answer: a record that is refused or lost looks delivered, and neither retries nor "
            "callbacks notice it",
            loses=True,
        ),
    ),
    (
        lambda r: _never_retries(r) and _acks(r) == "1",
        Finding(
            (_RETRIES, _ACKS),
            f"a record that fails once is lost, and reported as failed. Also, {_LEADER_ALONE}",
            loses=True,
        ),
    ),
    (
        _never_retries,
        Finding((_RETRIES,), "a record that fails once is lost, and reported as failed", loses=True),
    ),
    (
        lambda r: _acks(r) == "1",
        Finding(
            (_ACKS,),
            f"{_LEADER_ALONE}. Also, a retry can write a record twice, because the broker recognises retries only "
            "with acks=all",
            loses=True,
            duplicates=True,
        ),
    ),
    (
        lambda r: not works_idempotent(r),
        Finding(
            (_ONCE,),
            "if the broker's answer is lost, the client sends the record again, and the broker keeps both copies",
            duplicates=True,
        ),
    ),
    (
        lambda r: not r.value(_ID),
        Finding(
            (_ID,),
            "the broker recognises retries only within one producer session: if the process restarts, or the program "
            "sends a record again, that is a new record",
            duplicates=True,
        ),
    ),
)
"""What a producer can lose or duplicate; the first rule that applies counts."""

REMARKS: Sequence[Rule] = (
    (
        _dropped,
        Finding(
            (_ACKS, _RETRIES, _ONCE),
            "Java switches idempotence off without an error; if you set enable.idempotence=true, it reports an error "
            "instead",
        ),
    ),
    (
        _may_reorder,
        Finding((_IN_FLIGHT,), "without idempotence, a retry can also change the order"),
    ),
    (
        lambda r: 0 < r.number(_TIMEOUT) < QUICK_TIMEOUT_MS,
        Finding(
            (_TIMEOUT,),
            "the producer may give up while a partition changes its leader; a record that timed out may or may not be "
            "in the log",
        ),
    ),
    (
        lambda r: 0 < r.number(_RETRIES) < FEW_RETRIES,
        Finding((_RETRIES,), "the producer may give up while a partition changes its leader"),
    ),
    (
        lambda r: bool(r.value(_ID)) and r.library == "librdkafka",
        Finding(
            (_ID,),
            "librdkafka uses the older transaction protocol: after a commit or an abort that timed out, create a new "
            "producer",
        ),
    ),
    (
        lambda r: r.value("delivery.report.only.error") == "true" and r.dialect == "dotnet",
        Finding(
            ("delivery.report.only.error",),
            "the .NET client refuses it",
            refused=True,
            change=(("delivery.report.only.error", "false"),),
        ),
    ),
)
"""What else is good to know about a producer; all rules that apply count."""
