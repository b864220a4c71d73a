"""What "fenced" means to a transaction: another instance has the id, or the broker has given the transaction up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from kdg.errors import Fenced, OutcomeUnknown
from kdg.kafka.transaction import KafkaTransaction
from kdg.runtime.deadline import Deadline, NoSignals


def refuses(*_arguments: object) -> None:
    fenced = KafkaError._FENCED  # noqa: SLF001  # the library's own name
    raise KafkaException(KafkaError(fenced, "Failed to add partitions to transaction", fatal=True))


@pytest.mark.parametrize(("own_id", "error"), [(True, OutcomeUnknown), (False, Fenced)])
@pytest.mark.parametrize("call", ["start", "begin", "commit"])
def test_an_id_of_its_own_is_not_taken_over(own_id: bool, error: type[Exception], call: str) -> None:
    """Nobody else can have a random id: the producer is replaced and the run goes on, whatever the broker says."""
    producer = SimpleNamespace(init_transactions=refuses, begin_transaction=refuses, commit_transaction=refuses)
    handle: Any = SimpleNamespace(
        producer=producer, serve=lambda _timeout: False, watch=SimpleNamespace(suspicious=False), transactional_id="id"
    )
    transaction = KafkaTransaction(handle, Deadline(NoSignals()), 60.0, own_id=own_id)
    with pytest.raises(error):
        getattr(transaction, call)()
