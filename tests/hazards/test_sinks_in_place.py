"""Files of sinks that are renamed or removed during a run, and names of files that SQLite reads specially.

In none of these runs may a record be settled that no file has.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.support.destinations import DESTINATIONS, in_file
from tests.support.hazards import LONG, PARTITIONS, Feeder, Hazards
from tests.support.processes import KDG, QUICK_GROUP, lines
from tests.support.waiting import eventually

QUICK = ("--batch-records", "50", "--batch-interval", "50ms", *QUICK_GROUP)
SQLITE_NAMES = [":memory:", "file:x?mode=memory", "file::memory:?cache=shared"]


def remove_all(folder: Path) -> None:
    """What `rm FILE*` does."""
    for path in folder.iterdir():
        path.unlink()


def test_rotated_output_has_every_record_once(kafka: Hazards, group: str, tmp_path: Path, repetition: int) -> None:
    del repetition
    topic, out = kafka.topic(PARTITIONS), tmp_path / "out"
    with (
        Feeder(kafka, topic) as feeder,
        kafka.running("consume", topic, "-G", group, "--output", str(out), *QUICK) as run,
    ):
        for number in range(5):
            assert eventually(lambda: out.exists() and out.stat().st_size > 1000)
            out.rename(tmp_path / f"out.{number}")
        feeder.stop()
        assert eventually(lambda: sum(kafka.committed(group, topic).values()) == feeder.sent)
        run.signal(signal.SIGTERM)
        assert run.end().code == -signal.SIGTERM
    found = [line for path in tmp_path.iterdir() for line in path.read_bytes().split(b"\n")[:-1]]
    assert sorted(found) == lines(feeder.sent)


@pytest.mark.parametrize("option", ["--output", "--sqlite"])
@pytest.mark.parametrize("guarantee", ["alo", "eos"])
def test_removed_file_settles_nothing(
    kafka: Hazards, group: str, tmp_path: Path, option: str, guarantee: str, repetition: int
) -> None:
    """It is removed within a batch: the run ends with exit 1, and the next one reads the batch again.

    Whatever happens, each record that was not settled when the file was removed is found in the end, once.
    """
    del repetition
    topic, place = kafka.topic(PARTITIONS), DESTINATIONS[option](tmp_path)
    args = ("consume", topic, "-g", guarantee, "-G", group, *place.args, *QUICK_GROUP)
    with Feeder(kafka, topic), kafka.running(*args, *LONG, "--progress") as run:
        assert eventually(lambda: re.search(r"[1-9][\d,]* records ", run.err) is not None)
        remove_all(tmp_path)
        settled = kafka.committed(group, topic)  # of batches before this one
        run.signal(signal.SIGTERM)
        done = run.end()
    if done.code == 1:
        assert "not committed" in done.err or "nothing of the batch is committed" in done.err
        assert kafka.committed(group, topic) == settled
    else:  # the machine was so slow that the file was removed between two batches: a new one was begun
        assert done.code == -signal.SIGTERM, done
    kafka.ok(*args, "-e")
    begins = settled if guarantee == "alo" else {}  # under exactly-once, positions are in the files that were removed
    left = [record for record in kafka.records(topic) if record.offset >= begins.get(record.partition, 0)]
    expected = {record.value or b"" for record in left}
    # A batch before `settled` can be in the file that was begun after the removal.
    assert sorted(value for value in place.found() if value in expected) == sorted(expected)


def test_renamed_journaled_output_settles_nothing(kafka: Hazards, tmp_path: Path, repetition: int) -> None:
    """Put back in its place, it goes on where it was."""
    del repetition
    topic, place, out = kafka.filled(lines(100)), in_file(tmp_path), tmp_path / "out"
    args = ("consume", topic, "-g", "eos", *place.args)
    kafka.ok(*args, "-e")
    journal = (tmp_path / "out.kdg").read_bytes()
    with kafka.running(*args, *LONG) as run:
        kafka.produce(topic, lines(100, 100))
        assert eventually(lambda: len(place.found()) == 200)
        out.rename(tmp_path / "out.1")
        run.signal(signal.SIGTERM)
        assert run.end().code == 1
    assert (tmp_path / "out.kdg").read_bytes() == journal
    (tmp_path / "out.1").rename(out)
    kafka.ok(*args, "-e")
    assert place.found() == lines(200)


def test_removed_store_of_seen_records_ends_the_run(kafka: Hazards, group: str, tmp_path: Path) -> None:
    topic = kafka.topic()
    (tmp_path / "seen").mkdir()
    out, store = in_file(tmp_path), str(tmp_path / "seen" / "db")
    args = ("consume", topic, "-G", group, *out.args, "--dedup-by", "value", "--dedup-store", store, *QUICK_GROUP)
    with kafka.running(*args, *LONG) as run:
        kafka.produce(topic, lines(100))
        assert eventually(lambda: len(out.found()) == 100)
        remove_all(tmp_path / "seen")
        run.signal(signal.SIGTERM)
        assert run.end().code == 1
    assert kafka.committed(group, topic).get(0, 0) == 0


@pytest.mark.parametrize("name", SQLITE_NAMES)
@pytest.mark.parametrize("guarantee", ["amo", "alo", "eos"])
def test_special_name_of_sqlite_is_a_file(
    kafka: Hazards, group: str, tmp_path: Path, name: str, guarantee: str, repetition: int
) -> None:
    del repetition
    topic = kafka.filled(lines(25))
    args = ("consume", topic, "-g", guarantee, "-G", group, "--sqlite", name, "-e", *QUICK_GROUP)
    assert kafka.kdg(*args, argv=("env", "-C", str(tmp_path), KDG)).code == 0
    (tmp_path / name).rename(tmp_path / "db")
    assert DESTINATIONS["--sqlite"](tmp_path).found() == lines(25)


@pytest.mark.parametrize("name", SQLITE_NAMES)
def test_special_name_of_a_store_is_a_file(kafka: Hazards, group: str, tmp_path: Path, name: str) -> None:
    topic = kafka.filled(lines(25))
    args = ("consume", topic, "--dedup-by", "value", "--dedup-store", name, "-e")
    argv = ("env", "-C", str(tmp_path), KDG)
    assert [kafka.kdg(*args, argv=argv).lines for _run in range(2)] == [lines(25), []]
