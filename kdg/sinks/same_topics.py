"""Owns noticing that a sink's positions are not those of the topics that are read now: another cluster, or a topic made again."""

from __future__ import annotations

from kdg.core.records import Origin
from kdg.errors import PositionGone


def refuse_other_topics(sink: str, held: Origin, origin: Origin) -> None:
    """Raises PositionGone. sink: as the user named it; held: what it has positions of; origin: what is read now."""
    again = "Choose a new sink to begin with what there is now."
    if held.cluster != origin.cluster:
        raise PositionGone(
            f"{sink} holds positions in cluster {held.cluster}, and this is cluster {origin.cluster}.",
            "Check -b, or choose a new sink.",
        )
    for topic, found in origin.topics.items():
        known = held.topics.get(topic, found)
        if known != found:
            raise PositionGone(
                f"topic {topic} was made again since {sink} took its records: its id is {found}, and was {known}.",
                again,
            )
