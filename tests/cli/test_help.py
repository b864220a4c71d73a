"""What `--help` shows, and what a start loads to show it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from kdg.cli.app import make_app
from kdg.cli.commands import COMMANDS

from .conftest import Kdg


@pytest.mark.parametrize(
    "command", [[], ["produce"], ["consume"], ["pipe"], ["explain"], ["verify"], ["sandbox"]], ids=str
)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_on_stdout(kdg: Kdg, command: list[str], flag: str) -> None:
    code, out, err = kdg(*command, flag)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: kdg" if not command else f"Usage: kdg {command[0]}")


def test_the_four_commands_lead_the_help(kdg: Kdg) -> None:
    _code, out, _err = kdg("--help")
    places = [
        out.index(f"\n  {command} ") for command in ("produce", "consume", "pipe", "explain", "verify", "sandbox")
    ]
    assert places == sorted(places)


def test_nothing_typed_is_answered_with_help(kdg: Kdg) -> None:
    code, out, err = kdg()
    assert (code, err) == (0, "")
    assert out.startswith("Usage: kdg")


def test_the_version_is_printed(kdg: Kdg) -> None:
    code, out, _err = kdg("--version")
    assert code == 0
    assert out.startswith("kdg ")


def loaded(*argv: str) -> set[str]:
    """The modules that a command line has loaded when it is done."""
    code = "import sys\nfrom kdg.cli.app import run\nrun(sys.argv[1:])\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_a_command_loads_itself_and_no_other() -> None:
    commands = {f"kdg.cli.commands.{name}" for name in COMMANDS}
    assert loaded("--help") & commands == set()
    assert loaded("explain", "eos") & commands == {"kdg.cli.commands.explain"}
    assert loaded("explain", "eos") & {"confluent_kafka", "rich", "pydantic"} == set()
    sending = loaded("produce", "t", "--dry-run", "-b", "h:1")
    assert "confluent_kafka" in sending


def test_help_is_the_same_whether_or_not_the_commands_are_loaded(kdg: Kdg) -> None:
    whole = get_command(make_app())
    assert kdg("--help")[1] == whole.get_help(whole.context_class(whole, info_name="kdg")) + "\n"
    assert list(COMMANDS) == [command.name for command in make_app().registered_commands]
