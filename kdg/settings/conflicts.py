"""Owns the settings that a client refuses together. `kdg check` finds them, `kdg explain contradictions` lists them.

Tried with librdkafka 2.16 and kafka-clients 4.3. Names are librdkafka's. Pure.
"""

from __future__ import annotations

from kdg.core.guarantees import Role
from kdg.settings.conflicts_consumer import CONSUMER
from kdg.settings.conflicts_producer import PRODUCER, idempotent
from kdg.settings.contradiction import DROP, JAVA, LIBRDKAFKA, Contradiction

__all__ = ["CONTRADICTIONS", "DROP", "JAVA", "LIBRDKAFKA", "Contradiction", "idempotent"]

_BACKOFF, _LONGEST_BACKOFF = "reconnect.backoff.ms", "reconnect.backoff.max.ms"
_EITHER = tuple(
    contradiction
    for role in Role
    for contradiction in (
        Contradiction(
            role,
            (LIBRDKAFKA,),
            (_LONGEST_BACKOFF, _BACKOFF),
            "the longest backoff may not be shorter than the first one",
            lambda v: v.number(_LONGEST_BACKOFF) < v.number(_BACKOFF),
            change=((_LONGEST_BACKOFF, DROP), (_BACKOFF, DROP)),
        ),
        Contradiction(
            role,
            (LIBRDKAFKA,),
            ("ssl.keystore.location", "ssl.keystore.password"),
            "a keystore needs its password",
            lambda v: bool(v.value("ssl.keystore.location")) and not v.value("ssl.keystore.password"),
            change=(("ssl.keystore.password", "the password of the keystore"),),
        ),
    )
)

CONTRADICTIONS = PRODUCER + CONSUMER + _EITHER
