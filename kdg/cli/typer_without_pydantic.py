"""Owns keeping pydantic out of the start: Typer 0.29 loads it, in 0.1 s, to convert each typed word to a str or an int.

The options of kdg are words, whole numbers, flags and lists of them, so kdg converts them here. This relies on an
attribute of Typer's parameters that is not public. If the attribute disappears, Typer converts again, and the test of
the start-up time fails.
"""

from __future__ import annotations

from typing import Any, get_args

import typer


class Plain:
    """The converter of one parameter, in the place where Typer keeps its own."""

    def __init__(self, number: bool, info: Any) -> None:
        self._number = number
        self._lowest, self._highest = getattr(info, "min", None), getattr(info, "max", None)

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """The value, or the values of an option that may be repeated. Raises typer.BadParameter."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if isinstance(value, list | tuple):
            return [self._one(item, param, ctx) for item in value]
        return self._one(value, param, ctx)

    def _one(self, word: Any, param: Any, ctx: Any) -> Any:
        if not self._number:
            return word
        try:
            number = int(word)
        except ValueError:
            raise typer.BadParameter(f"{word!r} is not a whole number.", ctx=ctx, param=param) from None
        if (self._lowest is not None and number < self._lowest) or (
            self._highest is not None and number > self._highest
        ):
            most = "" if self._highest is None else f" and {self._highest}"
            least = f"at least {self._lowest}" if not most else f"between {self._lowest}{most}"
            raise typer.BadParameter(f"{word} is out of range: {least}.", ctx=ctx, param=param)
        return number


def make_quick(command: Any) -> Any:
    """The command; its parameters, and those of its subcommands, are converted by `Plain` if it knows their type."""
    for param in command.params:
        kind = _kind(param)
        if kind is not None and getattr(param, "_runtime_param", ...) is None:
            param._runtime_param = Plain(kind is int, param.type_descriptor.parameter_info)  # noqa: SLF001  # see above
    for sub in getattr(command, "commands", {}).values():
        make_quick(sub)
    return command


def _kind(param: Any) -> type | None:
    """The type of the parameter: str, int or bool; None for a type that only Typer can convert."""
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    inner = get_args(annotation)
    kind = inner[0] if inner else annotation
    return kind if kind in (str, int, bool) else None
