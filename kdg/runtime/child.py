"""Owns running the user's command: `-- CMD` as the input of produce, and once per batch in consume and pipe.

A batch goes to its stdin while its stdout is read: a command that reads nothing or writes first does not block, and one that
writes without end is ended. It has a session of its own: Ctrl-C reaches kdg, which settles and then ends the command.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from kdg.core.records import Batch, TopicPartition
from kdg.errors import Aborted, Interrupted, KdgError, StopNotReached, UsageError
from kdg.runtime.deadline import Deadline

PIECE = 65_536
LOOK_SECONDS = 0.25
"""How often a wait looks for a signal."""
END_SECONDS = 2.0
MOST_OUTPUT = 64_000_000
"""Bytes that a command may answer for one batch, which has 8 MB: memory stays bounded."""
VARIABLE = "KDG_BATCH"
"""In the command's environment: [{"topic": ..., "partition": ..., "first": ..., "last": ...}, ...], offsets of its batch."""


def _start(argv: Sequence[str], stdin: int | None, stdout: int | None, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:  # fmt: skip
    try:
        return subprocess.Popen(argv, stdin=stdin, stdout=stdout, env=env, start_new_session=True)
    except OSError as exc:
        raise UsageError(
            f"-- {argv[0]}: the command cannot be started: {exc.strerror}.", "Check its name and path."
        ) from exc


def _how(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, and what it started, when the run ends first."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)


@dataclass(slots=True)
class CommandInput:
    """A command whose output is the input; it counts as ended in order only when it exits 0.

    revocable: its output is in a transaction that can still be aborted.
    """

    argv: Sequence[str]
    revocable: bool
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> int:
        """Start it and return the descriptor of its stdout."""
        self.process = _start(self.argv, None, subprocess.PIPE, None)
        assert self.process.stdout is not None  # noqa: S101  # what PIPE means
        return self.process.stdout.fileno()

    def check(self) -> None:
        """At the end of its output: raises unless it exited with 0; Aborted where nothing of it is visible yet."""
        assert self.process is not None  # noqa: S101  # it was started
        status = self.process.wait()
        if status == 0:
            return
        told = f"{self.argv[0]} {_how(status)}: its output cannot be trusted to be complete"
        if self.revocable:
            raise Aborted(
                f"{told}, and nothing of the open transaction is visible.", "Mend the command and run it again."
            )
        raise KdgError(
            f"{told}; what it wrote was sent.", "Mend the command; sending it all again doubles what was sent."
        )

    def stop(self) -> None:
        """End it when the run ends first."""
        if self.process is None:
            return
        _end(self.process)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Span(NamedTuple):
    """The offsets of a batch in one partition, the last included."""

    topic: str
    partition: int
    first: int
    last: int


def spans_of(batches: Iterable[Batch]) -> list[Span]:
    """What the batches hold, by partition. They have the columns topics, partitions and offsets."""
    first: dict[TopicPartition, int] = {}
    last: dict[TopicPartition, int] = {}
    for batch in batches:
        places: list[TopicPartition] = list(zip(batch.topics or (), batch.partitions or (), strict=True))
        last.update(zip(places, batch.offsets or (), strict=True))
        for place, offset in zip(reversed(places), reversed(batch.offsets or ()), strict=True):
            first[place] = min(first.get(place, offset), offset)
    return [Span(topic, partition, first[topic, partition], end) for (topic, partition), end in sorted(last.items())]


def name_spans(spans: Sequence[Span]) -> str:
    """`orders[0] offsets 5 to 9 and 3 other partitions`."""
    topic, partition, first, last = spans[0]
    more = f" and {len(spans) - 1} other partitions" if len(spans) > 1 else ""
    return f"{topic}[{partition}] offsets {first} to {last}{more}"


@dataclass(frozen=True, slots=True)
class BatchCommand:
    """A command that takes one batch on its stdin. captured: its stdout is the answer, and not kdg's own."""

    argv: Sequence[str]
    deadline: Deadline
    captured: bool

    def run(self, data: bytes, spans: Sequence[Span]) -> tuple[int, bytes]:
        """Its exit status and its output. Raises Interrupted, StopNotReached, or KdgError when it writes without end."""
        env = {**os.environ, VARIABLE: json.dumps([span._asdict() for span in spans])}
        process = _start(self.argv, subprocess.PIPE, subprocess.PIPE if self.captured else None, env)
        with _ended(process):
            output = self._converse(process, memoryview(data))
            while process.poll() is None:
                self._look(process)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_SECONDS)
            return process.returncode, output

    def failed(self, status: int, spans: Sequence[Span], outcome: str) -> str:
        """What a message says of an exit status that is not the one wanted."""
        return f"{self.argv[0]} {_how(status)} for {name_spans(spans)}: {outcome}."

    def _converse(self, process: subprocess.Popen[bytes], left: memoryview) -> bytes:
        """Hand over the batch and take in the answer, both at once, until both are done or the command has ended."""
        answer = bytearray()
        assert process.stdin is not None  # noqa: S101  # what PIPE means
        os.set_blocking(process.stdin.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            if process.stdout is not None:
                selector.register(process.stdout, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(LOOK_SECONDS)
                self._look(process)
                for key, _events in ready:
                    if key.fileobj is process.stdin:
                        left = _hand_over(key.fd, left)
                        done = not left
                    else:
                        done = not _take_in(key.fd, answer)
                        self._check_size(answer)
                    if done:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]  # both are files
                if not ready and process.poll() is not None and process.stdout is None:
                    break  # what it started holds its stdin
        return bytes(answer)

    def _check_size(self, answer: bytearray) -> None:
        if len(answer) > MOST_OUTPUT:
            raise KdgError(
                f"{self.argv[0]} has written more than {MOST_OUTPUT // 1_000_000} MB for one batch; nothing of it is settled.",
                "Does it write without end? Otherwise lower --batch-records.",
            )

    def _look(self, process: subprocess.Popen[bytes]) -> None:
        """Give up when nobody waits any more."""
        if not self.deadline.over():
            return
        if self.deadline.signals.received is not None:
            raise Interrupted(self.deadline.signals.received)
        raise StopNotReached(
            f"{self.argv[0]} (process {process.pid}) was still at its batch when --timeout was over; nothing of it is settled.",
            "Raise --timeout, or lower --batch-records.",
        )


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        _end(process)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _hand_over(descriptor: int, left: memoryview) -> memoryview:
    """What is left after as much as the pipe takes; nothing when the command reads no more."""
    try:
        return left[os.write(descriptor, left[:PIECE]) :] if left else left
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]


def _take_in(descriptor: int, answer: bytearray) -> bool:
    """Whether there was more."""
    data = os.read(descriptor, PIECE)
    answer += data
    return bool(data)
