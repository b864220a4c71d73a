"""Owns `--dedup-by`: what was typed becomes a Dedup over marks of the run, of a store, or of the records' own database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdg.core.guarantees import DEDUP_TTL
from kdg.core.ports import Dedup, NoDedup
from kdg.errors import UsageError
from kdg.runs.session import Frame
from kdg.runtime.times import parse_duration
from kdg.settings.options.option import given
from kdg.settings.options.reading import Deduplication

if TYPE_CHECKING:
    from kdg.transforms.dedup import DedupBy


@dataclasses.dataclass(frozen=True, slots=True)
class DedupPlan:
    """What duplicates are told by; store: where marks are kept, None for the run alone; ttl: seconds that an id is remembered."""

    by: DedupBy
    store: Path | None
    ttl: float

    @property
    def survives_command(self) -> bool:
        """Whether records that a command wrote can be told."""
        return not self.by.is_position

    @property
    def columns(self) -> frozenset[str]:
        """The columns of Batch it reads; an id is one of its topic."""
        return self.by.columns | {"topics"}


def dedup_plan(typed: Deduplication) -> DedupPlan | None:
    """The plan of `--dedup-by`, None without it. Raises UsageError."""
    if typed.dedup_by is None:
        for option, _value in given([typed]):
            raise UsageError(
                f"{option.name} means nothing without --dedup-by.",
                "Add --dedup-by position, key, value or header:NAME.",
            )
        return None
    from kdg.transforms.dedup import parse_by

    store = None if typed.dedup_store is None else Path(typed.dedup_store)
    return DedupPlan(parse_by(typed.dedup_by), store, parse_duration(typed.dedup_ttl or DEDUP_TTL, "--dedup-ttl"))


def open_dedup(
    frame: Frame, plan: DedupPlan | None, group: str | None, topic: str, topic_id: Callable[[str], str], sink: Any = None
) -> Dedup:  # fmt: skip
    """The Dedup of the run. topic: of records that do not say theirs; sink: the SQLite sink, whose transactions the marks share."""
    if plan is None:
        return NoDedup()
    from kdg.transforms.dedup import DedupById, DedupByPosition
    from kdg.transforms.seen_store import SeenStore

    if sink is None:
        store = SeenStore.temporary() if plan.store is None else SeenStore.in_file(plan.store)
        frame.closing.callback(store.close)
    elif plan.store is None or plan.store.resolve() == sink.path.resolve():
        store = SeenStore.among_records(sink.connection, f"--sqlite {sink.path}")
    else:
        raise UsageError(
            f"--dedup-store {plan.store} is not the file of --sqlite: records and marks would not be in one transaction.",
            "Drop --dedup-store: the marks are kept in the file of --sqlite.",
        )
    scope = group or ""
    dedup: Dedup = (
        DedupByPosition(store, scope, topic_id)
        if plan.by.is_position
        else DedupById(store, scope, plan.by, plan.ttl, topic)
    )
    if sink is not None:
        sink.joined = dedup.mark
    return dedup
