"""`^pattern`: which topics it matches, and which patterns clients and brokers would read differently."""

from __future__ import annotations

import pytest

from kdg.errors import Unreachable, UsageError
from kdg.kafka.patterns import INTERNAL, matching, subscription
from tests.support.clients import metadata_of

CLUSTER = metadata_of(dict.fromkeys(["orders-1", "orders-2", "old-orders-1", "other", *INTERNAL], 1))


def names(*topics: str) -> list[str]:
    """The topics of the cluster above that these names and patterns mean."""
    return matching(CLUSTER, topics, "b:9092")


def test_pattern_matches_from_the_beginning() -> None:
    """A pattern means all topics whose names it matches from the beginning."""
    assert names("^orders-") == ["orders-1", "orders-2"]
    assert names("^(orders|old).*1$") == ["old-orders-1", "orders-1"]


def test_names_and_patterns_mix() -> None:
    """Names and patterns can be mixed, and each topic is read once."""
    assert names("other", "orders-2", "^orders") == ["other", "orders-2", "orders-1"]


def test_a_name_is_taken_as_it_is() -> None:
    assert names("orders.*") == ["orders.*"]


def test_no_pattern_means_kafkas_own_topics() -> None:
    assert not set(names("^.*")) & set(INTERNAL)


def test_a_pattern_that_matches_nothing_is_exit_8() -> None:
    with pytest.raises(Unreachable, match=r"no topic matches \^nothing at b:9092"):
        names("^nothing")


@pytest.mark.parametrize("pattern", [r"^a\d", r"^[[:digit:]]", "^(?i)a", "^a*?", "^a++", "^("])
def test_what_clients_and_brokers_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"\^"):
        names(pattern)


def test_whole_name_brokers_get_a_suffix() -> None:
    """A broker that matches whole names gets a pattern that allows any end."""
    assert subscription(["a", "^b|c$"], by_broker=False) == ["a", "^b|c$"]
    assert subscription(["a", "^b|c$"], by_broker=True) == ["a", "^(^b|c$).*"]
