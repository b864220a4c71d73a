"""Owns how a description of an option (kdg/settings/options) becomes an option of Typer, and a function a command."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand

from kdg.cli import completion
from kdg.cli.commands import COMMANDS
from kdg.errors import UsageError
from kdg.settings.options.option import Option, refuse_empty


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit


# Typer makes its own --help again at each parse, and converts it through pydantic (kdg/cli/typer_without_pydantic.py).
Help = Annotated[
    bool,
    typer.Option("--help", "-h", is_eager=True, callback=_show_help, help="Show this message and exit."),
]

COMPLETIONS: dict[str, Callable[..., list[str]]] = {
    "guarantees": completion.guarantees,
    "topics": completion.topics,
    "groups": completion.groups,
}


def command(
    app: typer.Typer, name: str, usage: str, *, takes_command: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the command `kdg NAME`; its docstring is the help.

    usage: the arguments, as the first line of help shows them: "TOPIC [FILE]". Each parameter of the function is an
    argument or a group of options, which is a dataclass. takes_command: the function also gets `cmd`, the words after
    `--`.
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
            made = {key: kind(**{f.name: typed.pop(f.name) for f in fields(kind)}) for key, kind in groups.items()}
            refuse_empty(made.values())
            _refuse_empty_arguments(typed)
            if takes_command:
                typed["cmd"] = tuple(context.obj or ())
            function(**made, **typed)

        parameters = [_parameter("context", typer.Context), *_parameters(function, hints)]
        parameters.append(_parameter("help_", Help, default=False))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__doc__ = function.__doc__
        shown = f"{usage} [-- CMD...]".strip() if takes_command else usage
        app.command(name, cls=_with_usage(shown), short_help=COMMANDS[name], add_help_option=False)(run)
        return function

    return register


def _refuse_empty_arguments(typed: Mapping[str, Any]) -> None:
    """Raises UsageError for an argument, such as TOPIC, that is an empty word. typed: by the name of the parameter."""
    for key, value in typed.items():
        if "" in (value if isinstance(value, list | tuple) else (value,)):
            name = key.removesuffix("s").upper()
            raise UsageError(
                f'{name} is "", which is empty: is a variable of the shell not set?', f"Name the {name.lower()}."
            )


def typer_option(option: Option) -> Any:
    """The option as Typer declares it."""
    return typer.Option(
        *option.names,
        metavar=option.metavar or None,
        help=option.help,
        min=option.least,
        max=option.most,
        autocompletion=COMPLETIONS[option.completes] if option.completes else None,
    )


def _with_usage(usage: str) -> type[TyperCommand]:
    """A command whose usage line is `kdg NAME [OPTIONS] USAGE`; the one of Typer has braces around each argument."""

    class Command(TyperCommand):
        def collect_usage_pieces(self, ctx: Any) -> list[str]:
            del ctx
            return ["[OPTIONS]", *usage.split()]

    return Command


def _parameters(function: Callable[..., None], hints: dict[str, Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "cmd":  # what follows `--` is never parsed
            continue
        hint = hints[parameter.name]
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _of_group(hint)
        else:
            default = MISSING if parameter.default is inspect.Parameter.empty else parameter.default
            yield _parameter(parameter.name, hint, default)


def _of_group(group: type) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        kind, option = get_args(hints[field.name])
        yield _parameter(field.name, Annotated[kind, typer_option(option)], field.default)


def _parameter(name: str, hint: Any, default: Any = MISSING) -> inspect.Parameter:
    missing = inspect.Parameter.empty if default is MISSING else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=missing, annotation=hint)
