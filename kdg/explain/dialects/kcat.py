"""Owns how a guarantee is written for kcat, as far as kcat can keep one. The commands are in kdg/explain/programs."""

from __future__ import annotations

from kdg.core.guarantees import Step
from kdg.explain.dialects.dialect import Dialect, same_name


def _line(name: str, value: str) -> str:
    return f"-X {name}={value}"


KCAT = Dialect(
    title="kcat",
    language="sh",
    does="What kcat can do",
    name_of=same_name,
    line=_line,
    notes=(
        (Step.READ, "kcat prints records into a buffer and does not check whether the last write of it worked."),
        (Step.READ, "With -G and enable.auto.commit=false kcat commits nothing; with true, before the work is done."),
        (Step.WRITE, "kcat sends lines: a key needs -K, headers are -H and the same for all, timestamps are lost."),
        (Step.WRITE, "On SIGTERM while the broker is away, kcat ends with exit 0 and records are not delivered."),
        (Step.READ, "-e ends where the oldest open transaction begins: records behind it are not read."),
        (Step.COMMIT_TRANSACTION, "kcat commits the input of a program that failed half way."),
        (Step.COMMIT_TRANSACTION, "The whole input has to be sent within transaction.timeout.ms."),
    ),
)
