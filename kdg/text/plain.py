"""Owns how foreign text (names of topics and groups, paths, what a broker says) stands in a message on a terminal."""

from __future__ import annotations

import re
import sys

_CONTROLS = re.compile(
    "\n(?!     )|[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Characters that move the cursor, change colours or the direction of the text. A hint continues after five blanks."""


def printable(text: str) -> str:
    r"""The text with its control characters as escapes: `\x1b`, `\n`, `\u202e`."""
    return text if text.isprintable() else _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def print_note(line: str) -> None:
    """Print a line for the user on stderr."""
    sys.stderr.write(f"kdg: {printable(line)}\n")
    sys.stderr.flush()
