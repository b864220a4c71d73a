"""Owns reading configuration: the file, its profiles, the environment. What the values do: kdg/settings/resolve.py.

A TOML file has the keys of OWN and librdkafka's properties, and profiles with the same keys:

    brokers = ["one:9092", "two:9092"]
    guarantee = "exactly-once"
    linger.ms = 20

    [profiles.prod]
    brokers = "prod:9093"
    sasl.password = { env = "PASSWORD" }         # or { file = "PATH" }, relative to this file

Any other file has lines `key=value`, as kcat and Java use them. Messages never contain a value: it may be a secret.
"""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdg.errors import UsageError
from kdg.runtime.opening import read_small
from kdg.settings.java import PASSED_OVER, is_schema_registry
from kdg.settings.librdkafka import canonical
from kdg.settings.resolve import Layer

OWN = {"brokers": "bootstrap.servers", "group": "group.id"}
"""kdg's own key, and the property it sets. In the environment: `KDG_BROKERS` and `KDG_GROUP`."""
DEEPEST = 100
"""The most dots in a name of a TOML file."""
GUARANTEE, PROFILE, PROFILES = "guarantee", "profile", "profiles"
_VARIABLES = "KDG_"
"""How the origin of a setting from the environment begins."""
_FORMS = ({"env"}, {"file"})


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of the environment and the file.

    layers: settings, strongest first. guarantees: likewise, each as the user wrote it, with its origin:
    ("eos", "KDG_GUARANTEE"). notes: what the user should know, such as the properties of a file that kdg passes over.
    """

    layers: Sequence[Layer]
    guarantees: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()

    @property
    def guarantee(self) -> tuple[str, str] | None:
        """The strongest of the guarantees; None if there is none."""
        return next(iter(self.guarantees), None)

    def overruled(self, typed: Collection[str], *, guarantee: bool) -> Sequence[str]:
        """A note with what the environment sets in place of a file that was named with -F; none if there is none.

        typed: the properties that the command line sets, so that neither counts. guarantee: whether -g was typed.
        """
        files = [layer for layer in self.layers if not layer.origin.startswith(_VARIABLES)]
        replaced = [
            f"{variable.origin} ({value}) is used and not {layer.where(name)} ({theirs})"
            for variable in self.layers
            if variable.origin.startswith(_VARIABLES)
            for own, value in variable.values.items()
            if own not in typed
            for layer in files
            for name, theirs in layer.values.items()
            if canonical(name) == own and theirs != value
        ]
        words = [] if guarantee else list(self.guarantees)
        if len(words) > 1 and words[0][1].startswith(_VARIABLES) and words[0][0] != words[1][0]:
            replaced.append(f"{words[0][1]} ({words[0][0]}) is used and not {words[1][1]} ({words[1][0]})")
        return [f"the environment is stronger than a file: {', '.join(replaced)}"] if replaced else []


def default_file(environ: Mapping[str, str] = os.environ) -> Path:
    """`~/.config/kdg/config.toml`, or `kdg/config.toml` below XDG_CONFIG_HOME."""
    return Path(environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "kdg" / "config.toml"


def environment(environ: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration in `KDG_BROKERS`, `KDG_GROUP` and `KDG_GUARANTEE`."""
    variables = {f"KDG_{key.upper()}": name for key, name in OWN.items()}
    layers = [Layer(v, {name: value}) for v, name in variables.items() if (value := environ.get(v))]
    said = environ.get("KDG_GUARANTEE")
    return Configuration(layers, [(said, "KDG_GUARANTEE")] if said else [])


def load(
    path: str | None, profile: str | None, environ: Mapping[str, str] = os.environ, *, secrets: bool = True
) -> Configuration:
    """The configuration of the environment, the profile and the file, the strongest first.

    path: of the file; None for KDG_CONFIG or the default file. profile: None for KDG_PROFILE or the file's own choice.
    secrets: False leaves the values of `{ env = ... }` and `{ file = ... }` empty.

    Raises UsageError for a file that cannot be read, a profile that does not exist, and a secret that is missing.
    """
    outside = environment(environ)
    layers, said = list(outside.layers), list(outside.guarantees)
    notes: list[str] = []
    wanted = path or environ.get("KDG_CONFIG")
    file = expanded(wanted) if wanted else default_file(environ)
    context = _Context(file, environ, secrets)
    try:
        for section in _sections(context, profile or environ.get("KDG_PROFILE"), named=bool(wanted)):
            layers.append(section.layer)
            said += section.guarantee
            notes += section.notes
    except RecursionError:
        raise UsageError(f"{shown(file)} is nested too deeply.", "Check the path of -F or KDG_CONFIG.") from None
    return Configuration(layers, said, notes)


@dataclass(frozen=True, slots=True)
class _Context:
    """What reading a file needs: its path, the environment for `{ env = ... }`, and whether secrets are read at all."""

    file: Path
    environ: Mapping[str, str]
    secrets: bool


@dataclass(frozen=True, slots=True)
class _Section:
    """The settings of a profile or of the whole file. guarantee: as in Configuration, none or one. notes: likewise."""

    layer: Layer
    guarantee: list[tuple[str, str]]
    notes: Sequence[str] = ()


def _sections(context: _Context, profile: str | None, *, named: bool) -> Iterator[_Section]:
    file = context.file
    if not named and not file.is_file():
        if profile:
            raise UsageError(
                f"no profile {profile}: the file {shown(file)} does not exist.", "Create it, or name a file with -F."
            )
        return
    text = read(file)
    if file.suffix != ".toml":
        layer, notes = properties_of(text, shown(file))
        yield _Section(layer, [], notes)
        if profile:
            raise UsageError(
                f"no profile {profile}: {shown(file)} is not a TOML file and has no profiles.",
                "Only a file that ends in .toml can have profiles; drop --profile or KDG_PROFILE.",
            )
        return
    whole = toml(text, shown(file))
    chosen = profile or _text(whole.get(PROFILE), f"{shown(file)}: {PROFILE}")
    if chosen:
        yield _section(_profile(whole, chosen, file), f"{shown(file)} [{chosen}]", context)
    yield _section({k: v for k, v in whole.items() if k not in (PROFILE, PROFILES)}, shown(file), context)


def expanded(path: str) -> Path:
    """The path, with `~` replaced by the home folder if there is one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~NAME for a user that does not exist: then it is an ordinary name
        return Path(path)


def shown(file: Path) -> str:
    """A path as messages show it: `~/x` for a file in the home folder."""
    home = Path.home()
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)


def read(file: Path) -> str:
    """The text of a configuration file. Raises UsageError.

    The text is in UTF-8; a `.properties` file that is not is in Latin-1, as Java's `Properties.load` reads it.
    """
    try:
        data = read_small(file)
        return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()
    except OSError as exc:
        raise UsageError(
            f"{shown(file)} cannot be read: {exc.strerror}.", "Check the path of -F or KDG_CONFIG."
        ) from exc
    except UnicodeDecodeError as exc:
        if file.suffix == ".properties":
            return data.decode("latin-1")
        raise UsageError(f"{shown(file)} is not text in UTF-8.", "Check the path of -F or KDG_CONFIG.") from exc


def properties_of(text: str, name: str) -> tuple[Layer, Sequence[str]]:
    """The properties of a `key=value` file, and notes; those of a Java file are translated. Raises UsageError."""
    from kdg.settings import java_values, keyvalue

    file = keyvalue.parse(text, name)
    notes = passed_over(file.values, name)
    if not file.is_java:
        return Layer(name, without_passed_over(file.values), lines=file.lines), notes
    java = java_values.translate(file)
    return Layer(name, without_passed_over(java.values), java.typed, file.lines), [*notes, *java.notes]


def without_passed_over(values: Mapping[str, str]) -> dict[str, str]:
    """The properties without those that are for other programs."""
    return {name: value for name, value in values.items() if name not in PASSED_OVER and not is_schema_registry(name)}


def passed_over(values: Mapping[str, str], origin: str) -> Sequence[str]:
    """A note with the names of the properties that kdg has no use for; none if there are none."""
    names = sorted(name for name in values if name in PASSED_OVER or is_schema_registry(name))
    return (f"{origin}: kdg has no use for {', '.join(names)}",) if names else ()


def toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises UsageError with the parser's reason, which contains no value of the file; RecursionError if it is too deep.
    """
    import tomllib

    # The parser's time grows with the square of the parts of a name.
    if any(line.partition("=")[0].count(".") > DEEPEST for line in text.splitlines()):
        raise RecursionError
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(
            f"{name} is not valid TOML: {exc}.",
            'If a name continues another name, put it in quotes: group = "a" and "group.protocol" = "consumer".',
        ) from exc


def _profile(whole: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    profiles = whole.get(PROFILES, {})
    found = profiles.get(name) if isinstance(profiles, dict) else None
    if not isinstance(found, dict):
        names = ", ".join(profiles) if profiles and isinstance(profiles, dict) else "none"
        raise UsageError(
            f"no profile {name} in {shown(file)}; its profiles: {names}.",
            f"Add [profiles.{name}], or name another profile.",
        )
    return found


def _section(table: Mapping[str, Any], origin: str, context: _Context) -> _Section:
    guarantee = _text(table.get(GUARANTEE), f"{origin}: {GUARANTEE}")
    flat = dict(_flat({key: value for key, value in table.items() if key != GUARANTEE}))
    values = {OWN.get(name, name): _value(value, name, origin, context) for name, value in flat.items()}
    layer = Layer(origin, without_passed_over(values))
    return _Section(layer, [(guarantee, origin)] if guarantee else [], passed_over(values, origin))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Names with their dots. TOML reads `linger.ms` as a table `linger` with a key `ms`."""
    for key, value in table.items():
        if isinstance(value, dict) and set(value) not in _FORMS:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _text(value: Any, what: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise UsageError(f"{what} is not a text.", "Put the value in quotes.")


def _value(value: Any, name: str, origin: str, context: _Context) -> str:
    if isinstance(value, dict):
        return _reference(value, f"{origin}: {name}", context)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_value(item, name, origin, context) for item in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise UsageError(f"{origin}: {name} is neither a text nor a number.", "Put the value in quotes.")


def _reference(form: Mapping[str, Any], what: str, context: _Context) -> str:
    """The value of `{ env = "NAME" }` or `{ file = "PATH" }`. Raises UsageError."""
    ((kind, name),) = form.items()
    name = _text(name, f"{what}: {kind}")
    if not context.secrets:
        return ""
    if kind == "env":
        if name not in context.environ:
            raise UsageError(f"{what} names the environment variable {name}, which is not set.", f"Set {name}.")
        return context.environ[name]
    try:
        return read_small(context.file.parent / expanded(name)).decode().rstrip("\r\n")
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text in UTF-8"
        raise UsageError(f"{what} names the file {name}, which cannot be read: {reason}.", "Check the path.") from exc
