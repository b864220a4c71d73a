"""Owns what a mutant is, and the ways to apply one: for good in a process, or inside a `with`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from kdg.core.guarantees import Guarantee


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is replaced.

    owner: a class, a module, a dict, or a guarantee of the table. name: of the attribute, or the key of the dict.
    """

    owner: Any
    name: Any
    replacement: Any

    @property
    def original(self) -> Any:
        """What is there now. Raises KeyError if the protection has moved: then the mutant has to follow."""
        if isinstance(self.owner, Guarantee):
            return getattr(self.owner, self.name)
        return self._names[self.name]

    @property
    def _names(self) -> MutableMapping[Any, Any]:
        return self.owner if isinstance(self.owner, MutableMapping) else vars(self.owner)

    def put(self, value: Any) -> None:
        """Put a value in the place."""
        if isinstance(self.owner, MutableMapping):
            self.owner[self.name] = value
        elif isinstance(self.owner, type | ModuleType):
            setattr(self.owner, self.name, value)
        else:
            object.__setattr__(self.owner, self.name, value)  # a guarantee is frozen


Changes = Callable[[], Iterable[Change]]
"""Makes the changes. kdg is imported inside, so that the registry can be read without it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A changed row of the table of guarantees. fields: the fields that differ, by name."""

    guarantee: Guarantee
    fields: dict[str, Any]

    @property
    def changed(self) -> Guarantee:
        """The guarantee with the change."""
        return replace(self.guarantee, **self.fields)

    def __call__(self) -> Iterator[Change]:
        """The changes, in the table itself."""
        for name, value in self.fields.items():
            yield Change(self.guarantee, name, value)


@dataclass(frozen=True, slots=True)
class Caught:
    """What catches a mutant, and the words by which: one of `shows` has to be in the failure.

    by: a test, as pytest names it; or a case of the simulator, such as "eos pipe"; or a command of the model check.
    crashes: the failure is an exception of kdg that nobody expects, and no assertion of the test.
    """

    by: str
    shows: tuple[str, ...]
    crashes: bool = False


@dataclass(frozen=True, slots=True)
class Mutant:
    """A protection of kdg, and how it is taken out.

    takes_out: what kdg does without it, a sentence. hazards: the numbers in kdg/kafka/__init__.py that it belongs to.
    test: the test that fails under the mutant (`make mutants`). simulated: the cases of the simulator that find it.
    explored: the commands with which the model check of kdg/core/crash finds it. applied_by: files of tests that apply
    the mutant themselves, and expect the damage.
    """

    name: str
    takes_out: str
    changes: Changes
    hazards: tuple[int, ...] = ()
    test: Caught | None = None
    simulated: tuple[Caught, ...] = ()
    explored: tuple[Caught, ...] = ()
    applied_by: tuple[str, ...] = ()

    @property
    def row(self) -> Row:
        """The changed row, of a mutant that is one."""
        assert isinstance(self.changes, Row), self.name
        return self.changes

    def apply(self) -> None:
        """Change this process for good."""
        for change in self.changes():
            assert change.original is not change.replacement
            change.put(change.replacement)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Inside `with`, this process has the change."""
        with contextlib.ExitStack() as stack:
            for change in self.changes():
                stack.callback(change.put, change.original)
                change.put(change.replacement)
            yield


def both(*changes: Changes) -> Changes:
    """Changes that are made together."""
    return lambda: (change for each in changes for change in each())
