"""Owns the question whether the addresses that brokers advertise can be reached from here.

A client connects to `-b` first. The answer names the address at which each broker wants to be reached; every other
request goes there. The library tries these addresses for ever, and its errors do not say where they come from.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from kdg.errors import Unreachable
from kdg.runtime.deadline import Deadline
from kdg.settings.brokers import address

SECONDS = 10.0
"""How long the brokers have to be reached: one of them may just be starting."""
DIAL_SECONDS = 5.0
AGAIN_SECONDS = 0.25


def await_advertised(metadata: Any, deadline: Deadline, brokers: str) -> None:
    """Wait until one advertised address takes a connection. If one of them is in -b, nothing is dialled.

    metadata: of the cluster. brokers: -b. Raises Unreachable with the addresses.
    """
    found = getattr(metadata, "brokers", {}).values()
    advertised = [(broker.host, broker.port) for broker in found if getattr(broker, "host", "")]
    if not advertised or set(advertised) & set(addresses(brokers)):
        return
    began = deadline.now()
    while (reason := _refusal(advertised, deadline)) is not None:
        if deadline.over(min(SECONDS, deadline.reach), began):
            shown = ", ".join(f"{host}:{port}" for host, port in advertised)
            raise Unreachable(
                f"{brokers} answers, but no address that the brokers advertise can be reached from here: {shown}: "
                f"{reason}.",
                "Let advertised.listeners on the brokers name an address that this machine reaches, or use the -b of "
                "a listener that is meant for it.",
            )
        end = "an address that the brokers advertise and that takes a connection ends it"
        deadline.report_wait(f"connecting to {brokers}", began, reason, end)
        deadline.clock.sleep(AGAIN_SECONDS)


def addresses(brokers: str) -> list[tuple[str, int]]:
    """The hosts and ports of `-b`: "SASL_SSL://a:1,[::1]:2,c" is a:1, ::1:2 and c:9092."""
    return [address(entry) for entry in brokers.split(",")]


def _refusal(advertised: Sequence[tuple[str, int]], deadline: Deadline) -> str | None:
    """Why no address takes a connection; None if one does. All are dialled at the same time."""
    dials = [deadline.in_background(partial(_dial, address)) for address in advertised]
    return _first_success(dials)


def _dial(address: tuple[str, int]) -> None:
    socket.create_connection(address, timeout=DIAL_SECONDS).close()


def _first_success(dials: Iterable[Future[None]]) -> str | None:
    reason = "no answer"
    for dial in dials:
        try:
            dial.result(DIAL_SECONDS + 1)
        except OSError as exc:  # also TimeoutError
            reason = exc.strerror or str(exc) or reason
        else:
            return None
    return reason
