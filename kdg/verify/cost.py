"""Owns what a guarantee costs: throughput, and latency from produce to committed read, of one `kdg pipe` with kdg's own settings.

Each guarantee has topics of its own on the same cluster: a full source is piped as fast as it goes, then a trickle is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from kdg.core.guarantees import Guarantee
from kdg.core.ports import Signals
from kdg.errors import Interrupted, KdgError
from kdg.kafka.topics import make_topics, remove
from kdg.runtime.deadline import Deadline
from kdg.verify import clients
from kdg.verify.setup import Names, Setup, environment, plain_pipe
from kdg.verify.workers import Crew

PARTITIONS = 4
BYTES = 100
TRICKLE = 500
"""Records a second while latency is measured."""
WARM = 2.0
"""Seconds of the trickle that do not count: the group has only formed."""
FULL_SPEED = 10_000_000
WITHIN = 120.0
"""Seconds after which something is taken to hang."""
QUIET = 3.0
TICK = 0.05
BAR = 40


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guarantee costs. throughput: records a second; p50, p99: milliseconds; records: how many were piped at full speed."""

    guarantee: str
    records: int
    throughput: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Measuring:
    """What is measured: so many records at full speed, then so many seconds of a trickle; where and with what."""

    bootstrap: str
    records: int
    seconds: float
    ours: bool
    where: clients.Where
    extra: Sequence[str]
    signals: Signals

    def measure(self, row: Guarantee) -> Cost:
        """Both figures of one guarantee. Raises KdgError when the records do not come through, Interrupted."""
        names = Names.new()
        setup = Setup(row, where=self.where)
        reach = {**self.where, "bootstrap.servers": self.bootstrap}
        with ExitStack() as stack:
            if not self.ours:
                stack.callback(remove, reach, [names.source, names.target], [names.group])
            make_topics(self.bootstrap, [(names.source, PARTITIONS), (names.target, PARTITIONS)], Deadline(self.signals), self.where)  # fmt: skip
            with clients.Feeder(reach, names.source, PARTITIONS, FULL_SPEED, self.records, BYTES) as feeder:
                self._until(lambda: feeder.count >= self.records, "feeding the source")
            watch = stack.enter_context(clients.Stopwatch(reach, names.target, PARTITIONS))
            crew = stack.enter_context(Crew([[*plain_pipe(setup, names), *self.extra]], environment(setup, names, self.bootstrap), files=self.where))  # fmt: skip
            crew.workers[0].start()
            # What a guarantee may lose is not waited for.
            self._until(
                lambda: watch.count >= self.records or (row.may_lose and _dried_up(watch)), f"{row.name}, at full speed"
            )
            throughput = rate(watch.arrivals)
            began = time.time()
            with clients.Feeder(reach, names.source, PARTITIONS, TRICKLE, None, BYTES):
                self._until(lambda: time.time() - began > self.seconds + WARM, "")
            counted = sorted(delay for at, delay in list(watch.delays) if at >= (began + WARM) * 1000)
        return Cost(row.name, self.records, throughput, percentile(counted, 50), percentile(counted, 99))

    def _until(self, what: Callable[[], bool], doing: str) -> None:
        began = time.monotonic()
        while not what():
            if self.signals.received is not None:
                raise Interrupted(self.signals.received)
            if time.monotonic() - began > WITHIN + self.seconds:
                raise KdgError(f"--cost: {doing}: not done within {WITHIN + self.seconds:g} s.", "Try fewer --records.")
            time.sleep(TICK)


def _dried_up(watch: clients.Stopwatch) -> bool:
    return bool(watch.arrivals) and not watch.flows(QUIET)


def rate(arrivals: Sequence[tuple[float, int]]) -> float:
    """Records a second between the first and the last arrival; those of the first came before it."""
    seconds = arrivals[-1][0] - arrivals[0][0]
    return sum(many for _when, many in arrivals[1:]) / seconds if seconds else float("inf")


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank. Not a number without any."""
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else float("nan")


def text(costs: Sequence[Cost]) -> str:
    """A table and a chart."""
    wide = max(len(cost.guarantee) for cost in costs)
    head = f"{'':<{wide}}  {'records/s':>11}  {'p50':>9}  {'p99':>9}\n"
    rows = [f"{c.guarantee:<{wide}}  {c.throughput:>11,.0f}  {c.p50:>6,.0f} ms  {c.p99:>6,.0f} ms\n" for c in costs]
    return (
        head + "".join(rows) + _chart("records/s", costs, "throughput", wide) + _chart("p99 in ms", costs, "p99", wide)
    )


def _chart(title: str, costs: Sequence[Cost], field: str, wide: int) -> str:
    values = [getattr(cost, field) for cost in costs]
    most = max(values)
    bars = [f"{cost.guarantee:<{wide}}  {'█' * max(round(value / most * BAR), 1)} {value:,.0f}\n" for cost, value in zip(costs, values, strict=True)]  # fmt: skip
    return f"\n{title}\n{''.join(bars)}"


def as_json(costs: Sequence[Cost]) -> dict[str, Any]:
    """The fields of `--report`."""
    return {"command": "verify --cost", "outcome": "held", "exit_code": 0, "costs": [asdict(cost) for cost in costs]}
