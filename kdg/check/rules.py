"""Owns what settings cost: the decision list of SETTINGS.md, section 4, as rows. First match wins within a list. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kdg.check.reading import Reading
from kdg.core.guarantees import Role
from kdg.settings.conflicts import CONTRADICTIONS, idempotent

QUICK_TIMEOUT_MS, FEW_RETRIES = 30_000, 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What some settings lead to. loses, doubles: what they take away; refused: the client or the broker will not have them.

    None of the three: a remark. change: values that mend it where a guarantee's own settings do not.
    """

    settings: tuple[str, ...]
    says: str
    loses: bool = False
    doubles: bool = False
    refused: bool = False
    change: tuple[tuple[str, str], ...] = ()

    @property
    def costs(self) -> bool:
        """Whether it takes something away."""
        return self.loses or self.doubles or self.refused


Rule = tuple[Callable[[Reading], bool], Finding]


def _acks(r: Reading) -> str:
    return r.value("acks")


def works_idempotent(r: Reading) -> bool:
    """Whether idempotence is on in the end: Java drops it where nobody wrote it and another setting stands in its way."""
    in_the_way = _acks(r) != "all" or r.number("message.send.max.retries") == 0
    return idempotent(r) and not in_the_way


def _dropped(r: Reading) -> bool:
    return r.library == "java" and not r.written("enable.idempotence") and idempotent(r) and not works_idempotent(r)


_ONCE = ("enable.idempotence",)
_RETRIES = "message.send.max.retries"
_ASK_FOR_MORE = "what the leader alone has is gone with it: it answers before a follower has the record"

PRODUCER: Sequence[Rule] = (
    (lambda r: _acks(r) not in ("0", "1", "all"), Finding(("acks",), "the broker refuses every record: it knows 0, 1 and all", loses=True, refused=True, change=(("acks", "all"),))),
    (lambda r: _acks(r) == "0", Finding(("acks",), "no answer comes back: a record that is refused or lost on the way looks delivered, retries and callbacks cannot notice", loses=True)),
    (lambda r: r.number(_RETRIES) == 0 and _acks(r) == "1", Finding((_RETRIES, "acks"), f"what fails once is lost, and reported; and {_ASK_FOR_MORE}", loses=True)),
    (lambda r: r.number(_RETRIES) == 0, Finding((_RETRIES,), "what fails once is lost, and reported as failed", loses=True)),
    (lambda r: _acks(r) == "1", Finding(("acks",), f"{_ASK_FOR_MORE}; and a retry can double, since the broker recognises retries only with acks=all", loses=True, doubles=True)),
    (lambda r: not works_idempotent(r), Finding(_ONCE, "a record whose answer was lost on the way is sent again, and the broker keeps both", doubles=True)),
    (lambda r: not r.value("transactional.id"), Finding(("transactional.id",), "the broker recognises retries within one producer session only: a restart, or the program, that sends again makes a new record", doubles=True)),
)  # fmt: skip
"""What a producer costs."""

PRODUCER_REMARKS: Sequence[Rule] = (
    (_dropped, Finding(("acks", _RETRIES, "enable.idempotence"), "Java switches idempotence off without an error; write enable.idempotence=true and it refuses instead")),
    (lambda r: not works_idempotent(r) and r.number("max.in.flight.requests.per.connection") > 1 and r.number(_RETRIES) != 0 and _acks(r) != "0", Finding(("max.in.flight.requests.per.connection",), "without idempotence a retry can also change the order")),
    (lambda r: 0 < r.number("message.timeout.ms") < QUICK_TIMEOUT_MS, Finding(("message.timeout.ms",), "may give up during a change of leaders; what timed out may be in the log, or not")),
    (lambda r: 0 < r.number(_RETRIES) < FEW_RETRIES, Finding((_RETRIES,), "may give up during a change of leaders")),
    (lambda r: bool(r.value("transactional.id")) and r.library == "librdkafka", Finding(("transactional.id",), "librdkafka speaks the older transaction protocol: after a commit or abort that timed out take a new producer")),
    (lambda r: r.value("delivery.report.only.error") == "true" and r.dialect == "dotnet", Finding(("delivery.report.only.error",), "the .NET client refuses it", refused=True, change=(("delivery.report.only.error", "false"),))),
)  # fmt: skip

_AUTO, _STORE, _EVERY = "enable.auto.commit", "enable.auto.offset.store", "auto.commit.interval.ms"


def _auto(r: Reading) -> bool:
    return r.value(_AUTO) == "true" and (r.library == "librdkafka" or bool(r.value("group.id")))


def _stores(r: Reading) -> bool:
    return r.library == "librdkafka" and r.value(_STORE) == "true"


_AGAIN = "after a crash, what was done since the last commit is read again"

CONSUMER: Sequence[Rule] = (
    (lambda r: _auto(r) and _stores(r) and r.number(_EVERY) > 0, Finding((_AUTO, _STORE), f"a record counts as done when the program receives it, and a timer or close() commits that: work in progress is lost with the process; {_AGAIN}", loses=True, doubles=True)),
    (lambda r: _auto(r) and _stores(r), Finding((_AUTO, _STORE, _EVERY), f"no timer commits, but close() commits what was merely handed over: an error that ends in close() loses it; {_AGAIN}", loses=True, doubles=True)),
    (_auto, Finding((_AUTO,), _AGAIN, doubles=True)),
    (lambda r: r.library == "java" and not r.value("group.id"), Finding(("group.id",), "without a group nothing is committed: a restart begins where auto.offset.reset says", doubles=True, change=(("group.id", "one of its own"),))),
)  # fmt: skip
"""What a consumer's commits cost."""

CONSUMER_OVERLAYS: Sequence[Rule] = (
    (lambda r: r.value("isolation.level") == "read_uncommitted", Finding(("isolation.level",), "aborted records are seen, and seen again when they were sent anew: exactly-once upstream is undone here", doubles=True)),
)  # fmt: skip
"""What else a consumer costs; only where aborted records come does it show, so it counts for exactly-once alone."""

CONSUMER_REMARKS: Sequence[Rule] = (
    (lambda r: r.value("auto.offset.reset") in ("latest", "largest"), Finding(("auto.offset.reset",), "where no position is stored it goes to the end: what came before the first commit, or into a new partition, is skipped")),
    (lambda r: r.value("auto.offset.reset") in ("earliest", "smallest"), Finding(("auto.offset.reset",), "where no position is stored, or it has expired, all that is retained is read again; deleted records are stepped over without a word")),
    (lambda r: r.value("auto.offset.reset").startswith("by_duration"), Finding(("auto.offset.reset",), "where no position is stored, what is older than that is skipped")),
    (lambda r: r.value("group.instance.id") != "", Finding(("group.instance.id",), "two instances with one id fence each other")),
)  # fmt: skip


def first(rules: Sequence[Rule], reading: Reading) -> list[Finding]:
    """The first that fits."""
    return next(([finding] for holds, finding in rules if holds(reading)), [])


def every(rules: Sequence[Rule], reading: Reading) -> list[Finding]:
    """All that fit."""
    return [finding for holds, finding in rules if holds(reading)]


def contradictions(reading: Reading) -> list[Finding]:
    """What the client refuses to start with."""
    rows = [row for row in CONTRADICTIONS if row.role is reading.role and reading.library in row.clients]
    return [
        Finding(row.names, f"the client does not start: {row.says}", refused=True, change=row.change)
        for row in rows
        if row.holds(reading)
    ]


def findings(reading: Reading) -> list[Finding]:
    """All that is to be said of a reading: what costs first."""
    found = contradictions(reading)
    if reading.unknown:
        knows_better = reading.library == "librdkafka"
        what = (
            "librdkafka knows no such property and does not start"
            if knows_better
            else "Java knows no such property and passes over it"
        )
        found.append(Finding(reading.unknown, what, refused=knows_better))
    if reading.role is Role.PRODUCER:
        return [*found, *first(PRODUCER, reading), *every(PRODUCER_REMARKS, reading)]
    return [*found, *first(CONSUMER, reading), *every(CONSUMER_OVERLAYS, reading), *every(CONSUMER_REMARKS, reading)]
