"""Owns what `--dry-run` prints: the settings that each client would get, and the steps. Nothing is connected."""

from __future__ import annotations

from kdg.core.guarantees import Role
from kdg.runs.plan import Plan
from kdg.text.tables import aligned


def show_settings(plan: Plan) -> str:
    """Every setting of each client: its value (secrets masked), where the value comes from, and why."""
    lines = [f"{plan.command} under {plan.guarantee.name}; nothing is connected (--dry-run)"]
    for role in plan.clients:
        lines += ["", role.value, *aligned(_rows(plan, role), indent=2)]
    cycle = " > ".join(step.value for step in plan.guarantee.steps)
    settles = f"every {plan.batch_records} records or {plan.batch_seconds:g} s"
    return "\n".join([*lines, "", *aligned([("cycle", cycle), ("settles", settles)])]) + "\n"


def _rows(plan: Plan, role: Role) -> list[tuple[str, str, str, str]]:
    settings = sorted(plan.clients[role].items())
    return [(name, setting.shown, setting.origin, setting.why) for name, setting in settings]
