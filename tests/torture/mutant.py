"""kdg with a guarantee broken on purpose: `mutant.py NAME ARGUMENTS OF KDG`. The engine has to notice it."""

from __future__ import annotations

import dataclasses
import sys

from kdg.core import guarantees
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, Guarantee

MUTANTS: dict[str, Guarantee] = {
    # The position moves before the records are written, yet nothing may be lost.
    "commit-first": dataclasses.replace(
        AT_LEAST_ONCE, chunk=AT_MOST_ONCE.chunk, interval=AT_MOST_ONCE.interval, end=AT_MOST_ONCE.end
    ),
    # The position moves after the records are written, yet nothing may be doubled.
    "write-first": dataclasses.replace(
        AT_MOST_ONCE, chunk=AT_LEAST_ONCE.chunk, interval=AT_LEAST_ONCE.interval, end=AT_LEAST_ONCE.end
    ),
}


def main() -> None:
    """Put the broken row into the table, and be kdg."""
    broken = MUTANTS[sys.argv.pop(1)]
    at_most_once, at_least_once, exactly_once = (
        broken if row.name == broken.name else row for row in guarantees.GUARANTEES
    )
    guarantees.GUARANTEES = (at_most_once, at_least_once, exactly_once)

    from kdg.__main__ import main as kdg

    kdg()


if __name__ == "__main__":
    main()
