"""The broker of the scripts, with what else they ask of it."""

from __future__ import annotations

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # not in its __all__

from tests.broker.support import Kafka, eventually


class Observed(Kafka):
    """A broker, where a topic can be made under a name that was there before."""

    def make(self, name: str) -> None:
        """Make a topic of one partition; until a deleted one of the name is quite gone, that is refused."""
        self.admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(30)
        assert eventually(lambda: self.exists(name) and self._has_leaders(name, 1))
