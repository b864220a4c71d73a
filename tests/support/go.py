"""Owns building a Go program of the tests, with the module whose version and hash are in tests/dialects/go."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

from kdg.runtime.folders import cache_folder
from kdg.sandbox.jars import sha256

MODULE = Path(__file__).parents[1] / "dialects" / "go"


def go(source: Path) -> list[str]:
    """The command line that runs a program; it is built if necessary, and kept in the cache."""
    return [str(_built(source))]


@functools.cache
def _built(source: Path) -> Path:
    if shutil.which("go") is None:
        raise FileNotFoundError("Go is not installed, which these tests need: install it, or choose other clients.")
    folder = cache_folder() / "go" / f"{source.stem}-{sha256(source)[:8]}-{sha256(MODULE / 'go.sum')[:8]}"
    program = folder / "copy"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for file in (*MODULE.iterdir(), source):
            shutil.copy(file, folder)
        subprocess.run(["go", "vet", "."], cwd=folder, check=True)
        subprocess.run(["go", "build", "-o", program.name, "."], cwd=folder, check=True)
    return program
