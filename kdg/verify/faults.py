"""Owns the kinds of faults, and the plan of a run: which fault comes when. A seed determines the plan. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class FaultKind(StrEnum):
    """One way to disturb a worker or a broker."""

    KILL = "kill"
    """SIGKILL to a worker; it is started again."""
    TERM = "term"
    """SIGTERM to a worker; it has to settle and end within 10 s, and is started again."""
    PAUSE_SHORT = "pause-short"
    """SIGSTOP to a worker for less than the session timeout of the group."""
    PAUSE_LONG = "pause-long"
    """SIGSTOP to a worker for longer than session and transaction timeout: then it is no longer a member."""
    BROKER_KILL = "broker-kill"
    """SIGKILL to a broker; it is started again."""
    BROKER_PAUSE = "broker-pause"
    """SIGSTOP to a broker for longer than its session with the controller."""

    @property
    def word(self) -> str:
        """The name in `--faults` and in reports: a short and a long pause are both `pause`."""
        return "pause" if self in (FaultKind.PAUSE_SHORT, FaultKind.PAUSE_LONG) else self.value


ALL = tuple(FaultKind)
WORDS = tuple(dict.fromkeys(kind.word for kind in ALL))
ON_WORKERS = (FaultKind.KILL, FaultKind.TERM, FaultKind.PAUSE_SHORT, FaultKind.PAUSE_LONG)
ON_BROKERS = frozenset(ALL) - frozenset(ON_WORKERS)

# How often each kind comes in a round. A round is shuffled, so that even a short run has some of each kind.
_SHARES = {
    FaultKind.KILL: 3,
    FaultKind.TERM: 2,
    FaultKind.PAUSE_SHORT: 2,
    FaultKind.PAUSE_LONG: 2,
    FaultKind.BROKER_KILL: 1,
    FaultKind.BROKER_PAUSE: 1,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast faults follow each other, and the timeouts of the group.

    gap: seconds from one fault to the next, between these two values. Faults that come faster than the group recovers
    show nothing, because no record flows. holds: seconds until a worker or broker is started again or goes on; one of
    these values is drawn. A worker that stays away longer than the session timeout is removed from the group; one that
    comes back sooner finds its old membership and its old transaction. patient: the share of the faults that wait until
    records flow, for flow_wait seconds at most; the others may hit the recovery from an earlier fault.
    """

    session_ms: int
    transaction_ms: int
    gap: tuple[float, float]
    holds: Mapping[FaultKind, tuple[float, ...]]
    patient: float = 0.75
    flow_wait: float = 10.0
    given_up: frozenset[int] = frozenset()
    """Exit codes with which a worker may end by itself.

    After them it is safe to run the worker again, and it is started again.
    """


THOROUGH = Pace(
    session_ms=6000,
    transaction_ms=8000,
    gap=(3.0, 7.0),
    holds={
        FaultKind.KILL: (0.2, 0.2, 1.0, 8.0),
        FaultKind.TERM: (0.2, 1.0),
        FaultKind.PAUSE_SHORT: (1.0,),
        FaultKind.PAUSE_LONG: (9.0,),
        FaultKind.BROKER_KILL: (0.5, 2.0),
        FaultKind.BROKER_PAUSE: (1.0, 5.0),
    },
)
"""For long runs: the group usually recovers from one fault before the next one comes."""

BRISK = Pace(
    session_ms=2000,
    transaction_ms=3000,
    gap=(0.4, 1.6),
    holds={
        FaultKind.KILL: (0.1, 0.1, 0.5, 2.5),
        FaultKind.TERM: (0.1, 0.5),
        FaultKind.PAUSE_SHORT: (0.7,),
        FaultKind.PAUSE_LONG: (4.0,),
        FaultKind.BROKER_KILL: (0.3, 1.0),
        FaultKind.BROKER_PAUSE: (0.7, 4.0),
    },
    given_up=frozenset({4}),  # aborted: rebalances in quick succession can abort its transaction too often in a row
)
"""At least 20 faults a minute. The cluster has to allow a session timeout of 2 s, as the sandbox does."""

FOREIGN = replace(THOROUGH, gap=(0.4, 1.6), patient=1.0, flow_wait=60.0, given_up=BRISK.given_up)
"""For the user's own clusters and programs.

Their session timeouts are 6 s or more, and each fault waits until records flow again.
"""

# The exit codes with which a worker may end by itself if a broker was away a moment ago: undelivered, aborted, unknown,
# unreachable.
EXCUSES: dict[FaultKind, frozenset[int]] = {
    FaultKind.BROKER_KILL: frozenset({3, 4, 5, 8}),
    FaultKind.BROKER_PAUSE: frozenset({3, 4, 5, 8}),
}
EXCUSED_FOR = 20.0
"""Seconds after the end of a fault in which it explains the exit of a worker."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault of the plan.

    gap: seconds after the fault before. victim: a number from 0 up to 1 that chooses among the candidates of the
    moment. hold: seconds until the victim comes back. patient: whether the fault waits until records flow.
    """

    kind: FaultKind
    gap: float
    victim: float
    hold: float
    patient: bool


def plan(seed: int, kinds: Sequence[FaultKind] = ALL, pace: Pace = THOROUGH) -> Iterator[PlannedFault]:
    """The faults of a run, an endless sequence. The same seed, kinds and pace give the same faults."""
    chance = random.Random(seed)  # noqa: S311  # it has to be repeatable, not secret
    while True:
        deck = [kind for kind in kinds for _ in range(_SHARES[kind])]
        chance.shuffle(deck)
        for kind in deck:
            yield PlannedFault(
                kind,
                gap=chance.uniform(*pace.gap),
                victim=chance.random(),
                hold=chance.choice(pace.holds[kind]),
                patient=chance.random() < pace.patient,
            )


def possible(kinds: Sequence[FaultKind], brokers: int, *, transactional: bool) -> tuple[FaultKind, ...]:
    """The kinds that show something about the workers, on a cluster with so many brokers that may be disturbed.

    A single Kafka 4.3.1, which is broker and controller at once, breaks transactions by itself when it is killed:
    transactions that were about to be ended are loaded as ended while the broker is still fenced, and their markers are
    not written ("Couldn't find leader endpoint ... likely deleted already"). Their records stay invisible for ever, or
    are committed together with the next transaction of the producer.
    """
    if not brokers:
        return tuple(kind for kind in kinds if kind not in ON_BROKERS)
    if brokers == 1 and transactional:
        return tuple(kind for kind in kinds if kind is not FaultKind.BROKER_KILL)
    return tuple(kinds)


def excused(code: int, recent: Sequence[FaultKind]) -> bool:
    """Whether these faults explain that a worker ended by itself with this exit code."""
    return any(code in EXCUSES.get(kind, frozenset()) for kind in recent)
