"""Owns what is true about Kafka's settings under every guarantee: the defaults of each client, and what a setting does.

    fact       the shape of a fact and of a default
    producer, consumer, cluster
               the facts about the settings of a producer, of a consumer, and of a topic or a broker

What a guarantee needs of a setting, and why, is in kdg/core/guarantees.py.
The facts were tried with librdkafka 2.16 and kafka-clients 4.3, or read in their source.
"""

from __future__ import annotations

from kdg.explain.facts.cluster import CLUSTER
from kdg.explain.facts.consumer import CONSUMER
from kdg.explain.facts.fact import Default, Fact
from kdg.explain.facts.producer import PRODUCER

__all__ = ["FACTS", "Default", "Fact"]

FACTS = {fact.name: fact for fact in PRODUCER + CONSUMER + CLUSTER}
"""By librdkafka's name; for topics and brokers, by Kafka's name."""
