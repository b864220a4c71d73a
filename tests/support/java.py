"""Owns compiling a Java program of the tests, with the machine's compiler or with a pinned one from Maven."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import tempfile
from pathlib import Path

from kdg.runtime.folders import cache_folder
from kdg.sandbox.distribution import Distribution, distribution
from kdg.sandbox.errors import SandboxError
from kdg.sandbox.jars import maven, sha256

# A Java runtime has no compiler. This compiler is a jar that runs on any Java runtime.
COMPILER = ("org.eclipse.jdt", "ecj", "3.45.0", "c8f5e66787ea6e4e0394ba3051c86a4edc50683ce9850f71739646529a99a2d7")


def java(source: Path, *arguments: str) -> list[str]:
    """The command line that runs a program with Kafka's jars; it is compiled if necessary, and kept in the cache."""
    parts = distribution(lambda _line: None)
    argv = parts.argv(source.stem, *arguments)
    jars = argv.index("-cp") + 1
    return [*argv[:jars], f"{_compiled(parts, source)}:{argv[jars]}", *argv[jars + 1 :]]


@functools.cache
def _compiled(parts: Distribution, source: Path) -> Path:
    folder = cache_folder() / "bench"
    classes = folder / f"{source.stem.lower()}-{sha256(source)[:8]}"
    if not classes.exists():
        client = next(parts.jars.glob("kafka-clients-*.jar"))
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as made:  # another worker may compile the same program
            subprocess.run([*_compiler(parts, folder), "-cp", client, "-d", made, source], check=True)
            with contextlib.suppress(OSError):  # the other one was faster
                Path(made).replace(classes)
            Path(made).mkdir(exist_ok=True)
    return classes


def _compiler(parts: Distribution, folder: Path) -> list[str | Path]:
    javac = parts.java.with_name("javac")
    if javac.exists():
        return [javac, "--release", "17"]
    group, artifact, version, expected = COMPILER
    compiler = maven(folder).project(group, artifact).at_version(version).artifact().resolve()
    if sha256(compiler) != expected:
        raise SandboxError(f"{compiler} is not the Java compiler that was pinned (its SHA-256 differs): remove it.")
    return [parts.java, "-jar", compiler, "-17"]
