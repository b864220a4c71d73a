"""Owns what is done to workers and brokers, and when: the kinds, and a plan that a seed determines. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """One way to disturb a run."""

    KILL = "kill"
    """SIGKILL to a worker; it is started again."""
    TERM = "term"
    """SIGTERM to a worker; it has to end, settled, within its 10 s, and is started again."""
    PAUSE_SHORT = "pause-short"
    """SIGSTOP to a worker for less than the group's session."""
    PAUSE_LONG = "pause-long"
    """SIGSTOP to a worker for longer than the session and the transaction last: it wakes up as a former member."""
    BROKER_KILL = "broker-kill"
    """SIGKILL to a broker; it is started again."""
    BROKER_PAUSE = "broker-pause"
    """SIGSTOP to a broker for longer than its session with the controller."""

    @property
    def word(self) -> str:
        """What a user calls it: short or long, it is a pause."""
        return "pause" if self in (Kind.PAUSE_SHORT, Kind.PAUSE_LONG) else self.value


ALL = tuple(Kind)
WORDS = tuple(dict.fromkeys(kind.word for kind in ALL))
ON_WORKERS = (Kind.KILL, Kind.TERM, Kind.PAUSE_SHORT, Kind.PAUSE_LONG)
ON_BROKERS = frozenset(ALL) - frozenset(ON_WORKERS)

# How often each comes in a round; a round is shuffled, so that a short run has its share of each.
_SHARES = {
    Kind.KILL: 3,
    Kind.TERM: 2,
    Kind.PAUSE_SHORT: 2,
    Kind.PAUSE_LONG: 2,
    Kind.BROKER_KILL: 1,
    Kind.BROKER_PAUSE: 1,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast faults follow each other, and the times of the group that they are measured by.

    gap: seconds between two of them: closer together than the group recovers, they starve it, which shows nothing (HAZARDS.md).
    holds: seconds until what was stopped goes on, started again or thawed. A worker that stays away for longer than the
    session is found dead by the group; one that comes back at once meets its own past. patient: the share of the faults that
    wait until records flow, for flow_wait seconds at the most; the others strike into whatever recovery is going on.
    """

    session_ms: int
    transaction_ms: int
    gap: tuple[float, float]
    holds: Mapping[Kind, tuple[float, ...]]
    patient: float = 0.75
    flow_wait: float = 10.0
    given_up: frozenset[int] = frozenset()
    """What a worker may end with by itself: safe to run again, which is done."""


THOROUGH = Pace(
    session_ms=6000,
    transaction_ms=8000,
    gap=(3.0, 7.0),
    holds={
        Kind.KILL: (0.2, 0.2, 1.0, 8.0),
        Kind.TERM: (0.2, 1.0),
        Kind.PAUSE_SHORT: (1.0,),
        Kind.PAUSE_LONG: (9.0,),
        Kind.BROKER_KILL: (0.5, 2.0),
        Kind.BROKER_PAUSE: (1.0, 5.0),
    },
)
"""For long runs: each fault may play out before the next one comes."""

BRISK = Pace(
    session_ms=2000,
    transaction_ms=3000,
    gap=(0.4, 1.6),
    holds={
        Kind.KILL: (0.1, 0.1, 0.5, 2.5),
        Kind.TERM: (0.1, 0.5),
        Kind.PAUSE_SHORT: (0.7,),
        Kind.PAUSE_LONG: (4.0,),
        Kind.BROKER_KILL: (0.3, 1.0),
        Kind.BROKER_PAUSE: (0.7, 4.0),
    },
    given_up=frozenset({4}),  # one rebalance after the other: its transaction was aborted too often in a row [seen]
)
"""At least 20 faults a minute. It takes a cluster that allows a session of 2 s, which ours does."""

FOREIGN = replace(THOROUGH, gap=(0.4, 1.6), patient=1.0, flow_wait=60.0, given_up=BRISK.given_up)
"""For clusters and programs that are not ours: their sessions are 6 s or longer, and each fault waits until they have recovered."""

# What a worker may end with by itself when a broker was away a moment ago: aborted, unknown, unreachable, undelivered.
EXCUSES: dict[Kind, frozenset[int]] = {
    Kind.BROKER_KILL: frozenset({3, 4, 5, 8}),
    Kind.BROKER_PAUSE: frozenset({3, 4, 5, 8}),
}
EXCUSED_FOR = 20.0
"""Seconds after the fault is over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The next thing to do. gap: seconds after the one before; victim: 0 to 1, chooses among those there are."""

    kind: Kind
    gap: float
    victim: float
    hold: float
    patient: bool


def plan(seed: int, kinds: Sequence[Kind] = ALL, pace: Pace = THOROUGH) -> Iterator[Fault]:
    """The faults of a run, without end. The same seed, kinds and pace give the same faults."""
    chance = random.Random(seed)  # noqa: S311  # to be repeated, not to be secret
    while True:
        deck = [kind for kind in kinds for _ in range(_SHARES[kind])]
        chance.shuffle(deck)
        for kind in deck:
            yield Fault(
                kind,
                gap=chance.uniform(*pace.gap),
                victim=chance.random(),
                hold=chance.choice(pace.holds[kind]),
                patient=chance.random() < pace.patient,
            )


def possible(kinds: Sequence[Kind], brokers: int, *, transactional: bool) -> tuple[Kind, ...]:
    """Those that prove something about the workers on a cluster of so many brokers that may be disturbed.

    A lone Kafka 4.3.1, broker and controller in one, breaks transactions by itself when it is killed: those that were just
    being ended are loaded as ended while the broker is still fenced, and their markers are skipped ("Couldn't find leader
    endpoint ... likely deleted already"). The records hang for ever, or are committed with the producer's next transaction.
    """
    if not brokers:
        return tuple(kind for kind in kinds if kind not in ON_BROKERS)
    if brokers == 1 and transactional:
        return tuple(kind for kind in kinds if kind is not Kind.BROKER_KILL)
    return tuple(kinds)


def excused(code: int, recent: Sequence[Kind]) -> bool:
    """Whether a worker may end by itself with this exit code after these faults."""
    return any(code in EXCUSES.get(kind, frozenset()) for kind in recent)
