"""Owns where configuration is kept: the file, its profiles, the environment. What a value means is resolved in kdg/settings/resolve.py.

A TOML file holds kdg's own keys (OWN), librdkafka's properties by their names, and `[profiles.NAME]` with the same; a value
`{ env = "NAME" }` or `{ file = "PATH" }` is read from there. Any other file is `key=value`: kcat's or Java's. A value may be
a secret: no message has one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdg.errors import UsageError
from kdg.settings.resolve import Layer

OWN = {"brokers": "bootstrap.servers", "group": "group.id"}
"""Keys of kdg's own that stand for a property; `KDG_BROKERS` and `KDG_GROUP` are the same in the environment."""
GUARANTEE, PROFILE, PROFILES = "guarantee", "profile", "profiles"
_FORMS = ({"env"}, {"file"})


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the environment and the file say. layers: strongest first. guarantee: the word, and who said it."""

    layers: Sequence[Layer]
    guarantee: tuple[str, str] | None = None


def default_file(environ: Mapping[str, str] = os.environ) -> Path:
    """`~/.config/kdg/config.toml`, or where XDG_CONFIG_HOME says."""
    return Path(environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "kdg" / "config.toml"


def environment(environ: Mapping[str, str] = os.environ) -> Configuration:
    """What `KDG_BROKERS`, `KDG_GROUP` and `KDG_GUARANTEE` say."""
    variables = {f"KDG_{key.upper()}": name for key, name in OWN.items()}
    layers = [Layer(v, {name: value}) for v, name in variables.items() if (value := environ.get(v))]
    said = environ.get("KDG_GUARANTEE")
    return Configuration(layers, (said, "KDG_GUARANTEE") if said else None)


def load(
    path: str | None, profile: str | None, environ: Mapping[str, str] = os.environ, *, secrets: bool = True
) -> Configuration:
    """The environment, then the profile, then the file. path, profile: as typed, else KDG_CONFIG and KDG_PROFILE.

    secrets: whether values that stand elsewhere are fetched; without, they are empty.

    Raises UsageError for a file that cannot be read, a profile that is not there, and a secret that cannot be had.
    """
    outside = environment(environ)
    layers, said = list(outside.layers), [outside.guarantee] if outside.guarantee else []
    wanted = path or environ.get("KDG_CONFIG")
    file = Path(wanted).expanduser() if wanted else default_file(environ)
    place = _Place(file, environ, secrets)
    for section in _sections(place, profile or environ.get("KDG_PROFILE"), named=bool(wanted)):
        layers.append(section.layer)
        said += section.guarantee
    return Configuration(layers, said[0] if said else None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values that stand elsewhere are looked for: beside the file, and in the environment."""

    file: Path
    environ: Mapping[str, str]
    secrets: bool


@dataclass(frozen=True, slots=True)
class _Section:
    layer: Layer
    guarantee: list[tuple[str, str]]


def _sections(place: _Place, profile: str | None, *, named: bool) -> Iterator[_Section]:
    file = place.file
    if not named and not file.is_file():
        if profile:
            raise UsageError(f"no profile {profile}: there is no {shown(file)}.", "Write it, or name a file with -F.")
        return
    text = read(file)
    if file.suffix != ".toml":
        yield _Section(Layer(shown(file), properties_of(text, shown(file))), [])
        if profile:
            raise UsageError(f"no profile {profile}: {shown(file)} is not TOML and has no profiles.", "Profiles stand in TOML files; drop --profile or KDG_PROFILE.")  # fmt: skip
        return
    whole = toml(text, shown(file))
    chosen = profile or _text(whole.get(PROFILE), f"{shown(file)}: {PROFILE}")
    if chosen:
        yield _section(_profile(whole, chosen, file), f"{shown(file)} [{chosen}]", place)
    yield _section({k: v for k, v in whole.items() if k not in (PROFILE, PROFILES)}, shown(file), place)


def shown(file: Path) -> str:
    """A path as a message has it: below the home folder with a ~."""
    home = Path.home()
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)


def read(file: Path) -> str:
    """A configuration file's text. Raises UsageError."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise UsageError(
            f"{shown(file)} cannot be read: {exc.strerror}.", "Check the path of -F or KDG_CONFIG."
        ) from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{shown(file)} is not text in UTF-8.", "Check the path of -F or KDG_CONFIG.") from exc


def properties_of(text: str, name: str) -> dict[str, str]:
    """A `key=value` file as librdkafka's properties: kcat's as it stands, Java's translated. Raises UsageError."""
    from kdg.settings import java, keyvalue

    found, is_java = keyvalue.parse(text, name)
    return java.translate(found, name) if is_java else found


def toml(text: str, name: str) -> dict[str, Any]:
    """A TOML file's tables. Raises UsageError with the parser's reason, which holds no value."""
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"{name} is no TOML: {exc}.", 'A property whose name begins with another\'s needs quotes: "group.protocol" = "consumer".') from exc  # fmt: skip


def _profile(whole: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    profiles = whole.get(PROFILES, {})
    found = profiles.get(name) if isinstance(profiles, dict) else None
    if not isinstance(found, dict):
        there = ", ".join(profiles) if profiles and isinstance(profiles, dict) else "none"
        raise UsageError(f"no profile {name} in {shown(file)}; it has {there}.", f"Add [profiles.{name}], or name another.")  # fmt: skip
    return found


def _section(table: Mapping[str, Any], origin: str, place: _Place) -> _Section:
    guarantee = _text(table.get(GUARANTEE), f"{origin}: {GUARANTEE}")
    flat = dict(_flat({key: value for key, value in table.items() if key != GUARANTEE}))
    values = {OWN.get(name, name): _value(value, name, origin, place) for name, value in flat.items()}
    return _Section(Layer(origin, values), [(guarantee, origin)] if guarantee else [])


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Names with their dots: TOML makes tables of them."""
    for key, value in table.items():
        if isinstance(value, dict) and set(value) not in _FORMS:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _text(value: Any, what: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise UsageError(f"{what} is no text.", "Put it in quotes.")


def _value(value: Any, name: str, origin: str, place: _Place) -> str:
    if isinstance(value, dict):
        return _elsewhere(value, f"{origin}: {name}", place)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_value(item, name, origin, place) for item in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise UsageError(f"{origin}: {name} is neither a text nor a number.", "Put it in quotes.")


def _elsewhere(form: Mapping[str, Any], what: str, place: _Place) -> str:
    """`{ env = "NAME" }` or `{ file = "PATH" }`; a path is relative to the file it stands in."""
    ((kind, name),) = form.items()
    name = _text(name, f"{what}: {kind}")
    if not place.secrets:
        return ""
    if kind == "env":
        if name not in place.environ:
            raise UsageError(f"{what} is to come from the environment, and {name} is not set.", f"Set {name}.")
        return place.environ[name]
    try:
        return (place.file.parent / Path(name).expanduser()).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text in UTF-8"
        raise UsageError(f"{what} is to come from {name}, which cannot be read: {reason}.", "Check the path.") from exc
