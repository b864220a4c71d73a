"""Owns the errors of the sandbox."""

from __future__ import annotations

from kdg.errors import KdgError

EXTRA = "Install the sandbox's parts: pip install 'kdg[sandbox]'"


class SandboxError(KdgError):
    """The sandbox could not be started: no Java, no jars, or a broker that ended or did not answer."""


class PortTakenError(SandboxError):
    """Another process took the port of a broker after it was chosen and before the broker used it."""
