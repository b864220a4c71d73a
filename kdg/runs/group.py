"""Owns the group.id of a run that reads from Kafka."""

from __future__ import annotations

import dataclasses

from kdg.core.guarantees import Role
from kdg.errors import UsageError
from kdg.runs.plan import Plan
from kdg.settings.resolve import Resolved

ASSIGNED_ONLY = "kdg.none"
"""librdkafka requires a group.id even if partitions are assigned and no position is committed."""


def with_group(plan: Plan) -> tuple[Plan, str | None]:
    """The plan, with a group.id in any case, and the group whose position moves; None if the user named no group."""
    settings = dict(plan.clients[Role.CONSUMER])
    named = settings.get("group.id")
    if named is not None:
        if not named.value.strip():
            raise UsageError(f"the group of {named.origin} is empty.", "Name a group, or leave it out.")
        return plan, named.value
    why = "nothing is committed: the library only wants a name"
    settings["group.id"] = Resolved("group.id", ASSIGNED_ONLY, "kdg", why)
    return dataclasses.replace(plan, clients={**plan.clients, Role.CONSUMER: settings}), None
