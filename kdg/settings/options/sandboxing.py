"""Owns the options of `kdg sandbox`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kdg.settings.options.option import Option


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The options of sandbox."""

    brokers: Annotated[
        int,
        Option(
            "--brokers",
            "N",
            "How many brokers. With 3, topics have 3 replicas and min.insync.replicas 2.",
            least=1,
            most=5,
        ),
    ] = 1
    topic: Annotated[
        list[str] | None,
        Option("--topic", "NAME[:PARTITIONS]", "Create this topic; may be repeated."),
    ] = None
    security: Annotated[
        str | None,
        Option(
            "--security",
            "tls|mtls|scram",
            "Secured listeners and an authorizer; also plain, oauthbearer. CMD gets KDG_CONFIG with the settings; its "
            "profile `restricted` may only read topics.",
        ),
    ] = None
    quiet: Annotated[
        bool,
        Option("-q --quiet", "", "No notes; errors are still shown."),
    ] = False
