"""Owns how each library reads a value: why it refuses one, and the number that it makes of a text. Pure.

librdkafka   rd_kafka_anyconf_set_prop in src/rdkafka_conf.c
Java         ConfigDef.parseType and the validators of the definitions
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kdg.settings.definitions.table import Definition

_STRTOL = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_STRTOD = re.compile(r"\s*[+-]?(inf(inity)?|nan|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)", re.IGNORECASE)
_CONTROLS = "".join(map(chr, range(0x21)))
"""What String.trim of Java takes away."""
_CLASS = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)+")
_DURATION = re.compile(r"by_duration:P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?", re.IGNORECASE)


def refusal(library: str, own: Definition, value: str) -> str:
    """Why the library refuses the value, in its own terms; "" if it takes the value."""
    return _java(own, value.strip(_CONTROLS)) if library == "java" else _librdkafka(own, value)


def number(library: str, own: Definition | None, value: str) -> float:
    """The number that the library makes of a value; -1 if it makes none."""
    found = _java_number(own, value.strip(_CONTROLS)) if library == "java" else _librdkafka_number(own, value)
    return -1 if found is None else found


# ── librdkafka ──


def _librdkafka(own: Definition, value: str) -> str:
    if not value:
        empty = own.type in ("integer", "float", "boolean", "enum", "flags", "nonempty", "trimmed")
        return f"{own.name} cannot be empty" if empty else ""
    return _OF_LIBRDKAFKA.get(own.type, _anything)(own, value)


def _anything(_own: Definition, _value: str) -> str:
    return ""


def _boolean(own: Definition, value: str) -> str:
    taken = value.lower() in ("true", "t", "false", "f") or value in ("1", "0")
    return "" if taken else f"{own.name} takes true or false"


def _in_range(own: Definition, value: str) -> str:
    found = _librdkafka_number(own, value)
    if found is None:
        return f"{own.name} takes a number" + (f" or {', '.join(own.members)}" if own.members else "")
    if own.low is not None and own.high is not None and (found < own.low or found > own.high):
        return f"{own.name}={found:g} is outside of the range {own.range}"
    return ""


def _enum(own: Definition, value: str) -> str:
    """The library trims the blanks before a value and not those after it. Blanks alone change nothing."""
    parts = value.split(",") if own.type == "flags" else [value]
    members = [member.lower() for member in own.members] if own.folds else list(own.members)
    for part in parts:
        plain = part.strip().removeprefix("+").removeprefix("-") if own.type == "flags" else part.lstrip()
        if plain and (plain.lower() if own.folds else plain) not in members:
            return f"{own.name} takes {', '.join(own.members)}"
    return ""


def _list(own: Definition, value: str) -> str:
    unknown = [name for name in value.split(",") if name.strip() and name.lstrip() not in own.members]
    return f"{own.name} takes {', '.join(own.members)}" if unknown else ""


_OF_LIBRDKAFKA: dict[str, Callable[[Definition, str], str]] = {
    "boolean": _boolean,
    "integer": _in_range,
    "float": _in_range,
    "enum": _enum,
    "flags": _enum,
    "exact": lambda own, value: "" if value in own.members else f"{own.name} takes {', '.join(own.members)}",
    "trimmed": lambda own, value: "" if value.lstrip() in own.members else f"{own.name} takes {', '.join(own.members)}",
    "list": _list,
}


def _librdkafka_number(own: Definition | None, value: str) -> float | None:
    if own is not None and own.type == "float":
        found = _STRTOD.match(value)
        return float(found[0]) if found else None
    found = _STRTOL.match(value)
    if found is None:
        named = own is not None and value.lower() in own.members
        return -1 if named else None  # acks=all
    digits = found[2]
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    if octal:
        digits = re.match(r"0[0-7]*", digits)[0]  # type: ignore[index]
    whole = int(digits, 16 if digits[:2].lower() == "0x" else 8 if octal else 10)
    whole = max(-(2**63), min(2**63 - 1, -whole if found[1] == "-" else whole))
    return (whole + 2**31) % 2**32 - 2**31  # a cast to int


# ── Java ──


def _java(own: Definition, value: str) -> str:
    return _OF_JAVA.get(own.type, _anything)(own, value)


def _java_boolean(own: Definition, value: str) -> str:
    return "" if value.lower() in ("true", "false") else f"{own.name} takes true or false"


def _java_range(own: Definition, value: str) -> str:
    found = _java_number(own, value)
    if found is None:
        return f"{own.name} takes a {'whole number' if own.type == 'integer' else 'number'}"
    outside = own.low is not None and own.high is not None and not own.low <= found <= own.high
    return f"{own.name}={value} is outside of the range {own.range}" if outside and value not in own.members else ""


def _java_enum(own: Definition, value: str) -> str:
    members = [member.lower() for member in own.members] if own.folds else list(own.members)
    if (value.lower() if own.folds else value) in members:
        return ""
    if any(member.startswith("by_duration") for member in members) and _DURATION.fullmatch(value):
        return ""
    return f"{own.name} takes {', '.join(own.members)}{'' if own.folds else ', in this spelling'}"


def _java_class(own: Definition, value: str) -> str:
    return "" if _CLASS.fullmatch(value) else f"{own.name} takes the name of a Java class"


def _java_list(own: Definition, value: str) -> str:
    names = [name.strip() for name in value.split(",")] if value else []
    if len(set(names)) < len(names):
        return f"{own.name} names one entry twice"
    if "" in names:
        return f"{own.name} has an empty entry"
    if own.name == "partition.assignment.strategy" and not all(map(_CLASS.fullmatch, names)):
        return f"{own.name} takes the names of Java classes, such as {(own.default or '').split(',')[-1]}"
    return ""


def _nonempty(own: Definition, value: str) -> str:
    return "" if value else f"{own.name} cannot be empty"


_OF_JAVA: dict[str, Callable[[Definition, str], str]] = {
    "boolean": _java_boolean,
    "integer": _java_range,
    "float": _java_range,
    "enum": _java_enum,
    "class": _java_class,
    "list": _java_list,
    "nonempty": _nonempty,
}


def _java_number(own: Definition | None, value: str) -> float | None:
    if own is None or own.type == "integer":
        return int(value) if re.fullmatch(r"[+-]?[0-9]+", value) else None
    try:
        return float(value)
    except ValueError:
        return None
