"""The README says what the code does: generated parts are fresh, all is mentioned, and no machine is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from kdg.cli.app import make_app
from kdg.core.guarantees import GUARANTEES, Role
from kdg.runs.plan import plan_of
from kdg.runs.report import Outcome, as_report
from kdg.settings import files
from kdg.settings.options.common import Common
from kdg.settings.resolve import known_overrides
from kdg.verify.result import Result
from kdg.verify.verdict import Verdict
from tests import docs

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SCRIPT = ROOT / "tests" / "docs.py"

BLOCK = "before\n<!-- generated: exit codes -->\n{body}<!-- end -->\nafter\n"
CONSOLE = "```console\n$ echo one\none\n$ false\n```\ntext\n```console\n$ echo two; echo three\nold\n```\n"


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


def project_files() -> Iterator[Path]:
    """Every file of the project. This works without git, too."""
    for name in ("README.md", "LICENSE", "Makefile", "pyproject.toml", ".gitignore"):
        yield ROOT / name
    for name in (".ci", "kdg", "tests"):
        yield from (f for f in (ROOT / name).rglob("*") if f.is_file() and "__pycache__" not in f.parts)


# ── the README ──


def test_the_generated_blocks_are_what_the_code_makes_now(readme: str) -> None:
    assert docs.stale(readme) == []


def test_help_looks_the_same_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = docs.help_of("produce")
    for name, value in {"COLUMNS": "200", "TERM": "dumb", "FORCE_COLOR": "1", "KDG_BROKERS": "h:1"}.items():
        monkeypatch.setenv(name, value)
    assert docs.help_of("produce") == expected
    assert os.environ["COLUMNS"] == "200"
    assert max(map(len, expected.splitlines())) <= 80


def test_every_command_is_mentioned_with_every_option(readme: str) -> None:
    group = typer.main.get_command(make_app())
    assert isinstance(group, typer.core.TyperGroup)
    assert set(group.commands) == set(docs.COMMANDS)
    for name, command in group.commands.items():
        assert f"### kdg {name}\n" in readme
        _, _, after = readme.partition(f"<!-- generated: help {name} -->\n")
        block, _, _ = after.partition("<!-- end -->")
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert [o for o in options if o.startswith("-") and not re.search(rf"(?<![\w-]){o}(?![\w-])", block)] == []


def test_no_option_is_described_that_does_not_exist(readme: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", docs.handwritten(readme)))
    helps = "".join(docs.help_of(*c) for c in [(), *((c,) for c in docs.COMMANDS)])
    known = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", helps))
    of_the_docs = {"--transcripts"}
    of_mypy = {"--strict"}
    of_the_console_tools = {
        "--reader-property",
        "--formatter-property",
        "--command-property",
        "--command-config",
        "--from-beginning",
        "--timeout-ms",
    }
    assert named - known - of_the_docs - of_mypy - of_the_console_tools == set()


def test_every_field_of_the_report_is_described(readme: str) -> None:
    fields = as_report(Outcome(plan_of("produce", [Role.PRODUCER], Common())))
    _, _, section = readme.partition("\n## --report\n")
    table = "".join(line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `"))
    described = [name for cell in re.findall(r"\| (`.*?) \|", table) for name in re.findall(r"`(\w+)`", cell)]
    assert set(fields) <= set(described)
    assert json.dumps(fields)


def test_every_field_of_verifys_report_is_described(readme: str) -> None:
    result = Result(GUARANTEES[0].name, "range", 1, 0, 1.0, {}, {}, 0)
    section = readme.partition("\n### kdg verify\n")[2].partition("\n### ")[0]
    assert [field for field in Verdict(GUARANTEES[0], result).as_json() if f"`{field}`" not in section] == []


def test_every_configuration_in_the_readme_is_one(readme: str, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert blocks
    (tmp_path / "key-password.txt").write_text("x")
    for block in blocks:
        file = tmp_path / "config.toml"
        file.write_text(block)
        for profile in (None, *re.findall(r"^\[profiles\.(\w+)\]", block, re.MULTILINE)):
            found = files.load(str(file), profile, {"KAFKA_PASSWORD": "x"})
            known_overrides(found.layers, Role)


def test_every_link_within_the_readme_leads_somewhere(readme: str) -> None:
    headings = re.findall(r"^#+ (.+)$", docs.handwritten(readme), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", readme)) <= anchors


def test_picture_shows_the_first_screen(readme: str) -> None:
    """The first screen has the two commands, a transcript and the table."""
    first = readme.partition("\n## ")[0]
    parts = ("# kdg\n", "make demo", "make test", "```console\n", "<!-- generated: guarantees -->")
    places = [first.index(part) for part in parts]
    assert places == sorted(places)


def test_the_picture_is_that_of_the_first_transcript(readme: str) -> None:
    drawn = docs.PICTURE.read_text(encoding="utf-8")
    assert drawn == docs.picture(readme)
    assert f"({docs.PICTURE.relative_to(ROOT)})" in readme
    assert "http" not in drawn.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
        "https://www.textualize.io", ""
    )


# ── tests/docs.py ──


def run_docs(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run tests/docs.py as the Makefile does, in the project's folder."""
    return subprocess.run(
        [sys.executable, SCRIPT, *args], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_check_names_the_stale_block_and_writing_fixes_it(tmp_path: Path, readme: str) -> None:
    page, fresh = tmp_path / "page.md", docs.generate(readme)
    page.write_text(fresh.replace("| exit | `outcome` |", "| code | `outcome` |"), encoding="utf-8")
    checked = run_docs("--check", page)
    assert checked.returncode == 1
    assert checked.stderr == f"{page}: the generated block 'exit codes' is stale or missing; `make docs` writes it\n"
    assert run_docs(page).returncode == 0
    assert page.read_text(encoding="utf-8") == fresh
    assert run_docs("--check", page).returncode == 0


def test_a_block_is_replaced_and_what_stands_around_it_stays() -> None:
    made = docs.generate(BLOCK.format(body="old\n"))
    assert made.startswith("before\n<!-- generated: exit codes -->\n\n| exit |")
    assert made.endswith("|\n\n<!-- end -->\nafter\n")
    assert docs.generate(made) == made


def test_a_missing_block_and_an_unknown_one_are_stale() -> None:
    made = docs.generate(BLOCK.format(body=""))
    assert docs.stale(made) == [name for name in docs.BLOCKS if name != "exit codes"]
    assert "nonsense" in docs.stale("<!-- generated: nonsense -->\n<!-- end -->\n")
    with pytest.raises(KeyError):
        docs.generate("<!-- generated: nonsense -->\n<!-- end -->\n")


def test_transcript_commands_share_one_shell(tmp_path: Path) -> None:
    """The commands run in one shell, and each output is put below its command."""
    typed = ["echo one", "false", "echo $? > status; echo two >&2", "cat status; ls; echo $KDG_BROKERS"]
    assert docs.perform(typed, "host:1", tmp_path) == ["one\n", "", "two\n", "1\nstatus\nhost:1\n"]


def test_a_killed_command_is_shown_as_a_terminal_shows_it(tmp_path: Path) -> None:
    assert docs.perform(["sh -c 'kill -9 $$'", "echo $?"], "", tmp_path) == ["Killed\n", "137\n"]


def test_a_shell_that_ends_early_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended after 1 of 3 commands"):
        docs.perform(["true", "exit 1", "true"], "", tmp_path)


def test_outputs_replace_what_the_console_blocks_show() -> None:
    assert docs.commands(CONSOLE) == ["echo one", "false", "echo two; echo three"]
    made = docs.replay(CONSOLE, ["one\n", "", "two\nthree\n"])
    assert made == CONSOLE.replace("old\n", "two\nthree\n")
    assert docs.transcript(made) == "$ echo one\none\n$ false\n$ echo two; echo three\ntwo\nthree\n"


def test_only_what_differs_from_run_to_run_is_taken_out() -> None:
    one = 'read 3, wrote 3 to b, 2 transactions; o[0] at 6; 14.7 s\n{"timestamp":1795468881839,"seconds": 0.5}\n'
    other = 'read 3, wrote 3 to b, 1 transaction; o[0] at 6; 0.3 s\n{"timestamp":1,"seconds": 14.25}\n'
    assert docs.normalised(one) == docs.normalised(other)
    for changed in (one.replace("wrote 3", "wrote 4"), one.replace("at 6", "at 7"), one.replace("to b", "to c")):
        assert docs.normalised(changed) != docs.normalised(one)
    assert docs.normalised("5 records to o, 1 transaction, 1.0 s") == "5 records to o, 1 transaction, N s"


# ── no trace of a machine ──


def test_no_file_names_a_package_registry() -> None:
    """The user configures where packages come from; no file of the project does."""
    well_known = re.compile(r"pypi\.org|pythonhosted\.org|maven\.org|maven\.apache\.org")
    one_of_them = re.compile(r"pypi|maven|mirror|nexus|artifactory|registry|packages|index", re.IGNORECASE)
    for file in project_files():
        text = file.read_text(encoding="utf-8")
        assert well_known.findall(text) == [], file
        hosts = set(re.findall(r"\bhttps?://([\w.-]+)", text))
        assert [host for host in hosts if one_of_them.search(host) and not host.endswith(".example")] == [], file


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    of_a_machine = re.compile(r"(?<![\w.$}~-])/(?:home|Users|root|work)/\w")
    for file in project_files():
        text = file.read_text(encoding="utf-8")
        assert of_a_machine.findall(text) == [], file
        assert str(ROOT) not in text, file
