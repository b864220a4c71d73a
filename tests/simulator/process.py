"""Owns a process of a history: one run of kdg, and what the network does to its next request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from kdg.core.pump import Pump
from kdg.errors import KdgError
from kdg.runs.session import Frame, OpenSession, Session

from .network import Net

if TYPE_CHECKING:
    from .consumer import SimConsumer
    from .sending import Sending


class Crashed(BaseException):
    """Raised where a process is killed."""


class SimSignals:
    """The signals of a process; see kdg.runtime.signals.SignalWaiter."""

    def __init__(self) -> None:
        self.received: int | None = None

    def wait_for(self, descriptor: int, timeout: float, *, writing: bool = False) -> bool:
        """There is always input."""
        return True


def _no_run(_of: object) -> NoReturn:
    raise AssertionError


class Process:
    """One run of kdg.

    begin: makes the frame of the run at its first step. open_session: the function of kdg.runs that opens the run. cut:
    whether a connection dropped with a request on it. stick: whether the next Produce request gets no answer.
    """

    def __init__(
        self, name: str, begin: Callable[[Process], Frame] = _no_run, open_session: OpenSession = _no_run
    ) -> None:
        self.name = name
        self.signals = SimSignals()
        self.consumer: SimConsumer | None = None
        self.producers: list[Sending] = []
        self.begin = begin
        self.open_session = open_session
        self.frame: Frame | None = None
        self.session: Session | None = None
        self.running = False
        self.over = False
        self.crashed = False
        self.net: Net | None = None
        self.cut = False
        self.stick = False

    @property
    def pump(self) -> Pump | None:
        """The loop of the run; None before it is open."""
        return None if self.session is None else self.session.pump

    @property
    def error(self) -> KdgError | None:
        """The error that the run reports."""
        return None if self.frame is None else self.frame.outcome.error
