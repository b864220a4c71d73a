"""Owns the shape of a finding, and of a rule that leads to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kdg.check.reading import Reading


@dataclass(frozen=True, slots=True)
class Finding:
    """What some settings cause. If it neither loses nor duplicates records and is not refused, it is a remark.

    settings: the settings that cause it. says: the consequence, for people.
    loses, duplicates: whether records can be lost or duplicated.
    refused: whether the client or the broker refuses the settings.
    of_transactions: whether it counts only for records from transactions, so only against exactly-once.
    of_starts: whether it counts only where no position is stored.
    change: values that remove the cause, if the guarantee's own settings do not.
    """

    settings: tuple[str, ...]
    says: str
    loses: bool = False
    duplicates: bool = False
    refused: bool = False
    of_transactions: bool = False
    of_starts: bool = False
    change: tuple[tuple[str, str], ...] = ()

    @property
    def costs(self) -> bool:
        """Whether the finding excludes a guarantee."""
        return self.loses or self.duplicates or self.refused


Rule = tuple[Callable[[Reading], bool], Finding]
"""When a reading has a finding."""
