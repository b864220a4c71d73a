"""Owns how a guarantee is written in Java, with kafka-clients.

The names are in kdg/settings/java.py, the programs in kdg/explain/programs.
"""

from __future__ import annotations

from kdg.core.guarantees import Step
from kdg.explain.dialects.dialect import COMMIT_FLUSHES, ENDS, GONE, NEW_GROUP, Dialect
from kdg.settings.java import java_name

_VALUES = {"auto.offset.reset": {"error": "none"}}
"""The values that Java writes in another way."""
_KILOBYTE = 1024


def _line(name: str, value: str) -> str:
    if name == "queue.buffering.max.kbytes" and value.isdigit():
        value = str(int(value) * _KILOBYTE)  # buffer.memory is in bytes
    return f"{java_name(name)}={_VALUES.get(name, {}).get(value, value)}"


JAVA = Dialect(
    title="Java (kafka-clients)",
    language="java",
    name_of=java_name,
    line=_line,
    notes=(
        (Step.READ, ENDS),
        (Step.READ, NEW_GROUP),
        (Step.READ, GONE),
        (
            Step.READ,
            (
                "Partitions come and go only inside poll(). The program settles what poll() has returned before it "
                "polls again, so that nothing is half done when a partition goes."
            ),
        ),
        (Step.READ, "isolation.level is read_uncommitted unless you set it: set it on every reader."),
        (Step.READ, "records.nextOffsets() needs kafka-clients 4.0; before, build the map from offset() + 1."),
        (Step.WRITE, "Set enable.idempotence=true: acks or retries can switch the default off without an error."),
        (
            Step.WRITE,
            (
                "A batch that is larger than max.message.bytes of the topic, and not larger than batch.size, is sent "
                "again until delivery.timeout.ms (2 min) is over; then the program ends."
            ),
        ),
        (Step.COMMIT, "flush() waits but reports no failure: look at the future or the callback of each send()."),
        (Step.COMMIT_TRANSACTION, COMMIT_FLUSHES),
        (
            Step.COMMIT_TRANSACTION,
            (
                "After a commit that timed out, abortTransaction() throws IllegalStateException: "
                "call commitTransaction() again, or close the producer."
            ),
        ),
        (Step.COMMIT_TRANSACTION, "close() aborts a transaction that is still open."),
    ),
)
