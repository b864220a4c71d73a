"""Owns the application: its commands, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from kdg.cli import check, consume, explain, pipe, produce, sandbox, verify
from kdg.cli.options import Help
from kdg.cli.quick import make_quick
from kdg.cli.report import print_error
from kdg.errors import KdgError, UsageError


def make_app() -> typer.Typer:
    """The commands in the order in which help shows them."""
    app = typer.Typer(
        name="kdg",
        help="Produce, consume and pipe Kafka records under a delivery guarantee that you name.",
        add_completion=True,
        rich_markup_mode=None,  # rich is not loaded for help (DESIGN.md section 6)
        pretty_exceptions_enable=False,
        add_help_option=False,
    )
    for part in (produce, consume, pipe, explain, check, verify, sandbox):
        part.register(app)
    app.callback(invoke_without_command=True, add_help_option=False)(_root)
    return app


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,  # a flag
    help_: Help = False,  # a flag
) -> None:
    del help_  # its callback has answered
    if version:
        from importlib.metadata import version as installed

        sys.stdout.write(f"kdg {installed('kdg')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What kdg parses, and CMD: everything after the first `--`, which is never parsed."""
    arguments = list(argv)
    if "--" not in arguments:
        return arguments, []
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def run(argv: Sequence[str]) -> int:
    """The exit code of one command line; messages are on stderr. 128 + N: it is to end by signal N."""
    arguments, cmd = split(argv)
    try:
        command = make_quick(typer.main.get_command(make_app()))
        code = command(arguments, prog_name="kdg", standalone_mode=False, obj=cmd)
    except KdgError as error:
        print_error(error)
        return error.exit_code
    except typer.TyperException as error:
        print_error(UsageError(error.format_message(), _usage_hint(arguments)))
        return UsageError.exit_code
    except typer.Abort:
        return 130
    except Exception as exc:  # noqa: BLE001  # a defect of kdg: the user gets a message, and the traceback on request
        return _defect(exc)
    return code if isinstance(code, int) else 0


def _defect(exc: Exception) -> int:
    if os.environ.get("KDG_TRACEBACK"):
        import traceback

        traceback.print_exc()
    print_error(
        KdgError(
            f"a defect of kdg: {type(exc).__name__}: {exc}.", "Please report it, with what KDG_TRACEBACK=1 prints."
        )
    )
    return KdgError.exit_code


def _usage_hint(arguments: Sequence[str]) -> str:
    named = next((a for a in arguments if not a.startswith("-")), "")
    named = named if named in [command.name for command in make_app().registered_commands] else ""
    return f"`kdg {named} --help` shows what there is." if named else "`kdg --help` shows what there is."
