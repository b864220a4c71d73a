"""`make demo`: produce, pipe exactly-once with the pipe killed in the middle, consume, and count.

Runs inside `kdg sandbox`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter

RECORDS = 20_000
KDG = sys.argv[1]
PIPE = [KDG, "pipe", "orders", "billing", "-G", "demo", "-g", "exactly-once", "-e"]


def show(*argv: str) -> None:
    """The command line, as one would type it."""
    print("$", " ".join(["kdg", *argv[1:]]), flush=True)


def main() -> int:
    """0 when every record is in the target once."""
    produce = [KDG, "produce", "orders", "-g", "exactly-once"]
    print(f"$ seq {RECORDS} | kdg {' '.join(produce[1:])}", flush=True)
    lines = "".join(f"{number}\n" for number in range(1, RECORDS + 1))
    subprocess.run(produce, input=lines.encode(), check=True)

    # Killed with SIGKILL inside its third transaction: records are written, their position is not.
    killed = [*PIPE, "--batch-records", "1000", "--crash-at", "flush:3"]
    show(*killed)
    status = subprocess.run(killed, check=False).returncode
    print(
        f"  ended by {signal.Signals(-status).name}" if status < 0 else f"  exit {status}: it was to be killed",
        flush=True,
    )
    show(*PIPE)
    subprocess.run(PIPE, check=True)

    consume = [KDG, "consume", "billing", "-e"]
    show(*consume)
    output = subprocess.run(consume, check=True, stdout=subprocess.PIPE).stdout
    found = Counter(output.decode().split())
    lost = sum(1 for number in range(1, RECORDS + 1) if str(number) not in found)
    doubled = sum(count - 1 for count in found.values())
    print(f"{RECORDS} records in, {found.total()} out: {lost} lost, {doubled} doubled")
    return 0 if status < 0 and lost == doubled == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
