"""Owns opening the position of `kdg produce --resume NAME`, which is kept in a group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdg.core.guarantees import Role
from kdg.runs.plan import Plan
from kdg.runs.session import Frame
from kdg.settings.resolve import Layer, plain, resolve

if TYPE_CHECKING:
    from kdg.kafka.resume import ResumeStore


def group_of(name: str) -> str:
    """The group that keeps the position of `--resume NAME`."""
    return f"kdg.produce.{name}"


def open_resume_store(frame: Frame, name: str, topic: str) -> ResumeStore:
    """The store of the position of an input.

    Raises UsageError if the group has members, because then it is not kdg's.
    """
    from kdg.kafka.client import Watch
    from kdg.kafka.resume import ResumeStore

    settings = _settings(frame.plan, group_of(name))
    clients, watch = frame.surroundings.clients, Watch(verbose=frame.plan.verbose, note=frame.plan.note)
    store = ResumeStore(
        clients.consumer(settings, watch), clients.admin(settings, watch), group_of(name), topic, frame.deadline
    )
    frame.closing.callback(store.close)
    store.check()
    return store


def _settings(plan: Plan, group: str) -> dict[str, str]:
    """The settings of the consumer that reads the position: what the user gave to the producer, and the guarantee's."""
    producer = plan.clients[Role.PRODUCER]
    given = {name: setting.value for name, setting in producer.items() if setting.origin != plan.guarantee.name}
    return plain(resolve(plan.guarantee, Role.CONSUMER, "produce", [Layer("--resume", {"group.id": group} | given)]))
