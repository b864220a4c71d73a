"""Owns the table of guarantees. Everything that depends on a guarantee reads it from here. Pure.

An entry of the table holds the promise, the settings of the clients with their reasons, the requirements on the
cluster, and the cycle (which steps, in which order) as data. kdg/settings/resolve.py merges the settings with those of
the user, kdg/settings/requirements.py compares the requirements with a live cluster, kdg/core/cycle.py runs the steps,
kdg/explain shows all of it, and the tests hold each entry to its promise. No other module compares the name of a
guarantee.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kdg.core.destinations import DestinationKind
from kdg.core.requirement import DURABLE_TOPIC, DURABLE_TRANSACTION_LOG, Requirement, in_words
from kdg.errors import UsageError


class Role(StrEnum):
    """Which librdkafka client a setting is for."""

    PRODUCER = "producer"
    CONSUMER = "consumer"


class Step(StrEnum):
    """One step of a cycle. A step that a command has no use for does nothing, such as FILTER without a command."""

    READ = "read"
    FILTER = "filter"
    DEDUP = "dedup"
    BEGIN = "begin"
    WRITE = "write"
    FLUSH = "flush"
    MARK = "mark"
    COMMIT = "commit"
    RECORD_POSITION = "record-position"
    COMMIT_TRANSACTION = "commit-transaction"


@dataclass(frozen=True, slots=True)
class Setting:
    """A librdkafka setting that a guarantee depends on.

    name, value: as librdkafka spells them. why: the reason, for `explain` and error messages. allowed: the values that
    a user may set without breaking the promise; None means every value that is not in `refused`. refused: values that
    break the promise. commands: the commands that use the setting; empty means all.
    weaker: allowed values that give up a part of the promise, so that `kdg check` calls it not reached.
    """

    name: str
    value: str
    why: str
    allowed: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    weaker: tuple[str, ...] = ()

    @property
    def locked(self) -> bool:
        """Whether this value is the only one that keeps the promise."""
        return self.allowed == (self.value,)

    def permits(self, value: str) -> bool:
        """Whether the promise still holds with this value."""
        return value not in self.refused and (self.allowed is None or value in self.allowed)


def _locked(name: str, value: str, why: str) -> Setting:
    return Setting(name, value, why, allowed=(value,))


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One entry of the table.

    name, short: as `-g` takes them. speed: beside the other guarantees. producer, consumer: settings of the two
    clients. chunk, interval, end: the cycle, the steps after each read, each time it settles, and once at the end.
    batch_records: records in a batch, unless `--batch-records` is given. destinations: where `consume` can write if its
    position outlives the run. reads_again: whether a second run reads an input again that has no position of its own,
    such as stdin; if not, it never reads it. requires: conditions on the cluster. where_it_ends: what the promise does
    not cover.
    """

    name: str
    short: str
    may_lose: bool
    may_duplicate: bool
    speed: str
    promise: str
    producer: tuple[Setting, ...]
    consumer: tuple[Setting, ...]
    chunk: tuple[Step, ...]
    interval: tuple[Step, ...]
    end: tuple[Step, ...]
    batch_records: int
    destinations: frozenset[DestinationKind]
    reads_again: bool
    requires: tuple[Requirement, ...]
    where_it_ends: str
    costs: str

    @property
    def transactional(self) -> bool:
        """Whether outputs and positions become visible together."""
        return Step.BEGIN in self.chunk

    @property
    def commits_first(self) -> bool:
        """Whether the position is committed before the record is written."""
        return Step.COMMIT in self.chunk

    @property
    def needs_durable_cluster(self) -> bool:
        """Whether the promise requires anything of the cluster."""
        return bool(self.requires)

    @property
    def asks_of_cluster(self) -> str:
        """The requirements in one sentence."""
        return in_words(self.requires)

    def settings(self, role: Role) -> tuple[Setting, ...]:
        """The settings for one client."""
        return self.producer if role is Role.PRODUCER else self.consumer

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step, in the order in which the steps are performed."""
        return self.chunk + self.interval + self.end


_NO_TRANSACTION = _locked("transactional.id", "", "this setting opens transactions, and only exactly-once commits them")
_NO_AUTO_COMMIT = _locked(
    "enable.auto.commit", "false", "a timer would commit at another moment than the guarantee needs"
)
_NO_AUTO_STORE = _locked(
    "enable.auto.offset.store",
    "false",
    "otherwise the library counts a record as handled as soon as it returns the record",
)
_NO_RESET = _locked(
    "auto.offset.reset", "error", "if a position is gone, the run ends; other values skip or repeat records"
)
_COMMITTED_ONLY = _locked("isolation.level", "read_committed", "aborted records are never read")

AT_MOST_ONCE = Guarantee(
    name="at-most-once",
    short="amo",
    may_lose=True,
    may_duplicate=False,
    speed="fastest",
    promise="A record is delivered zero times or once. It may be lost; it is never duplicated.",
    producer=(
        Setting("acks", "0", "kdg does not wait for an answer: sent, unconfirmed"),
        _locked("enable.idempotence", "false", "idempotence retries; at-most-once sends nothing twice"),
        _locked("message.send.max.retries", "0", "a retry could duplicate the record"),
        _NO_TRANSACTION,
    ),
    consumer=(_NO_AUTO_COMMIT, _NO_AUTO_STORE, _COMMITTED_ONLY, _NO_RESET),
    chunk=(Step.READ, Step.FILTER, Step.COMMIT, Step.WRITE),
    interval=(),
    end=(Step.FLUSH,),
    batch_records=500,
    destinations=frozenset(DestinationKind),
    reads_again=False,
    requires=(),
    where_it_ends="the broker sends no answer, so a record that the broker refuses is lost without a message",
    costs="one commit for each batch when it consumes, nothing when it produces",
)

AT_LEAST_ONCE = Guarantee(
    name="at-least-once",
    short="alo",
    may_lose=False,
    may_duplicate=True,
    speed="the default",
    promise="A record is delivered once or more often. It may be duplicated; it is never lost.",
    producer=(
        Setting(
            "acks",
            "all",
            "a record is counted only when all in-sync replicas have it",
            allowed=("all", "1"),
            weaker=("1",),
        ),
        Setting("enable.idempotence", "true", "a retry within the run neither duplicates nor reorders records"),
        Setting(
            "message.send.max.retries", "2147483647", "records whose delivery failed are sent again", refused=("0",)
        ),
        _NO_TRANSACTION,
    ),
    consumer=(
        _NO_AUTO_COMMIT,
        _NO_AUTO_STORE,
        Setting("isolation.level", "read_committed", "aborted records are never read"),
        _NO_RESET,
    ),
    chunk=(Step.READ, Step.FILTER, Step.DEDUP, Step.WRITE),
    interval=(Step.FLUSH, Step.MARK, Step.COMMIT),
    end=(),
    batch_records=10_000,
    destinations=frozenset(DestinationKind),
    reads_again=True,
    requires=DURABLE_TOPIC,
    where_it_ends=(
        "the promise ends when kdg has written to the file descriptor: records that are still in a pipe are lost "
        "if the reader dies. A record that only one broker has is lost with that broker"
    ),
    costs="kdg waits for the in-sync replicas; one flush and one commit for each batch",
)

EXACTLY_ONCE = Guarantee(
    name="exactly-once",
    short="eos",
    may_lose=False,
    may_duplicate=False,
    speed="slowest",
    promise="A record takes effect once, although producers, consumers and brokers fail and try again.",
    producer=(
        Setting(
            "transactional.id",
            "",
            "a unique id for each instance: a new start fences the older one and ends its transaction",
        ),
        _locked("enable.idempotence", "true", "the broker drops records that a retry sends twice"),
        _locked(
            "acks", "all", "idempotence needs it: a record that nobody acknowledged cannot be part of a transaction"
        ),
        Setting(
            "message.send.max.retries",
            "2147483647",
            "records whose delivery failed are sent again; the broker drops the duplicates",
            refused=("0",),
        ),
        Setting(
            "transaction.timeout.ms", "60000", "the whole input has to be sent within this time", commands=("produce",)
        ),
        Setting(
            "transaction.timeout.ms",
            "15000",
            "how long a killed instance delays the one that takes over",
            commands=("pipe",),
        ),
    ),
    consumer=(
        _COMMITTED_ONLY,
        _NO_AUTO_COMMIT,
        _NO_AUTO_STORE,
        _NO_RESET,
        Setting("session.timeout.ms", "15000", "how soon another instance takes over", commands=("pipe",)),
    ),
    chunk=(Step.READ, Step.FILTER, Step.BEGIN, Step.WRITE),
    interval=(Step.FLUSH, Step.RECORD_POSITION, Step.COMMIT_TRANSACTION),
    end=(),
    batch_records=10_000,
    destinations=frozenset({DestinationKind.FILE, DestinationKind.SQLITE}),
    reads_again=True,
    requires=DURABLE_TOPIC + DURABLE_TRANSACTION_LOG,
    where_it_ends=(
        "the promise covers topics of one cluster, and destinations that save the position together with the records. "
        "It does not cover stdout, or other effects of a command or a database, such as a mail that is sent"
    ),
    costs="two round trips for each transaction, whatever its size: larger batches cost less for each record",
)

DEDUP_TTL = "7d"
"""How long an id is remembered, unless `--dedup-ttl` is given. It is longer than any replay should take."""

GUARANTEES = (AT_MOST_ONCE, AT_LEAST_ONCE, EXACTLY_ONCE)
DEFAULT = AT_LEAST_ONCE


def find(text: str) -> Guarantee | None:
    """The guarantee with this name, short name or unambiguous beginning, such as "eos" or "at-l"; None otherwise."""
    wanted = text.strip().lower().replace("_", "-")
    exact = [guarantee for guarantee in GUARANTEES if wanted in (guarantee.name, guarantee.short)]
    matches = exact or [guarantee for guarantee in GUARANTEES if wanted and guarantee.name.startswith(wanted)]
    return matches[0] if len(matches) == 1 else None


def parse(text: str, origin: str = "-g") -> Guarantee:
    """The guarantee that `-g TEXT` names. origin: where the text comes from, for the message.

    Raises UsageError, which suggests `-G` if the text looks like a group: in kcat -G takes the group, and -g is easily
    typed instead.
    """
    guarantee = find(text)
    if guarantee is not None:
        return guarantee
    names = ", ".join(f"{guarantee.name} ({guarantee.short})" for guarantee in GUARANTEES)
    ambiguous = "at-most-once".startswith(text.strip().lower()) and bool(text.strip())
    group_hint = "" if ambiguous else f" If {text!r} is a consumer group, use -G {text}."
    problem = "could be more than one guarantee" if ambiguous else "is not a guarantee"
    raise UsageError(f"{origin} {text!r} {problem}.", f"Choose one of {names}.{group_hint}")
