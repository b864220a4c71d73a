"""Deduplication: which records count as the same, when they are stored as seen, for how long, in how much memory."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdg.core.records import Batch, Headers
from kdg.errors import KdgError, UsageError
from kdg.transforms.dedup import DedupBy, DedupById, DedupByPosition, parse_by
from kdg.transforms.seen_store import SeenStore


def batch(
    values: Sequence[bytes | None], first: int = 0, topic: str = "t", headers: Sequence[Headers] | None = None
) -> Batch:
    count = len(values)
    return Batch(
        values=list(values),
        keys=list(values),
        headers=headers,
        topics=[topic] * count,
        partitions=[0] * count,
        offsets=list(range(first, first + count)),
    )


def by_value(store: SeenStore, scope: str = "", ttl: float = 60.0, now: Sequence[float] = (1000.0,)) -> DedupById:
    return DedupById(store, scope, parse_by("value"), ttl, clock=lambda: now[0])


def by_position(store: SeenStore, scope: str = "") -> DedupByPosition:
    return DedupByPosition(store, scope, lambda topic: f"id-of-{topic}")


@pytest.mark.parametrize("text", ["", "offset", "header", "header:", "Key"])
def test_unknown_dedup_by_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--dedup-by") as refused:
        parse_by(text)
    assert "header:NAME" in refused.value.hint


def test_columns_of_each_dedup_by() -> None:
    assert parse_by("header:a:b") == DedupBy("headers", "a:b")
    columns = {text: parse_by(text).columns for text in ("position", "key", "value", "header:id")}
    assert columns["position"] == {"topics", "partitions", "offsets"}
    assert columns["key"] == {"keys"}
    assert not columns["value"], "every batch has them"
    assert columns["header:id"] == {"headers"}


# ── by an id ──


@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=8), max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_each_id_passes_once(chunks: list[list[int | None]], marking: list[bool]) -> None:
    """Each id is let through once, however it is spread over batches, and whenever ids are marked."""
    with closing(SeenStore.temporary()) as seen:
        dedup, passed = by_value(seen), list[bytes | None]()
        for ids, mark in zip(chunks, marking, strict=False):
            passed += dedup.filter(batch([None if i is None else b"%d" % i for i in ids])).values
            if mark:
                dedup.mark()
    sent = [None if i is None else b"%d" % i for ids in chunks for i in ids]
    assert [v for v in passed if v is not None] == [v for v in dict.fromkeys(sent) if v is not None]
    assert passed.count(None) == sent.count(None), "a record without an id is let through"


def test_unmarked_ids_come_again() -> None:
    """Records that were let through but not marked are let through again after `forget`."""
    with closing(SeenStore.temporary()) as seen:
        for dedup in (by_value(seen), by_position(seen)):
            dedup.filter(batch([b"1", b"2"]))
            dedup.mark()
            assert dedup.filter(batch([b"3"], first=2)).values == [b"3"]
            dedup.forget()
            assert dedup.filter(batch([b"1", b"2", b"3"])).values == [b"3"]


def test_all_columns_lose_the_same_records() -> None:
    headers = [[("id", b"1")], [("id", b"1")], [("id", b"0"), ("id", b"2")], [("other", b"1")]]
    with closing(SeenStore.temporary()) as seen:
        kept = DedupById(seen, "", parse_by("header:id"), 60.0).filter(batch([b"a", b"b", b"c", b"d"], headers=headers))
    assert kept.values == kept.keys == [b"a", b"c", b"d"]
    assert kept.offsets == [0, 2, 3]
    assert kept.headers == [headers[0], headers[2], headers[3]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "t", "value"), ("b", "t", "value")),
        (("a", "t", "value"), ("a", "u", "value")),
        (("a", "t", "value"), ("a", "t", "key")),
    ],
    ids=["group", "topic", "kind"],
)
def test_id_counts_within_group_topic_and_kind(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    with closing(SeenStore.temporary()) as seen:
        for scope, topic, kind in (one, other):
            dedup = DedupById(seen, scope, parse_by(kind), 60.0)
            assert dedup.filter(batch([b"1"], topic=topic)).values == [b"1"]
            dedup.mark()


def test_id_is_removed_after_its_ttl(tmp_path: Path) -> None:
    now = [1000.0]
    with closing(SeenStore.in_file(tmp_path / "store")) as seen:
        dedup = by_value(seen, ttl=60.0, now=now)
        dedup.filter(batch([b"1"]))
        dedup.mark()
        now[0] += 60
        assert dedup.filter(batch([b"1"])).values == []
        now[0] += 2
        assert dedup.filter(batch([b"1"])).values == [b"1"]
        dedup.mark()
        now[0] += 4000
        assert dedup.filter(batch([b"2"])).values == [b"2"]
        assert seen.connection.execute("SELECT count(*) FROM kdg_seen").fetchone() == (0,)


def test_only_a_store_in_a_file_outlives_the_run(tmp_path: Path) -> None:
    for make, left in ((lambda: SeenStore.in_file(tmp_path / "store"), []), (SeenStore.temporary, [b"1"])):
        for expected in ([b"1"], left):
            with closing(make()) as seen:
                dedup = by_value(seen)
                assert dedup.filter(batch([b"1"])).values == expected
                dedup.mark()


def test_one_query_for_ten_thousand_ids() -> None:
    with closing(SeenStore.temporary()) as seen:
        dedup, queries = by_value(seen), list[str]()
        seen.connection.set_trace_callback(queries.append)
        ids = [b"%d" % number for number in range(25_000)]
        assert len(dedup.filter(batch(ids))) == 25_000
        dedup.mark()
        assert len(dedup.filter(batch(ids))) == 0
        assert len([query for query in queries if query.startswith("SELECT")]) == 6


# ── by position ──


def test_record_below_the_stored_offset_is_dropped(tmp_path: Path) -> None:
    """A record below the stored offset of its partition is dropped, also in the next run."""
    for first, expected in ((0, [b"1", b"2"]), (1, [b"2"])):
        with closing(SeenStore.in_file(tmp_path / "store")) as seen:
            dedup = by_position(seen)
            assert dedup.filter(batch([b"1", b"2"], first=first)).values == expected
            assert dedup.filter(batch([b"1", b"2"], first=first)).values == []
            dedup.mark()
            assert by_position(seen, "another group").filter(batch([b"1", b"2"])).values == [b"1", b"2"]


def test_stored_offset_never_goes_back() -> None:
    with closing(SeenStore.temporary()) as seen:
        dedup = by_position(seen)
        dedup.filter(batch([b"1"] * 10))
        dedup.mark()
        dedup.filter(batch([b"1"], first=3))
        dedup.mark()
        assert dedup.filter(batch([b"1"] * 12)).offsets == [10, 11]


def test_topic_created_again_is_another_topic() -> None:
    with closing(SeenStore.temporary()) as seen:
        for topic_id in ("one", "two"):
            dedup = DedupByPosition(seen, "", lambda _topic, found=topic_id: found)  # type: ignore[misc]
            assert len(dedup.filter(batch([b"1"]))) == 1
            dedup.mark()


# ── the database ──


def test_store_among_records_shares_their_transaction(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as connection:
        seen = SeenStore.among_records(connection, "--sqlite db")
        for dedup in (by_value(seen), by_position(seen)):
            connection.execute("BEGIN")
            dedup.filter(batch([b"1"]))
            dedup.mark()
            connection.execute("ROLLBACK")
        for table in ("kdg_seen", "kdg_reached"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


def test_a_store_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"text, and more of it\n" * 100)
    with pytest.raises(UsageError, match="--dedup-store"):
        SeenStore.in_file(tmp_path / "store")


def test_a_store_that_breaks_while_it_is_used_ends_the_run(tmp_path: Path) -> None:
    with closing(SeenStore.in_file(tmp_path / "store")) as seen:
        seen.connection.execute("DROP TABLE kdg_seen")
        with pytest.raises(KdgError, match="--dedup-store"):
            by_value(seen).filter(batch([b"1"]))


GROWTH = """
import itertools, resource
from kdg.transforms.dedup import DedupById, parse_by
from kdg.transforms.seen_store import SeenStore
from kdg.core.records import Batch
dedup = DedupById(SeenStore.temporary(), "", parse_by("value"), 60.0, clock=itertools.count(1_000_000).__next__)
def peak(first, last):
    for start in range(first, last, 10_000):
        dedup.filter(Batch([b"id-%d" % n for n in range(start, start + 10_000)]))
        dedup.mark()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak(0, {some}), peak({some}, {all}))
"""


def test_memory_does_not_grow_with_the_ids() -> None:
    """Once the page cache is full, memory stays the same. The clock advances with each batch."""
    code = GROWTH.format(some=100_000, all=300_000)
    cache = "kdg.transforms.seen_store.CACHE_KILOBYTES = 2_000\n"
    done = subprocess.run(
        [sys.executable, "-c", "import kdg.transforms.seen_store\n" + cache + code],
        capture_output=True,
        text=True,
        check=True,
    )
    some, every = map(int, done.stdout.split())
    assert every < 1.1 * some
