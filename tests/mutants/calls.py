"""Owns the mutants of signals, of calls of the client library, and of questions to the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from .mutant import Caught, Change, Mutant

if TYPE_CHECKING:
    from types import FrameType

    from kdg.core.guarantees import Guarantee
    from kdg.kafka.transaction import KafkaTransaction
    from kdg.runtime.deadline import Deadline
    from kdg.runtime.signals import Signals
    from kdg.settings.requirements import LogFacts

H, B = "tests/hazards/", "tests/broker/"
T = TypeVar("T")


def _raising_handler() -> Iterator[Change]:
    from kdg.runtime.signals import Signals

    def handle(signals: Signals, signum: int, _frame: FrameType | None) -> None:
        signals.received = signum
        raise KeyboardInterrupt

    yield Change(Signals, "_handle", handle)


def _deaf_while_reading() -> Iterator[Change]:
    import select

    from kdg.runtime.signals import Signals

    def wait_for(_signals: Signals, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(max(timeout, 600.0) * 1000))

    yield Change(Signals, "wait_for", wait_for)


def _calls_without_end() -> Iterator[Change]:
    from kdg.kafka.transaction import KafkaTransaction
    from kdg.runs import session
    from kdg.runtime.deadline import Deadline

    def bounded(_deadline: Deadline, call: Callable[[], T], _seconds: float, _doing: str = "") -> T:
        return call()

    def wait_out(_transaction: KafkaTransaction, call: Callable[[], object], _doing: str) -> None:
        call()

    yield Change(Deadline, "bounded", bounded)
    yield Change(KafkaTransaction, "_wait_out", wait_out)
    yield Change(session, "GIVE_UP_SECONDS", 600.0)


def _poll_raises() -> Iterator[Change]:
    from kdg.kafka.producer import PollGuard

    yield Change(PollGuard, "__exit__", lambda _guard, _kind, _value, _traceback: False)


def _nothing_asked_of_the_cluster() -> Iterator[Change]:
    from kdg.runs import cluster_check

    yield Change(cluster_check, "shortfalls", lambda _logs, _guarantee: [])


def _unknown_is_fine() -> Iterator[Change]:
    from kdg.runs import cluster_check
    from kdg.settings.requirements import shortfalls

    def judged(logs: Iterable[LogFacts], guarantee: Guarantee) -> list[str]:
        return [lack for lack in shortfalls(logs, guarantee) if "unknown" not in lack]

    yield Change(cluster_check, "shortfalls", judged)


MUTANTS = (
    Mutant(
        "raising-handler",
        "A signal raises KeyboardInterrupt, at whatever point the run is.",
        _raising_handler,
        hazards=(2,),
        test=Caught(B + "test_signals.py::test_consume_interrupted_commits_what_it_printed", ("assert b'record",)),
    ),
    Mutant(
        "deaf-while-reading",
        "The run waits for stdin without the descriptor that a signal makes readable.",
        _deaf_while_reading,
        hazards=(16,),
        # Nine seconds later a thread ends the process all the same, but then the transaction stays open.
        test=Caught(
            B + "test_signals.py::test_produce_on_stdin_ends_by_the_signal[exactly-once-SIGINT]",
            ("{0: 0} == {0: 2}",),
        ),
    ),
    Mutant(
        "calls-without-end",
        "Calls of the client library may take as long as they want, and no thread ends the run meanwhile.",
        _calls_without_end,
        hazards=(9, 21),
        test=Caught(
            H + "test_signals.py::test_while_a_commit_is_not_answered_it_ends_by_the_signal[SIGTERM]",
            ("still running",),
        ),
    ),
    Mutant(
        "poll-raises",
        "What poll() and flush() raise after a fatal error ends the run.",
        _poll_raises,
        hazards=(20,),
        test=Caught(
            H + "test_fencing.py::test_older_of_two_instances_exits_6_at_any_step[PRODUCE]",
            ("SystemError", "KafkaError", "KafkaException"),
            crashes=True,
        ),
    ),
    Mutant(
        "nothing-asked-of-the-cluster",
        "Nobody looks at what the cluster lacks.",
        _nothing_asked_of_the_cluster,
        hazards=(8,),
        test=Caught(H + "test_output.py::test_one_replica_is_exit_10_with_strict[alo-produce]", ("0 == 10",)),
    ),
    Mutant(
        "unknown-is-fine",
        "A setting that the user may not see counts as good enough.",
        _unknown_is_fine,
        hazards=(8,),
        test=Caught(H + "test_output.py::test_unreadable_cluster_is_exit_10_with_strict", ("False = eventually",)),
    ),
)
