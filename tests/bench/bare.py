"""The least that Python and confluent-kafka can take to produce lines, the peer that shows what kdg adds: no option, no count, no error.

python bare.py BOOTSTRAP TOPIC < FILE
"""

from __future__ import annotations

import os
import sys
from collections import deque
from itertools import repeat

from confluent_kafka import Producer


def main(bootstrap: str, topic: str) -> None:
    """Reads that stay in the cache, one loop in C, failures alone reported; as fast as was found (DESIGN.md section 6)."""
    settings = {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20, "delivery.report.only.error": True}  # fmt: skip
    producer = Producer({**settings, "on_delivery": lambda _error, _message: None})
    producer.list_topics(topic)
    producer.list_topics(topic)
    rest = b""
    while data := os.read(0, 1 << 18):
        *lines, rest = (rest + data).split(b"\n")
        while len(producer) > 60_000:  # of the 100,000 that the library holds
            producer.poll(0.01)
        deque(map(producer.produce, repeat(topic), lines), maxlen=0)
        producer.poll(0)
    producer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
