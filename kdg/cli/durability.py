"""Owns the warning line about a cluster that cannot keep the guarantee, and `--strict`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdg.cli.run import Frame
from kdg.durability import shortfalls
from kdg.errors import NotMet
from kdg.guarantees import Role


def check_cluster(frame: Frame, role: Role, metadata: Any, topics: Sequence[str], *, warn: bool = True) -> None:
    """One note when the cluster lacks what the guarantee asks for; raises NotMet with `--strict`, before anything is sent."""
    plan = frame.plan
    if not plan.row.needs_durable_cluster or (plan.quiet and not plan.strict) or not (warn or plan.strict):
        return
    from kdg.kafka.client import Watch, make_admin, reach
    from kdg.kafka.durability import look

    watch = Watch(verbose=plan.verbose)
    admin = make_admin(plan.settings(role), watch)
    reach(admin, watch, frame.patience, plan.brokers, next(iter(topics), None))
    missing = shortfalls(look(admin, metadata, topics, transactional=plan.row.transactional))
    if not missing:
        return
    told = f"{plan.row.name} asks for {plan.row.asks_of_cluster}; {'; '.join(missing)}"
    if plan.strict:
        raise NotMet(f"{told}.", "Mend the topic and the cluster, or drop --strict to go on with what it gives.")
    plan.note(told)
