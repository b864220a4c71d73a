"""Owns the warning line about a cluster that cannot keep the guarantee, and `--strict`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdg.core.guarantees import Role
from kdg.errors import NotMet
from kdg.runs.session import Frame
from kdg.settings.requirements import shortfalls


def check_cluster(frame: Frame, role: Role, metadata: Any, topics: Sequence[str], *, warn: bool = True) -> None:
    """One note when the cluster lacks what the guarantee asks for; raises NotMet with `--strict`, before anything is sent."""
    plan = frame.plan
    if not plan.guarantee.needs_durable_cluster or (plan.quiet and not plan.strict) or not (warn or plan.strict):
        return
    from kdg.kafka.client import Watch, reach
    from kdg.kafka.cluster_facts import look

    watch = Watch(verbose=plan.verbose)
    admin = frame.surroundings.clients.admin(plan.settings(role), watch)
    reach(admin, watch, frame.deadline, plan.brokers, next(iter(topics), None))
    missing = shortfalls(look(admin, metadata, topics, transactional=plan.guarantee.transactional))
    if not missing:
        return
    told = f"{plan.guarantee.name} asks for {plan.guarantee.asks_of_cluster}; {'; '.join(missing)}"
    if plan.strict:
        raise NotMet(f"{told}.", "Mend the topic and the cluster, or drop --strict to go on with what it gives.")
    plan.note(told)
