"""`consume ... -- CMD` and `pipe ... -- CMD` on a real broker: commands that fail, filter, and are interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdg.core.guarantees import GUARANTEES, Guarantee
from tests.support.kafka import Kafka
from tests.support.processes import QUICK_GROUP, lines, text
from tests.support.waiting import eventually

KILLS = 20
PARTITIONS = 3
each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=[each.name for each in GUARANTEES])

FAILS_ONE_TIME_IN_THREE = """
n=$(cat "$0.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"$0.n"
cat >"$0.batch"
[ $((n % 3)) -eq 1 ] && exit 9
"""


def test_flaky_command_loses_nothing(kafka: Kafka, group: str, tmp_path: Path) -> None:
    sent = lines(200)
    topic = kafka.filled(sent)
    script = FAILS_ONE_TIME_IN_THREE + 'cat "$0.batch" >>"$0"; true'
    args = ["consume", topic, "-G", group, "-e", "--batch-records", "50", *QUICK_GROUP]
    cmd = ["--", "sh", "-c", script, str(tmp_path / "out")]
    done = kafka.kdg(*args, *cmd)
    assert done.code == 1
    assert f"sh ended with exit status 9 for {topic}[0] offsets 0 to 49: nothing of this batch is committed" in done.err
    kafka.ok(*args, "--retry", "2", *cmd)
    assert (tmp_path / "out").read_bytes() == text(sent)


def test_exactly_once_through_a_flaky_command(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """Exactly-once through a command that fails one time in three: each record is in the target once."""
    sent = lines(120)
    source, target = kafka.filled(sent), kafka.topic()
    script = FAILS_ONE_TIME_IN_THREE.replace("exit 9", '{ cat "$0.batch"; exit 9; }') + 'cat "$0.batch"'
    args = ["pipe", source, target, "-G", group, "-g", "eos", "-e", "--batch-records", "40", *QUICK_GROUP]
    failed = 0
    while (done := kafka.kdg(*args, "--", "sh", "-c", script, str(tmp_path / "out"))).code:
        assert done.code == 1
        assert "nothing of this batch is settled" in done.err
        failed += 1
    assert failed > 0
    assert kafka.settled_values(target) == sent


@each_guarantee
def test_pipe_through_grep_keeps_whole_records(kafka: Kafka, group: str, guarantee: Guarantee) -> None:
    """`pipe -- grep` keeps the keys, headers and timestamps of the records that match."""
    source, target = kafka.topic(), kafka.topic()
    headers = [("h", b"1"), ("h", b"\xff")]
    for value in (b"foo 1", b"bar", b"foo \xff 2"):
        kafka.produce(source, [value], key=b"k", headers=headers, timestamp=1_700_000_000_000)
    args = ["pipe", source, target, "-g", guarantee.name, "-G", group, "-e"]
    kafka.ok(*args, "--", "grep", '"value":"foo\\|"value":{')
    kept = [record[2:] for record in kafka.records(source) if record.value != b"bar"]
    assert [record[2:] for record in kafka.settled_records(target)] == kept
    kafka.produce(source, [b"none of them"])
    done = kafka.kdg(*args, "--", "grep", "foo")
    assert done.code == 1
    assert "grep ended with exit status 1" in done.err
    assert "--ok-exit 0,1" in done.err
    assert kafka.committed(group, source) == {0: 3}
    kafka.ok(*args, "--ok-exit", "0,1", "--", "grep", "foo")
    assert kafka.committed(group, source) == {0: 4}
    assert [record[2:] for record in kafka.settled_records(target)] == kept


def test_lines_gives_bare_values(kafka: Kafka, group: str) -> None:
    """With --lines the command gets values only; a value with a newline is refused."""
    source, target = kafka.topic(), kafka.topic()
    kafka.produce(source, [b"a", b"b"], key=b"k")
    args = ["pipe", source, target, "-G", group, "-e", "--lines", "--", "tr", "a-z", "A-Z"]
    assert "keys, headers and timestamps are dropped" in kafka.ok(*args).err
    assert [(r.key, r.value) for r in kafka.records(target)] == [(None, b"A"), (None, b"B")]
    kafka.produce(source, [b"one\ntwo"])
    done = kafka.kdg(*args)
    assert done.code == 1
    assert f"{source}[0] offset 2: the value contains a newline" in done.err
    assert kafka.committed(group, source) == {0: 2}


def test_signal_lets_the_command_finish_its_batch(kafka: Kafka, group: str, tmp_path: Path) -> None:
    """After a signal the command still finishes its batch, and the batch is committed."""
    topic = kafka.filled(lines(5))
    script = 'cat >"$0.batch"; sleep 1; cp "$0.batch" "$0"'
    with kafka.start("consume", topic, "-G", group, "--", "sh", "-c", script, str(tmp_path / "out")) as run:
        assert eventually((tmp_path / "out.batch").exists)
        run.signal(15)
        assert run.end(10).code == -15
    assert (tmp_path / "out").read_bytes() == text(lines(5))
    assert kafka.committed(group, topic) == {0: 5}
