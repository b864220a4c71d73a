"""Owns what can be typed: each option declared once, with its help. What it means is resolved in kdg/runs/plan.py."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import typer

from kdg.cli import completion
from kdg.core.guarantees import DEDUP_TTL
from kdg.errors import UsageError

GuaranteeName = Annotated[
    str | None,
    typer.Option(
        "--guarantee",
        "-g",
        autocompletion=completion.guarantees,
        help="at-most-once, at-least-once (default) or exactly-once; or amo, alo, eos.",
    ),
]
Properties = Annotated[
    list[str] | None,
    typer.Option("-X", metavar="PROP=VALUE", help="A librdkafka property; PROP=@FILE reads a secret from a file."),
]
Report = Annotated[
    str | None, typer.Option("--report", metavar="FILE", help="Write what happened as JSON; - is stderr.")
]

ConfigFile = Annotated[str | None, typer.Option("--config", "-F", metavar="FILE", help="Settings from FILE: .toml, or kcat's or Java's key=value; else KDG_CONFIG, ~/.config/kdg/config.toml.")]  # fmt: skip
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="[profiles.NAME] of that file; else KDG_PROFILE.")]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Common:
    """The options that every command with records has."""

    guarantee: GuaranteeName = None
    brokers: Annotated[
        str | None,
        typer.Option("--brokers", "-b", metavar="HOST:PORT,...", help="Bootstrap brokers; else KDG_BROKERS."),
    ] = None
    settings: Properties = None
    config: ConfigFile = None
    profile: Profile = None
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit 10 when the cluster cannot keep the guarantee.")
    ] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the effective settings with origin and reason, connect to nothing.")
    ] = False
    report: Report = None
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No notes and no summary; errors stay.")] = False
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="The Kafka client's log on stderr.")] = False
    progress: Annotated[
        bool | None,
        typer.Option("--progress/--no-progress", help="How far it is, on stderr; by itself on a terminal alone."),
    ] = None
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            help="Give up after this time: 500ms, 30s, 15m. Reaching a broker alone: 30s.",
        ),
    ] = None
    batch_records: Annotated[
        int | None,
        typer.Option(
            "--batch-records",
            metavar="N",
            min=1,
            max=1_000_000,
            help="Settle after N records (10000; at-most-once 500).",
        ),
    ] = None
    batch_interval: Annotated[
        str | None,
        typer.Option("--batch-interval", metavar="DURATION", help="Settle after this time at the latest (1s)."),
    ] = None
    crash_at: Annotated[
        str | None,
        typer.Option(
            "--crash-at",
            metavar="STEP[:N]",
            help="Kill this process at a step of the cycle, the Nth time; for demonstrations.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The options of consume and pipe: where to start, when to stop."""

    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            "-G",
            metavar="GROUP",
            autocompletion=completion.groups,
            help="The consumer group whose position is used and moved; else KDG_GROUP.",
        ),
    ] = None
    offset: Annotated[
        str | None,
        typer.Option(
            "--offset",
            "-o",
            metavar="WHERE",
            help="beginning (default), end, N, -N from the end, s@TIME; where there is no position yet.",
        ),
    ] = None
    count: Annotated[
        int | None, typer.Option("--count", "-c", metavar="N", min=1, help="Stop after exactly N records.")
    ] = None
    exit_at_end: Annotated[
        bool, typer.Option("--exit-at-end", "-e", help="Stop at the ends that the partitions have now.")
    ] = False
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="Stop before the first record of this time or later, in each partition."
        ),
    ] = None
    idle_timeout: Annotated[
        str | None, typer.Option("--idle-timeout", metavar="DURATION", help="Stop when nothing came for this long.")
    ] = None


@dataclass(frozen=True, slots=True)
class Deduplication:
    """The options of consume and pipe for at-least-once without the doubles."""

    dedup_by: Annotated[
        str | None,
        typer.Option(
            "--dedup-by",
            metavar="WHAT",
            help="at-least-once: drop what was written before: position (redelivery), key, value or header:NAME (sent twice). A record without it is let through.",
        ),
    ] = None
    dedup_store: Annotated[
        str | None,
        typer.Option(
            "--dedup-store",
            metavar="FILE",
            help="at-least-once: remember across runs, in this SQLite file; with --sqlite in its file.",
        ),
    ] = None
    dedup_ttl: Annotated[str | None, typer.Option("--dedup-ttl", metavar="DURATION", help=f"at-least-once: for how long an id is remembered ({DEDUP_TTL}).")] = None  # fmt: skip


Delimiter = Annotated[
    str, typer.Option("--delimiter", "-D", metavar="TEXT", help=r"Between records; \n, \t, \0, \xHH are understood.")
]
KeyDelimiter = Annotated[
    str | None, typer.Option("--key-delimiter", "-K", metavar="TEXT", help="Between key and value.")
]
Partitions = Annotated[
    list[int] | None,
    typer.Option("--partition", "-p", metavar="N", min=0, help="This partition alone; may be repeated."),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", "-J", help="One JSON object a record: topic, partition, offset, timestamp, key, value, headers."
    ),
]
Encoding = Annotated[str, typer.Option(metavar="utf8|hex|base64", help="How bytes stand in JSON.")]
Acks = Annotated[
    str | None,
    typer.Option(
        "--acks",
        metavar="all|leader",
        help="at-least-once: who must have a record before it counts. leader: it is lost if the leader dies before others copied it.",
    ),
]
Compression = Annotated[
    str | None, typer.Option("--compression", "-z", metavar="CODEC", help="none, gzip, snappy, lz4 or zstd.")
]
TransactionalId = Annotated[str | None, typer.Option("--transactional-id", metavar="ID", help="exactly-once: names this instance; started again, it fences the one before.")]  # fmt: skip


def _show_help(context: typer.Context, wanted: bool) -> None:  # how typer calls it
    if wanted:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit


# Typer's own --help is made anew while parsing, and converted through pydantic (kdg/cli/typer_without_pydantic.py).
Help = Annotated[bool, typer.Option("--help", "-h", is_eager=True, callback=_show_help, help="Show this message and exit.")]  # fmt: skip


COMMANDS: Mapping[str, str] = {
    "produce": "Send records to a topic.",
    "consume": "Print records of topics, or store them.",
    "pipe": "Copy records from topic to topic, through a command if wanted.",
    "explain": "What a guarantee, a setting or an exit code means.",
    "check": "Which guarantee a configuration and a topic really give.",
    "verify": "See a guarantee hold, or break, under faults.",
    "sandbox": "A real Apache Kafka on this machine.",
}
"""What each is for, in the order in which help shows them; a command is registered by the module of its name."""


def command(
    app: typer.Typer, name: str, *, takes_command: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command; a parameter that is one of the dataclasses above stands for its fields as options.

    takes_command: the function is given what follows `--` as `cmd`.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        groups: dict[str, Any] = {key: hint for key, hint in hints.items() if is_dataclass(hint)}

        def run(context: typer.Context, **typed: Any) -> None:
            del typed["help_"]
            if context.obj and not takes_command:
                raise UsageError(
                    f"kdg {name} takes no command, and -- {context.obj[0]} was given.", "Drop `--` and what follows."
                )
            if takes_command:
                typed["cmd"] = tuple(context.obj or ())
            made = {key: kind(**{f.name: typed.pop(f.name) for f in fields(kind)}) for key, kind in groups.items()}
            function(**made, **typed)

        parameters = [_parameter("context", typer.Context, MISSING), *_parameters(function, hints)]
        parameters.append(_parameter("help_", Help, default=False))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__doc__ = function.__doc__
        app.command(name, short_help=COMMANDS[name], add_help_option=False)(run)
        return function

    return register


def _parameters(function: Callable[..., None], hints: dict[str, Any]) -> list[inspect.Parameter]:
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "cmd":  # what follows `--` is never parsed
            continue
        hint = hints[parameter.name]
        if is_dataclass(hint) and isinstance(hint, type):
            inner = get_type_hints(hint, include_extras=True)
            found += [_parameter(f.name, inner[f.name], f.default) for f in fields(hint)]
        else:
            default = MISSING if parameter.default is inspect.Parameter.empty else parameter.default
            found.append(_parameter(parameter.name, hint, default))
    return found


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    missing = inspect.Parameter.empty if default is MISSING else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=missing, annotation=hint)
