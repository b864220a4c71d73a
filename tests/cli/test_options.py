"""Each option, tried from its description: help, refusals, origins; and the options of the contract, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from kdg.cli.app import make_app
from kdg.cli.options import COMPLETIONS
from kdg.core.guarantees import DEFAULT, GUARANTEES, Guarantee
from kdg.settings.librdkafka import KNOWN
from kdg.settings.options.asking import CheckOptions, ExplainOptions
from kdg.settings.options.common import Common
from kdg.settings.options.limited import flags_under
from kdg.settings.options.option import Option, given, options_of
from kdg.settings.options.reading import Deduplication, Output, OutputFraming, PartitionReading, Reading
from kdg.settings.options.sandboxing import SandboxOptions
from kdg.settings.options.sending import Copying, Delivery, Filtering, InputFraming, Placing
from kdg.settings.options.verifying import VerifyOptions

from .answers import ARGUMENTS, refused, settings_of
from .conftest import Kdg

GROUPS: dict[str, tuple[type, ...]] = {
    "produce": (Common, Delivery, InputFraming, Placing),
    "consume": (Common, PartitionReading, Output, Deduplication, OutputFraming),
    "pipe": (Common, Reading, Copying, Filtering, Deduplication),
    "explain": (ExplainOptions,),
    "check": (CheckOptions,),
    "verify": (VerifyOptions,),
    "sandbox": (SandboxOptions,),
}
"""The groups of each command, in the order of its help."""

COMMON = (
    "-g/--guarantee -b/--brokers -X -F/--config --profile --strict --dry-run --report -q/--quiet -v/--verbose "
    "--progress/--no-progress --timeout --batch-records --batch-interval --crash-at"
)
READING = "-G/--group -o/--offset -c/--count -e/--exit-at-end --until --idle-timeout"
DEDUPLICATION = "--dedup-by --dedup-store --dedup-ttl"
CONTRACT = {
    "produce": f"{COMMON} --acks --resume --restart --transactional-id --undelivered --allow-unterminated "
    "-D/--delimiter -K/--key-delimiter -k/--key -H/--header -Z/--null -J/--json --key-encoding --value-encoding "
    "-p/--partition --keep-partition --partitioner -z/--compression -c/--count",
    "consume": f"{COMMON} {READING} -p/--partition --output --sqlite --table --retry {DEDUPLICATION} -D/--delimiter "
    "-K/--key-delimiter -J/--json -f/--format -Z/--null --key-encoding --value-encoding",
    "pipe": f"{COMMON} {READING} --transactional-id --acks -z/--compression --keep-partition --lines --ok-exit "
    f"{DEDUPLICATION}",
    "explain": "--client --program --format",
    "check": "-g/--guarantee -F/--config --profile -X --topic -b/--brokers --client --role --format",
    "verify": "-g/--guarantee --records --workers --faults --for --brokers --seed --junit --on-this-cluster -b --cost "
    "-v/--verbose -X -F/--config --profile --report -q/--quiet",
    "sandbox": "--brokers --topic --security -q/--quiet",
}
"""The options that users and scripts rely on, written out here a second time: a name that changes is noticed."""

ONLY_UNDER = {
    "at-most-once": "",
    "at-least-once": f"--acks --retry --undelivered {DEDUPLICATION}",
    "exactly-once": "--allow-unterminated --resume --restart --transactional-id",
}
SETS = {
    "-b": "bootstrap.servers",
    "-G": "group.id",
    "-z": "compression.type",
    "--acks": "acks",
    "--partitioner": "partitioner",
    "--transactional-id": "transactional.id",
}

VALUES = {"all|leader": "all", "WHAT": "key", "DURATION": "5d", "N": "3", "CODEC": "zstd", "NAME": "murmur2"}
"""A value for each metavar that does not take any word."""

NEEDS = {
    "--restart": ["--resume", "name"],
    "--dedup-store": ["--dedup-by", "key"],
    "--dedup-ttl": ["--dedup-by", "key"],
    "--retry": ["--", "cat"],
}
"""What else has to be typed for an option to mean something."""


def options() -> Iterator[tuple[str, Option]]:
    """Every command with each of its options."""
    for command, groups in GROUPS.items():
        yield from ((command, option) for group in groups for option in options_of(group).values())


EVERY = [pytest.param(command, option, id=f"{command} {option.name}") for command, option in options()]
LIMITED = [
    pytest.param(command, option, guarantee, id=f"{command} {option.name} {guarantee.name}")
    for command, option in options()
    if option.only_under
    for guarantee in GUARANTEES
]
VALUED = [
    pytest.param(command, option, id=f"{command} {option.name}")
    for command, option in options()
    if option.metavar and not option.empty
]
SETTING = [pytest.param(command, option, id=f"{command} {option.name}") for command, option in options() if option.sets]


def typed(option: Option) -> list[str]:
    """The option, with a value if it takes one."""
    return [option.names[-1], *([VALUES.get(option.metavar, "word")] if option.metavar else [])]


def squeezed(text: str) -> str:
    """The text without white space: help is wrapped, also at hyphens."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(("command", "option"), EVERY)
def test_help_shows_names_value_and_text(kdg: Kdg, command: str, option: Option) -> None:
    shown = f"{','.join(option.names)}{option.metavar}{option.help}"
    assert squeezed(shown) in squeezed(kdg(command, "--help")[1])


@pytest.mark.parametrize("command", GROUPS)
def test_help_shows_the_options_of_the_groups_in_their_order(command: str) -> None:
    """Every option of a command comes from a description, in the order of the groups and their fields."""
    whole: Any = get_command(make_app())
    shown = [param for param in whole.commands[command].params if param.param_type_name == "option"]
    names = ["/".join((*param.opts, *param.secondary_opts)) for param in shown]
    described = ["/".join(option.names) for name, option in options() if name == command]
    assert names == [*described, "--help/-h"]


@pytest.mark.parametrize("command", GROUPS)
def test_the_contract_is_kept(command: str) -> None:
    """Every option that users rely on exists, with its short form, and there is no other."""
    assert ["/".join(option.names) for name, option in options() if name == command] == CONTRACT[command].split()


def test_the_contract_says_which_guarantee_has_an_option() -> None:
    for guarantee in GUARANTEES:
        limited = {option.name for _command, option in options() if guarantee in option.only_under}
        assert limited == set(ONLY_UNDER[guarantee.name].split())


def test_the_contract_says_which_property_an_option_sets() -> None:
    found = {option.name: option.sets for command, option in options() if option.sets and command in ARGUMENTS}
    assert found == SETS


@pytest.mark.parametrize(("command", "option"), EVERY)
def test_a_description_is_sound(command: str, option: Option) -> None:
    assert option.summary.endswith(".")
    assert option.summary[0].islower() == bool(option.only_under), "it follows `exactly-once only: `"
    assert not option.sets or option.sets in KNOWN
    assert not option.completes or option.completes in COMPLETIONS
    assert option.name.startswith("-")


@pytest.mark.parametrize(("command", "option", "guarantee"), LIMITED)
def test_an_option_is_for_its_guarantees_alone(
    kdg: Kdg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, option: Option, guarantee: Guarantee
) -> None:
    """Under its own guarantees it is accepted; under every other one it is exit 2, and the message names its own."""
    monkeypatch.chdir(tmp_path)
    argv = [command, *ARGUMENTS[command], "-g", guarantee.name, "--dry-run", *typed(option)]
    if guarantee in option.only_under:
        code, _out, err = kdg(*argv, *NEEDS.get(option.name, []))
        assert (code, err) == (0, "")
    else:
        homes = [home.name for home in option.only_under]
        refused(kdg(*argv), f"{option.name} means nothing under {guarantee.name}", *homes)


@pytest.mark.parametrize(("command", "option"), SETTING)
def test_an_option_sets_its_property(kdg: Kdg, command: str, option: Option) -> None:
    """--dry-run shows the property with the value, and the option as its origin."""
    guarantee = option.only_under[0] if option.only_under else DEFAULT
    argv = [command, *ARGUMENTS[command], "-g", guarantee.name, "--dry-run", *typed(option)]
    code, out, err = kdg(*argv)
    assert (code, err) == (0, "")
    assert settings_of(out)[option.sets] == (typed(option)[1], option.name)


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
def test_explain_knows_the_options_of_each_guarantee(kdg: Kdg, guarantee: Guarantee) -> None:
    described = {option.name for _command, option in options() if guarantee in option.only_under}
    assert set(flags_under(guarantee)) == described
    page = kdg("explain", guarantee.name)[1]
    assert [flag for flag in described if flag not in page] == []


def test_what_was_typed_is_what_differs_from_the_default() -> None:
    assert list(given([Common(), Reading(), Delivery(), InputFraming()])) == []
    found = {option.name: value for option, value in given([Reading(group="", count=3), Delivery(restart=True)])}
    assert found == {"-G": "", "-c": 3, "--restart": True}


@pytest.mark.parametrize(("command", "option"), VALUED)
def test_an_empty_value_is_not_an_absent_option(kdg: Kdg, command: str, option: Option) -> None:
    """A variable of the shell that is not set: with `--output "$FILE"`, records would go to stdout and be committed."""
    refused(kdg(command, *ARGUMENTS.get(command, []), option.names[-1], ""), option.name)


@pytest.mark.parametrize(("argv", "name"), [(["consume", ""], "TOPIC"), (["pipe", "a", "", "-G", "g"], "TARGET"),
    (["produce", "t", ""], "FILE"), (["explain", ""], "NAME"), (["consume", "t", "", "-G", "g"], "TOPIC")])  # fmt: skip
def test_an_empty_argument_is_refused(kdg: Kdg, argv: list[str], name: str) -> None:
    refused(kdg(*argv), name)


def test_an_empty_key_and_empty_words_of_cmd_are_taken(kdg: Kdg) -> None:
    assert {option.name for _command, option in options() if option.empty} == {"-k"}
    assert kdg("produce", "t", "-k", "", "--dry-run")[0] == 0
    assert kdg("pipe", "t", "u", "-G", "g", "--dry-run", "--", "grep", "")[0] == 0
