"""Owns the table: each guarantee is one row, and everything that depends on a guarantee reads its row.

A row holds the promise, the settings with their reasons, and the cycle (the order of steps) as data. `kdg/settings/resolve.py`
resolves the settings, `kdg/core/cycle.py` runs the steps, `kdg/explain.py` prints both, and the tests hold the row to what it
promises. The name of a guarantee is compared nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from kdg.errors import UsageError


class Role(StrEnum):
    """Which librdkafka client a setting is for."""

    PRODUCER = "producer"
    CONSUMER = "consumer"


class Step(StrEnum):
    """One step of a cycle. A step that a source or a target does not have does nothing there."""

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


class DestinationKind(Enum):
    """Where the records of `consume` may end.

    flag: how it is asked for. settled: when a batch counts as written there. kept: how records and positions are kept together
    there, if they can be. beyond: where the promise ends.
    """

    def __init__(self, flag: str, settled: str, kept: str, beyond: str) -> None:
        self.flag = flag
        self.settled = settled
        self.kept = kept
        self.beyond = beyond

    STDOUT = (
        "stdout",
        "it was written (to a file: and fsync had returned)",
        "",
        "what a pipe holds is lost if its reader dies",
    )
    COMMAND = (
        "-- CMD",
        "CMD had it on stdin and exited with 0",
        "",
        "what CMD did before it failed or was killed, it does again: KDG_BATCH names the offsets",
    )
    FILE = (
        "--output FILE",
        "it was written and fsync had returned",
        "the journal FILE.kdg has the positions and says how much of FILE counts: all of it after exit 0",
        "who reads FILE and acts on it keeps a place of its own",
    )
    SQLITE = ("--sqlite FILE", "the database had committed it", "records and positions are in one transaction of the database", "who reads the table and acts on it keeps a place of its own")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A librdkafka setting that a guarantee rests on.

    `allowed` are the values a user may give it without breaking the promise; None means any but those in `refused`.
    `commands` limits it to some commands; empty means all. `tied` are settings that follow when a user takes another allowed
    value.
    """

    name: str
    value: str
    why: str
    allowed: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def locked(self) -> bool:
        """Only this one value keeps the promise."""
        return self.allowed == (self.value,)

    def permits(self, value: str) -> bool:
        """Whether the promise survives this value."""
        return value not in self.refused and (self.allowed is None or value in self.allowed)


def _locked(name: str, value: str, why: str) -> Setting:
    return Setting(name, value, why, allowed=(value,))


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One row. `chunk`, `interval` and `end` are the cycle: after each read, each time it settles, once at the end."""

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
    flags: frozenset[str]
    destinations: frozenset[DestinationKind]
    """Where records whose position outlives the run may end."""
    reads_again: bool
    """What a second run does with an input that has no position of its own: read it again, or never."""
    asks_of_cluster: str
    where_it_ends: str
    costs: str

    @property
    def transactional(self) -> bool:
        """Outputs and positions become visible together."""
        return Step.BEGIN in self.chunk

    @property
    def commits_first(self) -> bool:
        """The position moves before the record is written."""
        return Step.COMMIT in self.chunk

    @property
    def needs_durable_cluster(self) -> bool:
        """The promise rests on replicas that do not forget."""
        return not self.may_lose

    def settings(self, role: Role) -> tuple[Setting, ...]:
        """The row's settings for one client."""
        return self.producer if role is Role.PRODUCER else self.consumer

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step in the order in which it comes."""
        return self.chunk + self.interval + self.end


_NO_TRANSACTION = _locked("transactional.id", "", "only exactly-once ends the transactions that it would open")
_NO_AUTO_COMMIT = _locked("enable.auto.commit", "false", "only kdg knows what was handled; a timer does not")
_NO_AUTO_STORE = _locked("enable.auto.offset.store", "false", "the library would mark a record when it hands it over")
_NO_RESET = _locked("auto.offset.reset", "error", "a position that is gone ends the run instead of skipping")
_COMMITTED_ONLY = _locked("isolation.level", "read_committed", "never sees an aborted record")

AT_MOST_ONCE = Guarantee(
    name="at-most-once",
    short="amo",
    may_lose=True,
    may_duplicate=False,
    speed="fastest",
    promise="A record is delivered zero times or once. It may be lost, it is never doubled.",
    producer=(
        Setting("acks", "0", "no answer is waited for: sent, unconfirmed"),
        _locked("enable.idempotence", "false", "idempotence retries; here nothing is sent twice"),
        _locked("message.send.max.retries", "0", "a second sending could double the record"),
        _NO_TRANSACTION,
    ),
    consumer=(_NO_AUTO_COMMIT, _NO_AUTO_STORE, _COMMITTED_ONLY, _NO_RESET),
    chunk=(Step.READ, Step.FILTER, Step.COMMIT, Step.WRITE),
    interval=(),
    end=(Step.FLUSH,),
    batch_records=500,
    flags=frozenset(),
    destinations=frozenset(DestinationKind),
    reads_again=False,
    asks_of_cluster="nothing",
    where_it_ends="an error of the broker is not seen: a record it refuses is lost without a word",
    costs="one commit a batch when it consumes, nothing when it produces",
)

AT_LEAST_ONCE = Guarantee(
    name="at-least-once",
    short="alo",
    may_lose=False,
    may_duplicate=True,
    speed="the default",
    promise="A record is delivered once or more often. It may be doubled, it is never lost.",
    producer=(
        Setting("acks", "all", "counted only when all in-sync replicas have it", allowed=("all", "1")),
        Setting("enable.idempotence", "true", "a retry within the run neither doubles nor reorders"),
        Setting("message.send.max.retries", "2147483647", "what failed is sent again", refused=("0",)),
        _NO_TRANSACTION,
    ),
    consumer=(
        _NO_AUTO_COMMIT,
        _NO_AUTO_STORE,
        Setting("isolation.level", "read_committed", "never sees an aborted record"),
        _NO_RESET,
    ),
    chunk=(Step.READ, Step.FILTER, Step.DEDUP, Step.WRITE),
    interval=(Step.FLUSH, Step.MARK, Step.COMMIT),
    end=(),
    batch_records=10_000,
    flags=frozenset({"--acks", "--undelivered", "--retry", "--dedup-by", "--dedup-store", "--dedup-ttl"}),
    destinations=frozenset(DestinationKind),
    reads_again=True,
    asks_of_cluster="replication factor >= 3, min.insync.replicas >= 2, no unclean leader election",
    where_it_ends="the file descriptor: what a pipe holds is lost if its reader dies; what a broker alone has, with the broker",
    costs="waits for the in-sync replicas; one flush and one commit a batch",
)

EXACTLY_ONCE = Guarantee(
    name="exactly-once",
    short="eos",
    may_lose=False,
    may_duplicate=False,
    speed="slowest",
    promise="A record takes effect once, although producers, consumers and brokers fail and try again.",
    producer=(
        Setting("transactional.id", "", "fences an older instance, finishes what it left: one, unique, per instance"),
        _locked("enable.idempotence", "true", "the broker drops what a retry sends twice"),
        _locked("acks", "all", "idempotence needs it: what nobody acknowledged cannot be part of a transaction"),
        Setting(
            "message.send.max.retries", "2147483647", "a retry is dropped by the broker, never doubled", refused=("0",)
        ),
        Setting("transaction.timeout.ms", "60000", "the time in which the input must be done", commands=("produce",)),
        Setting(
            "transaction.timeout.ms", "15000", "how long a killed instance holds up its successor", commands=("pipe",)
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
    flags=frozenset({"--transactional-id", "--resume", "--restart", "--allow-unterminated"}),
    destinations=frozenset({DestinationKind.FILE, DestinationKind.SQLITE}),
    reads_again=True,
    asks_of_cluster="replication factor >= 3, min.insync.replicas >= 2, no unclean leader election; of the transaction log likewise",
    where_it_ends="one cluster; what a command or a database does besides; stdout",
    costs="two round trips a transaction, whatever its size: the larger the batch, the smaller the price",
)

DEDUP_TTL = "7d"
"""How long an id is remembered unless `--dedup-ttl` says otherwise: longer than any replay should be."""

GUARANTEES = (AT_MOST_ONCE, AT_LEAST_ONCE, EXACTLY_ONCE)
DEFAULT = AT_LEAST_ONCE


def find(text: str) -> Guarantee | None:
    """The row that a name, its short form or an unambiguous beginning means; None when there is none or more than one."""
    wanted = text.strip().lower().replace("_", "-")
    exact = [row for row in GUARANTEES if wanted in (row.name, row.short)]
    begins = exact or [row for row in GUARANTEES if wanted and row.name.startswith(wanted)]
    return begins[0] if len(begins) == 1 else None


def parse(text: str, origin: str = "-g") -> Guarantee:
    """The row that `-g TEXT` means, or what else was given (origin).

    Raises UsageError, which offers `-G` where the text looks like a group: kcat's -G is a group and -g is easily typed for it.
    """
    row = find(text)
    if row is not None:
        return row
    names = ", ".join(f"{row.name} ({row.short})" for row in GUARANTEES)
    ambiguous = "at-most-once".startswith(text.strip().lower()) and bool(text.strip())
    group_hint = "" if ambiguous else f" If {text!r} is a consumer group, it goes with -G."
    kind = "could be more than one guarantee" if ambiguous else "is no guarantee"
    raise UsageError(f"{origin} {text!r} {kind}.", f"Choose one of {names}.{group_hint}")
