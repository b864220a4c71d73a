"""Owns the faults of a history: what may happen to a process at a call of the client library."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from .network import Net
from .process import Crashed, Process
from .upstream import Upstream

if TYPE_CHECKING:
    from .world import World

LONG = 4.0
"""Seconds after which every session and every transaction of a silent process is over."""


class Fault(Enum):
    """What may happen at a call of a client library."""

    CRASH = "is killed"
    FREEZE = "is frozen, and expelled"
    SLEEP = "is frozen for a moment"
    OVERTAKE = "is overtaken"
    EXPEL = "is expelled although it runs"
    SIGNAL = "gets a SIGTERM"
    HOLD = Net.HOLD
    TWICE = Net.TWICE
    SLOW = Net.SLOW
    MUTE = Net.MUTE
    STICK = "gets no answer to what it produces"
    LATE = "sees a late request arrive"
    MORE = "sees more input"
    GROW = "sees a new partition"
    RETAIN = "sees old records deleted"
    REMAKE = "will find its topic made again"


def _crash(_world: World, process: Process) -> None:
    """The process is killed."""
    raise Crashed


def _freeze(world: World, process: Process) -> None:
    """The process is frozen for so long that its group expels it, and perhaps its transaction times out."""
    if process.consumer is not None:
        process.consumer.group.leave(process.consumer.member)
    if world.coin():
        world.cluster.advance(LONG)
    world.let_others_go_on(process, 5 + world.random.getrandbits(5))
    world.note(process, "thaws")


def _sleep(world: World, process: Process) -> None:
    """The process is frozen for a moment."""
    world.let_others_go_on(process, world.random.getrandbits(5))
    world.note(process, "thaws")


def _overtake(world: World, process: Process) -> None:
    """Other processes take a few steps."""
    world.let_others_go_on(process, 1 + world.random.getrandbits(2))


def _expel(world: World, process: Process) -> None:
    """The heartbeats of the process do not reach the broker."""
    if process.consumer is not None:
        process.consumer.group.leave(process.consumer.member)


def _signal(world: World, process: Process) -> None:
    """The process gets a SIGTERM."""
    process.signals.received = 15


def _remake_soon(world: World, _process: Process) -> None:
    """The source is made again when the process reads next."""
    world.remaking = True


def _stick(world: World, process: Process) -> None:
    """The next Produce request is not answered. Soon after, the group may expel the process."""
    process.stick = True
    if world.budget > 0 and world.coin():
        world.next = Fault.EXPEL if process.consumer is not None and process.consumer.callbacks else None


def _net(net: Net) -> Callable[[World, Process], None]:
    def strike(_world: World, process: Process) -> None:
        process.net = net

    return strike


def _upstream(change: Callable[[Upstream], None]) -> Callable[[World, Process], None]:
    def strike(world: World, _process: Process) -> None:
        if world.upstream is not None:
            change(world.upstream)

    return strike


STRIKE: dict[Fault, Callable[[World, Process], None]] = {
    Fault.CRASH: _crash,
    Fault.FREEZE: _freeze,
    Fault.SLEEP: _sleep,
    Fault.OVERTAKE: _overtake,
    Fault.EXPEL: _expel,
    Fault.SIGNAL: _signal,
    Fault.HOLD: _net(Net.HOLD),
    Fault.TWICE: _net(Net.TWICE),
    Fault.SLOW: _net(Net.SLOW),
    Fault.MUTE: _net(Net.MUTE),
    Fault.STICK: _stick,
    Fault.LATE: lambda world, _process: world.network.deliver_late(),
    Fault.MORE: _upstream(Upstream.feed),
    Fault.GROW: _upstream(Upstream.grow),
    Fault.RETAIN: _upstream(Upstream.retain),
    Fault.REMAKE: _remake_soon,
}
"""What each fault does."""
