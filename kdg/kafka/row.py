"""Owns one row of a table of errors: the errors that it is about, and what they mean for a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import KafkaError

from kdg.errors import KdgError


def always(_error: KafkaError) -> bool:
    return True


def says(words: str) -> Callable[[KafkaError], bool]:
    """For errors whose code is too general: the library's text has to contain these words."""
    return lambda error: words in error.str()


class Row(NamedTuple):
    """One kind of error, and what it means.

    codes: the errors it is about; None for any code. only: a condition that the error has to fulfil as well.
    text: has {doing}, what kdg was doing; {error}, the library's text with the error's name; {text}, the text alone;
    {right}, the right that is missing; {setting[NAME]}, a setting of the client with its value.
    """

    codes: frozenset[int] | None
    exception: type[KdgError]
    text: str
    hint: str = ""
    only: Callable[[KafkaError], bool] = always

    def fits(self, error: KafkaError) -> bool:
        """Whether this row is about the error."""
        return (self.codes is None or error.code() in self.codes) and self.only(error)
