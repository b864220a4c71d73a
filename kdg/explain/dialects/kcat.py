"""Owns how a guarantee is written for kcat, as far as kcat can keep one."""

from __future__ import annotations

from collections.abc import Iterator

from kdg.core.guarantees import Role, Step
from kdg.explain.dialects.dialect import Dialect, Settings, same_name


def _line(name: str, value: str) -> str:
    return f"-X {name}={value}"


def _config(role: Role, settings: Settings) -> Iterator[str]:
    yield "kcat -b ... -P -t TOPIC \\" if role is Role.PRODUCER else "kcat -b ... -G GROUP TOPIC \\"
    lines = [f"    {_line(name, value)}" for name, value in settings]
    yield from (f"{line} \\" for line in lines[:-1])
    yield from lines[-1:]


KCAT = Dialect(
    title="kcat",
    language="sh",
    comment="#",
    name_of=same_name,
    line=_line,
    config=_config,
    calls={
        Step.READ: ("kcat -G GROUP TOPIC  # kcat has its own loop; you choose only the settings",),
        Step.COMMIT: ("# kcat commits by a timer: the record may be printed or not",),
        Step.BEGIN: ("# with -X transactional.id the whole input is one transaction",),
        Step.WRITE: ("kcat -P -t TOPIC",),
        Step.FLUSH: ("# at the end of the input; exit 1 if a delivery report has an error",),
        Step.RECORD_POSITION: ("# impossible: kcat does not copy from topic to topic",),
        Step.COMMIT_TRANSACTION: ("# at the end of the input, even if the input was cut off",),
    },
    start=(),
    undo=("# kcat aborts after its own errors, not after those of its input",),
    notes=(
        (
            Step.READ,
            "kcat prints records into a buffer and does not check whether the last write of the buffer worked.",
        ),
        (
            Step.COMMIT,
            "With enable.auto.commit=false kcat commits nothing; with true it commits before the work is done.",
        ),
        (Step.WRITE, "On SIGTERM while the broker is away, kcat ends with exit 0 and records are not delivered."),
        (Step.COMMIT_TRANSACTION, "kcat commits the input of a program that failed half way."),
    ),
)
