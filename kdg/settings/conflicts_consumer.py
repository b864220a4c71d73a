"""Owns the settings that a consumer refuses together. Pure."""

from __future__ import annotations

from collections.abc import Callable

from kdg.core.guarantees import Role
from kdg.settings.contradiction import DROP, JAVA, LIBRDKAFKA, Contradiction, Values

_GROUP, _AUTO, _PROTOCOL = "group.id", "enable.auto.commit", "group.protocol"
_POLL, _SESSION, _HEARTBEAT = "max.poll.interval.ms", "session.timeout.ms", "heartbeat.interval.ms"
_ASSIGNOR, _REMOTE_ASSIGNOR = "partition.assignment.strategy", "group.remote.assignor"
_KIND, _OWN_GROUP = "group.protocol.type", "one of its own"
_FETCH, _MESSAGE, _RECEIVE = "fetch.max.bytes", "message.max.bytes", "receive.message.max.bytes"
_SHARE_ACKNOWLEDGE, _SHARE_ACQUIRE = "share.acknowledgement.mode", "share.acquire.mode"
_QUEUED = "queued.max.messages.kbytes"
_FRAME = 512
"""How much larger a response may be than the records in it, in bytes."""


def _new_protocol(v: Values) -> bool:
    """Whether the consumer uses KIP-848's group protocol."""
    return v.value(_PROTOCOL) == "consumer"


def _any_written(*names: str) -> Callable[[Values], bool]:
    return lambda v: _new_protocol(v) and any(map(v.written, names))


def _classic_in_java(v: Values) -> bool:
    """An empty list of assignors is none to Java."""
    return _any_written(_SESSION, _HEARTBEAT)(v) or (_any_written(_ASSIGNOR)(v) and bool(v.value(_ASSIGNOR)))


def _no_group_for_auto_commit(v: Values) -> bool:
    return not v.value(_GROUP) and v.written(_AUTO) and v.value(_AUTO) == "true"


def _heartbeat_too_slow(v: Values) -> bool:
    used = not _new_protocol(v) and bool(v.value(_GROUP))
    return used and not 0 <= v.number(_HEARTBEAT) < v.number(_SESSION)


def _mixed_assignors(v: Values) -> bool:
    kinds = {name.strip() == "cooperative-sticky" for name in v.value(_ASSIGNOR).split(",")}
    return v.written(_ASSIGNOR) and len(kinds) > 1


def _response_too_large(v: Values) -> bool:
    fetched = v.number(_FETCH)
    if not v.written(_FETCH):
        fetched = max(min(fetched, v.number(_QUEUED) * 1024), v.number(_MESSAGE))
    return v.written(_RECEIVE) and fetched + _FRAME > v.number(_RECEIVE)


CONSUMER = (
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_GROUP,),
        "a consumer needs a group.id",
        lambda v: not v.value(_GROUP).strip(),
        change=((_GROUP, _OWN_GROUP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_GROUP,),
        "group.id may not be empty",
        lambda v: v.written(_GROUP) and not v.value(_GROUP),
        change=((_GROUP, _OWN_GROUP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_GROUP, _AUTO),
        "auto-commit needs a group.id",
        _no_group_for_auto_commit,
        change=((_GROUP, _OWN_GROUP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_POLL, _SESSION),
        "the session timeout may not be longer than the time between two polls",
        lambda v: not _new_protocol(v) and v.number(_POLL) < v.number(_SESSION),
        change=((_POLL, DROP), (_SESSION, DROP)),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_HEARTBEAT, _SESSION),
        "the heartbeat interval may not be negative, and must be shorter than the session timeout",
        _heartbeat_too_slow,
        change=((_HEARTBEAT, DROP), (_SESSION, DROP)),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_PROTOCOL, _SESSION, _HEARTBEAT, _ASSIGNOR),
        "with group.protocol=consumer the broker decides these settings",
        _any_written(_SESSION, _HEARTBEAT, _ASSIGNOR),
        change=((_SESSION, DROP), (_HEARTBEAT, DROP), (_ASSIGNOR, DROP)),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_PROTOCOL, _SESSION, _HEARTBEAT, _ASSIGNOR),
        "with group.protocol=consumer the broker decides these settings",
        _classic_in_java,
        change=((_SESSION, DROP), (_HEARTBEAT, DROP), (_ASSIGNOR, DROP)),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_PROTOCOL, _KIND),
        "with group.protocol=consumer there is only one kind of group",
        _any_written(_KIND),
        change=((_KIND, DROP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_REMOTE_ASSIGNOR, _PROTOCOL),
        "group.remote.assignor needs group.protocol=consumer",
        lambda v: bool(v.value(_REMOTE_ASSIGNOR)) and not _new_protocol(v),
        change=((_REMOTE_ASSIGNOR, DROP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (JAVA,),
        (_SHARE_ACKNOWLEDGE, _SHARE_ACQUIRE),
        "these settings are for consumers of share groups",
        lambda v: v.written(_SHARE_ACKNOWLEDGE) or v.written(_SHARE_ACQUIRE),
        change=((_SHARE_ACKNOWLEDGE, DROP), (_SHARE_ACQUIRE, DROP)),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_ASSIGNOR,),
        "cooperative and eager assignors cannot be combined",
        _mixed_assignors,
        change=((_ASSIGNOR, DROP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_FETCH, _MESSAGE),
        "a fetch must have room for the largest message",
        lambda v: v.written(_FETCH) and v.number(_FETCH) < v.number(_MESSAGE),
        change=((_FETCH, DROP),),
    ),
    Contradiction(
        Role.CONSUMER,
        (LIBRDKAFKA,),
        (_RECEIVE, _FETCH),
        f"receive.message.max.bytes must be at least {_FRAME} bytes more than fetch.max.bytes",
        _response_too_large,
        change=((_RECEIVE, DROP),),
    ),
)
