"""Owns connecting a client for the first time: the cluster's metadata, or the cause for which there are none.

The cause is told when it is definite: a login or a certificate that is refused, a listener that speaks another protocol
than the client. Otherwise the brokers are waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import KafkaError, Producer

from kdg.errors import KdgError, Unreachable
from kdg.kafka import listener
from kdg.kafka.advertised import addresses, await_advertised
from kdg.kafka.client import Watch
from kdg.kafka.errors import NOT_REACHED, QUESTIONS, describe, translate
from kdg.kafka.login_errors import NO_CERTIFICATE, is_certificate, is_lost, lacks_certificate
from kdg.kafka.retry import ask_again, wait_out
from kdg.runtime.deadline import Deadline

if TYPE_CHECKING:
    from kdg.kafka.library import Client

T = TypeVar("T")

MOST_LOOKS = 3
"""How often a listener is asked what it speaks: a broker that starts or ends cuts connections off as well."""
LOOK_AGAIN_SECONDS = 2.0
LOOK_SECONDS = 10.0


def reach(client: Client, watch: Watch, deadline: Deadline, brokers: str, topic: str | None = None) -> Any:
    """The cluster's metadata. It also prepares a producer, so that the first record does not wait 0.5 s.

    Raises Unreachable if no broker answers within `deadline.reach` seconds or refuses the login, or a signal comes.
    """
    metadata = _metadata(client, watch, deadline, brokers, topic)
    watch.reached = True
    await_advertised(metadata, deadline, brokers)
    if isinstance(client, Producer):
        # A producer requests its id when metadata arrive, but not over the bootstrap connection, which may be the only
        # one that is up when the first metadata come. The second come over another connection (hazard 15).
        metadata = _metadata(client, watch, deadline, brokers, topic)
    return metadata


def _metadata(client: Client, watch: Watch, deadline: Deadline, brokers: str, topic: str | None) -> Any:
    began = deadline.now()
    # The library can miss that its connection is up, and then waits until the timeout is over (hazard 25).
    timeouts = chain((0.2, 0.4, 0.8), repeat(1.0))
    differences = _Differences(brokers, watch, deadline)

    def ask() -> Any:
        left = deadline.left(deadline.reach, began)
        return client.list_topics(topic, timeout=min(max(left, 0.05), next(timeouts)))

    def passing(error: KafkaError) -> bool:
        client.poll(0)  # serves the error callback, and with it `watch`
        # A signal ends the wait at once: nothing is open yet that would have to be settled.
        if watch.no_token or watch.fault or deadline.signals.received is not None:
            return False
        return (error.code() in NOT_REACHED or is_lost(error)) and differences.found() is None

    def refused(error: KafkaError, doing: str) -> KdgError:
        if (decided := watch.no_token or differences.found()) is not None:
            return decided
        if watch.fault is not None or not (error.code() in NOT_REACHED or is_lost(error)):
            return _certificate(watch, brokers, deadline) or _refusal(watch.fault or error, doing, watch.settings)
        return Unreachable(
            f"no broker reached at {brokers} within {deadline.elapsed:.1f} s: {_cause(watch, error)}.",
            "Check -b (or KDG_BROKERS) and that the broker runs; --timeout sets how long to try.",
        )

    doing = f"connecting to {brokers}"
    return ask_again(ask, doing, deadline, within=deadline.reach, passing=passing, refused=refused)


class _Differences:
    """Asks the listeners of -b, at most MOST_LOOKS times, once a connection of the library was cut off."""

    def __init__(self, brokers: str, watch: Watch, deadline: Deadline) -> None:
        self._brokers, self._watch, self._deadline = brokers, watch, deadline
        self._found: Unreachable | None = None
        self._looks = 0
        self._next = 0.0

    def found(self) -> Unreachable | None:
        """How a listener differs from the client's settings; None if nothing is known to differ."""
        now = self._deadline.now()
        if self._found is None and self._watch.cut_off and self._looks < MOST_LOOKS and now >= self._next:
            self._looks += 1
            self._next = now + LOOK_AGAIN_SECONDS
            self._found = _asked(partial(_difference, self._brokers, self._watch.settings), self._deadline)
        return self._found


def _difference(brokers: str, settings: Mapping[str, str]) -> Unreachable | None:
    found = (listener.difference(address, settings) for address in addresses(brokers))
    return next(filter(None, found), None)


def _certificate(watch: Watch, brokers: str, deadline: Deadline) -> Unreachable | None:
    """The error for a broker's certificate that this client does not accept, with the reason; None for other errors."""
    if watch.fault is None or not is_certificate(watch.fault):
        return None
    return _asked(partial(_not_accepted, brokers, watch.settings), deadline)


def _not_accepted(brokers: str, settings: Mapping[str, str]) -> Unreachable | None:
    for address in addresses(brokers):
        if (why := listener.refusal(address, settings)) is not None:
            return listener.not_accepted(address, why, settings)
    return None


def _refusal(error: KafkaError, doing: str, settings: Mapping[str, str]) -> KdgError:
    table = (NO_CERTIFICATE._replace(only=lambda _error: True),) if lacks_certificate(error, settings) else QUESTIONS
    return translate(error, doing, table=table, settings=settings)


def _asked(ask: Callable[[], T], deadline: Deadline) -> T | None:
    with suppress(TimeoutError):
        return wait_out(ask, "asking the addresses of -b what they speak", deadline, LOOK_SECONDS)
    return None


def _cause(watch: Watch, error: KafkaError) -> str:
    """The most that is known about why no broker answers. That all brokers are down is no cause."""
    if watch.last is not None and watch.last.code() != KafkaError._ALL_BROKERS_DOWN:
        return describe(watch.last)
    return watch.cut_off or describe(watch.last or error)
