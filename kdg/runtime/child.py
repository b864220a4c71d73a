"""Owns how a command of the user runs as a child process: started, fed, read, ended.

A batch is written to the command's stdin while its stdout is read. So a command that reads nothing, or prints before it
reads, does not block kdg. A command runs in a session of its own: Ctrl-C in a terminal reaches only kdg, which settles
first and then ends the command.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from kdg.core.ports import WORK_SECONDS, Work
from kdg.core.records import Batch, TopicPartition
from kdg.errors import Interrupted, KdgError, StopNotReached, UsageError
from kdg.runtime.deadline import Deadline

PIECE = 65_536
"""Bytes of one read or write."""
END_SECONDS = 2.0
"""A command that gets SIGTERM has this long before SIGKILL."""
MOST_OUTPUT = 64_000_000
"""Most bytes that a command may print for one batch. A batch has 8 MB; the limit keeps memory flat."""
VARIABLE = "KDG_BATCH"
"""Environment variable of the command: [{"topic": ..., "partition": ..., "first": ..., "last": ...}, ...], see Span."""


def start_process(
    argv: Sequence[str], stdin: int | None, stdout: int | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    """Start a command. Raises UsageError if that is not possible. Arguments: see subprocess.Popen."""
    try:
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout, env=env, start_new_session=True)
    except OSError as exc:
        raise UsageError(
            f"-- {argv[0]}: the command cannot be started: {exc.strerror}.", "Check its name and path."
        ) from exc


def describe_status(status: int) -> str:
    """`ended with exit status 7`, or `was killed by signal 9` for -9."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, and the processes it started: SIGTERM, then SIGKILL."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)


def report_held_output(deadline: Deadline, name: str, since: float) -> None:
    """Say that the command has ended, and its output has not. since: when it ended, see Deadline.report_wait."""
    deadline.report_wait(
        f"the output of {name}",
        since,
        f"{name} has ended, but a process that it started in the background still holds its stdout",
        "the end of that process ends the wait; with >/dev/null it does not hold it",
    )


class Span(NamedTuple):
    """The offsets of a batch in one partition: from `first` to `last`, both included."""

    topic: str
    partition: int
    first: int
    last: int


def spans_of(batches: Iterable[Batch]) -> list[Span]:
    """The offsets of these batches, one Span a partition. The columns topics, partitions and offsets are needed."""
    first: dict[TopicPartition, int] = {}
    last: dict[TopicPartition, int] = {}
    for batch in batches:
        partitions: list[TopicPartition] = list(zip(batch.topics or (), batch.partitions or (), strict=True))
        last.update(zip(partitions, batch.offsets or (), strict=True))
        for partition, offset in zip(reversed(partitions), reversed(batch.offsets or ()), strict=True):
            first[partition] = min(first.get(partition, offset), offset)
    return [Span(topic, number, first[topic, number], end) for (topic, number), end in sorted(last.items())]


def name_spans(spans: Sequence[Span]) -> str:
    """`orders[0] offsets 5 to 9 and 3 other partitions`."""
    topic, partition, first, last = spans[0]
    more = f" and {len(spans) - 1} other partitions" if len(spans) > 1 else ""
    return f"{topic}[{partition}] offsets {first} to {last}{more}"


@dataclass(frozen=True, slots=True)
class BatchCommand:
    """A command that runs once for each batch. captured: kdg reads its stdout; otherwise it shares kdg's own stdout."""

    argv: Sequence[str]
    deadline: Deadline
    captured: bool

    def run(self, data: bytes, spans: Sequence[Span]) -> Work[tuple[int, bytes]]:
        """Run the command with `data` on its stdin; returns its exit status and its output.

        It takes as long as it takes; if it is given up, the command is ended.
        Raises Interrupted after a signal, StopNotReached when --timeout is over, KdgError for too much output.
        """
        env = {**os.environ, VARIABLE: json.dumps([span._asdict() for span in spans])}
        process = start_process(self.argv, subprocess.PIPE, subprocess.PIPE if self.captured else None, env)
        with _ended(process):
            wait = _Wait(self, process, spans)
            output = yield from self._exchange(process, memoryview(data), wait)
            while process.poll() is None:
                wait.look()
                yield
                with suppress(subprocess.TimeoutExpired):
                    process.wait(WORK_SECONDS)
            return process.returncode, output

    def describe_failure(self, status: int, spans: Sequence[Span], outcome: str) -> str:
        """A sentence for a failed batch: `jq ended with exit status 5 for orders[0] offsets 5 to 9: OUTCOME.`"""
        return f"{self.argv[0]} {describe_status(status)} for {name_spans(spans)}: {outcome}."

    def _exchange(self, process: subprocess.Popen[bytes], left: memoryview, wait: _Wait) -> Work[bytes]:
        """Write the batch and read the output at the same time, until both are done or the command has ended."""
        output = bytearray()
        ended: float | None = None
        assert process.stdin is not None  # noqa: S101  # because of PIPE
        os.set_blocking(process.stdin.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            if process.stdout is not None:
                selector.register(process.stdout, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(WORK_SECONDS)
                wait.look()
                yield
                for key, _events in ready:
                    if key.fileobj is process.stdin:
                        left = _write_some(key.fd, left)
                        done = not left
                    else:
                        done = not _read_some(key.fd, output)
                        self._check_size(output)
                    if done:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]  # both are files
                if not ready and process.poll() is not None:
                    if process.stdout is None:
                        break  # the command has ended; a process that it started still holds its stdin
                    ended = self.deadline.now() if ended is None else ended
                    report_held_output(self.deadline, self.argv[0], ended)
        return bytes(output)

    def _check_size(self, output: bytearray) -> None:
        if len(output) > MOST_OUTPUT:
            raise KdgError(
                f"{self.argv[0]} printed more than {MOST_OUTPUT // 1_000_000} MB for one batch; "
                "nothing of the batch is settled.",
                "Check whether the command prints without end; otherwise lower --batch-records.",
            )


class _Wait:
    """The wait for the command of one batch."""

    def __init__(self, command: BatchCommand, process: subprocess.Popen[bytes], spans: Sequence[Span]) -> None:
        self._deadline = command.deadline
        self._name = command.argv[0]
        self._process = process
        self._spans = spans
        self._began = command.deadline.now()

    def look(self) -> None:
        """Raises Interrupted after a signal, StopNotReached when --timeout is over. A long wait is reported once a run.

        A command may take as long as it takes, so each further batch is not worth a line.
        """
        if self._process.poll() is None:
            batch = f" with {name_spans(self._spans)}" if self._spans else ""
            why = f"process {self._process.pid} is not done{batch}"
            self._deadline.report_wait(f"-- {self._name}", self._began, why, "it goes on when the command ends")
        if not self._deadline.over():
            return
        if self._deadline.signals.received is not None:
            raise Interrupted(self._deadline.signals.received)
        raise StopNotReached(
            f"{self._name} (process {self._process.pid}) had not finished its batch when --timeout ended; "
            "nothing of the batch is settled.",
            "Raise --timeout, or lower --batch-records.",
        )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """On exit the process has ended and its pipes are closed."""
    try:
        yield
    finally:
        end_process(process)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _write_some(descriptor: int, left: memoryview) -> memoryview:
    """Write as much as the pipe takes; returns the rest. Nothing is left once the command has closed its stdin."""
    try:
        return left[os.write(descriptor, left[:PIECE]) :] if left else left
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]


def _read_some(descriptor: int, output: bytearray) -> bool:
    """Add what the pipe holds to the output; False at its end."""
    data = os.read(descriptor, PIECE)
    output += data
    return bool(data)
