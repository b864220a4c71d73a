"""Progress on a real terminal: it comes and goes on stderr, and no byte of it is on stdout."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from pathlib import Path

from tests.support.kafka import Kafka
from tests.support.processes import KDG, lines, text


def on_a_terminal(kafka: Kafka, *args: str) -> tuple[bytes, bytes]:
    """The bytes on stdout, and the bytes that the terminal got as stderr."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [KDG, *args],
        env=kafka.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    shown = everything_in(ours)
    os.close(ours)
    return done.stdout, shown


def everything_in(terminal: int) -> bytes:
    """The bytes that the terminal got. After the last piece Linux reports an error, and macOS the end."""
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 1 << 16):
            shown += piece
    return shown


def test_it_comes_and_goes_on_the_terminal_alone(kafka: Kafka, tmp_path: Path, group: str) -> None:
    values, file, topic = lines(60_000), tmp_path / "input", kafka.topic()
    file.write_bytes(text(values))
    # Each hundred waits for its acknowledgement, so that a fast machine takes long enough, too.
    slowly = ["--batch-records", "1000", "-X", "linger.ms=0", "-X", "queue.buffering.max.messages=100"]
    produced = on_a_terminal(kafka, "produce", topic, str(file), *slowly)
    small = ("--batch-records", "1000", "-X", "fetch.message.max.bytes=20000")
    consumed = on_a_terminal(kafka, "consume", topic, "-e", "-G", group, *small)
    assert produced[0] == b""
    assert consumed[0] == text(values)
    for _out, shown in (produced, consumed):
        assert b"% \xc2\xb7 " in shown
        assert b"/s" in shown
        # The line is taken away before the summary, which stands alone.
        assert shown.rstrip().rpartition(b"\x1b[K")[2].startswith(b"at-least-once: ")
    assert b"lag " in consumed[1]


def test_progress_in_a_pipe_is_whole_lines(kafka: Kafka) -> None:
    """If stderr is a pipe there is no progress; with --progress it consists of whole lines."""
    topic = kafka.filled(lines(1000))
    assert "records ·" not in kafka.ok("consume", topic, "-e").err
    assert "\x1b" not in kafka.ok("consume", topic, "-e", "--progress").err
