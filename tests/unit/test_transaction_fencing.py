"""What "fenced" means to a transaction: another instance has the id, or the broker has given the transaction up."""

from __future__ import annotations

from typing import NoReturn

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from kdg.errors import Fenced, OutcomeUnknown
from kdg.kafka.producer import ProducerHandle
from kdg.kafka.transaction import KafkaTransaction
from kdg.runtime.deadline import Deadline, NoSignals
from tests.support.clients import OnlyProducers


def refuse(*_arguments: object) -> NoReturn:
    fenced = KafkaError._FENCED  # noqa: SLF001  # the library's own name
    raise KafkaException(KafkaError(fenced, "Failed to add partitions to transaction", fatal=True))


class Refusing(Producer):
    """A producer that the broker has fenced."""

    def init_transactions(self, timeout: float = -1) -> None:
        refuse()

    def begin_transaction(self) -> None:
        refuse()

    def commit_transaction(self, timeout: float = -1) -> None:
        refuse()


@pytest.mark.parametrize(("own_id", "error"), [(True, OutcomeUnknown), (False, Fenced)])
@pytest.mark.parametrize("call", ["start", "begin", "commit"])
def test_an_id_of_its_own_is_not_taken_over(own_id: bool, error: type[Exception], call: str) -> None:
    """Nobody else can have a random id: the producer is replaced and the run goes on, whatever the broker says."""
    handle = ProducerHandle({"transactional.id": "id"}, OnlyProducers(lambda _settings: Refusing({})))
    transaction = KafkaTransaction(handle, Deadline(NoSignals()), 60.0, own_id=own_id)
    with pytest.raises(error):
        getattr(transaction, call)()
