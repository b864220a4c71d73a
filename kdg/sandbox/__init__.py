"""Owns a real Apache Kafka (KRaft) on this machine: its jars, its processes, its data folder, and that all of it goes.

Knows nothing of guarantees, records or confluent_kafka. `Sandbox` is the way in; `SandboxError` is what it raises.

Importing the package costs nothing; its parts are loaded when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kdg.sandbox.broker import Broker
    from kdg.sandbox.cluster import Sandbox
    from kdg.sandbox.errors import SandboxError

__all__ = ["Broker", "Sandbox", "SandboxError"]

_HOMES = {"Broker": "broker", "Sandbox": "cluster", "SandboxError": "errors"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
