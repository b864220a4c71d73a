"""Owns the cost of a guarantee: the throughput and the latency of one `kdg pipe` with default settings.

Each guarantee gets topics of its own on the same cluster. First a full source is piped at full speed, which gives the
throughput. Then records are fed slowly (a trickle), which gives the latency.
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
from kdg.kafka.admin import make_topics, remove
from kdg.runtime.deadline import Deadline
from kdg.text.tables import aligned
from kdg.verify.clients.feeder import Feeder
from kdg.verify.clients.observer import Connection
from kdg.verify.clients.readers import LatencyReader
from kdg.verify.setup import Names, Setup, environment, plain_pipe
from kdg.verify.workers import WorkerPool

PARTITIONS = 4
BYTES = 100
TRICKLE = 500
"""Records a second while latency is measured."""
WARM = 2.0
"""Seconds at the start of the trickle that do not count."""
FULL_SPEED = 10_000_000
"""Records a second: more than any cluster takes, so that the feeder never waits."""
WITHIN = 120.0
"""Seconds after which a step counts as hanging."""
QUIET = 3.0
"""Seconds without a new record after which the last one has come."""
TICK = 0.05
BAR = 40
"""Characters of the longest bar."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one guarantee.

    records: how many were piped at full speed. throughput: records a second. p50, p99: milliseconds of latency.
    """

    guarantee: str
    records: int
    throughput: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """How the cost of a guarantee is measured: first throughput, then the delay of single records.

    records: sent as fast as possible, for the throughput. seconds: how long single records are sent, for the delay.
    own_cluster: the cluster is a sandbox of this command, so that no topic has to be removed. connection: the settings
    beside bootstrap.servers that reach the cluster. extra: more options for `kdg pipe`.
    """

    bootstrap: str
    records: int
    seconds: float
    own_cluster: bool
    connection: Connection
    extra: Sequence[str]
    signals: Signals

    def measure(self, guarantee: Guarantee) -> Cost:
        """The cost of one guarantee. Raises KdgError if the records do not come through, and Interrupted."""
        names = Names.new()
        setup = Setup(guarantee, connection=self.connection)
        connection = {**self.connection, "bootstrap.servers": self.bootstrap}
        with ExitStack() as stack:
            if not self.own_cluster:
                stack.callback(remove, connection, [names.source, names.target], [names.group])
            topics = [(names.source, PARTITIONS), (names.target, PARTITIONS)]
            make_topics(self.bootstrap, topics, Deadline(self.signals), self.connection)
            with Feeder(connection, names.source, PARTITIONS, FULL_SPEED, self.records, BYTES) as feeder:
                self._until(lambda: feeder.count >= self.records, "feeding the source")
            reader = stack.enter_context(LatencyReader(connection, names.target, PARTITIONS))
            stack.enter_context(self._pool(setup, names)).workers[0].start()
            self._until(lambda: self._all_came(reader, guarantee), f"{guarantee.name}, at full speed")
            throughput = rate(reader.arrivals)
            began = time.time()
            with Feeder(connection, names.source, PARTITIONS, TRICKLE, None, BYTES):
                self._until(lambda: time.time() - began > self.seconds + WARM, "")
            counted = sorted(delay for at, delay in list(reader.delays) if at >= (began + WARM) * 1000)
        return Cost(guarantee.name, self.records, throughput, percentile(counted, 50), percentile(counted, 99))

    def _pool(self, setup: Setup, names: Names) -> WorkerPool:
        command = [*plain_pipe(setup, names), *self.extra]
        return WorkerPool([command], environment(setup, names, self.bootstrap), files=self.connection)

    def _all_came(self, reader: LatencyReader, guarantee: Guarantee) -> bool:
        """A guarantee that may lose records may never deliver all of them: then silence is the end."""
        dried_up = bool(reader.arrivals) and not reader.flows(QUIET)
        return reader.count >= self.records or (guarantee.may_lose and dried_up)

    def _until(self, condition: Callable[[], bool], doing: str) -> None:
        began = time.monotonic()
        while not condition():
            if self.signals.received is not None:
                raise Interrupted(self.signals.received)
            if time.monotonic() - began > WITHIN + self.seconds:
                raise KdgError(f"--cost: {doing}: not done within {WITHIN + self.seconds:g} s.", "Try fewer --records.")
            time.sleep(TICK)


def rate(arrivals: Sequence[tuple[float, int]]) -> float:
    """Records a second between the first and the last arrival.

    The records of the first arrival do not count: they took time before it.
    """
    seconds = arrivals[-1][0] - arrivals[0][0]
    return sum(many for _when, many in arrivals[1:]) / seconds if seconds else float("inf")


def percentile(ordered: Sequence[float], percent: int) -> float:
    """A percentile of sorted values, by nearest rank; NaN if there are none."""
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else float("nan")


def text(costs: Sequence[Cost]) -> str:
    """A table of all costs, and two bar charts."""
    head = ("", "records/s", "p50", "p99")
    rows = [(c.guarantee, f"{c.throughput:,.0f}", f"{c.p50:,.0f} ms", f"{c.p99:,.0f} ms") for c in costs]
    speed = _chart("records/s", [(c.guarantee, c.throughput) for c in costs])
    latency = _chart("p99 in ms", [(c.guarantee, c.p99) for c in costs])
    return "\n".join([*aligned([head, *rows], right={1, 2, 3}), "", *speed, "", *latency]) + "\n"


def _chart(title: str, values: Sequence[tuple[str, float]]) -> list[str]:
    most = max(value for _, value in values)
    bars = [(name, f"{'█' * max(round(value / most * BAR), 1)} {value:,.0f}") for name, value in values]
    return [title, *aligned(bars)]


def as_json(costs: Sequence[Cost]) -> dict[str, Any]:
    """The fields of `--report`."""
    return {"command": "verify --cost", "outcome": "held", "exit_code": 0, "costs": [asdict(cost) for cost in costs]}
