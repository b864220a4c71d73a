"""The README against a real broker: every command in it is typed, in order, and shows what the README says it shows."""

from __future__ import annotations

from pathlib import Path

from tests import docs

README = Path(__file__).parents[2] / "README.md"


def test_every_command_shows_what_the_readme_says(tmp_path: Path) -> None:
    """One shell, one cluster of its own: what one block leaves behind the next one meets, as for a reader."""
    text = README.read_text(encoding="utf-8")
    with docs.cluster() as bootstrap:
        outputs = docs.perform(docs.commands(text), bootstrap, tmp_path)
    shown = docs.transcript(docs.replay(text, outputs))
    assert docs.normalised(shown) == docs.normalised(docs.transcript(text))
