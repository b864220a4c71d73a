"""A broker that is killed and comes back, and one that does not answer in time, under everything that runs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from .support import QUICK_GROUP, QUICK_TRANSACTION, Hazards, eventually, lines, text

MANY = 20_000


def test_a_broker_killed_and_started_again_under_every_command_loses_and_doubles_no_more_than_the_rows_say(
    kafka: Hazards, group: str
) -> None:
    source, by_alo, by_eos, made_by_eos = (kafka.topic(2) for _ in range(4))
    sent = lines(3 * MANY)
    with ExitStack() as stack:
        alo = stack.enter_context(kafka.running("pipe", source, by_alo, "-G", f"{group}-a", *QUICK_GROUP))
        eos = [
            "pipe",
            source,
            by_eos,
            "-G",
            f"{group}-e",
            "-g",
            "eos",
            "--batch-records",
            "500",
            *QUICK_GROUP,
            *QUICK_TRANSACTION,
        ]
        by_transaction = stack.enter_context(kafka.running(*eos))
        consume = stack.enter_context(kafka.running("consume", source, "-G", f"{group}-c", *QUICK_GROUP))
        produce = stack.enter_context(kafka.fed("produce", source))
        resume = ["produce", made_by_eos, "-g", "eos", "--resume", group, "--batch-records", "500"]
        resume += ["-X", "transaction.timeout.ms=5000"]  # send_offsets_to_transaction may hang, and is given up then
        resumed = stack.enter_context(kafka.fed(*resume))
        for fed in (produce, resumed):
            fed.feed(sent[:MANY])
        for topic in (by_alo, by_eos, made_by_eos):
            assert eventually(lambda topic=topic: len(kafka.values(topic)) > 0)  # type: ignore[misc]
        for fed in (produce, resumed):
            fed.feed(sent[MANY : 2 * MANY])
        kafka.broker.kill()
        kafka.restart()
        for fed in (produce, resumed):
            fed.feed(sent[2 * MANY :])
        ends = [produce.done(60), resumed.done(60)]
        assert ends[0].code == 0, ends[0]
        assert ends[1].code in (0, 5), ends[1]
        for name in ("a", "e", "c"):
            assert eventually(lambda name=name: _lag(kafka, f"{group}-{name}", source) == 0), name  # type: ignore[misc]
        for run in (alo, by_transaction, consume):
            run.signal(15)
        ends = [run.end(10) for run in (alo, by_transaction, consume)]
        assert [each.code for each in ends] == [-15] * 3
    kafka.ok(*resume, input=text(sent))
    assert {*kafka.values(source)} == {*kafka.values(by_alo)} == {*ends[2].lines} == {*sent}
    assert sorted(filter(None, kafka.settled_values(by_eos))) == sorted(filter(None, kafka.values(source)))
    assert sorted(filter(None, kafka.settled_values(made_by_eos))) == sent


def _lag(kafka: Hazards, group: str, topic: str) -> int:
    return sum(kafka.ends(topic).values()) - sum(kafka.committed(group, topic).values())


def test_records_that_are_not_acknowledged_in_time_are_counted_named_kept_and_can_be_sent_again(
    kafka: Hazards, group: str, tmp_path: Path
) -> None:
    topic, kept = kafka.topic(), tmp_path / "kept"
    args = ["produce", topic, "--undelivered", str(kept), "-X", "message.timeout.ms=1000"]
    with kafka.fed(*args) as run:
        run.feed(lines(10))
        assert eventually(lambda: kafka.values(topic) == lines(10))
        kafka.broker.pause()
        run.feed(lines(10, 10))
        done = run.done(20)
        kafka.broker.resume()
    assert done.code == 3
    assert "10 records were not delivered" in done.err
    assert "a record of 13 bytes" in done.err
    assert kept.read_bytes() == text(lines(10, 10))
    kafka.ok("produce", topic, str(kept))
    assert set(kafka.values(topic)) == set(lines(20))


def test_of_records_that_were_lost_with_their_broker_none_is_missing_after_they_were_sent_again(
    kafka: Hazards, group: str, tmp_path: Path
) -> None:
    topic, kept = kafka.topic(), tmp_path / "kept"
    args = ["produce", topic, "--undelivered", str(kept), "-X", "message.timeout.ms=1000"]
    with kafka.fed(*args) as run:
        run.feed(lines(MANY))
        kafka.broker.kill()
        run.feed(lines(10, MANY))
        done = run.done(20)
    kafka.restart()
    assert done.code == 3
    undelivered = kept.read_bytes().split(b"\n")[:-1]
    assert len(undelivered) == len(set(undelivered)) >= 10
    assert f"{len(undelivered)} records were not delivered" in done.err
    assert set(kafka.values(topic)) | set(undelivered) == set(lines(MANY + 10))
