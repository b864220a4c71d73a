"""`kdg check` beside Java's clients, for configurations drawn at random; `make dialects` sets KDG_DRAWN=2000."""

from __future__ import annotations

from hypothesis import event, example, given

from kdg.check.verdict import judge
from kdg.core.guarantees import Role
from kdg.settings.definitions import java
from tests.definitions import java_rows
from tests.support.drawn import advised, as_written, configuration, drawn, reading_of, starts

from .conftest import Reader

P, C = Role.PRODUCER, Role.CONSUMER


def test_table_is_what_the_clients_define(reader: Reader) -> None:
    """kdg/settings/definitions/java.py; `python -m tests.definitions` writes it anew."""
    assert java.TABLE.replace("\\\n", "").splitlines() == java_rows(reader)


@drawn
@given(drawn_one=configuration("java"))
@example(drawn_one=(C, {"group.id": "g", "session.timeout.ms": "3000"}))
@example(drawn_one=(C, {"group.id": "g", "auto.offset.reset": "error"}))
@example(drawn_one=(C, {"group.id": "g", "group.protocol": "CONSUMER", "session.timeout.ms": "9000"}))
@example(drawn_one=(C, {"group.id": "g", "isolation.level": "READ_COMMITTED"}))
@example(drawn_one=(C, {"group.id": "g", "heartbeat.interval.ms": "-1"}))
@example(drawn_one=(C, {"group.id": "g", "share.acknowledgement.mode": "implicit"}))
@example(drawn_one=(C, {"group.id": "g", "group.remote.assignor": ""}))
@example(drawn_one=(C, {"group.id": "g", "enable.auto.commit": "0"}))
@example(drawn_one=(P, {"acks": "2"}))
@example(drawn_one=(P, {"acks": "ALL"}))
@example(drawn_one=(P, {"transactional.id": "a", "acks": "1"}))
def test_check_and_java_agree(reader: Reader, drawn_one: tuple[Role, dict[str, str]]) -> None:
    """What Java refuses is refused, and nothing else; after the advice for each guarantee Java starts."""
    role, properties = drawn_one
    why = reader.start(role.value, properties)
    event("refused" if why else "taken")
    verdict = judge(reading_of("java", role, properties))
    assert starts(verdict) == (not why), why or [f.says for f in verdict.findings]
    for after in advised(verdict):
        assert reader.start(role.value, as_written(after)) == ""
