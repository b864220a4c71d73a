"""Owns `^pattern`: topics named by an extended regular expression, as in kcat and the client library.

Three programs match a pattern: the library for the subscription of a group, the broker instead under KIP-848, and kdg
to find out where a run starts and stops. An expression that they read differently is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from kdg.errors import Unreachable, UsageError

INTERNAL = ("__consumer_offsets", "__transaction_state", "__share_group_state")
"""Kafka's own topics: a pattern never matches them (Java's exclude.internal.topics)."""
_READ_DIFFERENTLY = re.compile(r"\\[a-zA-Z]|\[\[:|\(\?|[*+?}][?+]")


def is_pattern(topic: str) -> bool:
    """Whether this is a pattern; no topic's name begins with `^`."""
    return topic.startswith("^")


def matching(metadata: Any, topics: Iterable[str], brokers: str) -> list[str]:
    """The names of the topics, each pattern replaced by the topics that it matches now.

    Raises Unreachable for a pattern that matches no topic, UsageError for one that is not a regular expression, or that
    clients and brokers read differently.
    """
    known = sorted(set(metadata.topics).difference(INTERNAL))
    found: dict[str, None] = {}
    for topic in topics:
        if not is_pattern(topic):
            found[topic] = None
            continue
        names = list(filter(_compiled(topic).search, known))
        if not names:
            raise Unreachable(
                f"no topic matches {topic} at {brokers}.", "Check the pattern; kdg consume and pipe never make a topic."
            )
        found.update(dict.fromkeys(names))
    return list(found)


def subscription(topics: Sequence[str], *, by_broker: bool) -> list[str]:
    """The topics as the library subscribes to them. by_broker: under KIP-848 a pattern has to match the whole name."""
    return [f"^({topic}).*" if by_broker and is_pattern(topic) else topic for topic in topics]


def exclusion(topics: Iterable[str]) -> dict[str, str]:
    """The library's property that leaves Kafka's own topics out of a pattern. A topic that is named is read.

    The library would drop a named one, too, without an error: a reader would wait for ever [seen].
    """
    named = set(topics)
    left_out = [topic for topic in INTERNAL if topic not in named]
    return {"topic.blacklist": f"^({'|'.join(left_out)})$"} if left_out and any(map(is_pattern, named)) else {}


def _compiled(pattern: str) -> re.Pattern[str]:
    odd = _READ_DIFFERENTLY.search(pattern)
    if odd is not None:
        raise UsageError(
            f"{pattern!r}: clients and brokers do not agree on {odd[0]!r}.",
            "Use an extended regular expression: [0-9] for a digit, [a-z], ., *, +, ?, {n}, (a|b), $.",
        )
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise UsageError(
            f"{pattern!r} is not a regular expression: {exc}.", "A topic that begins with ^ is a pattern."
        ) from exc
