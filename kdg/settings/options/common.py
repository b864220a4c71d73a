"""Owns the options that several commands share, and the group that every command with records has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from kdg.core.guarantees import AT_LEAST_ONCE, EXACTLY_ONCE
from kdg.settings.options.option import Option

GuaranteeName = Annotated[
    str | None,
    Option(
        "-g --guarantee",
        "GUARANTEE",
        "The delivery guarantee: at-most-once (amo), at-least-once (alo) or exactly-once (eos). "
        "Default: KDG_GUARANTEE, else at-least-once.",
        completes="guarantees",
    ),
]
Brokers = Annotated[
    str | None,
    Option(
        "-b --brokers",
        "HOST:PORT,...",
        "The brokers to connect to first. Default: KDG_BROKERS.",
        sets="bootstrap.servers",
    ),
]
Properties = Annotated[
    list[str] | None,
    Option("-X", "PROP=VALUE", "Set a librdkafka property; PROP=@FILE reads a secret from FILE. May be repeated."),
]
ConfigFile = Annotated[
    str | None,
    Option(
        "-F --config",
        "FILE",
        "Read settings from FILE: TOML, or key=value as for kcat and Java. "
        "Default: KDG_CONFIG, else ~/.config/kdg/config.toml.",
    ),
]
Profile = Annotated[
    str | None,
    Option("--profile", "NAME", "Use [profiles.NAME] of the settings file. Default: KDG_PROFILE."),
]
Report = Annotated[
    str | None,
    Option("--report", "FILE", "Write the result as JSON to FILE; - is stderr."),
]
Acks = Annotated[
    str | None,
    Option(
        "--acks",
        "all|leader",
        "who must store a record before it counts as delivered. "
        "leader: a record is lost if the leader dies before a follower has copied it.",
        sets="acks",
        only_under=(AT_LEAST_ONCE,),
    ),
]
TransactionalId = Annotated[
    str | None,
    Option(
        "--transactional-id",
        "ID",
        "the identity of this instance. An instance that starts with the same ID fences the earlier one.",
        sets="transactional.id",
        only_under=(EXACTLY_ONCE,),
    ),
]
Compression = Annotated[
    str | None,
    Option(
        "-z --compression",
        "CODEC",
        "How records are compressed: none, gzip, snappy, lz4 or zstd.",
        sets="compression.type",
    ),
]
Delimiter = Annotated[
    str,
    Option("-D --delimiter", "TEXT", r"What separates records; \n, \t, \0 and \xHH are understood."),
]
KeyDelimiter = Annotated[
    str | None,
    Option("-K --key-delimiter", "TEXT", "What separates key and value. Without it there is only a value."),
]
KeyEncoding = Annotated[
    str,
    Option("--key-encoding", "utf8|hex|base64", "How the bytes of a key are written as text."),
]
ValueEncoding = Annotated[
    str,
    Option("--value-encoding", "utf8|hex|base64", "How the bytes of a value are written as text."),
]


@dataclass(frozen=True, slots=True)
class Common:
    """The options of every command with records."""

    guarantee: GuaranteeName = None
    brokers: Brokers = None
    settings: Properties = None
    config: ConfigFile = None
    profile: Profile = None
    strict: Annotated[
        bool,
        Option("--strict", "", "End with exit 10, before the first record, if the cluster cannot keep the guarantee."),
    ] = False
    dry_run: Annotated[
        bool,
        Option("--dry-run", "", "Print the effective settings, where each comes from and why. Connect to nothing."),
    ] = False
    report: Report = None
    quiet: Annotated[
        bool,
        Option("-q --quiet", "", "No notes and no summary on stderr; errors are still shown."),
    ] = False
    verbose: Annotated[
        bool,
        Option("-v --verbose", "", "Show the Kafka client's log on stderr."),
    ] = False
    progress: Annotated[
        bool | None,
        Option("--progress/--no-progress", "", "Show progress on stderr (default: only if stderr is a terminal)."),
    ] = None
    timeout: Annotated[
        str | None,
        Option(
            "--timeout",
            "DURATION",
            "Give up after this time: 500ms, 30s, 15m (default: never, but after 30s if no broker is reached).",
        ),
    ] = None
    batch_records: Annotated[
        int | None,
        Option(
            "--batch-records",
            "N",
            "Settle after N records (default: 10000; at-most-once: 500).",
            least=1,
            most=1_000_000,
        ),
    ] = None
    batch_interval: Annotated[
        str | None,
        Option("--batch-interval", "DURATION", "Settle after this time at the latest (default: 1s)."),
    ] = None
    crash_at: Annotated[
        str | None,
        Option(
            "--crash-at",
            "STEP[:N]",
            "Kill this process when it is at STEP of the cycle for the Nth time; for demonstrations.",
        ),
    ] = None
