"""Owns `--dedup-by`: the plan of a deduplication, and its opening.

Seen records are remembered for the run or in a store.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kdg.core.guarantees import DEDUP_TTL
from kdg.core.ports import Dedup, NoDedup
from kdg.errors import UsageError
from kdg.runs.session import Frame
from kdg.runtime.times import parse_duration
from kdg.settings.options.option import given
from kdg.settings.options.reading import Deduplication

if TYPE_CHECKING:
    from kdg.sinks.sqlite import SqliteSink
    from kdg.transforms.dedup import DedupBy


@dataclasses.dataclass(frozen=True, slots=True)
class DedupPlan:
    """How duplicates are recognised.

    by: what two duplicates have in common. store: the file of seen records, None if they are remembered for this run
    only. ttl: seconds for which an id is remembered.
    """

    by: DedupBy
    store: Path | None
    ttl: float

    @property
    def survives_command(self) -> bool:
        """Whether duplicates are still recognised after a command has changed the records."""
        return not self.by.is_position

    @property
    def columns(self) -> frozenset[str]:
        """The columns of a Batch that it reads. An id belongs to its topic."""
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
    frame: Frame,
    plan: DedupPlan | None,
    group: str | None,
    topic: str,
    topic_id: Callable[[str], str],
    database: SqliteSink | None = None,
) -> Dedup:
    """The deduplication of the run.

    topic: the topic of records that do not name theirs. database: the SQLite sink of the records; then the seen records
    are stored in its transactions. Raises UsageError if another file was asked for.
    """
    if plan is None:
        return NoDedup()
    from kdg.transforms.dedup import DedupById, DedupByPosition
    from kdg.transforms.seen_store import SeenStore

    if database is None:
        store = SeenStore.temporary() if plan.store is None else SeenStore.in_file(plan.store)
        frame.closing.callback(store.close)
    elif plan.store is None or plan.store.resolve() == database.path.resolve():
        store = SeenStore.among_records(database.connection, f"--sqlite {database.path}")
    else:
        raise UsageError(
            f"--dedup-store {plan.store} is not the file of --sqlite: "
            "the records and the list of seen records would not be in one transaction.",
            "Drop --dedup-store: the list of seen records is kept in the file of --sqlite.",
        )
    scope = group or ""
    dedup: Dedup = (
        DedupByPosition(store, scope, topic_id)
        if plan.by.is_position
        else DedupById(store, scope, plan.by, plan.ttl, topic)
    )
    if database is not None:
        database.joined = dedup.mark
    return dedup
