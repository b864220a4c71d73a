"""Owns the warning that the cluster does not meet a requirement of the guarantee; `--strict` makes it an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdg.core.guarantees import Role
from kdg.errors import NotMet
from kdg.runs.once_a_day import first_today
from kdg.runs.session import Frame
from kdg.settings.requirements import shortfalls


def check_cluster(frame: Frame, role: Role, metadata: Any, topics: Sequence[str], *, warn: bool = True) -> int | None:
    """Print one note if the cluster does not meet a requirement of the guarantee; with `--strict` raise NotMet instead.

    Both happen before a record is sent or handed out. metadata: of the cluster, with the topics. warn: False if records
    are written elsewhere and nothing of the run outlives it, so that only `--strict` needs the look-up.
    Returns the largest batch that the last topic takes, if that was looked up.
    """
    plan = frame.plan
    if not plan.guarantee.needs_durable_cluster or (plan.quiet and not plan.strict) or not (warn or plan.strict):
        return None
    from kdg.kafka.client import Watch
    from kdg.kafka.cluster_facts import look
    from kdg.kafka.reach import reach

    watch = Watch(verbose=plan.verbose, note=plan.note)
    admin = frame.surroundings.clients.admin(plan.settings(role), watch)
    reach(admin, watch, frame.deadline, plan.brokers, next(iter(topics), None))
    facts = look(admin, metadata, topics, transactional=plan.guarantee.transactional)
    largest = next((each.largest_batch for each in facts if each.name == topics[-1]), None)
    missing = shortfalls(facts, plan.guarantee)
    if not missing:
        return largest
    problem = f"{plan.guarantee.name} asks for {plan.guarantee.asks_of_cluster}; {'; '.join(missing)}"
    if plan.strict:
        raise NotMet(f"{problem}.", "Fix the topic and the cluster, or drop --strict to run with a weaker guarantee.")
    if first_today(f"{metadata.cluster_id} {problem}"):
        plan.note(f"{problem} (noted once a day; -q: never)")
    return largest
