"""kdg with a guarantee that is broken on purpose: `mutant.py NAME [ARGUMENTS OF KDG]`. A fault run has to notice it."""

from __future__ import annotations

import dataclasses
import sys

from kdg.core import guarantees
from kdg.core.guarantees import AT_LEAST_ONCE, AT_MOST_ONCE, Guarantee

MUTANTS: dict[str, Guarantee] = {
    # It commits the position before it writes the records, and claims that nothing is lost.
    "commit-first": dataclasses.replace(
        AT_LEAST_ONCE, chunk=AT_MOST_ONCE.chunk, interval=AT_MOST_ONCE.interval, end=AT_MOST_ONCE.end
    ),
    # It commits the position after it writes the records, and claims that nothing is duplicated.
    "write-first": dataclasses.replace(
        AT_MOST_ONCE, chunk=AT_LEAST_ONCE.chunk, interval=AT_LEAST_ONCE.interval, end=AT_LEAST_ONCE.end
    ),
}


def main() -> None:
    """Replace the guarantee in the table by the broken one, and run kdg."""
    broken = MUTANTS[sys.argv.pop(1)]
    at_most_once, at_least_once, exactly_once = (
        broken if guarantee.name == broken.name else guarantee for guarantee in guarantees.GUARANTEES
    )
    guarantees.GUARANTEES = (at_most_once, at_least_once, exactly_once)

    from kdg.__main__ import main as kdg

    kdg()


if __name__ == "__main__":
    main()
