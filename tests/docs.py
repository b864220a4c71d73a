"""Owns what is generated in the README: blocks made from the code, and transcripts of commands that are run.

    python tests/docs.py README.md                 write the generated blocks again
    python tests/docs.py --check README.md         exit 1 and name each block that is stale; no broker
    python tests/docs.py --transcripts README.md   run every console block on a real broker and write what it showed

A generated block stands between `<!-- generated: NAME -->` and `<!-- end -->`. A transcript is a ```console block: a
line that begins with `$ ` is a command, what follows is its output. tests/broker/test_readme.py runs them all.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

RECIPE = re.compile(r"with `delivery-test.sh`:\n\n```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""The script of the CI job; tests/broker/test_readme.py runs it."""

COMMANDS = ("produce", "consume", "pipe", "explain", "check", "verify", "sandbox")

# The cluster that the README tells its readers to start: it meets the requirements of every guarantee.
BROKERS = 3
TOPICS = (("orders", 1), ("billing", 1))

_GENERATED = re.compile(
    r"(?P<open><!-- generated: (?P<name>[\w .-]+) -->\n)(?P<body>.*?)(?P<close><!-- end -->)", re.DOTALL
)
_CONSOLE = re.compile(r"(?P<open>^```console\n)(?P<body>.*?)(?P<close>^```$)", re.DOTALL | re.MULTILINE)
_PROMPT = "$ "
_MARK = "--- end of a README command ---"

# ── generated blocks ──


def guarantees() -> str:
    """What each guarantee may lose or duplicate, what its commands do, what it requires."""
    from kdg.explain import table_markdown

    return table_markdown()


def exit_codes() -> str:
    """Each exit code with its meaning and what to do."""
    from kdg.errors import EXIT_CODES

    rows = [f"| {row.code} | {row.outcome} | {row.meaning} | {row.advice} |" for row in EXIT_CODES]
    return "\n".join(["| exit | `outcome` | meaning | what to do |", "| --- | --- | --- | --- |", *rows]) + "\n"


def crash_steps() -> str:
    """The steps that `--crash-at` takes, by guarantee."""
    from kdg.core.guarantees import GUARANTEES

    rows = [f"| {row.name} | {', '.join(f'`{step.value}`' for step in row.steps)} |" for row in GUARANTEES]
    return "\n".join(["| guarantee | steps in their order |", "| --- | --- |", *rows]) + "\n"


def the_map() -> str:
    """The packages, from the command line down, as the docstring of kdg has them."""
    import kdg

    listed = (kdg.__doc__ or "").partition("Words.")[0]
    rows = re.findall(r"^    ([a-z]+)  +(\S.*)$", listed, re.MULTILINE)
    return "\n".join(["| package | what it owns |", "| --- | --- |", *(f"| `kdg/{n}` | {t} |" for n, t in rows)]) + "\n"


def torture() -> str:
    """The results of the last `make torture`."""
    return Path(__file__).with_name("torture").joinpath("last.md").read_text(encoding="utf-8")


def bench() -> str:
    """The results of the last `make bench`."""
    return Path(__file__).with_name("bench").joinpath("last.md").read_text(encoding="utf-8")


def help_of(*command: str) -> str:
    """The output of `kdg COMMAND --help` in 80 columns, without a broker, on any terminal."""
    from kdg.cli.app import run

    printed = io.StringIO()
    with mock.patch.dict(os.environ, {"COLUMNS": "80"}), contextlib.redirect_stdout(printed):
        code = run([*command, "--help"])
    if code != 0:
        raise RuntimeError(f"kdg {' '.join(command)} --help ended with {code}")
    return f"```text\n{printed.getvalue().strip()}\n```\n"


def _help_block(command: str) -> Callable[[], str]:
    return lambda: help_of(command)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "guarantees": guarantees,
    "exit codes": exit_codes,
    "crash steps": crash_steps,
    "torture": torture,
    "bench": bench,
    "map": the_map,
    "help": help_of,
    **{f"help {command}": _help_block(command) for command in COMMANDS},
}


def generate(text: str) -> str:
    """The text with every generated block as the code has it now. Raises KeyError for a block that nothing makes."""
    return _GENERATED.sub(lambda found: found["open"] + _body(found["name"]) + found["close"], text)


def _body(name: str) -> str:
    """The block with an empty line on each side, because Markdown reads the comments as blocks."""
    return f"\n{BLOCKS[name]()}\n"


def stale(text: str) -> list[str]:
    """The names of the blocks that are not what the code makes now, and of those that are missing."""
    found = {block["name"]: block["body"] for block in _GENERATED.finditer(text)}
    names = dict.fromkeys([*BLOCKS, *found])
    return [name for name in names if name not in BLOCKS or found.get(name) != _body(name)]


def handwritten(text: str) -> str:
    """The text without its generated blocks."""
    return _GENERATED.sub("", text)


# ── transcripts ──


def commands(text: str) -> list[str]:
    """Every command of the console blocks, in order."""
    lines = (line for block in _CONSOLE.finditer(text) for line in block["body"].splitlines())
    return [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]


def transcript(text: str) -> str:
    """All console blocks in one piece."""
    return "".join(block["body"] for block in _CONSOLE.finditer(text))


def perform(typed: Sequence[str], bootstrap: str, folder: Path) -> list[str]:
    """Type the commands into one shell, in a folder of their own, and give back what each showed.

    stdout and stderr are one file, so that the lines are in the order in which they were written, as on a terminal.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KDG_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "".join(f"{line}\nkdg_readme=$?; echo '{_MARK}'; (exit $kdg_readme)\n" for line in typed)
    with tempfile.TemporaryFile("w+b") as shown:
        subprocess.run(
            ["sh", "-c", script],
            cwd=folder,
            env={**kept, "PATH": path, "KDG_BROKERS": bootstrap, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=shown,
            stderr=subprocess.STDOUT,
            timeout=240,
            check=False,
        )
        shown.seek(0)
        outputs = shown.read().decode().split(f"{_MARK}\n")
    if len(outputs) != len(typed) + 1:
        raise RuntimeError(f"the shell ended after {len(outputs) - 1} of {len(typed)} commands: {outputs[-1]}")
    return [_as_a_terminal_says(output) for output in outputs[:-1]]


def _as_a_terminal_says(output: str) -> str:
    """The output without the words that shells add about a job that was killed."""
    killed = signal.strsignal(signal.SIGKILL) or "Killed"
    return re.sub(rf"^.*\b{killed}\b.*$", "Killed", output, flags=re.MULTILINE)


def replay(text: str, outputs: Sequence[str]) -> str:
    """The text with these outputs in its console blocks."""
    left = iter(outputs)

    def block(found: re.Match[str]) -> str:
        typed = [line for line in found["body"].splitlines() if line.startswith(_PROMPT)]
        return found["open"] + "".join(f"{line}\n{_whole(next(left))}" for line in typed) + found["close"]

    return _CONSOLE.sub(block, text)


def _whole(output: str) -> str:
    return output if output.endswith("\n") or not output else output + "\n"


def normalised(text: str) -> str:
    """Without what differs from run to run: times, timestamps, and how many transactions 50 ms of nothing new make."""
    text = re.sub(r"\b\d+\.\d s\b|(?<=waiting for )\d+ s\b", "N s", text)
    text = re.sub(r'"(timestamp|seconds)": ?\d+(\.\d+)?', r'"\1":N', text)
    return re.sub(r"(read \d+(?: records?)?, wrote \d+ to \S+), \d+ transactions?", r"\1, N transactions", text)


PICTURE = Path(__file__).with_name("run.svg")
"""The first transcript as a picture; the README shows it."""


def picture(text: str) -> str:
    """The README's first console block, which a real run wrote, as an SVG: commands bright, notes of kdg dim."""
    from rich.console import Console
    from rich.text import Text

    first = _CONSOLE.search(text)
    lines = [] if first is None else first["body"].splitlines()
    console = Console(record=True, width=max(map(len, lines), default=80), file=io.StringIO(), force_terminal=True)
    for line in lines:
        style = "bold green" if line.startswith(_PROMPT) else "" if line.isdigit() else "cyan"
        console.print(Text(line, style=style))
    # Fonts of the reader's own: nothing is loaded from elsewhere.
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="kdg", unique_id="kdg"), flags=re.DOTALL)


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """The address of what `kdg sandbox --brokers 3 --topic orders --topic billing` starts."""
    from kdg.kafka.admin import make_topics
    from kdg.sandbox import Sandbox

    with Sandbox(BROKERS) as sandbox:
        make_topics(sandbox.bootstrap, TOPICS)
        yield sandbox.bootstrap


# ── the command ──


def main(argv: Sequence[str]) -> int:
    """Write or check the file. The exit code is 0 if the file is what the code makes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="only compare; exit 1 names what is stale")
    what.add_argument("--transcripts", action="store_true", help="also run the console blocks, on a real broker")
    asked = parser.parse_args(argv)
    text = asked.file.read_text(encoding="utf-8")
    if asked.check:
        return _check(asked.file, text)
    text = generate(text)
    if asked.transcripts:
        with cluster() as bootstrap, tempfile.TemporaryDirectory() as folder:
            text = replay(text, perform(commands(text), bootstrap, Path(folder)))
    asked.file.write_text(text, encoding="utf-8")
    PICTURE.write_text(picture(text), encoding="utf-8") if asked.file.name == "README.md" else None
    return 0


def _check(file: Path, text: str) -> int:
    names = stale(text)
    for name in names:
        sys.stderr.write(f"{file}: the generated block {name!r} is stale or missing; `make docs` writes it\n")
    old = file.name == "README.md" and PICTURE.read_text(encoding="utf-8") != picture(text)
    if old:
        sys.stderr.write(f"{PICTURE}: the picture is not that of the first transcript; `make docs` draws it again\n")
    return 1 if names or old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
