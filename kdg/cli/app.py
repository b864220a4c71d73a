"""Owns the application: its commands, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from kdg.cli.commands import COMMANDS
from kdg.cli.habits import habit_of_kcat
from kdg.cli.options import Help
from kdg.cli.typer_without_pydantic import make_quick
from kdg.errors import KdgError, ReaderGone, UsageError


def make_app(only: str | None = None) -> typer.Typer:
    """The application with its commands, in the order in which help shows them.

    only: the command that is going to run, or "" for none; the other commands are registered by name only, because
    loading them takes most of the time of a start. None loads every command.
    """
    app = typer.Typer(
        name="kdg",
        help="Produce, consume and pipe Kafka records under a delivery guarantee that you name.",
        add_completion=True,
        rich_markup_mode=None,  # so that rich is not loaded for help
        pretty_exceptions_enable=False,
        add_help_option=False,
    )
    for name, short_help in COMMANDS.items():
        if only in (None, name):
            import_module(f"kdg.cli.commands.{name}").register(app)
        else:
            app.command(name, short_help=short_help, add_help_option=False)(_elsewhere)
    app.callback(invoke_without_command=True, add_help_option=False)(_root)
    return app


def _elsewhere() -> None:
    """In the place of a command that this process does not run."""


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    help_: Help = False,
) -> None:
    del help_  # the callback of the option has printed the help
    if version:
        from importlib.metadata import version as installed

        sys.stdout.write(f"kdg {installed('kdg')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments that kdg parses, and CMD: everything after the first `--`, which kdg does not parse."""
    arguments = list(argv)
    if "--" not in arguments:
        return arguments, []
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; messages go to stderr.

    If the code is 128 + N, the caller ends the process with signal N: a shell expects that after an interruption.
    """
    code = _run(argv)
    try:
        sys.stdout.flush()
    except ReaderGone:
        return code
    except KdgError as error:
        _print_error(error)
        return error.exit_code
    return code


def _run(argv: Sequence[str]) -> int:
    arguments, cmd = split(argv)
    try:
        # Completion in a shell may ask for any command.
        only = None if "_KDG_COMPLETE" in os.environ else _named(arguments)
        command = make_quick(typer.main.get_command(make_app(only)))
        code = command(arguments, prog_name="kdg", standalone_mode=False, obj=cmd)
    except ReaderGone:
        return 0  # `kdg explain ... | head`: a run with records has an outcome of its own
    except KdgError as error:
        _print_error(error)
        return error.exit_code
    except typer.TyperException as error:
        _print_error(
            UsageError(
                error.format_message(), habit_of_kcat(error, _named(arguments), arguments) or _usage_hint(arguments)
            )
        )
        return UsageError.exit_code
    except typer.Abort:
        return 130
    except OSError as exc:
        if exc.errno not in (errno.EMFILE, errno.ENFILE):
            return _defect(exc)
        _print_error(
            KdgError("this process may not open so many files.", "Raise the limit: ulimit -n 256 is enough for kdg.")
        )
        return KdgError.exit_code
    except Exception as exc:  # noqa: BLE001  # a defect of kdg: the user gets a message, and on request the traceback
        return _defect(exc)
    return code if isinstance(code, int) else 0


def _defect(exc: Exception) -> int:
    if os.environ.get("KDG_TRACEBACK"):
        import traceback

        traceback.print_exc()
    _print_error(
        KdgError(
            f"a defect of kdg: {type(exc).__name__}: {exc}.",
            "Please report it together with the traceback that KDG_TRACEBACK=1 prints.",
        )
    )
    return KdgError.exit_code


def _print_error(error: KdgError) -> None:
    from kdg.runs.report import print_error  # it loads the plan of a run, which neither help nor explain need

    print_error(error)


def _named(arguments: Sequence[str]) -> str:
    """The command that is meant; "" if there is no command of that name."""
    named = next((a for a in arguments if not a.startswith("-")), "")
    return named if named in COMMANDS else ""


def _usage_hint(arguments: Sequence[str]) -> str:
    named = _named(arguments)
    return f"`kdg {named} --help` lists the options." if named else "`kdg --help` lists the commands."
