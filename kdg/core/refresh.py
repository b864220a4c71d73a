"""Owns when positions are stored again that have not changed.

A broker deletes the positions of a group without members `offsets.retention.minutes` after they were stored, also while
a run waits for records. A run that starts again without its positions reads, or sends, everything again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

REFRESH_SECONDS = 600.0
"""How often. The broker keeps positions for a day or longer, unless it is told otherwise."""


@dataclass(slots=True)
class Refresh:
    """When the positions of a run were stored last. clock: seconds that never go back."""

    clock: Callable[[], float] = time.monotonic
    _stored: float = field(init=False)

    def __post_init__(self) -> None:
        self._stored = self.clock()

    def stored(self) -> None:
        """The positions have just been stored."""
        self._stored = self.clock()

    @property
    def due(self) -> bool:
        """Whether it is time to store them again."""
        return self.clock() - self._stored > REFRESH_SECONDS
