"""What the library reports by itself, as a message of the consumer or to error_cb: nothing of it is dropped."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError, Message
from confluent_kafka import TopicPartition as LibraryPartition

from kdg.errors import KdgError, PositionGone
from kdg.kafka.answers import MOST_PUT_BACK
from kdg.kafka.client import Watch
from kdg.kafka.consumer import KafkaConsumer
from kdg.kafka.events import ENDING, PASSES
from kdg.kafka.membership import Assignment
from kdg.kafka.source import KafkaSource
from kdg.kafka.stop_offsets import StopOffsets
from kdg.runtime.deadline import Deadline, NoSignals

CODES = {name: code for name, code in vars(KafkaError).items() if isinstance(code, int)}
ENDS = {
    1: "_BAD_MSG _BAD_COMPRESSION INVALID_MSG INVALID_MSG_SIZE INVALID_RECORD MSG_SIZE_TOO_LARGE RECORD_LIST_TOO_LARGE "
    "_NOT_IMPLEMENTED UNSUPPORTED_COMPRESSION_TYPE UNSUPPORTED_FOR_MESSAGE_FORMAT GROUP_MAX_SIZE_REACHED "
    "UNSUPPORTED_VERSION _UNSUPPORTED_FEATURE _UNKNOWN_PROTOCOL INVALID_REQUEST _CRIT_SYS_RESOURCE _FS _FATAL",
    2: "INVALID_SESSION_TIMEOUT INCONSISTENT_GROUP_PROTOCOL INVALID_GROUP_ID UNSUPPORTED_ASSIGNOR "
    "INVALID_REGULAR_EXPRESSION _INVALID_ARG _NOT_CONFIGURED INVALID_CONFIG POLICY_VIOLATION SECURITY_DISABLED "
    "INVALID_TRANSACTION_TIMEOUT",
    6: "UNRELEASED_INSTANCE_ID _FENCED INVALID_PRODUCER_EPOCH PRODUCER_FENCED FENCED_INSTANCE_ID",
    7: "_LOG_TRUNCATION _AUTO_OFFSET_RESET OFFSET_OUT_OF_RANGE UNKNOWN_TOPIC_OR_PART _UNKNOWN_TOPIC _UNKNOWN_PARTITION "
    "TOPIC_EXCEPTION",
    8: "_AUTHENTICATION SASL_AUTHENTICATION_FAILED _SSL TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED "
    "CLUSTER_AUTHORIZATION_FAILED TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
}
"""The codes that end a run that reads, by its exit code."""
EXITS = {name: code for code, names in ENDS.items() for name in names.split()}
NO_SUCH_TOPIC = ["UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "TOPIC_EXCEPTION"]
"""Exit 7 if the event is about a topic, because that was there before; otherwise 8."""
PASSING = {name for name, code in CODES.items() if any(code in row.codes for row in PASSES)}
SETTINGS = {"session.timeout.ms": "2000000", "sasl.password": "hidden"}


class Reporting:
    """A consumer whose next message is an event. It is nobody's admin client and no lookup, either."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.sought: list[int] = []
        self.log_start = 5

    def consume(self, *_args: object) -> list[Message]:
        events, self.events = self.events, []
        return events

    def poll(self, *_args: object) -> None:
        """Nothing comes."""

    silent_since = None
    leaderless: ClassVar = set[tuple[str, int]]()
    assign = watch = check = commit = poll

    def get_watermark_offsets(self, *_args: object, **_named: object) -> tuple[int, int]:
        """An empty partition."""
        return 0, 0

    def starts(self, *_args: object) -> dict[tuple[str, int], int]:
        """As Lookup.starts: the partition is empty, and begins and ends here."""
        return {("t", 0): self.log_start}

    def seek(self, place: LibraryPartition) -> None:
        """Noted."""
        self.sought.append(place.offset)


class Run:
    """A source with one partition, and the notes of its run."""

    def __init__(self) -> None:
        self.client, self.notes = Reporting(), list[str]()
        client: Any = self.client
        watch = Watch(note=self.notes.append, settings=SETTINGS)
        consumer = KafkaConsumer(client, watch, Deadline(NoSignals()), client, "g", self.notes.append)
        stops = StopOffsets(client, self.notes.append)
        self.source = KafkaSource(consumer, Assignment({("t", 0): 0}, {}), stops, client, frozenset())
        self.source.begin(lambda _event: None)

    def report(self, error: KafkaError, topic: str | None = "t") -> None:
        """The event comes, and the run reads on."""
        self.client.events = [Message(topic=topic, partition=0 if topic else -1, offset=20, error=error)]
        for _ in range(3):
            self.source.read(10, 0.0)


@pytest.mark.parametrize("topic", ["t", None])
@pytest.mark.parametrize("name", CODES)
def test_event_of_a_consumer_is_told_or_passes_with_a_reason(name: str, topic: str | None) -> None:
    """Every code ends the run with its exit code, or is noted once with its name, or stands among those that pass."""
    run, error = Run(), KafkaError(CODES[name])
    exit_code, passes = EXITS.get(name), name in PASSING
    if topic is None and name in NO_SUCH_TOPIC:
        exit_code = 8
    if exit_code is not None:
        with pytest.raises(KdgError, match=r"^(reading|the position of)") as ended:
            run.report(error, topic)
        assert ended.value.exit_code == exit_code
        return
    run.report(error, topic)
    run.report(error, topic)
    words = "max.poll.interval.ms" if name == "_MAX_POLL_EXCEEDED" else name
    assert [words in note for note in run.notes] == ([] if passes else [True])


@pytest.mark.parametrize("name", ["_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"])
def test_position_that_is_there_is_gone_back_to(name: str) -> None:
    """The library takes offsets that nobody asked for from damaged bytes: the run goes back, a few times at most."""
    run = Run()
    run.client.log_start = 0
    for _ in range(MOST_PUT_BACK):
        run.report(KafkaError(CODES[name]))
    assert run.client.sought == [0] * MOST_PUT_BACK
    with pytest.raises(PositionGone):
        run.report(KafkaError(CODES[name]))


def test_log_that_was_cut_off_is_not_gone_back_to() -> None:
    """The position is within the log again, with other records before it."""
    run = Run()
    run.client.log_start = 0
    reason = "Partition log truncation detected at offset 0: broker end offset is 0"
    with pytest.raises(PositionGone, match="cut off at 0"):
        run.report(KafkaError(CODES["_AUTO_OFFSET_RESET"], reason))


@pytest.mark.parametrize("name", CODES)
def test_event_of_a_producer_or_an_admin_is_told_or_passes(name: str) -> None:
    """Every code that comes to error_cb is kept for the call that fails because of it, is noted once, or passes."""
    notes = list[str]()
    watch = Watch(note=notes.append)
    for _ in range(2):
        watch.error(KafkaError(CODES[name]))
    kept = watch.fault is not None or watch.denied is not None
    assert (kept, [name in note for note in notes]) in ((True, []), (False, [] if name in PASSING else [True]))


@pytest.mark.parametrize("row", PASSES, ids=lambda row: row.why)
def test_codes_that_pass_have_a_reason(row: Any) -> None:
    """A reason is a sentence, and the codes are none of those that end a run."""
    assert len(row.why.split()) >= 5
    assert not any(row.codes & (ending.codes or set()) for ending in ENDING)


def test_new_code_of_the_library_is_noted() -> None:
    """A code that this version of kdg does not know is reported as well."""
    run = Run()
    run.report(KafkaError(9999, "something new"))
    assert len(run.notes) == 1
    assert "something new" in run.notes[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("INVALID_SESSION_TIMEOUT", "session.timeout.ms=2000000"),
        ("INCONSISTENT_GROUP_PROTOCOL", "partition.assignment.strategy or group.protocol"),
        ("GROUP_MAX_SIZE_REACHED", "group.max.size"),
        ("_BAD_MSG", "reading t[0]@20: the bytes there are damaged"),
    ],
)
def test_what_ends_a_run_names_the_setting_or_the_place(name: str, words: str) -> None:
    """The message has the setting with its value where kdg knows it."""
    with pytest.raises(KdgError) as ended:
        Run().report(KafkaError(CODES[name]))
    assert words in str(ended.value)


def test_expelled_member_reads_which_settings_to_change() -> None:
    """max.poll.interval.ms and --batch-records are named when the group expels a slow member."""
    run = Run()
    run.report(KafkaError(CODES["_MAX_POLL_EXCEEDED"]), None)
    assert "max.poll.interval.ms" in run.notes[0]
    assert "--batch-records" in run.notes[0]
