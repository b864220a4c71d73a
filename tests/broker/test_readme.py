"""The README against a real broker: every command in it is run, in order, and shows the output that the README has."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from tests import docs
from tests.support.kafka import Kafka
from tests.support.processes import KDG

README = Path(__file__).parents[2] / "README.md"


def test_every_command_shows_what_the_readme_says(tmp_path: Path) -> None:
    """One shell and one cluster for all blocks, as for a reader: a block finds what the blocks before it have left."""
    text = README.read_text(encoding="utf-8")
    with docs.cluster() as bootstrap:
        outputs = docs.perform(docs.commands(text), bootstrap, tmp_path)
    shown = docs.transcript(docs.replay(text, outputs))
    assert docs.normalised(shown) == docs.normalised(docs.transcript(text))


def test_recipe_for_ci_fails_on_a_missing_record(kafka: Kafka, tmp_path: Path) -> None:
    """The recipe for CI passes, and fails when a record is missing."""
    found = docs.RECIPE.search(README.read_text(encoding="utf-8"))
    assert found is not None
    for name in ("orders", "billing"):
        kafka.topic(4, name=f"ci-{name}")
    script = (
        re.sub(r"\b(orders|billing)\b", r"ci-\1", found[1])
        .replace("seq 1000", "seq 200")
        .replace("-eq 1000", "-eq 200")
    )
    path = f"{Path(KDG).parent}{os.pathsep}{os.environ['PATH']}"

    def run(text: str) -> int:
        return subprocess.run(
            ["sh", "-c", text],
            env=kafka.environment({"PATH": path}),
            cwd=tmp_path,
            capture_output=True,
            timeout=120,
            check=False,
        ).returncode

    assert run(script) == 0
    assert run(script) != 0  # sent a second time, all is there twice


def test_the_commands_of_the_migration_table_are_understood(kafka: Kafka) -> None:
    """Each command in the last column can be parsed and resolved (--dry-run)."""
    _, _, after = README.read_text(encoding="utf-8").partition("## Coming from kcat")
    rows = [line.split(" | ")[-1] for line in after.partition("\n## ")[0].splitlines() if line.startswith("| ")][2:]
    typed = [command for row in rows for command in re.findall(r"`(kdg [^`]+)`", row)]
    assert len(typed) >= 8
    for command in typed:
        done = kafka.kdg(*shlex.split(command)[1:], "--dry-run")
        assert done.code == 0, (command, done.err)
