"""Owns the transactional id of a run: the one that was given, or one that kdg makes.

The broker fences an earlier producer with the same transactional id, and finishes the transaction that it left open.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.runs.plan import Plan
from kdg.settings.resolve import Resolved


def with_id_of_producer(plan: Plan, resume: str | None) -> Plan:
    """The plan of `produce` with a transactional id. Raises UsageError for an empty one.

    Without --transactional-id, the id comes from `--resume NAME` (so that two runs with the same NAME fence each
    other), or it is random.
    """
    producer = dict(plan.clients[Role.PRODUCER])
    if "transactional.id" not in producer:
        name = f"kdg.produce.{resume or secrets.token_hex(8)}"
        why = "one, unique: fences an older instance and finishes what it left"
        producer["transactional.id"] = Resolved("transactional.id", name, plan.guarantee.name, why)
    if not producer["transactional.id"].value:
        raise UsageError("transactional.id is empty.", "Give --transactional-id a name, or leave it out.")
    own = resume is None and "transactional.id" not in plan.clients[Role.PRODUCER]
    return replace(plan, clients={**plan.clients, Role.PRODUCER: producer}, own_id=own)


def with_id_of_member(plan: Plan, group: str) -> Plan:
    """The plan of `pipe` with a transactional id, if the guarantee has transactions.

    Without --transactional-id each process gets a random id, so that any number of instances share a group. A given id
    is also the name of the member in the group (group.instance.id).
    """
    if not plan.guarantee.transactional:
        return plan
    producer, consumer = dict(plan.clients[Role.PRODUCER]), dict(plan.clients[Role.CONSUMER])
    given = producer.get("transactional.id")
    if given is None:
        name = f"kdg.{group}.{secrets.token_hex(8)}"
        why = "one a process; the group's metadata fences a former member"
        producer["transactional.id"] = Resolved("transactional.id", name, plan.guarantee.name, why)
    elif plan.value(Role.CONSUMER, "group.protocol") != "consumer":  # there, a static member would fence the newcomer
        why = "started again, it takes its partitions over at once"
        named = Resolved("group.instance.id", given.value, f"follows {given.name}", why)
        consumer.setdefault("group.instance.id", named)
    return replace(plan, clients={Role.CONSUMER: consumer, Role.PRODUCER: producer}, own_id=given is None)


def is_named_member(plan: Plan) -> bool:
    """Whether the transactional id is also the name of the member in the group."""
    name = plan.value(Role.CONSUMER, "group.instance.id")
    return plan.guarantee.transactional and name == plan.value(Role.PRODUCER, "transactional.id")
