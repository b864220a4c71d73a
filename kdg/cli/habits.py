"""Owns where the options of kcat, and other habits, are in kdg: the hint for an unknown option."""

from __future__ import annotations

from collections.abc import Sequence

import typer

_HABITS = {
    "-t": "kdg takes the topic as a word, without an option: kdg {command} TOPIC.",
    "-C": "kcat -C -t TOPIC is kdg consume TOPIC, which ends at the end with -e.",
    "-P": "kcat -P -t TOPIC is kdg produce TOPIC.",
    "-G": "kcat -G GROUP TOPIC is kdg consume TOPIC -G GROUP.",
    "-L": "kdg check --topic TOPIC shows a topic and judges it; kdg lists topics only in the completion of a shell.",
    "-Q": "To start or stop at a time: kdg consume TOPIC -o s@TIME, and --until TIME.",
}
"""An option of kcat, and the way to the same thing in kdg."""


def habit_of_kcat(error: typer.TyperException, command: str, arguments: Sequence[str]) -> str:
    """The hint for an error of the command line that comes from the habits of kcat; "" if it does not.

    command: the command that is meant, "" if there is none.
    """
    unknown = getattr(error, "option_name", "")
    if command == "check" and "unexpected extra argument" in error.format_message():
        return "The file is the value of an option: kdg check -F FILE."
    if not unknown:
        return ""
    # Without a command, the first unknown option may be -b: the mode of kcat stands elsewhere in the line.
    modes = [word for word in arguments if word in _HABITS and word != "-t"] if not command else []
    hint = _HABITS.get(modes[0] if modes else unknown, "")
    return hint.format(command=command or "consume")
