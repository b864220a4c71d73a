"""`make demo`: produce records, pipe them exactly-once and kill the pipe in the middle, consume them and count.

It runs inside `kdg sandbox`.
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
    """Print the command line as a user types it."""
    print("$", " ".join(["kdg", *argv[1:]]), flush=True)


def main() -> int:
    """Returns 0 if every record is in the target exactly once."""
    produce = [KDG, "produce", "orders", "-g", "exactly-once"]
    print(f"$ seq {RECORDS} | kdg {' '.join(produce[1:])}", flush=True)
    lines = "".join(f"{number}\n" for number in range(1, RECORDS + 1))
    subprocess.run(produce, input=lines.encode(), check=True)

    # SIGKILL inside the third transaction: its records are written, their position is not.
    killed = [*PIPE, "--batch-records", "1000", "--crash-at", "flush:3"]
    show(*killed)
    status = subprocess.run(killed, check=False).returncode
    print(
        f"  ended by {signal.Signals(-status).name}" if status < 0 else f"  exit {status}: the pipe was not killed",
        flush=True,
    )
    show(*PIPE)
    subprocess.run(PIPE, check=True)

    consume = [KDG, "consume", "billing", "-e"]
    show(*consume)
    output = subprocess.run(consume, check=True, stdout=subprocess.PIPE).stdout
    found = Counter(output.decode().split())
    lost = sum(1 for number in range(1, RECORDS + 1) if str(number) not in found)
    duplicated = sum(count - 1 for count in found.values())
    print(f"{RECORDS} records in, {found.total()} out: {lost} lost, {duplicated} duplicated")
    return 0 if status < 0 and lost == duplicated == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
