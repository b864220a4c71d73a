"""`kdg check` beside librdkafka: configurations drawn at random go to both (KDG_DRAWN=2000 for the long form)."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from hypothesis import event, example, given

from kdg.check.verdict import judge
from kdg.core.guarantees import Role
from kdg.settings.definitions import librdkafka
from tests.definitions import librdkafka_rows
from tests.support.drawn import advised, as_written, configuration, drawn, reading_of, starts

P, C = Role.PRODUCER, Role.CONSUMER


ONLY_ERRORS = "delivery.report.only.error"
_NO_TRANSACTION = KafkaError._STATE  # noqa: SLF001
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def _for_python(properties: Mapping[str, str]) -> dict[str, object]:
    """Python's client takes every value as a text but this one."""
    given: dict[str, object] = dict(properties)
    if ONLY_ERRORS in given:
        given[ONLY_ERRORS] = _BOOLEANS.get(properties[ONLY_ERRORS].lower(), properties[ONLY_ERRORS])
    return given


def refused(role: Role, properties: Mapping[str, str]) -> str:
    """Why the library refuses a configuration, or the first record; "" if it refuses neither."""
    if role is C and "group.id" in properties and not properties["group.id"].strip():
        return "an empty group.id ends the process"
    try:
        if role is P:
            producer = Producer(_for_python(properties))
            with contextlib.suppress(BufferError):
                producer.produce("t", b"1")
            producer.purge()
            producer.poll(0)
        else:
            Consumer(_for_python(properties)).close()
    except (KafkaException, TypeError, ValueError) as exc:
        transaction_needed = getattr(exc.args[0], "code", lambda: None)() == _NO_TRANSACTION
        return "" if transaction_needed else str(exc)
    return ""


def test_table_is_what_the_library_prints() -> None:
    """kdg/settings/definitions/librdkafka.py; `python -m tests.definitions` writes it anew."""
    assert librdkafka.TABLE.replace("\\\n", "").splitlines() == librdkafka_rows()


@pytest.mark.parametrize("group", ["", " "])
def test_an_empty_group_ends_the_process_of_python(group: str) -> None:
    """So the other test does not try it."""
    code = f"from confluent_kafka import Consumer; Consumer({{'group.id': {group!r}}})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == -signal.SIGABRT


@drawn
@given(configuration("librdkafka"))
@example((C, {"group.id": "g", "auto.offset.reset": "none"}))
@example((C, {"enable.auto.commit": "false"}))
@example((C, {"group.id": ""}))
@example((C, {"group.id": " "}))
@example((C, {"group.id": "g", "group.protocol.type": " consumer"}))
@example((C, {"group.id": "g", "partition.assignment.strategy": "range "}))
@example((C, {"group.id": "g", "partitioner": " "}))
@example((P, {"fetch.min.bytes": "0"}))
@example((P, {"linger.ms": "300001"}))
@example((P, {"transactional.id": " ", "retries": "0"}))
@example((P, {"broker.version.fallback": ""}))
@example((P, {"acks": "5s"}))
def test_check_and_librdkafka_agree(drawn_one: tuple[Role, dict[str, str]]) -> None:
    """What the library refuses is refused, and nothing else; after the advice the library starts."""
    role, properties = drawn_one
    why = refused(role, properties)
    event("refused" if why else "taken")
    verdict = judge(reading_of("librdkafka", role, properties))
    assert starts(verdict) == (not why), why or [f.says for f in verdict.findings]
    for after in advised(verdict):
        assert refused(role, as_written(after)) == ""
