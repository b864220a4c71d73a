"""A real Apache Kafka (KRaft) on this machine: started, used, and removed without a trace.

`Sandbox` is a context manager: inside `with` the cluster runs, afterwards its processes and its data are gone. It
raises `SandboxError`. The package knows nothing of guarantees, records or confluent_kafka.

    cluster       the life of a whole sandbox: plan, format, start, wait until it is ready, remove
    nodes         the ports and the server.properties of each node
    broker        one broker process: start, stop, kill, freeze
    security      certificates, users and listeners of a secured sandbox
    distribution  the Java runtime and the command line of a Kafka process
    jars          Kafka's jars in the user's cache folder; jars.lock has their versions and checksums
    pin           writes jars.lock; only developers run it
    reaper        the process that removes everything, even if kdg was killed
    errors        the error that it raises

Importing the package loads none of these; each is loaded when it is first used.
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
